// SPDX-License-Identifier: Apache-2.0
//
// What is counted about requests, for operators: numbers, never names. Threads: thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace glovebox::api {

struct Metrics {
  // Answers by hundreds of the status code: [2] is 2xx.
  static constexpr std::size_t kClasses = 6;
  std::array<std::atomic<std::uint64_t>, kClasses> responses{};
  std::atomic<bool> stopping{false};

  void CountResponse(int status) {
    const auto hundreds = static_cast<std::size_t>(status / 100);
    if (status >= 0 && hundreds < kClasses) {
      responses.at(hundreds).fetch_add(1, std::memory_order_relaxed);
    }
  }
};

}  // namespace glovebox::api
