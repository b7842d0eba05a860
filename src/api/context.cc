// SPDX-License-Identifier: Apache-2.0
#include "api/context.h"

#include <utility>

#include "base/strings.h"

namespace glovebox::api {
namespace {

constexpr std::string_view kBearer = "bearer ";

Result<http::Response> Answer(const Context& context, const Endpoint& endpoint, http::Request& request) {
  GB_ASSIGN_OR_RETURN(const catalog::Caller caller, Authenticate(context, request));
  return endpoint(caller, request);
}

}  // namespace

Result<catalog::Caller> Authenticate(const Context& context, const http::Request& request) {
  const std::string* header = request.headers.Find("Authorization");
  std::string token;
  if (header != nullptr && header->size() > kBearer.size() &&
      EqualsIgnoreCase(std::string_view(*header).substr(0, kBearer.size()), kBearer)) {
    token = std::string(TrimAscii(std::string_view(*header).substr(kBearer.size())));
  }
  return context.catalog->tokens.Authenticate(token);
}

void AddEndpoint(const Context& context, http::Router& router, http::Method method, std::string_view pattern,
                 Endpoint endpoint, http::BodyMode body) {
  const auto handler = [context, endpoint = std::move(endpoint)](http::Request& request) -> Result<http::Response> {
    Result<http::Response> response = Answer(context, endpoint, request);
    if (context.metrics != nullptr) {
      context.metrics->CountResponse(response.ok() ? response->status : HttpStatus(response.status().code()));
    }
    return response;
  };
  const auto sender = [context](const http::Request& request) -> Result<std::string> {
    GB_ASSIGN_OR_RETURN(const catalog::Caller caller, Authenticate(context, request));
    return caller.organisation.str();
  };
  router.Add(method, pattern, handler, {.body = body, .sender = sender});
}

Result<FairGate::Place> StartBlockingJob(const Context& context, const catalog::Caller& caller) {
  if (context.blocking_jobs == nullptr) {
    return FairGate::Place();
  }
  FairGate::Place place = context.blocking_jobs->TryEnter(caller.organisation.str());
  if (place == nullptr) {
    return Status(ErrorCode::kResourceExhausted,
                  "Too many requests that compute are running; wait until some of yours have ended.");
  }
  return place;
}

Result<json::Value> RequireJsonObject(http::Request& request) {
  Result<json::Value> body = request.ReadJson();
  if (body.ok() && !body->is_object()) {
    return Status(ErrorCode::kMalformedRequest, "The body must be a JSON object.");
  }
  return body;
}

const json::Value& Unwrapped(const json::Value& body, std::string_view key) {
  const json::Value* inner = body.Get(key);
  return inner != nullptr && inner->is_object() ? *inner : body;
}

void SetText(json::Object& object, std::string_view key, const std::string& value) {
  if (!value.empty()) {
    object.Set(std::string(key), value);
  }
}

json::Value StringArray(const std::vector<std::string>& strings) {
  return json::Value(json::Array(strings.begin(), strings.end()));
}

Result<catalog::PageRequest> ReadPageRequest(const http::Request& request, std::string_view size_parameter) {
  catalog::PageRequest page;
  GB_ASSIGN_OR_RETURN(page.size, request.query.GetInt(size_parameter, 0));
  page.token = request.query.GetString("page_token");
  return page;
}

http::Response PageResponse(std::string_view key, json::Array items, const std::string& next_token) {
  json::Object object{{std::string(key), std::move(items)}};
  SetText(object, "next_page_token", next_token);
  return http::Response::Json(json::Value(std::move(object)));
}

}  // namespace glovebox::api
