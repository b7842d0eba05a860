// SPDX-License-Identifier: Apache-2.0
//
// Personal access tokens: "dapi" and 32 characters of base64url, which are 192 random bits, in the form that clients
// of Databricks recognise and secret scanners find.
//
// Who learns what: the plain text exists once, in the answer that creates the token. The store keeps its SHA-256 (the
// input has more entropy than the digest could lose, so a slow hash would only slow us down).
// Threads: plain values.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/random.h"

namespace glovebox::crypto {

inline constexpr std::size_t kTokenChars = 36;

struct NewToken {
  std::string text;  // SECRET: shown once, never stored or logged
  std::string hash;  // what is stored and looked up: SHA-256 of the text, lower-case hexadecimal
};

[[nodiscard]] NewToken CreateToken(Random& random);
// Whether the text has the form of a token; cheap, before anything is looked up.
[[nodiscard]] bool IsTokenForm(std::string_view text);
// The hash of a token that was presented. Looking it up leaks nothing through time: an attacker cannot choose digests.
[[nodiscard]] std::string HashToken(std::string_view text);

}  // namespace glovebox::crypto
