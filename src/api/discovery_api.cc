// SPDX-License-Identifier: Apache-2.0
#include "api/catalog_apis.h"

namespace glovebox::api {
namespace {

using http::Method;
using http::Request;
using http::Response;

// The server as this client reaches it.
std::string BaseUrl(const std::string& scheme, const Request& request) {
  const std::string* host = request.headers.Find("Host");
  return scheme + "://" + (host == nullptr ? std::string("localhost") : *host);
}

Response DiscoveryDocument(const std::string& base) {
  return Response::Json(json::Object{{"issuer", base + "/oidc"},
                                     {"authorization_endpoint", base + "/oidc/v1/authorize"},
                                     {"token_endpoint", base + "/oidc/v1/token"},
                                     {"response_types_supported", json::Array{"code"}},
                                     {"grant_types_supported", json::Array{}}});
}

// In the shape of OAuth (RFC 6749, 5.2), which is what its clients read.
Response NoOAuth() {
  return Response::Json(
      json::Object{
          {"error", "unsupported_grant_type"},
          {"error_description",
           "This server has no OAuth. Use a personal access token (DATABRICKS_TOKEN); an administrator of your "
           "organisation makes one by POST /api/2.0/token-management/on-behalf-of/tokens."}},
      400);
}

}  // namespace

void AddDiscoveryApi(http::Router& router, const std::string& scheme) {
  router.Add(Method::kGet, "/.well-known/databricks-config", [scheme](Request& request) -> Result<Response> {
    return Response::Json(json::Object{{"oidc_endpoint", BaseUrl(scheme, request) + "/oidc"}});
  });
  const auto document = [scheme](Request& request) -> Result<Response> {
    return DiscoveryDocument(BaseUrl(scheme, request));
  };
  router.Add(Method::kGet, "/oidc/.well-known/oauth-authorization-server", document);
  router.Add(Method::kGet, "/oidc/accounts/{account_id}/.well-known/oauth-authorization-server", document);
  const auto refuse = [](Request&) -> Result<Response> { return NoOAuth(); };
  router.Add(Method::kPost, "/oidc/v1/token", refuse);
  router.Add(Method::kGet, "/oidc/v1/authorize", refuse);
}

}  // namespace glovebox::api
