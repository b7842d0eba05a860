// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "api/room_apis.h"
#include "api/room_json.h"
#include "base/assert.h"
#include "base/limits.h"
#include "room/rooms.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using http::Method;
using http::Request;
using http::Response;

const std::string kRoom = "/api/glovebox/v1/rooms/{room}";

const std::string& RoomOf(const Request& request) { return request.PathParameter("room"); }
OutputId OutputOf(const Request& request) { return OutputId(request.PathParameter("output_id")); }

Result<Response> ListOutputs(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const std::int64_t run, request.query.GetInt("run_id", 0));
  GB_ASSIGN_OR_RETURN(const auto outputs, context.rooms->outputs().List(caller, RoomOf(request)));
  json::Array items;
  for (const room::OutputView& view : outputs) {
    if (run == 0 || view.output.run == RunId{run}) {
      items.push_back(OutputJson(view));
    }
  }
  return Response::Json(json::Object{{"outputs", std::move(items)}});
}

Result<Response> GetOutput(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const room::OutputView view,
                      context.rooms->outputs().Get(caller, RoomOf(request), OutputOf(request)));
  return Response::Json(OutputJson(view));
}

Result<Response> GetRows(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const std::int64_t limit,
                      request.query.GetInt("limit", static_cast<std::int64_t>(limits::kRunInlineRowsMax)));
  if (limit < 0) {
    return Status(ErrorCode::kInvalidParameterValue, "limit is a number of rows.");
  }
  GB_ASSIGN_OR_RETURN(room::OutputRows rows, context.rooms->outputs().Rows(caller, RoomOf(request), OutputOf(request),
                                                                           static_cast<std::size_t>(limit)));
  return Response::Json(json::Object{{"columns", std::move(rows.columns)},
                                     {"rows", std::move(rows.rows)},
                                     {"row_count", rows.total},
                                     {"truncated", rows.truncated},
                                     {"notice", "Some cells may be withheld."}});
}

Result<Response> ReviewOutput(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(body, "review"));
  room::OutputReview review;
  GB_ASSIGN_OR_RETURN(const std::string decision, reader.RequiredString("decision"));
  GB_ASSIGN_OR_RETURN(review.comment, reader.OptionalString("comment"));
  if (decision == "APPROVED") {
    review.decision = room::Decision::kApproved;
  } else if (decision == "REJECTED") {
    review.decision = room::Decision::kRejected;
  }
  GB_ASSIGN_OR_RETURN(const FairGate::Place place, StartBlockingJob(context, caller));
  GB_ASSIGN_OR_RETURN(const room::OutputView view,
                      context.rooms->outputs().Review(caller, RoomOf(request), OutputOf(request), review));
  return Response::Json(OutputJson(view));
}

Result<Response> CreateExport(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const FairGate::Place place, StartBlockingJob(context, caller));
  GB_ASSIGN_OR_RETURN(const room::Export item,
                      context.rooms->outputs().CreateExport(caller, RoomOf(request), OutputOf(request)));
  return Response::Json(ExportJson(item), 201);
}

Result<Response> ListExports(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const auto exports, context.rooms->outputs().Exports(caller, RoomOf(request)));
  json::Array items;
  for (const room::Export& item : exports) {
    items.push_back(ExportJson(item));
  }
  return Response::Json(json::Object{{"exports", std::move(items)}});
}

Result<Response> GetExport(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const room::Export item,
                      context.rooms->outputs().GetExport(caller, RoomOf(request), request.PathParameter("export_id")));
  return Response::Json(ExportJson(item));
}

Result<Response> GetContent(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const room::ExportContent content,
                      context.rooms->outputs().Content(caller, RoomOf(request), request.PathParameter("export_id")));
  GB_ASSIGN_OR_RETURN(Response response, Response::File(content.path, "application/vnd.apache.parquet"));
  response.headers.Set("ETag", "\"" + content.sha256 + "\"");
  response.headers.Set("Content-Disposition", "attachment; filename=\"output.parquet\"");
  return response;
}

}  // namespace

void AddNativeOutputsApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.rooms != nullptr && context.catalog != nullptr);
  const auto add = [&](Method method, const std::string& pattern, auto handler) {
    AddEndpoint(context, router, method, pattern, [context, handler](const Caller& caller, Request& request) {
      return handler(context, caller, request);
    });
  };
  add(Method::kGet, kRoom + "/outputs", ListOutputs);
  add(Method::kGet, kRoom + "/outputs/{output_id}", GetOutput);
  add(Method::kGet, kRoom + "/outputs/{output_id}/rows", GetRows);
  add(Method::kPost, kRoom + "/outputs/{output_id}/review", ReviewOutput);
  add(Method::kPost, kRoom + "/outputs/{output_id}/exports", CreateExport);
  add(Method::kGet, kRoom + "/exports", ListExports);
  add(Method::kGet, kRoom + "/exports/{export_id}", GetExport);
  add(Method::kGet, kRoom + "/exports/{export_id}/content", GetContent);
}

}  // namespace glovebox::api
