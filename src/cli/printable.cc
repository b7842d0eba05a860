// SPDX-License-Identifier: Apache-2.0
#include "cli/printable.h"

#include <cstddef>

#include "base/strings.h"

namespace glovebox::cli {
namespace {

// How many bytes at the start of a text are a character to hide; the text is UTF-8.
std::size_t HiddenBytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if (byte(0) < 0x20U || byte(0) == 0x7fU) {
    return 1;
  }
  if (byte(0) == 0xc2U && byte(1) < 0xa0U) {
    return 2;  // U+0080 to U+009F
  }
  return byte(0) == 0xe2U && (byte(1) == 0x80U || byte(1) == 0x81U) ? 3 : 0;  // U+2000 to U+207F
}

}  // namespace

std::string Printable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const bool is_utf8 = IsValidUtf8(text);
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const bool is_stray = !is_utf8 && static_cast<unsigned char>(text[i]) >= 0x80U;
    const std::size_t hidden = is_stray ? 1 : HiddenBytes(text.substr(i));
    if (hidden == 0) {
      out += text[i++];
      continue;
    }
    for (const std::size_t end = i + hidden; i < end; ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      out += "\\x";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 0xfU];
    }
  }
  return out;
}

}  // namespace glovebox::cli
