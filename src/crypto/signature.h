// SPDX-License-Identifier: Apache-2.0
//
// Ed25519 (RFC 8032) for parties that do not trust each other.
//
// A PublicKey exists only for a canonical encoding of a point of the prime-order group. Common libraries accept keys
// of small order, under which one fixed signature verifies over every message: whoever had enrolled such a key could
// say later that anybody may have signed for them. Verification likewise refuses signatures whose S is not reduced
// (somebody else could make a second valid signature from the first) and whose R is not canonical or of small order.
//
// Who learns what: a PrivateKey's seed leaves it through seed() only, for sealing (crypto/aead.h), and is wiped on
// destruction. Errors never carry key bytes. Signing is deterministic.
// Threads: keys are plain values; const methods may be called from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace glovebox::crypto {

inline constexpr std::size_t kEd25519SeedBytes = 32;
inline constexpr std::size_t kEd25519PublicKeyBytes = 32;
inline constexpr std::size_t kEd25519SignatureBytes = 64;

class PublicKey {
 public:
  // Returns INVALID_PARAMETER_VALUE unless `bytes` are 32 that encode a key as described above.
  static Result<PublicKey> FromBytes(std::string_view bytes);

  // Raw bytes, 32; valid as long as the key.
  [[nodiscard]] std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  // Whether `signature` (64 raw bytes) is this key's over `message`.
  [[nodiscard]] bool Verify(std::string_view message, std::string_view signature) const;

  [[nodiscard]] bool operator==(const PublicKey&) const = default;

 private:
  PublicKey() = default;
  std::array<std::uint8_t, kEd25519PublicKeyBytes> bytes_{};
};

class PrivateKey {
 public:
  static PrivateKey Generate(Random& random);
  // Returns INVALID_PARAMETER_VALUE unless `seed` has 32 bytes (the private key of RFC 8032).
  static Result<PrivateKey> FromSeed(std::string_view seed);

  PrivateKey(const PrivateKey&) = default;
  PrivateKey& operator=(const PrivateKey&) = default;
  ~PrivateKey();

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  // SECRET: 32 raw bytes, to be sealed and never logged; valid as long as the key.
  [[nodiscard]] std::string_view seed() const { return {reinterpret_cast<const char*>(seed_.data()), seed_.size()}; }
  // 64 raw bytes.
  [[nodiscard]] std::string Sign(std::string_view message) const;

 private:
  PrivateKey(std::string_view seed, const PublicKey& public_key);
  std::array<std::uint8_t, kEd25519SeedBytes> seed_{};
  PublicKey public_key_;
};

}  // namespace glovebox::crypto
