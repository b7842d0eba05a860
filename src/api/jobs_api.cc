// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "api/room_apis.h"
#include "api/room_json.h"
#include "base/assert.h"
#include "base/invalid_parameter.h"
#include "base/limits.h"
#include "room/rooms.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using http::Method;
using http::Request;
using http::Response;

Result<room::SubmitSpec> ReadSubmission(const json::Value& body) {
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(body, "request"));
  room::SubmitSpec spec;
  GB_ASSIGN_OR_RETURN(spec.run_name, reader.OptionalString("run_name"));
  GB_ASSIGN_OR_RETURN(spec.idempotency_token, reader.OptionalString("idempotency_token"));
  const json::Value* tasks = reader.Find("tasks");
  if (tasks == nullptr || !tasks->is_array() || tasks->as_array().size() != 1) {
    return InvalidParameter("tasks must be a list of one task with a clean_rooms_notebook_task.");
  }
  GB_ASSIGN_OR_RETURN(const auto task, json::ObjectReader::Of(tasks->as_array().front(), "tasks[0]"));
  GB_ASSIGN_OR_RETURN(spec.task_key, task.OptionalString("task_key"));
  const json::Value* notebook = task.Find("clean_rooms_notebook_task");
  if (notebook == nullptr) {
    return Status(ErrorCode::kNotSupported,
                  "The only kind of task that this server runs is clean_rooms_notebook_task.");
  }
  GB_ASSIGN_OR_RETURN(const auto what, json::ObjectReader::Of(*notebook, "clean_rooms_notebook_task"));
  GB_ASSIGN_OR_RETURN(spec.room, what.RequiredString("clean_room_name"));
  GB_ASSIGN_OR_RETURN(spec.notebook, what.RequiredString("notebook_name"));
  GB_ASSIGN_OR_RETURN(const std::string etag, what.OptionalString("etag"));
  spec.etag = Etag(etag);
  if (const json::Value* parameters = what.Find("notebook_base_parameters"); parameters != nullptr) {
    spec.parameters = *parameters;
  }
  return spec;
}

Result<Response> Submit(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const room::SubmitSpec spec, ReadSubmission(body));
  GB_ASSIGN_OR_RETURN(const room::RunView view, context.rooms->runs().Submit(caller, spec));
  return Response::Json(json::Object{{"run_id", static_cast<std::int64_t>(view.run.id)}});
}

Result<RunId> RunIdOf(const Request& request) {
  if (request.query.Find("run_id") == nullptr) {
    return InvalidParameter("run_id is missing.");
  }
  GB_ASSIGN_OR_RETURN(const std::int64_t id, request.query.GetInt("run_id", 0));
  return RunId{id};
}

// No next_page_token, ever: clients go on as long as there is one.
Result<Response> GetRun(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const RunId id, RunIdOf(request));
  GB_ASSIGN_OR_RETURN(const room::RunView view, context.rooms->runs().Get(caller, id));
  return Response::Json(JobRunJson(view));
}

Result<Response> GetOutput(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const RunId id, RunIdOf(request));
  GB_ASSIGN_OR_RETURN(const room::RunView view, context.rooms->runs().Get(caller, id));
  json::Object output{{"clean_room_job_run_state", RunStateJson(view)}, {"notebook_output", json::Object()}};
  if (view.has_outputs) {
    output.Set("output_schema_info", json::Object{{"catalog_name", view.run.output_catalog},
                                                  {"schema_name", view.run.output_schema},
                                                  {"expiration_time", ToInt(view.run.output_expires_at)}});
  }
  json::Object out{{"metadata", JobTaskJson(view)}, {"clean_rooms_notebook_output", std::move(output)}};
  SetText(out, "error", view.run.message);
  return Response::Json(json::Value(std::move(out)));
}

Result<Response> ListRuns(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(catalog::PageRequest page, ReadPageRequest(request, "limit"));
  page.size = page.size == 0 ? limits::kRunsPageSize : page.size;
  GB_ASSIGN_OR_RETURN(const bool active_only, request.query.GetBool("active_only", false));
  GB_ASSIGN_OR_RETURN(const bool completed_only, request.query.GetBool("completed_only", false));
  if (active_only && completed_only) {
    return InvalidParameter("Only one of active_only and completed_only can be set.");
  }
  room::RunFilter filter;
  if (active_only || completed_only) {
    filter.ended = active_only ? room::RunFilter::Ended::kNo : room::RunFilter::Ended::kYes;
  }
  GB_ASSIGN_OR_RETURN(const auto listed, context.rooms->runs().List(caller, filter, page));
  json::Array items;
  for (const room::RunView& view : listed.items) {
    items.push_back(JobRunJson(view));
  }
  json::Object out{{"runs", std::move(items)}, {"has_more", !listed.next_token.empty()}};
  SetText(out, "next_page_token", listed.next_token);
  return Response::Json(json::Value(std::move(out)));
}

Result<Response> Cancel(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(body, "request"));
  GB_ASSIGN_OR_RETURN(const std::int64_t id, reader.RequiredInt("run_id"));
  GB_RETURN_IF_ERROR(context.rooms->runs().Cancel(caller, RunId{id}));
  return Response::Json(json::Object());
}

Result<catalog::Page<room::RunView>> RunsInRoom(const Context& context, const Caller& caller, const Request& request,
                                                std::string_view name_parameter, const catalog::PageRequest& page) {
  room::RunFilter filter;
  filter.notebook = request.query.GetString(name_parameter);
  return context.rooms->runs().ListInRoom(caller, request.PathParameter("room"), filter, page);
}

// As documented for this one: all runs, whatever the page size.
Result<Response> ListNotebookRuns(const Context& context, const Caller& caller, const Request& request) {
  json::Array items;
  catalog::PageRequest page{limits::kPageSizeMax, ""};
  do {
    GB_ASSIGN_OR_RETURN(const auto listed, RunsInRoom(context, caller, request, "notebook_name", page));
    for (const room::RunView& view : listed.items) {
      items.push_back(NotebookTaskRunJson(view, caller.workspace_id));
    }
    page.token = listed.next_token;
  } while (!page.token.empty());
  return PageResponse("runs", std::move(items), "");
}

Result<Response> ListTaskRuns(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const catalog::PageRequest page, ReadPageRequest(request, "page_size"));
  if (request.query.GetString("task_type", "NOTEBOOK") != "NOTEBOOK") {
    return PageResponse("runs", json::Array(), "");
  }
  GB_ASSIGN_OR_RETURN(const auto listed, RunsInRoom(context, caller, request, "name", page));
  json::Array items;
  for (const room::RunView& view : listed.items) {
    items.push_back(TaskRunJson(view, caller.workspace_id));
  }
  return PageResponse("runs", std::move(items), listed.next_token);
}

}  // namespace

void AddJobsApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.rooms != nullptr && context.catalog != nullptr);
  const auto add = [&](Method method, const std::string& pattern, auto handler) {
    AddEndpoint(context, router, method, pattern, [context, handler](const Caller& caller, Request& request) {
      return handler(context, caller, request);
    });
  };
  for (const std::string version : {"2.1", "2.2"}) {
    const std::string base = "/api/" + version + "/jobs/runs/";
    add(Method::kPost, base + "submit", Submit);
    add(Method::kGet, base + "get", GetRun);
    add(Method::kGet, base + "get-output", GetOutput);
    add(Method::kGet, base + "list", ListRuns);
    add(Method::kPost, base + "cancel", Cancel);
  }
}

void AddRoomRunsApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.rooms != nullptr && context.catalog != nullptr);
  const auto add = [&](Method method, std::string_view pattern, auto handler) {
    AddEndpoint(context, router, method, pattern, [context, handler](const Caller& caller, Request& request) {
      return handler(context, caller, request);
    });
  };
  add(Method::kGet, "/api/2.0/clean-rooms/{room}/runs", ListNotebookRuns);
  add(Method::kGet, "/api/2.0/clean-rooms/{room}/task-runs", ListTaskRuns);
}

}  // namespace glovebox::api
