// SPDX-License-Identifier: Apache-2.0
#include "base/kill_point.h"
#include <signal.h>

#include <csignal>
#include <cstdlib>
#include <string_view>

namespace glovebox {
namespace {

std::string_view KillAt() {
  const char* value = std::getenv("GB_KILL_AT");  // NOLINT(concurrency-mt-unsafe): read once, at start
  return value == nullptr ? std::string_view() : std::string_view(value);
}

const std::string_view kKillAt = KillAt();

}  // namespace

void ReachKillPoint(const char* name) {
  if (!kKillAt.empty() && kKillAt == name) {
    static_cast<void>(std::raise(SIGKILL));
  }
}

}  // namespace glovebox
