// SPDX-License-Identifier: Apache-2.0
#include "api/health_api.h"

#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/json.h"
#include "base/limits.h"
#include "room/rooms.h"

namespace glovebox::api {
namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::int64_t kMsPerHour = 3'600'000;

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

std::string ReviewsText(std::int64_t due_soon) {
  return "# HELP glovebox_output_reviews_due_soon Outputs that expire within " +
         std::to_string(limits::kOutputReviewReminderMs / kMsPerHour) +
         " hours unless their review is decided.\n"
         "# TYPE glovebox_output_reviews_due_soon gauge\n"
         "glovebox_output_reviews_due_soon " +
         std::to_string(due_soon) + "\n";
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
}

void AddMetricsApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.metrics != nullptr && context.rooms != nullptr);
  router.Add(Method::kGet, "/metrics", [context](Request&) -> Result<Response> {
    GB_ASSIGN_OR_RETURN(const std::int64_t due_soon, context.rooms->outputs().CountReviewsDueSoon());
    return Response::Text(MetricsText(*context.metrics) + ReviewsText(due_soon),
                          "text/plain; version=0.0.4; charset=utf-8");
  });
}

}  // namespace glovebox::api
