// SPDX-License-Identifier: Apache-2.0
//
// Who asks. A Caller is made by Tokens::Authenticate (or Principals::CallerFor, for a principal that the server acts
// for) and handed to every service; its organisation is the only one that the call can see.
//
// Invariant: `identities` holds the principal itself, all groups it is in, directly or through other groups, and the
// built-in group of all principals. It is a snapshot: a call uses the memberships of the moment of authentication.
// Threads: a plain value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"

namespace glovebox::catalog {

struct Caller {
  OrganisationId organisation;
  PrincipalId principal;
  std::int64_t principal_number = 0;  // the id in SCIM's shapes
  std::string name;                   // user name, or a service principal's application id
  std::string display_name;
  std::vector<PrincipalId> identities;
  std::vector<std::string> groups;  // names, for display and is_account_group_member
  std::int64_t workspace_id = 0;
  bool is_admin = false;  // member of the organisation's group `admins`
  std::string token_id;   // of the token that he came with; empty if the server acts for the principal
};

}  // namespace glovebox::catalog
