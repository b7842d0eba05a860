// SPDX-License-Identifier: Apache-2.0
//
// What every endpoint works with, and the few steps that all of them share: authenticate first, then read the body,
// check its shape, call one service, write the answer. Handlers decide nothing: services authorise.
//
// Errors: a handler returns a Status; http turns it into the shape that clients know. Without a valid token it is
// UNAUTHENTICATED, with one message for all reasons, before a byte of the body is read.
// Threads: a Context is constant once the server runs; endpoints are called from many threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/metrics.h"
#include "base/fair_gate.h"
#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "http/message.h"
#include "http/router.h"

namespace glovebox::room {
class Rooms;
}
namespace glovebox::statement {
class Executor;
}

namespace glovebox::api {

// The services behind the endpoints; all outlive the server. A group of endpoints asserts that what it needs is there.
struct Context {
  catalog::Catalog* catalog = nullptr;
  room::Rooms* rooms = nullptr;
  statement::Executor* statements = nullptr;
  Metrics* metrics = nullptr;         // where answers are counted, if anywhere
  FairGate* blocking_jobs = nullptr;  // for StartBlockingJob; without it there is no bound
};

// An endpoint for a caller who is known.
using Endpoint = std::function<Result<http::Response>(const catalog::Caller&, http::Request&)>;

// Adds a route whose requests carry `Authorization: Bearer <token>`. Large bodies count for the caller's organisation.
void AddEndpoint(const Context& context, http::Router& router, http::Method method, std::string_view pattern,
                 Endpoint endpoint, http::BodyMode body = http::BodyMode::kCollected);
// Who sends the request.
Result<catalog::Caller> Authenticate(const Context& context, const http::Request& request);

// For handlers that wait for an engine job: these run for long and hold a thread of the server each, so there are
// limits::kBlockingJobsMax of them at one time, and fewer of one organisation. Returns RESOURCE_EXHAUSTED beyond that.
Result<FairGate::Place> StartBlockingJob(const Context& context, const catalog::Caller& caller);

// The body as a JSON object; an empty body is an empty object.
Result<json::Value> RequireJsonObject(http::Request& request);
// The member `key` of an object if it is an object, else the object itself: for bodies that clients send both wrapped
// and bare.
const json::Value& Unwrapped(const json::Value& body, std::string_view key);

// Sets the member unless it is empty: what is unknown is absent in Databricks' shapes.
void SetText(json::Object& object, std::string_view key, const std::string& value);
json::Value StringArray(const std::vector<std::string>& strings);

// `page_token` and the parameter that has the size ("page_size", "max_results").
Result<catalog::PageRequest> ReadPageRequest(const http::Request& request, std::string_view size_parameter);

// One page of a list that the service gave whole. REQUIRES: the keys of the items ascend and differ.
template <typename T, typename KeyOf>
Result<catalog::Page<T>> PageOf(const std::vector<T>& all, const catalog::PageRequest& request, KeyOf key_of) {
  GB_ASSIGN_OR_RETURN(const std::size_t size, catalog::PageSize(request));
  GB_ASSIGN_OR_RETURN(const std::string start, catalog::PageStart(request));
  catalog::Page<T> page;
  for (const T& item : all) {
    if (!start.empty() && key_of(item) <= start) {
      continue;
    }
    if (page.items.size() == size) {
      page.next_token = catalog::PageToken(key_of(page.items.back()));
      break;
    }
    page.items.push_back(item);
  }
  return page;
}
// {"<key>": [...], "next_page_token": "..."}; the token is absent on the last page.
http::Response PageResponse(std::string_view key, json::Array items, const std::string& next_token);

}  // namespace glovebox::api
