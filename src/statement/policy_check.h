// SPDX-License-Identifier: Apache-2.0
//
// Whether a row filter or a mask fits a table: the function, called on the columns' types, must compile, and a filter
// must give a BOOLEAN. Found out when the policy is set and not first when somebody reads the table. Threads: no state.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "engine/engine.h"

namespace glovebox::statement {

enum class PolicyKind { kRowFilter, kMask };

// `arguments` are names of columns. Returns INVALID_PARAMETER_VALUE if the policy does not fit, NOT_FOUND if there is
// no such function for the caller. Columns that are not there, and a wrong number of them, are left to the catalogue.
Status CheckPolicy(const catalog::Catalog& catalog, engine::Engine& engine, const catalog::Caller& caller,
                   PolicyKind kind, const std::string& function, const std::vector<std::string>& arguments,
                   const std::vector<catalog::TableColumn>& columns);

}  // namespace glovebox::statement
