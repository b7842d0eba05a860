// SPDX-License-Identifier: Apache-2.0
//
// Rules of a core: which columns may be joined (P6), what own tables may do (P9). Pure.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "query/core.h"

namespace glovebox::query {

// Every equality is between columns of the same type that both rules allow to each other; protected tables of one owner
// join on their unit keys.
Status CheckJoins(const Core& core, const std::vector<Asset>& assets);

// Distinct units are distinct by the unit key of their asset.
Status CheckDistinctUnits(const Instance& instance, const std::vector<Asset>& assets, std::size_t position);

// Own columns in conditions and keys are the own dimensions that their rule declares, those of one table in each (P9).
Status CheckOwnColumns(const Expr& expr, const Core& core, const std::vector<Asset>& assets);

}  // namespace glovebox::query
