// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "base/encoding.h"
#include "base/file.h"
#include "base/guarded.h"
#include "base/kill_point.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"
#include "ledger/commitment.h"
#include "room/contract.h"
#include "room/documents.h"
#include "room/run_service.h"

namespace glovebox::room {
namespace {

constexpr std::string_view kFailedMessage =
    "The run failed after execution had started. There is no further detail for recipients.";
constexpr std::string_view kInterruptedMessage = "The run was interrupted by a restart of the server; run again.";

std::string Text(RunId id) { return std::to_string(static_cast<std::int64_t>(id)); }

// What the step that is under way returns; how the run ends is said elsewhere.
Status Canceled() { return Status(ErrorCode::kRunFailed, "canceled"); }

// Whether the run never started: what it needs is not there any more.
bool IsRefusal(ErrorCode code) {
  return engine::IsPlannersRefusal(code) || code == ErrorCode::kInvalidState || code == ErrorCode::kPermissionDenied ||
         code == ErrorCode::kNotFound || code == ErrorCode::kAborted;
}

}  // namespace

std::string RunService::OutputFolder(const Run& run) const {
  return core_.context().data_folder + "/outputs/" + run.room.str() + "/" + Text(run.id);
}

void RunService::Execute(RunId id) {
  Result<std::optional<Run>> found = core_.Read([&](store::Transaction& tx) { return FindRun(tx, id); });
  if (!found.ok()) {
    TryAgain(id, found.status());
    return;
  }
  if (!found->has_value()) {
    log::Error("a queued run is missing", {{"run_id", static_cast<std::int64_t>(id)}});
    return;
  }
  Run& run = **found;
  const Status status = RunGuarded("A run", [&] { return ExecuteRun(run); });
  bool canceled = false;
  {
    const std::lock_guard<std::mutex> guard(canceling_);
    canceled = cancel_requested_.erase(id) > 0;
    if (status.ok() || (interrupted_ && !canceled)) {
      return;  // of an interrupted one the next start says so
    }
  }
  std::vector<Statement> also = LeftBehind(run);
  if (const Status removed = RemoveTree(OutputFolder(run)); !removed.ok()) {
    log::Warning("files of a failed run stay until the next start", {{"run_id", static_cast<std::int64_t>(id)}});
  }
  const RoomLock lock = core_.Lock(run.room);
  if (canceled) {
    End(run, CanceledEnding(std::move(also)));
  } else if (IsRefusal(status.code())) {
    End(run, {RunOutcome::kDenied, status});
  } else {
    // The detail is for the operator; recipients have one kind of failure.
    log::Warning("run failed",
                 {{"run_id", static_cast<std::int64_t>(id)}, {"code", std::string(WireName(status.code()))}});
    End(run, {RunOutcome::kFailed, Status(ErrorCode::kRunFailed, std::string(kFailedMessage)), std::move(also)});
  }
}

RunService::Ending RunService::CanceledEnding(std::vector<Statement> also) {
  return {RunOutcome::kCanceled, Status(ErrorCode::kAborted, "The run was canceled."), std::move(also)};
}

// That a run failed, and when, may tell something about what it was about to release.
std::vector<Statement> RunService::LeftBehind(const Run& run) {
  Result<json::Value> record = engine::ReadRecord(OutputFolder(run));
  if (!record.ok()) {
    log::Error("the record of a failed run does not read", {{"run_id", static_cast<std::int64_t>(run.id)}});
  }
  if (!record.ok() || record->is_null()) {
    return {};
  }
  return {InsertReleaseRecord(NewRecord(run, std::move(*record)))};
}

ReleaseRecord RunService::NewRecord(const Run& run, json::Value record) {
  ReleaseRecord out;
  out.run = run.id;
  out.room = run.room;
  out.record = std::move(record);
  out.salt = ledger::NewSalt(core_.context().random);
  out.commitment = ledger::CommitWith(out.salt, "release_record", out.record).commitment;
  out.created_at = core_.Now();
  return out;
}

void RunService::End(Run& run, const Ending& ending) {
  const Status concluded = Conclude(run, ending.outcome, ending.why, {}, ending.also);
  {
    const std::lock_guard<std::mutex> guard(retrying_);
    if (concluded.ok()) {
      endings_.erase(run.id);
    } else {
      endings_.insert_or_assign(run.id, ending);
    }
  }
  if (!concluded.ok()) {
    TryAgain(run.id, concluded);
    return;
  }
  const std::lock_guard<std::mutex> guard(canceling_);
  cancel_requested_.erase(run.id);
}

void RunService::TryAgain(RunId id, const Status& why) {
  std::int64_t pause = limits::kRunRetryMs;
  {
    const std::lock_guard<std::mutex> guard(retrying_);
    std::int64_t& last = pauses_[id];
    pause = last == 0 ? limits::kRunRetryMs : std::min(last * 2, limits::kRunRetryMaxMs);
    last = pause;
  }
  log::Error("a step of a run could not be taken; it is tried again",
             {{"run_id", static_cast<std::int64_t>(id)}, {"code", std::string(WireName(why.code()))}});
  queue_.FinishAt(id, TimeMs{ToInt(core_.Now()) + pause});
}

Result<RunService::Admitted> RunService::Admit(Run& run) {
  for (int i = 0; i < limits::kRunCollectsMax; ++i) {
    Admitted admitted;
    GB_ASSIGN_OR_RETURN(const Room room, core_.Load(run.room));
    GB_ASSIGN_OR_RETURN(admitted.notebook, CheckRunnable(room, run.runner_alias, run));
    GB_ASSIGN_OR_RETURN(const Program program, RunInputs::Read(admitted.notebook.version.content, run.notebook_name));
    GB_ASSIGN_OR_RETURN(admitted.inputs, inputs_.Collect(room, run.runner_alias, program, run.parameters));
    // What was checked above is checked again with the lock: between this and the entry nobody withdraws an approval or
    // a table, or sets another rule.
    const RoomLock lock = core_.Lock(run.room);
    GB_ASSIGN_OR_RETURN(const Room now, core_.Load(run.room));
    GB_ASSIGN_OR_RETURN(admitted.notebook, CheckRunnable(now, run.runner_alias, run));
    GB_ASSIGN_OR_RETURN(const bool is_current, inputs_.IsCurrent(now, admitted.inputs));
    if (!is_current) {
      continue;
    }
    // Before the entry: a run that was authorised is never started again.
    run.state = RunState::kRunning;
    run.parameters_opening = ledger::Commit("parameters", run.parameters, core_.context().random).opening;
    std::vector<Statement> statements = EarlierTables::Keep(run.room, admitted.inputs);
    statements.push_back(UpdateRun(run));
    GB_RETURN_IF_ERROR(core_.Write(statements));
    GB_RETURN_IF_ERROR(Authorize(run, admitted));
    return admitted;
  }
  return Status(ErrorCode::kAborted, "A table of the notebook changed again and again while the run began; run again.");
}

Status RunService::ExecuteRun(Run& run) {
  GB_ASSIGN_OR_RETURN(Admitted admitted, Admit(run));
  Inputs& inputs = admitted.inputs;
  run.computation = ComputationOf(run.runner_alias, inputs);
  GB_ASSIGN_OR_RETURN(std::optional<Answer> answer, FindAnswer(core_, run.room, run.computation));
  if (answer) {
    return CommitRepeated(run, admitted.notebook, std::move(*answer));
  }
  GB_ASSIGN_OR_RETURN(inputs.request.history,
                      core_.Read([&](store::Transaction& tx) { return LoadHistory(tx, run.room); }));
  GB_ASSIGN_OR_RETURN(const Room room, core_.Load(run.room));
  GB_RETURN_IF_ERROR(earlier_.Add(room, run.runner_alias, Reading::kAll, inputs));
  inputs.request.mode = engine::RunMode::kExecute;
  inputs.request.output_folder = OutputFolder(run);
  inputs.request.inline_rows_max = static_cast<std::int64_t>(limits::kRunInlineRowsMax);
  inputs.request.timeout_ms = limits::kRunTimeoutMs;
  GB_RETURN_IF_ERROR(MakeDirectories(inputs.request.output_folder));
  Result<engine::RunResult> result = Compute(run, inputs.request);
  if (!result.ok()) {
    const Status& why = result.status();
    if (!engine::IsPlannersRefusal(why.code())) {
      return Status(ErrorCode::kRunFailed, why.message());
    }
    if (why.code() == ErrorCode::kSqlUnknownName && !inputs.unusable.empty()) {
      return Status(why.code(), why.message() + " Assets that cannot be used now: " + Join(inputs.unusable, ", ") + ".")
          .At(why.position());
    }
    return why;
  }
  return CommitComputed(run, admitted.notebook, std::move(*result));
}

Result<engine::RunResult> RunService::Compute(const Run& run, engine::RunRequest& request) {
  const auto stop = std::make_shared<std::atomic<bool>>(false);
  request.canceled = stop;
  {
    const std::lock_guard<std::mutex> guard(canceling_);
    GB_RETURN_IF_ERROR(CheckGoesOn(run.id));
    computing_[run.id] = {request.output_folder, stop};
  }
  Result<engine::RunResult> result = core_.context().engine.Run(request);
  const std::lock_guard<std::mutex> guard(canceling_);
  computing_.erase(run.id);
  if (cancel_requested_.contains(run.id)) {
    return Canceled();  // whatever came out just before is nobody's
  }
  return result;
}

Status RunService::CheckGoesOn(RunId id) const {
  return interrupted_ || cancel_requested_.contains(id) ? Canceled() : Status();
}

Status RunService::Authorize(Run& run, const Admitted& admitted) {
  json::Array approvals;
  for (const Review& review : admitted.notebook.reviews) {
    if (review.decision == Decision::kApproved) {
      approvals.emplace_back(review.ledger_index);
    }
  }
  LedgerEntry entry = ServerEntry(EventType::kRunAuthorized, Text(run.id));
  entry.data = {{"etag", run.etag.str()},
                {"code_sha256", admitted.notebook.version.content_sha256},
                {"code_index", admitted.notebook.version.ledger_index},
                {"approvals", std::move(approvals)},
                {"inputs", InputsToJson(admitted.inputs.assets)},
                {"sd", json::Array{ledger::CommitmentOf(run.parameters_opening)}}};
  GB_ASSIGN_OR_RETURN(run.authorized_index, core_.journal().Append(run.room, std::move(entry)));
  GB_KILL_POINT("room.run_authorized");
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t started,
                      core_.journal().Append(run.room, ServerEntry(EventType::kRunStarted, Text(run.id))));
  return Status();
}

Result<std::vector<Output>> RunService::StoreTables(const std::vector<engine::OutputTable>& tables) {
  std::vector<Output> outputs;
  for (const engine::OutputTable& table : tables) {
    Output output;
    output.name = table.name;
    output.columns = ColumnsToJson(table.file.columns);
    output.rows = table.file.rows;
    GB_ASSIGN_OR_RETURN(output.path, core_.StoredPath(table.file.path));
    GB_ASSIGN_OR_RETURN(output.sha256, SyncAndDigestFile(table.file.path));
    GB_ASSIGN_OR_RETURN(output.bytes, FileSize(table.file.path));
    if (output.sha256 != table.sha256) {
      return Status(ErrorCode::kDataLoss, "an output file is not what the worker reported");
    }
    json::Array rows;
    for (const std::vector<json::Value>& row : table.rows) {
      rows.emplace_back(json::Array(row.begin(), row.end()));
    }
    const std::string text = json::Write(json::Value(std::move(rows)));
    output.rows_path = output.path + ".rows";
    output.rows_sha256 = HexDigest(text);
    GB_RETURN_IF_ERROR(WriteFileDurably(core_.PathOf(output.rows_path), text));
    outputs.push_back(std::move(output));
  }
  return outputs;
}

Status RunService::CommitComputed(Run& run, const NotebookView& notebook, engine::RunResult result) {
  Released released;
  GB_ASSIGN_OR_RETURN(released.outputs, StoreTables(result.outputs));
  const ReleaseRecord record = NewRecord(run, std::move(result.record));
  released.certificate = std::move(result.certificate);
  released.basis = {{"sd", json::Array{record.commitment}}};
  released.also = {InsertReleaseRecord(record)};
  GB_RETURN_IF_ERROR(CommitRelease(run, notebook, std::move(released)));
  // The store has it.
  if (!RemoveTree(OutputFolder(run) + "/" + engine::kRecordFileName).ok()) {
    log::Warning("a second copy of a release record stays", {{"run_id", static_cast<std::int64_t>(run.id)}});
  }
  return Status();
}

Status RunService::CommitRepeated(Run& run, const NotebookView& notebook, Answer answer) {
  {
    const std::lock_guard<std::mutex> guard(canceling_);
    GB_RETURN_IF_ERROR(CheckGoesOn(run.id));
  }
  run.repeats = answer.run;
  Released released;
  released.certificate = std::move(answer.certificate);
  released.outputs = std::move(answer.outputs);
  released.basis = {{"repeats", Text(answer.run)}};
  return CommitRelease(run, notebook, std::move(released));
}

Status RunService::CommitRelease(Run& run, const NotebookView& notebook, Released released) {
  SetVisible(run);  // ids and times of what comes out tell no other moment (P13)
  const json::Value& contract = notebook.version.contract;
  const std::int64_t min_units = SmallestMinUnits(released.certificate);
  json::Array outputs;
  json::Array digests;
  for (Output& output : released.outputs) {
    output.id = OutputId(core_.NewIdAt(run.visible_at));
    engine::OutputTable table;
    table.name = output.name;
    table.file.columns = ColumnsFromJson(output.columns);
    table.file.rows = output.rows;
    output.reason = WhyNotConforming(contract, table, min_units);
    const bool waits = !output.reason.empty();
    output.opening = waits ? OpeningOf(output, core_.context().random) : std::string();
    json::Value pending = PendingOutputToJson(output);
    pending.as_object().Set("created_entry", core_.NewIdAt(run.visible_at));
    pending.as_object().Set("decided_entry", core_.NewIdAt(run.visible_at));
    pending.as_object().Set("contract_sha256", ContractDigest(contract));
    json::Object named{{"output", output.id.str()}};
    if (!waits) {
      named.Set("rows", output.rows);
      named.Set("sha256", output.sha256);
    }
    digests.emplace_back(std::move(named));
    outputs.push_back(std::move(pending));
  }
  run.certificate = std::move(released.certificate);
  run.output_expires_at = TimeMs{ToInt(run.visible_at) + limits::kOutputLifetimeMs};
  const std::string certificate_digest = HexDigest(json::WriteCanonical(run.certificate));
  json::Object data = std::move(released.basis);
  data.Set("certificate_sha256", certificate_digest);
  data.Set("blobs", json::Array{certificate_digest});
  data.Set("outputs", std::move(digests));
  json::Value completion(json::Object{{"data", std::move(data)}, {"outputs", std::move(outputs)}});
  const RoomLock lock = core_.Lock(run.room);
  GB_RETURN_IF_ERROR(Conclude(run, RunOutcome::kSuccess, Status(), std::move(completion), released.also));
  GB_KILL_POINT("room.release_recorded");
  return Status();
}

void RunService::SetVisible(Run& run) {
  if (run.visible_at == TimeMs{0}) {
    run.visible_at = TimeMs{ToInt(run.requested_at) + RoundedDurationMs(ToInt(core_.Now()) - ToInt(run.requested_at))};
  }
}

Status RunService::Conclude(Run& run, RunOutcome outcome, const Status& why, json::Value completion,
                            const std::vector<Statement>& also) {
  if (completion.is_null()) {
    completion = json::Value(json::Object());
  }
  SetVisible(run);
  completion.as_object().Set("entry", core_.NewIdAt(run.visible_at));
  run.state = RunState::kFinishing;
  run.outcome = outcome;
  run.error_code = why.ok() ? std::string() : std::string(WireName(why.code()));
  run.message = why.message();
  run.rule = why.rule();
  run.completion = std::move(completion);
  if (outcome != RunOutcome::kSuccess) {
    run.computation.clear();  // it is nobody's answer
    run.repeats = RunId{};
  }
  std::vector<Statement> statements = also;
  statements.push_back(UpdateRun(run));
  GB_RETURN_IF_ERROR(core_.Write(statements));
  queue_.FinishAt(run.id, run.visible_at);
  return Status();
}

void RunService::Finish(RunId id) {
  Result<std::optional<Run>> found = core_.Read([&](store::Transaction& tx) { return FindRun(tx, id); });
  if (found.ok() && !found->has_value()) {
    log::Error("a run to finish is missing", {{"run_id", static_cast<std::int64_t>(id)}});
    return;
  }
  const Status finished = found.ok() ? FinishRun(**found) : found.status();
  if (!finished.ok()) {
    TryAgain(id, finished);
    return;
  }
  const std::lock_guard<std::mutex> guard(retrying_);
  if (!endings_.contains(id)) {
    pauses_.erase(id);
  }
}

Status RunService::FinishRun(Run& run) {
  if (run.state == RunState::kQueued || run.state == RunState::kRunning) {
    Resume(run);
    return Status();
  }
  {
    const RoomLock lock = core_.Lock(run.room);
    GB_RETURN_IF_ERROR(RecordEnd(run));
  }
  if (run.state == RunState::kFinishing) {
    // Whoever sees that the run has ended finds its tables. What cannot be registered now is tried again by the sweep.
    if (const Status registered = outputs_.RegisterReleased(run.room); !registered.ok()) {
      log::Error("outputs could not be registered", {{"code", std::string(WireName(registered.code()))}});
    }
    const RoomLock lock = core_.Lock(run.room);
    GB_RETURN_IF_ERROR(Terminate(run));
  }
  return FinishClosingIfDone(run.room);
}

void RunService::Resume(Run& run) {
  std::optional<Ending> ending;
  {
    const std::lock_guard<std::mutex> guard(retrying_);
    if (const auto found = endings_.find(run.id); found != endings_.end()) {
      ending = found->second;
    }
  }
  if (ending) {
    const RoomLock lock = core_.Lock(run.room);
    End(run, *ending);
  } else if (run.state == RunState::kQueued) {
    queue_.Resume(run.id, run.room, run.organisation);
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
    const RoomLock lock = core_.Lock(id);
    GB_ASSIGN_OR_RETURN(const Room room, core_.Load(id));
    if (room.state != RoomState::kClosing) {
      return Status();
    }
    GB_ASSIGN_OR_RETURN(const std::vector<Run> runs,
                        core_.Read([&](store::Transaction& tx) { return UnfinishedRunsIn(tx, id); }));
    if (!runs.empty()) {
      return Status();
    }
    GB_RETURN_IF_ERROR(outputs_.ExpireRoom(id));
  }
  GB_RETURN_IF_ERROR(rooms_.FinishClosing(id));
  outputs_.RemoveFiles(id);
  return Status();
}

Status RunService::Recover() {
  GB_ASSIGN_OR_RETURN(last_number_, core_.Read([](store::Transaction& tx) { return LastRunNumber(tx); }));
  GB_ASSIGN_OR_RETURN(std::vector<Run> runs, core_.Read([](store::Transaction& tx) { return UnfinishedRuns(tx); }));
  for (Run& run : runs) {
    if (run.state == RunState::kFinishing) {
      queue_.ResumeFinish(run.id, run.room, run.visible_at);
      continue;
    }
    const RoomLock lock = core_.Lock(run.room);
    if (run.state == RunState::kQueued) {
      // It has not begun: it goes on, with its time counted from now.
      GB_RETURN_IF_ERROR(core_.Write({UpdateRequestedAt(run.id, core_.Now())}));
      queue_.Resume(run.id, run.room, run.organisation);
      continue;
    }
    // What it computed was never released.
    const std::vector<Statement> also = LeftBehind(run);
    GB_RETURN_IF_ERROR(RemoveTree(OutputFolder(run)));
    // When the server came back tells nothing of anybody's rows: the end is visible now.
    run.visible_at = core_.Now();
    GB_RETURN_IF_ERROR(
        Conclude(run, RunOutcome::kFailed, Status(ErrorCode::kRunFailed, std::string(kInterruptedMessage)), {}, also));
  }
  return FinishClosingRooms();
}

Status RunService::FinishClosingRooms() {
  GB_ASSIGN_OR_RETURN(const std::vector<RoomId> closing,
                      core_.Read([](store::Transaction& tx) { return RoomsInState(tx, RoomState::kClosing); }));
  for (const RoomId& room : closing) {
    if (const Status finished = FinishClosingIfDone(room); !finished.ok()) {
      log::Error("a room could not be closed; it is tried again",
                 {{"room", room.str()}, {"code", std::string(WireName(finished.code()))}});
    }
  }
  return Status();
}

Status RunService::Sweep() {
  GB_ASSIGN_OR_RETURN(const std::vector<Run> runs,
                      core_.Read([](store::Transaction& tx) { return UnfinishedRuns(tx); }));
  for (const Run& seen : runs) {
    // With the lock a run is in the queue, or it was left behind: its request was stored late, or an end's.
    const RoomLock lock = core_.Lock(seen.room);
    if (queue_.Knows(seen.id)) {
      continue;
    }
    GB_ASSIGN_OR_RETURN(const std::optional<Run> run,
                        core_.Read([&](store::Transaction& tx) { return FindRun(tx, seen.id); }));
    if (run && run->state == RunState::kQueued) {
      queue_.Resume(run->id, run->room, run->organisation);
    } else if (run && run->state == RunState::kFinishing) {
      queue_.ResumeFinish(run->id, run->room, run->visible_at);
    }
  }
  return FinishClosingRooms();
}

}  // namespace glovebox::room
