// SPDX-License-Identifier: Apache-2.0
#include "query/sql_interval.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "base/strings.h"
#include "query/ast.h"

namespace glovebox::query {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

struct Unit {
  std::string_view name;  // singular
  std::int64_t months;
  std::int64_t days;
  std::int64_t micros;
};

constexpr std::array kUnits = {
    Unit{"year", 12, 0, 0},
    Unit{"quarter", 3, 0, 0},
    Unit{"month", 1, 0, 0},
    Unit{"week", 0, 7, 0},
    Unit{"day", 0, 1, 0},
    Unit{"hour", 0, 0, 3'600 * kMicrosPerSecond},
    Unit{"minute", 0, 0, 60 * kMicrosPerSecond},
    Unit{"second", 0, 0, kMicrosPerSecond},
    Unit{"millisecond", 0, 0, 1'000},
    Unit{"microsecond", 0, 0, 1},
};

bool AddScaled(std::int64_t count, std::int64_t factor, std::int64_t& sum) {
  std::int64_t product = 0;
  return !__builtin_mul_overflow(count, factor, &product) && !__builtin_add_overflow(sum, product, &sum);
}

}  // namespace

std::optional<ast::Interval> IntervalOf(std::int64_t count, std::string_view unit) {
  std::string name = AsciiLower(unit);
  if (name.size() > 1 && name.back() == 's') {
    name.pop_back();
  }
  const auto* known = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == name; });
  if (known == kUnits.end()) {
    return std::nullopt;
  }
  ast::Interval interval;
  const bool fits = AddScaled(count, known->months, interval.months) && AddScaled(count, known->days, interval.days) &&
                    AddScaled(count, known->micros, interval.micros);
  return fits ? std::optional(interval) : std::nullopt;
}

std::optional<ast::Interval> ParseIntervalText(std::string_view text) {
  ast::Interval sum;
  std::string_view rest = TrimAscii(text);
  if (rest.empty()) {
    return std::nullopt;
  }
  while (!rest.empty()) {
    std::int64_t count = 0;
    const std::string_view digits = rest.substr(rest.front() == '+' ? 1 : 0);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (error != std::errc()) {
      return std::nullopt;
    }
    rest = TrimAscii(digits.substr(static_cast<std::size_t>(end - digits.data())));
    const std::size_t length = std::min(rest.find_first_of(" \t\n\r"), rest.size());
    const auto part = IntervalOf(count, rest.substr(0, length));
    if (!part || !AddScaled(1, part->months, sum.months) || !AddScaled(1, part->days, sum.days) ||
        !AddScaled(1, part->micros, sum.micros)) {
      return std::nullopt;
    }
    rest = TrimAscii(rest.substr(length));
  }
  return sum;
}

}  // namespace glovebox::query
