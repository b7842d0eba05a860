// SPDX-License-Identifier: Apache-2.0
//
// The output contract of a notebook version: the tables that a run may hand to its runner without a person looking. It
// is given with the version, or derived from the plan when the version is submitted; either way it is approved with the
// code, and its digest is on the ledger.
//
//   {"version": 1, "derived": false, "min_units": 50, "outputs": [{"name": "by_sport", "rows_max": 1000,
//    "columns": [{"name": "sport", "type": "VARCHAR"}]}]}
//
// min_units (0: any): no protected asset that the run's plan uses has a smaller minimum group. rows_max is optional; so
// is a column's type. Pure. Errors: INVALID_PARAMETER_VALUE names the
// member that is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"

namespace glovebox::room {

// Checks what an author gave and brings it into the form above; unknown members are errors.
Result<json::Value> NormalisedContract(const json::Value& given);
// From a plan: its outputs, their columns with types, and the smallest minimum group. Null if there are no outputs.
json::Value DerivedContract(const engine::RunResult& plan);
std::string ContractDigest(const json::Value& contract);

// "" if the output conforms, else why a person has to look; the text is for both sides.
std::string WhyNotConforming(const json::Value& contract, const engine::OutputTable& output,
                             std::int64_t smallest_min_units);

// The smallest minimum group of the protected assets that a plan uses, by its certificate; 0 if it uses none.
std::int64_t SmallestMinUnits(const json::Value& certificate);

}  // namespace glovebox::room
