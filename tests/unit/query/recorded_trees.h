// SPDX-License-Identifier: Apache-2.0
//
// What DuckDB's parser said about statements, recorded in tests/unit/query/data/duckdb_trees.txt (see record.py there).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "query/ast.h"
#include "query/sql_front_end.h"

namespace glovebox::query {

// The recorded answer about a statement in DuckDB's grammar. One that is missing fails the test, and is printed in the
// form in which record.py takes it.
std::optional<std::string> RecordedTree(const std::string& sql);

// The tree of an author's text of one statement, by way of TranslateSql, the recorded answer and QueryFromDuckdbJson.
Result<ast::QueryPtr> ParseRecorded(std::string_view text);

}  // namespace glovebox::query
