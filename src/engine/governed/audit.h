// SPDX-License-Identifier: Apache-2.0
//
// Beyond pairs (PLANNER.md P10): a cell that is out, less disjoint cells of the same rows that are out and lie in it,
// must not tell about 1 to k-1 units; nor, where they are all of it, how many of its units have no value of a measure
// (P4: a COUNT of values beside counts of its rows). Cells are taken in the order of history and plan; the one that
// completes such a family is withheld.
//
// How far this reaches: one cell less a disjoint family, found greedily in that order, cells over the same tables,
// joins and own conditions. Where limits::kAudit* end the search, the cell is withheld. Grids are compared with each
// other by totals.h as well, and what overlapping cells tell together is looked for by combinations.h.
#pragma once

#include <vector>

#include "base/result.h"
#include "engine/governed/executed_query.h"
#include "engine/governed/totals.h"

namespace glovebox::engine::governed {

Status WithholdFamilies(RunContext& run, std::vector<ExecutedQuery>& queries, const std::vector<Grid>& history,
                        const CellFlags& repeats);

}  // namespace glovebox::engine::governed
