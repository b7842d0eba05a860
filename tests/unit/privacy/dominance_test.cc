// SPDX-License-Identifier: Apache-2.0
#include "privacy/dominance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace glovebox::privacy {
namespace {

// A unit's total for each unit.
using Contributions = std::vector<double>;

Magnitude MagnitudeOf(const Contributions& contributions) {
  Contributions sizes;
  for (const double one : contributions) {
    sizes.push_back(std::abs(one));
  }
  std::ranges::sort(sizes, std::greater());
  sizes.resize(std::max<std::size_t>(sizes.size(), 2));
  Magnitude out{.largest = sizes[0], .second = sizes[1], .gross_largest = sizes[0]};
  for (const double size : sizes) {
    out.total += size;
  }
  out.gross = out.total;
  return out;
}

// Whether some contributor, who takes its own part off the sum, comes within p % of another's from above.
bool SomebodyComesClose(const Contributions& contributions, double percent) {
  double sum = 0;
  for (const double one : contributions) {
    sum += one;
  }
  for (std::size_t target = 0; target < contributions.size(); ++target) {
    for (std::size_t who = 0; who < contributions.size(); ++who) {
      const double estimate = sum - contributions[who];
      if (who != target && (estimate - contributions[target]) * 100 < percent * contributions[target]) {
        return true;
      }
    }
  }
  return false;
}

// From nothing at all to one that is larger than all others together.
Contributions Random(std::mt19937& random, bool both_signs) {
  Contributions out(2 + random() % 12);
  const double skew = 1 + static_cast<double>(random() % 5);
  for (double& one : out) {
    one = std::floor(std::pow(static_cast<double>(random() % 10), skew));
    one = both_signs && random() % 2 == 0 ? -one : one;
  }
  return out;
}

std::int64_t RandomPercent(std::mt19937& random) { return 1 + static_cast<std::int64_t>(random() % 100); }

TEST(DominanceTest, FollowsTheDefinition) {
  EXPECT_TRUE(IsDominated(MagnitudeOf({1000, 50, 30, 20, 10, 5}), 10));    // 65 < 100
  EXPECT_FALSE(IsDominated(MagnitudeOf({1000, 50, 40, 30, 20, 10}), 10));  // 100 is not
  EXPECT_TRUE(IsDominated(MagnitudeOf({1000, 50, 40, 30, 20, 9}), 10));
  EXPECT_TRUE(IsDominated(MagnitudeOf({-1000, 50, -30, 20}), 10));
  EXPECT_TRUE(IsDominated(MagnitudeOf({7, 7}), 1));
  EXPECT_TRUE(IsDominated(MagnitudeOf({7}), 1));
  EXPECT_FALSE(IsDominated(MagnitudeOf({0, 0, 0}), 100));
  EXPECT_FALSE(IsDominated(MagnitudeOf({}), 100));
}

TEST(DominanceTest, WhatIsNoNumberIsUnsafe) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(IsDominated({.total = infinity, .largest = infinity, .second = 1}, 1));
  EXPECT_TRUE(IsDominated({.total = std::nan(""), .largest = 1, .second = 1}, 1));
  EXPECT_FALSE(IsDifferenceSafe({.total = infinity}, {}, 1));
  EXPECT_FALSE(IsRemainderSafe({.total = infinity, .gross = infinity}, 0, 1));
}

TEST(DominanceTest, ZerosAreSafe) {
  EXPECT_TRUE(IsDifferenceSafe({}, {}, 100));
  EXPECT_TRUE(IsRemainderSafe({}, 0, 100));
}

// The definition looks at the two largest only; an attacker may be anybody, and be after anybody.
TEST(DominanceTest, NobodyEstimatesAnybodyBetterInASafeCell) {
  std::mt19937 random(1);
  int unsafe = 0;
  int differs_without_the_second = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Contributions cell = Random(random, false);
    const std::int64_t percent = RandomPercent(random);
    const Magnitude magnitude = MagnitudeOf(cell);
    const bool expected = SomebodyComesClose(cell, static_cast<double>(percent));
    ASSERT_EQ(IsDominated(magnitude, percent), expected);
    unsafe += expected ? 1 : 0;
    Magnitude stranger = magnitude;  // an attacker who contributes nothing finds less
    stranger.second = 0;
    differs_without_the_second += IsDominated(stranger, percent) != expected ? 1 : 0;
  }
  EXPECT_GT(unsafe, 1000);
  EXPECT_LT(unsafe, 19'000);
  EXPECT_GT(differs_without_the_second, 100);
}

TEST(DominanceTest, CombinationsOfSafeCellsAreSafe) {
  std::mt19937 random(2);
  int tried = 0;
  for (int i = 0; i < 50'000; ++i) {
    Contributions a = Random(random, false);
    Contributions b = Random(random, false);  // the first of the one are the first of the other
    const std::int64_t percent = RandomPercent(random);
    if (IsDominated(MagnitudeOf(a), percent) || IsDominated(MagnitudeOf(b), percent)) {
      continue;
    }
    ++tried;
    const double x = 1 + static_cast<double>(random() % 4);
    const double y = static_cast<double>(random() % 4);
    a.resize(std::max(a.size(), b.size()));
    b.resize(a.size());
    Contributions both;
    for (std::size_t unit = 0; unit < a.size(); ++unit) {
      both.push_back(x * a[unit] + y * b[unit]);
    }
    ASSERT_FALSE(IsDominated(MagnitudeOf(both), percent));
  }
  EXPECT_GT(tried, 1000);
}

TEST(DominanceTest, WhatBoundsProveOfDifferencesHolds) {
  std::mt19937 random(3);
  int proven = 0;
  for (int i = 0; i < 50'000; ++i) {
    Contributions a = Random(random, true);
    Contributions b = Random(random, true);
    const std::int64_t percent = RandomPercent(random);
    const bool safe = IsDifferenceSafe(MagnitudeOf(a), MagnitudeOf(b), percent);
    a.resize(std::max(a.size(), b.size()));
    b.resize(a.size());
    for (std::size_t unit = 0; unit < a.size(); ++unit) {
      a[unit] -= b[unit];
    }
    const Magnitude difference = MagnitudeOf(a);
    ASSERT_FALSE(safe && IsDominated(difference, percent));
    proven += safe && difference.largest > 0 ? 1 : 0;
  }
  EXPECT_GT(proven, 1000);
}

// Units with a row in each of several parts, and one that is left.
TEST(DominanceTest, WhatBoundsProveOfRemaindersHolds) {
  std::mt19937 random(4);
  int proven = 0;
  for (int i = 0; i < 50'000; ++i) {
    const bool both_signs = i % 2 == 0;
    Contributions left = Random(random, both_signs);
    Contributions part = Random(random, both_signs);
    for (double& one : part) {
      one = std::floor(one / 4);
    }
    left.resize(std::max(left.size(), part.size()));
    part.resize(left.size());
    Contributions sums;
    Contributions gross;
    for (std::size_t unit = 0; unit < left.size(); ++unit) {
      sums.push_back(left[unit] + part[unit]);
      gross.push_back(std::abs(left[unit]) + std::abs(part[unit]));
    }
    Magnitude total = MagnitudeOf(sums);
    total.gross = MagnitudeOf(gross).total;
    total.gross_largest = MagnitudeOf(gross).largest;
    const std::int64_t percent = RandomPercent(random);
    const bool safe = IsRemainderSafe(total, MagnitudeOf(part).total, percent);
    const Magnitude remainder = MagnitudeOf(left);
    ASSERT_FALSE(safe && IsDominated(remainder, percent));
    proven += safe && remainder.largest > 0 ? 1 : 0;
  }
  EXPECT_GT(proven, 1000);
}

}  // namespace
}  // namespace glovebox::privacy
