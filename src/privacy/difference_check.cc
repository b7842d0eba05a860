// SPDX-License-Identifier: Apache-2.0
#include "privacy/difference_check.h"

#include <algorithm>

#include "base/assert.h"

namespace glovebox::privacy {

std::vector<bool> DecideReleases(const std::vector<bool>& small, const std::vector<CloseCells>& close,
                                 const std::vector<bool>& same) {
  GB_ASSERT(small.size() == close.size() && small.size() == same.size());
  std::vector<bool> released(small.size(), false);
  for (CellIndex cell = 0; cell < small.size(); ++cell) {
    if (small[cell]) {
      continue;
    }
    const bool near_release = close[cell].to_history || std::ranges::any_of(close[cell].to_run, [&](CellIndex earlier) {
                                GB_ASSERT(earlier < cell);
                                return released[earlier];
                              });
    released[cell] = same[cell] || !near_release;
  }
  return released;
}

}  // namespace glovebox::privacy
