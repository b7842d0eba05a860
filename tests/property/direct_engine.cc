// SPDX-License-Identifier: Apache-2.0
#include "tests/property/direct_engine.h"

#include "engine/worker/jobs.h"

namespace glovebox::property {

using engine::worker::JobDatabase;

Result<engine::SelectResult> DirectEngine::Select(const engine::SelectRequest& request) {
  GB_ASSIGN_OR_RETURN(JobDatabase database, JobDatabase::Open());
  return engine::worker::RunSelectJob(request, database);
}

Status DirectEngine::CheckFunction(const engine::Function& function, const std::vector<engine::Function>& others) {
  GB_ASSIGN_OR_RETURN(JobDatabase database, JobDatabase::Open());
  return engine::worker::RunCheckFunctionJob({function, others}, database);
}

Result<engine::PreparedAsset> DirectEngine::Prepare(const engine::PrepareRequest& request) {
  GB_ASSIGN_OR_RETURN(JobDatabase database, JobDatabase::Open());
  return engine::worker::RunPrepareJob(request, database);
}

Result<engine::RunResult> DirectEngine::Run(const engine::RunRequest& request) {
  GB_ASSIGN_OR_RETURN(JobDatabase database, JobDatabase::Open());
  engine::RunRequest in_memory = request;
  in_memory.output_folder.clear();  // rows come back; files and their flushing to disk would be most of the time
  return engine::worker::RunGovernedRunJob(in_memory, database);
}

void DirectEngine::Cancel(const std::string& /*output_folder*/) {}  // runs block their caller: there is none to cancel

}  // namespace glovebox::property
