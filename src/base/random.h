// SPDX-License-Identifier: Apache-2.0
//
// Randomness comes in as an argument. SystemRandom reads the kernel's generator and is the only one
// that the server ever constructs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace glovebox {

// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<std::uint8_t> bytes) = 0;
  // `count` random bytes as a string.
  std::string Bytes(std::size_t count);
};

class SystemRandom final : public Random {
 public:
  void Fill(std::span<std::uint8_t> bytes) override;
};

// A fixed sequence from a seed; for tests only. NOT for keys, tokens or noise.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void Fill(std::span<std::uint8_t> bytes) override;

 private:
  std::atomic<std::uint64_t> state_;
};

}  // namespace glovebox
