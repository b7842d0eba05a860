// SPDX-License-Identifier: Apache-2.0
#include "statement/inputs.h"

#include <algorithm>
#include <cstddef>
#include <map>
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
#include "query/sql_tokens.h"
#include "statement/names.h"

namespace glovebox::statement {
namespace {

using query::Token;
using query::TokenKind;

constexpr std::string_view kVolumesPrefix = "/Volumes/";
constexpr std::size_t kTableNameParts = 3;

bool IsName(const Token& token) {
  return token.kind == TokenKind::kWord || token.kind == TokenKind::kQuoted || token.kind == TokenKind::kBacktick;
}

std::string_view TextOf(std::string_view sql, const Token& token) {
  return sql.substr(token.begin, token.end - token.begin);
}

bool IsSymbol(std::string_view sql, const std::vector<Token>& tokens, std::size_t at, std::string_view symbol) {
  return at < tokens.size() && tokens[at].kind == TokenKind::kSymbol && TextOf(sql, tokens[at]) == symbol;
}

// A name with dots, as it may be a table's, and where it stands.
struct DottedName {
  std::vector<std::string> parts;
  std::size_t position = 0;
};

std::vector<DottedName> DottedNames(std::string_view sql, const std::vector<Token>& tokens) {
  std::vector<DottedName> names;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!IsName(tokens[i])) {
      continue;
    }
    DottedName name{.parts = {query::TokenName(sql, tokens[i])}, .position = tokens[i].begin};
    while (IsSymbol(sql, tokens, i + 1, ".") && i + 2 < tokens.size() && IsName(tokens[i + 2])) {
      i += 2;
      name.parts.push_back(query::TokenName(sql, tokens[i]));
    }
    names.push_back(std::move(name));
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

// The full name of the function that a bare name means: the one of the schema `home`, else the only one anywhere. Empty
// if there is none, and the name is a built-in function's or nobody's.
Result<std::string> ChooseFunction(const std::string& name, const std::string& home,
                                   const std::vector<catalog::Function>& executable) {
  std::vector<std::string> found;
  for (const catalog::Function& function : executable) {
    if (AsciiLower(function.info.name) != name) {
      continue;
    }
    if (AsciiLower(function.info.full_name) == home + "." + name) {
      return function.info.full_name;
    }
    found.push_back(function.info.full_name);
  }
  if (found.size() > 1) {
    return Status(ErrorCode::kNotSupported,
                  "'" + name + "' can be " + Join(found, " or ") +
                      "; give the statement the default catalog and schema of the one meant.");
  }
  return found.empty() ? std::string() : found.front();
}

bool IsRefusal(ErrorCode code) { return code == ErrorCode::kNotFound || code == ErrorCode::kPermissionDenied; }

}  // namespace

std::string ScratchFolder(const catalog::Context& context) { return context.data_folder + "/scratch"; }

engine::Function ToEngine(const catalog::Function& function) {
  engine::Function result;
  result.name = function.info.full_name;
  result.body = function.body;
  for (const catalog::FunctionParameter& parameter : function.parameters) {
    result.parameters.push_back({parameter.name, parameter.type});
  }
  return result;
}

engine::TableFile ToEngine(const catalog::Table& table) {
  engine::TableFile file;
  file.path = table.current.path;
  file.rows = table.current.rows;
  for (const catalog::TableColumn& column : table.columns) {
    file.columns.push_back({column.name, column.type});
  }
  return file;
}

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
  GB_RETURN_IF_ERROR(AddTables(request.sql, defaults, request));
  GB_RETURN_IF_ERROR(AddFunctions(request.sql, defaults, request));
  return AddFiles(request.sql, request);
}

Status Inputs::Explain(const Status& status) const {
  return status.code() == ErrorCode::kSqlUnknownName && denied_.has_value() ? *denied_ : status;
}

Status Inputs::AddTables(const std::string& sql, const Defaults& defaults, engine::SelectRequest& request) {
  GB_ASSIGN_OR_RETURN(const std::vector<Token> tokens, query::Tokenize(sql));
  std::set<std::string> seen;
  for (const DottedName& name : DottedNames(sql, tokens)) {
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
    auto copy = GovernedCopy(*table);
    if (!copy.ok()) {
      return Status(copy.status()).At(position);
    }
    named.file = *std::move(copy);
  }
  request.tables.push_back(std::move(named));
  return Status();
}

Result<engine::TableFile> Inputs::GovernedCopy(const catalog::Table& table) {
  GB_ASSIGN_OR_RETURN(const catalog::GovernedTable governed, catalog_.tables.GetGoverned(caller_, table.id()));
  engine::SelectRequest request;
  request.sql = GovernedSql(governed.table);
  request.tables.push_back({.name = Split(governed.table.info.full_name, '.'), .file = ToEngine(governed.table)});
  for (const catalog::Function& function : governed.functions) {
    request.functions.push_back(ToEngine(function));
  }
  const std::string folder = ScratchFolder(catalog_.context);
  GB_RETURN_IF_ERROR(MakeDirectories(folder));
  request.target_path = folder + "/" + NewUuid(*catalog_.context.clock, *catalog_.context.random) + ".duckdb";
  copies_.push_back(request.target_path);
  auto result = engine_.Select(request);
  if (!result.ok()) {
    // The policies' text is not the caller's to see. Keys of secrets are only given to the governed scan of a room.
    return Status(ErrorCode::kInvalidState,
                  "Table '" + table.info.full_name +
                      "' has a row filter or a mask that cannot be applied in a statement: it uses a secret, or a "
                      "function that does not fit the table any more.");
  }
  return std::move(result->file);
}

Status Inputs::AddFunctions(const std::string& sql, const Defaults& defaults, engine::SelectRequest& request) {
  GB_ASSIGN_OR_RETURN(const std::vector<Token> tokens, query::Tokenize(sql));
  std::map<std::string, std::size_t> called;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (IsName(tokens[i]) && IsSymbol(sql, tokens, i + 1, "(")) {
      called.emplace(AsciiLower(query::TokenName(sql, tokens[i])), tokens[i].begin);
    }
  }
  if (called.empty()) {
    return Status();
  }
  GB_ASSIGN_OR_RETURN(const std::vector<catalog::Function> executable, catalog_.functions.Executable(caller_));
  std::vector<std::string> roots;
  for (const auto& [name, position] : called) {
    auto root = ChooseFunction(name, AsciiLower(defaults.catalog + "." + defaults.schema), executable);
    if (!root.ok()) {
      return Status(root.status()).At(position);
    }
    if (!root->empty()) {
      roots.push_back(*std::move(root));
    }
  }
  GB_ASSIGN_OR_RETURN(const auto closure, catalog::FunctionClosure(roots, executable));
  for (const catalog::Function& function : closure) {
    request.functions.push_back(ToEngine(function));
  }
  return Status();
}

Status Inputs::AddFiles(const std::string& sql, engine::SelectRequest& request) {
  GB_ASSIGN_OR_RETURN(const std::vector<Token> tokens, query::Tokenize(sql));
  std::set<std::string> seen;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view text = TextOf(sql, tokens[i]);
    if (tokens[i].kind != TokenKind::kString || text.size() < 2 || !text.substr(1).starts_with(kVolumesPrefix)) {
      continue;
    }
    std::string path(text.substr(1, text.size() - 2));
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
    const bool is_read =
        i >= 2 && IsSymbol(sql, tokens, i - 1, "(") && EqualsIgnoreCase(TextOf(sql, tokens[i - 2]), "read_files");
    if (is_read) {
      return Status(file.status()).At(tokens[i].begin);
    }
  }
  return Status();
}

}  // namespace glovebox::statement
