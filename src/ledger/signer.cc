// SPDX-License-Identifier: Apache-2.0
#include "ledger/signer.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/encoding.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "crypto/hash.h"
#include "crypto/signature.h"
#include "ledger/bytes.h"

namespace glovebox::ledger {
namespace {

constexpr std::size_t kKeyIdHexDigits = 8;

Status Bad(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }

// algorithm || public key, the bytes that a vkey carries as base64.
std::string KeyBytes(const VerifierKey& key) {
  std::string bytes(1, static_cast<char>(key.algorithm));
  bytes += key.public_key.bytes();
  return bytes;
}

std::string IdHex(std::uint32_t id) {
  std::string bytes;
  AppendU32(id, bytes);
  return HexEncode(bytes);
}

// White space of Unicode beyond ASCII, as UTF-8; what the note format forbids in key names.
bool HasUnicodeSpace(std::string_view text) {
  constexpr std::string_view kSpaces[] = {
      "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
      "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A",
      "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};
  for (const std::string_view space : kSpaces) {
    if (text.find(space) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

class MemorySigner final : public Signer {
 public:
  explicit MemorySigner(const crypto::PrivateKey& key) : key_(key) {}
  const crypto::PublicKey& public_key() const override { return key_.public_key(); }
  Result<std::string> Sign(std::string_view message) const override { return key_.Sign(message); }

 private:
  crypto::PrivateKey key_;
};

}  // namespace

std::uint32_t VerifierKey::Id() const {
  const crypto::Digest digest = crypto::Sha256().Update(name).Update("\n").Update(KeyBytes(*this)).Finish();
  return ReadU32(crypto::Bytes(digest));
}

std::string VerifierKey::NameAndId() const { return name + "+" + IdHex(Id()); }

std::string VerifierKey::Format() const { return NameAndId() + "+" + Base64Encode(KeyBytes(*this)); }

Status CheckKeyName(std::string_view name) {
  if (name.empty() || name.size() > limits::kLedgerKeyNameBytesMax) {
    return Bad("a key name is empty or too long");
  }
  for (const char c : name) {
    if (static_cast<unsigned char>(c) <= 0x20U || c == '+' || c == '\x7f') {
      return Bad("a key name has a space, a control character or a plus sign");
    }
  }
  if (!IsValidUtf8(name) || HasUnicodeSpace(name)) {
    return Bad("a key name is not UTF-8 without white space");
  }
  return {};
}

Result<VerifierKey> ParseVerifierKey(std::string_view text) {
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos || text.size() < first + 1 + kKeyIdHexDigits + 1 ||
      text[first + 1 + kKeyIdHexDigits] != '+') {
    return Bad("a verifier key has the form name+id+key");
  }
  GB_ASSIGN_OR_RETURN(VerifierKey key,
                      ParseUnnamedKey(text.substr(first + kKeyIdHexDigits + 2), std::string(text.substr(0, first))));
  if (key.Format() != text) {
    return Bad("the id of a verifier key does not belong to its name and key");
  }
  return key;
}

std::string FormatUnnamedKey(const VerifierKey& key) { return Base64Encode(KeyBytes(key)); }

Result<VerifierKey> ParseUnnamedKey(std::string_view text, std::string name) {
  GB_RETURN_IF_ERROR(CheckKeyName(name));
  GB_ASSIGN_OR_RETURN(const std::string bytes, Base64Decode(text));
  if (bytes.empty()) {
    return Bad("a verifier key has no bytes");
  }
  const auto algorithm = static_cast<std::uint8_t>(bytes[0]);
  if (algorithm != static_cast<std::uint8_t>(KeyAlgorithm::kEd25519Note) &&
      algorithm != static_cast<std::uint8_t>(KeyAlgorithm::kEd25519Cosignature)) {
    return Bad("the algorithm of a verifier key is neither Ed25519 nor cosignature/v1");
  }
  GB_ASSIGN_OR_RETURN(const crypto::PublicKey public_key,
                      crypto::PublicKey::FromBytes(std::string_view(bytes).substr(1)));
  return VerifierKey{std::move(name), static_cast<KeyAlgorithm>(algorithm), public_key};
}

std::shared_ptr<const Signer> NewMemorySigner(const crypto::PrivateKey& key) {
  return std::make_shared<MemorySigner>(key);
}

}  // namespace glovebox::ledger
