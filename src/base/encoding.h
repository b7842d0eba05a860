// SPDX-License-Identifier: Apache-2.0
//
// Text forms of bytes. Decoders are strict: what they accept, the encoder would have written
// (RFC 4648 with padding; canonical trailing bits; no white space).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace glovebox {

std::string HexEncode(std::string_view bytes);  // lower case
Result<std::string> HexDecode(std::string_view hex);
std::string Base64Encode(std::string_view bytes);
Result<std::string> Base64Decode(std::string_view text);
std::string Base64UrlEncode(std::string_view bytes);  // no padding
Result<std::string> Base64UrlDecode(std::string_view text);
// %XX; everything but unreserved characters (RFC 3986) and those in `keep`.
std::string PercentEncode(std::string_view text, std::string_view keep = "");
// Returns INVALID_PARAMETER_VALUE on a truncated or wrong escape. '+' stays '+'.
Result<std::string> PercentDecode(std::string_view text);

}  // namespace glovebox
