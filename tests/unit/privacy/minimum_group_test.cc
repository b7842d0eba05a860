// SPDX-License-Identifier: Apache-2.0
#include "privacy/minimum_group.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

namespace glovebox::privacy {
namespace {

TEST(MinimumGroupTest, RowsDecideWhatTheyCan) {
  EXPECT_EQ(DecideByRows({.rows = 0, .min_units = 10}), Units::kNone);
  EXPECT_EQ(DecideByRows({.rows = -1, .min_units = 10}), Units::kNone);
  EXPECT_EQ(DecideByRows({.rows = 1, .min_units = 10}), Units::kFew);
  EXPECT_EQ(DecideByRows({.rows = 9, .min_units = 10, .heaviest_rows = 5}), Units::kFew);
  EXPECT_EQ(DecideByRows({.rows = 10, .min_units = 10}), Units::kUndecided);
  EXPECT_EQ(DecideByRows({.rows = 10, .min_units = 10, .one_row_per_unit = true}), Units::kEnough);
  EXPECT_EQ(DecideByRows({.rows = 90, .min_units = 10, .heaviest_rows = 90}), Units::kUndecided);
  EXPECT_EQ(DecideByRows({.rows = 91, .min_units = 10, .heaviest_rows = 90}), Units::kEnough);
}

TEST(MinimumGroupTest, CountsDecide) {
  EXPECT_EQ(DecideByCount(0, 10), Units::kNone);
  EXPECT_EQ(DecideByCount(1, 10), Units::kFew);
  EXPECT_EQ(DecideByCount(9, 10), Units::kFew);
  EXPECT_EQ(DecideByCount(10, 10), Units::kEnough);
}

// Whatever rows a group takes of whatever units, what row counts say of it is true.
TEST(MinimumGroupTest, RowsNeverSayWhatIsFalse) {
  std::mt19937_64 random(7);
  constexpr std::int64_t kMinimum = 10;
  int decided = 0;
  for (int round = 0; round < 2'000; ++round) {
    std::vector<std::int64_t> rows_of_unit(10 + random() % 20);
    for (std::int64_t& rows : rows_of_unit) {
      rows = 1 + static_cast<std::int64_t>(random() % 9);
    }
    std::vector<std::int64_t> heaviest = rows_of_unit;
    std::ranges::sort(heaviest, std::greater<>());
    const std::int64_t threshold =
        std::accumulate(heaviest.begin(), heaviest.begin() + (kMinimum - 1), std::int64_t{0});
    std::int64_t rows = 0;
    std::int64_t units = 0;
    for (const std::int64_t all : rows_of_unit) {
      const auto taken = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(all + 1));
      rows += taken;
      units += taken > 0 ? 1 : 0;
    }
    const Units said = DecideByRows({.rows = rows, .min_units = kMinimum, .heaviest_rows = threshold});
    if (said != Units::kUndecided) {
      ++decided;
      EXPECT_EQ(said, DecideByCount(units, kMinimum));
    }
  }
  EXPECT_GT(decided, 100);
}

}  // namespace
}  // namespace glovebox::privacy
