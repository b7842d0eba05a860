// SPDX-License-Identifier: Apache-2.0
//
// Membership by subtraction (PLANNER.md P9): the own rows that cells select over the same tables and joins, in the
// whole history of a room. Where some of a released total's own units, less those of disjoint cells that are out, have
// fewer than k that match or fewer than k that do not, the cells would tell who is in the protected asset. Conditions
// on protected columns count for nothing here, and EXISTS, IN and DISTINCT are joins. Reach: unions of disjoint cells,
// not overlapping ones.
#pragma once

#include <vector>

#include "base/result.h"
#include "engine/governed/difference.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

// Withholds groups, later ones first, until no remainder tells. Called when everything else has been decided.
Status WithholdSubtractions(RunContext& run, std::vector<ExecutedQuery>& queries, const History& history);

}  // namespace glovebox::engine::governed
