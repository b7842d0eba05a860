// SPDX-License-Identifier: Apache-2.0
//
// A hash for hash tables whose keys an adversary chooses: SipHash-1-3 under a key that each process draws at
// its start, so that nobody can prepare keys that collide. Not for anything that is stored or sent.
// Threads: may be called from any.
#pragma once

#include <cstdint>
#include <string_view>

namespace glovebox {

[[nodiscard]] std::uint64_t KeyedHash(std::string_view text);

// KeyedHash under a key that is known, so that its answers can be checked (Aumasson and Bernstein, "SipHash: a fast
// short-input PRF", 2012; one round a word, three at the end).
struct SipKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};
[[nodiscard]] std::uint64_t SipHash13(std::string_view text, const SipKey& key);

}  // namespace glovebox
