// SPDX-License-Identifier: Apache-2.0
//
// Whether a sum is so much the work of one unit that another contributor could estimate that unit's part of it from the
// sum: the p% rule (PLANNER.md P12, an option of an analysis rule).
//
// Definition: let x1 >= x2 >= x3 >= ... be the absolute contributions of the units to a cell, each the absolute value
// of the unit's total in it, and T their sum. The cell is unsafe if T - x1 - x2 < p/100 * x1. A cell of zeros is safe.
//
// What it bounds, for contributions of one sign: who knows contribution j and the sum estimates contribution i by what
// is left, T - xj, and that is too much by T - xi - xj. In a safe cell it is too much by at least p % of xi, for every
// i and j: the rest is smallest for the two largest, and the bound is largest for the largest, so the second unit that
// looks at the first is the worst case. With both signs it bounds what such a unit can be sure of: T less the two is
// how far the others may carry the sum in either direction.
// (Cox, Linear sensitivity measures in statistical disclosure control, J. Statist. Plann. Inference 5, 1981; Hundepool
// et al., Statistical Disclosure Control, Wiley 2012, chapter 4.)
//
// What follows from safe cells: x1 - 100/p * (T - x1 - x2) is the largest of linear functions of the contributions, one
// for each choice of two units, and thus subadditive. A sum of safe cells, and any combination of them with factors
// that are not negative, is safe as well, whether they share units or not. So disjoint branches are tested apart, and
// of a total less some of its parts only what is left when all of them are taken away. (Of one sign; with both signs,
// contributions that cancel out in a union can leave one that dominates it.)
//
// Sums of squares are another matter: a largest value that is safe in a sum rules a variance all but alone. A rule with
// this option offers neither variances nor deviations.
//
// Doubles: who asks for a sum of large exact numbers is off by rounding only, and what is no number is unsafe.
//
// Pure.
#pragma once

#include <cstdint>

namespace glovebox::privacy {

// The contributions of the units to a cell. All are absolute.
struct Magnitude {
  double total = 0;          // T
  double largest = 0;        // x1
  double second = 0;         // x2
  double gross = 0;          // of all rows, each row's value by itself: at least T
  double gross_largest = 0;  // the largest sum of one unit's values, each by itself
};

[[nodiscard]] bool IsDominated(const Magnitude& cell, std::int64_t percent);

// One-sided proofs from the magnitudes of whole cells; false says nothing.
//
// A cell less another: its contributions are the differences of each unit's totals. They add up to |Ta - Tb| at least,
// and none is larger than both largest contributions together.
[[nodiscard]] bool IsDifferenceSafe(const Magnitude& a, const Magnitude& b, std::int64_t percent);
// A total less disjoint parts of its rows, which are `parts_gross` in all. What values cancel out within what is left,
// they cancel out within the total as well: so T less the parts' gross bounds what is left from below, and no unit has
// more left than its values by themselves.
[[nodiscard]] bool IsRemainderSafe(const Magnitude& total, double parts_gross, std::int64_t percent);

// The bound behind both proofs, for who compares many pairs elsewhere: a cell is safe if T is at least this many times
// as large as any contribution can be. T is to be less kSumsRounding of all that was added up for it, which is more
// than the rounding of sums of doubles in any order.
[[nodiscard]] double SafeRatio(std::int64_t percent);
inline constexpr double kSumsRounding = 1e-9;

}  // namespace glovebox::privacy
