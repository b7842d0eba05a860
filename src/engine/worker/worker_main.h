// SPDX-License-Identifier: Apache-2.0
//
// The worker process: `glovebox worker`, started by the pool with a socket as descriptor 3 and nothing else. One job,
// then it ends. It is no command for people.
//
// Protocol (frames.h): it writes "ready"; reads a WorkerSetup, sets its limits and confines itself; reads a Job; writes
// one reply; exits. Nothing of a job is read before the barriers hold.
//
// Who learns what: stdout and stderr are /dev/null, the environment is empty, there is no core dump; the only way out
// is the reply (and the job's one output folder). Threads: REQUIRES that the process has one thread and does nothing
// else.
#pragma once

#include <string_view>

namespace glovebox::engine::worker {

inline constexpr int kWorkerSocket = 3;
inline constexpr std::string_view kReady = "ready";

// The process's exit code.
int WorkerMain();

}  // namespace glovebox::engine::worker
