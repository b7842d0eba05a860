// SPDX-License-Identifier: Apache-2.0
//
// Big-endian integers, as every format of the ledger has them. REQUIRES for reading: enough bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"

namespace glovebox::ledger {

inline void AppendBigEndian(std::uint64_t value, std::size_t width, std::string& out) {
  for (std::size_t i = width; i > 0; --i) {
    out.push_back(static_cast<char>((value >> (8U * (i - 1))) & 0xFFU));
  }
}

inline std::uint64_t ReadBigEndian(std::string_view bytes, std::size_t width) {
  GB_ASSERT(bytes.size() >= width);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

inline void AppendU16(std::uint16_t value, std::string& out) { AppendBigEndian(value, 2, out); }
inline void AppendU32(std::uint32_t value, std::string& out) { AppendBigEndian(value, 4, out); }
inline void AppendU64(std::uint64_t value, std::string& out) { AppendBigEndian(value, 8, out); }
inline std::uint16_t ReadU16(std::string_view bytes) { return static_cast<std::uint16_t>(ReadBigEndian(bytes, 2)); }
inline std::uint32_t ReadU32(std::string_view bytes) { return static_cast<std::uint32_t>(ReadBigEndian(bytes, 4)); }
inline std::uint64_t ReadU64(std::string_view bytes) { return ReadBigEndian(bytes, 8); }

}  // namespace glovebox::ledger
