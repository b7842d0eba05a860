// SPDX-License-Identifier: Apache-2.0
//
// From an author's text to the tree that query/ works on, by way of DuckDB's parser. Runs in a worker only.
//
// Errors: SQL_SYNTAX_ERROR, NOT_SUPPORTED with a position in the text. Threads: those of the connection.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/duckdb/connection.h"
#include "engine/engine.h"
#include "query/ast.h"
#include "query/own_query.h"
#include "query/sql_front_end.h"

namespace glovebox::engine::worker {

// The tree of one statement of TranslateSql.
Result<query::ast::QueryPtr> ParseStatement(duckdb::Connection& connection,
                                            const query::TranslatedStatement& statement);
// The tree of a text that is exactly one query.
Result<query::ast::QueryPtr> ParseOneQuery(duckdb::Connection& connection, std::string_view sql);

// Functions with their bodies parsed. Owns the trees that `definitions` point into.
struct ParsedFunctions {
  std::vector<query::ast::QueryPtr> bodies;
  std::vector<query::FunctionDef> definitions;

  // nullptr if there is none of that name; names differ in more than case.
  [[nodiscard]] const query::FunctionDef* Find(std::string_view name) const;
};
Result<ParsedFunctions> ParseFunctions(duckdb::Connection& connection, const std::vector<Function>& functions);

// Types that came as text from the catalogue or an author. `what` names the place in the error.
Result<query::Type> ReadType(std::string_view name, std::string_view what);
Result<std::vector<query::ColumnDef>> ReadColumns(const std::vector<Column>& columns);
Result<std::vector<query::ParameterDef>> ReadParameters(const std::vector<Parameter>& parameters);
// The columns of a query of ours as DuckDB binds it. Returns NOT_SUPPORTED, naming the column, for a type that a room
// does not have.
Result<std::vector<query::ColumnDef>> DescribeQuery(duckdb::Connection& connection, const std::string& sql);
std::vector<Column> WriteColumns(const std::vector<query::ColumnDef>& columns);

}  // namespace glovebox::engine::worker
