// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include "api/catalog_apis.h"
#include "base/assert.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using http::Method;
using http::Request;
using http::Response;

json::Object InfoJson(const catalog::TokenInfo& info) {
  return json::Object{{"token_id", info.id},
                      {"comment", info.comment},
                      {"creation_time", ToInt(info.created_at)},
                      {"expiry_time", ToInt(info.expires_at)}};
}

json::Value NewTokenJson(const catalog::NewToken& token) {
  return json::Object{{"token_value", token.value}, {"token_info", InfoJson(token.info)}};
}

struct TokenRequest {
  std::string comment;
  std::optional<std::int64_t> lifetime_seconds;
};

Result<TokenRequest> ReadTokenRequest(const json::ObjectReader& reader) {
  TokenRequest request;
  GB_ASSIGN_OR_RETURN(request.comment, reader.OptionalString("comment"));
  if (reader.Find("lifetime_seconds") != nullptr) {
    GB_ASSIGN_OR_RETURN(request.lifetime_seconds, reader.RequiredInt("lifetime_seconds"));
    if (*request.lifetime_seconds < 0) {
      request.lifetime_seconds = std::nullopt;  // what clients send for "no limit of mine"
    }
  }
  return request;
}

Result<Response> CreateToken(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const TokenRequest wanted, ReadTokenRequest(reader));
  GB_ASSIGN_OR_RETURN(const catalog::NewToken token,
                      context.catalog->tokens.Create(caller, wanted.comment, wanted.lifetime_seconds));
  return Response::Json(NewTokenJson(token));
}

// `application_id` names a service principal; here it may also name a user.
Result<Response> CreateTokenFor(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string principal, reader.RequiredString("application_id"));
  GB_ASSIGN_OR_RETURN(const TokenRequest wanted, ReadTokenRequest(reader));
  GB_ASSIGN_OR_RETURN(const catalog::NewToken token,
                      context.catalog->tokens.CreateFor(caller, principal, wanted.comment, wanted.lifetime_seconds));
  return Response::Json(NewTokenJson(token));
}

Result<Response> ListTokens(const Context& context, const Caller& caller, Request&) {
  GB_ASSIGN_OR_RETURN(const auto tokens, context.catalog->tokens.List(caller));
  json::Array items;
  for (const catalog::TokenInfo& info : tokens) {
    items.emplace_back(InfoJson(info));
  }
  return Response::Json(json::Object{{"token_infos", std::move(items)}});
}

Result<Response> DeleteToken(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string id, reader.RequiredString("token_id"));
  GB_RETURN_IF_ERROR(context.catalog->tokens.Revoke(caller, id));
  return Response::Json(json::Object());
}

Result<Response> DeleteTokenById(const Context& context, const Caller& caller, Request& request) {
  GB_RETURN_IF_ERROR(context.catalog->tokens.Revoke(caller, request.PathParameter("token_id")));
  return Response::Json(json::Object());
}

}  // namespace

void AddTokensApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.catalog != nullptr);
  const auto add = [&](Method method, std::string_view pattern, auto handler) {
    AddEndpoint(context, router, method, pattern,
                [context, handler](const Caller& caller, Request& request) -> Result<Response> {
                  return handler(context, caller, request);
                });
  };
  add(Method::kPost, "/api/2.0/token/create", CreateToken);
  add(Method::kGet, "/api/2.0/token/list", ListTokens);
  add(Method::kPost, "/api/2.0/token/delete", DeleteToken);
  add(Method::kPost, "/api/2.0/token-management/on-behalf-of/tokens", CreateTokenFor);
  add(Method::kDelete, "/api/2.0/token-management/tokens/{token_id}", DeleteTokenById);
}

}  // namespace glovebox::api
