// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/sodium_start.h"

namespace glovebox::crypto {
namespace {

static_assert(kEd25519SeedBytes == crypto_sign_SEEDBYTES);
static_assert(kEd25519PublicKeyBytes == crypto_sign_PUBLICKEYBYTES);
static_assert(kEd25519SignatureBytes == crypto_sign_BYTES);

const unsigned char* Data(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

// libsodium's secret key is the seed followed by the public key; wiped on destruction.
struct SecretKey {
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> bytes{};
  SecretKey() = default;
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  ~SecretKey() { sodium_memzero(bytes.data(), bytes.size()); }
};

}  // namespace

Result<PublicKey> PublicKey::FromBytes(std::string_view bytes) {
  StartSodium();
  if (bytes.size() != kEd25519PublicKeyBytes) {
    return Status(ErrorCode::kInvalidParameterValue, "an Ed25519 public key has 32 bytes");
  }
  // Canonical, on the curve, not of small order, in the main subgroup.
  if (crypto_core_ed25519_is_valid_point(Data(bytes)) != 1) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "this Ed25519 public key is weak or not canonical; generate a new key pair");
  }
  PublicKey key;
  std::copy(bytes.begin(), bytes.end(), key.bytes_.begin());
  return key;
}

bool PublicKey::Verify(std::string_view message, std::string_view signature) const {
  return signature.size() == kEd25519SignatureBytes &&
         crypto_sign_verify_detached(Data(signature), Data(message), message.size(), bytes_.data()) == 0;
}

PrivateKey::PrivateKey(std::string_view seed, const PublicKey& public_key) : public_key_(public_key) {
  std::copy(seed.begin(), seed.end(), seed_.begin());
}

PrivateKey::~PrivateKey() { sodium_memzero(seed_.data(), seed_.size()); }

PrivateKey PrivateKey::Generate(Random& random) {
  std::string seed = random.Bytes(kEd25519SeedBytes);
  Result<PrivateKey> key = FromSeed(seed);
  sodium_memzero(seed.data(), seed.size());
  return std::move(key).value();
}

Result<PrivateKey> PrivateKey::FromSeed(std::string_view seed) {
  StartSodium();
  if (seed.size() != kEd25519SeedBytes) {
    return Status(ErrorCode::kInvalidParameterValue, "the seed of an Ed25519 key has 32 bytes");
  }
  SecretKey secret;
  std::array<unsigned char, kEd25519PublicKeyBytes> public_bytes{};
  GB_ASSERT(crypto_sign_seed_keypair(public_bytes.data(), secret.bytes.data(), Data(seed)) == 0);
  GB_ASSIGN_OR_RETURN(const PublicKey public_key,
                      PublicKey::FromBytes({reinterpret_cast<const char*>(public_bytes.data()), public_bytes.size()}));
  return PrivateKey(seed, public_key);
}

std::string PrivateKey::Sign(std::string_view message) const {
  SecretKey secret;
  std::copy(seed_.begin(), seed_.end(), secret.bytes.begin());
  const std::string_view public_bytes = public_key_.bytes();
  std::copy(public_bytes.begin(), public_bytes.end(), secret.bytes.begin() + kEd25519SeedBytes);
  std::array<unsigned char, kEd25519SignatureBytes> signature{};
  GB_ASSERT(crypto_sign_detached(signature.data(), nullptr, Data(message), message.size(), secret.bytes.data()) == 0);
  return std::string(reinterpret_cast<const char*>(signature.data()), signature.size());
}

}  // namespace glovebox::crypto
