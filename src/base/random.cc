// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/assert.h"

namespace glovebox {

std::string Random::Bytes(std::size_t count) {
  std::string bytes(count, '\0');
  Fill(std::span(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()));
  return bytes;
}

void SystemRandom::Fill(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    // Only a kernel without the call fails otherwise, and nothing here may go on with bytes that are not random.
    GB_ASSERT(got > 0 || errno == EINTR);
    if (got > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
  }
}

// SplitMix64: a counter and a finaliser, so that threads may share it.
void SeededRandom::Fill(std::span<std::uint8_t> bytes) {
  constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15;
  while (!bytes.empty()) {
    std::uint64_t word = state_.fetch_add(kStep) + kStep;
    word = (word ^ (word >> 30U)) * 0xBF58476D1CE4E5B9;
    word = (word ^ (word >> 27U)) * 0x94D049BB133111EB;
    word ^= word >> 31U;
    for (int i = 0; i < 8 && !bytes.empty(); ++i) {
      bytes.front() = static_cast<std::uint8_t>(word);
      word >>= 8U;
      bytes = bytes.subspan(1);
    }
  }
}

}  // namespace glovebox
