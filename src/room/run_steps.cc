// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/file.h"
#include "base/kill_point.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"
#include "room/contract.h"
#include "room/documents.h"
#include "room/run_service.h"

namespace glovebox::room {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::string_view kFailedMessage =
    "The run failed after execution had started. There is no further detail for recipients.";
constexpr std::string_view kInterruptedMessage = "The run was interrupted by a restart of the server; run again.";

std::string Text(RunId id) { return std::to_string(static_cast<std::int64_t>(id)); }

// Whether the planner refused: text, schemas, rules and own tables alone decided.
bool IsPlannersRefusal(ErrorCode code) {
  switch (code) {
    case ErrorCode::kQueryRefused:
    case ErrorCode::kNotSupported:
    case ErrorCode::kSqlSyntax:
    case ErrorCode::kSqlUnknownName:
    case ErrorCode::kSqlType:
    case ErrorCode::kInvalidParameterValue:
      return true;
    default:
      return false;
  }
}

// Whether the run never started: what it needs is not there any more.
bool IsRefusal(ErrorCode code) {
  return IsPlannersRefusal(code) || code == ErrorCode::kInvalidState || code == ErrorCode::kPermissionDenied ||
         code == ErrorCode::kNotFound || code == ErrorCode::kAborted;
}

json::Value InputsToJson(const Inputs& inputs) {
  json::Array out;
  for (const InputAsset& asset : inputs.assets) {
    out.emplace_back(json::Object{{"asset", asset.name},
                                  {"version", asset.version},
                                  {"policy_sha256", asset.policy_digest},
                                  {"rule_sha256", asset.rule_digest}});
  }
  return json::Value(std::move(out));
}

}  // namespace

std::string RunService::OutputFolder(const Run& run) const {
  return core_.context().data_folder + "/outputs/" + run.room.str() + "/" + Text(run.id);
}

void RunService::Execute(RunId id) {
  Result<std::optional<Run>> found = core_.Read([&](store::Transaction& tx) { return FindRun(tx, id); });
  if (!found.ok() || !found->has_value()) {
    log::Error("a queued run is missing", {{"run_id", static_cast<std::int64_t>(id)}});
    return;
  }
  Run& run = **found;
  const Status status = ExecuteRun(run);
  if (status.ok()) {
    return;
  }
  bool canceled = false;
  {
    const std::lock_guard<std::mutex> guard(canceling_);
    canceled = cancel_requested_.erase(id) > 0;
    if (interrupted_ && !canceled) {
      return;  // the next start says so
    }
  }
  if (const Status removed = RemoveTree(OutputFolder(run)); !removed.ok()) {
    log::Warning("files of a failed run stay until the next start", {{"run_id", static_cast<std::int64_t>(id)}});
  }
  const std::unique_lock<std::mutex> lock = core_.Lock(run.room);
  Status concluded;
  if (canceled) {
    concluded = Conclude(run, RunOutcome::kCanceled, Status(ErrorCode::kAborted, "The run was canceled."), {}, {});
  } else if (IsRefusal(status.code())) {
    concluded = Conclude(run, RunOutcome::kDenied, status, {}, {});
  } else {
    // The detail is for the operator; recipients have one kind of failure.
    log::Warning("run failed",
                 {{"run_id", static_cast<std::int64_t>(id)}, {"code", std::string(WireName(status.code()))}});
    concluded = Conclude(run, RunOutcome::kFailed, Status(ErrorCode::kRunFailed, std::string(kFailedMessage)), {}, {});
  }
  if (!concluded.ok()) {
    log::Error("the end of a run could not be stored", {{"run_id", static_cast<std::int64_t>(id)}});
  }
}

Status RunService::ExecuteRun(Run& run) {
  GB_ASSIGN_OR_RETURN(const Room room, core_.Load(run.room));
  GB_ASSIGN_OR_RETURN(const Approved before, CheckRunnable(room, run.runner_alias, run));
  GB_ASSIGN_OR_RETURN(const Program program, RunInputs::Read(before.notebook.version.content, run.notebook_name));
  GB_ASSIGN_OR_RETURN(Inputs inputs, inputs_.Collect(room, run.runner_alias, program, run.parameters,
                                                     {run.output_catalog, run.output_schema}));
  Approved approved;
  {
    // What was checked above is checked again with the lock: between this and the entry nobody withdraws an approval.
    const std::unique_lock<std::mutex> lock = core_.Lock(run.room);
    GB_ASSIGN_OR_RETURN(const Room now, core_.Load(run.room));
    GB_ASSIGN_OR_RETURN(approved, CheckRunnable(now, run.runner_alias, run));
    // Before the entry: a run that was authorised is never started again.
    run.state = RunState::kRunning;
    GB_RETURN_IF_ERROR(core_.Write({UpdateRun(run)}));
    GB_RETURN_IF_ERROR(Authorize(run, approved, inputs));
  }
  GB_ASSIGN_OR_RETURN(inputs.request.history,
                      core_.Read([&](store::Transaction& tx) { return LoadHistory(tx, run.room); }));
  inputs.request.mode = engine::RunMode::kExecute;
  inputs.request.output_folder = OutputFolder(run);
  inputs.request.inline_rows_max = static_cast<std::int64_t>(limits::kRunInlineRowsMax);
  inputs.request.timeout_ms = limits::kRunTimeoutMs;
  GB_RETURN_IF_ERROR(MakeDirectories(inputs.request.output_folder));
  Result<engine::RunResult> result = Compute(run, inputs.request);
  if (!result.ok()) {
    const Status& why = result.status();
    if (!IsPlannersRefusal(why.code())) {
      return Status(ErrorCode::kRunFailed, why.message());
    }
    if (why.code() == ErrorCode::kSqlUnknownName && !inputs.unusable.empty()) {
      return Status(why.code(), why.message() + " Assets that cannot be used now: " + Join(inputs.unusable, ", ") + ".")
          .At(why.position());
    }
    return why;
  }
  return CommitRelease(run, approved, std::move(*result));
}

Result<engine::RunResult> RunService::Compute(const Run& run, const engine::RunRequest& request) {
  {
    const std::lock_guard<std::mutex> guard(canceling_);
    if (interrupted_ || cancel_requested_.contains(run.id)) {
      return Status(ErrorCode::kRunFailed, "canceled");
    }
    computing_[run.id] = request.output_folder;
  }
  Result<engine::RunResult> result = core_.context().engine.Run(request);
  const std::lock_guard<std::mutex> guard(canceling_);
  computing_.erase(run.id);
  return result;
}

Status RunService::Authorize(const Run& run, const Approved& approved, const Inputs& inputs) {
  json::Array approvals;
  for (const Review& review : approved.notebook.reviews) {
    if (review.decision == Decision::kApproved) {
      approvals.emplace_back(review.ledger_index);
    }
  }
  LedgerEntry entry = ServerEntry(EventType::kRunAuthorized, Text(run.id));
  const std::string salt = HexEncode(core_.context().random.Bytes(kSaltBytes));
  entry.data = {{"etag", run.etag.str()},
                {"code_sha256", approved.notebook.version.content_sha256},
                {"code_index", approved.notebook.version.ledger_index},
                {"approvals", std::move(approvals)},
                {"inputs", InputsToJson(inputs)},
                {"parameters_commitment", HexDigest(salt + json::WriteCanonical(run.parameters))}};
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t authorized,
                      core_.journal().Append(run.room, std::move(entry)));
  GB_KILL_POINT("room.run_authorized");
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t started,
                      core_.journal().Append(run.room, ServerEntry(EventType::kRunStarted, Text(run.id))));
  return Status();
}

Status RunService::CommitRelease(Run& run, const Approved& approved, engine::RunResult result) {
  const json::Value& contract = approved.notebook.version.contract;
  const std::int64_t min_units = SmallestMinUnits(result.certificate);
  json::Array outputs;
  json::Array digests;
  for (const engine::OutputTable& table : result.outputs) {
    Output output;
    output.id = OutputId(core_.NewId());
    output.name = table.name;
    output.columns = ColumnsToJson(table.file.columns);
    output.rows = table.file.rows;
    output.path = table.file.path;
    GB_ASSIGN_OR_RETURN(output.sha256, SyncAndDigestFile(output.path));
    GB_ASSIGN_OR_RETURN(output.bytes, FileSize(output.path));
    if (output.sha256 != table.sha256) {
      return Status(ErrorCode::kDataLoss, "an output file is not what the worker reported");
    }
    output.rows_path = output.path + ".rows";
    json::Array rows;
    for (const std::vector<json::Value>& row : table.rows) {
      rows.emplace_back(json::Array(row.begin(), row.end()));
    }
    GB_RETURN_IF_ERROR(WriteFileDurably(output.rows_path, json::Write(json::Value(std::move(rows)))));
    output.reason = WhyNotConforming(contract, table, min_units);
    json::Value pending = PendingOutputToJson(output);
    pending.as_object().Set("created_entry", core_.NewId());
    pending.as_object().Set("decided_entry", core_.NewId());
    pending.as_object().Set("contract_sha256", ContractDigest(contract));
    digests.emplace_back(json::Object{{"output", output.id.str()}, {"rows", output.rows}, {"sha256", output.sha256}});
    outputs.push_back(std::move(pending));
  }
  ReleaseRecord record;
  record.run = run.id;
  record.room = run.room;
  record.record = std::move(result.record);
  record.salt = HexEncode(core_.context().random.Bytes(kSaltBytes));
  record.commitment = HexDigest(record.salt + json::WriteCanonical(record.record));
  record.created_at = core_.Now();
  run.certificate = std::move(result.certificate);
  run.output_expires_at = TimeMs{ToInt(core_.Now()) + limits::kOutputLifetimeMs};
  json::Object data{{"certificate_sha256", HexDigest(json::WriteCanonical(run.certificate))},
                    {"release_commitment", record.commitment},
                    {"outputs", std::move(digests)}};
  json::Value completion(json::Object{{"data", std::move(data)}, {"outputs", std::move(outputs)}});
  const std::unique_lock<std::mutex> lock = core_.Lock(run.room);
  GB_RETURN_IF_ERROR(
      Conclude(run, RunOutcome::kSuccess, Status(), std::move(completion), {InsertReleaseRecord(record)}));
  GB_KILL_POINT("room.release_recorded");
  return Status();
}

Status RunService::Conclude(Run& run, RunOutcome outcome, const Status& why, json::Value completion,
                            const std::vector<Statement>& also) {
  if (completion.is_null()) {
    completion = json::Value(json::Object());
  }
  completion.as_object().Set("entry", core_.NewId());
  run.state = RunState::kFinishing;
  run.outcome = outcome;
  run.error_code = why.ok() ? std::string() : std::string(WireName(why.code()));
  run.message = why.message();
  run.rule = why.rule();
  if (run.visible_at == TimeMs{0}) {
    run.visible_at = TimeMs{ToInt(run.requested_at) + RoundedDurationMs(ToInt(core_.Now()) - ToInt(run.requested_at))};
  }
  run.completion = std::move(completion);
  std::vector<Statement> statements = also;
  statements.push_back(UpdateRun(run));
  GB_RETURN_IF_ERROR(core_.Write(statements));
  queue_.FinishAt(run.id, run.visible_at);
  return Status();
}

void RunService::Finish(RunId id) {
  Result<std::optional<Run>> found = core_.Read([&](store::Transaction& tx) { return FindRun(tx, id); });
  if (!found.ok() || !found->has_value()) {
    log::Error("a run to finish is missing", {{"run_id", static_cast<std::int64_t>(id)}});
    return;
  }
  Run& run = **found;
  Status status;
  {
    const std::unique_lock<std::mutex> lock = core_.Lock(run.room);
    status = RecordEnd(run);
  }
  if (status.ok() && run.state == RunState::kFinishing) {
    // Whoever sees that the run has ended finds its tables. What cannot be registered now is tried again at the next
    // start.
    if (const Status registered = outputs_.RegisterReleased(); !registered.ok()) {
      log::Error("outputs could not be registered", {{"code", std::string(WireName(registered.code()))}});
    }
    const std::unique_lock<std::mutex> lock = core_.Lock(run.room);
    status = Terminate(run);
  }
  if (status.ok()) {
    status = FinishClosingIfDone(run.room);
  }
  if (!status.ok()) {
    log::Error("a run could not be finished; the next start goes on with it",
               {{"run_id", static_cast<std::int64_t>(id)}, {"code", std::string(WireName(status.code()))}});
  }
}

Status RunService::RecordEnd(Run& run) {
  if (run.state != RunState::kFinishing || run.completion.GetBool("recorded")) {
    return Status();
  }
  EventType type = EventType::kRunFailed;
  if (run.outcome == RunOutcome::kSuccess) {
    type = EventType::kRunCompleted;
  } else if (run.outcome == RunOutcome::kDenied) {
    type = EventType::kRunDenied;
  }
  LedgerEntry entry = ServerEntry(type, Text(run.id));
  entry.id = run.completion.GetString("entry");
  entry.reason = run.outcome == RunOutcome::kCanceled ? "CANCELED" : run.error_code;
  if (!run.rule.empty()) {
    entry.data.Set("rule", run.rule);
  }
  if (const json::Value* data = run.completion.Get("data"); data != nullptr) {
    for (const json::Member& member : data->as_object()) {
      entry.data.Set(member.first, member.second);
    }
  }
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index, core_.journal().Append(run.room, std::move(entry)));
  GB_KILL_POINT("room.run_completed");
  std::vector<Statement> statements;
  if (const json::Value* outputs = run.completion.Get("outputs"); outputs != nullptr) {
    GB_ASSIGN_OR_RETURN(statements, outputs_.RecordOutputs(run, *outputs));
  }
  run.completion = json::Value(json::Object{{"recorded", true}});
  statements.push_back(UpdateRun(run));
  return core_.Write(statements);
}

Status RunService::Terminate(Run& run) {
  run.state = RunState::kTerminated;
  run.completion = json::Value();
  GB_RETURN_IF_ERROR(core_.Write({UpdateRun(run)}));
  log::Info("run ended", {{"run_id", static_cast<std::int64_t>(run.id)}, {"outcome", std::string(Name(run.outcome))}});
  return Status();
}

Status RunService::FinishClosingIfDone(const RoomId& id) {
  {
    const std::unique_lock<std::mutex> lock = core_.Lock(id);
    GB_ASSIGN_OR_RETURN(const Room room, core_.Load(id));
    if (room.state != RoomState::kClosing) {
      return Status();
    }
    GB_ASSIGN_OR_RETURN(const std::vector<Run> runs,
                        core_.Read([](store::Transaction& tx) { return UnfinishedRuns(tx); }));
    if (std::any_of(runs.begin(), runs.end(), [&](const Run& run) { return run.room == id; })) {
      return Status();
    }
    GB_RETURN_IF_ERROR(outputs_.ExpireRoom(id));
  }
  return rooms_.FinishClosing(id);
}

Status RunService::Recover() {
  GB_ASSIGN_OR_RETURN(last_number_, core_.Read([](store::Transaction& tx) { return LastRunNumber(tx); }));
  GB_ASSIGN_OR_RETURN(std::vector<Run> runs, core_.Read([](store::Transaction& tx) { return UnfinishedRuns(tx); }));
  for (Run& run : runs) {
    if (run.state == RunState::kFinishing) {
      queue_.FinishAt(run.id, run.visible_at);
      continue;
    }
    const std::unique_lock<std::mutex> lock = core_.Lock(run.room);
    if (run.state == RunState::kQueued && queue_.Reserve().ok()) {
      // It has not begun: it goes on, with its time counted from now.
      GB_RETURN_IF_ERROR(core_.Write({UpdateRequestedAt(run.id, core_.Now())}));
      queue_.Add(run.id, run.room);
      continue;
    }
    // When the server came back tells nothing of anybody's rows: the end is visible now.
    run.visible_at = core_.Now();
    GB_RETURN_IF_ERROR(
        Conclude(run, RunOutcome::kFailed, Status(ErrorCode::kRunFailed, std::string(kInterruptedMessage)), {}, {}));
  }
  GB_ASSIGN_OR_RETURN(const std::vector<RoomId> closing,
                      core_.Read([](store::Transaction& tx) { return RoomsInState(tx, RoomState::kClosing); }));
  for (const RoomId& room : closing) {
    GB_RETURN_IF_ERROR(FinishClosingIfDone(room));
  }
  return Status();
}

}  // namespace glovebox::room
