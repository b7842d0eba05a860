// SPDX-License-Identifier: Apache-2.0
//
// An own table with one row a value of a listed dimension, joined to it and to nothing else, is a function of the
// dimension (PLANNER.md P6). What a release remembers says so: the table is replaced by the values that it leaves and
// the labels that it gives them, so that cells are compared with those that were asked for without it. Reads own tables
// only.
#pragma once

#include "base/result.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

// Replaces the mappings of a grid, inside distinct units as well. What is asked of their columns has been computed for
// all of their rows then: if it fails, it fails whatever protected rows hold (P13).
Status SettleMappings(RunContext& run, Grid& grid);

}  // namespace glovebox::engine::governed
