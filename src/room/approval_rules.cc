// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/invalid_parameter.h"
#include "base/limits.h"
#include "room/notebook_service.h"

namespace glovebox::room {
namespace {

LedgerEntry EntryOfRule(EventType type, const AutoApprovalRule& rule) {
  LedgerEntry entry = EntryOf(type, rule.owner_alias, "approver", rule.ledger_id);
  if (type == EventType::kRuleCreated) {
    entry.data = {{"author", rule.author_alias}, {"runner", rule.runner_alias}};
  }
  return entry;
}

}  // namespace

Result<AutoApprovalRule> NotebookService::CheckRule(const Membership& membership, AutoApprovalRule rule,
                                                    const RuleSpec& spec) {
  if (spec.any_author.value_or(false) && spec.author_alias && !spec.author_alias->empty()) {
    return InvalidParameter("Only one of author_collaborator_alias and author_scope can be set.");
  }
  if (spec.any_author.value_or(false)) {
    rule.author_alias.clear();
  } else if (spec.author_alias && !spec.author_alias->empty()) {
    const Member* author = membership.room.FindAlias(*spec.author_alias);
    if (author == nullptr) {
      return InvalidParameter("author_collaborator_alias names no collaborator of this clean room.");
    }
    rule.author_alias = author->alias;
  } else if (rule.id.empty()) {
    return InvalidParameter("One of author_collaborator_alias and author_scope must be set.");
  }
  if (spec.runner_alias && !spec.runner_alias->empty()) {
    const Member* runner = membership.room.FindAlias(*spec.runner_alias);
    if (runner == nullptr) {
      return InvalidParameter("runner_collaborator_alias names no collaborator of this clean room.");
    }
    rule.runner_alias = runner->alias;
  }
  if (rule.runner_alias.empty()) {
    return InvalidParameter("runner_collaborator_alias is missing.");
  }
  if (rule.author_alias == membership.alias) {
    return InvalidParameter("A rule never approves one's own notebooks.");
  }
  if (rule.author_alias == rule.runner_alias) {
    return InvalidParameter("A rule approves only notebooks whose author is not the runner.");
  }
  return rule;
}

Result<AutoApprovalRule> NotebookService::FindOwnRule(const Membership& membership, const std::string& id) {
  GB_ASSIGN_OR_RETURN(const std::vector<AutoApprovalRule> rules,
                      core_.Read([&](store::Transaction& tx) { return ListApprovalRules(tx, membership.room.id); }));
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const AutoApprovalRule& rule) {
    return rule.id == id && rule.owner_alias == membership.alias;
  });
  if (found == rules.end()) {
    return Status(ErrorCode::kNotFound, "Auto-approval rule '" + id + "' does not exist.");
  }
  return *found;
}

Result<AutoApprovalRule> NotebookService::CreateRule(const Caller& caller, const std::string& room,
                                                     const RuleSpec& spec) {
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kManage, Joining::kImplicit));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  AutoApprovalRule draft;
  draft.room = membership.room.id;
  draft.owner_alias = membership.alias;
  draft.created_at = core_.Now();
  GB_ASSIGN_OR_RETURN(const std::vector<AutoApprovalRule> others,
                      core_.Read([&](store::Transaction& tx) { return ListApprovalRules(tx, draft.room); }));
  if (others.size() >= limits::kApprovalRulesPerRoomMax) {
    return Status(
        ErrorCode::kResourceExhausted,
        "A clean room has at most " + std::to_string(limits::kApprovalRulesPerRoomMax) + " auto-approval rules.");
  }
  GB_ASSIGN_OR_RETURN(AutoApprovalRule rule, CheckRule(membership, std::move(draft), spec));
  rule.id = core_.NewId();
  rule.ledger_id = rule.id;
  GB_ASSIGN_OR_RETURN(
      [[maybe_unused]] const std::int64_t index,
      core_.journal().Record(rule.room, EntryOfRule(EventType::kRuleCreated, rule), {InsertApprovalRule(rule)}));
  return rule;
}

Result<AutoApprovalRule> NotebookService::UpdateRule(const Caller& caller, const std::string& room,
                                                     const std::string& id, const RuleSpec& spec) {
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kManage, Joining::kRequired));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  GB_ASSIGN_OR_RETURN(const AutoApprovalRule before, FindOwnRule(membership, id));
  GB_ASSIGN_OR_RETURN(AutoApprovalRule after, CheckRule(membership, before, spec));
  // On the ledger a changed rule is a new one, and with the same entry the old one ends.
  after.ledger_id = core_.NewId();
  LedgerEntry entry = EntryOfRule(EventType::kRuleCreated, after);
  entry.data.Set("replaces", before.ledger_id);
  GB_ASSIGN_OR_RETURN(
      [[maybe_unused]] const std::int64_t index,
      core_.journal().Record(after.room, std::move(entry), {DeleteApprovalRule(before.id), InsertApprovalRule(after)}));
  return after;
}

Status NotebookService::DeleteRule(const Caller& caller, const std::string& room, const std::string& id) {
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kManage, Joining::kRequired));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  GB_ASSIGN_OR_RETURN(const AutoApprovalRule rule, FindOwnRule(membership, id));
  GB_ASSIGN_OR_RETURN(
      [[maybe_unused]] const std::int64_t index,
      core_.journal().Record(rule.room, EntryOfRule(EventType::kRuleDeleted, rule), {DeleteApprovalRule(rule.id)}));
  return Status();
}

Result<AutoApprovalRule> NotebookService::GetRule(const Caller& caller, const std::string& room,
                                                  const std::string& id) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  return FindOwnRule(membership, id);
}

Result<std::vector<AutoApprovalRule>> NotebookService::ListRules(const Caller& caller, const std::string& room) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(std::vector<AutoApprovalRule> rules,
                      core_.Read([&](store::Transaction& tx) { return ListApprovalRules(tx, membership.room.id); }));
  std::erase_if(rules, [&](const AutoApprovalRule& rule) { return rule.owner_alias != membership.alias; });
  return rules;
}

}  // namespace glovebox::room
