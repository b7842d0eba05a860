// SPDX-License-Identifier: Apache-2.0
//
// Totals with their parts, within the run and over the history (PLANNER.md P10): where the parts of a released total
// that are not out together have 1 to k-1 units, the total less the released parts would tell about them. Where sums of
// all parts are out, the total's average would tell how many of its 1 to k-1 units have no value (P4). What comes later
// is withheld: the total, or a further part. Reach: one grid of parts.
#pragma once

#include <vector>

#include "base/result.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

// `repeats[i][c][g]`: the cell of queries[i] is out since an earlier run; withholding it would help nobody.
using CellFlags = std::vector<std::vector<std::vector<bool>>>;
Status WithholdTotals(RunContext& run, std::vector<ExecutedQuery>& queries, const std::vector<Grid>& history,
                      const CellFlags& repeats);

}  // namespace glovebox::engine::governed
