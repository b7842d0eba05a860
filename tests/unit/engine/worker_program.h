// SPDX-License-Identifier: Apache-2.0
//
// The program that tests start workers of: this one, or what GLOVEBOX_TEST_WORKER names. A worker within its barriers
// cannot carry the thread sanitizer; what surrounds it can.
#pragma once

#include <cstdlib>
#include <string>

namespace glovebox::engine::worker {

inline std::string WorkerProgram() {
  const char* named = std::getenv("GLOVEBOX_TEST_WORKER");  // NOLINT(concurrency-mt-unsafe): nothing sets it here
  return named != nullptr ? named : "/proc/self/exe";
}

}  // namespace glovebox::engine::worker
