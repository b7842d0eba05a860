// SPDX-License-Identifier: Apache-2.0
//
// The table of functions (PLANNER.md P11). What is not in it cannot be called. Nothing in it reads a clock, a setting,
// a file or chance. What can raise is printed inside TRY(...), which gives NULL; what can make more text than it is
// given is cut off after limits::kTextCharactersMax.
//
// Aggregates and window functions have their own tables. Over protected rows only those aggregates are possible that
// have a `governed` kind.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "query/analysis_rule.h"

namespace glovebox::query {

struct ScalarFunction {
  std::string_view name;    // as authors write it, lower case
  std::string_view duckdb;  // the name to print; an operator's symbol if `is_operator`
  std::size_t args_min = 0;
  std::size_t args_max = 0;
  bool is_operator = false;
  bool can_raise = false;
  bool grows_text = false;
};

enum class GovernedAggregate {
  kCountStar,
  kCount,
  kSum,
  kAvg,
  kStddevSample,
  kStddevPopulation,
  kVarianceSample,
  kVariancePopulation
};

struct AggregateFunction {
  std::string_view name;
  std::string_view duckdb;
  std::size_t args_min = 0;
  std::size_t args_max = 0;
  std::optional<GovernedAggregate> governed;
};

struct WindowFunction {
  std::string_view name;
  std::string_view duckdb;
  std::size_t args_min = 0;
  std::size_t args_max = 0;
};

// nullptr if there is none. `name` is lower case.
const ScalarFunction* FindScalarFunction(std::string_view name);
const AggregateFunction* FindAggregateFunction(std::string_view name);
const WindowFunction* FindWindowFunction(std::string_view name);  // aggregates that may stand in a window included

// The whole tables; tests/scenarios/functions.test has an example of each.
std::span<const ScalarFunction> ScalarFunctions();
std::span<const AggregateFunction> AggregateFunctions();
std::span<const WindowFunction> WindowFunctions();

// Whether DuckDB or Databricks have an aggregate of this name that we refuse: a better message than "unknown function".
bool IsKnownAggregateName(std::string_view name);

// The rule's word for what an aggregate tells.
AggregateKind RuleKind(GovernedAggregate aggregate);

}  // namespace glovebox::query
