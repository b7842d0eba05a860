// SPDX-License-Identifier: Apache-2.0
//
// Linear combinations of cells that overlap (PLANNER.md P10): what is out, and what would be, must not determine the
// sum over 1 to k-1 units, for one kind of contribution and the versions of now. The rows of one protected table are
// told apart by the cells that hold them (atoms), by one scan; privacy/combinations.h says which combinations are
// found. The last cell of the run in a combination that tells is withheld.
//
// How far this reaches: counts of rows and sums over the rows of one protected table, through whatever joins, as long
// as no join multiplies them; and counts of units of one kind, through whatever tables and joins (unit_atoms.h), but
// for fractions that stand for them. Units of other protected tables that stand beside are counted if all cells have
// the same joins. Whether one unit dominates a combination (dominance.h) is not looked at. Earlier cells that no row
// can share with those of the run, directly or through others, are left out. Where limits end the search, the run's
// cells are withheld.
//
// Cost: cells that are nested are decided by their numbers of rows, if these tell. Most other runs are decided by a
// sample of rows: if all atoms that can be there are in it and large, or no combination weighs the others, nothing is
// left to look for. Otherwise it takes one scan for each kind of contribution, and a second one where a unit may have
// many rows.
#pragma once

#include <vector>

#include "base/result.h"
#include "engine/governed/executed_query.h"
#include "engine/governed/totals.h"

namespace glovebox::engine::governed {

Status WithholdCombinations(RunContext& run, std::vector<ExecutedQuery>& queries, const std::vector<Grid>& history,
                            const CellFlags& repeats);

}  // namespace glovebox::engine::governed
