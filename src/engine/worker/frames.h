// SPDX-License-Identifier: Apache-2.0
//
// What travels over the socket between the server and a worker: four bytes of length (big-endian), then that many
// bytes.
//
// Errors: RESOURCE_EXHAUSTED for a frame over its limit, DEADLINE_EXCEEDED, RUN_FAILED if the other end is gone.
// Threads: one thread an end.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace glovebox::engine::worker {

using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNoDeadline = Deadline::max();

// The server's end must not die of SIGPIPE; the worker's may, and has no socket calls left.
enum class End { kServer, kWorker };

Status WriteFrame(int fd, std::string_view payload, End end, Deadline deadline);
Result<std::string> ReadFrame(int fd, std::size_t bytes_max, Deadline deadline);

}  // namespace glovebox::engine::worker
