// SPDX-License-Identifier: Apache-2.0
//
// The engine's jobs in this process: thousands of runs a minute, where a worker for each would take an hour. The code
// of the jobs is the same; barriers and messages are tested elsewhere.
#pragma once

#include "engine/engine.h"

namespace glovebox::property {

class DirectEngine : public engine::Engine {
 public:
  Result<engine::SelectResult> Select(const engine::SelectRequest& request) override;
  Status CheckFunction(const engine::Function& function, const std::vector<engine::Function>& others) override;
  Result<engine::PreparedAsset> Prepare(const engine::PrepareRequest& request) override;
  Result<engine::RunResult> Run(const engine::RunRequest& request) override;
  void Cancel(const std::string& output_folder) override;
};

}  // namespace glovebox::property
