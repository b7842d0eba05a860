// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "crypto/sodium_start.h"

namespace glovebox::crypto {
namespace {

constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kSealedOverheadBytes == kNonceBytes + kTagBytes);
static_assert(kMasterKeyBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* Data(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* Data(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

Status CheckMode(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return Status(ErrorCode::kDataLoss, "the master key " + path + " is not a readable file");
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Status(ErrorCode::kPermissionDenied,
                  "the master key " + path + " is open to other users; run chmod 600 on it and consider it known");
  }
  return Status();
}

}  // namespace

MasterKey::~MasterKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

Result<MasterKey> MasterKey::FromBytes(std::string_view bytes) {
  StartSodium();
  if (bytes.size() != kMasterKeyBytes) {
    return Status(ErrorCode::kInvalidParameterValue, "a master key has 32 bytes");
  }
  MasterKey key;
  std::copy(bytes.begin(), bytes.end(), key.bytes_.begin());
  return key;
}

Result<MasterKey> MasterKey::Load(const std::string& path) {
  GB_RETURN_IF_ERROR(CheckMode(path));
  Result<std::string> bytes = ReadFile(path, kMasterKeyBytes);
  if (!bytes.ok() || bytes->size() != kMasterKeyBytes) {
    return Status(ErrorCode::kDataLoss, "the master key " + path + " cannot be read or does not have 32 bytes");
  }
  Result<MasterKey> key = FromBytes(*bytes);
  Wipe(*bytes);
  return key;
}

Result<MasterKey> MasterKey::Create(const std::string& path, Random& random) {
  if (FileExists(path)) {
    return Status(ErrorCode::kAlreadyExists, "there is a master key " + path);
  }
  std::string bytes = random.Bytes(kMasterKeyBytes);
  const Status written = WriteFileDurably(path, bytes, 0600);
  Wipe(bytes);
  GB_RETURN_IF_ERROR(written);
  return Load(path);
}

std::string MasterKey::Seal(std::string_view content, std::string_view associated, Random& random) const {
  std::string sealed = random.Bytes(kNonceBytes);
  sealed.resize(kNonceBytes + content.size() + kTagBytes);
  GB_ASSERT(crypto_aead_xchacha20poly1305_ietf_encrypt(Data(sealed) + kNonceBytes, nullptr, Data(content),
                                                       content.size(), Data(associated), associated.size(), nullptr,
                                                       Data(sealed), bytes_.data()) == 0);
  return sealed;
}

Result<std::string> MasterKey::Open(std::string_view sealed, std::string_view associated) const {
  const Status wrong(ErrorCode::kDataLoss, "a sealed value does not open with the master key of this server");
  if (sealed.size() < kSealedOverheadBytes) {
    return wrong;
  }
  std::string content(sealed.size() - kSealedOverheadBytes, '\0');
  const std::string_view ciphertext = sealed.substr(kNonceBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(Data(content), nullptr, nullptr, Data(ciphertext), ciphertext.size(),
                                                 Data(associated), associated.size(), Data(sealed),
                                                 bytes_.data()) != 0) {
    return wrong;
  }
  return content;
}

void Wipe(std::string& secret) { sodium_memzero(secret.data(), secret.size()); }

}  // namespace glovebox::crypto
