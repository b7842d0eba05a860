// SPDX-License-Identifier: Apache-2.0
//
// Distances between the cells of two grids: which pairs differ by fewer than k units (PLANNER.md P10).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

// One branch of one call of a grid, to be compared with many others.
struct BranchAt {
  const Grid* grid = nullptr;
  std::size_t call = 0;
  std::size_t branch = 0;
  std::vector<bool> relevant;                                // [group]: cells that are, or may be, out
  std::string shape;                                         // Grid::Shape
  std::vector<std::optional<query::Population>> cells = {};  // [group]: of Cell

  [[nodiscard]] const GridBranch& Branch() const { return grid->calls[call].branches[branch]; }
  [[nodiscard]] const std::string& Digest(std::size_t group) const { return grid->groups[group].digests[call][branch]; }
  // Those that contribute.
  [[nodiscard]] std::int64_t Rows(std::size_t group) const { return grid->groups[group].values[call][branch]; }
  // REQUIRES: the branch is of a class of sums, and they were measured.
  [[nodiscard]] const privacy::Magnitude& Magnitude(std::size_t group) const {
    return grid->groups[group].magnitudes[call][branch];
  }
  // Of the relevant cells together.
  [[nodiscard]] std::set<std::string> Classes() const;
  // Made when first asked for: most pairs are decided without it.
  Result<const query::Population*> Cell(std::size_t group, const query::AssetCatalog& assets);
};

// Whether two tables of a population hold the same unit in every row: their unit columns are equated.
bool HaveOneUnit(const query::Population& population, const std::string& alias, const std::string& other,
                 const query::AssetCatalog& assets);

// The pairs (group of a, group of b) whose cells have different populations, rows that may overlap, a common class of
// contributions and a distance below k. Counts of two measures' values over one population are close if 1 to k-1 units
// tell them apart: a measure that nobody lacks counts what the other does. (A count of rows beside them is P4's.)
// Sums that are tested for dominance are close as well if one unit dominates their difference.
Result<std::vector<std::pair<std::size_t, std::size_t>>> ClosePairs(RunContext& run, BranchAt& a, BranchAt& b);

}  // namespace glovebox::engine::governed
