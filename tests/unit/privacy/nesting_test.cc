// SPDX-License-Identifier: Apache-2.0
#include "privacy/nesting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

namespace glovebox::privacy {
namespace {

using Rows = std::set<int>;
using Numbers = std::vector<std::int64_t>;

Placement PlacementOf(const Rows& a, const Rows& b) {
  Rows both;
  std::ranges::set_intersection(a, b, std::inserter(both, both.end()));
  return both.empty() ? Placement::kDisjoint
                      : (both == a ? Placement::kWithin : (both == b ? Placement::kAround : Placement::kUnknown));
}

std::optional<Numbers> Decide(const std::vector<Rows>& sets) {
  Numbers rows;
  for (const Rows& one : sets) {
    rows.push_back(static_cast<std::int64_t>(one.size()));
  }
  return RowsBesideInner(rows, [&sets](std::size_t a, std::size_t b) { return PlacementOf(sets[a], sets[b]); });
}

// How many rows each combination of the sets holds that holds any.
std::multiset<std::int64_t> Atoms(const std::vector<Rows>& sets, int universe) {
  std::map<std::vector<bool>, std::int64_t> atoms;
  for (int row = 0; row < universe; ++row) {
    std::vector<bool> in;
    for (const Rows& one : sets) {
      in.push_back(one.contains(row));
    }
    if (std::ranges::find(in, true) != in.end()) {
      ++atoms[in];
    }
  }
  std::multiset<std::int64_t> out;
  for (const auto& [in, count] : atoms) {
    out.insert(count);
  }
  return out;
}

TEST(NestingTest, EachSetKeepsWhatNoneWithinItHas) {
  EXPECT_EQ(Decide({{1, 2, 3, 4, 5, 6}, {1, 2, 3}, {1}, {5}}), (Numbers{2, 2, 1, 1}));
  EXPECT_EQ(Decide({{1}, {5}, {1, 2, 3}, {1, 2, 3, 4, 5, 6}}), (Numbers{1, 1, 2, 2}));
  EXPECT_EQ(Decide({{1, 2}, {3}, {1, 2, 3}}), (Numbers{2, 1, 0}));
}

TEST(NestingTest, EqualSetsAreOne) { EXPECT_EQ(Decide({{1, 2, 3}, {1}, {1, 2, 3}}), (Numbers{2, 1, 0})); }

TEST(NestingTest, SetsThatOverlapAreNotNested) {
  EXPECT_EQ(Decide({{1, 2}, {2, 3}}), std::nullopt);
  EXPECT_EQ(Decide({{1, 2, 3, 4}, {1, 2}, {2, 3}}), std::nullopt);
}

TEST(NestingTest, SizesThatContradictThePlacementsDecideNothing) {
  EXPECT_EQ(RowsBesideInner({2, 3}, [](auto, auto) { return Placement::kAround; }), std::nullopt);
  EXPECT_EQ(RowsBesideInner({3, 2, 2},
                            [](std::size_t a, auto) { return a == 0 ? Placement::kAround : Placement::kDisjoint; }),
            std::nullopt);
}

TEST(NestingTest, OneWithinTwoThatAreDisjointDecidesNothing) {
  EXPECT_EQ(RowsBesideInner({1, 2, 3},
                            [](std::size_t a, auto) { return a == 0 ? Placement::kWithin : Placement::kDisjoint; }),
            std::nullopt);
}

TEST(NestingTest, WhatIsLeftIsTheAtomsOfRandomSets) {
  constexpr int kUniverse = 12;
  std::mt19937_64 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a test that repeats
  int nested = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<Rows> sets(2 + random() % 4);
    for (Rows& one : sets) {
      const int first = static_cast<int>(random() % kUniverse);
      const int last = first + static_cast<int>(random() % (kUniverse - static_cast<unsigned>(first)));
      for (int row = first; row <= last; ++row) {
        one.insert(row);
      }
    }
    bool overlap = false;
    for (std::size_t a = 0; a < sets.size(); ++a) {
      for (std::size_t b = a + 1; b < sets.size(); ++b) {
        overlap = overlap || PlacementOf(sets[a], sets[b]) == Placement::kUnknown;
      }
    }
    const std::optional<Numbers> left = Decide(sets);
    ASSERT_EQ(left.has_value(), !overlap);
    if (left) {
      std::multiset<std::int64_t> found(left->begin(), left->end());
      found.erase(0);
      ASSERT_EQ(found, Atoms(sets, kUniverse));
      ++nested;
    }
  }
  EXPECT_GT(nested, 1'000);
}

}  // namespace
}  // namespace glovebox::privacy
