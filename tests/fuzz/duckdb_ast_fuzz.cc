// SPDX-License-Identifier: Apache-2.0
//
// The reader of the parser's answers: a line of SQL, then JSON. What is accepted is a whole tree; what is refused says
// where.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "query/own_query.h"
#include "query/sql_front_end.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\n'), size);
  const auto statements = glovebox::query::TranslateSql(text.substr(0, end));
  const auto tree = glovebox::query::ParseDuckdbJson(text.substr(std::min(end + 1, size)));
  if (!tree.ok() || !statements.ok() || statements->empty()) {
    return 0;
  }
  const auto query = glovebox::query::QueryFromDuckdbJson(*tree, statements->front());
  if (query.ok()) {
    static_cast<void>(glovebox::query::FindFileCalls(**query));  // walks it
  }
  GB_ASSERT(query.ok() || query.status().position().has_value());
  return 0;
}
