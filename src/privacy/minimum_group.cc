// SPDX-License-Identifier: Apache-2.0
#include "privacy/minimum_group.h"

namespace glovebox::privacy {

Units DecideByRows(const RowEvidence& evidence) {
  if (evidence.rows <= 0) {
    return Units::kNone;
  }
  if (evidence.rows < evidence.min_units) {
    return Units::kFew;
  }
  if (evidence.one_row_per_unit) {
    return Units::kEnough;
  }
  if (evidence.heaviest_rows && evidence.rows > *evidence.heaviest_rows) {
    return Units::kEnough;
  }
  return Units::kUndecided;
}

Units DecideByCount(std::int64_t saturated_count, std::int64_t min_units) {
  if (saturated_count <= 0) {
    return Units::kNone;
  }
  return saturated_count < min_units ? Units::kFew : Units::kEnough;
}

}  // namespace glovebox::privacy
