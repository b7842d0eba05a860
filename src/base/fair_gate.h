// SPDX-License-Identifier: Apache-2.0
//
// Counts who is inside: so many at one time altogether, and fewer of one key, so that nobody takes all of what is
// scarce (threads, memory). It never waits: who finds it full is told so at once.
//
// Threads: thread-safe. A place may outlive its gate and be given up on any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace glovebox {

class FairGate {
 public:
  class Visit;
  // Inside for as long as it lives.
  using Place = std::shared_ptr<const Visit>;

  FairGate(std::size_t total_max, std::size_t per_key_max);
  // Null if the gate, or the key's share of it, is full.
  [[nodiscard]] Place TryEnter(const std::string& key);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace glovebox
