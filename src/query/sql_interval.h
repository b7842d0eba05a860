// SPDX-License-Identifier: Apache-2.0
//
// Intervals: what may stand in INTERVAL '...', as DuckDB and Databricks both read it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "query/ast.h"

namespace glovebox::query {

// `count` times a unit ("day", "months", ...). Nothing for an unknown unit or on overflow.
std::optional<ast::Interval> IntervalOf(std::int64_t count, std::string_view unit);
// [+-]N unit, once or several times: "1 year 2 days".
std::optional<ast::Interval> ParseIntervalText(std::string_view text);

}  // namespace glovebox::query
