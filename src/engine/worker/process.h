// SPDX-License-Identifier: Apache-2.0
//
// One child process with a socket to it. Internal to engine/worker.
//
// Invariant: the process is known by a descriptor (pidfd), so that a signal never reaches another one that got its
// number. Threads: one at a time, but Kill may come from any.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace glovebox::engine::worker {

class Process {
 public:
  // Starts `<executable> worker` with an empty environment and no descriptors but the socket. The child dies with the
  // calling THREAD (PR_SET_PDEATHSIG).
  static Result<std::unique_ptr<Process>> Start(const std::string& executable);
  // Kills and reaps, without waiting for more than a dying process needs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] int socket() const { return socket_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool HasEnded() const;
  void Kill();
  // Waits until it has ended and reaps it; nothing if that takes longer. Afterwards ended_by_signal() is known.
  bool Reap(std::chrono::milliseconds patience);
  // The signal that ended it, or 0.
  [[nodiscard]] int ended_by_signal() const { return ended_by_signal_; }

 private:
  Process(pid_t pid, UniqueFd pidfd, UniqueFd socket);

  pid_t pid_;
  UniqueFd pidfd_;
  UniqueFd socket_;
  bool reaped_ = false;
  int ended_by_signal_ = 0;
};

}  // namespace glovebox::engine::worker
