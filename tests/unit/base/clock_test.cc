// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"

namespace glovebox {
namespace {

TEST(ClockTest, FormatsKnownTimes) {
  EXPECT_EQ(FormatRfc3339(TimeMs{0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatRfc3339(TimeMs{-1}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatRfc3339(TimeMs{1'000'000'000'123}), "2001-09-09T01:46:40.123Z");
  EXPECT_EQ(FormatRfc3339(TimeMs{951'826'154'000}), "2000-02-29T12:09:14.000Z");
  EXPECT_EQ(FormatRfc3339(TimeMs{std::numeric_limits<std::int64_t>::max()}), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatRfc3339(TimeMs{std::numeric_limits<std::int64_t>::min()}), "0000-01-01T00:00:00.000Z");
}

TEST(ClockTest, RoundTrip) {
  SeededRandom random(3);
  for (int i = 0; i < 5'000; ++i) {
    std::uint64_t word = 0;
    for (const char c : random.Bytes(8)) {
      word = word << 8U | static_cast<unsigned char>(c);
    }
    const auto time = TimeMs{static_cast<std::int64_t>(word % 315'569'520'000'000) - 62'167'219'200'000};
    ASSERT_EQ(ParseRfc3339(FormatRfc3339(time)).value(), time);
  }
}

TEST(ClockTest, MillisecondsAreOptional) {
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:01Z").value(), TimeMs{1'000});
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:01.007Z").value(), TimeMs{1'007});
}

TEST(ClockTest, ParseIsStrict) {
  for (const char* text : {"",
                           "1970-01-01",
                           "1970-01-01T00:00:00",
                           "1970-01-01T00:00:00z",
                           "1970-01-01t00:00:00Z",
                           "1970-01-01 00:00:00Z",
                           "1970-01-01T00:00:00+00:00",
                           "1970-01-01T00:00:00.1Z",
                           "1970-01-01T00:00:00.123456Z",
                           "1970-13-01T00:00:00Z",
                           "1970-00-01T00:00:00Z",
                           "1970-02-29T00:00:00Z",
                           "1970-01-32T00:00:00Z",
                           "1970-01-00T00:00:00Z",
                           "1970-01-01T24:00:00Z",
                           "1970-01-01T00:60:00Z",
                           "1970-01-01T00:00:60Z",
                           "-970-01-01T00:00:00Z",
                           "1970-01-01T00:00:00,000Z",
                           "1970-01-01T00:00: 0Z",
                           "1970-01-01T00:00:00.000ZZ",
                           " 1970-01-01T00:00:00Z"}) {
    EXPECT_FALSE(ParseRfc3339(text).ok()) << text;
  }
}

TEST(ClockTest, ManualClockStandsStill) {
  ManualClock clock(TimeMs{5});
  EXPECT_EQ(clock.Now(), TimeMs{5});
  clock.AdvanceMs(10);
  EXPECT_EQ(clock.Now(), TimeMs{15});
  EXPECT_GT(ToInt(SystemClock().Now()), 1'700'000'000'000);
}

}  // namespace
}  // namespace glovebox
