// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "api/room_apis.h"
#include "api/room_json.h"
#include "base/assert.h"
#include "room/rooms.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view kRules = "/api/2.0/clean-rooms/{room}/auto-approval-rules";
constexpr std::string_view kRule = "/api/2.0/clean-rooms/{room}/auto-approval-rules/{rule_id}";

Result<room::RuleSpec> ReadRule(Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const auto reader,
                      json::ObjectReader::Of(Unwrapped(body, "auto_approval_rule"), "auto_approval_rule"));
  room::RuleSpec spec;
  if (reader.Find("author_scope") != nullptr) {
    GB_ASSIGN_OR_RETURN(const std::string scope, reader.RequiredString("author_scope"));
    if (scope != "ANY_AUTHOR") {
      return Status(ErrorCode::kInvalidParameterValue, "author_scope is ANY_AUTHOR.");
    }
    spec.any_author = true;
  }
  if (reader.Find("author_collaborator_alias") != nullptr) {
    GB_ASSIGN_OR_RETURN(spec.author_alias, reader.RequiredString("author_collaborator_alias"));
  }
  if (reader.Find("runner_collaborator_alias") != nullptr) {
    GB_ASSIGN_OR_RETURN(spec.runner_alias, reader.RequiredString("runner_collaborator_alias"));
  }
  return spec;
}

Result<Response> CreateRule(const Context& context, const Caller& caller, Request& request) {
  const std::string& room_name = request.PathParameter("room");
  GB_ASSIGN_OR_RETURN(const room::RuleSpec spec, ReadRule(request));
  GB_ASSIGN_OR_RETURN(const room::AutoApprovalRule rule,
                      context.rooms->notebooks().CreateRule(caller, room_name, spec));
  return Response::Json(ApprovalRuleJson(rule, room_name));
}

Result<Response> ListRules(const Context& context, const Caller& caller, const Request& request) {
  const std::string& room_name = request.PathParameter("room");
  GB_ASSIGN_OR_RETURN(const catalog::PageRequest page, ReadPageRequest(request, "page_size"));
  GB_ASSIGN_OR_RETURN(const auto all, context.rooms->notebooks().ListRules(caller, room_name));
  // Ids are time-ordered, and the list is in their order.
  GB_ASSIGN_OR_RETURN(const auto listed, PageOf(all, page, [](const room::AutoApprovalRule& rule) { return rule.id; }));
  json::Array items;
  for (const room::AutoApprovalRule& rule : listed.items) {
    items.push_back(ApprovalRuleJson(rule, room_name));
  }
  return PageResponse("rules", std::move(items), listed.next_token);
}

Result<Response> GetRule(const Context& context, const Caller& caller, const Request& request) {
  const std::string& room_name = request.PathParameter("room");
  GB_ASSIGN_OR_RETURN(const room::AutoApprovalRule rule,
                      context.rooms->notebooks().GetRule(caller, room_name, request.PathParameter("rule_id")));
  return Response::Json(ApprovalRuleJson(rule, room_name));
}

Result<Response> UpdateRule(const Context& context, const Caller& caller, Request& request) {
  const std::string& room_name = request.PathParameter("room");
  GB_ASSIGN_OR_RETURN(const room::RuleSpec spec, ReadRule(request));
  GB_ASSIGN_OR_RETURN(const room::AutoApprovalRule rule,
                      context.rooms->notebooks().UpdateRule(caller, room_name, request.PathParameter("rule_id"), spec));
  return Response::Json(ApprovalRuleJson(rule, room_name));
}

Result<Response> DeleteRule(const Context& context, const Caller& caller, const Request& request) {
  GB_RETURN_IF_ERROR(
      context.rooms->notebooks().DeleteRule(caller, request.PathParameter("room"), request.PathParameter("rule_id")));
  return Response::Json(json::Object());
}

}  // namespace

void AddApprovalRulesApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.rooms != nullptr && context.catalog != nullptr);
  const auto add = [&](Method method, std::string_view pattern, auto handler) {
    AddEndpoint(context, router, method, pattern, [context, handler](const Caller& caller, Request& request) {
      return handler(context, caller, request);
    });
  };
  add(Method::kPost, kRules, CreateRule);
  add(Method::kGet, kRules, ListRules);
  add(Method::kGet, kRule, GetRule);
  add(Method::kPatch, kRule, UpdateRule);
  add(Method::kDelete, kRule, DeleteRule);
}

}  // namespace glovebox::api
