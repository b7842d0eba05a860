// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "query/ast.h"
#include "query/duckdb_ast_reader.h"
#include "query/sql_tokens.h"

namespace glovebox::query {
namespace {

// SELECT * FROM (VALUES ...) and nothing else: how the parser says VALUES.
bool IsBareValues(const ast::Query& query) {
  const ast::Select& select = query.select;
  if (query.op != ast::SetOp::kNone || select.items.size() != 1 || select.from->kind != ast::FromKind::kValues) {
    return false;
  }
  const ast::SelectItem& item = select.items.front();
  const bool star = item.expr->kind == ast::ExprKind::kStar && item.expr->name.empty() && item.expr->excluded.empty();
  const bool clauses = !query.with.empty() || !query.order_by.empty() || query.order_by_all || query.limit ||
                       query.offset || select.distinct || select.where || select.having || select.qualify ||
                       select.sample || select.group_kind != ast::GroupKind::kNone;
  return star && !clauses && select.from->alias.empty() && select.from->column_aliases.empty();
}

}  // namespace

Result<ast::FromPtr> DuckdbAstReader::ReadFrom(const json::Value* value, std::size_t fallback, ast::Select& select) {
  if (value == nullptr || !value->is_object()) {
    return Unexpected(fallback);
  }
  const Descent descent(*this);
  auto from = std::make_unique<ast::From>();
  from->position = PositionOf(*value, fallback);
  GB_RETURN_IF_ERROR(CountNode(from->position));
  from->alias = value->GetString("alias");
  if (const json::Value* aliases = value->Get("column_name_alias"); aliases != nullptr) {
    GB_ASSIGN_OR_RETURN(from->column_aliases, ReadNames(aliases, from->position));
  }
  if (value->Get("sample") != nullptr) {
    select.sample = PositionOfWord({"sample", "tablesample"}, fallback);
  }
  const std::string type = value->GetString("type");
  if (type == "EMPTY") {
    GB_RETURN_IF_ERROR(CheckMembers(*value, from->position, {"type", "alias", "sample", "query_location"}));
  } else if (type == "BASE_TABLE") {
    GB_RETURN_IF_ERROR(ReadBaseTable(*value, *from));
  } else if (type == "SUBQUERY") {
    GB_RETURN_IF_ERROR(ReadSubqueryFrom(*value, *from));
  } else if (type == "EXPRESSION_LIST") {
    GB_RETURN_IF_ERROR(ReadValues(*value, *from));
  } else if (type == "TABLE_FUNCTION") {
    GB_RETURN_IF_ERROR(ReadTableFunction(*value, *from));
  } else if (type == "JOIN") {
    GB_RETURN_IF_ERROR(ReadJoin(*value, *from, select));
  } else if (type == "PIVOT") {
    return SqlNotSupported(from->position, "PIVOT and UNPIVOT are not supported; write GROUP BY with FILTER");
  } else if (type == "SHOW_REF") {
    return SqlNotSupported(
        from->position, "DESCRIBE, SHOW and SUMMARIZE are not supported in a query; the room's page shows the columns");
  } else {
    return SqlNotSupported(from->position, "this kind of table is not supported in FROM");
  }
  return from;
}

Status DuckdbAstReader::ReadBaseTable(const json::Value& value, ast::From& from) {
  GB_RETURN_IF_ERROR(CheckMembers(value, from.position,
                                  {"type", "alias", "sample", "query_location", "schema_name", "table_name",
                                   "column_name_alias", "catalog_name", "at_clause"}));
  if (value.Get("at_clause") != nullptr) {
    return SqlNotSupported(from.position, "time travel (AT) is not supported; a run pins the versions of its tables");
  }
  from.kind = ast::FromKind::kTable;
  for (const std::string_view part : {"catalog_name", "schema_name", "table_name"}) {
    std::string name = value.GetString(part);
    if (!name.empty()) {
      from.parts.push_back(std::move(name));
    } else if (!from.parts.empty()) {
      return SqlSyntaxError(from.position, "a part of the table's name is empty");
    }
  }
  return from.parts.empty() ? Unexpected(from.position) : Status();
}

Status DuckdbAstReader::ReadSubqueryFrom(const json::Value& value, ast::From& from) {
  GB_RETURN_IF_ERROR(CheckMembers(value, from.position,
                                  {"type", "alias", "sample", "query_location", "subquery", "column_name_alias"}));
  GB_ASSIGN_OR_RETURN(from.query, ReadWrappedQuery(value.Get("subquery"), from.position));
  from.kind = ast::FromKind::kSubquery;
  from.position = PositionOf(value, from.query->position);
  if (IsBareValues(*from.query)) {
    from.kind = ast::FromKind::kValues;
    from.rows = std::move(from.query->select.from->rows);
    from.query = nullptr;
  }
  return {};
}

Status DuckdbAstReader::ReadValues(const json::Value& value, ast::From& from) {
  GB_RETURN_IF_ERROR(
      CheckMembers(value, from.position,
                   {"type", "alias", "sample", "query_location", "expected_names", "expected_types", "values"}));
  GB_ASSIGN_OR_RETURN(const std::vector<std::string> names, ReadNames(value.Get("expected_names"), from.position));
  GB_ASSIGN_OR_RETURN(const json::Array* types, ReadArray(value.Get("expected_types"), from.position));
  GB_ASSIGN_OR_RETURN(const json::Array* rows, ReadArray(value.Get("values"), from.position));
  if (!names.empty() || !types->empty() || rows->empty()) {
    return Unexpected(from.position);
  }
  if (rows->size() > limits::kSqlListMax) {
    return SqlNotSupported(
        from.position, "more than " + std::to_string(limits::kSqlListMax) + " rows in VALUES; upload them as a table");
  }
  from.kind = ast::FromKind::kValues;
  from.alias.clear();  // the parser's own; no query can name it
  for (const json::Value& row : *rows) {
    GB_ASSIGN_OR_RETURN(std::vector<ast::ExprPtr> read, ReadExprs(&row, from.position));
    if (read.empty() || (!from.rows.empty() && read.size() != from.rows.front().size())) {
      return SqlSyntaxError(from.position, "the rows of VALUES have different numbers of columns");
    }
    from.rows.push_back(std::move(read));
  }
  from.position = PositionOf(value, from.rows.front().front()->position);
  return {};
}

// Named arguments come as an alias (name := value, name => value) or as a comparison (name = value).
Status DuckdbAstReader::ReadTableFunction(const json::Value& value, ast::From& from) {
  GB_RETURN_IF_ERROR(
      CheckMembers(value, from.position,
                   {"type", "alias", "sample", "query_location", "function", "column_name_alias", "with_ordinality"}));
  const json::Value* function = value.Get("function");
  if (function == nullptr || function->GetString("class") != "FUNCTION") {
    return SqlNotSupported(from.position, "only a function call can stand here; read a table, or write VALUES");
  }
  if (value.GetString("with_ordinality") != "WITHOUT_ORDINALITY") {
    return SqlNotSupported(from.position,
                           "WITH ORDINALITY is not supported; write row_number() over a released result");
  }
  GB_ASSIGN_OR_RETURN(const json::Array* children, ReadArray(function->Get("children"), from.position));
  json::Array arguments;
  for (const json::Value& child : *children) {
    std::string name = child.GetString("alias");
    const json::Value* left = child.Get("left");
    const json::Value* right = child.Get("right");
    json::Value argument = child;
    if (child.GetString("class") == "COMPARISON" && child.GetString("type") == "COMPARE_EQUAL" && left != nullptr &&
        right != nullptr && left->GetString("class") == "COLUMN_REF" && name.empty()) {
      GB_ASSIGN_OR_RETURN(const std::vector<std::string> names, ReadNames(left->Get("column_names"), from.position));
      if (names.size() == 1) {
        name = names.front();
        argument = *right;
      }
    }
    if (argument.is_object() && argument.Get("alias") != nullptr) {
      argument.as_object().Set("alias", "");
    }
    from.argument_names.push_back(std::move(name));
    arguments.push_back(std::move(argument));
  }
  json::Value call = *function;
  call.as_object().Set("children", std::move(arguments));
  GB_ASSIGN_OR_RETURN(from.call, ReadExpr(&call, from.position));
  if (from.call->kind != ast::ExprKind::kFunction) {
    return SqlNotSupported(from.position, "only a function call can stand here; read a table, or write VALUES");
  }
  if (from.call->name.find('.') != std::string::npos) {
    return SqlNotSupported(from.position,
                           "functions of a schema are not supported here; read a table, or write VALUES");
  }
  from.kind = ast::FromKind::kTableFunction;
  return {};
}

Status DuckdbAstReader::ReadJoin(const json::Value& value, ast::From& from, ast::Select& select) {
  GB_RETURN_IF_ERROR(
      CheckMembers(value, from.position,
                   {"type", "alias", "sample", "query_location", "left", "right", "condition", "join_type", "ref_type",
                    "using_columns", "delim_flipped", "duplicate_eliminated_columns"}));
  if (++joins_ > limits::kSqlJoinsMax) {
    return SqlNotSupported(from.position,
                           "more than " + std::to_string(limits::kSqlJoinsMax) + " joins; write several cells");
  }
  GB_ASSIGN_OR_RETURN(const json::Array* eliminated,
                      ReadArray(value.Get("duplicate_eliminated_columns"), from.position));
  if (!from.alias.empty() || value.GetBool("delim_flipped") || !eliminated->empty()) {
    return SqlNotSupported(from.position, "this form of join is not supported; give the tables their own names");
  }
  const std::string type = value.GetString("join_type");
  const std::string reference = value.GetString("ref_type");
  from.kind = ast::FromKind::kJoin;
  const bool inner = type == "INNER";
  if (reference == "CROSS" && inner) {
    from.join = ast::JoinKind::kCross;
  } else if (reference == "POSITIONAL" && inner) {
    from.join = ast::JoinKind::kPositional;
  } else if (reference == "ASOF" && inner) {
    from.join = ast::JoinKind::kAsof;
  } else if (reference != "REGULAR" && reference != "NATURAL") {
    return SqlNotSupported(from.position, "this form of join is not supported (" + type + " " + reference + ")");
  } else if (inner) {
    from.join = ast::JoinKind::kInner;
  } else if (type == "LEFT") {
    from.join = ast::JoinKind::kLeft;
  } else if (type == "RIGHT") {
    from.join = ast::JoinKind::kRight;
  } else if (type == "FULL") {
    from.join = ast::JoinKind::kFull;
  } else if (type == "SEMI") {
    from.join = ast::JoinKind::kSemi;
  } else if (type == "ANTI") {
    from.join = ast::JoinKind::kAnti;
  } else {
    return SqlNotSupported(from.position, "this form of join is not supported");
  }
  from.natural = reference == "NATURAL";
  GB_ASSIGN_OR_RETURN(from.left, ReadFrom(value.Get("left"), from.position, select));
  GB_ASSIGN_OR_RETURN(from.right, ReadFrom(value.Get("right"), from.position, select));
  from.position = PositionOf(value, from.right->position);
  GB_ASSIGN_OR_RETURN(from.on, ReadOptionalExpr(value.Get("condition"), from.position));
  GB_ASSIGN_OR_RETURN(from.using_columns, ReadNames(value.Get("using_columns"), from.position));
  return {};
}

}  // namespace glovebox::query
