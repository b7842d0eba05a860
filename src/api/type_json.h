// SPDX-License-Identifier: Apache-2.0
//
// Column types as Databricks' clients read them: "BIGINT" is {"type_name": "LONG", "type_text": "bigint", ...}. Types
// that Databricks has not (HUGEINT) are named as text, so that clients show them and do not fail. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"

namespace glovebox::api {

// ColumnInfo of Unity Catalog: name, type_name, type_text, type_json, type_precision, type_scale, position, nullable.
json::Object ColumnInfoJson(const std::string& name, std::string_view type, std::size_t position);
// ColumnInfo of SQL Statement Execution, which names types by other words ("BIGINT" is "LONG", "STRING" is "STRING").
json::Object ResultColumnJson(const std::string& name, std::string_view type, std::size_t position);
// The type_name alone: "LONG".
std::string TypeNameOf(std::string_view type);
// The type_text alone: "bigint", "decimal(10,2)".
std::string TypeTextOf(std::string_view type);

}  // namespace glovebox::api
