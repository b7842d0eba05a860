// SPDX-License-Identifier: Apache-2.0
//
// The allow-list of system calls of a worker (seccomp). What is not in the list fails with EPERM; a call of another ABI
// (32 bit, x32) kills the process. No new sockets, no programs, no processes (threads only), no executable memory, no
// mounts, namespaces, keyrings, io_uring, BPF; signals to itself only. Internal to engine/worker.
//
// Threads: REQUIRES a process with a single thread; threads that it starts later inherit the filter.
#pragma once

namespace glovebox::engine::worker {

// Whether the filter is in force.
[[nodiscard]] bool ApplySystemCallFilter();

}  // namespace glovebox::engine::worker
