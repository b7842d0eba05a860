// SPDX-License-Identifier: Apache-2.0
//
// The plan certificate (PLANNER.md P14): why each output column may be released, in a form that a program checks and a
// person reads. It holds names, rules and structure, and nothing of any table.
#pragma once

#include <vector>

#include "base/json.h"
#include "query/core.h"

namespace glovebox::query {

struct Plan;

json::Value MakeCertificate(const Plan& plan, const std::vector<Asset>& assets);

}  // namespace glovebox::query
