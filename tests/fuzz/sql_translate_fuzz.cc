// SPDX-License-Identifier: Apache-2.0
//
// TranslateSql: any text gives statements or a refusal with a position inside of it; positions of statements lead back
// into the text in ascending order.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/strings.h"
#include "query/sql_front_end.h"
#include "query/sql_names.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(glovebox::query::DottedNames(text));
  const auto statements = glovebox::query::TranslateSql(text);
  if (!statements.ok()) {
    GB_ASSERT(statements.status().position().has_value() && *statements.status().position() <= size);
    GB_ASSERT(!statements.status().message().empty());
    return 0;
  }
  for (const auto& statement : *statements) {
    GB_ASSERT(glovebox::IsValidUtf8(statement.sql) && !statement.sql.empty());
    std::size_t last = 0;
    for (std::size_t i = 0; i <= statement.sql.size(); ++i) {
      const std::size_t original = statement.positions.ToOriginal(i);
      GB_ASSERT(original >= last && original <= size + statement.sql.size());
      last = original;
    }
  }
  return 0;
}
