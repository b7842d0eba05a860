// SPDX-License-Identifier: Apache-2.0
#include "privacy/dominance.h"

#include <cmath>

namespace glovebox::privacy {
namespace {

constexpr double kPercent = 100;

// Whether a sum of at least `total`, none of whose contributions is larger than `largest`, is safe.
bool IsSafeWithin(double total, double largest, std::int64_t percent) {
  return std::isfinite(total) && total >= SafeRatio(percent) * largest;
}

}  // namespace

double SafeRatio(std::int64_t percent) { return 2 + static_cast<double>(percent) / kPercent; }

bool IsDominated(const Magnitude& cell, std::int64_t percent) {
  const double rest = cell.total - cell.largest - cell.second;
  const bool safe = rest * kPercent >= static_cast<double>(percent) * cell.largest;
  return !safe;  // also if it is no number
}

bool IsDifferenceSafe(const Magnitude& a, const Magnitude& b, std::int64_t percent) {
  const double rounding = kSumsRounding * (a.total + b.total);
  return IsSafeWithin(std::abs(a.total - b.total) - rounding, a.largest + b.largest, percent);
}

bool IsRemainderSafe(const Magnitude& total, double parts_gross, std::int64_t percent) {
  const double rounding = kSumsRounding * (total.gross + parts_gross);
  return IsSafeWithin(total.total - parts_gross - rounding, total.gross_largest, percent);
}

}  // namespace glovebox::privacy
