// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "api/catalog_apis.h"
#include "base/assert.h"
#include "base/encoding.h"
#include "base/strings.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view kRoot = "/api/2.0/secrets/";

Result<std::string> RequiredParameter(const Request& request, std::string_view name) {
  std::string value = request.query.GetString(name);
  if (value.empty()) {
    return Status(ErrorCode::kInvalidParameterValue, "The query parameter '" + std::string(name) + "' is required.");
  }
  return value;
}

Result<Response> CreateScope(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string scope, reader.RequiredString("scope"));
  GB_ASSIGN_OR_RETURN(const std::string manager, reader.OptionalString("initial_manage_principal"));
  GB_ASSIGN_OR_RETURN(const std::string backend, reader.OptionalString("scope_backend_type", "DATABRICKS"));
  if (!EqualsIgnoreCase(backend, "DATABRICKS")) {
    return Status(ErrorCode::kNotSupported,
                  "'scope_backend_type' must be DATABRICKS: secrets are kept in this server.");
  }
  GB_RETURN_IF_ERROR(context.catalog->secrets.CreateScope(caller, scope, manager));
  return Response::Json(json::Object());
}

Result<Response> DeleteScope(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string scope, reader.RequiredString("scope"));
  GB_RETURN_IF_ERROR(context.catalog->secrets.DeleteScope(caller, scope));
  return Response::Json(json::Object());
}

Result<Response> ListScopes(const Context& context, const Caller& caller, Request&) {
  GB_ASSIGN_OR_RETURN(const auto scopes, context.catalog->secrets.ListScopes(caller));
  json::Array items;
  for (const catalog::SecretScope& scope : scopes) {
    items.emplace_back(json::Object{{"name", scope.name}, {"backend_type", "DATABRICKS"}});
  }
  return Response::Json(json::Object{{"scopes", std::move(items)}});
}

Result<std::string> ReadSecretValue(const json::Value& body, const json::ObjectReader& reader) {
  const bool is_text = body.Get("string_value") != nullptr;
  const bool is_bytes = body.Get("bytes_value") != nullptr;
  if (is_text == is_bytes) {
    return Status(ErrorCode::kInvalidParameterValue, "Give either 'string_value' or 'bytes_value' (base64).");
  }
  if (is_text) {
    return reader.RequiredString("string_value");
  }
  GB_ASSIGN_OR_RETURN(const std::string encoded, reader.RequiredString("bytes_value"));
  auto decoded = Base64Decode(encoded);
  if (!decoded.ok()) {
    return Status(ErrorCode::kInvalidParameterValue, "'bytes_value' is not base64.");
  }
  return decoded;
}

Result<Response> PutSecret(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string scope, reader.RequiredString("scope"));
  GB_ASSIGN_OR_RETURN(const std::string key, reader.RequiredString("key"));
  GB_ASSIGN_OR_RETURN(const std::string value, ReadSecretValue(body, reader));
  GB_RETURN_IF_ERROR(context.catalog->secrets.Put(caller, scope, key, value));
  return Response::Json(json::Object());
}

Result<Response> GetSecret(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const std::string scope, RequiredParameter(request, "scope"));
  GB_RETURN_IF_ERROR(RequiredParameter(request, "key").status());
  // Who may not know the scope hears of that first.
  GB_RETURN_IF_ERROR(context.catalog->secrets.List(caller, scope).status());
  return Status(ErrorCode::kPermissionDenied,
                "Values of secrets are never handed out. A function of a row filter or mask uses one by "
                "secret('scope', 'key').");
}

Result<Response> DeleteSecret(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string scope, reader.RequiredString("scope"));
  GB_ASSIGN_OR_RETURN(const std::string key, reader.RequiredString("key"));
  GB_RETURN_IF_ERROR(context.catalog->secrets.Delete(caller, scope, key));
  return Response::Json(json::Object());
}

Result<Response> ListSecrets(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const std::string scope, RequiredParameter(request, "scope"));
  GB_ASSIGN_OR_RETURN(const auto secrets, context.catalog->secrets.List(caller, scope));
  json::Array items;
  for (const catalog::SecretInfo& secret : secrets) {
    items.emplace_back(json::Object{{"key", secret.key}, {"last_updated_timestamp", ToInt(secret.updated_at)}});
  }
  return Response::Json(json::Object{{"secrets", std::move(items)}});
}

json::Value AclJson(const catalog::SecretAcl& acl) {
  return json::Object{{"principal", acl.principal}, {"permission", WireName(acl.permission)}};
}

Result<Response> PutAcl(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string scope, reader.RequiredString("scope"));
  GB_ASSIGN_OR_RETURN(const std::string principal, reader.RequiredString("principal"));
  GB_ASSIGN_OR_RETURN(const std::string text, reader.RequiredString("permission"));
  GB_ASSIGN_OR_RETURN(const catalog::SecretPermission permission, catalog::ParseSecretPermission(text));
  GB_RETURN_IF_ERROR(context.catalog->secrets.PutAcl(caller, scope, principal, permission));
  return Response::Json(json::Object());
}

Result<Response> DeleteAcl(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string scope, reader.RequiredString("scope"));
  GB_ASSIGN_OR_RETURN(const std::string principal, reader.RequiredString("principal"));
  GB_RETURN_IF_ERROR(context.catalog->secrets.DeleteAcl(caller, scope, principal));
  return Response::Json(json::Object());
}

Result<Response> ListAcls(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const std::string scope, RequiredParameter(request, "scope"));
  GB_ASSIGN_OR_RETURN(const auto acls, context.catalog->secrets.ListAcls(caller, scope));
  json::Array items;
  for (const catalog::SecretAcl& acl : acls) {
    items.push_back(AclJson(acl));
  }
  return Response::Json(json::Object{{"items", std::move(items)}});
}

Result<Response> GetAcl(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const std::string scope, RequiredParameter(request, "scope"));
  GB_ASSIGN_OR_RETURN(const std::string principal, RequiredParameter(request, "principal"));
  GB_ASSIGN_OR_RETURN(const auto acls, context.catalog->secrets.ListAcls(caller, scope));
  for (const catalog::SecretAcl& acl : acls) {
    if (EqualsIgnoreCase(acl.principal, principal)) {
      return Response::Json(AclJson(acl));
    }
  }
  return Status(ErrorCode::kNotFound, "'" + principal + "' has no permission on scope '" + scope + "'.");
}

}  // namespace

void AddSecretsApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.catalog != nullptr);
  const auto add = [&](Method method, std::string_view path, auto handler) {
    AddEndpoint(context, router, method, std::string(kRoot) + std::string(path),
                [context, handler](const Caller& caller, Request& request) -> Result<Response> {
                  return handler(context, caller, request);
                });
  };
  add(Method::kPost, "scopes/create", CreateScope);
  add(Method::kPost, "scopes/delete", DeleteScope);
  add(Method::kGet, "scopes/list", ListScopes);
  add(Method::kPost, "put", PutSecret);
  add(Method::kGet, "get", GetSecret);
  add(Method::kPost, "delete", DeleteSecret);
  add(Method::kGet, "list", ListSecrets);
  add(Method::kPost, "acls/put", PutAcl);
  add(Method::kPost, "acls/delete", DeleteAcl);
  add(Method::kGet, "acls/list", ListAcls);
  add(Method::kGet, "acls/get", GetAcl);
}

}  // namespace glovebox::api
