// SPDX-License-Identifier: Apache-2.0
//
// Whether a set of rows holds at least k distinct privacy units (PLANNER.md P8), from the cheapest evidence that proves
// it.
//
// Definition: a group is released only if every protected asset in it has at least k distinct units in it. A row
// belongs to exactly one unit, so
//   rows = 0                    -> no unit
//   rows < k                    -> fewer than k units
//   rows > T(k)                 -> at least k units, where T(k) is the number of rows of the k-1 heaviest units of the
//   whole
//                                  table: fewer than k units cannot account for more rows. Conditions only remove rows,
//                                  and joins that find at most one row for each do not add any, so T of the table
//                                  bounds every subset of it.
//   one row a unit              -> units = rows
// Everything else needs an exact count. All of these are proofs, none is an estimate.
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace glovebox::privacy {

enum class Units {
  kNone,
  kFew,        // 1 to k-1
  kEnough,     // at least k
  kUndecided,  // row counts do not tell
};

struct RowEvidence {
  std::int64_t rows = 0;
  std::int64_t min_units = 0;                   // k
  std::optional<std::int64_t> heaviest_rows{};  // T(k), if it is known for these rows
  bool one_row_per_unit = false;
};

[[nodiscard]] Units DecideByRows(const RowEvidence& evidence);

// From an exact count that is cut off at k.
[[nodiscard]] Units DecideByCount(std::int64_t saturated_count, std::int64_t min_units);

}  // namespace glovebox::privacy
