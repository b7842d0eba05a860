// SPDX-License-Identifier: Apache-2.0
#include "catalog/functions.h"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/invalid_parameter.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "catalog/caller.h"
#include "catalog/grants.h"
#include "catalog/names.h"
#include "catalog/page.h"
#include "catalog/privileges.h"
#include "catalog/securable_rows.h"
#include "catalog/sql.h"
#include "store/database.h"

namespace glovebox::catalog {
namespace {

std::string ParametersToText(const std::vector<FunctionParameter>& parameters) {
  json::Array array;
  for (const FunctionParameter& parameter : parameters) {
    array.emplace_back(json::Array{parameter.name, parameter.type, parameter.comment});
  }
  return json::Write(json::Value(std::move(array)));
}

Result<std::vector<FunctionParameter>> ParametersFromText(const std::string& text) {
  const Status damaged(ErrorCode::kDataLoss, "A function's parameters in the metadata database are damaged.");
  auto value = json::Parse(text);
  if (!value.ok() || !value->is_array()) {
    return damaged;
  }
  std::vector<FunctionParameter> parameters;
  for (const json::Value& parameter : value->as_array()) {
    if (!parameter.is_array() || parameter.as_array().size() != 3 || !parameter.as_array()[0].is_string() ||
        !parameter.as_array()[1].is_string() || !parameter.as_array()[2].is_string()) {
      return damaged;
    }
    const json::Array& parts = parameter.as_array();
    parameters.push_back({parts[0].as_string(), parts[1].as_string(), parts[2].as_string()});
  }
  return parameters;
}

Status CheckDefinition(const NewFunction& function) {
  GB_RETURN_IF_ERROR(CheckComment(function.comment));
  if (function.parameters.size() > limits::kFunctionParametersMax) {
    return InvalidParameter("A function has at most " + std::to_string(limits::kFunctionParametersMax) +
                            " parameters.");
  }
  if (function.body.empty() || function.body.size() > limits::kFunctionBodyBytesMax) {
    return InvalidParameter("A function's body has 1 to " + std::to_string(limits::kFunctionBodyBytesMax) + " bytes.");
  }
  if (!IsValidUtf8(function.body) || !IsValidUtf8(function.return_type) ||
      function.return_type.size() > limits::kTypeBytesMax) {
    return InvalidParameter("A function's body or return type is not valid.");
  }
  std::set<std::string> keys;
  for (const FunctionParameter& parameter : function.parameters) {
    GB_ASSIGN_OR_RETURN(const Name name, CheckedName(parameter.name, "parameter's name"));
    GB_RETURN_IF_ERROR(CheckComment(parameter.comment));
    if (!keys.insert(name.key).second) {
      return InvalidParameter("The parameter '" + parameter.name + "' is there twice.");
    }
    if (parameter.type.empty() || parameter.type.size() > limits::kTypeBytesMax || !IsValidUtf8(parameter.type)) {
      return InvalidParameter("The type of parameter '" + parameter.name + "' is not valid.");
    }
  }
  return Status();
}

Status CheckReplaceable(store::Transaction& transaction, const OrganisationId& organisation, const Function& existing,
                        const NewFunction& function) {
  if (existing.parameters.size() == function.parameters.size()) {
    return Status();
  }
  const std::string& id = existing.info.id;
  GB_ASSIGN_OR_RETURN(const auto used, transaction.Query("SELECT id FROM tables WHERE organisation_id = ? AND "
                                                         "filter_function_id = ? UNION ALL SELECT table_id FROM "
                                                         "table_columns WHERE organisation_id = ? AND "
                                                         "mask_function_id = ? LIMIT 1",
                                                         {organisation.str(), id, organisation.str(), id}));
  if (!used.empty()) {
    return Status(ErrorCode::kInvalidState, "Function '" + existing.info.full_name +
                                                "' is used by a row filter or mask, which needs the same number of "
                                                "parameters.");
  }
  return Status();
}

// Those of the functions with these ids that the caller may execute.
Result<std::vector<Securable>> Executable(store::Transaction& transaction, const Caller& caller,
                                          const std::vector<std::string>& ids) {
  std::vector<Securable> functions;
  for (const std::string& id : ids) {
    GB_ASSIGN_OR_RETURN(auto function, FindRow(transaction, caller.organisation, id));
    GB_ASSERT(function.has_value());
    const Status allowed = Grants::Check(transaction, caller, Privilege::kExecute, *function);
    if (allowed.ok()) {
      functions.push_back(*std::move(function));
    } else if (allowed.code() != ErrorCode::kNotFound && allowed.code() != ErrorCode::kPermissionDenied) {
      return allowed;
    }
  }
  return functions;
}

constexpr unsigned char kFirstNonAscii = 0x80;

bool IsOfName(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         static_cast<unsigned char>(c) >= kFirstNonAscii;
}

// Whether the name stands in the text, not as a part of a longer one. Both in lower case.
bool HasName(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !IsOfName(text[at - 1])) && (end == text.size() || !IsOfName(text[end]))) {
      return true;
    }
  }
  return false;
}

// The functions of the schema that a body written by the caller may call. A name that stands in a string, or for a
// column, brings a function more: what that one calls and lacks is then lacking here.
Result<std::vector<Securable>> NamedIn(store::Transaction& transaction, const Caller& caller,
                                       const std::string& schema_id, const std::string& body) {
  GB_ASSIGN_OR_RETURN(
      const auto rows,
      transaction.Query("SELECT id, name FROM securables WHERE organisation_id = ? AND parent_id = ? "
                        "AND kind = ? ORDER BY name_key",
                        {caller.organisation.str(), schema_id, std::string(WireName(SecurableKind::kFunction))}));
  const std::string text = AsciiLower(body);
  std::vector<std::string> ids;
  for (const store::Row& row : rows) {
    if (HasName(text, AsciiLower(row.Text(1)))) {
      ids.push_back(row.Text(0));
    }
  }
  return Executable(transaction, caller, ids);
}

Status WriteDefinition(store::Transaction& transaction, const Caller& caller, const Securable& info,
                       const NewFunction& function) {
  const std::string& organisation = caller.organisation.str();
  GB_RETURN_IF_ERROR(
      Run(transaction, "DELETE FROM functions WHERE organisation_id = ? AND id = ?", {organisation, info.id}));
  GB_RETURN_IF_ERROR(Run(
      transaction,
      "INSERT INTO functions (organisation_id, id, parameters, return_type, body, author_id) VALUES (?, ?, ?, ?, ?, ?)",
      {organisation, info.id, ParametersToText(function.parameters), function.return_type, function.body,
       caller.principal.str()}));
  GB_RETURN_IF_ERROR(Run(transaction, "DELETE FROM function_calls WHERE organisation_id = ? AND function_id = ?",
                         {organisation, info.id}));
  GB_ASSIGN_OR_RETURN(const auto called, NamedIn(transaction, caller, info.parent_id, function.body));
  for (const Securable& other : called) {
    GB_RETURN_IF_ERROR(
        Run(transaction,
            "INSERT INTO function_calls (organisation_id, function_id, called_id, called_name_key) VALUES (?, ?, ?, ?)",
            {organisation, info.id, other.id, NameKey(other.name)}));
  }
  return Status();
}

// Adds functions and what their bodies may call, each once.
class ClosureBuilder {
 public:
  ClosureBuilder(store::Transaction& transaction, const Caller& caller) : transaction_(transaction), caller_(caller) {}

  Status Add(const Securable& function) {
    if (ids_.insert(function.id).second) {
      GB_ASSIGN_OR_RETURN(Function loaded, Functions::Load(transaction_, function, caller_.organisation));
      closure_.push_back(std::move(loaded));
    }
    return Status();
  }

  Status AddNamedIn(const std::string& schema_id, const std::string& body) {
    GB_ASSIGN_OR_RETURN(const auto named, NamedIn(transaction_, caller_, schema_id, body));
    return AddAll(named);
  }

  Result<std::vector<Function>> Build() {
    for (std::size_t i = 0; i < closure_.size(); ++i) {
      const std::string id = closure_[i].info.id;
      GB_RETURN_IF_ERROR(AddCalledBy(id));
    }
    std::set<std::string> names;
    for (const Function& function : closure_) {
      // The engine knows functions by their names alone.
      if (absent_.contains(NameKey(function.info.name))) {
        return Status(ErrorCode::kInvalidState, "Function '" + function.info.full_name +
                                                    "' has the name of one that is called beside it and that was "
                                                    "dropped, or may not be executed; write what calls it anew.");
      }
      if (!names.insert(NameKey(function.info.name)).second) {
        return Status(ErrorCode::kInvalidState, "Two functions of the name '" + function.info.name +
                                                    "' in different schemas cannot be used together.");
      }
    }
    return std::move(closure_);
  }

 private:
  Status AddAll(const std::vector<Securable>& functions) {
    for (const Securable& function : functions) {
      GB_RETURN_IF_ERROR(Add(function));
    }
    return Status();
  }

  // By id: a name that became free may be taken by a function of somebody else, which the body does not mean.
  Status AddCalledBy(const std::string& id) {
    GB_ASSIGN_OR_RETURN(const auto rows,
                        transaction_.Query("SELECT c.called_id, c.called_name_key, s.id IS NULL FROM function_calls c "
                                           "LEFT JOIN securables s ON s.organisation_id = c.organisation_id AND s.id = "
                                           "c.called_id WHERE c.organisation_id = ? AND c.function_id = ? ORDER BY "
                                           "c.called_name_key",
                                           {caller_.organisation.str(), id}));
    std::vector<std::string> ids;
    std::map<std::string, std::string> missing;  // name by id
    for (const store::Row& row : rows) {
      missing.emplace(row.Text(0), row.Text(1));
      if (row.Int(2) == 0) {
        ids.push_back(row.Text(0));
      }
    }
    GB_ASSIGN_OR_RETURN(const auto called, Executable(transaction_, caller_, ids));
    for (const Securable& function : called) {
      missing.erase(function.id);
    }
    for (const auto& [missing_id, name] : missing) {
      absent_.insert(name);
    }
    return AddAll(called);
  }

  store::Transaction& transaction_;
  const Caller& caller_;
  std::vector<Function> closure_;
  std::set<std::string> ids_;
  std::set<std::string> absent_;  // names of what is called, and is not there any more or may not be executed
};

}  // namespace

Result<Function> Functions::Load(store::Transaction& transaction, const Securable& securable,
                                 const OrganisationId& organisation) {
  GB_ASSIGN_OR_RETURN(const auto row,
                      transaction.QueryOne("SELECT parameters, return_type, body, author_id FROM functions WHERE "
                                           "organisation_id = ? AND id = ?",
                                           {organisation.str(), securable.id}));
  if (!row.has_value()) {
    return Status(ErrorCode::kDataLoss, "The metadata database lacks the definition of a function.");
  }
  Function function;
  function.info = securable;
  GB_ASSIGN_OR_RETURN(function.parameters, ParametersFromText(row->Text(0)));
  function.return_type = row->Text(1);
  function.body = row->Text(2);
  function.author = PrincipalId(row->Text(3));
  return function;
}

Result<Function> Functions::Create(const Caller& caller, const NewFunction& function, OnExisting on_existing) const {
  GB_ASSIGN_OR_RETURN(const Name name, CheckedName(function.name, "function's name"));
  GB_RETURN_IF_ERROR(CheckDefinition(function));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Securable schema, FindKnown(*transaction, caller, SecurableKind::kSchema, function.schema));
  GB_ASSIGN_OR_RETURN(auto existing,
                      FindChildRow(*transaction, caller.organisation, SecurableKind::kFunction, schema.id, name.key));
  Securable info;
  if (existing.has_value() && on_existing != OnExisting::kFail) {
    GB_RETURN_IF_ERROR(CheckMayMeet(*transaction, caller, *existing, Privilege::kCreateFunction, schema));
    if (on_existing == OnExisting::kKeep) {
      GB_ASSIGN_OR_RETURN(const Securable kept, FindKnown(*transaction, caller, SecurableKind::kFunction,
                                                          function.schema + "." + function.name));
      return Load(*transaction, kept, caller.organisation);
    }
    GB_RETURN_IF_ERROR(Grants::Check(*transaction, caller, Privilege::kManage, *existing));
    GB_ASSIGN_OR_RETURN(const Function old, Load(*transaction, *existing, caller.organisation));
    GB_RETURN_IF_ERROR(CheckReplaceable(*transaction, caller.organisation, old, function));
    GB_RETURN_IF_ERROR(Run(*transaction, "UPDATE securables SET comment = ? WHERE organisation_id = ? AND id = ?",
                           {function.comment, caller.organisation.str(), existing->id}));
    GB_RETURN_IF_ERROR(TouchRow(*transaction, context_, caller, existing->id));
    info = *std::move(existing);
  } else {
    GB_RETURN_IF_ERROR(Grants::Check(*transaction, caller, Privilege::kCreateFunction, schema));
    GB_ASSIGN_OR_RETURN(info, InsertRow(*transaction, context_, caller.organisation,
                                        {.kind = SecurableKind::kFunction,
                                         .id = NewUuid(*context_.clock, *context_.random),
                                         .parent_id = schema.id,
                                         .parent_full_name = schema.full_name,
                                         .name = name,
                                         .owner = caller.principal,
                                         .comment = function.comment,
                                         .created_by = caller.name}));
  }
  GB_RETURN_IF_ERROR(WriteDefinition(*transaction, caller, info, function));
  GB_ASSIGN_OR_RETURN(const auto written, FindRow(*transaction, caller.organisation, info.id));
  GB_ASSERT(written.has_value());
  GB_ASSIGN_OR_RETURN(Function created, Load(*transaction, *written, caller.organisation));
  GB_RETURN_IF_ERROR(transaction->Commit());
  return created;
}

Result<Function> Functions::Get(const Caller& caller, const std::string& full_name) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Securable info, FindKnown(*transaction, caller, SecurableKind::kFunction, full_name));
  GB_ASSIGN_OR_RETURN(Function function, Load(*transaction, info, caller.organisation));
  if (!Grants::Check(*transaction, caller, Privilege::kExecute, info).ok()) {
    function.body.clear();
  }
  return function;
}

Result<Page<Function>> Functions::List(const Caller& caller, const std::string& schema, const PageRequest& page) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Page<Securable> rows,
                      KnownChildren(*transaction, caller, SecurableKind::kFunction, schema, page));
  Page<Function> result;
  result.next_token = rows.next_token;
  for (const Securable& row : rows.items) {
    GB_ASSIGN_OR_RETURN(Function function, Load(*transaction, row, caller.organisation));
    if (!Grants::Check(*transaction, caller, Privilege::kExecute, row).ok()) {
      function.body.clear();
    }
    result.items.push_back(std::move(function));
  }
  return result;
}

Result<std::vector<Function>> Functions::Closure(store::Transaction& transaction, const Caller& caller,
                                                 const std::vector<std::string>& full_names) {
  ClosureBuilder builder(transaction, caller);
  for (const std::string& name : full_names) {
    GB_ASSIGN_OR_RETURN(const Securable function,
                        FindAllowed(transaction, caller, SecurableKind::kFunction, name, Privilege::kExecute));
    GB_RETURN_IF_ERROR(builder.Add(function));
  }
  return builder.Build();
}

Result<std::vector<Function>> Functions::Closure(const Caller& caller,
                                                 const std::vector<std::string>& full_names) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  return Closure(*transaction, caller, full_names);
}

Result<std::vector<Function>> Functions::CalledBy(const Caller& caller, const std::string& schema,
                                                  const std::string& body) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Securable home, FindKnown(*transaction, caller, SecurableKind::kSchema, schema));
  ClosureBuilder builder(*transaction, caller);
  GB_RETURN_IF_ERROR(builder.AddNamedIn(home.id, body));
  return builder.Build();
}

Result<std::vector<std::string>> Functions::FullNames(const Caller& caller, const std::string& name) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(
      const auto rows,
      transaction->Query("SELECT id FROM securables WHERE organisation_id = ? AND kind = ? AND name_key "
                         "= ? ORDER BY full_name",
                         {caller.organisation.str(), std::string(WireName(SecurableKind::kFunction)), NameKey(name)}));
  std::vector<std::string> ids;
  for (const store::Row& row : rows) {
    ids.push_back(row.Text(0));
  }
  GB_ASSIGN_OR_RETURN(const auto functions, Executable(*transaction, caller, ids));
  std::vector<std::string> names;
  for (const Securable& function : functions) {
    names.push_back(function.full_name);
  }
  return names;
}

}  // namespace glovebox::catalog
