// SPDX-License-Identifier: Apache-2.0
#include "base/encoding.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace glovebox {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kUpperHexDigits = "0123456789ABCDEF";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::uint32_t Byte(char c) { return static_cast<unsigned char>(c); }

// -1 if `c` is no hexadecimal digit.
int HexValue(char c, bool allow_upper) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return allow_upper && c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void AppendHex(char c, std::string_view digits, std::string& out) {
  out += digits[Byte(c) >> 4U];
  out += digits[Byte(c) & 15U];
}

std::string EncodeSixBits(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    buffer = (buffer << 8U | Byte(c)) & 0xFFFFU;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += alphabet[buffer >> bits & 63U];
    }
  }
  if (bits > 0) {
    text += alphabet[buffer << (6 - bits) & 63U];
  }
  return text;
}

constexpr std::array<std::int8_t, 256> DecodingTable(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr std::array<std::int8_t, 256> kBase64Table = DecodingTable(kBase64);
constexpr std::array<std::int8_t, 256> kBase64UrlTable = DecodingTable(kBase64Url);

// `text` is without padding.
Result<std::string> DecodeSixBits(std::string_view text, const std::array<std::int8_t, 256>& table) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const int value =
        int{table[Byte(c)]};  // NOLINT(bugprone-signed-char-misuse): a table of small numbers, -1 for none
    if (value < 0) {
      return Status(ErrorCode::kInvalidParameterValue, "base64 text has a character that does not belong there");
    }
    buffer = (buffer << 6U | static_cast<std::uint32_t>(value)) & 0xFFFFU;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(buffer >> bits & 0xFFU);
    }
  }
  if (bits >= 6 || (buffer & ((1U << bits) - 1)) != 0) {
    return Status(ErrorCode::kInvalidParameterValue, "base64 text does not end as an encoder would end it");
  }
  return bytes;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

std::string HexEncode(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    AppendHex(c, kHexDigits, hex);
  }
  return hex;
}

Result<std::string> HexDecode(std::string_view hex) {
  if (hex.size() % 2 != 0) {
    return Status(ErrorCode::kInvalidParameterValue, "hexadecimal text has an odd number of digits");
  }
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexValue(hex[i], false);
    const int low = HexValue(hex[i + 1], false);
    if (high < 0 || low < 0) {
      return Status(ErrorCode::kInvalidParameterValue, "hexadecimal text may hold 0-9 and a-f only");
    }
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::string Base64Encode(std::string_view bytes) {
  std::string text = EncodeSixBits(bytes, kBase64);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

Result<std::string> Base64Decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    return Status(ErrorCode::kInvalidParameterValue, "base64 text must have a multiple of four characters");
  }
  for (int i = 0; i < 2 && text.ends_with('='); ++i) {
    text.remove_suffix(1);
  }
  return DecodeSixBits(text, kBase64Table);
}

std::string Base64UrlEncode(std::string_view bytes) { return EncodeSixBits(bytes, kBase64Url); }

Result<std::string> Base64UrlDecode(std::string_view text) { return DecodeSixBits(text, kBase64UrlTable); }

std::string PercentEncode(std::string_view text, std::string_view keep) {
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c) || keep.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += '%';
      AppendHex(c, kUpperHexDigits, encoded);
    }
  }
  return encoded;
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexValue(text[i + 1], true) : -1;
    const int low = i + 2 < text.size() ? HexValue(text[i + 2], true) : -1;
    if (high < 0 || low < 0) {
      return Status(ErrorCode::kInvalidParameterValue, "a percent sign must be followed by two hexadecimal digits");
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace glovebox
