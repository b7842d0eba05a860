// SPDX-License-Identifier: Apache-2.0
//
// Subsets of what one protected column can hold: of its listed domain, or of its step grid as half-open intervals.
// Every condition on protected data ends up as one of these (PLANNER.md P2), so that two spellings of the same
// condition are the same condition, and whether two populations overlap is decided without looking at data.
//
// Stepped values are integers ("coordinates"): days for dates, microseconds for timestamps, millionths for numbers.
// Pure values.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "query/analysis_rule.h"
#include "query/ast.h"
#include "query/type.h"

namespace glovebox::query {

inline constexpr std::int64_t kCoordinateMin = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kCoordinateMax = std::numeric_limits<std::int64_t>::max();

// What the owner's rule declares of a column's values.
struct ColumnDomain {
  Type type;
  bool listed = false;
  std::vector<ast::Literal> values;  // listed
  std::optional<Step> filter_step;   // stepped
  std::vector<Step> dimension_steps;
};
Result<ColumnDomain> DomainOf(const ColumnRule& rule, const Type& type);

class Subset {
 public:
  static Subset Everything(const ColumnDomain& domain);  // NULL included
  static Subset Nothing(const ColumnDomain& domain);
  static Subset OnlyNull(const ColumnDomain& domain);
  static Subset Value(const ColumnDomain& domain, std::size_t index);
  static Subset Values(const ColumnDomain& domain, std::vector<std::size_t> indexes);
  // [low, high)
  static Subset Range(const ColumnDomain& domain, std::int64_t low, std::int64_t high);

  [[nodiscard]] Subset And(const Subset& other) const;
  [[nodiscard]] Subset Or(const Subset& other) const;
  [[nodiscard]] Subset Not() const;  // NULL included: everything else
  [[nodiscard]] bool Overlaps(const Subset& other) const;
  [[nodiscard]] bool IsEmpty() const;
  [[nodiscard]] bool IsEverything() const;
  [[nodiscard]] bool has_null() const { return null_; }
  friend auto operator<=>(const Subset&, const Subset&) = default;

  // The canonical text, part of a population's identity: {"values":["flu"],"null":false}, {"ranges":[[10,20]],...}.
  [[nodiscard]] json::Value ToJson(const ColumnDomain& domain) const;
  // A condition over `column` for DuckDB, TRUE for everything.
  [[nodiscard]] std::string ToSql(const ColumnDomain& domain, const std::string& column) const;

 private:
  explicit Subset(const ColumnDomain& domain) : listed_(domain.listed), size_(domain.values.size()) {}
  void Normalise();

  bool listed_ = false;
  bool null_ = false;
  std::size_t size_ = 0;                                       // of a listed domain
  std::vector<std::size_t> values_;                            // listed; sorted, each once
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges_;  // stepped; sorted, disjoint, not touching
};

// Inverse of ToJson, for populations that come back from a release record.
Result<Subset> SubsetFromJson(const json::Value& json, const ColumnDomain& domain);

// The coordinate of a constant of a stepped column; nothing if it has none (too fine, NULL, wrong type).
std::optional<std::int64_t> CoordinateOf(const ast::Literal& literal, const Type& column_type);
std::string CoordinateSql(std::int64_t coordinate, const Type& column_type);
ast::Literal LiteralAt(std::int64_t coordinate, const Type& column_type);

// Grids. `IsOnStep`: whether a coordinate is a boundary of the step. `IsMultipleOf`: whether every boundary of `coarse`
// is one of `fine`. `StepFloor` and `StepNext`: the boundary at or before, and the one after it.
bool IsOnStep(std::int64_t coordinate, const Step& step, const Type& type);
bool IsMultipleOf(const Step& coarse, const Step& fine);
std::int64_t StepFloor(std::int64_t coordinate, const Step& step, const Type& type);
std::int64_t StepNext(std::int64_t boundary, const Step& step, const Type& type);
std::string StepText(const Step& step);

}  // namespace glovebox::query
