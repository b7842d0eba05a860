// SPDX-License-Identifier: Apache-2.0
//
// The difference check (PLANNER.md P10) of a run against the room's history and against itself, totals with their
// parts, and what stored NULLs tell (P4). Sets `out` of the cells that are released.
//
// The distance of two cells is decided by the first of these that can: structure (the same population, or rows that
// cannot overlap), row counts (more rows apart than k-1 units can own), one exact scan.
#pragma once

#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

// The grids of earlier releases, oldest first. Grids that cannot be read any more (the rule has changed since) are left
// out: their tables have other versions, and distances are taken on today's data.
std::vector<Grid> ReadHistory(const std::vector<json::Value>& records, const query::AssetCatalog& assets);

Status CheckDifferences(RunContext& run, std::vector<ExecutedQuery>& queries, const std::vector<Grid>& history);

}  // namespace glovebox::engine::governed
