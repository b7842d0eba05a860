// SPDX-License-Identifier: Apache-2.0
#include "privacy/nesting.h"

#include <algorithm>

namespace glovebox::privacy {

std::optional<std::vector<std::int64_t>> RowsBesideInner(
    const std::vector<std::int64_t>& rows, const std::function<Placement(std::size_t, std::size_t)>& placement) {
  const std::size_t n = rows.size();
  std::vector<std::vector<std::size_t>> around(n);  // each: the sets that it lies in, in order
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = a + 1; b < n; ++b) {
      switch (placement(a, b)) {
        case Placement::kDisjoint:
          break;
        case Placement::kWithin:
          around[a].push_back(b);
          break;
        case Placement::kAround:
          around[b].push_back(a);
          break;
        case Placement::kUnknown:
          return std::nullopt;
      }
    }
  }
  std::vector<std::int64_t> out = rows;
  for (std::size_t one = 0; one < n; ++one) {
    // The smallest set around it lies in all others.
    const auto smallest =
        std::ranges::max_element(around[one], {}, [&around](std::size_t other) { return around[other].size(); });
    if (smallest == around[one].end()) {
      continue;
    }
    const bool is_chain = std::ranges::all_of(around[one], [&](std::size_t other) {
      return other == *smallest || std::ranges::binary_search(around[*smallest], other);
    });
    if (!is_chain) {
      return std::nullopt;
    }
    out[*smallest] -= rows[one];
  }
  if (std::ranges::any_of(out, [](std::int64_t left) { return left < 0; })) {
    return std::nullopt;
  }
  return out;
}

}  // namespace glovebox::privacy
