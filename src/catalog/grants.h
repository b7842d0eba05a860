// SPDX-License-Identifier: Apache-2.0
//
// Privileges on securable objects. The owner of an object has everything on it. The owner of a container (for the
// metastore: the group `admins`) and who has MANAGE may manage what is in it: grant, change the owner, delete; reading
// the data still needs its own grant. Everything else is denied.
//
// Check() is what every use of an object goes through: NOT_FOUND for what the caller may not know, PERMISSION_DENIED
// for what he knows and may not do. Using what is in a schema also needs USE_SCHEMA and USE_CATALOG on the way.
// Threads: thread-safe. Each method runs in a transaction of its own, unless it takes one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/page.h"
#include "catalog/privileges.h"
#include "catalog/securables.h"
#include "store/database.h"

namespace glovebox::catalog {

struct PrivilegeAssignment {
  std::string principal;
  std::int64_t principal_number = 0;
  std::vector<Privilege> privileges;
};

struct PrivilegeChange {
  std::string principal;
  std::vector<Privilege> add;
  std::vector<Privilege> remove;
};

struct EffectivePrivilege {
  Privilege privilege = Privilege::kBrowse;
  std::optional<SecurableKind> inherited_from_kind;  // nothing if it was granted here
  std::string inherited_from_name;
};

struct EffectiveAssignment {
  std::string principal;
  std::int64_t principal_number = 0;
  std::vector<EffectivePrivilege> privileges;
};

class Grants {
 public:
  explicit Grants(const Context& context) : context_(context) {}

  Status Check(const Caller& caller, Privilege privilege, const Securable& securable) const;
  static Status Check(store::Transaction& transaction, const Caller& caller, Privilege privilege,
                      const Securable& securable);
  // Whether the caller may know that the object exists.
  static Result<bool> MayKnow(store::Transaction& transaction, const Caller& caller, const Securable& securable);
  // Whether he may know of everything of a kind that is in the container, whatever it is.
  static Result<bool> MayKnowAllBelow(store::Transaction& transaction, const Caller& caller, SecurableKind kind,
                                      const Securable& container);
  // All that the caller can do with the object; empty if he may not know it. Does not look at the way to it.
  static Result<std::vector<Privilege>> Held(store::Transaction& transaction, const Caller& caller,
                                             const Securable& securable);

  // Needs ownership or MANAGE. All changes or none. Returns the object's assignments after them.
  Result<std::vector<PrivilegeAssignment>> Change(const Caller& caller, SecurableKind kind,
                                                  const std::string& full_name,
                                                  const std::vector<PrivilegeChange>& changes) const;
  // Who may manage the object sees all assignments; everyone else those of his own identities.
  Result<std::vector<PrivilegeAssignment>> List(const Caller& caller, SecurableKind kind, const std::string& full_name,
                                                const std::optional<std::string>& principal) const;
  Result<std::vector<EffectiveAssignment>> Effective(const Caller& caller, SecurableKind kind,
                                                     const std::string& full_name,
                                                     const std::optional<std::string>& principal) const;

 private:
  Context context_;
};

}  // namespace glovebox::catalog
