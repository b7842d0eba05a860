// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "api/catalog_apis.h"
#include "api/catalog_json.h"
#include "base/assert.h"
#include "statement/executor.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using catalog::IfNotEmpty;
using catalog::SecurableKind;
using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view kTables = "/api/2.1/unity-catalog/tables";
constexpr std::string_view kTable = "/api/2.1/unity-catalog/tables/{full_name}";
constexpr std::string_view kFunctions = "/api/2.1/unity-catalog/functions";
constexpr std::string_view kFunction = "/api/2.1/unity-catalog/functions/{full_name}";

Result<std::string> SchemaOf(const Request& request) {
  return SchemaNameOf(request.query.GetString("catalog_name"), request.query.GetString("schema_name"));
}

Result<Response> ListTables(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const catalog::PageRequest page, ReadPageRequest(request, "max_results"));
  GB_ASSIGN_OR_RETURN(const std::string schema, SchemaOf(request));
  GB_ASSIGN_OR_RETURN(const bool omit_columns, request.query.GetBool("omit_columns", false));
  GB_ASSIGN_OR_RETURN(const auto listed, context.catalog->tables.List(caller, schema, page));
  json::Array items;
  for (const catalog::Table& table : listed.items) {
    items.push_back(TableJson(caller, table, omit_columns ? Detail::kWithoutColumns : Detail::kFull));
  }
  return PageResponse("tables", std::move(items), listed.next_token);
}

Result<Response> GetTable(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const catalog::Table table,
                      context.catalog->tables.Get(caller, request.PathParameter("full_name")));
  return Response::Json(TableJson(caller, table, Detail::kFull));
}

Result<Response> TableExists(const Context& context, const Caller& caller, const Request& request) {
  const auto table = context.catalog->tables.Get(caller, request.PathParameter("full_name"));
  if (!table.ok() && table.status().code() != ErrorCode::kNotFound) {
    return table.status();
  }
  return Response::Json(json::Object{{"table_exists", table.ok()}});
}

Result<Response> PatchTable(const Context& context, const Caller& caller, Request& request) {
  const std::string& name = request.PathParameter("full_name");
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const catalog::SecurableUpdate update, ReadUpdate(body));
  GB_ASSIGN_OR_RETURN(const auto updated,
                      context.catalog->securables.Update(caller, SecurableKind::kTable, name, update));
  return Response::Json(json::Object{{"full_name", updated.full_name}, {"owner", updated.owner}});
}

Result<Response> ListFunctions(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const catalog::PageRequest page, ReadPageRequest(request, "max_results"));
  GB_ASSIGN_OR_RETURN(const std::string schema, SchemaOf(request));
  GB_ASSIGN_OR_RETURN(const auto listed, context.catalog->functions.List(caller, schema, page));
  json::Array items;
  for (const catalog::Function& function : listed.items) {
    items.push_back(FunctionJson(caller, function));
  }
  return PageResponse("functions", std::move(items), listed.next_token);
}

Result<Response> GetFunction(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const catalog::Function function,
                      context.catalog->functions.Get(caller, request.PathParameter("full_name")));
  return Response::Json(FunctionJson(caller, function));
}

Result<Response> PatchFunction(const Context& context, const Caller& caller, Request& request) {
  const std::string& name = request.PathParameter("full_name");
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const catalog::SecurableUpdate update, ReadUpdate(body));
  GB_ASSIGN_OR_RETURN(const auto updated,
                      context.catalog->securables.Update(caller, SecurableKind::kFunction, name, update));
  GB_ASSIGN_OR_RETURN(const catalog::Function function, context.catalog->functions.Get(caller, updated.full_name));
  return Response::Json(FunctionJson(caller, function));
}

Endpoint Deleting(const Context& context, SecurableKind kind) {
  return [context, kind](const Caller& caller, Request& request) -> Result<Response> {
    GB_RETURN_IF_ERROR(
        context.catalog->securables.Delete(caller, kind, request.PathParameter("full_name"), IfNotEmpty::kDeleteAll));
    return Response::Json(json::Object());
  };
}

// Says how it is done instead: a table's file is written by the engine, which only a statement reaches.
Result<Response> CreateTable(const Context&, const Caller&, const Request&) {
  return Status(ErrorCode::kNotSupported,
                "Create a table by a SQL statement (POST /api/2.0/sql/statements): CREATE TABLE name AS SELECT ...");
}

Result<std::vector<catalog::FunctionParameter>> ReadParameters(const json::Value& info) {
  std::vector<catalog::FunctionParameter> parameters;
  const json::Value* input = info.Get("input_params");
  const json::Value* list = input == nullptr ? nullptr : input->Get("parameters");
  if (list == nullptr) {
    return parameters;
  }
  if (!list->is_array()) {
    return Status(ErrorCode::kInvalidParameterValue, "'input_params.parameters' must be a list.");
  }
  for (const json::Value& item : list->as_array()) {
    GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(item, "parameters"));
    catalog::FunctionParameter parameter;
    GB_ASSIGN_OR_RETURN(parameter.name, reader.RequiredString("name"));
    GB_ASSIGN_OR_RETURN(parameter.type, reader.RequiredString("type_text"));
    GB_ASSIGN_OR_RETURN(parameter.comment, reader.OptionalString("comment"));
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

Result<Response> CreateFunction(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  const json::Value& info = Unwrapped(body, "function_info");
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(info, "function_info"));
  GB_ASSIGN_OR_RETURN(const std::string language, reader.OptionalString("routine_body", "SQL"));
  if (language != "SQL") {
    return Status(ErrorCode::kNotSupported, "'routine_body' must be SQL: functions are SQL expressions.");
  }
  catalog::NewFunction function;
  GB_ASSIGN_OR_RETURN(const std::string catalog_name, reader.RequiredString("catalog_name"));
  GB_ASSIGN_OR_RETURN(const std::string schema_name, reader.RequiredString("schema_name"));
  GB_ASSIGN_OR_RETURN(function.schema, SchemaNameOf(catalog_name, schema_name));
  GB_ASSIGN_OR_RETURN(function.name, reader.RequiredString("name"));
  GB_ASSIGN_OR_RETURN(function.body, reader.RequiredString("routine_definition"));
  GB_ASSIGN_OR_RETURN(function.return_type, reader.OptionalString("full_data_type"));
  GB_ASSIGN_OR_RETURN(function.comment, reader.OptionalString("comment"));
  GB_ASSIGN_OR_RETURN(function.parameters, ReadParameters(info));
  GB_ASSIGN_OR_RETURN(const catalog::Function created,
                      context.statements->CreateFunction(caller, function, catalog::OnExisting::kFail));
  return Response::Json(FunctionJson(caller, created));
}

}  // namespace

void AddTablesApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.catalog != nullptr && context.statements != nullptr);
  const auto add = [&](Method method, std::string_view pattern, auto handler) {
    AddEndpoint(context, router, method, pattern,
                [context, handler](const Caller& caller, Request& request) -> Result<Response> {
                  return handler(context, caller, request);
                });
  };
  add(Method::kGet, kTables, ListTables);
  add(Method::kGet, kTable, GetTable);
  add(Method::kGet, std::string(kTable) + "/exists", TableExists);
  add(Method::kPatch, kTable, PatchTable);
  AddEndpoint(context, router, Method::kDelete, kTable, Deleting(context, SecurableKind::kTable));
  add(Method::kPost, kTables, CreateTable);
  add(Method::kGet, kFunctions, ListFunctions);
  add(Method::kGet, kFunction, GetFunction);
  add(Method::kPatch, kFunction, PatchFunction);
  AddEndpoint(context, router, Method::kDelete, kFunction, Deleting(context, SecurableKind::kFunction));
  add(Method::kPost, kFunctions, CreateFunction);
}

}  // namespace glovebox::api
