// SPDX-License-Identifier: Apache-2.0
//
// Assets and plans for tests of the planner, without an engine: statements come from recorded trees.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/planner.h"

namespace glovebox::query {

// crm and tx of acme (one owner, units are persons, k 20 and 30), homes of power (k 15), my of the runner.
std::vector<Asset> SmallRoom();

Result<Plan> PlanOf(std::string_view sql, const std::vector<Asset>& assets,
                    const std::vector<ParameterDef>& parameters = {});
// "ok", or the rule that refuses it, or the error's name where there is no rule.
std::string Verdict(std::string_view sql);
// The population of the first governed query, as canonical JSON.
std::string PopulationText(std::string_view sql);

}  // namespace glovebox::query
