// SPDX-License-Identifier: Apache-2.0
//
// The analysis rule of an asset: what its owner allows (DESIGN.md section 10, PLANNER.md). No rule, no access; what is
// absent is forbidden. Version 1, JSON.
//
// Pure. A parsed rule is a plain value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "query/type.h"

namespace glovebox::query {

enum class Use { kJoin, kDimension, kFilter, kMeasure, kPerUnit, kList };
enum class Canonical { kNfkcTrimLower, kExact };
enum class Membership { kProtected, kPublic };
enum class AggregateKind { kCount, kSum, kAvg, kStddev, kVariance };

// A step of a stepped column: a number, or a unit of the calendar.
struct Step {
  enum class Unit { kNumber, kDay, kWeek, kMonth, kQuarter, kYear, kDecade };
  Unit unit = Unit::kNumber;
  std::string number;  // decimal text, for kNumber; greater than zero
  bool operator==(const Step&) const = default;
};

struct ColumnRule {
  bool identity = false;
  std::set<Use> uses;
  std::vector<std::string> join_with;              // patterns "asset.column", "*.column"
  std::optional<std::vector<std::string>> domain;  // listed values, as text in the type's literal form
  std::optional<Step> filter_step;
  std::vector<Step> dimension_steps;
  std::set<AggregateKind> aggregates;
  std::optional<std::pair<std::string, std::string>> bounds;  // clamp: low, high
  [[nodiscard]] bool Allows(Use use) const { return uses.contains(use); }
};

// "per_unit": {"total(amt)": {"step": 50}, "rows": {}}
struct PerUnitRule {
  std::map<std::string, Step> total_steps;  // by column
  bool rows = false;
};

struct AnalysisRule {
  std::string unit_domain;
  std::vector<std::string> unit_columns;
  Canonical canonical = Canonical::kNfkcTrimLower;
  std::int64_t min_units = 0;  // at least limits::kMinUnitsFloor
  Membership membership = Membership::kProtected;
  std::vector<std::vector<std::string>> keys;  // declared unique column tuples
  std::map<std::string, ColumnRule> columns;   // by name as the table spells it (lower case)
  PerUnitRule per_unit;
  // P12, options; 0 is off.
  std::int64_t round_to = 0;           // aggregates are rounded to a multiple
  std::int64_t dominance_percent = 0;  // sums and averages of its measures pass the p% rule (privacy/dominance.h)
  std::int64_t rows_max = 0;           // of one grouping over the asset: the first in the order of the keys
};

// Returns INVALID_PARAMETER_VALUE and names the member that is wrong. Unknown members are errors: a misspelt
// restriction must not be ignored.
Result<AnalysisRule> ParseAnalysisRule(std::string_view json_text);
// Checks the rule against the table's columns: names exist, domains and steps fit the types.
struct RuleColumn {
  std::string name;
  Type type;
};
Status CheckRuleAgainst(const AnalysisRule& rule, const std::vector<RuleColumn>& columns);
// The canonical text (RFC 8785 of a normal form) that digests are made of.
std::string CanonicalText(const AnalysisRule& rule);

}  // namespace glovebox::query
