// SPDX-License-Identifier: Apache-2.0
#include "privacy/difference_check.h"

#include <gtest/gtest.h>

#include <random>

namespace glovebox::privacy {
namespace {

using Flags = std::vector<bool>;

Flags Decide(const Flags& small, const std::vector<CloseCells>& close, Flags same = {}) {
  same.resize(small.size());
  return DecideReleases(small, close, same);
}

TEST(DifferenceCheckTest, TheLaterOfTwoCloseCellsIsWithheld) {
  EXPECT_EQ(Decide({false, false}, {{}, {.to_run = {0}}}), Flags({true, false}));
  EXPECT_EQ(Decide({false, false}, {{}, {}}), Flags({true, true}));
}

TEST(DifferenceCheckTest, ASmallCellIsWithheldAndHarmsNobody) {
  EXPECT_EQ(Decide({true, false}, {{}, {.to_run = {0}}}), Flags({false, true}));
}

TEST(DifferenceCheckTest, AWithheldCellIsNotOut) {
  EXPECT_EQ(Decide({false, false, false}, {{}, {.to_run = {0}}, {.to_run = {1}}}), Flags({true, false, true}));
}

TEST(DifferenceCheckTest, TheHistoryComesFirst) {
  EXPECT_EQ(Decide({false, false}, {{.to_history = true}, {.to_run = {0}}}), Flags({false, true}));
}

TEST(DifferenceCheckTest, WhatIsOutAlreadyIsAnsweredAgain) {
  EXPECT_EQ(Decide({false}, {{.to_history = true}}, {true}), Flags({true}));
  EXPECT_EQ(Decide({true}, {{.to_history = true}}, {true}), Flags({false}));
}

TEST(DifferenceCheckTest, NoTwoReleasedCellsAreClose) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 500; ++round) {
    const std::size_t cells = 1 + random() % 12;
    Flags small(cells);
    std::vector<CloseCells> close(cells);
    for (std::size_t i = 0; i < cells; ++i) {
      small[i] = random() % 5 == 0;
      close[i].to_history = random() % 6 == 0;
      for (std::size_t j = 0; j < i; ++j) {
        if (random() % 3 == 0) {
          close[i].to_run.push_back(j);
        }
      }
    }
    const Flags released = Decide(small, close);
    for (std::size_t i = 0; i < cells; ++i) {
      bool near_release = close[i].to_history;
      for (const CellIndex earlier : close[i].to_run) {
        near_release = near_release || released[earlier];
      }
      EXPECT_EQ(released[i], !small[i] && !near_release);
    }
  }
}

}  // namespace
}  // namespace glovebox::privacy
