// SPDX-License-Identifier: Apache-2.0
//
// One form for conditions and keys on own columns: the stored values that they select, over the columns that matter.
// Two spellings that select the same own rows are the same condition, so that totals and families of cells are found
// however they are written (PLANNER.md P10). Reads own tables only. Where there are more than limits::kOwnValuesMax
// values, or some of a type without a literal, a condition stays as it was written.
#pragma once

#include "base/result.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

// The conditions of a population, and of the distinct units in it.
Status SettleConditions(RunContext& run, query::Population& population);
// What the groups of each own key select.
Status SettleKeys(RunContext& run, Grid& grid);

}  // namespace glovebox::engine::governed
