// SPDX-License-Identifier: Apache-2.0
//
// Decoders accept only what their encoders write; normal forms are stable; names that pass are safe.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/strings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace glovebox;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = HexDecode(text); bytes.ok()) {
    GB_ASSERT(HexEncode(*bytes) == text);
  }
  if (const auto bytes = Base64Decode(text); bytes.ok()) {
    GB_ASSERT(Base64Encode(*bytes) == text);
  }
  if (const auto bytes = Base64UrlDecode(text); bytes.ok()) {
    GB_ASSERT(Base64UrlEncode(*bytes) == text);
  }
  if (const auto bytes = PercentDecode(text); bytes.ok()) {
    GB_ASSERT(PercentDecode(PercentEncode(*bytes)).value() == *bytes);
  }
  if (const auto time = ParseRfc3339(text); time.ok()) {
    GB_ASSERT(FormatRfc3339(*time).substr(0, 19) == text.substr(0, 19));
  }
  const auto composed = ToNfc(text);
  const auto canonical = NfkcTrimLower(text);
  GB_ASSERT(composed.ok() == IsValidUtf8(text) && canonical.ok() == composed.ok());
  if (composed.ok()) {
    GB_ASSERT(ToNfc(*composed).value() == *composed);
    GB_ASSERT(NfkcTrimLower(*canonical).value() == *canonical);
  }
  if (CheckPathSafeName(text, "name").ok()) {
    GB_ASSERT(text.find('/') == std::string_view::npos && text != ".." && text.find('\0') == std::string_view::npos);
  }
  return 0;
}
