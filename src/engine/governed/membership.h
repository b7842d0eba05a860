// SPDX-License-Identifier: Apache-2.0
//
// Membership is protected (PLANNER.md P9): own tables that are joined to identities.
//
// CheckOwnVersions and CheckOwnDimensions need own tables only, so their refusals may be shown. WithholdMembership
// depends on protected rows, so what it withholds looks like a small group.
#pragma once

#include <cstddef>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

// An own table stays as the room's first run over it saw it: new versions (P9) are not built, and a list that changes
// between two answers would tell who is in it. Returns QUERY_REFUSED (P9); `output` is then the output that uses it.
Status CheckOwnVersions(const RunContext& run, const std::vector<json::Value>& history, std::size_t& output);

// Every combination of stored values of the own dimensions that the runs on one version have used, this one included,
// has at least k own units, k being the largest of the protected assets'. Returns QUERY_REFUSED (P9) otherwise;
// `output` is then the first output that uses own tables.
Status CheckOwnDimensions(RunContext& run, const std::vector<json::Value>& history, std::size_t& output);

// In a group that an own table shapes, the own units that match and those that do not are each at least k, by own
// conditions and keys alone. Clears group_ok where they are not. Owners who declare membership public are left out.
Status WithholdMembership(RunContext& run, ExecutedQuery& executed);

}  // namespace glovebox::engine::governed
