// SPDX-License-Identifier: Apache-2.0
#include "base/fair_gate.h"

#include <gtest/gtest.h>

#include <optional>

namespace glovebox {
namespace {

TEST(FairGate, IsFullForAKeyBeforeItIsFullForAll) {
  FairGate gate(3, 2);
  const FairGate::Place first = gate.TryEnter("a");
  FairGate::Place second = gate.TryEnter("a");
  EXPECT_NE(first, nullptr);
  EXPECT_NE(second, nullptr);
  EXPECT_EQ(gate.TryEnter("a"), nullptr);
  const FairGate::Place third = gate.TryEnter("b");
  EXPECT_NE(third, nullptr);
  EXPECT_EQ(gate.TryEnter("b"), nullptr);  // all three places are taken
  second.reset();
  EXPECT_NE(gate.TryEnter("b"), nullptr);
  EXPECT_NE(gate.TryEnter("a"), nullptr);  // the one before was given up at once
}

TEST(FairGate, APlaceMayOutliveItsGate) {
  std::optional<FairGate> gate(std::in_place, 1, 1);
  FairGate::Place place = gate->TryEnter("a");
  gate.reset();
  place.reset();
  EXPECT_EQ(place, nullptr);
}

}  // namespace
}  // namespace glovebox
