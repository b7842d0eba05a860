// SPDX-License-Identifier: Apache-2.0
//
// What is left of a released cell when released parts of it are taken away: whoever has all of them can compute it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

// A branch of one cell.
struct CellAt {
  const Grid* grid = nullptr;
  std::size_t call = 0;
  std::size_t branch = 0;
  std::size_t group = 0;

  [[nodiscard]] std::int64_t rows() const { return grid->groups[group].rows[call][branch]; }
  Result<query::Population> Population(const query::AssetCatalog& assets) const;
};

// Whether 1 to k-1 units contribute to the total and to none of the parts. REQUIRES: the parts are disjoint, and rows
// of the total; `contribution` is a class of all of them.
Result<bool> IsRemainderFew(RunContext& run, const CellAt& total, const std::vector<CellAt>& parts,
                            const std::string& contribution);

// Whether 1 to k-1 units have rows without a value of `measure` ("<table>.<column>") in the parts. REQUIRES: the parts
// lie in the total.
Result<bool> IsMissingFew(RunContext& run, const CellAt& total, const std::vector<CellAt>& parts,
                          const std::string& measure);

}  // namespace glovebox::engine::governed
