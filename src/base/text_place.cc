// SPDX-License-Identifier: Apache-2.0
#include "base/text_place.h"

#include <algorithm>
#include <cstdint>

namespace glovebox {

std::string PlaceInText(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const std::string_view in_line = before.substr(line_start);
  const auto continuations =
      std::count_if(in_line.begin(), in_line.end(), [](char byte) { return (byte & '\xC0') == '\x80'; });
  const auto columns = static_cast<std::int64_t>(in_line.size()) - continuations;
  return "line " + std::to_string(lines + 1) + ", column " + std::to_string(columns + 1);
}

}  // namespace glovebox
