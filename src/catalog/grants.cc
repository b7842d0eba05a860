// SPDX-License-Identifier: Apache-2.0
#include "catalog/grants.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/principals.h"
#include "catalog/privileges.h"
#include "catalog/securable_rows.h"
#include "catalog/securables.h"
#include "catalog/sql.h"
#include "store/database.h"

namespace glovebox::catalog {
namespace {

struct GrantRow {
  PrincipalId principal;
  std::string principal_name;
  std::int64_t principal_number = 0;
  Privilege privilege = Privilege::kBrowse;
};

Result<std::vector<GrantRow>> GrantRows(store::Transaction& transaction, const OrganisationId& organisation,
                                        const std::string& securable_id) {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      transaction.Query("SELECT g.principal_id, p.name, p.number, g.privilege FROM grants g JOIN "
                                        "principals p ON p.organisation_id = g.organisation_id AND p.id = "
                                        "g.principal_id WHERE g.organisation_id = ? AND g.securable_id = ? "
                                        "ORDER BY p.name_key, g.privilege",
                                        {organisation.str(), securable_id}));
  std::vector<GrantRow> result;
  for (const store::Row& row : rows) {
    const auto privilege = ParsePrivilege(row.Text(3));
    if (!privilege.has_value()) {
      return Status(ErrorCode::kDataLoss, "The metadata database has a grant of an unknown privilege.");
    }
    result.push_back({PrincipalId(row.Text(0)), row.Text(1), row.Int(2), *privilege});
  }
  return result;
}

bool Is(const Caller& caller, const PrincipalId& principal) {
  return std::find(caller.identities.begin(), caller.identities.end(), principal) != caller.identities.end();
}

void AddOwnership(SecurableKind kind, const Securable& owned, bool is_object_itself, std::set<Privilege>& held) {
  if (is_object_itself) {
    for (const Privilege privilege : PrivilegesOf(kind)) {
      held.insert(privilege);
    }
    return;
  }
  held.insert(Privilege::kManage);
  held.insert(Privilege::kBrowse);
  if (owned.kind == SecurableKind::kCatalog && kind == SecurableKind::kSchema) {
    held.insert(Privilege::kUseSchema);
  }
}

void AddGrant(SecurableKind kind, Privilege granted, std::set<Privilege>& held) {
  if (granted == Privilege::kAllPrivileges) {
    for (const Privilege privilege : PrivilegesOf(kind)) {
      if (privilege != Privilege::kManage) {
        held.insert(privilege);
      }
    }
  } else if (Concerns(granted, kind)) {
    held.insert(granted);
  }
}

// What one has on an object of the kind from being, or having grants on, chain[first] and its containers.
Result<std::set<Privilege>> HeldFrom(store::Transaction& transaction, const Caller& caller, SecurableKind kind,
                                     const std::vector<Securable>& chain, std::size_t first) {
  std::set<Privilege> held;
  for (std::size_t i = first; i < chain.size(); ++i) {
    if (Is(caller, chain[i].owner_id)) {
      AddOwnership(kind, chain[i], chain[i].kind == kind, held);
    }
    GB_ASSIGN_OR_RETURN(const auto grants, GrantRows(transaction, caller.organisation, chain[i].id));
    for (const GrantRow& grant : grants) {
      if (Is(caller, grant.principal)) {
        AddGrant(kind, grant.privilege, held);
      }
    }
  }
  return held;
}

// `chain` is the object and its containers.
Result<std::set<Privilege>> HeldOn(store::Transaction& transaction, const Caller& caller,
                                   const std::vector<Securable>& chain, std::size_t object) {
  return HeldFrom(transaction, caller, chain[object].kind, chain, object);
}

Status Lacks(const Caller& caller, Privilege privilege, const Securable& securable) {
  return Status(ErrorCode::kPermissionDenied,
                "User '" + caller.name + "' does not have " + std::string(WireName(privilege)) + " on " +
                    std::string(DisplayName(securable.kind)) + " '" + securable.full_name + "'.");
}

bool NeedsWay(Privilege privilege) { return privilege != Privilege::kBrowse && privilege != Privilege::kManage; }

// Groups rows by principal, in the order of the rows.
template <typename Assignment>
Assignment& AssignmentOf(std::vector<Assignment>& assignments, const GrantRow& row) {
  const auto found = std::find_if(assignments.begin(), assignments.end(), [&](const Assignment& assignment) {
    return assignment.principal_number == row.principal_number;
  });
  if (found != assignments.end()) {
    return *found;
  }
  Assignment& added = assignments.emplace_back();
  added.principal = row.principal_name;
  added.principal_number = row.principal_number;
  return added;
}

// Whose grants the caller may see: everybody's if he manages the object, else those of his identities; and only those
// of `principal` if there is one.
class Visibility {
 public:
  static Result<Visibility> Of(store::Transaction& transaction, const Caller& caller, const Securable& securable,
                               const std::optional<std::string>& principal) {
    Visibility visibility(caller);
    GB_ASSIGN_OR_RETURN(const auto held, Grants::Held(transaction, caller, securable));
    visibility.manages_ = std::find(held.begin(), held.end(), Privilege::kManage) != held.end();
    if (principal.has_value() && !principal->empty()) {
      GB_ASSIGN_OR_RETURN(const Principal found, Principals::FindByName(transaction, caller.organisation, *principal));
      visibility.only_ = found.id;
    }
    return visibility;
  }
  [[nodiscard]] bool Shows(const GrantRow& row) const {
    return (manages_ || Is(*caller_, row.principal)) && (!only_.has_value() || *only_ == row.principal);
  }

 private:
  explicit Visibility(const Caller& caller) : caller_(&caller) {}
  const Caller* caller_;
  bool manages_ = false;
  std::optional<PrincipalId> only_;
};

Result<std::vector<PrivilegeAssignment>> Assignments(store::Transaction& transaction, const Caller& caller,
                                                     const Securable& securable,
                                                     const std::optional<std::string>& principal) {
  GB_ASSIGN_OR_RETURN(const Visibility visibility, Visibility::Of(transaction, caller, securable, principal));
  GB_ASSIGN_OR_RETURN(const auto rows, GrantRows(transaction, caller.organisation, securable.id));
  std::vector<PrivilegeAssignment> assignments;
  for (const GrantRow& row : rows) {
    if (visibility.Shows(row)) {
      AssignmentOf(assignments, row).privileges.push_back(row.privilege);
    }
  }
  return assignments;
}

Status ApplyChange(store::Transaction& transaction, const Context& context, const Caller& caller,
                   const Securable& securable, const PrivilegeChange& change) {
  GB_ASSIGN_OR_RETURN(const Principal principal,
                      Principals::FindByName(transaction, caller.organisation, change.principal));
  for (const Privilege privilege : change.add) {
    if (!IsGrantable(privilege, securable.kind)) {
      return Status(ErrorCode::kInvalidParameterValue, std::string(WireName(privilege)) + " cannot be granted on a " +
                                                           std::string(WireName(securable.kind)) + ".");
    }
    GB_RETURN_IF_ERROR(Run(transaction,
                           "INSERT INTO grants (organisation_id, securable_id, principal_id, privilege, granted_at, "
                           "granted_by) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                           {caller.organisation.str(), securable.id, principal.id.str(),
                            std::string(WireName(privilege)), ToInt(context.clock->Now()), caller.name}));
  }
  for (const Privilege privilege : change.remove) {
    GB_RETURN_IF_ERROR(
        Run(transaction,
            "DELETE FROM grants WHERE organisation_id = ? AND securable_id = ? AND principal_id = ? AND "
            "privilege = ?",
            {caller.organisation.str(), securable.id, principal.id.str(), std::string(WireName(privilege))}));
  }
  return Status();
}

}  // namespace

Result<std::vector<Privilege>> Grants::Held(store::Transaction& transaction, const Caller& caller,
                                            const Securable& securable) {
  GB_ASSIGN_OR_RETURN(const auto chain, Chain(transaction, caller.organisation, securable));
  GB_ASSIGN_OR_RETURN(const auto held, HeldOn(transaction, caller, chain, 0));
  return std::vector<Privilege>(held.begin(), held.end());
}

Result<bool> Grants::MayKnow(store::Transaction& transaction, const Caller& caller, const Securable& securable) {
  if (securable.kind == SecurableKind::kMetastore) {
    return true;
  }
  GB_ASSIGN_OR_RETURN(const auto held, Held(transaction, caller, securable));
  return !held.empty();
}

Result<bool> Grants::MayKnowAllBelow(store::Transaction& transaction, const Caller& caller, SecurableKind kind,
                                     const Securable& container) {
  GB_ASSIGN_OR_RETURN(const auto chain, Chain(transaction, caller.organisation, container));
  GB_ASSIGN_OR_RETURN(const auto held, HeldFrom(transaction, caller, kind, chain, 0));
  return !held.empty();
}

Status Grants::Check(store::Transaction& transaction, const Caller& caller, Privilege privilege,
                     const Securable& securable) {
  GB_ASSIGN_OR_RETURN(const auto chain, Chain(transaction, caller.organisation, securable));
  GB_ASSIGN_OR_RETURN(const auto held, HeldOn(transaction, caller, chain, 0));
  if (held.empty() && securable.kind != SecurableKind::kMetastore) {
    return DoesNotExist(securable.kind, securable.full_name);
  }
  if (!held.contains(privilege)) {
    return Lacks(caller, privilege, securable);
  }
  for (std::size_t i = 0; NeedsWay(privilege) && i < chain.size(); ++i) {
    const SecurableKind kind = chain[i].kind;
    if (kind != SecurableKind::kSchema && kind != SecurableKind::kCatalog) {
      continue;
    }
    const Privilege use = kind == SecurableKind::kSchema ? Privilege::kUseSchema : Privilege::kUseCatalog;
    GB_ASSIGN_OR_RETURN(const auto on_way, HeldOn(transaction, caller, chain, i));
    if (!on_way.contains(use)) {
      return Lacks(caller, use, chain[i]);
    }
  }
  return Status();
}

Status Grants::Check(const Caller& caller, Privilege privilege, const Securable& securable) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  return Check(*transaction, caller, privilege, securable);
}

Result<std::vector<PrivilegeAssignment>> Grants::Change(const Caller& caller, SecurableKind kind,
                                                        const std::string& full_name,
                                                        const std::vector<PrivilegeChange>& changes) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Securable securable,
                      FindAllowed(*transaction, caller, kind, full_name, Privilege::kManage));
  for (const PrivilegeChange& change : changes) {
    GB_RETURN_IF_ERROR(ApplyChange(*transaction, context_, caller, securable, change));
  }
  GB_ASSIGN_OR_RETURN(auto assignments, Assignments(*transaction, caller, securable, std::nullopt));
  GB_RETURN_IF_ERROR(transaction->Commit());
  return assignments;
}

Result<std::vector<PrivilegeAssignment>> Grants::List(const Caller& caller, SecurableKind kind,
                                                      const std::string& full_name,
                                                      const std::optional<std::string>& principal) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Securable securable, FindKnown(*transaction, caller, kind, full_name));
  return Assignments(*transaction, caller, securable, principal);
}

Result<std::vector<EffectiveAssignment>> Grants::Effective(const Caller& caller, SecurableKind kind,
                                                           const std::string& full_name,
                                                           const std::optional<std::string>& principal) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Securable securable, FindKnown(*transaction, caller, kind, full_name));
  GB_ASSIGN_OR_RETURN(const Visibility visibility, Visibility::Of(*transaction, caller, securable, principal));
  GB_ASSIGN_OR_RETURN(const auto chain, Chain(*transaction, caller.organisation, securable));
  std::vector<EffectiveAssignment> assignments;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    GB_ASSIGN_OR_RETURN(const auto rows, GrantRows(*transaction, caller.organisation, chain[i].id));
    for (const GrantRow& row : rows) {
      const bool counts = i == 0 || row.privilege == Privilege::kAllPrivileges || Concerns(row.privilege, kind) ||
                          IsGrantable(row.privilege, kind);
      if (!counts || !visibility.Shows(row)) {
        continue;
      }
      EffectivePrivilege effective{.privilege = row.privilege, .inherited_from_kind = {}, .inherited_from_name = {}};
      if (i > 0) {
        effective.inherited_from_kind = chain[i].kind;
        effective.inherited_from_name = chain[i].full_name;
      }
      AssignmentOf(assignments, row).privileges.push_back(std::move(effective));
    }
  }
  return assignments;
}

}  // namespace glovebox::catalog
