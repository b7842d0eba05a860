// SPDX-License-Identifier: Apache-2.0
//
// The kinds of jobs, one function each. They run in a worker, inside the barriers; what they may open is in the request
// and nothing else is there.
//
// REQUIRES: the database has the limits of the job and nothing is attached to it.
// Errors: those of engine.h. Threads: one; DuckDB has its own.
#pragma once

#include "base/result.h"
#include "engine/engine.h"
#include "engine/worker/job_database.h"
#include "engine/worker/messages.h"

namespace glovebox::engine::worker {

Result<SelectResult> RunSelectJob(const SelectRequest& request, JobDatabase& database);
Status RunCheckFunctionJob(const FunctionCheck& check, JobDatabase& database);
Result<PreparedAsset> RunPrepareJob(const PrepareRequest& request, JobDatabase& database);
Result<RunResult> RunGovernedRunJob(const RunRequest& request, JobDatabase& database);

}  // namespace glovebox::engine::worker
