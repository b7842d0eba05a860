// SPDX-License-Identifier: Apache-2.0
//
// The small JSON documents that the store and the ledger keep of tables, and their digests. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/engine.h"

namespace glovebox::room {

// The columns of a prepared scan that its rule names: the hidden unit is not among them.
json::Value NamedColumns(const std::vector<engine::Column>& columns, const json::Value& rule);
json::Value ColumnsToJson(const std::vector<engine::Column>& columns);
std::vector<engine::Column> ColumnsFromJson(const json::Value& columns);
// Lower-case hexadecimal SHA-256.
std::string HexDigest(std::string_view bytes);

}  // namespace glovebox::room
