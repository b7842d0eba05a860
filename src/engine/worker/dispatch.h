// SPDX-License-Identifier: Apache-2.0
//
// From a job's kind to what does it. Runs in the worker, inside the barriers.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "engine/worker/barrier.h"
#include "engine/worker/job_database.h"
#include "engine/worker/messages.h"

namespace glovebox::engine::worker {

// The result of the job as JSON: a BarrierReport (kSelfTest), SelectResult, null (kCheckFunction), PreparedAsset or
// RunResult.
Result<json::Value> Dispatch(const Job& job, const BarrierReport& report, JobDatabase& database);

}  // namespace glovebox::engine::worker
