// SPDX-License-Identifier: Apache-2.0
#include "crypto/token.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/hash.h"

namespace glovebox::crypto {
namespace {

constexpr std::string_view kScheme = "dapi";
constexpr std::size_t kTokenRandomBytes = 24;

bool IsBase64Url(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

NewToken CreateToken(Random& random) {
  NewToken token;
  token.text = std::string(kScheme) + Base64UrlEncode(random.Bytes(kTokenRandomBytes));
  token.hash = HashToken(token.text);
  return token;
}

bool IsTokenForm(std::string_view text) {
  return text.size() == kTokenChars && text.starts_with(kScheme) && std::all_of(text.begin(), text.end(), IsBase64Url);
}

std::string HashToken(std::string_view text) { return ToHex(Sha256::Of(text)); }

}  // namespace glovebox::crypto
