// SPDX-License-Identifier: Apache-2.0
//
// What is left of a released cell when released parts of it are taken away: whoever has all of them can compute it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/governed/executed_query.h"
#include "privacy/minimum_group.h"

namespace glovebox::engine::governed {

// A branch of one cell.
struct CellAt {
  const Grid* grid = nullptr;
  std::size_t call = 0;
  std::size_t branch = 0;
  std::size_t group = 0;
  Reading reading = {};

  // What a row needs a value of to add to what cells of this class make up together.
  [[nodiscard]] std::string Valued(const std::string& contribution) const;
  // Those that add to it.
  [[nodiscard]] std::int64_t Rows(const std::string& contribution) const;
  Result<query::Population> Population(const query::AssetCatalog& assets) const;
};

// Whether the difference between the total and the parts together tells about too few: 1 to k-1 units make it up, whose
// rows contribute to the total and to no part, or, where a part counts its rows and the total counts values, to a part
// only; or, in a class of sums, one unit dominates it (dominance.h). `rows` is the total's number less theirs; `parts`
// is asked for only if rows do not decide. REQUIRES: the parts are disjoint, and lie in the total; `contribution` is a
// class of all of them. More than limits::kAuditPartsMax parts are not looked at: true.
Result<bool> IsRemainderUnsafe(RunContext& run, const CellAt& total, std::int64_t rows, const std::string& contribution,
                               const std::function<std::vector<CellAt>()>& parts);

// The protected tables of a population whose units have to be counted apart; the finest one's first.
std::vector<const query::PopulationTable*> UnitTables(const RunContext& run, const query::Population& population);
// The largest minimum group of the tables that hold the same units.
std::int64_t MinimumOf(const RunContext& run, const query::Population& population, const query::PopulationTable& table);
// What a number of rows of the population's finest table tells about the units of a table. REQUIRES: no join multiplies
// these rows.
privacy::Units UnitsByRows(const RunContext& run, const query::Population& population,
                           const query::PopulationTable& table, std::int64_t rows, std::int64_t k);

}  // namespace glovebox::engine::governed
