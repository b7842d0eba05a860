// SPDX-License-Identifier: Apache-2.0
#include "privacy/combinations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace glovebox::privacy {
namespace {

constexpr std::int64_t kMinUnits = 10;
constexpr std::size_t kSteps = 10'000'000;

struct Room {
  std::size_t cells = 0;
  std::vector<Atom> atoms{};  // weight: units
};

Atom Holds(std::vector<CellIndex> cells, std::int64_t units) { return {std::move(cells), units, units >= kMinUnits}; }

std::optional<Telling> FindIn(const Room& room, std::vector<CellIndex> given = {}) {
  Combinations combinations(room.cells, kSteps);
  for (const Atom& atom : room.atoms) {
    if (atom.large) {
      combinations.Cancel(atom.cells);
    }
  }
  const auto is_few = [&](const std::vector<std::size_t>& which) -> Result<bool> {
    std::int64_t units = 0;
    for (const std::size_t atom : which) {
      units += room.atoms[atom].weight;
    }
    return units > 0 && units < kMinUnits;
  };
  const auto found = combinations.Find(room.atoms, is_few,
                                       [&](CellIndex cell) { return std::ranges::find(given, cell) == given.end(); });
  EXPECT_TRUE(found.ok());
  EXPECT_FALSE(combinations.IsExhausted());
  return found.ok() ? *found : std::nullopt;
}

// Of the vectors of the cells, over some of the atoms; exact in doubles for matrices as small as these.
std::size_t RankOver(const Room& room, const std::vector<std::size_t>& atoms) {
  std::vector<std::vector<double>> rows(room.cells, std::vector<double>(atoms.size()));
  for (std::size_t a = 0; a < atoms.size(); ++a) {
    for (const CellIndex cell : room.atoms[atoms[a]].cells) {
      rows[cell][a] = 1;
    }
  }
  std::size_t rank = 0;
  for (std::size_t a = 0; a < atoms.size() && rank < rows.size(); ++a) {
    const auto pivot = std::max_element(rows.begin() + static_cast<std::ptrdiff_t>(rank), rows.end(),
                                        [a](const auto& x, const auto& y) { return std::abs(x[a]) < std::abs(y[a]); });
    if (std::abs((*pivot)[a]) < 1e-9) {
      continue;
    }
    std::swap(*pivot, rows[rank]);
    for (std::size_t r = rank + 1; r < rows.size(); ++r) {
      const double factor = rows[r][a] / rows[rank][a];
      for (std::size_t i = a; i < atoms.size(); ++i) {
        rows[r][i] -= factor * rows[rank][i];
      }
    }
    ++rank;
  }
  return rank;
}

// Whether some combination weighs atoms of the set and no other: then the rest has a smaller rank than all.
bool Tells(const Room& room, const std::vector<bool>& set) {
  std::vector<std::size_t> all;
  std::vector<std::size_t> rest;
  for (std::size_t a = 0; a < room.atoms.size(); ++a) {
    all.push_back(a);
    if (!set[a]) {
      rest.push_back(a);
    }
  }
  return RankOver(room, rest) < RankOver(room, all);
}

bool SomeSetTells(const Room& room) {
  for (std::size_t mask = 1; mask < (std::size_t{1} << room.atoms.size()); ++mask) {
    std::vector<bool> set;
    std::int64_t units = 0;
    for (std::size_t a = 0; a < room.atoms.size(); ++a) {
      set.push_back((mask >> a & 1U) != 0);
      units += set[a] ? room.atoms[a].weight : 0;
    }
    if (units > 0 && units < kMinUnits && Tells(room, set)) {
      return true;
    }
  }
  return false;
}

TEST(CombinationsTest, TwoCellsThatOverlapLessTheirUnion) {
  // A and B share 3 people; A + B - all is about them.
  const auto telling = FindIn({3, {Holds({0, 2}, 50), Holds({1, 2}, 50), Holds({0, 1, 2}, 3)}});
  ASSERT_TRUE(telling);
  EXPECT_EQ(telling->atoms, std::vector<std::size_t>({2}));
  EXPECT_EQ(telling->cells, std::vector<CellIndex>({0, 1, 2}));
}

TEST(CombinationsTest, LargeAtomsTellNothing) {
  EXPECT_FALSE(FindIn({3, {Holds({0, 2}, 50), Holds({1, 2}, 50), Holds({0, 1, 2}, 10)}}));
}

TEST(CombinationsTest, TwoWaysToCutATotalDifferByFew) {
  // Rows a, b of one table and columns c, d of another, where a is nearly c: a - c is about 2 and 3 people.
  EXPECT_TRUE(FindIn({4, {Holds({0, 2}, 90), Holds({0, 3}, 2), Holds({1, 2}, 3), Holds({1, 3}, 80)}}));
  EXPECT_FALSE(FindIn({4, {Holds({0, 2}, 90), Holds({0, 3}, 8), Holds({1, 2}, 3), Holds({1, 3}, 80)}}));
}

TEST(CombinationsTest, WhatIsOutAlreadyIsNotLookedFor) {
  const Room room{3, {Holds({0, 2}, 50), Holds({1, 2}, 50), Holds({0, 1, 2}, 3)}};
  EXPECT_TRUE(FindIn(room, {0, 1}));
  EXPECT_FALSE(FindIn(room, {0, 1, 2}));
}

// Two cells that differ by a few units, among many that overlap with them and have an atom of k-1 units to themselves
// each.
Room RoomOfTwoAlike() {
  constexpr std::size_t kShared = 8;
  constexpr std::size_t kApart = 5;
  Room room{32};
  std::mt19937_64 random(3);
  for (CellIndex cell = 0; cell < room.cells; ++cell) {
    room.atoms.push_back(Holds({cell}, cell < 2 ? 2 : 9));
  }
  for (std::size_t unit = 0; unit < kShared + kApart; ++unit) {
    std::vector<CellIndex> cells;
    for (CellIndex cell = 0; cell < room.cells; ++cell) {
      const bool holds = cell < 2 ? unit < kShared || unit % 2 == cell : unit == cell % kShared || random() % 2 == 0;
      if (holds) {
        cells.push_back(cell);
      }
    }
    room.atoms.push_back(Holds(cells, 1));
  }
  return room;
}

TEST(CombinationsTest, PairsOfABasisAreLookedAt) {
  // By the first basis each cell has its heaviest atom to itself. A shuffle shows the difference by itself only if it
  // takes one of the seven atoms for a pivot and no other of them.
  const auto telling = FindIn(RoomOfTwoAlike());
  ASSERT_TRUE(telling);
  EXPECT_EQ(telling->cells, std::vector<CellIndex>({0, 1}));
  EXPECT_EQ(telling->atoms, std::vector<std::size_t>({0, 1, 40, 41, 42, 43, 44}));
}

TEST(CombinationsTest, WorkHasALimit) {
  Combinations combinations(50, 10);
  for (CellIndex cell = 0; cell + 1 < 50; ++cell) {
    combinations.Cancel({cell, cell + 1});
  }
  EXPECT_TRUE(combinations.IsExhausted());
  combinations.Cancel({49});
  EXPECT_FALSE(combinations.IsCancelled({49}));
}

TEST(CombinationsTest, BeyondTheLimitAtMostABasisIsLookedAt) {
  const Room room = RoomOfTwoAlike();
  int exhausted = 0;
  int finished = 0;
  for (std::size_t steps = 1; steps < 400'000; steps += 1 + steps / 4) {
    const Combinations combinations(room.cells, steps);
    std::size_t looks_beyond = 0;
    const auto is_few = [&](const std::vector<std::size_t>& which) -> Result<bool> {
      if (combinations.IsExhausted()) {
        ++looks_beyond;
      }
      std::vector<bool> set(room.atoms.size());
      for (const std::size_t atom : which) {
        set[atom] = true;
      }
      // What half a basis weighs is no combination.
      EXPECT_TRUE(Tells(room, set)) << "after " << steps << " steps";
      return false;
    };
    EXPECT_TRUE(combinations.Find(room.atoms, is_few, [](CellIndex) { return true; }).ok());
    EXPECT_LE(looks_beyond, room.cells) << "after " << steps << " steps";  // at most the rest of a basis
    ++(combinations.IsExhausted() ? exhausted : finished);
  }
  EXPECT_GT(exhausted, 10);
  EXPECT_GT(finished, 0);
}

// Refutation: whatever a set of atoms below k shows by rank is found, and what is found is shown by rank.
TEST(CombinationsTest, FindsWhatRanksShow) {
  std::mt19937_64 random(5);
  int telling = 0;
  for (int round = 0; round < 4'000; ++round) {
    Room room;
    room.cells = 2 + random() % 5;
    const std::size_t atoms = 1 + random() % 8;
    for (std::size_t a = 0; a < atoms; ++a) {
      std::vector<CellIndex> cells;
      for (CellIndex cell = 0; cell < room.cells; ++cell) {
        if (random() % 2 == 0) {
          cells.push_back(cell);
        }
      }
      const bool is_new = std::ranges::none_of(room.atoms, [&](const Atom& atom) { return atom.cells == cells; });
      if (!cells.empty() && is_new) {
        room.atoms.push_back(Holds(cells, 1 + static_cast<std::int64_t>(random() % 20)));
      }
    }
    const auto found = FindIn(room);
    EXPECT_EQ(found.has_value(), SomeSetTells(room)) << "round " << round;
    if (found) {
      ++telling;
      std::vector<bool> set(room.atoms.size());
      for (const std::size_t atom : found->atoms) {
        set[atom] = true;
      }
      EXPECT_TRUE(Tells(room, set)) << "round " << round;
    }
  }
  EXPECT_GT(telling, 500);
}

}  // namespace
}  // namespace glovebox::privacy
