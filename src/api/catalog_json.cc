// SPDX-License-Identifier: Apache-2.0
#include "api/catalog_json.h"

#include <utility>
#include <vector>

#include "api/context.h"
#include "api/type_json.h"
#include "base/strings.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using catalog::Securable;

// What all shapes have.
json::Object CommonJson(const Caller& caller, const Securable& securable) {
  json::Object object{{"name", securable.name},
                      {"full_name", securable.full_name},
                      {"owner", securable.owner},
                      {"metastore_id", caller.organisation.str()},
                      {"created_at", ToInt(securable.created_at)},
                      {"created_by", securable.created_by},
                      {"updated_at", ToInt(securable.updated_at)},
                      {"updated_by", securable.updated_by},
                      {"browse_only", false}};
  SetText(object, "comment", securable.comment);
  return object;
}

// Adds catalog_name and schema_name from the full name: names have no dots.
void SetContainers(json::Object& object, const Securable& securable) {
  const std::vector<std::string> parts = Split(securable.full_name, '.');
  object.Set("catalog_name", parts.front());
  if (parts.size() == 3) {
    object.Set("schema_name", parts[1]);
  }
}

json::Value ColumnJson(const catalog::TableColumn& column, std::size_t position) {
  json::Object object = ColumnInfoJson(column.name, column.type, position);
  SetText(object, "comment", column.comment);
  if (column.mask.has_value()) {
    object.Set("mask", json::Object{{"function_name", column.mask->function},
                                    {"using_column_names", StringArray(column.mask->using_columns)}});
  }
  return object;
}

json::Value ParameterJson(const catalog::FunctionParameter& parameter, std::size_t position) {
  json::Object object = ColumnInfoJson(parameter.name, parameter.type, position);
  object.Erase("nullable");
  object.Set("parameter_mode", "IN");
  object.Set("parameter_type", "PARAM");
  SetText(object, "comment", parameter.comment);
  return object;
}

bool SaysNothing(const json::Value& value) {
  return value.is_null() || (value.is_string() && value.as_string().empty()) ||
         (value.is_array() && value.as_array().empty()) || (value.is_object() && value.as_object().empty());
}

}  // namespace

json::Value CatalogJson(const Caller& caller, const Securable& securable) {
  json::Object object = CommonJson(caller, securable);
  object.Set("catalog_type", "MANAGED_CATALOG");
  object.Set("securable_type", "CATALOG");
  object.Set("isolation_mode", "OPEN");
  return object;
}

json::Value SchemaJson(const Caller& caller, const Securable& securable) {
  json::Object object = CommonJson(caller, securable);
  SetContainers(object, securable);
  object.Set("catalog_type", "MANAGED_CATALOG");
  object.Set("schema_id", securable.id);
  return object;
}

json::Value VolumeJson(const Caller& caller, const Securable& securable) {
  json::Object object = CommonJson(caller, securable);
  SetContainers(object, securable);
  object.Set("volume_type", "MANAGED");
  object.Set("volume_id", securable.id);
  return object;
}

json::Value TableJson(const Caller& caller, const catalog::Table& table, Detail detail) {
  json::Object object = CommonJson(caller, table.info);
  SetContainers(object, table.info);
  object.Set("table_type", "MANAGED");
  object.Set("table_id", table.info.id);
  if (detail == Detail::kFull) {
    json::Array columns;
    for (const catalog::TableColumn& column : table.columns) {
      columns.push_back(ColumnJson(column, columns.size()));
    }
    object.Set("columns", std::move(columns));
  }
  if (table.row_filter.has_value()) {
    object.Set("row_filter", json::Object{{"function_name", table.row_filter->function},
                                          {"input_column_names", StringArray(table.row_filter->columns)}});
  }
  return object;
}

json::Value FunctionJson(const Caller& caller, const catalog::Function& function) {
  json::Object object = CommonJson(caller, function.info);
  SetContainers(object, function.info);
  json::Array parameters;
  for (const catalog::FunctionParameter& parameter : function.parameters) {
    parameters.push_back(ParameterJson(parameter, parameters.size()));
  }
  object.Set("input_params", json::Object{{"parameters", std::move(parameters)}});
  if (!function.return_type.empty()) {
    object.Set("data_type", TypeNameOf(function.return_type));
    object.Set("full_data_type", AsciiUpper(TypeTextOf(function.return_type)));
  }
  object.Set("routine_body", "SQL");
  SetText(object, "routine_definition", function.body);
  object.Set("parameter_style", "S");
  object.Set("is_deterministic", true);
  object.Set("sql_data_access", "CONTAINS_SQL");
  object.Set("is_null_call", false);
  object.Set("security_type", "DEFINER");
  object.Set("specific_name", function.info.name);
  object.Set("function_id", function.info.id);
  return object;
}

Result<std::string> SchemaNameOf(const std::string& catalog_name, const std::string& schema_name) {
  if (catalog_name.empty() || schema_name.empty()) {
    return Status(ErrorCode::kInvalidParameterValue, "'catalog_name' and 'schema_name' are required.");
  }
  return catalog_name + "." + schema_name;
}

Status RefuseMember(const json::Value& body, std::string_view key, std::string_view reason) {
  const json::Value* member = body.Get(key);
  if (member == nullptr || SaysNothing(*member)) {
    return {};
  }
  return {ErrorCode::kNotSupported, "'" + std::string(key) + "' is not supported: " + std::string(reason)};
}

Result<catalog::SecurableUpdate> ReadUpdate(const json::Value& body) {
  GB_RETURN_IF_ERROR(RefuseMember(body, "new_name", "a name never changes once it is given."));
  GB_RETURN_IF_ERROR(RefuseMember(body, "properties", "objects have no properties here."));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  catalog::SecurableUpdate update;
  if (reader.Find("comment") != nullptr) {
    GB_ASSIGN_OR_RETURN(update.comment, reader.OptionalString("comment"));
  }
  if (reader.Find("owner") != nullptr) {
    GB_ASSIGN_OR_RETURN(update.owner, reader.RequiredString("owner"));
  }
  return update;
}

}  // namespace glovebox::api
