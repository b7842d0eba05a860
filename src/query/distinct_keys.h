// SPDX-License-Identifier: Apache-2.0
//
// SELECT DISTINCT of group keys is a GROUP BY (PLANNER.md P3): it releases, so what stands above it is free. DISTINCT
// on a unit key is something else, a join with the distinct units (P6), and stays as it is.
//
// Pure.
#pragma once

#include <vector>

#include "query/core.h"
#include "query/plan.h"

namespace glovebox::query {

// The plan with every DISTINCT of keys over protected rows as an aggregate without calls.
RelPtr GroupDistinctKeys(const RelPtr& rel, const std::vector<Asset>& assets);

}  // namespace glovebox::query
