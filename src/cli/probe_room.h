// SPDX-License-Identifier: Apache-2.0
//
// The probe room: its three tables and their analysis rules, prepared for runs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace glovebox::cli {

struct ProbeRoom {
  std::vector<engine::RunAsset> assets;
  engine::TableFile own;  // the rows of the runner's table
};

// Reads crm.csv, tx.csv and my.csv of `data_folder`, writes table files into `work_folder` and prepares them.
Result<ProbeRoom> PrepareProbeRoom(engine::Engine& engine, const std::string& data_folder,
                                   const std::string& work_folder);

// Makes the rows of a query over the runner's table `my` its next version, in files that begin with `target_path`.
Status ReplaceOwnTable(engine::Engine& engine, ProbeRoom& room, const std::string& sql, const std::string& target_path);

}  // namespace glovebox::cli
