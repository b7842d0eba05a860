// SPDX-License-Identifier: Apache-2.0
//
// `glovebox audit verify`: offline, alone, without a server. Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

}  // namespace glovebox::cli
