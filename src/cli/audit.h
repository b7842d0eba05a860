// SPDX-License-Identifier: Apache-2.0
//
// `glovebox audit verify` and `audit replan`: offline, alone, without a server. Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace glovebox::cli {

enum class ReportForm { kText, kJson };

struct VerifyRequest {
  std::string bundle;                         // a folder or a tar archive
  std::string pin;                            // what the reader noted of the room; "" is nothing
  std::uint64_t min_size = 0;                 // entries that there must be at least
  std::vector<std::string> checkpoint_files;  // signed notes that the reader holds
  ReportForm form = ReportForm::kText;
};

// Prints the report; returns an exit code of cli.h.
int VerifyBundle(const VerifyRequest& request);

// Verifies the bundle, then makes the plan of each of its completed runs again (room/replan.h) and prints a line a run.
// A difference counts as a bundle that is not valid.
int ReplanBundle(const VerifyRequest& request, engine::Engine& engine);

}  // namespace glovebox::cli
