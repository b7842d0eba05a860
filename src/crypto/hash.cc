// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/assert.h"
#include "base/encoding.h"

namespace glovebox::crypto {
namespace {

constexpr std::size_t kBlockBytes = 64;
constexpr std::uint8_t kInnerPad = 0x36;
constexpr std::uint8_t kOuterPad = 0x5C;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<EVP_MD_CTX, FreeContext>;

// Fetched once: OpenSSL 3 otherwise looks the algorithm up for every hash.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  GB_ASSERT(algorithm != nullptr);
  return algorithm;
}

ContextPtr NewContext() {
  ContextPtr context(EVP_MD_CTX_new());
  GB_ASSERT(context != nullptr);
  return context;
}

// A context for what begins and ends within one call; allocating one would cost as much as hashing a short text.
EVP_MD_CTX* Scratch() {
  thread_local const ContextPtr scratch = NewContext();
  return scratch.get();
}

void Init(EVP_MD_CTX* context) { GB_ASSERT(EVP_DigestInit_ex2(context, Algorithm(), nullptr) == 1); }

void Update(EVP_MD_CTX* context, std::string_view bytes) {
  GB_ASSERT(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
}

void Copy(EVP_MD_CTX* to, const EVP_MD_CTX* from) { GB_ASSERT(EVP_MD_CTX_copy_ex(to, from) == 1); }

Digest Final(EVP_MD_CTX* context) {
  Digest digest{};
  unsigned length = 0;
  GB_ASSERT(EVP_DigestFinal_ex(context, digest.data(), &length) == 1 && length == digest.size());
  return digest;
}

}  // namespace

struct Sha256::Context {
  ContextPtr evp = NewContext();
};

Sha256::Sha256() : context_(std::make_unique<Context>()) { Init(context_->evp.get()); }
Sha256::~Sha256() = default;
Sha256::Sha256(const Sha256& other) : context_(std::make_unique<Context>()) {
  Copy(context_->evp.get(), other.context_->evp.get());
}
Sha256& Sha256::operator=(const Sha256& other) {
  if (this != &other) {
    *this = Sha256(other);
  }
  return *this;
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::Update(std::string_view bytes) {
  crypto::Update(context_->evp.get(), bytes);
  return *this;
}

Digest Sha256::Finish() {
  const Digest digest = Final(context_->evp.get());
  Init(context_->evp.get());
  return digest;
}

Digest Sha256::Of(std::string_view bytes) {
  EVP_MD_CTX* scratch = Scratch();
  Init(scratch);
  crypto::Update(scratch, bytes);
  return Final(scratch);
}

// The hash states after the inner and the outer padded key.
struct HmacKey::State {
  ContextPtr inner = NewContext();
  ContextPtr outer = NewContext();
};

HmacKey::HmacKey(std::string_view key) : state_(std::make_unique<State>()) {
  std::string block = key.size() > kBlockBytes ? ToString(Sha256::Of(key)) : std::string(key);
  block.resize(kBlockBytes, '\0');
  for (char& c : block) {
    c = static_cast<char>(static_cast<std::uint8_t>(c) ^ kInnerPad);
  }
  Init(state_->inner.get());
  crypto::Update(state_->inner.get(), block);
  for (char& c : block) {
    c = static_cast<char>(static_cast<std::uint8_t>(c) ^ kInnerPad ^ kOuterPad);
  }
  Init(state_->outer.get());
  crypto::Update(state_->outer.get(), block);
  OPENSSL_cleanse(block.data(), block.size());
}

HmacKey::~HmacKey() = default;
HmacKey::HmacKey(HmacKey&&) noexcept = default;
HmacKey& HmacKey::operator=(HmacKey&&) noexcept = default;

Digest HmacKey::Of(std::string_view message) const {
  EVP_MD_CTX* scratch = Scratch();
  Copy(scratch, state_->inner.get());
  crypto::Update(scratch, message);
  const Digest inner = Final(scratch);
  Copy(scratch, state_->outer.get());
  crypto::Update(scratch, Bytes(inner));
  return Final(scratch);
}

Digest HmacSha256(std::string_view key, std::string_view message) { return HmacKey(key).Of(message); }

std::string_view Bytes(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

std::string ToString(const Digest& digest) { return std::string(Bytes(digest)); }

std::string ToHex(const Digest& digest) { return HexEncode(Bytes(digest)); }

}  // namespace glovebox::crypto
