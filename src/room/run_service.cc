// SPDX-License-Identifier: Apache-2.0
#include "room/run_service.h"

#include <algorithm>
#include <utility>

#include "base/invalid_parameter.h"
#include "base/limits.h"
#include "base/log.h"

namespace glovebox::room {
namespace {

std::string Text(RunId id) { return std::to_string(static_cast<std::int64_t>(id)); }

std::int64_t NumberOf(const RunView& view) { return static_cast<std::int64_t>(view.run.id); }

// What others may see of a run, and what its own side may see before its end is visible.
void Hide(Run& run, bool is_own) {
  if (run.state == RunState::kFinishing) {
    run.state = RunState::kRunning;
    run.outcome = RunOutcome::kNone;
    run.error_code.clear();
    run.message.clear();
    run.rule.clear();
    run.certificate = json::Value();
    run.visible_at = TimeMs{0};
  }
  run.completion = json::Value();
  if (!is_own) {
    run.principal = PrincipalId();
    run.principal_name.clear();
    run.run_name.clear();
    run.idempotency_token.clear();
    run.parameters = json::Value();
    run.parameters_opening.clear();
    run.message.clear();
    run.rule.clear();
    run.error_code.clear();
    run.output_catalog.clear();
  }
}

// Whether the ledger has not had enough denied runs of the principal lately.
Result<bool> MayDenyMore(Core& core, const Run& run) {
  GB_ASSIGN_OR_RETURN(const std::int64_t denied, core.Read([&](store::Transaction& tx) {
    return CountDeniedRuns(tx, run, TimeMs{ToInt(run.requested_at) - limits::kDeniedRunsMs});
  }));
  return denied < static_cast<std::int64_t>(limits::kRunsDeniedPerDayMax);
}

}  // namespace

std::int64_t RoundedDurationMs(std::int64_t elapsed_ms) {
  std::int64_t rounded = limits::kVisibleDurationStepMs;
  while (rounded < elapsed_ms) {
    rounded *= 2;
  }
  return rounded;
}

RunService::RunService(Core& core, RoomService& rooms, RunInputs& inputs, EarlierTables& earlier,
                       NotebookService& notebooks, OutputService& outputs)
    : core_(core),
      rooms_(rooms),
      inputs_(inputs),
      earlier_(earlier),
      notebooks_(notebooks),
      outputs_(outputs),
      queue_(*this, core.context().clock) {}

Result<std::string> RunService::RoomNameFor(const Run& run) {
  GB_ASSIGN_OR_RETURN(const Room loaded, core_.Load(run.room));
  const Member* side = loaded.FindAlias(run.runner_alias);
  return side == nullptr ? std::string() : side->local_name;
}

Result<RunView> RunService::ViewOf(const Caller& caller, Run run, const std::string& room_name) {
  RunView view;
  view.is_own = run.organisation == caller.organisation;
  view.room_name = room_name;
  view.has_outputs = run.state == RunState::kTerminated && run.outcome == RunOutcome::kSuccess;
  Hide(run, view.is_own);
  view.run = std::move(run);
  return view;
}

Status RunService::CheckSizes(const SubmitSpec& spec) {
  if (spec.idempotency_token.size() > limits::kIdempotencyTokenBytesMax) {
    return InvalidParameter("idempotency_token has at most " + std::to_string(limits::kIdempotencyTokenBytesMax) +
                            " bytes.");
  }
  if (spec.run_name.size() > limits::kCommentBytesMax || spec.task_key.size() > limits::kNameBytesMax) {
    return InvalidParameter("run_name or task_key is too long.");
  }
  if (spec.etag.str().size() > limits::kEtagBytesMax) {
    return InvalidParameter("etag has at most " + std::to_string(limits::kEtagBytesMax) + " bytes.");
  }
  return Status();
}

Result<RunView> RunService::Submit(const Caller& caller, const SubmitSpec& spec) {
  GB_RETURN_IF_ERROR(core_.context().engine.Ready());
  GB_RETURN_IF_ERROR(CheckSizes(spec));
  GB_ASSIGN_OR_RETURN(const NotebookView latest, notebooks_.Get(caller, spec.room, spec.notebook));
  GB_ASSIGN_OR_RETURN(const Program program, RunInputs::Read(latest.version.content, latest.asset.name));
  GB_RETURN_IF_ERROR(RunInputs::CheckParameters(program, spec.parameters));

  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, spec.room, RoomPrivilege::kExecuteTask, Joining::kRequired));
  std::unique_lock<std::mutex> submitting;
  if (!spec.idempotency_token.empty()) {
    // A token is the organisation's, whatever the room: two requests with the same one wait for each other.
    submitting = std::unique_lock<std::mutex>(submitting_);
    GB_ASSIGN_OR_RETURN(std::optional<Run> known, core_.Read([&](store::Transaction& tx) {
      return FindRunByToken(tx, caller.organisation, spec.idempotency_token);
    }));
    if (known) {
      if (known->principal != caller.principal || known->room != membership.room.id ||
          known->notebook != latest.asset.id) {
        return Status(ErrorCode::kAlreadyExists, "The idempotency_token is that of another run.");
      }
      return ViewOf(caller, std::move(*known), membership.self().local_name);
    }
  }
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kActive}));
  Run run;
  run.id = RunId{last_number_.fetch_add(2) + 1};
  run.task_id = RunId{static_cast<std::int64_t>(run.id) + 1};
  run.room = membership.room.id;
  run.organisation = caller.organisation;
  run.runner_alias = membership.alias;
  run.principal = caller.principal;
  run.principal_name = caller.name;
  run.run_name = spec.run_name;
  run.task_key = spec.task_key;
  run.idempotency_token = spec.idempotency_token;
  run.notebook = latest.asset.id;
  run.notebook_name = latest.asset.name;
  run.etag = spec.etag.empty() ? latest.version.etag : spec.etag;
  run.parameters = spec.parameters;
  run.requested_at = core_.Now();
  run.output_catalog = membership.self().output_catalog;
  run.output_schema = "run_" + Text(run.id);
  const Result<NotebookView> runnable = CheckRunnable(membership.room, membership.alias, run);
  if (!runnable.ok()) {
    GB_ASSIGN_OR_RETURN(const bool more, MayDenyMore(core_, run));
    if (!more) {
      return runnable.status();
    }
  }
  GB_RETURN_IF_ERROR(queue_.Reserve(caller.organisation));
  LedgerEntry entry = EntryOf(EventType::kRunRequested, membership.alias, "runner", Text(run.id));
  entry.data = {{"notebook", run.notebook_name}, {"etag", run.etag.str()}};
  const Result<std::int64_t> recorded = core_.journal().Record(run.room, std::move(entry), {InsertRun(run)});
  if (!recorded.ok()) {
    queue_.Unreserve(caller.organisation);
    return recorded.status();
  }
  if (!runnable.ok()) {
    queue_.Unreserve(caller.organisation);
    if (const Status denied = Deny(run, runnable.status()); !denied.ok()) {
      queue_.Resume(run.id, run.room, caller.organisation);  // it is refused again when it is its turn
      return denied;
    }
    return runnable.status();
  }
  queue_.Add(run.id, run.room, caller.organisation);
  return ViewOf(caller, std::move(run), membership.self().local_name);
}

Result<NotebookView> RunService::CheckRunnable(const Room& room, const std::string& alias, const Run& run) {
  GB_RETURN_IF_ERROR(Core::RequireState(room, {RoomState::kActive}));
  GB_ASSIGN_OR_RETURN(NotebookView notebook, notebooks_.Latest(room, run.notebook_name));
  if (notebook.version.etag != run.etag) {
    return Status(ErrorCode::kAborted, "The notebook changed: the etag is not that of its latest version.");
  }
  const auto& runners = notebook.version.runners;
  if (std::find(runners.begin(), runners.end(), alias) == runners.end()) {
    return Status(ErrorCode::kPermissionDenied,
                  "Collaborator '" + alias + "' is not among the runners of notebook '" + run.notebook_name + "'.");
  }
  if (notebook.state != Decision::kApproved) {
    std::string missing;
    for (const Member& member : room.members) {
      const bool has_approved =
          member.alias == notebook.version.author_alias ||
          std::any_of(notebook.reviews.begin(), notebook.reviews.end(), [&](const Review& review) {
            return review.reviewer_alias == member.alias && review.decision == Decision::kApproved;
          });
      missing += has_approved ? "" : (missing.empty() ? "'" : ", '") + member.alias + "'";
    }
    return Status(ErrorCode::kInvalidState, "The latest version of notebook '" + run.notebook_name + "' is " +
                                                std::string(Name(notebook.state)) + ": it needs the approval of " +
                                                missing + ".");
  }
  if (run.output_catalog.empty()) {
    return Status(ErrorCode::kInvalidState,
                  "Your side of the clean room has no output catalog; create one first (output-catalogs).");
  }
  GB_ASSIGN_OR_RETURN(const Caller runner, core_.context().metastores.CallerFor(run.organisation, run.principal));
  const Member* member = room.FindAlias(alias);
  GB_ASSERT(member != nullptr);
  GB_RETURN_IF_ERROR(core_.context().metastores.CheckOnRoom(runner, RoomPrivilege::kExecuteTask, member->local_name));
  return notebook;
}

Status RunService::Deny(Run& run, const Status& why) {
  run.state = RunState::kTerminated;
  run.outcome = RunOutcome::kDenied;
  run.error_code = WireName(why.code());
  run.message = why.message();
  run.visible_at = TimeMs{ToInt(run.requested_at) + RoundedDurationMs(ToInt(core_.Now()) - ToInt(run.requested_at))};
  LedgerEntry entry = ServerEntry(EventType::kRunDenied, Text(run.id));
  entry.reason = run.error_code;
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      core_.journal().Record(run.room, std::move(entry), {UpdateRun(run)}));
  return Status();
}

Result<Run> RunService::FindForCaller(const Caller& caller, RunId id) {
  GB_ASSIGN_OR_RETURN(std::optional<Run> run, core_.Read([&](store::Transaction& tx) { return FindRun(tx, id); }));
  if (!run || run->organisation != caller.organisation || (run->principal != caller.principal && !caller.is_admin)) {
    return InvalidParameter("Run " + Text(id) + " does not exist.");
  }
  return std::move(*run);
}

Result<RunView> RunService::Get(const Caller& caller, RunId id) {
  GB_ASSIGN_OR_RETURN(Run run, FindForCaller(caller, id));
  GB_ASSIGN_OR_RETURN(const std::string name, RoomNameFor(run));
  return ViewOf(caller, std::move(run), name);
}

Result<catalog::Page<RunView>> RunService::List(const Caller& caller, const RunFilter& filter,
                                                const catalog::PageRequest& page) {
  RunFilter mine = filter;
  if (!caller.is_admin) {
    mine.principal = caller.principal;
  }
  GB_ASSIGN_OR_RETURN(const NumberPage at, NumberPageOf(page));
  GB_ASSIGN_OR_RETURN(std::vector<Run> runs, core_.Read([&](store::Transaction& tx) {
    return ListRunsOf(tx, caller.organisation, mine, at);
  }));
  std::map<std::pair<RoomId, std::string>, std::string> names;
  std::vector<RunView> views;
  for (Run& run : runs) {
    const std::pair side(run.room, run.runner_alias);
    auto name = names.find(side);
    if (name == names.end()) {
      GB_ASSIGN_OR_RETURN(std::string found, RoomNameFor(run));
      name = names.emplace(side, std::move(found)).first;
    }
    GB_ASSIGN_OR_RETURN(RunView view, ViewOf(caller, std::move(run), name->second));
    views.push_back(std::move(view));
  }
  return CutToPage(std::move(views), at, NumberOf);
}

Result<catalog::Page<RunView>> RunService::ListInRoom(const Caller& caller, const std::string& room,
                                                      const RunFilter& filter, const catalog::PageRequest& page) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(const NumberPage at, NumberPageOf(page));
  GB_ASSIGN_OR_RETURN(std::vector<Run> runs,
                      core_.Read([&](store::Transaction& tx) { return ListRuns(tx, membership.room.id, filter, at); }));
  std::vector<RunView> views;
  for (Run& run : runs) {
    GB_ASSIGN_OR_RETURN(RunView view, ViewOf(caller, std::move(run), membership.self().local_name));
    views.push_back(std::move(view));
  }
  return CutToPage(std::move(views), at, NumberOf);
}

Result<json::Value> RunService::Certificate(const Caller& caller, const std::string& room, RunId id) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(const std::optional<Run> run,
                      core_.Read([&](store::Transaction& tx) { return FindRun(tx, id); }));
  if (!run || run->room != membership.room.id) {
    return InvalidParameter("Run " + Text(id) + " does not exist.");
  }
  if (run->state != RunState::kTerminated || run->certificate.is_null()) {
    return Status(ErrorCode::kInvalidState, "The run has no plan certificate (yet).");
  }
  return run->certificate;
}

Status RunService::Cancel(const Caller& caller, RunId id) {
  GB_ASSIGN_OR_RETURN(const Run found, FindForCaller(caller, id));
  GB_ASSIGN_OR_RETURN(const RoomLock lock, core_.LockForRequest(found.room));
  GB_ASSIGN_OR_RETURN(Run run, FindForCaller(caller, id));
  return CancelRun(run);
}

Status RunService::CancelRun(Run& run) {
  if (run.state == RunState::kQueued && queue_.Remove(run.id)) {
    End(run, CanceledEnding({}));
    return Status();
  }
  if (run.state == RunState::kQueued || run.state == RunState::kRunning) {
    {
      const std::lock_guard<std::mutex> guard(canceling_);
      cancel_requested_.insert(run.id);
      if (const auto computing = computing_.find(run.id); computing != computing_.end()) {
        *computing->second.stop = true;
      }
    }
    core_.context().engine.Cancel(OutputFolder(run));
  }
  return Status();
}

void RunService::Interrupt() {
  const std::lock_guard<std::mutex> guard(canceling_);
  interrupted_ = true;
  for (const auto& [id, computing] : computing_) {
    *computing.stop = true;
    core_.context().engine.Cancel(computing.folder);
  }
}

Status RunService::CancelAll(const RoomId& room) {
  {
    const RoomLock lock = core_.Lock(room);
    GB_ASSIGN_OR_RETURN(std::vector<Run> runs,
                        core_.Read([&](store::Transaction& tx) { return UnfinishedRunsIn(tx, room); }));
    for (Run& run : runs) {
      GB_RETURN_IF_ERROR(CancelRun(run));
    }
  }
  return FinishClosingIfDone(room);
}

}  // namespace glovebox::room
