// SPDX-License-Identifier: Apache-2.0
//
// The difference check (PLANNER.md P10) of a run against the room's history and against itself, totals with their
// parts, and what stored NULLs tell (P4). Sets `out` of the cells that are released.
//
// The distance of two cells is decided by the first of these that can: structure (the same population, or rows that
// cannot overlap), row counts (more rows apart than k-1 units can own), one exact scan. Then come totals with their
// parts (totals.h), a cell less disjoint others (audit.h), and linear combinations of cells that overlap
// (combinations.h).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

struct History {
  std::vector<Grid> grids;  // of earlier releases, oldest first
  // Owners with a release that cannot be compared any more: a table of it is gone, an own one has changed, or a rule no
  // longer declares what it was about. Cells over their assets are withheld: nobody can tell what they would add.
  std::set<std::string> sealed_owners;
};

// Returns DATA_LOSS if a record is not one of ours.
Result<History> ReadHistory(const std::vector<json::Value>& records, RunContext& run);

Status CheckDifferences(RunContext& run, std::vector<ExecutedQuery>& queries, const History& history);

}  // namespace glovebox::engine::governed
