// SPDX-License-Identifier: Apache-2.0
#include "statement/show.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/catalog.h"
#include "catalog/grants.h"
#include "catalog/page.h"
#include "catalog/privileges.h"
#include "catalog/securables.h"
#include "catalog/tables.h"
#include "engine/engine.h"
#include "statement/executor.h"
#include "statement/names.h"
#include "statement/statement.h"

namespace glovebox::statement {
namespace {

constexpr const char* kText = "VARCHAR";

std::vector<engine::Column> TextColumns(std::initializer_list<const char*> names) {
  std::vector<engine::Column> columns;
  for (const char* name : names) {
    columns.push_back({name, kText});
  }
  return columns;
}

// The container of what is shown; a schema's for tables, volumes and functions.
Result<std::string> Container(const Show& show, const Defaults& defaults) {
  if (show.kind == SecurableKind::kCatalog) {
    return std::string();
  }
  return FullName(catalog::ContainerKind(show.kind), show.container, defaults);
}

std::vector<engine::Column> ColumnsOf(SecurableKind kind) {
  switch (kind) {
    case SecurableKind::kCatalog:
      return TextColumns({"catalog"});
    case SecurableKind::kSchema:
      return TextColumns({"databaseName"});
    case SecurableKind::kTable: {
      std::vector<engine::Column> columns = TextColumns({"database", "tableName"});
      columns.push_back({"isTemporary", "BOOLEAN"});
      return columns;
    }
    case SecurableKind::kVolume:
      return TextColumns({"database", "volume_name"});
    default:
      return TextColumns({"function"});
  }
}

std::vector<json::Value> RowOf(const catalog::Securable& object) {
  // "catalog.schema.name": the schema's own name.
  std::string schema = object.full_name.substr(0, object.full_name.rfind('.'));
  schema.erase(0, schema.rfind('.') + 1);
  switch (object.kind) {
    case SecurableKind::kTable:
      return {schema, object.name, false};
    case SecurableKind::kVolume:
      return {schema, object.name};
    case SecurableKind::kFunction:
      return {object.full_name};
    default:
      return {object.name};
  }
}

}  // namespace

Result<StatementResult> ShowObjects(const catalog::Catalog& catalog, const catalog::Caller& caller, const Show& show,
                                    const Defaults& defaults, std::int64_t row_limit) {
  GB_ASSIGN_OR_RETURN(const std::string container, Container(show, defaults));
  const auto most = static_cast<std::int64_t>(limits::kRunInlineRowsMax);
  const auto limit = static_cast<std::size_t>(row_limit > 0 ? std::min(row_limit, most) : most);
  StatementResult result;
  result.columns = ColumnsOf(show.kind);
  catalog::PageRequest page{.size = limits::kPageSizeMax, .token = ""};
  do {
    GB_ASSIGN_OR_RETURN(const auto objects, catalog.securables.List(caller, show.kind, container, page));
    for (const catalog::Securable& object : objects.items) {
      if (result.rows.size() == limit) {
        result.truncated = true;
        return result;
      }
      result.rows.push_back(RowOf(object));
    }
    page.token = objects.next_token;
  } while (!page.token.empty());
  return result;
}

Result<StatementResult> ShowPrivileges(const catalog::Catalog& catalog, const catalog::Caller& caller,
                                       const ShowGrants& show, const Defaults& defaults) {
  GB_ASSIGN_OR_RETURN(const std::string name, FullName(show.kind, show.name, defaults));
  const auto principal = show.principal.empty() ? std::nullopt : std::optional(show.principal);
  GB_ASSIGN_OR_RETURN(const auto assignments, catalog.grants.Effective(caller, show.kind, name, principal));
  GB_ASSIGN_OR_RETURN(const catalog::Securable object, catalog.securables.Get(caller, show.kind, name));
  StatementResult result;
  result.columns = TextColumns({"Principal", "ActionType", "ObjectType", "ObjectKey"});
  for (const catalog::EffectiveAssignment& assignment : assignments) {
    for (const catalog::EffectivePrivilege& held : assignment.privileges) {
      const bool is_inherited = held.inherited_from_kind.has_value();
      result.rows.push_back({assignment.principal, catalog::SqlName(held.privilege),
                             catalog::WireName(held.inherited_from_kind.value_or(show.kind)),
                             is_inherited ? held.inherited_from_name : object.full_name});
    }
  }
  return result;
}

Result<StatementResult> ShowColumns(const catalog::Catalog& catalog, const catalog::Caller& caller,
                                    const DescribeTable& describe, const Defaults& defaults) {
  GB_ASSIGN_OR_RETURN(const std::string name, FullName(SecurableKind::kTable, describe.name, defaults));
  GB_ASSIGN_OR_RETURN(const catalog::Table table, catalog.tables.Get(caller, name));
  StatementResult result;
  result.columns = TextColumns({"col_name", "data_type", "comment"});
  for (const catalog::TableColumn& column : table.columns) {
    const json::Value comment = column.comment.empty() ? json::Value() : json::Value(column.comment);
    result.rows.push_back({column.name, column.type, comment});
  }
  return result;
}

}  // namespace glovebox::statement
