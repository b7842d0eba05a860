// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "api/room_apis.h"
#include "api/room_json.h"
#include "base/assert.h"
#include "base/file.h"
#include "room/rooms.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using http::Method;
using http::Request;
using http::Response;

const std::string kRoom = "/api/glovebox/v1/rooms/{room}";

const std::string& RoomOf(const Request& request) { return request.PathParameter("room"); }

Result<Response> GetRoom(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const room::RoomView view, context.rooms->rooms().Get(caller, RoomOf(request)));
  return Response::Json(NativeRoomJson(view));
}

Result<Response> JoinRoom(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const room::RoomView view, context.rooms->rooms().Join(caller, RoomOf(request)));
  return Response::Json(NativeRoomJson(view));
}

json::Value RuleJson(const room::AssetView& view) {
  json::Object out{{"asset", view.asset.name}, {"status", Name(view.status)}};
  if (!view.asset.rule.empty()) {
    const Result<json::Value> rule = json::Parse(view.asset.rule);
    GB_ASSERT(rule.ok());  // it was canonical text when it was set
    out.Set("rule", *rule);
    out.Set("rule_sha256", view.asset.rule_digest);
  }
  SetText(out, "problem", view.asset.problem);
  return json::Value(std::move(out));
}

Result<Response> GetRule(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const room::AssetView view,
                      context.rooms->assets().GetTable(caller, RoomOf(request), request.PathParameter("name")));
  if (view.asset.rule.empty()) {
    return Status(ErrorCode::kNotFound, "The asset has no analysis rule yet: nobody can use it.");
  }
  return Response::Json(RuleJson(view));
}

Result<Response> PutRule(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const FairGate::Place place, StartBlockingJob(context, caller));
  GB_ASSIGN_OR_RETURN(
      const room::AssetView view,
      context.rooms->assets().SetRule(caller, RoomOf(request), request.PathParameter("name"), Unwrapped(body, "rule")));
  return Response::Json(RuleJson(view));
}

json::Value ContractJson(const room::NotebookView& view) {
  return json::Value(json::Object{{"notebook", view.asset.name},
                                  {"etag", view.version.etag.str()},
                                  {"review_state", Name(view.state)},
                                  {"contract", view.version.contract}});
}

Result<Response> GetContract(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const room::NotebookView view,
                      context.rooms->notebooks().Get(caller, RoomOf(request), request.PathParameter("name")));
  return Response::Json(ContractJson(view));
}

// A new version of the notebook: the contract is part of what is approved. null gives the derived one back.
Result<Response> PutContract(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  room::NotebookSpec spec;
  spec.name = request.PathParameter("name");
  const json::Value* member = body.as_object().Find("contract");
  spec.contract = member != nullptr ? *member : body;
  GB_ASSIGN_OR_RETURN(const FairGate::Place place, StartBlockingJob(context, caller));
  GB_ASSIGN_OR_RETURN(const room::NotebookView view, context.rooms->notebooks().Update(caller, RoomOf(request), spec));
  return Response::Json(ContractJson(view));
}

// The outputs of a certificate, with their columns.
json::Value PlannedOutputs(const json::Value& certificate) {
  json::Array outputs;
  const json::Value* planned = certificate.Get("outputs");
  if (planned == nullptr || !planned->is_array()) {
    return json::Value(std::move(outputs));
  }
  for (const json::Value& output : planned->as_array()) {
    json::Array columns;
    if (const json::Value* given = output.Get("columns"); given != nullptr && given->is_array()) {
      for (const json::Value& column : given->as_array()) {
        columns.emplace_back(json::Object{{"name", column.GetString("name")}, {"type", column.GetString("type")}});
      }
    }
    outputs.emplace_back(json::Object{{"name", output.GetString("name")}, {"columns", std::move(columns)}});
  }
  return json::Value(std::move(outputs));
}

Result<Response> PlanNotebook(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(body, "request"));
  room::PlanSpec spec;
  GB_ASSIGN_OR_RETURN(const std::string etag, reader.OptionalString("etag"));
  spec.etag = Etag(etag);
  GB_ASSIGN_OR_RETURN(spec.runner, reader.OptionalString("runner"));
  if (const json::Value* parameters = reader.Find("parameters"); parameters != nullptr) {
    spec.parameters = *parameters;
  }
  GB_ASSIGN_OR_RETURN(const FairGate::Place place, StartBlockingJob(context, caller));
  GB_ASSIGN_OR_RETURN(const room::PlanPreview preview,
                      context.rooms->notebooks().Preview(caller, RoomOf(request), request.PathParameter("name"), spec));
  return Response::Json(json::Object{{"etag", preview.etag.str()},
                                     {"certificate", preview.certificate},
                                     {"outputs", PlannedOutputs(preview.certificate)}});
}

Result<Response> GetCertificate(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const RunId id, [&]() -> Result<RunId> {
    const std::string& text = request.PathParameter("run_id");
    http::QueryParameters number;
    number.Add("run_id", text);
    GB_ASSIGN_OR_RETURN(const std::int64_t value, number.GetInt("run_id", 0));
    return RunId{value};
  }());
  GB_ASSIGN_OR_RETURN(const json::Value certificate, context.rooms->runs().Certificate(caller, RoomOf(request), id));
  return Response::Json(certificate);
}

Result<Response> GetLedger(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const room::LedgerHead head, context.rooms->LedgerOf(caller, RoomOf(request)));
  return Response::Json(json::Object{
      {"origin", head.origin}, {"room_sha256", head.room}, {"size", head.size}, {"checkpoint", head.checkpoint}});
}

Result<Response> GetCheckpoint(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const room::LedgerHead head, context.rooms->LedgerOf(caller, RoomOf(request)));
  return Response::Text(head.checkpoint, "text/plain; charset=utf-8");
}

// The bytes of an entry are canonical JSON, so that a client that writes `entry` canonically has the leaf.
Result<Response> GetEntries(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const std::int64_t from, request.query.GetInt("from", 0));
  GB_ASSIGN_OR_RETURN(const std::int64_t to, request.query.GetInt("to", INT64_MAX));
  GB_ASSIGN_OR_RETURN(const std::vector<std::string> entries,
                      context.rooms->LedgerEntries(caller, RoomOf(request), from, to));
  json::Array items;
  for (const std::string& bytes : entries) {
    GB_ASSIGN_OR_RETURN(json::Value entry, json::Parse(bytes));
    items.emplace_back(
        json::Object{{"index", from + static_cast<std::int64_t>(items.size())}, {"entry", std::move(entry)}});
  }
  return Response::Json(json::Object{{"entries", std::move(items)}});
}

Result<Response> GetEvidence(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const FairGate::Place place, StartBlockingJob(context, caller));
  GB_ASSIGN_OR_RETURN(const std::string path, context.rooms->MakeEvidenceFile(caller, RoomOf(request)));
  Result<Response> response = Response::File(path, "application/x-tar");
  // It is open: what is left of it goes with the answer.
  GB_RETURN_IF_ERROR(RemoveTree(path));
  if (response.ok()) {
    response->headers.Set("Content-Disposition", "attachment; filename=\"evidence.tar\"");
  }
  return response;
}

template <typename Handler>
void Add(const Context& context, http::Router& router, Method method, const std::string& pattern, Handler handler) {
  AddEndpoint(context, router, method, pattern,
              [context, handler](const Caller& caller, Request& request) { return handler(context, caller, request); });
}

}  // namespace

void AddNativeRoomsApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.rooms != nullptr && context.catalog != nullptr);
  Add(context, router, Method::kGet, kRoom, GetRoom);
  Add(context, router, Method::kPost, kRoom + "/join", JoinRoom);
  Add(context, router, Method::kGet, kRoom + "/assets/{name}/rule", GetRule);
  Add(context, router, Method::kPut, kRoom + "/assets/{name}/rule", PutRule);
  Add(context, router, Method::kGet, kRoom + "/notebooks/{name}/contract", GetContract);
  Add(context, router, Method::kPut, kRoom + "/notebooks/{name}/contract", PutContract);
  Add(context, router, Method::kPost, kRoom + "/notebooks/{name}/plan", PlanNotebook);
  Add(context, router, Method::kGet, kRoom + "/runs/{run_id}/certificate", GetCertificate);
}

void AddNativeLedgerApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.rooms != nullptr && context.catalog != nullptr);
  Add(context, router, Method::kGet, kRoom + "/ledger", GetLedger);
  Add(context, router, Method::kGet, kRoom + "/ledger/checkpoint", GetCheckpoint);
  Add(context, router, Method::kGet, kRoom + "/ledger/entries", GetEntries);
  Add(context, router, Method::kGet, kRoom + "/evidence", GetEvidence);
}

}  // namespace glovebox::api
