// SPDX-License-Identifier: Apache-2.0
#include "base/keyed_hash.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>

#include "base/random.h"

namespace glovebox {
namespace {

SipKey DrawKey() {
  std::array<std::uint8_t, sizeof(SipKey)> bytes{};
  SystemRandom().Fill(bytes);
  return std::bit_cast<SipKey>(bytes);
}

struct State {
  std::uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }

  void Absorb(std::uint64_t word) {
    v3 ^= word;
    Round();
    v0 ^= word;
  }
};

std::uint64_t LoadWord(const char* bytes, std::size_t count) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  return word;
}

}  // namespace

std::uint64_t KeyedHash(std::string_view text) {
  static const SipKey key = DrawKey();
  return SipHash13(text, key);
}

std::uint64_t SipHash13(std::string_view text, const SipKey& key) {
  State state{key.low ^ 0x736f6d6570736575U, key.high ^ 0x646f72616e646f6dU, key.low ^ 0x6c7967656e657261U,
              key.high ^ 0x7465646279746573U};
  const std::uint64_t length = text.size();
  while (text.size() >= 8) {
    state.Absorb(LoadWord(text.data(), 8));  // NOLINT(bugprone-suspicious-stringview-data-usage): eight bytes are there
    text.remove_prefix(8);
  }
  state.Absorb(length << 56U | LoadWord(text.data(), text.size()));
  state.v2 ^= 0xFF;
  state.Round();
  state.Round();
  state.Round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace glovebox
