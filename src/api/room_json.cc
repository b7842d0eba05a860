// SPDX-License-Identifier: Apache-2.0
#include "api/room_json.h"

#include <utility>

#include "api/context.h"
#include "api/type_json.h"

namespace glovebox::api {
namespace {

using room::Decision;
using room::RoomState;

std::string_view DatabricksStatus(RoomState state) {
  switch (state) {
    case RoomState::kProvisioning:
      return "PROVISIONING";
    case RoomState::kActive:
      return "ACTIVE";
    case RoomState::kFailed:
      return "FAILED";
    case RoomState::kClosing:
    case RoomState::kClosed:
      return "DELETED";
  }
  GB_ASSERT(false);
}

json::Value CollaboratorJson(const room::CollaboratorView& view) {
  json::Object out{{"collaborator_alias", view.member.alias},
                   {"global_metastore_id", view.global_metastore_id},
                   {"display_name", view.display_name},
                   {"organization_name", view.organisation_name}};
  SetText(out, "invite_recipient_email", view.member.invite_email);
  if (!view.member.invite_email.empty()) {
    out.Set("invite_recipient_workspace_id", view.member.invite_workspace_id);
  }
  return json::Value(std::move(out));
}

json::Value RemoteDetailJson(const room::RoomView& view) {
  json::Object out;
  if (view.room.details.is_object()) {
    out = view.room.details.as_object();
  }
  out.Set("central_clean_room_id", view.room.id.str());
  SetText(out, "cloud_vendor", view.room.cloud);
  SetText(out, "region", view.room.region);
  json::Array collaborators;
  for (const room::CollaboratorView& collaborator : view.collaborators) {
    if (collaborator.member.alias == view.room.creator_alias) {
      out.Set("creator", CollaboratorJson(collaborator));
    }
    collaborators.push_back(CollaboratorJson(collaborator));
  }
  out.Set("collaborators", std::move(collaborators));
  return json::Value(std::move(out));
}

json::Array ColumnsJson(const json::Value& columns) {
  json::Array out;
  if (columns.is_array()) {
    for (const json::Value& column : columns.as_array()) {
      out.emplace_back(ColumnInfoJson(column.GetString("name"), column.GetString("type"), out.size()));
    }
  }
  return out;
}

json::Object AssetJson(const room::Asset& asset, std::string_view status, const std::string& room_name) {
  return json::Object{{"name", asset.name},
                      {"asset_type", Name(asset.type)},
                      {"clean_room_name", room_name},
                      {"owner_collaborator_alias", asset.owner_alias},
                      {"added_at", ToInt(asset.added_at)},
                      {"status", status}};
}

json::Array ReviewsJson(const room::NotebookView& view) {
  json::Array out;
  for (const room::Review& review : view.reviews) {
    json::Object item{{"reviewer_collaborator_alias", review.reviewer_alias},
                      {"review_state", Name(review.decision)},
                      {"created_at_millis", ToInt(review.created_at)}};
    SetText(item, "comment", review.comment);
    SetText(item, "review_sub_reason", review.sub_reason);
    out.emplace_back(std::move(item));
  }
  return out;
}

std::int64_t Number(RunId id) { return static_cast<std::int64_t>(id); }
bool IsTerminal(const room::RunView& view) { return view.run.state == room::RunState::kTerminated; }

std::string_view LifeCycle(const room::RunView& view) {
  switch (view.run.state) {
    case room::RunState::kQueued:
      return "QUEUED";
    case room::RunState::kRunning:
    case room::RunState::kFinishing:
      return "RUNNING";
    case room::RunState::kTerminated:
      return "TERMINATED";
  }
  GB_ASSERT(false);
}

std::string_view ResultState(const room::RunView& view) {
  switch (view.run.outcome) {
    case room::RunOutcome::kSuccess:
      return "SUCCESS";
    case room::RunOutcome::kCanceled:
      return "CANCELED";
    default:
      return "FAILED";
  }
}

json::Value StatusJson(const room::RunView& view) {
  json::Object status{{"state", LifeCycle(view)}};
  if (IsTerminal(view)) {
    const bool succeeded = view.run.outcome == room::RunOutcome::kSuccess;
    const bool canceled = view.run.outcome == room::RunOutcome::kCanceled;
    json::Object details{{"code", succeeded ? "SUCCESS" : (canceled ? "USER_CANCELED" : "RUN_EXECUTION_ERROR")},
                         {"type", succeeded ? "SUCCESS" : "CLIENT_ERROR"}};
    SetText(details, "message", view.run.message);
    status.Set("termination_details", std::move(details));
  }
  return json::Value(std::move(status));
}

void SetTimes(const room::RunView& view, json::Object& out) {
  const std::int64_t start = ToInt(view.run.requested_at);
  out.Set("start_time", start);
  out.Set("end_time", IsTerminal(view) ? ToInt(view.run.visible_at) : std::int64_t{0});
  const std::int64_t duration = IsTerminal(view) ? ToInt(view.run.visible_at) - start : std::int64_t{0};
  out.Set("setup_duration", std::int64_t{0});
  out.Set("execution_duration", duration);
  out.Set("cleanup_duration", std::int64_t{0});
  out.Set("run_duration", duration);
}

json::Value JobRunInfoJson(const room::RunView& view, std::int64_t workspace_id) {
  json::Object info{{"collaborator_alias", view.run.runner_alias}};
  if (view.is_own) {
    info.Set("collaborator_job_id", Number(view.run.id));
    info.Set("collaborator_job_run_id", Number(view.run.id));
    info.Set("collaborator_task_run_id", Number(view.run.task_id));
    info.Set("collaborator_workspace_id", workspace_id);
  }
  return json::Value(std::move(info));
}

// Of a success there is nothing to say, but that it was not computed again.
std::string StateMessage(const room::RunView& view) {
  return view.has_outputs && view.run.repeats != RunId{}
             ? "The answer of run " + std::to_string(static_cast<std::int64_t>(view.run.repeats)) + ", from the record."
             : view.run.message;
}

}  // namespace

json::Value RoomJson(const room::RoomView& view, RoomDetail detail) {
  json::Object out{{"name", view.name},
                   {"owner", view.owner},
                   {"created_at", ToInt(view.room.created_at)},
                   {"status", DatabricksStatus(view.room.state)}};
  SetText(out, "comment", view.comment);
  if (detail == RoomDetail::kCreated) {
    return json::Value(std::move(out));
  }
  out.Set("updated_at", ToInt(view.room.updated_at));
  out.Set("local_collaborator_alias", view.alias);
  out.Set("access_restricted", "NO_RESTRICTION");
  out.Set("enable_shared_output", false);
  json::Object catalog{{"status", view.output_catalog.empty() ? "NOT_CREATED" : "CREATED"}};
  SetText(catalog, "catalog_name", view.output_catalog);
  out.Set("output_catalog", std::move(catalog));
  if (detail == RoomDetail::kFull) {
    out.Set("remote_detailed_info", RemoteDetailJson(view));
  }
  return json::Value(std::move(out));
}

json::Value NativeRoomJson(const room::RoomView& view) {
  json::Array collaborators;
  for (const room::CollaboratorView& collaborator : view.collaborators) {
    json::Object item{{"alias", collaborator.member.alias},
                      {"organisation", collaborator.organisation_name},
                      {"joined", collaborator.member.joined_at.has_value()}};
    if (collaborator.member.joined_at) {
      item.Set("joined_at", FormatRfc3339(*collaborator.member.joined_at));
    }
    collaborators.emplace_back(std::move(item));
  }
  json::Object out{{"name", view.name},
                   {"id", view.room.id.str()},
                   {"state", Name(view.room.state)},
                   {"hosting", "hosted"},
                   {"alias", view.alias},
                   {"creator", view.room.creator_alias},
                   {"created_at", FormatRfc3339(view.room.created_at)},
                   {"collaborators", std::move(collaborators)}};
  SetText(out, "reason", view.room.reason);
  SetText(out, "output_catalog", view.output_catalog);
  return json::Value(std::move(out));
}

json::Value TableAssetJson(const room::AssetView& view, const std::string& room_name) {
  json::Object out = AssetJson(view.asset, Name(view.status), room_name);
  out.Set("table", json::Object{{"columns", ColumnsJson(view.columns)}});
  if (!view.asset.local_name.empty()) {
    out.Set("table_local_details", json::Object{{"local_name", view.asset.local_name}});
    SetText(out, "problem", view.asset.problem);
  }
  return json::Value(std::move(out));
}

json::Value NotebookAssetJson(const room::NotebookView& view, const std::string& room_name) {
  json::Object out = AssetJson(view.asset, "ACTIVE", room_name);
  json::Object notebook{{"notebook_content", view.version.content},
                        {"etag", view.version.etag.str()},
                        {"environment_version", view.version.environment_version},
                        {"review_state", Name(view.state)},
                        {"reviews", ReviewsJson(view)},
                        {"runner_collaborator_aliases", StringArray(view.version.runners)}};
  SetText(notebook, "description", view.version.description);
  if (!view.version.contract.is_null()) {
    notebook.Set("output_contract", view.version.contract);
  }
  out.Set("notebook", std::move(notebook));
  return json::Value(std::move(out));
}

json::Value ReviewAnswerJson(const room::NotebookView& view) {
  return json::Value(
      json::Object{{"notebook_review_state", Name(view.state)}, {"notebook_reviews", ReviewsJson(view)}});
}

json::Value ApprovalRuleJson(const room::AutoApprovalRule& rule, const std::string& room_name) {
  json::Object out{{"rule_id", rule.id},
                   {"clean_room_name", room_name},
                   {"rule_owner_collaborator_alias", rule.owner_alias},
                   {"runner_collaborator_alias", rule.runner_alias},
                   {"created_at", ToInt(rule.created_at)}};
  if (rule.author_alias.empty()) {
    out.Set("author_scope", "ANY_AUTHOR");
  } else {
    out.Set("author_collaborator_alias", rule.author_alias);
  }
  return json::Value(std::move(out));
}

json::Object RunStateJson(const room::RunView& view) {
  json::Object state{{"life_cycle_state", LifeCycle(view)}};
  if (IsTerminal(view)) {
    state.Set("result_state", ResultState(view));
  }
  return state;
}

json::Value JobTaskJson(const room::RunView& view) {
  json::Object task{
      {"clean_room_name", view.room_name}, {"notebook_name", view.run.notebook_name}, {"etag", view.run.etag.str()}};
  if (view.run.parameters.is_object()) {
    task.Set("notebook_base_parameters", view.run.parameters);
  }
  json::Object state = RunStateJson(view);
  state.Set("state_message", StateMessage(view));
  json::Object out{{"run_id", Number(view.run.task_id)}, {"task_key", view.run.task_key},
                   {"attempt_number", std::int64_t{0}},  {"clean_rooms_notebook_task", std::move(task)},
                   {"state", std::move(state)},          {"status", StatusJson(view)}};
  SetTimes(view, out);
  return json::Value(std::move(out));
}

json::Value JobRunJson(const room::RunView& view) {
  json::Object state = RunStateJson(view);
  state.Set("state_message", StateMessage(view));
  state.Set("user_cancelled_or_timedout", view.run.outcome == room::RunOutcome::kCanceled);
  json::Object out{{"run_id", Number(view.run.id)},
                   {"job_id", Number(view.run.id)},
                   {"number_in_job", Number(view.run.id)},
                   {"original_attempt_run_id", Number(view.run.id)},
                   {"run_name", view.run.run_name.empty() ? "Untitled" : view.run.run_name},
                   {"run_type", "SUBMIT_RUN"},
                   {"trigger", "ONE_TIME"},
                   {"creator_user_name", view.run.principal_name},
                   {"state", std::move(state)},
                   {"status", StatusJson(view)},
                   {"tasks", json::Array{JobTaskJson(view)}}};
  SetTimes(view, out);
  return json::Value(std::move(out));
}

json::Value NotebookTaskRunJson(const room::RunView& view, std::int64_t workspace_id) {
  json::Object out{{"notebook_name", view.run.notebook_name},
                   {"notebook_etag", view.run.etag.str()},
                   {"notebook_job_run_state", RunStateJson(view)},
                   {"start_time", ToInt(view.run.requested_at)},
                   {"collaborator_job_run_info", JobRunInfoJson(view, workspace_id)}};
  if (IsTerminal(view)) {
    out.Set("run_duration", ToInt(view.run.visible_at) - ToInt(view.run.requested_at));
  }
  if (view.is_own && view.has_outputs) {
    out.Set("output_schema_name", view.run.output_schema);
    out.Set("output_schema_expiration_time", ToInt(view.run.output_expires_at));
  }
  return json::Value(std::move(out));
}

json::Value TaskRunJson(const room::RunView& view, std::int64_t workspace_id) {
  json::Object out{{"name", view.run.notebook_name},
                   {"task_type", "NOTEBOOK"},
                   {"analysis_details", json::Object{{"etag", view.run.etag.str()}}},
                   {"task_run_state", RunStateJson(view)},
                   {"start_time", ToInt(view.run.requested_at)},
                   {"collaborator_job_run_info", JobRunInfoJson(view, workspace_id)}};
  if (IsTerminal(view)) {
    out.Set("run_duration", ToInt(view.run.visible_at) - ToInt(view.run.requested_at));
  }
  if (view.is_own && view.has_outputs) {
    out.Set("output_info", json::Object{{"output_schema_name", view.run.output_schema},
                                        {"output_schema_expiration_time", ToInt(view.run.output_expires_at)}});
  }
  return json::Value(std::move(out));
}

json::Value OutputJson(const room::OutputView& view) {
  const room::Output& output = view.output;
  json::Array decisions;
  for (const room::OutputDecision& decision : view.decisions) {
    json::Object item{{"reviewer", decision.reviewer_alias},
                      {"decision", Name(decision.decision)},
                      {"decided_at", FormatRfc3339(decision.decided_at)}};
    SetText(item, "comment", decision.comment);
    decisions.emplace_back(std::move(item));
  }
  json::Object out{{"output_id", output.id.str()},
                   {"run_id", Number(output.run)},
                   {"name", output.name},
                   {"state", Name(output.state)},
                   {"runner", output.runner_alias},
                   {"columns", output.columns},
                   {"notice", "Some cells may be withheld."},
                   {"created_at", FormatRfc3339(output.created_at)},
                   {"expires_at", FormatRfc3339(output.expires_at)},
                   {"decisions", std::move(decisions)}};
  if (view.shows_rows) {
    out.Set("row_count", output.rows);
  }
  if (view.shows_digest) {
    out.Set("byte_count", output.bytes);
    out.Set("sha256", output.sha256);
  }
  if (output.state == room::OutputState::kWaiting) {
    out.Set("reason", output.reason);
    out.Set("decide_by", FormatRfc3339(output.decide_by));
    out.Set("due_soon", view.due_soon);
  }
  if (!view.schema.empty()) {
    out.Set("table", view.catalog + "." + view.schema + "." + output.name);
  }
  SetText(out, "table_problem", output.register_problem);
  return json::Value(std::move(out));
}

json::Value ExportJson(const room::Export& item) {
  return json::Value(json::Object{{"export_id", item.id},
                                  {"output_id", item.output.str()},
                                  {"run_id", Number(item.run)},
                                  {"state", Name(item.state)},
                                  {"sha256", item.sha256},
                                  {"byte_count", item.bytes},
                                  {"format", "PARQUET"},
                                  {"requested_by", item.principal_name},
                                  {"created_at", FormatRfc3339(item.created_at)}});
}

}  // namespace glovebox::api
