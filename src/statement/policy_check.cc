// SPDX-License-Identifier: Apache-2.0
#include "statement/policy_check.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/result.h"
#include "base/strings.h"
#include "catalog/caller.h"
#include "catalog/catalog.h"
#include "catalog/functions.h"
#include "catalog/tables.h"
#include "engine/engine.h"
#include "query/sql_tokens.h"
#include "statement/engine_forms.h"

namespace glovebox::statement {
namespace {

Status DoesNotFit(PolicyKind kind, const std::string& function, const std::string& why) {
  const std::string what =
      kind == PolicyKind::kRowFilter ? "' is no row filter for these columns: " : "' is no mask for this column: ";
  return Status(ErrorCode::kInvalidParameterValue, "Function '" + function + what + why);
}

}  // namespace

Status CheckPolicy(const catalog::Catalog& catalog, engine::Engine& engine, const catalog::Caller& caller,
                   PolicyKind kind, const std::string& function, const std::vector<std::string>& arguments,
                   const std::vector<catalog::TableColumn>& columns) {
  GB_ASSIGN_OR_RETURN(const auto closure, catalog.functions.Closure(caller, {function}));
  const catalog::Function& policy = closure.front();
  std::vector<std::string> names;
  std::vector<std::string> nulls;
  for (const std::string& argument : arguments) {
    const auto column = std::find_if(columns.begin(), columns.end(), [&](const catalog::TableColumn& one) {
      return EqualsIgnoreCase(one.name, argument);
    });
    if (column == columns.end()) {
      return Status();
    }
    names.push_back(query::QuoteIdentifier(column->name));
    nulls.push_back("CAST(NULL AS " + column->type + ") AS " + names.back());
  }
  if (policy.parameters.size() != names.size()) {
    return Status();
  }
  engine::SelectRequest request;
  request.sql = "SELECT " + query::QuoteIdentifier(policy.info.name) + "(" + Join(names, ", ") + ") AS result";
  if (!names.empty()) {
    request.sql += " FROM (SELECT " + Join(nulls, ", ") + ") AS columns_of_table";
  }
  request.row_limit = 1;
  for (const catalog::Function& one : closure) {
    request.functions.push_back(ToEngine(one));
  }
  // The types are the same with any key; the table's owner has the real ones.
  for (const SecretName& name : SecretsNamedIn(closure)) {
    request.secrets.push_back({name.scope, name.key, "not the key"});
  }
  const auto computed = engine.Select(request);
  if (!computed.ok()) {
    return DoesNotFit(kind, policy.info.full_name, computed.status().message());
  }
  const bool is_boolean = computed->file.columns.size() == 1 && computed->file.columns[0].type == "BOOLEAN";
  return kind == PolicyKind::kMask || is_boolean
             ? Status()
             : DoesNotFit(kind, policy.info.full_name, "it does not give a BOOLEAN.");
}

}  // namespace glovebox::statement
