// SPDX-License-Identifier: Apache-2.0
//
// Encryption at rest: XChaCha20-Poly1305 with a fresh random nonce for each call. Secrets and private keys are sealed
// under the server's master key before they reach the store.
//
// Protocol: `associated` names what is sealed and where it belongs ("secret/<scope id>/<key>"), so that a sealed value
// that was moved to another place does not open there. Sealed form: 24 bytes nonce, ciphertext, 16 bytes tag.
//
// Who learns what: whoever reads the store without the master key learns lengths only. Errors never carry bytes of a
// key or of a content. Threads: a MasterKey is immutable; its methods may be called from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace glovebox::crypto {

inline constexpr std::size_t kMasterKeyBytes = 32;
inline constexpr std::size_t kSealedOverheadBytes = 24 + 16;

class MasterKey {
 public:
  // Returns INVALID_PARAMETER_VALUE unless `bytes` are 32.
  static Result<MasterKey> FromBytes(std::string_view bytes);
  // Reads the key from the file. Returns DATA_LOSS if there is none or it is no key, PERMISSION_DENIED if others than
  // the owner may read or write it.
  static Result<MasterKey> Load(const std::string& path);
  // Writes a fresh key to the file, durably and with mode 0600. Returns ALREADY_EXISTS if there is one: it is never
  // replaced, because everything sealed under it would be lost. REQUIRES: no other process does the same at this
  // moment (the server holds the lock of its data folder), and nothing is sealed yet.
  static Result<MasterKey> Create(const std::string& path, Random& random);

  MasterKey(const MasterKey&) = default;
  MasterKey& operator=(const MasterKey&) = default;
  ~MasterKey();  // wipes the key

  [[nodiscard]] std::string Seal(std::string_view content, std::string_view associated, Random& random) const;
  // Returns DATA_LOSS if `sealed` was not sealed under this key with this `associated`, or was changed since.
  [[nodiscard]] Result<std::string> Open(std::string_view sealed, std::string_view associated) const;

 private:
  MasterKey() = default;
  std::array<std::uint8_t, kMasterKeyBytes> bytes_{};
};

// Overwrites an opened secret that is not needed any more.
void Wipe(std::string& secret);

}  // namespace glovebox::crypto
