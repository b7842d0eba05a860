// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/governed_run.h"
#include "engine/worker/job_database.h"
#include "engine/worker/jobs.h"

namespace glovebox::engine::worker {

Result<RunResult> RunGovernedRunJob(const RunRequest& request, JobDatabase& database) {
  for (std::size_t i = 0; i < request.assets.size(); ++i) {
    const std::string& path = request.assets[i].prepared.file.path;
    if (!path.empty()) {  // a plan alone can be made over schemas
      GB_RETURN_IF_ERROR(database.AttachReadOnly(path, "asset_" + std::to_string(i)));
    }
  }
  duckdb::Allowed allowed;
  if (!request.output_folder.empty()) {
    allowed.directories.push_back(request.output_folder);  // COPY ... TO of the outputs
  }
  GB_RETURN_IF_ERROR(database.connection().Lock(allowed));
  return governed::RunGoverned(database.connection(), request);
}

}  // namespace glovebox::engine::worker
