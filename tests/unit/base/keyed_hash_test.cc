// SPDX-License-Identifier: Apache-2.0
#include "base/keyed_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace glovebox {
namespace {

// Known answers: what CPython 3.11, whose hash of bytes is SipHash-1-3, gives with PYTHONHASHSEED=0, and Rust's test of
// the empty text under the key 00 01 .. 0f.
TEST(KeyedHashTest, IsSipHash13) {
  EXPECT_EQ(SipHash13("a", {}), 0x407448d2b89b1813U);
  EXPECT_EQ(SipHash13("1234567", {}), 0xa33d651594fdae81U);
  EXPECT_EQ(SipHash13("12345678", {}), 0x3489982430560a87U);
  EXPECT_EQ(SipHash13("the quick brown fox jumps over", {}), 0xad7dbf39b6f5e689U);
  EXPECT_EQ(SipHash13("", {.low = 0x0706050403020100U, .high = 0x0f0e0d0c0b0a0908U}), 0xabac0158050fc4dcU);
}

TEST(KeyedHashTest, DependsOnEveryByteAndTheLength) {
  const std::string text = "the quick brown fox";
  EXPECT_EQ(KeyedHash(text), KeyedHash(std::string(text)));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] ^= 1;
    EXPECT_NE(KeyedHash(other), KeyedHash(text));
    EXPECT_NE(KeyedHash(text.substr(0, i)), KeyedHash(text));
  }
  EXPECT_NE(KeyedHash(std::string(1, '\0')), KeyedHash(std::string(2, '\0')));
}

}  // namespace
}  // namespace glovebox
