// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <gtest/gtest.h>

#include <bitset>
#include <string>

#include "base/encoding.h"

namespace glovebox {
namespace {

TEST(RandomTest, SeededSequenceIsFixed) {
  SeededRandom random(0);
  // SplitMix64 from seed 0, little-endian.
  EXPECT_EQ(HexEncode(random.Bytes(16)), "afcd1d7b39a820e2f465b9a16a9e786e");
  EXPECT_NE(random.Bytes(16), SeededRandom(0).Bytes(16));
  EXPECT_NE(SeededRandom(1).Bytes(16), SeededRandom(0).Bytes(16));
}

TEST(RandomTest, SystemRandomIsNeitherConstantNorBiased) {
  SystemRandom random;
  const std::string bytes = random.Bytes(100'000);
  EXPECT_NE(bytes, random.Bytes(100'000));
  std::size_t ones = 0;
  for (const char c : bytes) {
    ones += std::bitset<8>(static_cast<unsigned char>(c)).count();
  }
  // 400,000 expected with a standard deviation of 447.
  EXPECT_NEAR(static_cast<double>(ones), 400'000.0, 6 * 447.0);
  EXPECT_TRUE(random.Bytes(0).empty());
}

}  // namespace
}  // namespace glovebox
