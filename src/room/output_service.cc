// SPDX-License-Identifier: Apache-2.0
#include "room/output_service.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/invalid_parameter.h"
#include "base/limits.h"
#include "base/log.h"
#include "ledger/commitment.h"
#include "room/documents.h"

namespace glovebox::room {
namespace {

Status StateError(const Output& output) {
  switch (output.state) {
    case OutputState::kWaiting:
      return Status(ErrorCode::kInvalidState, "Output '" + output.name + "' waits for review (" + output.reason + ").");
    case OutputState::kRejected:
      return Status(ErrorCode::kInvalidState, "Output '" + output.name + "' was rejected by review.");
    case OutputState::kExpired:
      return Status(ErrorCode::kInvalidState, "Output '" + output.name + "' has expired.");
    case OutputState::kReleased:
      return Status();
  }
  GB_ASSERT(false);
}

// What the runner's side is told of a table that could not be made. The catalogue speaks of names; of anything else
// there is only that it failed.
std::string ProblemText(const Status& status) {
  switch (status.code()) {
    case ErrorCode::kNotFound:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kInvalidState:
    case ErrorCode::kInvalidParameterValue:
    case ErrorCode::kPermissionDenied:
      return status.message();
    default:
      return "The server could not make the table (" + std::string(WireName(status.code())) + ").";
  }
}

// What of an output is on the ledger from its release on.
json::Object Disclosure(const Output& output) {
  return {{"rows", output.rows}, {"bytes", output.bytes}, {"sha256", output.sha256}};
}

}  // namespace

Result<Output> OutputService::Find(const RoomId& room, const OutputId& id) {
  GB_ASSIGN_OR_RETURN(std::optional<Output> output,
                      core_.Read([&](store::Transaction& tx) { return FindOutput(tx, room, id); }));
  if (!output) {
    return Status(ErrorCode::kNotFound, "Output '" + id.str() + "' does not exist in this clean room.");
  }
  return std::move(*output);
}

Result<OutputView> OutputService::ViewOf(const Membership& membership, Output output) {
  OutputView view;
  GB_ASSIGN_OR_RETURN(view.decisions, core_.Read([&](store::Transaction& tx) { return ListDecisions(tx, output.id); }));
  if (output.runner_alias == membership.alias) {
    GB_ASSIGN_OR_RETURN(const std::optional<Run> run,
                        core_.Read([&](store::Transaction& tx) { return FindRun(tx, output.run); }));
    if (run) {
      view.catalog = run->output_catalog;
      view.schema = run->output_schema;
    }
  }
  const bool own = output.runner_alias == membership.alias;
  view.shows_rows = own || output.disclosed || output.state == OutputState::kWaiting;
  view.shows_digest = output.disclosed;
  view.due_soon = output.state == OutputState::kWaiting &&
                  ToInt(output.decide_by) <= ToInt(core_.Now()) + limits::kOutputReviewReminderMs;
  if (!view.shows_rows) {
    output.rows = 0;
  }
  if (!view.shows_digest) {
    output.bytes = 0;
    output.sha256.clear();
  }
  if (!own) {
    output.register_problem.clear();
  }
  output.path.clear();
  output.rows_path.clear();
  output.opening.clear();
  view.output = std::move(output);
  return view;
}

Result<std::vector<OutputView>> OutputService::List(const Caller& caller, const std::string& room) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(std::vector<Output> outputs,
                      core_.Read([&](store::Transaction& tx) { return ListOutputs(tx, membership.room.id); }));
  std::vector<OutputView> views;
  for (Output& output : outputs) {
    GB_ASSIGN_OR_RETURN(OutputView view, ViewOf(membership, std::move(output)));
    views.push_back(std::move(view));
  }
  return views;
}

Result<OutputView> OutputService::Get(const Caller& caller, const std::string& room, const OutputId& id) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(Output output, Find(membership.room.id, id));
  return ViewOf(membership, std::move(output));
}

Status OutputService::CheckMayHandOver(const Caller& caller, const Membership& membership, const Output& output) {
  if (output.runner_alias != membership.alias) {
    return Status(ErrorCode::kPermissionDenied,
                  "Output '" + output.name + "' belongs to its runner, collaborator '" + output.runner_alias + "'.");
  }
  GB_RETURN_IF_ERROR(StateError(output));
  GB_ASSIGN_OR_RETURN(const std::optional<Run> run,
                      core_.Read([&](store::Transaction& tx) { return FindRun(tx, output.run); }));
  if (!run) {
    return Status(ErrorCode::kDataLoss, "The run of an output is missing.");
  }
  const Status readable =
      core_.context().metastores.CheckMayReadOutput(caller, run->output_catalog, run->output_schema, output.name);
  if (readable.code() == ErrorCode::kNotFound) {
    // The caller knows the output from the room; what he lacks is the privilege.
    return Status(ErrorCode::kPermissionDenied, "You need SELECT on " + run->output_catalog + "." + run->output_schema +
                                                    "." + output.name + " and the way to it.");
  }
  return readable;
}

Result<OutputRows> OutputService::Rows(const Caller& caller, const std::string& room, const OutputId& id,
                                       std::size_t rows_max) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(const Output output, Find(membership.room.id, id));
  GB_RETURN_IF_ERROR(CheckMayHandOver(caller, membership, output));
  GB_ASSIGN_OR_RETURN(const std::string text, ReadFile(core_.PathOf(output.rows_path), limits::kWorkerMessageBytesMax));
  GB_ASSIGN_OR_RETURN(json::Value rows, JsonFromText(text));
  if (!rows.is_array() || HexDigest(text) != output.rows_sha256) {
    return Status(ErrorCode::kDataLoss, "The rows of an output are damaged.");
  }
  OutputRows out;
  out.columns = output.columns;
  out.total = output.rows;
  out.rows = std::move(rows.as_array());
  if (out.rows.size() > rows_max) {
    out.rows.resize(rows_max);
  }
  out.truncated = static_cast<std::int64_t>(out.rows.size()) < output.rows;
  return out;
}

Result<OutputView> OutputService::Review(const Caller& caller, const std::string& room, const OutputId& id,
                                         const OutputReview& review) {
  if (review.decision == Decision::kPending) {
    return InvalidParameter("decision is APPROVED or REJECTED.");
  }
  if (review.comment.size() > limits::kReviewCommentBytesMax) {
    return InvalidParameter("A review's comment has at most " + std::to_string(limits::kReviewCommentBytesMax) +
                            " bytes.");
  }
  GB_ASSIGN_OR_RETURN(LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kModify, Joining::kRequired));
  GB_ASSIGN_OR_RETURN(Output output, Find(membership.room.id, id));
  const bool alone = membership.room.members.size() == 1;
  if (output.runner_alias == membership.alias && !alone) {
    return Status(ErrorCode::kPermissionDenied, "A runner does not review its own outputs.");
  }
  if (output.state != OutputState::kWaiting) {
    return Status(ErrorCode::kInvalidState, "Output '" + output.name + "' is " + std::string(Name(output.state)) +
                                                "; only what is PENDING_REVIEW is reviewed.");
  }
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kActive}));
  GB_ASSIGN_OR_RETURN(std::vector<OutputDecision> decisions,
                      core_.Read([&](store::Transaction& tx) { return ListDecisions(tx, id); }));
  const bool known = std::any_of(decisions.begin(), decisions.end(), [&](const OutputDecision& item) {
    return item.reviewer_alias == membership.alias && item.decision == review.decision;
  });
  if (known) {
    return ViewOf(membership, std::move(output));  // the ledger has it
  }
  const OutputDecision decision{id, membership.alias, review.decision, review.comment, core_.Now()};
  Effects effects{UpsertDecision(decision)};
  decisions.push_back(decision);
  if (review.decision == Decision::kRejected) {
    output.state = OutputState::kRejected;
  } else {
    const bool complete =
        std::all_of(membership.room.members.begin(), membership.room.members.end(), [&](const Member& member) {
          return (member.alias == output.runner_alias && !alone) ||
                 std::any_of(decisions.begin(), decisions.end(), [&](const OutputDecision& item) {
                   return item.reviewer_alias == member.alias && item.decision == Decision::kApproved;
                 });
        });
    output.state = complete ? OutputState::kReleased : OutputState::kWaiting;
  }
  output.disclosed = output.state == OutputState::kReleased;
  effects.emplace_back(UpdateOutputState(output));
  LedgerEntry entry = EntryOf(EventType::kReviewDecided, membership.alias, "reviewer", id.str());
  entry.data = {{"decision", review.decision == Decision::kApproved ? "approved" : "rejected"},
                {"state", Name(output.state)}};
  if (output.disclosed) {
    for (const json::Member& member : Disclosure(output)) {
      entry.data.Set(member.first, member.second);
    }
    entry.data.Set("opening", output.opening);
  }
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      core_.journal().Record(membership.room.id, std::move(entry), effects));
  if (output.state == OutputState::kReleased) {
    membership.lock.unlock();  // an engine job follows
    GB_RETURN_IF_ERROR(RegisterReleased(membership.room.id));
  }
  return ViewOf(membership, std::move(output));
}

std::string OpeningOf(const Output& output, Random& random) {
  return ledger::Commit("output", json::Value(Disclosure(output)), random).opening;
}

json::Value PendingOutputToJson(const Output& output) {
  return json::Value(json::Object{{"id", output.id.str()},
                                  {"name", output.name},
                                  {"columns", output.columns},
                                  {"rows", output.rows},
                                  {"bytes", output.bytes},
                                  {"sha256", output.sha256},
                                  {"path", output.path},
                                  {"rows_path", output.rows_path},
                                  {"rows_sha256", output.rows_sha256},
                                  {"reason", output.reason},
                                  {"opening", output.opening}});
}

Result<std::vector<Statement>> OutputService::RecordOutputs(const Run& run, const json::Value& outputs) {
  std::vector<Statement> statements;
  GB_ASSERT(outputs.is_array());
  for (const json::Value& item : outputs.as_array()) {
    Output output;
    output.id = OutputId(item.GetString("id"));
    output.run = run.id;
    output.room = run.room;
    output.organisation = run.organisation;
    output.runner_alias = run.runner_alias;
    output.name = item.GetString("name");
    output.columns = *item.Get("columns");
    output.rows = item.GetInt("rows");
    output.bytes = item.GetInt("bytes");
    output.sha256 = item.GetString("sha256");
    output.path = item.GetString("path");
    output.rows_path = item.GetString("rows_path");
    output.rows_sha256 = item.GetString("rows_sha256");
    output.reason = item.GetString("reason");
    output.opening = item.GetString("opening");
    output.state = output.reason.empty() ? OutputState::kReleased : OutputState::kWaiting;
    output.disclosed = output.state == OutputState::kReleased;
    output.created_at = run.visible_at;
    output.decide_by = TimeMs{ToInt(run.visible_at) + limits::kOutputReviewMs};
    output.expires_at = run.output_expires_at;

    LedgerEntry created = ServerEntry(EventType::kOutputCreated, output.id.str());
    created.id = item.GetString("created_entry");
    created.data = {{"run", std::to_string(static_cast<std::int64_t>(run.id))},
                    {"name", output.name},
                    {"schema_sha256", HexDigest(json::WriteCanonical(output.columns))},
                    {"expires_at", FormatRfc3339(output.expires_at)}};
    if (output.disclosed) {
      for (const json::Member& member : Disclosure(output)) {
        created.data.Set(member.first, member.second);
      }
    } else {
      created.data.Set("sd", json::Array{ledger::CommitmentOf(output.opening)});
    }
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index, core_.journal().Append(run.room, created));
    if (output.state == OutputState::kReleased) {
      LedgerEntry decided = ServerEntry(EventType::kReviewDecided, output.id.str());
      decided.id = item.GetString("decided_entry");
      decided.data = {{"automatic", true},
                      {"contract_sha256", item.GetString("contract_sha256")},
                      {"decision", "approved"},
                      {"sha256", output.sha256}};
      GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t decided_index, core_.journal().Append(run.room, decided));
    }
    statements.push_back(InsertOutput(output));
  }
  return statements;
}

// Holds an output for as long as it lives.
class OutputService::Claim {
 public:
  enum class Wait { kYes, kNo };

  Claim(OutputService& service, const OutputId& id, Wait wait) : service_(service), id_(id) {
    std::unique_lock<std::mutex> lock(service_.claiming_);
    if (wait == Wait::kYes) {
      service_.freed_.wait(lock, [this] { return !service_.claimed_.contains(id_); });
    }
    holds_ = service_.claimed_.insert(id_).second;
  }
  ~Claim() {
    if (holds_) {
      {
        const std::lock_guard<std::mutex> guard(service_.claiming_);
        service_.claimed_.erase(id_);
      }
      service_.freed_.notify_all();
    }
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  [[nodiscard]] bool holds() const { return holds_; }

 private:
  OutputService& service_;
  OutputId id_;
  bool holds_ = false;
};

Status OutputService::RegisterReleased(const RoomId& room) {
  GB_ASSIGN_OR_RETURN(const std::vector<Output> outputs,
                      core_.Read([&](store::Transaction& tx) { return UnregisteredOutputs(tx, room); }));
  return Register(outputs);
}

Status OutputService::Register(const std::vector<Output>& outputs) {
  for (const Output& output : outputs) {
    const Status registered = RegisterOne(output);
    const std::string problem = registered.ok() ? std::string() : ProblemText(registered);
    if (problem != output.register_problem && !registered.ok()) {
      log::Warning("an output could not be made readable by SQL; it is tried again",
                   {{"room", output.room.str()},
                    {"output", output.id.str()},
                    {"code", std::string(WireName(registered.code()))}});
      GB_RETURN_IF_ERROR(core_.Write({UpdateRegisterProblem(output.id, problem)}));
    }
  }
  return Status();
}

Status OutputService::RegisterOne(const Output& candidate) {
  const Claim claim(*this, candidate.id, Claim::Wait::kYes);
  GB_ASSIGN_OR_RETURN(const Output output, Find(candidate.room, candidate.id));
  if (output.state != OutputState::kReleased || output.registered) {
    return Status();
  }
  GB_RETURN_IF_ERROR(MakeTable(output));
  GB_ASSIGN_OR_RETURN(const std::int64_t changed, core_.WriteOne(MarkOutputRegistered(output.id)));
  // It ended while its table was made; who ended it could not remove that.
  return changed > 0 ? Status() : RemoveExpired(output);
}

Status OutputService::MakeTable(const Output& output) {
  GB_ASSIGN_OR_RETURN(const std::optional<Run> run,
                      core_.Read([&](store::Transaction& tx) { return FindRun(tx, output.run); }));
  if (!run) {
    return Status(ErrorCode::kDataLoss, "The run of an output is missing.");
  }
  OutputTableEntry entry;
  entry.catalog = run->output_catalog;
  entry.schema = run->output_schema;
  entry.name = output.name;
  entry.file = {core_.PathOf(output.path), ColumnsFromJson(output.columns), output.rows};
  return core_.context().metastores.RegisterOutputs(run->organisation, run->principal, {entry});
}

Status OutputService::Expire(Output output, std::string_view reason) {
  LedgerEntry entry = ServerEntry(EventType::kOutputExpired, output.id.str());
  entry.reason = reason;
  if (output.disclosed) {
    entry.data = {{"sha256", output.sha256}};
  }
  output.state = OutputState::kExpired;
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      core_.journal().Record(output.room, std::move(entry), {UpdateOutputState(output)}));
  log::Info("output expired", {{"room", output.room.str()}, {"output", output.id.str()}});
  const Claim claim(*this, output.id, Claim::Wait::kNo);
  // Who makes its table at this moment removes it, or the next sweep does.
  const Status removed = claim.holds() ? RemoveExpired(output) : Status();
  if (!removed.ok()) {
    log::Warning("the table or the files of an expired output stay for now",
                 {{"output", output.id.str()}, {"code", std::string(WireName(removed.code()))}});
  }
  return Status();
}

Status OutputService::RemoveExpired(const Output& output) {
  GB_ASSIGN_OR_RETURN(const std::optional<Run> run,
                      core_.Read([&](store::Transaction& tx) { return FindRun(tx, output.run); }));
  if (!run) {
    return Status(ErrorCode::kDataLoss, "The run of an output is missing.");
  }
  if (output.disclosed) {
    GB_RETURN_IF_ERROR(core_.context().metastores.RemoveOutput(run->organisation, run->output_catalog,
                                                               run->output_schema, output.name));
  }
  if (run->computation.empty()) {
    GB_RETURN_IF_ERROR(RemoveTree(core_.PathOf(output.path)));
    GB_RETURN_IF_ERROR(RemoveTree(core_.PathOf(output.rows_path)));
  }
  return core_.Write({MarkOutputRemoved(output.id)});
}

Status OutputService::ExpireIfDue(const Output& candidate) {
  const RoomLock lock = core_.Lock(candidate.room);
  GB_ASSIGN_OR_RETURN(const Output output, Find(candidate.room, candidate.id));
  const std::int64_t now = ToInt(core_.Now());
  if (output.state == OutputState::kWaiting && ToInt(output.decide_by) <= now) {
    return Expire(output, "REVIEW_DEADLINE");
  }
  return output.state != OutputState::kExpired && ToInt(output.expires_at) <= now ? Expire(output, "LIFETIME")
                                                                                  : Status();
}

Result<std::int64_t> OutputService::CountReviewsDueSoon() {
  const TimeMs until{ToInt(core_.Now()) + limits::kOutputReviewReminderMs};
  return core_.Read([&](store::Transaction& tx) { return CountWaitingOutputs(tx, until); });
}

void OutputService::Remind(const std::vector<Output>& due_soon) {
  std::set<OutputId> reminded;
  for (const Output& output : due_soon) {
    if (!reminded_.contains(output.id)) {
      log::Warning(
          "an output expires soon unless its review is decided",
          {{"room", output.room.str()}, {"output", output.id.str()}, {"decide_by", FormatRfc3339(output.decide_by)}});
    }
    reminded.insert(output.id);
  }
  reminded_ = std::move(reminded);
}

Status OutputService::Sweep() {
  GB_ASSIGN_OR_RETURN(const std::vector<Output> due,
                      core_.Read([&](store::Transaction& tx) { return OutputsDue(tx, core_.Now()); }));
  for (const Output& output : due) {
    if (const Status expired = ExpireIfDue(output); !expired.ok()) {
      log::Error(
          "an output could not expire; it is tried again",
          {{"room", output.room.str()}, {"output", output.id.str()}, {"code", std::string(WireName(expired.code()))}});
    }
  }
  const TimeMs soon{ToInt(core_.Now()) + limits::kOutputReviewReminderMs};
  GB_ASSIGN_OR_RETURN(const std::vector<Output> due_soon,
                      core_.Read([&](store::Transaction& tx) { return WaitingOutputs(tx, soon); }));
  Remind(due_soon);
  GB_ASSIGN_OR_RETURN(const std::vector<Output> left,
                      core_.Read([](store::Transaction& tx) { return OutputsToRemove(tx); }));
  for (const Output& output : left) {
    const Claim claim(*this, output.id, Claim::Wait::kNo);
    const Status removed = claim.holds() ? RemoveExpired(output) : Status();
    if (!removed.ok()) {
      log::Warning("the table or the files of an expired output stay for now",
                   {{"output", output.id.str()}, {"code", std::string(WireName(removed.code()))}});
    }
  }
  GB_ASSIGN_OR_RETURN(const std::vector<Output> unregistered,
                      core_.Read([](store::Transaction& tx) { return UnregisteredOutputs(tx, std::nullopt); }));
  return Register(unregistered);
}

Status OutputService::ExpireRoom(const RoomId& room) {
  GB_ASSIGN_OR_RETURN(std::vector<Export> exports,
                      core_.Read([&](store::Transaction& tx) { return OpenExports(tx, room); }));
  for (Export& item : exports) {
    item.state = ExportState::kDenied;
    GB_RETURN_IF_ERROR(DenyExport(room, item.id, item.output, Status(ErrorCode::kInvalidState, "closing")));
    GB_RETURN_IF_ERROR(core_.Write({UpdateExport(item)}));
  }
  GB_ASSIGN_OR_RETURN(const std::vector<Output> outputs,
                      core_.Read([&](store::Transaction& tx) { return ListOutputs(tx, room); }));
  for (const Output& output : outputs) {
    if (output.state != OutputState::kExpired) {
      GB_RETURN_IF_ERROR(Expire(output, "ROOM_CLOSED"));
    }
  }
  return Status();
}

}  // namespace glovebox::room
