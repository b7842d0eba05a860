// SPDX-License-Identifier: Apache-2.0
#include "api/health_api.h"

#include <string>

#include "base/json.h"

namespace glovebox::api {
namespace {

using http::Method;
using http::Request;
using http::Response;

bool IsLocal(const Request& request) {
  return request.remote_address.starts_with("127.") || request.remote_address == "::1" ||
         request.remote_address.starts_with("::ffff:127.");
}

std::string MetricsText(const Metrics& metrics) {
  std::string text =
      "# HELP glovebox_responses_total Answers of endpoints that need a token, by class of status.\n"
      "# TYPE glovebox_responses_total counter\n";
  for (std::size_t hundreds = 1; hundreds < Metrics::kClasses; ++hundreds) {
    text += "glovebox_responses_total{class=\"" + std::to_string(hundreds) + "xx\"} " +
            std::to_string(metrics.responses.at(hundreds).load()) + "\n";
  }
  return text;
}

}  // namespace

void AddHealthApi(const Metrics& metrics, http::Router& router) {
  router.Add(Method::kGet, "/health/live",
             [](Request&) -> Result<Response> { return Response::Json(json::Object{{"status", "live"}}); });
  router.Add(Method::kGet, "/health/ready", [&metrics](Request&) -> Result<Response> {
    if (metrics.stopping) {
      return Status(ErrorCode::kUnavailable, "The server is stopping.");
    }
    return Response::Json(json::Object{{"status", "ready"}});
  });
  router.Add(Method::kGet, "/metrics", [&metrics](Request& request) -> Result<Response> {
    if (!IsLocal(request)) {
      return Status(ErrorCode::kEndpointNotFound, "No endpoint has this path.");
    }
    return Response::Text(MetricsText(metrics), "text/plain; version=0.0.4; charset=utf-8");
  });
}

}  // namespace glovebox::api
