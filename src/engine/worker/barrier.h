// SPDX-License-Identifier: Apache-2.0
//
// What confines a worker process to its job. Several barriers, none of which is trusted alone:
//
//   Landlock         no file but the named ones, no TCP, no signals to and no abstract sockets of others
//   private root     a mount namespace in which nothing else exists
//   own namespaces   network (empty), IPC, UTS; a user namespace if that is what it takes
//   seccomp          an allow-list of system calls: no sockets, no exec, no fork, no ptrace, no mounts, no other ABI
//   identity         a server run by root gives its workers a uid of no one, with the one capability to read its files
//
// Protocol: one call of Confine in a process with one thread, before it has seen a byte of a job. Cannot be undone.
// What the kernel or the container's host refuses is missing from the report, and the caller decides.
//
// Errors: INTERNAL_ERROR if a barrier failed half-way, so that the process must end.
// Threads: REQUIRES a process with a single thread.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace glovebox::engine::worker {

struct Confinement {
  std::vector<std::string> readable_files;    // absolute; nothing else is readable
  std::vector<std::string> writable_folders;  // absolute; with all that is and will be below
};

// Which barriers hold.
struct BarrierReport {
  int landlock_abi = 0;  // 0: none
  bool seccomp = false;
  bool namespaces = false;  // network and IPC
  bool private_root = false;
  bool unprivileged = false;  // the uid is not root's, outside of any user namespace

  [[nodiscard]] bool HoldsFiles() const { return landlock_abi > 0 || private_root; }
  [[nodiscard]] bool HoldsNetwork() const { return seccomp || namespaces; }
  bool operator==(const BarrierReport&) const = default;
};

Result<BarrierReport> Confine(const Confinement& confinement);

json::Value ToJson(const BarrierReport& report);
BarrierReport BarrierReportFromJson(const json::Value& value);

}  // namespace glovebox::engine::worker
