// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a statement: an error has a position in the text, and what is taken for a query is a part of the text.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "base/assert.h"
#include "statement/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto statement = glovebox::statement::Parse(text);
  if (!statement.ok()) {
    GB_ASSERT(statement.status().position().has_value());
    GB_ASSERT(*statement.status().position() <= text.size());
    return 0;
  }
  if (const auto* query = std::get_if<glovebox::statement::Query>(&*statement)) {
    GB_ASSERT(!query->sql.empty());
    GB_ASSERT(text.substr(query->position, query->sql.size()) == query->sql);
  }
  return 0;
}
