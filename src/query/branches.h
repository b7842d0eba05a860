// SPDX-License-Identifier: Apache-2.0
//
// Arguments of aggregates over protected rows as disjoint branches of linear forms (PLANNER.md P4, P5). Pure.
#pragma once

#include <vector>

#include "base/result.h"
#include "query/core.h"
#include "query/plan.h"

namespace glovebox::query {

// `call` with its expressions over the core's base attributes.
Result<GovernedCall> BuildCall(const AggregateCall& call, const Core& core, const std::vector<Asset>& assets);

}  // namespace glovebox::query
