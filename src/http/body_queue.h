// SPDX-License-Identifier: Apache-2.0
//
// The body of one request between the thread that receives it and the thread that handles it.
//
// Invariant: at most limits::kHttpBodyWindowBytes and one read wait here; above that the receiver
// pauses, and is told through `resume` when the reader has taken half of it. Whoever closes the
// connection must Fail or End the queue, so that a reader never waits for ever.
// Threads: Append, End, Fail on the receiver's; Read on the handler's.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace glovebox::http {

enum class FlowState { kFlowing, kPaused };

class BodyQueue {
 public:
  // Starts paused for a client that waits to be asked. `resume` is called on the reader's thread.
  BodyQueue(FlowState initial, std::function<void()> resume) : state_(initial), resume_(std::move(resume)) {}

  // Returns whether the receiver goes on or has to wait for `resume`.
  [[nodiscard]] FlowState Append(std::string_view bytes);
  void End();
  // The first call counts; bytes that are there are still read before the error.
  void Fail(Status status);
  [[nodiscard]] std::size_t buffered() const;

  // Blocks until there is something; 0 is the end.
  Result<std::size_t> Read(std::span<char> buffer);

 private:
  // Whether a paused receiver has to be called now. REQUIRES: mutex_ held.
  bool TakeResume();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string bytes_;
  std::size_t begin_ = 0;  // of what is unread in bytes_
  FlowState state_;
  bool ended_ = false;
  Status failure_;
  const std::function<void()> resume_;
};

}  // namespace glovebox::http
