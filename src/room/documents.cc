// SPDX-License-Identifier: Apache-2.0
#include "room/documents.h"

#include <algorithm>

#include "base/strings.h"
#include "crypto/hash.h"

namespace glovebox::room {

json::Value ColumnsToJson(const std::vector<engine::Column>& columns) {
  json::Array out;
  for (const engine::Column& column : columns) {
    out.emplace_back(json::Object{{"name", column.name}, {"type", column.type}});
  }
  return json::Value(std::move(out));
}

std::vector<engine::Column> ColumnsFromJson(const json::Value& columns) {
  std::vector<engine::Column> out;
  if (columns.is_array()) {
    for (const json::Value& column : columns.as_array()) {
      out.push_back({column.GetString("name"), column.GetString("type")});
    }
  }
  return out;
}

json::Value NamedColumns(const std::vector<engine::Column>& columns, const json::Value& rule) {
  const json::Value* named = rule.Get("columns");
  json::Array out;
  for (const engine::Column& column : columns) {
    const bool is_named =
        named != nullptr && named->is_object() &&
        std::any_of(named->as_object().begin(), named->as_object().end(),
                    [&](const json::Member& member) { return EqualsIgnoreCase(member.first, column.name); });
    if (is_named) {
      out.emplace_back(json::Object{{"name", column.name}, {"type", column.type}});
    }
  }
  return json::Value(std::move(out));
}

std::string HexDigest(std::string_view bytes) { return crypto::ToHex(crypto::Sha256::Of(bytes)); }

}  // namespace glovebox::room
