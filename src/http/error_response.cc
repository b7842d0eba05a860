// SPDX-License-Identifier: Apache-2.0
#include "http/error_response.h"

#include <string>
#include <utility>

#include "base/assert.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"

namespace glovebox::http {

Response ErrorResponse(const Status& status, std::string_view request_id) {
  GB_ASSERT(!status.ok());
  std::string message = status.message();
  if (status.code() == ErrorCode::kInternal) {
    log::Error("internal error", {{"request_id", std::string(request_id)}, {"message", message}});
    message = "Internal error. The server's log has it under request id " + std::string(request_id) + ".";
  }
  if (message.empty() || !IsValidUtf8(message)) {
    message = std::string(Meaning(status.code()));
  }
  const std::string code(WireName(status.code()));
  json::Object metadata;
  if (status.position().has_value()) {
    metadata.Set("position", std::to_string(*status.position()));
  }
  const json::Object info = {{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
                             {"reason", status.rule().empty() ? code : status.rule()},
                             {"domain", "glovebox"},
                             {"metadata", std::move(metadata)}};
  const json::Object request_info = {
      {"@type", "type.googleapis.com/google.rpc.RequestInfo"}, {"request_id", request_id}, {"serving_data", ""}};
  const json::Object body = {
      {"error_code", code}, {"message", std::move(message)}, {"details", json::Array{info, request_info}}};
  Response response = Response::Json(body, HttpStatus(status.code()));
  if (response.status == 429 || response.status == 503) {
    response.headers.Set("Retry-After", std::to_string(limits::kHttpRetryAfterSeconds));
  }
  return response;
}

}  // namespace glovebox::http
