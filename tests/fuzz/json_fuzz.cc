// SPDX-License-Identifier: Apache-2.0
//
// What Parse accepts is written and parsed to the same value, in both forms of output.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using glovebox::json::Parse;
  const auto value = Parse({reinterpret_cast<const char*>(data), size});
  if (!value.ok()) {
    return 0;
  }
  const auto again = Parse(glovebox::json::Write(*value));
  GB_ASSERT(again.ok() && *again == *value);
  // The canonical form drops the difference between 2 and 2.0, so it is compared with itself. A whole double from
  // 2^63 on is canonically an integer that does not fit int64, which Parse refuses.
  const std::string canonical = glovebox::json::WriteCanonical(*value);
  const auto from_canonical = Parse(canonical);
  GB_ASSERT(!from_canonical.ok() || glovebox::json::WriteCanonical(*from_canonical) == canonical);
  return 0;
}
