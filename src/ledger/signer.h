// SPDX-License-Identifier: Apache-2.0
//
// Keys of the ledger, under the names by which notes know them (C2SP signed-note).
//
//   key id = first 4 bytes of SHA-256(name || 0x0A || algorithm || public key), big-endian
//   vkey   = name "+" 8 hex digits of the key id "+" base64(algorithm || public key)
//
// Who learns what: a Signer gives signatures, never its secret; a vkey is public.
// Errors: INVALID_PARAMETER_VALUE for malformed text and for weak keys. A weak key (small order, not
// canonical) would let its owner disown everything signed with it, so no ParseVerifierKey accepts one.
// Threads: Signer implementations are thread-safe; the rest are plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/signature.h"

namespace glovebox::ledger {

// The algorithm byte. A cosignature key signs other bytes than a note key, so neither passes as the other.
enum class KeyAlgorithm : std::uint8_t { kEd25519Note = 0x01, kEd25519Cosignature = 0x04 };

struct VerifierKey {
  std::string name;
  KeyAlgorithm algorithm;
  crypto::PublicKey public_key;

  [[nodiscard]] std::uint32_t Id() const;
  // "name+1a2b3c4d": how an entry names a key.
  [[nodiscard]] std::string NameAndId() const;
  [[nodiscard]] std::string Format() const;
  bool operator==(const VerifierKey&) const = default;
};

// A note's key name: valid UTF-8, not empty, no white space or control character, no '+'.
Status CheckKeyName(std::string_view name);
// Refuses unknown algorithms, a wrong key id, text that Format would not have written, and weak keys.
Result<VerifierKey> ParseVerifierKey(std::string_view text);
// The pair of algorithm and key without a name, as base64: how entry 0 pins the log's key, whose name is derived
// from entry 0.
std::string FormatUnnamedKey(const VerifierKey& key);
Result<VerifierKey> ParseUnnamedKey(std::string_view text, std::string name);

// Holds an Ed25519 secret, here or elsewhere.
class Signer {
 public:
  virtual ~Signer() = default;
  [[nodiscard]] virtual const crypto::PublicKey& public_key() const = 0;
  // crypto::kEd25519SignatureBytes bytes. Deterministic (RFC 8032).
  [[nodiscard]] virtual Result<std::string> Sign(std::string_view message) const = 0;
};

// A signer whose secret is in this process's memory.
std::shared_ptr<const Signer> NewMemorySigner(const crypto::PrivateKey& key);

}  // namespace glovebox::ledger
