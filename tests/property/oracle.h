// SPDX-License-Identifier: Apache-2.0
//
// What is true of the rows, by plain DuckDB over the raw tables: it knows the question's structure, and nothing of
// plans, rules or populations.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/property/question.h"
#include "tests/scenarios/runner/room.h"
#include "tests/scenarios/runner/rows.h"

namespace glovebox::property {

using scenarios::Row;

// Released rows by key. Every row has the question's keys, then its calls. Throws Refuted on rows of another width.
std::map<Row, Row> ByKey(const Question& question, const std::vector<Row>& rows);

// The rows of plain SQL. Throws Refuted if DuckDB does not take it: then the generator is wrong.
std::vector<Row> TrueRows(scenarios::Room& room, const std::string& sql);

// SELECT keys, `items` ... GROUP BY keys
std::map<Row, Row> TrueValues(scenarios::Room& room, const Question& question, const std::vector<std::string>& items);

// "SELECT " of the question's keys, plainly, then `items`.
std::string SelectKeys(const Question& question, const std::vector<std::string>& items);

bool IsBelow(const std::string& count, std::int64_t min);
// From 1 to min - 1.
bool IsFew(const std::string& count, std::int64_t min);

}  // namespace glovebox::property
