// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/governed_run.h"
#include "engine/worker/job_database.h"
#include "engine/worker/jobs.h"

namespace glovebox::engine::worker {

Result<RunResult> RunGovernedRunJob(const RunRequest& request, JobDatabase& database) {
  std::size_t number = 0;
  for (const std::vector<RunAsset>* assets : {&request.assets, &request.earlier_assets}) {
    for (const RunAsset& asset : *assets) {
      const std::string name = "asset_" + std::to_string(number++);
      if (asset.prepared.file.path.empty()) {  // a plan is made over schemas
        GB_RETURN_IF_ERROR(database.AttachEmpty(asset.prepared.file.columns, name));
      } else {
        GB_RETURN_IF_ERROR(database.AttachReadOnly(asset.prepared.file.path, name));
      }
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
