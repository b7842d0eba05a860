// SPDX-License-Identifier: Apache-2.0
//
// The `glovebox` command: reads arguments, runs one command, prints its result.
//
// Exit codes: 0 done (for `audit verify`: the bundle is valid); 1 failed (the bundle is not valid); 2 valid, with
// findings to look at; 3 wrong arguments. Results go to stdout, everything else to stderr. Who learns what: a token is
// printed once, when it is made; no command takes a secret as an argument. Threads: one.
#pragma once

#include <string_view>

#include "cli/program.h"

namespace glovebox::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitFindings = 2;
inline constexpr int kExitUsage = 3;

inline constexpr std::string_view kVersion = "0.1.0";

int Main(int argc, const char* const* argv, Program& program);

}  // namespace glovebox::cli
