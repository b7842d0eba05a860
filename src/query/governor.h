// SPDX-License-Identifier: Apache-2.0
//
// The governor checks an analyzed plan against the analysis rules (PLANNER.md P1-P6, P8, P9) and turns every aggregate
// over protected rows into a GovernedQuery. What stays of the plan reads own tables, constants and released results
// only.
//
// Errors: QUERY_REFUSED with the rule, the position and what to write instead. They depend on text, schemas and rules
// alone. Pure.
#pragma once

#include <vector>

#include "base/result.h"
#include "query/core.h"
#include "query/plan.h"

namespace glovebox::query {

struct GovernedPlan {
  std::vector<GovernedQuery> queries;  // in the order of the plan
  std::vector<RelPtr> outputs;         // kGoverned leaves read queries[table]
  std::vector<std::size_t> output_of;  // by query: the first output that reads it
};

// `outputs` were analyzed over tables that are `assets`, by index. `at`, if given, is the output that was last looked
// at: after a refusal, the one that is refused.
Result<GovernedPlan> Govern(const std::vector<RelPtr>& outputs, const std::vector<Asset>& assets,
                            std::size_t* at = nullptr);

}  // namespace glovebox::query
