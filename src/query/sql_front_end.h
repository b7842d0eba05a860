// SPDX-License-Identifier: Apache-2.0
//
// The SQL front end. An author's text goes through three steps, all in a worker process:
//
//   1. TranslateSql: a pass over tokens. It bounds the text, splits it into statements, finds out what each
//      one is (a query, CREATE [OR REPLACE] TABLE name AS query, CREATE [OR REPLACE] TEMPORARY VIEW name AS query;
//      everything else is refused by name with P15), and rewrites what Databricks' users type into DuckDB's
//      grammar (backticks, :name parameters, * EXCEPT (...), DIV, RLIKE, LEFT SEMI JOIN, IDENTIFIER(...) of a
//      constant), keeping a map of positions.
//   2. DuckDB's parser (json_serialize_sql) turns each query into JSON. That is the engine's business.
//   3. QueryFromDuckdbJson: JSON into our own tree (query/ast.h), by allow-list.
//
// Nothing here executes anything, and nothing of the author's text goes further than the tree.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "query/ast.h"

namespace glovebox::query {

enum class StatementKind { kQuery, kOutputTable, kTemporaryView };

// From offsets in translated text to offsets in the author's.
class PositionMap {
 public:
  void Add(std::size_t translated, std::size_t original);  // in ascending order
  [[nodiscard]] std::size_t ToOriginal(std::size_t translated) const;

 private:
  std::vector<std::pair<std::size_t, std::size_t>> points_;
};

struct TranslatedStatement {
  StatementKind kind = StatementKind::kQuery;
  std::vector<std::string> target;  // the parts of the table's or view's name; empty for a query
  std::size_t position = 0;         // of the statement in the author's text
  std::string sql;                  // the query alone, in DuckDB's grammar
  PositionMap positions;
  std::vector<std::string> parameters;  // names used, without the colon, each once
};

// Returns SQL_SYNTAX_ERROR or NOT_SUPPORTED (rule P15) with a position in `text`. An empty text (or only comments)
// gives no statements. REQUIRES: nothing of `text`; it is hostile.
Result<std::vector<TranslatedStatement>> TranslateSql(std::string_view text);

// The answer of json_serialize_sql as a value. DuckDB writes integers of 64 bits without a sign, which our JSON does
// not have: those beyond int64 become strings. Returns NOT_SUPPORTED (P15) if it nests deeper than we read.
Result<json::Value> ParseDuckdbJson(std::string_view json_text);

// `tree` is what ParseDuckdbJson gave for one statement of TranslateSql. Its "error" answer becomes
// SQL_SYNTAX_ERROR at the right position, without quoting more than the author's own text.
Result<ast::QueryPtr> QueryFromDuckdbJson(const json::Value& tree, const TranslatedStatement& statement);

}  // namespace glovebox::query
