// SPDX-License-Identifier: Apache-2.0
//
// Users, service principals and groups of an organisation. Two groups are built in: `admins`, whose members administer
// the organisation, and `account users`, in which everybody is.
//
// Names are unique in the organisation over all kinds, without case. Every member of the organisation may look
// principals up (as in Databricks); changes need an admin. Threads: thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "store/database.h"

namespace glovebox::catalog {

inline constexpr std::string_view kAdminsGroup = "admins";
inline constexpr std::string_view kEverybodyGroup = "account users";

enum class PrincipalKind { kUser, kServicePrincipal, kGroup };
enum class Activity { kActive, kInactive };

struct Principal {
  PrincipalId id;
  std::int64_t number = 0;  // the id in SCIM's shapes
  PrincipalKind kind = PrincipalKind::kUser;
  std::string name;  // user name (e-mail address), application id, or group name; what grants name
  std::string display_name;
  Activity activity = Activity::kActive;
  TimeMs created_at{};
};

class Principals {
 public:
  explicit Principals(const Context& context) : context_(context) {}

  Result<Principal> CreateUser(const Caller& caller, const std::string& user_name,
                               const std::string& display_name) const;
  // Its name is a fresh application id.
  Result<Principal> CreateServicePrincipal(const Caller& caller, const std::string& display_name) const;
  Result<Principal> CreateGroup(const Caller& caller, const std::string& name) const;

  Result<Principal> Get(const Caller& caller, std::int64_t number) const;
  Result<std::vector<Principal>> List(const Caller& caller, PrincipalKind kind) const;  // by name
  Result<std::vector<Principal>> Members(const Caller& caller, std::int64_t group_number) const;
  Result<std::vector<Principal>> GroupsOf(const Caller& caller, std::int64_t number) const;  // direct ones

  // Returns INVALID_PARAMETER_VALUE if the group would contain itself.
  Status AddMember(const Caller& caller, std::int64_t group_number, std::int64_t member_number) const;
  // The last active admin stays: INVALID_STATE.
  Status RemoveMember(const Caller& caller, std::int64_t group_number, std::int64_t member_number) const;
  // An inactive principal's tokens do not authenticate.
  Status SetActivity(const Caller& caller, std::int64_t number, Activity activity) const;
  // Returns INVALID_STATE if it owns something, is built in, or is the last active admin.
  Status Delete(const Caller& caller, std::int64_t number) const;

  // What a principal may do at this moment, for work on his behalf. NOT_FOUND if he is not there or inactive.
  Result<Caller> CallerFor(const OrganisationId& organisation, const PrincipalId& principal) const;
  static Result<Caller> CallerFor(store::Transaction& transaction, const OrganisationId& organisation,
                                  const PrincipalId& principal);
  // By name, inside a transaction. NOT_FOUND names it: principals of one's own organisation are no secret.
  static Result<Principal> FindByName(store::Transaction& transaction, const OrganisationId& organisation,
                                      const std::string& name);
  static Result<Principal> FindById(store::Transaction& transaction, const OrganisationId& organisation,
                                    const PrincipalId& id);

 private:
  Context context_;
};

// For this part only, unchecked: the caller has checked, or the organisation is being created.
Result<Principal> InsertPrincipal(store::Transaction& transaction, const Context& context,
                                  const OrganisationId& organisation, PrincipalKind kind, const std::string& name,
                                  const std::string& display_name);
Status InsertMember(store::Transaction& transaction, const OrganisationId& organisation, const PrincipalId& group,
                    const PrincipalId& member);

}  // namespace glovebox::catalog
