// SPDX-License-Identifier: Apache-2.0
//
// Objects of the catalogue in Unity Catalog's shapes (CatalogInfo, SchemaInfo, TableInfo, VolumeInfo, FunctionInfo),
// and the requests that several of them share. No shape has a path of the server's disk. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"

namespace glovebox::api {

enum class Detail { kFull, kWithoutColumns };

json::Value CatalogJson(const catalog::Caller& caller, const catalog::Securable& securable);
json::Value SchemaJson(const catalog::Caller& caller, const catalog::Securable& securable);
json::Value VolumeJson(const catalog::Caller& caller, const catalog::Securable& securable);
json::Value TableJson(const catalog::Caller& caller, const catalog::Table& table, Detail detail);
json::Value FunctionJson(const catalog::Caller& caller, const catalog::Function& function);

// "catalog.schema" from a request's catalog_name and schema_name, or INVALID_PARAMETER_VALUE.
Result<std::string> SchemaNameOf(const std::string& catalog_name, const std::string& schema_name);
// NOT_SUPPORTED with the reason if the member is there and says anything.
Status RefuseMember(const json::Value& body, std::string_view key, std::string_view reason);
// `comment` and `owner` of a PATCH; what else Unity Catalog could change is refused.
Result<catalog::SecurableUpdate> ReadUpdate(const json::Value& body);

}  // namespace glovebox::api
