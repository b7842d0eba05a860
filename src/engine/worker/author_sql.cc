// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/author_sql.h"

#include "base/json.h"
#include "base/strings.h"

namespace glovebox::engine::worker {
namespace {

// Whether the tree is `SELECT <expression>` and nothing besides.
bool IsBareExpression(const query::ast::Query& query) {
  const query::ast::Select& select = query.select;
  return query.with.empty() && query.op == query::ast::SetOp::kNone && query.order_by.empty() && !query.order_by_all &&
         query.limit == nullptr && query.offset == nullptr && !select.distinct && select.distinct_on.empty() &&
         select.items.size() == 1 && select.items[0].alias.empty() &&
         (select.from == nullptr || select.from->kind == query::ast::FromKind::kNothing) && select.where == nullptr &&
         select.group_kind == query::ast::GroupKind::kNone && select.group_by.empty() && select.having == nullptr &&
         select.qualify == nullptr && !select.sample;
}

}  // namespace

Result<query::ast::QueryPtr> ParseStatement(duckdb::Connection& connection,
                                            const query::TranslatedStatement& statement) {
  GB_ASSIGN_OR_RETURN(const std::string text, connection.ParseToJson(statement.sql));
  GB_ASSIGN_OR_RETURN(const json::Value tree, query::ParseDuckdbJson(text));
  return query::QueryFromDuckdbJson(tree, statement);
}

Result<query::ast::QueryPtr> ParseOneQuery(duckdb::Connection& connection, std::string_view sql) {
  GB_ASSIGN_OR_RETURN(const std::vector<query::TranslatedStatement> statements, query::TranslateSql(sql));
  if (statements.size() != 1 || statements[0].kind != query::StatementKind::kQuery) {
    return Status(ErrorCode::kSqlSyntax, "exactly one query is expected here").WithRule("P15");
  }
  return ParseStatement(connection, statements[0]);
}

const query::FunctionDef* ParsedFunctions::Find(std::string_view name) const {
  for (const query::FunctionDef& definition : definitions) {
    if (EqualsIgnoreCase(definition.name, name)) {
      return &definition;
    }
  }
  return nullptr;
}

Result<ParsedFunctions> ParseFunctions(duckdb::Connection& connection, const std::vector<Function>& functions) {
  ParsedFunctions parsed;
  for (const Function& function : functions) {
    GB_ASSIGN_OR_RETURN(query::ast::QueryPtr body, ParseOneQuery(connection, "SELECT " + function.body));
    if (!IsBareExpression(*body)) {
      return Status(ErrorCode::kSqlSyntax, "the body of function " + function.name + " is not a single expression");
    }
    GB_ASSIGN_OR_RETURN(std::vector<query::ColumnDef> parameters, ReadColumns(function.parameters));
    parsed.definitions.push_back(
        {.name = function.name, .parameters = std::move(parameters), .body = body->select.items[0].expr.get()});
    parsed.bodies.push_back(std::move(body));
  }
  return parsed;
}

Result<query::Type> ReadType(std::string_view name, std::string_view what) {
  const std::optional<query::Type> type = query::ParseTypeName(name);
  if (!type.has_value()) {
    return Status(ErrorCode::kInvalidParameterValue,
                  std::string(what) + " has the type " + std::string(name) + ", which is not supported");
  }
  return *type;
}

Result<std::vector<query::ColumnDef>> ReadColumns(const std::vector<Column>& columns) {
  std::vector<query::ColumnDef> read;
  for (const Column& column : columns) {
    GB_ASSIGN_OR_RETURN(const query::Type type, ReadType(column.type, "column " + column.name));
    read.push_back({.name = column.name, .type = type});
  }
  return read;
}

Result<std::vector<query::ParameterDef>> ReadParameters(const std::vector<Parameter>& parameters) {
  std::vector<query::ParameterDef> read;
  for (const Parameter& parameter : parameters) {
    GB_ASSIGN_OR_RETURN(const query::Type type,
                        ReadType(parameter.type.empty() ? "STRING" : parameter.type, "parameter " + parameter.name));
    read.push_back({.name = parameter.name, .type = type, .text = parameter.value, .is_null = parameter.is_null});
  }
  return read;
}

Result<std::vector<query::ColumnDef>> DescribeQuery(duckdb::Connection& connection, const std::string& sql) {
  GB_ASSIGN_OR_RETURN(const duckdb::ResultTable described, connection.Query("DESCRIBE " + sql));
  std::vector<query::ColumnDef> columns;
  for (std::size_t row = 0; row < described.rows; ++row) {
    const std::string& name = described.columns[0].texts[row];
    const std::string& spelling = described.columns[1].texts[row];
    const std::optional<query::Type> type = query::ParseTypeName(spelling);
    if (!type.has_value()) {
      return Status(ErrorCode::kNotSupported,
                    "column " + name + " has the type " + spelling + ", which is not supported; cast it to another");
    }
    columns.push_back({.name = name, .type = *type});
  }
  return columns;
}

std::vector<Column> WriteColumns(const std::vector<query::ColumnDef>& columns) {
  std::vector<Column> written;
  for (const query::ColumnDef& column : columns) {
    written.push_back({.name = column.name, .type = query::TypeName(column.type)});
  }
  return written;
}

}  // namespace glovebox::engine::worker
