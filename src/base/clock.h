// SPDX-License-Identifier: Apache-2.0
//
// Time comes in as an argument. UTC everywhere: epoch milliseconds inside and in Databricks' shapes,
// RFC 3339 with `Z` on the ledger and in native shapes.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace glovebox {

// Milliseconds since 1970-01-01T00:00:00Z.
enum class TimeMs : std::int64_t {};
[[nodiscard]] constexpr std::int64_t ToInt(TimeMs time) { return static_cast<std::int64_t>(time); }

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimeMs Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimeMs Now() const override;
};

// A clock that stands still until told; for tests and the probe. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimeMs now) : now_ms_(ToInt(now)) {}
  [[nodiscard]] TimeMs Now() const override { return TimeMs{now_ms_.load()}; }
  void AdvanceMs(std::int64_t delta_ms) { now_ms_ += delta_ms; }

 private:
  std::atomic<std::int64_t> now_ms_;
};

// "2026-11-22T23:45:00.123Z". Times outside the years 0 to 9999 become the nearest one inside.
std::string FormatRfc3339(TimeMs time);
// Accepts exactly the form that FormatRfc3339 gives (milliseconds optional).
Result<TimeMs> ParseRfc3339(std::string_view text);

}  // namespace glovebox
