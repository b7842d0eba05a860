// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), and comparison that takes the same time for every content.
//
// Digests are raw bytes; text forms are the caller's (base/encoding.h). Nothing here fails on input: a failure of
// the library beneath would leave us without integrity and is asserted.
// Threads: the functions may be called from any; a Sha256 belongs to one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace glovebox::crypto {

inline constexpr std::size_t kSha256Bytes = 32;
using Digest = std::array<std::uint8_t, kSha256Bytes>;

// Incremental SHA-256. A copy goes on from where the original stands.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256& other);
  Sha256& operator=(const Sha256& other);
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  Sha256& Update(std::string_view bytes);
  // The digest of all bytes so far; the object is as new afterwards.
  [[nodiscard]] Digest Finish();

  [[nodiscard]] static Digest Of(std::string_view bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// The key may have any length, zero included.
[[nodiscard]] Digest HmacSha256(std::string_view key, std::string_view message);

// HMAC-SHA-256 of many messages under one key: the key is absorbed once. Immutable; may be used from many threads.
class HmacKey {
 public:
  explicit HmacKey(std::string_view key);
  ~HmacKey();
  HmacKey(HmacKey&&) noexcept;
  HmacKey& operator=(HmacKey&&) noexcept;

  [[nodiscard]] Digest Of(std::string_view message) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The bytes of a digest as they go into messages, files and encoders.
[[nodiscard]] std::string_view Bytes(const Digest& digest);  // valid as long as `digest`
std::string_view Bytes(Digest&&) = delete;
[[nodiscard]] std::string ToString(const Digest& digest);
[[nodiscard]] std::string ToHex(const Digest& digest);  // lower case

}  // namespace glovebox::crypto
