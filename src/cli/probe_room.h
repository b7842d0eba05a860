// SPDX-License-Identifier: Apache-2.0
//
// The probe room: its three tables and their analysis rules, prepared for runs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace glovebox::cli {

// Reads crm.csv, tx.csv and my.csv of `data_folder`, writes table files into `work_folder` and prepares them.
Result<std::vector<engine::RunAsset>> PrepareProbeRoom(engine::Engine& engine, const std::string& data_folder,
                                                       const std::string& work_folder);

}  // namespace glovebox::cli
