// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace glovebox {
namespace {

constexpr std::int64_t kMsPerDay = 86'400'000;
constexpr std::int64_t kFirstMs = -62'167'219'200'000;  // 0000-01-01T00:00:00.000Z
constexpr std::int64_t kLastMs = 253'402'300'799'999;   // 9999-12-31T23:59:59.999Z

// The number that `text` writes in decimal digits, or -1.
int Digits(std::string_view text) {
  int number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      return -1;
    }
    number = number * 10 + (c - '0');
  }
  return number;
}

Status Malformed() {
  return Status(ErrorCode::kInvalidParameterValue, "a time must look like 2026-01-31T23:59:59.000Z");
}

bool HasShape(std::string_view text) {
  const bool has_ms = text.size() == 24;
  return (has_ms || text.size() == 20) && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' &&
         text[16] == ':' && text.back() == 'Z' && (!has_ms || text[19] == '.');
}

}  // namespace

TimeMs SystemClock::Now() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return TimeMs{std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count()};
}

std::string FormatRfc3339(TimeMs time) {
  const std::int64_t ms = std::clamp(ToInt(time), kFirstMs, kLastMs);
  const auto since_epoch = std::chrono::milliseconds(ms);
  const auto days = std::chrono::floor<std::chrono::days>(since_epoch);
  const std::chrono::year_month_day date{std::chrono::sys_days(days)};
  const std::int64_t in_day = ms - days.count() * kMsPerDay;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), in_day / 3'600'000,
                     in_day / 60'000 % 60, in_day / 1'000 % 60, in_day % 1'000);
}

Result<TimeMs> ParseRfc3339(std::string_view text) {
  if (!HasShape(text)) {
    return Malformed();
  }
  const int year = Digits(text.substr(0, 4));
  const int month = Digits(text.substr(5, 2));
  const int day = Digits(text.substr(8, 2));
  const int hour = Digits(text.substr(11, 2));
  const int minute = Digits(text.substr(14, 2));
  const int second = Digits(text.substr(17, 2));
  const int ms = text.size() == 24 ? Digits(text.substr(20, 3)) : 0;
  if (year < 0 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59 || ms < 0) {
    return Malformed();
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) {
    return Malformed();
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return TimeMs{days * kMsPerDay + ((std::int64_t{hour} * 60 + minute) * 60 + second) * 1'000 + ms};
}

}  // namespace glovebox
