// SPDX-License-Identifier: Apache-2.0
//
// Rows as text, to compare and to show.
#pragma once

#include <string>
#include <vector>

#include "engine/duckdb/connection.h"
#include "engine/engine.h"

namespace glovebox::scenarios {

using Row = std::vector<std::string>;

std::vector<Row> RowsOf(const engine::OutputTable& output);
std::vector<Row> RowsOf(const engine::duckdb::ResultTable& table);
void SortRows(std::vector<Row>& rows);
// Doubles leave a room with 12 digits; a midnight may be a date.
bool SameRows(const std::vector<Row>& a, const std::vector<Row>& b);
std::string Show(const std::vector<Row>& rows);

}  // namespace glovebox::scenarios
