// SPDX-License-Identifier: Apache-2.0
#include "room/notebook_service.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "base/invalid_parameter.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"
#include "room/contract.h"
#include "room/documents.h"
#include "room/run_repository.h"

namespace glovebox::room {
namespace {

constexpr std::string_view kDefaultEnvironment = "2";

Status NoNotebook(const std::string& name) {
  return Status(ErrorCode::kNotFound, "Notebook '" + name + "' does not exist in this clean room.");
}

Status RequireAuthor(const Membership& membership, const Asset& asset) {
  if (asset.owner_alias != membership.alias) {
    return Status(ErrorCode::kPermissionDenied,
                  "Notebook '" + asset.name + "' belongs to collaborator '" + asset.owner_alias + "'.");
  }
  return Status();
}

Status CheckTexts(const NotebookSpec& spec) {
  if (spec.description && spec.description->size() > limits::kNotebookDescriptionBytesMax) {
    return InvalidParameter("notebook.description has at most " + std::to_string(limits::kNotebookDescriptionBytesMax) +
                            " bytes.");
  }
  if (spec.environment_version && spec.environment_version->size() > limits::kEnvironmentVersionBytesMax) {
    return InvalidParameter("notebook.environment_version has at most " +
                            std::to_string(limits::kEnvironmentVersionBytesMax) + " bytes.");
  }
  return Status();
}

// For whom a side plans.
Result<std::string> RunnerOf(const NotebookVersion& version, const std::string& side, const std::string& wanted) {
  const std::vector<std::string>& runners = version.runners;
  GB_ASSERT(!runners.empty());
  const auto runner = std::find_if(runners.begin(), runners.end(), [&](const std::string& candidate) {
    return SameName(candidate, wanted.empty() ? side : wanted);
  });
  if (runner != runners.end()) {
    return *runner;
  }
  return wanted.empty() ? Result<std::string>(runners.front())
                        : InvalidParameter("'" + wanted + "' is no runner of this notebook version.");
}

}  // namespace

Decision StateOf(const Room& room, const NotebookVersion& version, const std::vector<Review>& reviews) {
  bool complete = true;
  for (const Member& member : room.members) {
    if (member.alias == version.author_alias) {
      continue;
    }
    const auto review = std::find_if(reviews.begin(), reviews.end(),
                                     [&](const Review& candidate) { return candidate.reviewer_alias == member.alias; });
    if (review != reviews.end() && review->decision == Decision::kRejected) {
      return Decision::kRejected;
    }
    complete = complete && review != reviews.end() && review->decision == Decision::kApproved;
  }
  return complete ? Decision::kApproved : Decision::kPending;
}

Result<NotebookView> NotebookService::ViewOf(Asset asset, NotebookVersion version, const Room& room) {
  NotebookView view;
  GB_ASSIGN_OR_RETURN(view.reviews, core_.Read([&](store::Transaction& tx) { return ListReviews(tx, version.etag); }));
  view.state = StateOf(room, version, view.reviews);
  view.asset = std::move(asset);
  view.version = std::move(version);
  return view;
}

Result<NotebookView> NotebookService::Latest(const Room& room, const std::string& name) {
  GB_ASSIGN_OR_RETURN(std::optional<Asset> asset, core_.Read([&](store::Transaction& tx) {
    return FindAsset(tx, room.id, AssetType::kNotebook, name);
  }));
  if (!asset || asset->etag.empty()) {
    return NoNotebook(name);
  }
  GB_ASSIGN_OR_RETURN(std::optional<NotebookVersion> version,
                      core_.Read([&](store::Transaction& tx) { return FindVersion(tx, room.id, asset->etag); }));
  if (!version) {
    return Status(ErrorCode::kDataLoss, "The notebook's latest version is missing.");
  }
  return ViewOf(std::move(*asset), std::move(*version), room);
}

Result<std::vector<std::string>> NotebookService::CheckRunners(const Membership& membership,
                                                               const std::vector<std::string>& runners) {
  std::vector<std::string> out;
  for (const std::string& runner : runners) {
    const Member* member = membership.room.FindAlias(runner);
    if (member == nullptr) {
      return InvalidParameter("runner_collaborator_aliases names '" + runner +
                              "', who is no collaborator of this clean room.");
    }
    if (std::find(out.begin(), out.end(), member->alias) == out.end()) {
      out.push_back(member->alias);
    }
  }
  std::sort(out.begin(), out.end());
  if (out.empty()) {
    out.push_back(membership.alias);
  }
  return out;
}

Result<NotebookView> NotebookService::Publish(const Caller& caller, const std::string& room, const NotebookSpec& spec) {
  GB_RETURN_IF_ERROR(CheckPathSafeName(spec.name, "notebook name"));
  GB_RETURN_IF_ERROR(CheckTexts(spec));
  if (!spec.content) {
    return InvalidParameter("notebook.notebook_content is missing.");
  }
  NotebookVersion version;
  version.content = *spec.content;
  version.description = spec.description.value_or("");
  version.environment_version = spec.environment_version.value_or(std::string(kDefaultEnvironment));
  {
    // Planning takes a worker's time: without the room's lock.
    GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
    GB_RETURN_IF_ERROR(
        core_.context().metastores.CheckOnRoom(caller, RoomPrivilege::kModify, membership.self().local_name));
    version.author_alias = membership.alias;
    GB_ASSIGN_OR_RETURN(version.runners, CheckRunners(membership, spec.runners));
    GB_RETURN_IF_ERROR(SetContract(membership.room, spec, version));
  }
  GB_ASSIGN_OR_RETURN(LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kModify, Joining::kImplicit));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  GB_ASSIGN_OR_RETURN(const std::vector<Asset> others,
                      core_.Read([&](store::Transaction& tx) { return ListAssets(tx, membership.room.id); }));
  if (others.size() >= limits::kAssetsPerRoomMax) {
    return Status(ErrorCode::kResourceExhausted,
                  "A clean room has at most " + std::to_string(limits::kAssetsPerRoomMax) + " assets.");
  }
  GB_ASSIGN_OR_RETURN(std::optional<Asset> asset, core_.Read([&](store::Transaction& tx) {
    return FindAsset(tx, membership.room.id, AssetType::kNotebook, spec.name);
  }));
  if (asset && (!asset->etag.empty() || asset->owner_alias != membership.alias)) {
    return Status(ErrorCode::kAlreadyExists, "Notebook '" + asset->name + "' exists in this clean room.");
  }
  if (!asset) {
    asset.emplace();
    asset->id = AssetId(core_.NewId());
    asset->room = membership.room.id;
    asset->type = AssetType::kNotebook;
    asset->owner_alias = membership.alias;
    asset->name = spec.name;
    asset->added_at = core_.Now();
    asset->updated_at = asset->added_at;
    LedgerEntry entry = EntryOf(EventType::kAssetPublished, membership.alias, "author", asset->name);
    entry.data = {{"asset_type", Name(asset->type)}};
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                        core_.journal().Record(membership.room.id, std::move(entry), {InsertAsset(*asset)}));
  }
  return AddVersion(membership, std::move(*asset), std::move(version));
}

Result<NotebookView> NotebookService::Update(const Caller& caller, const std::string& room, const NotebookSpec& spec) {
  GB_RETURN_IF_ERROR(CheckTexts(spec));
  NotebookView before;
  NotebookVersion next;
  {
    GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
    GB_RETURN_IF_ERROR(
        core_.context().metastores.CheckOnRoom(caller, RoomPrivilege::kModify, membership.self().local_name));
    GB_ASSIGN_OR_RETURN(before, Latest(membership.room, spec.name));
    GB_RETURN_IF_ERROR(RequireAuthor(membership, before.asset));
    next = before.version;
    next.content = spec.content.value_or(next.content);
    next.description = spec.description.value_or(next.description);
    next.environment_version = spec.environment_version.value_or(next.environment_version);
    if (!spec.runners.empty()) {
      GB_ASSIGN_OR_RETURN(next.runners, CheckRunners(membership, spec.runners));
    }
    const bool same = next.content == before.version.content && next.runners == before.version.runners &&
                      next.description == before.version.description &&
                      next.environment_version == before.version.environment_version;
    if (same && !spec.contract) {
      return before;
    }
    GB_RETURN_IF_ERROR(SetContract(membership.room, spec, next));
  }
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kModify, Joining::kRequired));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  GB_ASSIGN_OR_RETURN(NotebookView latest, Latest(membership.room, spec.name));
  if (latest.version.etag != before.version.etag) {
    return Status(ErrorCode::kAborted, "The notebook changed meanwhile; look at it and try again.");
  }
  return AddVersion(membership, std::move(latest.asset), std::move(next));
}

Status NotebookService::SetContract(const Room& room, const NotebookSpec& spec, NotebookVersion& version) {
  GB_ASSIGN_OR_RETURN(const Program program, RunInputs::Read(version.content, spec.name));
  if (spec.contract && !spec.contract->is_null()) {
    GB_ASSIGN_OR_RETURN(version.contract, NormalisedContract(*spec.contract));
    return Status();
  }
  const bool given = !version.contract.is_null() && !version.contract.GetBool("derived");
  if (given && !spec.contract) {
    return Status();
  }
  // A plan that is refused now may be fine when it runs (an asset is missing yet): then a person reviews its outputs.
  GB_ASSERT(!version.runners.empty());
  const Result<PlanPreview> plan =
      Plan(room, version, program, {.runner = version.runners.front()}, engine::RunMode::kPlanOnly);
  version.contract = plan.ok() ? plan->contract : json::Value();
  return Status();
}

Result<NotebookView> NotebookService::AddVersion(const Membership& membership, Asset asset, NotebookVersion version) {
  version.etag = Etag(HexDigest(core_.NewId()));
  version.room = membership.room.id;
  version.asset = asset.id;
  if (version.number >= static_cast<std::int64_t>(limits::kNotebookVersionsMax)) {
    return Status(ErrorCode::kResourceExhausted,
                  "A notebook has at most " + std::to_string(limits::kNotebookVersionsMax) + " versions.");
  }
  version.number += 1;
  version.author_alias = membership.alias;
  version.created_at = core_.Now();
  GB_ASSIGN_OR_RETURN(const std::string bytes, Base64Decode(version.content));
  version.content_sha256 = HexDigest(bytes);
  asset.etag = version.etag;
  asset.state = AssetState::kActive;
  asset.updated_at = version.created_at;
  LedgerEntry entry = EntryOf(EventType::kCodeSubmitted, membership.alias, "author", version.etag.str());
  entry.data = {{"notebook", asset.name},
                {"number", version.number},
                {"sha256", version.content_sha256},
                {"runners", StringsToJson(version.runners)}};
  json::Array blobs{version.content_sha256};
  if (!version.contract.is_null()) {
    const std::string contract_digest = ContractDigest(version.contract);
    entry.data.Set("contract_sha256", contract_digest);
    blobs.emplace_back(contract_digest);
  }
  entry.data.Set("blobs", std::move(blobs));
  GB_ASSIGN_OR_RETURN(version.ledger_index, core_.journal().Record(membership.room.id, std::move(entry),
                                                                   {InsertVersion(version), UpdateAsset(asset)}));
  log::Info("notebook version submitted", {{"room", asset.room.str()}, {"etag", version.etag.str()}});
  GB_RETURN_IF_ERROR(ApplyRules(membership, version));
  return ViewOf(std::move(asset), std::move(version), membership.room);
}

// REQUIRES: spec.runner is a runner of the version.
Result<PlanPreview> NotebookService::Plan(const Room& room, const NotebookVersion& version, const Program& program,
                                          const PlanSpec& spec, engine::RunMode mode) {
  const bool checks = mode == engine::RunMode::kPlanAndCheck;
  GB_ASSIGN_OR_RETURN(Inputs inputs, inputs_.Collect(room, spec.runner, program, spec.parameters,
                                                     checks ? Reading::kRunners : Reading::kNone));
  if (checks) {
    GB_ASSIGN_OR_RETURN(inputs.request.history,
                        core_.Read([&](store::Transaction& tx) { return LoadHistory(tx, room.id); }));
    GB_RETURN_IF_ERROR(earlier_.Add(room, spec.runner, Reading::kRunners, inputs));
  }
  inputs.request.mode = mode;
  inputs.request.timeout_ms = limits::kPlanTimeoutMs;
  GB_ASSIGN_OR_RETURN(engine::RunResult result, core_.context().engine.Run(inputs.request));
  json::Value contract = DerivedContract(result);
  return PlanPreview{version.etag, std::move(result.certificate), std::move(contract)};
}

Status NotebookService::ApplyRules(const Membership& membership, const NotebookVersion& version) {
  if (std::find(version.runners.begin(), version.runners.end(), version.author_alias) != version.runners.end()) {
    return Status();
  }
  GB_ASSIGN_OR_RETURN(const std::vector<AutoApprovalRule> rules,
                      core_.Read([&](store::Transaction& tx) { return ListApprovalRules(tx, membership.room.id); }));
  std::set<std::string> approved;
  for (const AutoApprovalRule& rule : rules) {
    const bool applies = rule.owner_alias != version.author_alias && !approved.contains(rule.owner_alias) &&
                         (rule.author_alias.empty() || rule.author_alias == version.author_alias) &&
                         version.runners == std::vector<std::string>{rule.runner_alias};
    if (!applies) {
      continue;
    }
    approved.insert(rule.owner_alias);
    room::Review review;
    review.etag = version.etag;
    review.reviewer_alias = rule.owner_alias;
    review.decision = Decision::kApproved;
    review.sub_reason = "AUTO_APPROVED";
    review.rule_id = rule.id;
    review.created_at = core_.Now();
    LedgerEntry entry = ServerEntry(EventType::kRuleApplied, version.etag.str());
    entry.data = {{"rule", rule.ledger_id}, {"party", rule.owner_alias}};
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                        core_.journal().Record(membership.room.id, std::move(entry), {UpsertReview(review)}));
  }
  return Status();
}

Status NotebookService::Withdraw(const Caller& caller, const std::string& room, const std::string& name) {
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kModify, Joining::kRequired));
  GB_ASSIGN_OR_RETURN(NotebookView latest, Latest(membership.room, name));
  GB_RETURN_IF_ERROR(RequireAuthor(membership, latest.asset));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  latest.asset.updated_at = core_.Now();
  LedgerEntry entry = EntryOf(EventType::kAssetWithdrawn, membership.alias, "author", latest.asset.name);
  entry.data = {{"asset_type", Name(latest.asset.type)}};
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      core_.journal().Record(membership.room.id, std::move(entry), {RemoveAsset(latest.asset)}));
  return Status();
}

Result<NotebookView> NotebookService::Review(const Caller& caller, const std::string& room, const std::string& name,
                                             const ReviewSpec& spec) {
  if (spec.comment.size() > limits::kReviewCommentBytesMax) {
    return InvalidParameter("A review's comment has at most " + std::to_string(limits::kReviewCommentBytesMax) +
                            " bytes.");
  }
  if (spec.decision == Decision::kPending) {
    return InvalidParameter("review_state is APPROVED or REJECTED.");
  }
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kModify, Joining::kImplicit));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  GB_ASSIGN_OR_RETURN(NotebookView latest, Latest(membership.room, name));
  if (latest.asset.owner_alias == membership.alias) {
    return Status(ErrorCode::kPermissionDenied, "Authors do not review their own notebooks.");
  }
  if (spec.etag != latest.version.etag) {
    return Status(ErrorCode::kAborted, "The notebook changed: the etag is not that of its latest version.");
  }
  const bool known = std::any_of(latest.reviews.begin(), latest.reviews.end(), [&](const room::Review& other) {
    return other.reviewer_alias == membership.alias && other.decision == spec.decision && other.rule_id.empty();
  });
  if (known) {
    return latest;  // the ledger has it
  }
  room::Review review;
  review.etag = spec.etag;
  review.reviewer_alias = membership.alias;
  review.decision = spec.decision;
  review.comment = spec.comment;
  review.created_at = core_.Now();
  const bool approves = spec.decision == Decision::kApproved;
  LedgerEntry entry = EntryOf(approves ? EventType::kApprovalGranted : EventType::kApprovalDenied, membership.alias,
                              "approver", spec.etag.str());
  entry.data = {{"notebook", latest.asset.name}, {"sha256", latest.version.content_sha256}};
  if (!latest.version.contract.is_null()) {
    entry.data.Set("contract_sha256", ContractDigest(latest.version.contract));
  }
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      core_.journal().Record(membership.room.id, std::move(entry), {UpsertReview(review)}));
  return Latest(membership.room, name);
}

Result<NotebookView> NotebookService::Get(const Caller& caller, const std::string& room, const std::string& name) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  return Latest(membership.room, name);
}

Result<std::vector<NotebookView>> NotebookService::List(const Caller& caller, const std::string& room) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(const std::vector<Asset> assets,
                      core_.Read([&](store::Transaction& tx) { return ListAssets(tx, membership.room.id); }));
  std::vector<NotebookView> views;
  for (const Asset& asset : assets) {
    if (asset.type == AssetType::kNotebook && !asset.etag.empty()) {
      GB_ASSIGN_OR_RETURN(NotebookView view, Latest(membership.room, asset.name));
      views.push_back(std::move(view));
    }
  }
  return views;
}

Result<catalog::Page<NotebookView>> NotebookService::Revisions(const Caller& caller, const std::string& room,
                                                               const std::string& name,
                                                               const catalog::PageRequest& page) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(const NotebookView latest, Latest(membership.room, name));
  GB_ASSIGN_OR_RETURN(const NumberPage at, NumberPageOf(page));
  GB_ASSIGN_OR_RETURN(std::vector<NotebookVersion> versions,
                      core_.Read([&](store::Transaction& tx) { return ListVersions(tx, latest.asset.id, at); }));
  std::vector<NotebookView> views;
  for (NotebookVersion& version : versions) {
    GB_ASSIGN_OR_RETURN(NotebookView view, ViewOf(latest.asset, std::move(version), membership.room));
    views.push_back(std::move(view));
  }
  return CutToPage(std::move(views), at, [](const NotebookView& view) { return view.version.number; });
}

Result<NotebookView> NotebookService::Revision(const Caller& caller, const std::string& room, const std::string& name,
                                               const Etag& etag) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(NotebookView latest, Latest(membership.room, name));
  GB_ASSIGN_OR_RETURN(std::optional<NotebookVersion> version,
                      core_.Read([&](store::Transaction& tx) { return FindVersion(tx, membership.room.id, etag); }));
  if (!version || version->asset != latest.asset.id) {
    return Status(ErrorCode::kNotFound, "The notebook has no version with this etag.");
  }
  return ViewOf(std::move(latest.asset), std::move(*version), membership.room);
}

// Who could run it could also see it refused for what is in the runner's tables.
Result<bool> NotebookService::MayRun(const Caller& caller, const Membership& membership, const std::string& runner) {
  if (runner != membership.alias) {
    return false;
  }
  const Status status =
      core_.context().metastores.CheckOnRoom(caller, RoomPrivilege::kExecuteTask, membership.self().local_name);
  if (status.ok()) {
    return true;
  }
  return status.code() == ErrorCode::kPermissionDenied ? Result<bool>(false) : Result<bool>(status);
}

Result<PlanPreview> NotebookService::Preview(const Caller& caller, const std::string& room, const std::string& name,
                                             const PlanSpec& spec) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  GB_ASSIGN_OR_RETURN(const NotebookView latest, Latest(membership.room, name));
  if (!spec.etag.empty() && spec.etag != latest.version.etag) {
    return Status(ErrorCode::kAborted, "The notebook changed: the etag is not that of its latest version.");
  }
  PlanSpec plan = spec;
  GB_ASSIGN_OR_RETURN(plan.runner, RunnerOf(latest.version, membership.alias, spec.runner));
  GB_ASSIGN_OR_RETURN(const Program program, RunInputs::Read(latest.version.content, latest.asset.name));
  GB_RETURN_IF_ERROR(RunInputs::CheckParameters(program, spec.parameters));
  GB_ASSIGN_OR_RETURN(const bool may_run, MayRun(caller, membership, plan.runner));
  return Plan(membership.room, latest.version, program, plan,
              may_run ? engine::RunMode::kPlanAndCheck : engine::RunMode::kPlanOnly);
}

}  // namespace glovebox::room
