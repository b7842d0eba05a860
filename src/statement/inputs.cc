// SPDX-License-Identifier: Apache-2.0
#include "statement/inputs.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/result.h"
#include "base/strings.h"
#include "catalog/context.h"
#include "catalog/functions.h"
#include "catalog/tables.h"
#include "engine/engine.h"
#include "query/sql_rewrite.h"
#include "query/sql_tokens.h"
#include "statement/engine_forms.h"
#include "statement/names.h"

namespace glovebox::statement {

namespace {

constexpr std::string_view kVolumesPrefix = "/Volumes/";
constexpr std::size_t kTableNameParts = 3;

// A name with dots, as it may be a table's or a function's, and where it stands.
struct DottedName {
  std::vector<std::string> parts;
  std::size_t position = 0;
  bool is_called = false;  // a parenthesis follows
};

std::vector<DottedName> DottedNames(const query::TokenSpan& text) {
  std::vector<DottedName> names;
  for (std::size_t i = 0; i < text.size(); ++i) {
    DottedName name{.parts = {}, .position = text.Position(i)};
    if (text.IsWord(i, "IDENTIFIER") && text.IsSymbol(i + 1, "(")) {
      if (auto constant = query::ReadConstantName(text, i + 1, query::OutputParameters::kRefused); constant.ok()) {
        name.parts = std::move(constant->parts);
        i += constant->tokens;
      }
    } else if (text.IsName(i)) {
      name.parts.push_back(text.Name(i));
      while (text.IsSymbol(i + 1, ".") && text.IsName(i + 2)) {
        i += 2;
        name.parts.push_back(text.Name(i));
      }
    }
    if (!name.parts.empty()) {
      name.is_called = text.IsSymbol(i + 1, "(");
      names.push_back(std::move(name));
    }
  }
  return names;
}

// The full names that a table of this name could have: what is behind a table's name is a column's.
std::vector<std::string> Candidates(const DottedName& name, const Defaults& defaults) {
  std::vector<std::string> candidates;
  const auto add = [&](std::vector<std::string> parts) {
    const bool usable = std::none_of(parts.begin(), parts.end(), [](const std::string& part) {
      return part.empty() || part.find('.') != std::string::npos || part.size() > limits::kNameBytesMax;
    });
    if (usable) {
      candidates.push_back(Join(parts, "."));
    }
  };
  const std::vector<std::string>& parts = name.parts;
  if (parts.size() >= kTableNameParts) {
    add({parts[0], parts[1], parts[2]});
  }
  if (parts.size() >= 2) {
    add({defaults.catalog, parts[0], parts[1]});
  }
  add({defaults.catalog, defaults.schema, parts[0]});
  return candidates;
}

std::string Quoted(const std::string& name) { return query::QuoteIdentifier(name); }

// A call of a policy's function by its bare name, which is unambiguous among the functions that come with the table.
std::string Call(const std::string& function, const std::vector<std::string>& columns) {
  std::vector<std::string> arguments;
  for (const std::string& column : columns) {
    arguments.push_back(Quoted(column));
  }
  return Quoted(function.substr(function.rfind('.') + 1)) + "(" + Join(arguments, ", ") + ")";
}

std::string GovernedSql(const catalog::Table& table) {
  std::vector<std::string> items;
  for (const catalog::TableColumn& column : table.columns) {
    std::string item = Quoted(column.name);
    if (column.mask.has_value()) {
      std::vector<std::string> arguments = {column.name};
      arguments.insert(arguments.end(), column.mask->using_columns.begin(), column.mask->using_columns.end());
      item = Call(column.mask->function, arguments) + " AS " + item;
    }
    items.push_back(std::move(item));
  }
  std::vector<std::string> name;
  for (const std::string& part : Split(table.info.full_name, '.')) {
    name.push_back(Quoted(part));
  }
  std::string sql = "SELECT " + Join(items, ", ") + " FROM " + Join(name, ".");
  if (table.row_filter.has_value()) {
    sql += " WHERE " + Call(table.row_filter->function, table.row_filter->columns);
  }
  return sql;
}

bool IsRefusal(ErrorCode code) { return code == ErrorCode::kNotFound || code == ErrorCode::kPermissionDenied; }

// Whether the fault is in the policies' functions, and not in the server or in the moment.
bool IsOfThePolicies(ErrorCode code) {
  switch (code) {
    case ErrorCode::kSqlSyntax:
    case ErrorCode::kSqlUnknownName:
    case ErrorCode::kSqlType:
    case ErrorCode::kNotSupported:
    case ErrorCode::kInvalidParameterValue:
    case ErrorCode::kInvalidState:
      return true;
    default:
      return IsRefusal(code);
  }
}

// The policies' text and names are not the caller's to see, whatever failed.
Status CannotApply(const catalog::Table& table, const Status& why) {
  const std::string what = "Table '" + table.info.full_name + "' has a row filter or a mask that cannot be applied";
  log::Warning("a table cannot be read through its policies",
               {{"table_id", table.info.id}, {"code", std::string(WireName(why.code()))}});
  if (IsOfThePolicies(why.code())) {
    return Status(
        ErrorCode::kInvalidState,
        what +
            ": a function fails on the table's data or does not fit it any more, the table's owner may not "
            "execute it, or the owner of the table or of the function, or its author, may not read a secret.");
  }
  return Status(why.code(), what + " at the moment.");
}

}  // namespace

std::string ScratchFolder(const catalog::Context& context) { return context.data_folder + "/scratch"; }

Inputs::~Inputs() {
  for (const std::string& copy : copies_) {
    if (!RemoveTree(copy).ok()) {
      log::Warning("a governed copy is left until the next start");
    }
  }
}

Status Inputs::Gather(const Defaults& defaults, engine::SelectRequest& request) {
  if (!defaults.catalog.empty() && !defaults.schema.empty()) {
    request.default_namespace = {defaults.catalog, defaults.schema};
  }
  GB_ASSIGN_OR_RETURN(const std::vector<query::Token> tokens, query::Tokenize(request.sql));
  const query::TokenSpan text(request.sql, tokens.data(), tokens.size());
  GB_RETURN_IF_ERROR(AddTables(text, defaults, request));
  GB_RETURN_IF_ERROR(AddFunctions(text, defaults, request));
  return AddFiles(text, request);
}

Status Inputs::Explain(const Status& status) const {
  return status.code() == ErrorCode::kSqlUnknownName && denied_.has_value() ? *denied_ : status;
}

Status Inputs::AddTables(const query::TokenSpan& text, const Defaults& defaults, engine::SelectRequest& request) {
  std::set<std::string> seen;
  for (const DottedName& name : DottedNames(text)) {
    for (const std::string& candidate : Candidates(name, defaults)) {
      if (!seen.insert(AsciiLower(candidate)).second) {
        continue;
      }
      if (seen.size() > limits::kStatementNamesMax) {
        return Status(ErrorCode::kNotSupported,
                      "The query has more than " + std::to_string(limits::kStatementNamesMax) + " different names.")
            .At(name.position);
      }
      GB_RETURN_IF_ERROR(AddTable(candidate, name.position, request));
    }
  }
  return Status();
}

Status Inputs::AddTable(const std::string& full_name, std::size_t position, engine::SelectRequest& request) {
  const auto table = catalog_.tables.GetForSelect(caller_, full_name);
  if (!table.ok()) {
    if (!IsRefusal(table.status().code())) {
      return table.status();
    }
    if (table.status().code() == ErrorCode::kPermissionDenied && !denied_.has_value()) {
      denied_ = Status(table.status()).At(position);
    }
    return Status();
  }
  engine::NamedTable named{.name = Split(table->info.full_name, '.'), .file = ToEngine(*table)};
  if (table->IsGoverned()) {
    auto copy = GovernedCopy(*table, request);
    if (!copy.ok()) {
      return Status(copy.status()).At(position);
    }
    named.file = *std::move(copy);
  }
  request.tables.push_back(std::move(named));
  return Status();
}

Result<engine::TableFile> Inputs::GovernedCopy(const catalog::Table& table, const engine::SelectRequest& query) {
  const auto governed = catalog_.tables.GetGoverned(caller_, table.id());
  if (!governed.ok()) {
    return CannotApply(table, governed.status());
  }
  engine::SelectRequest request;
  request.sql = GovernedSql(governed->table);
  request.cancel_key = query.cancel_key;
  request.canceled = query.canceled;
  request.tables.push_back({.name = Split(governed->table.info.full_name, '.'), .file = ToEngine(governed->table)});
  for (const catalog::Function& function : governed->functions) {
    request.functions.push_back(ToEngine(function));
  }
  GB_ASSIGN_OR_RETURN(request.secrets, SecretsOf(catalog_, caller_.organisation, *governed));
  const std::string folder = ScratchFolder(catalog_.context);
  GB_RETURN_IF_ERROR(MakeDirectories(folder));
  request.target_path = folder + "/" + NewUuid(*catalog_.context.clock, *catalog_.context.random) + ".duckdb";
  copies_.push_back(request.target_path);
  auto result = engine_.Select(request);
  return result.ok() ? Result<engine::TableFile>(std::move(result->file))
                     : Result<engine::TableFile>(CannotApply(table, result.status()));
}

// A bare name means the function of the default schema, else the only one anywhere.
Result<std::string> Inputs::ChooseFunction(const std::vector<std::string>& parts, const Defaults& defaults) const {
  const std::string& name = parts.back();
  if (parts.size() == 1 && IsBuiltIn(name)) {
    return std::string();
  }
  GB_ASSIGN_OR_RETURN(const std::vector<std::string> found, catalog_.functions.FullNames(caller_, name));
  const std::string home = parts.size() == 1   ? defaults.catalog + "." + defaults.schema + "." + name
                           : parts.size() == 2 ? defaults.catalog + "." + Join(parts, ".")
                                               : Join(parts, ".");
  const auto at_home =
      std::find_if(found.begin(), found.end(), [&](const std::string& one) { return EqualsIgnoreCase(one, home); });
  if (at_home != found.end()) {
    return *at_home;
  }
  if (parts.size() > 1 || found.empty()) {
    return std::string();
  }
  if (found.size() > 1) {
    return Status(ErrorCode::kNotSupported, "'" + AsciiLower(name) + "' can be " + Join(found, " or ") +
                                                "; write the full name of the one meant.");
  }
  return found.front();
}

Status Inputs::AddFunctions(const query::TokenSpan& text, const Defaults& defaults, engine::SelectRequest& request) {
  std::set<std::string> seen;
  std::vector<std::string> roots;
  for (const DottedName& name : DottedNames(text)) {
    if (!name.is_called || !seen.insert(AsciiLower(Join(name.parts, "."))).second) {
      continue;
    }
    auto root = ChooseFunction(name.parts, defaults);
    if (!root.ok()) {
      return Status(root.status()).At(name.position);
    }
    if (!root->empty()) {
      roots.push_back(*std::move(root));
    }
  }
  GB_ASSIGN_OR_RETURN(const auto closure, catalog_.functions.Closure(caller_, roots));
  for (const catalog::Function& function : closure) {
    request.functions.push_back(ToEngine(function));
  }
  return Status();
}

Status Inputs::AddFiles(const query::TokenSpan& text, engine::SelectRequest& request) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view quoted = text.Text(i);
    if (!text.IsKind(i, query::TokenKind::kString) || quoted.size() < 2 ||
        !quoted.substr(1).starts_with(kVolumesPrefix)) {
      continue;
    }
    std::string path(quoted.substr(1, quoted.size() - 2));
    for (std::size_t quote = path.find("''"); quote != std::string::npos; quote = path.find("''", quote + 1)) {
      path.erase(quote, 1);
    }
    if (!seen.insert(path).second) {
      continue;
    }
    auto file = catalog_.volumes.FileForEngine(caller_, path);
    if (file.ok()) {
      request.files.push_back({.name = path, .path = *std::move(file)});
      continue;
    }
    // Any other string may look like a path; only what read_files opens has to be one.
    const bool is_read = i >= 2 && text.IsSymbol(i - 1, "(") && text.IsWord(i - 2, "READ_FILES");
    if (is_read) {
      return Status(file.status()).At(text.Position(i));
    }
  }
  return Status();
}

}  // namespace glovebox::statement
