// SPDX-License-Identifier: Apache-2.0
#include "base/ids.h"

#include <array>
#include <span>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/random.h"

namespace glovebox {
namespace {

constexpr std::size_t kUuidChars = 36;

bool IsHyphenPosition(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

std::string NewUuid(const Clock& clock, Random& random) { return NewUuidAt(clock.Now(), random); }

std::string NewUuidAt(TimeMs time, Random& random) {
  std::array<std::uint8_t, 16> bytes{};
  random.Fill(std::span(bytes).subspan(6));
  const auto ms = static_cast<std::uint64_t>(ToInt(time));
  for (unsigned i = 0; i < 6; ++i) {
    bytes[i] = static_cast<std::uint8_t>(ms >> (40U - 8U * i));
  }
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0FU) | 0x70U);  // version 7
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3FU) | 0x80U);  // variant of RFC 9562
  std::string text = HexEncode(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  for (const std::size_t position : {8U, 13U, 18U, 23U}) {
    text.insert(position, 1, '-');
  }
  return text;
}

bool IsUuid(std::string_view text) {
  if (text.size() != kUuidChars) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (IsHyphenPosition(i) ? c != '-' : !is_hex) {
      return false;
    }
  }
  return true;
}

}  // namespace glovebox
