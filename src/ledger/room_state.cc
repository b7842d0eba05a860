// SPDX-License-Identifier: Apache-2.0
#include "ledger/room_state.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/errors.h"
#include "base/json.h"
#include "base/result.h"
#include "ledger/entry.h"
#include "ledger/events.h"
#include "ledger/fields.h"
#include "ledger/genesis.h"

namespace glovebox::ledger {
namespace {

constexpr std::string_view kApproved = "approved";
constexpr std::string_view kRejected = "rejected";

// `data` member as text, "" if absent.
std::string Text(const Entry& entry, std::string_view key) {
  const json::Value* value = entry.data.Find(key);
  return value != nullptr && value->is_string() ? value->as_string() : "";
}

bool IsAutomatic(const Entry& entry) {
  const json::Value* value = entry.data.Find("automatic");
  return value != nullptr && value->is_bool() && value->as_bool();
}

Status Disorder(const Entry& entry, std::string_view why) {
  return {ErrorCode::kInvalidState,
          std::string(WireName(entry.type)) + " of '" + entry.subject.id + "': " + std::string(why)};
}

Status Malformed(const Entry& entry, std::string_view why) {
  return {ErrorCode::kInvalidParameterValue,
          std::string(WireName(entry.type)) + " of '" + entry.subject.id + "': " + std::string(why)};
}

std::set<std::string> Runners(const Entry& entry) {
  std::set<std::string> runners;
  const json::Value* value = entry.data.Find("runners");
  if (value != nullptr && value->is_array()) {
    for (const json::Value& runner : value->as_array()) {
      if (runner.is_string()) {
        runners.insert(runner.as_string());
      }
    }
  }
  return runners;
}

}  // namespace

RoomState::RoomState(const Genesis& genesis, std::string creator) {
  for (const Collaborator& collaborator : genesis.collaborators) {
    parties_.push_back(collaborator.party);
  }
  joined_.insert(std::move(creator));
}

Status RoomState::CheckApproved(const std::string& etag) const {
  const auto code = codes_.find(etag);
  if (code == codes_.end()) {
    return {ErrorCode::kInvalidState, "the version was never submitted"};
  }
  for (const std::string& party : parties_) {
    if (party != code->second.author && !code->second.approved_by.contains(party)) {
      return {ErrorCode::kInvalidState, "collaborator '" + party + "' has not approved this version"};
    }
  }
  return {};
}

Status RoomState::Check(const Entry& entry) const {
  if (closed_) {
    return Disorder(entry, "the room is closed");
  }
  GB_RETURN_IF_ERROR(CheckActor(entry));
  switch (entry.type) {
    case EventType::kRoomCreated:
    case EventType::kRoomJoined:
    case EventType::kRoomActive:
    case EventType::kRoomClosing:
    case EventType::kRoomClosed:
      return CheckRoom(entry);
    case EventType::kAssetPublished:
    case EventType::kAssetUpdated:
    case EventType::kAssetWithdrawn:
    case EventType::kRuleSet:
      return CheckAsset(entry);
    case EventType::kCodeSubmitted:
    case EventType::kApprovalGranted:
    case EventType::kApprovalDenied:
      return CheckCode(entry);
    case EventType::kRuleCreated:
      return CheckRuleCreated(entry);
    case EventType::kRuleDeleted:
      return CheckRuleEnds(entry, entry.subject.id);
    case EventType::kRuleApplied:
      return CheckRuleApplied(entry);
    case EventType::kRunRequested:
    case EventType::kRunAuthorized:
    case EventType::kRunStarted:
    case EventType::kRunCompleted:
    case EventType::kRunFailed:
    case EventType::kRunDenied:
      return CheckRun(entry);
    case EventType::kOutputCreated:
    case EventType::kOutputExpired:
    case EventType::kReviewDecided:
      return CheckOutput(entry);
    case EventType::kExportRequested:
    case EventType::kExportReleased:
    case EventType::kExportDenied:
      return CheckExport(entry);
    case EventType::kAccessDenied:
    case EventType::kAuditRead:
    case EventType::kKeyEnrolled:
      return {};
  }
  return {};
}

Status RoomState::CheckActor(const Entry& entry) const {
  const std::string& party = entry.actor.party;
  if (party == kOperator) {
    const bool automatic_review = entry.type == EventType::kReviewDecided && IsAutomatic(entry);
    if (MustBeSignedBy(entry.type) == SignedBy::kParty && !automatic_review) {
      return Disorder(entry, "only a collaborator does this, not the operator");
    }
    return {};
  }
  if (std::find(parties_.begin(), parties_.end(), party) == parties_.end()) {
    return Disorder(entry, "the actor is no collaborator of this room");
  }
  // Who was invited may decline: that ends the room.
  const bool needs_membership = MustBeSignedBy(entry.type) == SignedBy::kParty &&
                                entry.type != EventType::kRoomJoined && entry.type != EventType::kRoomClosed;
  if (needs_membership && !joined_.contains(party)) {
    return Disorder(entry, "the actor has not joined the room");
  }
  return {};
}

Status RoomState::CheckRoom(const Entry& entry) const {
  switch (entry.type) {
    case EventType::kRoomCreated:
      return entry.seq == 0 ? Status() : Disorder(entry, "only entry 0 creates the room");
    case EventType::kRoomJoined:
      return joined_.contains(entry.actor.party) ? Disorder(entry, "the collaborator has joined before") : Status();
    case EventType::kRoomActive:
      if (active_) {
        return Disorder(entry, "the room is active already");
      }
      return joined_.size() == parties_.size() ? Status() : Disorder(entry, "not all collaborators have joined");
    case EventType::kRoomClosing:
      return closing_ ? Disorder(entry, "the room is closing already") : Status();
    default:
      return {};
  }
}

Status RoomState::CheckAsset(const Entry& entry) const {
  const bool published = assets_.contains({entry.actor.party, entry.subject.id});
  if (entry.type == EventType::kAssetPublished) {
    return published ? Disorder(entry, "the asset is published already") : Status();
  }
  if (!published) {
    return Disorder(entry, "the actor has not published this asset");
  }
  if (entry.type == EventType::kRuleSet && !IsDigest(Text(entry, "rule_sha256"))) {
    return Malformed(entry, "'rule_sha256' is needed, in lower-case hexadecimal");
  }
  return {};
}

Status RoomState::CheckCode(const Entry& entry) const {
  if (entry.type == EventType::kCodeSubmitted) {
    const std::string contract = Text(entry, "contract_sha256");
    if (!IsDigest(Text(entry, "sha256")) || Text(entry, "notebook").empty() ||
        (!contract.empty() && !IsDigest(contract))) {
      return Malformed(entry, "'notebook' and 'sha256' are needed, and digests are in lower-case hexadecimal");
    }
    const auto earlier = codes_.find(entry.subject.id);
    if (earlier != codes_.end() && earlier->second.author != entry.actor.party) {
      return Disorder(entry, "another collaborator submitted this version");
    }
    return {};
  }
  const auto code = codes_.find(entry.subject.id);
  if (code == codes_.end()) {
    return Disorder(entry, "the version was never submitted");
  }
  if (code->second.author == entry.actor.party) {
    return Disorder(entry, "authors do not review their own code");
  }
  return {};
}

Status RoomState::CheckRuleCreated(const Entry& entry) const {
  if (rules_.contains(entry.subject.id)) {
    return Disorder(entry, "there is a rule of this id");
  }
  const std::string replaced = Text(entry, "replaces");
  return replaced.empty() ? Status() : CheckRuleEnds(entry, replaced);
}

Status RoomState::CheckRuleEnds(const Entry& entry, const std::string& id) const {
  const auto rule = rules_.find(id);
  if (rule == rules_.end()) {
    return Disorder(entry, "there is no rule of this id");
  }
  return rule->second.party == entry.actor.party ? Status() : Disorder(entry, "the rule is another collaborator's");
}

Status RoomState::CheckRuleApplied(const Entry& entry) const {
  const auto code = codes_.find(entry.subject.id);
  const auto rule = rules_.find(Text(entry, "rule"));
  if (code == codes_.end() || rule == rules_.end()) {
    return Disorder(entry, "the version or the rule does not exist");
  }
  if (rule->second.party == code->second.author) {
    return Disorder(entry, "a rule approves nothing of its own party");
  }
  if (!rule->second.author.empty() && rule->second.author != code->second.author) {
    return Disorder(entry, "the rule is for another author");
  }
  const bool runner_fits =
      rule->second.runner.empty() || code->second.runners == std::set<std::string>{rule->second.runner};
  return runner_fits ? Status() : Disorder(entry, "the rule is for another runner");
}

Status RoomState::CheckRun(const Entry& entry) const {
  const auto run = runs_.find(entry.subject.id);
  if (entry.type == EventType::kRunRequested) {
    if (run != runs_.end()) {
      return Disorder(entry, "there is a run of this id");
    }
    if (closing_) {
      return Disorder(entry, "the room is closing");
    }
    return Text(entry, "etag").empty() ? Malformed(entry, "'etag' is missing") : Status();
  }
  if (run == runs_.end()) {
    // A request may be refused before it counts as one.
    return entry.type == EventType::kRunDenied ? Status() : Disorder(entry, "the run was never requested");
  }
  return CheckRunStep(entry, run->second);
}

Status RoomState::CheckRunStep(const Entry& entry, const Run& run) const {
  switch (entry.type) {
    case EventType::kRunAuthorized: {
      if (run.state != RunState::kRequested) {
        return Disorder(entry, "the run does not wait for authorisation");
      }
      if (Text(entry, "etag") != run.etag) {
        return Disorder(entry, "the version is not the one requested");
      }
      if (!active_ || closing_) {
        return Disorder(entry, "the room is not active");
      }
      if (const Status approved = CheckApproved(run.etag); !approved.ok()) {
        return Disorder(entry, approved.message());
      }
      const std::set<std::string>& runners = codes_.at(run.etag).runners;
      if (!runners.empty() && !runners.contains(run.runner)) {
        return Disorder(entry, "the runner is not among those approved");
      }
      return CheckInputs(entry);
    }
    case EventType::kRunStarted:
      return run.state == RunState::kAuthorized ? Status() : Disorder(entry, "the run is not authorised");
    case EventType::kRunCompleted:
      return run.state == RunState::kStarted ? Status() : Disorder(entry, "the run has not started");
    default:
      break;
  }
  const bool ended =
      run.state == RunState::kCompleted || run.state == RunState::kFailed || run.state == RunState::kDenied;
  return ended ? Disorder(entry, "the run has ended") : Status();
}

Status RoomState::CheckInputs(const Entry& entry) const {
  const json::Value* inputs = entry.data.Find("inputs");
  if (inputs == nullptr || !inputs->is_array()) {
    return Malformed(entry, "'inputs' is missing");
  }
  for (const json::Value& input : inputs->as_array()) {
    if (!input.is_object()) {
      return Malformed(entry, "an input is no object");
    }
    const std::string name = input.GetString("asset");
    const auto asset = assets_.find({input.GetString("owner"), name});
    if (asset == assets_.end()) {
      return Disorder(entry, "its input '" + name + "' is not published");
    }
    if (asset->second.empty() || asset->second != input.GetString("rule_sha256")) {
      return Disorder(entry, "its input '" + name + "' has another rule now");
    }
  }
  return {};
}

Status RoomState::CheckOutput(const Entry& entry) const {
  const auto output = outputs_.find(entry.subject.id);
  if (entry.type == EventType::kOutputCreated) {
    if (output != outputs_.end()) {
      return Disorder(entry, "there is an output of this id");
    }
    const auto run = runs_.find(Text(entry, "run"));
    const bool produced =
        run != runs_.end() && (run->second.state == RunState::kStarted || run->second.state == RunState::kCompleted);
    return produced ? Status() : Disorder(entry, "no run that has started made it");
  }
  if (output == outputs_.end()) {
    return Disorder(entry, "there is no output of this id");
  }
  if (output->second.expired) {
    return Disorder(entry, "the output has expired");
  }
  return entry.type == EventType::kReviewDecided ? CheckReview(entry, output->second) : Status();
}

Status RoomState::CheckReview(const Entry& entry, const Output& output) const {
  const std::string decision = Text(entry, "decision");
  if (decision != kApproved && decision != kRejected) {
    return Malformed(entry, "'decision' is neither approved nor rejected");
  }
  const auto run = runs_.find(output.run);
  if (run == runs_.end()) {
    return Disorder(entry, "the output's run is not known");
  }
  if (IsAutomatic(entry)) {
    const auto code = codes_.find(run->second.etag);
    const std::string contract = Text(entry, "contract_sha256");
    const bool agreed = code != codes_.end() && !contract.empty() && contract == code->second.contract_sha256;
    return agreed ? Status() : Disorder(entry, "the contract is not the one approved with the code");
  }
  if (parties_.size() > 1 && entry.actor.party == run->second.runner) {
    return Disorder(entry, "a runner does not review its own output");
  }
  return {};
}

Status RoomState::CheckReleased(const std::string& output_id) const {
  const auto output = outputs_.find(output_id);
  if (output == outputs_.end()) {
    return {ErrorCode::kInvalidState, "there is no such output"};
  }
  if (output->second.expired) {
    return {ErrorCode::kInvalidState, "the output has expired"};
  }
  bool approved = false;
  for (const auto& [reviewer, decision] : output->second.decisions) {
    if (decision != kApproved) {
      return {ErrorCode::kInvalidState, "the output's review was rejected"};
    }
    approved = true;
  }
  return approved ? Status() : Status(ErrorCode::kInvalidState, "the output was not released by a review");
}

Status RoomState::CheckExport(const Entry& entry) const {
  const auto known = exports_.find(entry.subject.id);
  if (entry.type == EventType::kExportDenied) {
    const bool ended = known != exports_.end() && known->second.state != ExportState::kRequested;
    return ended ? Disorder(entry, "the export has ended") : Status();
  }
  const std::string output = Text(entry, "output");
  if (entry.type == EventType::kExportRequested) {
    if (known != exports_.end()) {
      return Disorder(entry, "there is an export of this id");
    }
    return outputs_.contains(output) ? Status() : Disorder(entry, "there is no such output");
  }
  if (known == exports_.end() || known->second.state != ExportState::kRequested || known->second.output != output) {
    return Disorder(entry, "no open request for this output");
  }
  if (!IsDigest(Text(entry, "sha256"))) {
    return Malformed(entry, "'sha256' of the exported bytes is missing");
  }
  const Status released = CheckReleased(output);
  return released.ok() ? released : Disorder(entry, released.message());
}

void RoomState::Apply(const Entry& entry) {
  switch (entry.type) {
    case EventType::kRoomJoined:
      joined_.insert(entry.actor.party);
      break;
    case EventType::kRoomActive:
      active_ = true;
      break;
    case EventType::kRoomClosing:
      closing_ = true;
      break;
    case EventType::kRoomClosed:
      closed_ = true;
      break;
    case EventType::kAssetPublished:
      assets_.insert_or_assign({entry.actor.party, entry.subject.id}, "");
      break;
    case EventType::kAssetWithdrawn:
      assets_.erase({entry.actor.party, entry.subject.id});
      break;
    case EventType::kRuleSet:
      if (const auto asset = assets_.find({entry.actor.party, entry.subject.id}); asset != assets_.end()) {
        asset->second = Text(entry, "rule_sha256");
      }
      break;
    case EventType::kRuleDeleted:
      rules_.erase(entry.subject.id);
      break;
    case EventType::kRuleCreated:
      rules_.erase(Text(entry, "replaces"));
      rules_[entry.subject.id] = {entry.actor.party, Text(entry, "author"), Text(entry, "runner")};
      break;
    default:
      ApplyCode(entry);
      ApplyRun(entry);
      ApplyOutput(entry);
      ApplyExport(entry);
      break;
  }
}

void RoomState::ApplyCode(const Entry& entry) {
  const std::string& etag = entry.subject.id;
  if (entry.type == EventType::kCodeSubmitted) {
    // Submitting again starts the reviews again.
    codes_[etag] = {entry.actor.party, Text(entry, "contract_sha256"), Runners(entry), {}};
    return;
  }
  const auto code = codes_.find(etag);
  if (code == codes_.end()) {
    return;
  }
  if (entry.type == EventType::kApprovalGranted) {
    code->second.approved_by.insert(entry.actor.party);
  } else if (entry.type == EventType::kApprovalDenied) {
    code->second.approved_by.erase(entry.actor.party);
  } else if (entry.type == EventType::kRuleApplied) {
    if (const auto rule = rules_.find(Text(entry, "rule")); rule != rules_.end()) {
      code->second.approved_by.insert(rule->second.party);
    }
  }
}

void RoomState::ApplyRun(const Entry& entry) {
  const std::string& id = entry.subject.id;
  switch (entry.type) {
    case EventType::kRunRequested:
      runs_[id] = {Text(entry, "etag"), entry.actor.party, RunState::kRequested};
      break;
    case EventType::kRunAuthorized:
      runs_[id].state = RunState::kAuthorized;
      break;
    case EventType::kRunStarted:
      runs_[id].state = RunState::kStarted;
      break;
    case EventType::kRunCompleted:
      runs_[id].state = RunState::kCompleted;
      break;
    case EventType::kRunFailed:
      runs_[id].state = RunState::kFailed;
      break;
    case EventType::kRunDenied:
      runs_[id].state = RunState::kDenied;
      break;
    default:
      break;
  }
}

void RoomState::ApplyOutput(const Entry& entry) {
  const std::string& id = entry.subject.id;
  if (entry.type == EventType::kOutputCreated) {
    outputs_[id] = {Text(entry, "run"), false, {}};
  } else if (entry.type == EventType::kOutputExpired) {
    outputs_[id].expired = true;
  } else if (entry.type == EventType::kReviewDecided) {
    outputs_[id].decisions[entry.actor.party] = Text(entry, "decision");
  }
}

void RoomState::ApplyExport(const Entry& entry) {
  const std::string& id = entry.subject.id;
  if (entry.type == EventType::kExportRequested) {
    exports_[id] = {Text(entry, "output"), ExportState::kRequested};
  } else if (entry.type == EventType::kExportReleased) {
    exports_[id].state = ExportState::kReleased;
  } else if (entry.type == EventType::kExportDenied) {
    exports_[id].state = ExportState::kDenied;
  }
}

}  // namespace glovebox::ledger
