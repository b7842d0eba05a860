// SPDX-License-Identifier: Apache-2.0
//
// Totals with their parts within one run (PLANNER.md P10): where the withheld parts of a released total together have 1 to k-1
// units, the total less the released parts would tell about them. The total is withheld if it comes later in the plan,
// otherwise a further part is.
#pragma once

#include <vector>

#include "base/result.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

Status WithholdTotals(RunContext& run, std::vector<ExecutedQuery>& queries);

}  // namespace glovebox::engine::governed
