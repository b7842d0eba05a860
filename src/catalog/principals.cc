// SPDX-License-Identifier: Apache-2.0
#include "catalog/principals.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/clock.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/names.h"
#include "catalog/sql.h"
#include "store/database.h"

namespace glovebox::catalog {
namespace {

constexpr std::int64_t kFirstNumber = 1'001;
constexpr std::string_view kColumns = "SELECT p.id, p.number, p.kind, p.name, p.display_name, p.active, p.created_at ";
// What Databricks calls a workspace's group of everybody.
constexpr std::string_view kEverybodyAlias = "users";

std::string_view KindName(PrincipalKind kind) {
  switch (kind) {
    case PrincipalKind::kUser:
      return "USER";
    case PrincipalKind::kServicePrincipal:
      return "SERVICE_PRINCIPAL";
    case PrincipalKind::kGroup:
      break;
  }
  return "GROUP";
}

PrincipalKind KindOf(const std::string& name) {
  if (name == KindName(PrincipalKind::kUser)) {
    return PrincipalKind::kUser;
  }
  return name == KindName(PrincipalKind::kGroup) ? PrincipalKind::kGroup : PrincipalKind::kServicePrincipal;
}

Principal FromRow(const store::Row& row) {
  Principal principal;
  principal.id = PrincipalId(row.Text(0));
  principal.number = row.Int(1);
  principal.kind = KindOf(row.Text(2));
  principal.name = row.Text(3);
  principal.display_name = row.Text(4);
  principal.activity = row.Int(5) != 0 ? Activity::kActive : Activity::kInactive;
  principal.created_at = ToTime(row.Int(6));
  return principal;
}

std::vector<Principal> FromRows(const std::vector<store::Row>& rows) {
  std::vector<Principal> principals;
  principals.reserve(rows.size());
  for (const store::Row& row : rows) {
    principals.push_back(FromRow(row));
  }
  return principals;
}

bool IsBuiltIn(const Principal& principal) {
  return principal.kind == PrincipalKind::kGroup &&
         (principal.name == kAdminsGroup || principal.name == kEverybodyGroup);
}

Status NeedsAdmin(const Caller& caller) {
  if (caller.is_admin) {
    return Status();
  }
  return Status(ErrorCode::kPermissionDenied,
                "User '" + caller.name + "' is not a member of the group '" + std::string(kAdminsGroup) + "'.");
}

Result<Principal> FindByNumber(store::Transaction& transaction, const OrganisationId& organisation,
                               std::int64_t number) {
  GB_ASSIGN_OR_RETURN(
      const auto row,
      transaction.QueryOne(std::string(kColumns) + "FROM principals p WHERE p.organisation_id = ? AND p.number = ?",
                           {organisation.str(), number}));
  if (!row.has_value()) {
    return Status(ErrorCode::kNotFound, "There is no principal with the id " + std::to_string(number) + ".");
  }
  return FromRow(*row);
}

Result<Principal> FindGroup(store::Transaction& transaction, const OrganisationId& organisation, std::int64_t number) {
  GB_ASSIGN_OR_RETURN(Principal group, FindByNumber(transaction, organisation, number));
  if (group.kind != PrincipalKind::kGroup) {
    return Status(ErrorCode::kNotFound, "There is no group with the id " + std::to_string(number) + ".");
  }
  return group;
}

Result<std::vector<Principal>> DirectGroups(store::Transaction& transaction, const OrganisationId& organisation,
                                            const PrincipalId& member) {
  GB_ASSIGN_OR_RETURN(
      const auto rows,
      transaction.Query(std::string(kColumns) +
                            "FROM memberships m JOIN principals p ON p.organisation_id = m.organisation_id AND p.id = "
                            "m.group_id WHERE m.organisation_id = ? AND m.member_id = ? ORDER BY p.name_key",
                        {organisation.str(), member.str()}));
  return FromRows(rows);
}

// The groups that a principal is in, directly or through other groups.
Result<std::vector<Principal>> AllGroups(store::Transaction& transaction, const OrganisationId& organisation,
                                         const PrincipalId& member) {
  GB_ASSIGN_OR_RETURN(std::vector<Principal> groups, DirectGroups(transaction, organisation, member));
  for (std::size_t i = 0; i < groups.size(); ++i) {
    GB_ASSIGN_OR_RETURN(auto outer, DirectGroups(transaction, organisation, groups[i].id));
    for (Principal& group : outer) {
      const bool is_new =
          std::none_of(groups.begin(), groups.end(), [&](const Principal& known) { return known.id == group.id; });
      if (is_new) {
        groups.push_back(std::move(group));
      }
    }
  }
  return groups;
}

Result<std::vector<Principal>> DirectMembers(store::Transaction& transaction, const OrganisationId& organisation,
                                             const PrincipalId& group) {
  GB_ASSIGN_OR_RETURN(
      const auto rows,
      transaction.Query(std::string(kColumns) +
                            "FROM memberships m JOIN principals p ON p.organisation_id = m.organisation_id AND p.id = "
                            "m.member_id WHERE m.organisation_id = ? AND m.group_id = ? ORDER BY p.name_key",
                        {organisation.str(), group.str()}));
  return FromRows(rows);
}

// Returns INVALID_STATE if `leaving` is the only active user among the direct members of `admins`.
Status CheckAdminRemains(store::Transaction& transaction, const OrganisationId& organisation,
                         const PrincipalId& leaving) {
  GB_ASSIGN_OR_RETURN(const Principal admins,
                      Principals::FindByName(transaction, organisation, std::string(kAdminsGroup)));
  GB_ASSIGN_OR_RETURN(const auto members, DirectMembers(transaction, organisation, admins.id));
  bool is_admin = false;
  bool another_remains = false;
  for (const Principal& member : members) {
    is_admin = is_admin || member.id == leaving;
    another_remains = another_remains || (member.id != leaving && member.kind != PrincipalKind::kGroup &&
                                          member.activity == Activity::kActive);
  }
  if (is_admin && !another_remains) {
    return Status(ErrorCode::kInvalidState,
                  "The last active member of '" + std::string(kAdminsGroup) + "' stays: add another one first.");
  }
  return Status();
}

}  // namespace

Result<Principal> InsertPrincipal(store::Transaction& transaction, const Context& context,
                                  const OrganisationId& organisation, PrincipalKind kind, const std::string& name,
                                  const std::string& display_name) {
  GB_ASSIGN_OR_RETURN(const Name checked, CheckedPrincipalName(name));
  GB_RETURN_IF_ERROR(CheckComment(display_name));
  GB_ASSIGN_OR_RETURN(const auto existing,
                      transaction.QueryOne("SELECT name FROM principals WHERE organisation_id = ? AND name_key = ?",
                                           {organisation.str(), checked.key}));
  if (existing.has_value() || checked.key == kEverybodyAlias) {
    return Status(ErrorCode::kAlreadyExists,
                  "A principal of the name '" + (existing ? existing->Text(0) : checked.key) + "' already exists.");
  }
  GB_ASSIGN_OR_RETURN(const std::int64_t number, NextNumber(transaction, "principals", kFirstNumber));
  Principal principal;
  principal.id = PrincipalId(NewUuid(*context.clock, *context.random));
  principal.number = number;
  principal.kind = kind;
  principal.name = checked.text;
  principal.display_name = display_name.empty() ? checked.text : display_name;
  principal.created_at = context.clock->Now();
  GB_RETURN_IF_ERROR(Run(transaction,
                         "INSERT INTO principals (organisation_id, id, number, kind, name, name_key, display_name, "
                         "active, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)",
                         {organisation.str(), principal.id.str(), number, std::string(KindName(kind)), principal.name,
                          checked.key, principal.display_name, ToInt(principal.created_at)}));
  return principal;
}

Status InsertMember(store::Transaction& transaction, const OrganisationId& organisation, const PrincipalId& group,
                    const PrincipalId& member) {
  return Run(transaction,
             "INSERT INTO memberships (organisation_id, group_id, member_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
             {organisation.str(), group.str(), member.str()});
}

namespace {

Result<Principal> Create(const Context& context, const Caller& caller, PrincipalKind kind, const std::string& name,
                         const std::string& display_name) {
  GB_RETURN_IF_ERROR(NeedsAdmin(caller));
  GB_ASSIGN_OR_RETURN(const auto transaction, context.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(
      const auto count,
      transaction->QueryOne("SELECT COUNT(*) FROM principals WHERE organisation_id = ?", {caller.organisation.str()}));
  if (count->Int(0) >= static_cast<std::int64_t>(limits::kPrincipalsPerOrganisationMax)) {
    return Status(ErrorCode::kResourceExhausted, "The organisation has too many principals.");
  }
  GB_ASSIGN_OR_RETURN(Principal principal,
                      InsertPrincipal(*transaction, context, caller.organisation, kind, name, display_name));
  GB_RETURN_IF_ERROR(transaction->Commit());
  return principal;
}

}  // namespace

Result<Principal> Principals::CreateUser(const Caller& caller, const std::string& user_name,
                                         const std::string& display_name) const {
  return Create(context_, caller, PrincipalKind::kUser, user_name, display_name);
}

Result<Principal> Principals::CreateServicePrincipal(const Caller& caller, const std::string& display_name) const {
  return Create(context_, caller, PrincipalKind::kServicePrincipal, NewUuid(*context_.clock, *context_.random),
                display_name);
}

Result<Principal> Principals::CreateGroup(const Caller& caller, const std::string& name) const {
  return Create(context_, caller, PrincipalKind::kGroup, name, name);
}

Result<Principal> Principals::Get(const Caller& caller, std::int64_t number) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  return FindByNumber(*transaction, caller.organisation, number);
}

Result<std::vector<Principal>> Principals::List(const Caller& caller, PrincipalKind kind) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const auto rows,
                      transaction->Query(std::string(kColumns) + "FROM principals p WHERE p.organisation_id = ? AND "
                                                                 "p.kind = ? ORDER BY p.name_key",
                                         {caller.organisation.str(), std::string(KindName(kind))}));
  return FromRows(rows);
}

Result<std::vector<Principal>> Principals::Members(const Caller& caller, std::int64_t group_number) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Principal group, FindGroup(*transaction, caller.organisation, group_number));
  return DirectMembers(*transaction, caller.organisation, group.id);
}

Result<std::vector<Principal>> Principals::GroupsOf(const Caller& caller, std::int64_t number) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Principal member, FindByNumber(*transaction, caller.organisation, number));
  return DirectGroups(*transaction, caller.organisation, member.id);
}

Status Principals::AddMember(const Caller& caller, std::int64_t group_number, std::int64_t member_number) const {
  GB_RETURN_IF_ERROR(NeedsAdmin(caller));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Principal group, FindGroup(*transaction, caller.organisation, group_number));
  GB_ASSIGN_OR_RETURN(const Principal member, FindByNumber(*transaction, caller.organisation, member_number));
  if (group.name == kEverybodyGroup || (IsBuiltIn(member) && member.name == kEverybodyGroup)) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "Everybody is in the group '" + std::string(kEverybodyGroup) + "'; its members cannot be changed.");
  }
  GB_ASSIGN_OR_RETURN(const auto outer, AllGroups(*transaction, caller.organisation, group.id));
  const bool would_loop = member.id == group.id || std::any_of(outer.begin(), outer.end(), [&](const Principal& one) {
                            return one.id == member.id;
                          });
  if (would_loop) {
    return Status(ErrorCode::kInvalidParameterValue, "The group '" + group.name + "' would contain itself.");
  }
  GB_RETURN_IF_ERROR(InsertMember(*transaction, caller.organisation, group.id, member.id));
  return transaction->Commit();
}

Status Principals::RemoveMember(const Caller& caller, std::int64_t group_number, std::int64_t member_number) const {
  GB_RETURN_IF_ERROR(NeedsAdmin(caller));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Principal group, FindGroup(*transaction, caller.organisation, group_number));
  GB_ASSIGN_OR_RETURN(const Principal member, FindByNumber(*transaction, caller.organisation, member_number));
  if (group.name == kAdminsGroup) {
    GB_RETURN_IF_ERROR(CheckAdminRemains(*transaction, caller.organisation, member.id));
  }
  GB_RETURN_IF_ERROR(Run(*transaction,
                         "DELETE FROM memberships WHERE organisation_id = ? AND group_id = ? AND member_id = ?",
                         {caller.organisation.str(), group.id.str(), member.id.str()}));
  return transaction->Commit();
}

Status Principals::SetActivity(const Caller& caller, std::int64_t number, Activity activity) const {
  GB_RETURN_IF_ERROR(NeedsAdmin(caller));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Principal principal, FindByNumber(*transaction, caller.organisation, number));
  if (activity == Activity::kInactive) {
    GB_RETURN_IF_ERROR(CheckAdminRemains(*transaction, caller.organisation, principal.id));
  }
  GB_RETURN_IF_ERROR(
      Run(*transaction, "UPDATE principals SET active = ? WHERE organisation_id = ? AND id = ?",
          {std::int64_t{activity == Activity::kActive ? 1 : 0}, caller.organisation.str(), principal.id.str()}));
  return transaction->Commit();
}

Status Principals::Delete(const Caller& caller, std::int64_t number) const {
  GB_RETURN_IF_ERROR(NeedsAdmin(caller));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Principal principal, FindByNumber(*transaction, caller.organisation, number));
  if (IsBuiltIn(principal)) {
    return Status(ErrorCode::kInvalidState, "The group '" + principal.name + "' is built in.");
  }
  GB_RETURN_IF_ERROR(CheckAdminRemains(*transaction, caller.organisation, principal.id));
  GB_ASSIGN_OR_RETURN(const auto owned, transaction->Query("SELECT full_name FROM securables WHERE organisation_id = ? "
                                                           "AND owner_id = ? ORDER BY full_name LIMIT 1",
                                                           {caller.organisation.str(), principal.id.str()}));
  if (!owned.empty()) {
    return Status(ErrorCode::kInvalidState, "'" + principal.name + "' owns '" + owned.front().Text(0) +
                                                "' and maybe more. Give what it owns to somebody else first.");
  }
  GB_RETURN_IF_ERROR(Run(*transaction, "DELETE FROM principals WHERE organisation_id = ? AND id = ?",
                         {caller.organisation.str(), principal.id.str()}));
  return transaction->Commit();
}

Result<Caller> Principals::CallerFor(const OrganisationId& organisation, const PrincipalId& principal) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  return CallerFor(*transaction, organisation, principal);
}

Result<Caller> Principals::CallerFor(store::Transaction& transaction, const OrganisationId& organisation,
                                     const PrincipalId& principal) {
  GB_ASSIGN_OR_RETURN(const Principal found, FindById(transaction, organisation, principal));
  if (found.activity != Activity::kActive) {
    return Status(ErrorCode::kNotFound, "The principal '" + found.name + "' is not active.");
  }
  GB_ASSIGN_OR_RETURN(const auto workspace, transaction.QueryOne("SELECT workspace_id FROM organisations WHERE id = ?",
                                                                 {organisation.str()}));
  GB_ASSERT(workspace.has_value());
  Caller caller;
  caller.organisation = organisation;
  caller.principal = found.id;
  caller.principal_number = found.number;
  caller.name = found.name;
  caller.display_name = found.display_name;
  caller.workspace_id = workspace->Int(0);
  caller.identities.push_back(found.id);
  GB_ASSIGN_OR_RETURN(std::vector<Principal> groups, AllGroups(transaction, organisation, found.id));
  GB_ASSIGN_OR_RETURN(Principal everybody, FindByName(transaction, organisation, std::string(kEverybodyGroup)));
  groups.push_back(std::move(everybody));
  for (const Principal& group : groups) {
    caller.identities.push_back(group.id);
    caller.groups.push_back(group.name);
    caller.is_admin = caller.is_admin || group.name == kAdminsGroup;
  }
  caller.is_admin = caller.is_admin || (IsBuiltIn(found) && found.name == kAdminsGroup);
  return caller;
}

Result<Principal> Principals::FindByName(store::Transaction& transaction, const OrganisationId& organisation,
                                         const std::string& name) {
  std::string key = NameKey(name);
  if (key == kEverybodyAlias) {
    key = kEverybodyGroup;
  }
  GB_ASSIGN_OR_RETURN(
      const auto row,
      transaction.QueryOne(std::string(kColumns) + "FROM principals p WHERE p.organisation_id = ? AND p.name_key = ?",
                           {organisation.str(), key}));
  if (!row.has_value()) {
    return Status(ErrorCode::kNotFound, "There is no principal '" + name + "'.");
  }
  return FromRow(*row);
}

Result<Principal> Principals::FindById(store::Transaction& transaction, const OrganisationId& organisation,
                                       const PrincipalId& id) {
  GB_ASSIGN_OR_RETURN(
      const auto row,
      transaction.QueryOne(std::string(kColumns) + "FROM principals p WHERE p.organisation_id = ? AND p.id = ?",
                           {organisation.str(), id.str()}));
  if (!row.has_value()) {
    return Status(ErrorCode::kNotFound, "The principal does not exist.");
  }
  return FromRow(*row);
}

}  // namespace glovebox::catalog
