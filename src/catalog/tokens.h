// SPDX-License-Identifier: Apache-2.0
//
// Personal access tokens. The token's text leaves this class once, when it is made; what is stored is its hash.
//
// Who learns what: an unknown, an expired, a revoked token and one of an inactive principal are the same error with the
// same message. Threads: thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "store/database.h"

namespace glovebox::catalog {

struct TokenInfo {
  std::string id;
  std::string comment;
  PrincipalId principal;
  TimeMs created_at{};
  TimeMs expires_at{};  // every token expires
};

struct NewToken {
  std::string value;  // the secret itself
  TokenInfo info;
};

class Tokens {
 public:
  explicit Tokens(const Context& context) : context_(context) {}

  // Of the caller himself. `lifetime_seconds` nothing: the longest that is allowed. Returns RESOURCE_EXHAUSTED if he
  // has too many.
  Result<NewToken> Create(const Caller& caller, const std::string& comment,
                          std::optional<std::int64_t> lifetime_seconds) const;
  // For another user or service principal; needs an admin.
  Result<NewToken> CreateFor(const Caller& caller, const std::string& principal_name, const std::string& comment,
                             std::optional<std::int64_t> lifetime_seconds) const;
  Result<std::vector<TokenInfo>> List(const Caller& caller) const;  // his own, oldest first
  // His own; an admin may revoke everybody's.
  Status Revoke(const Caller& caller, const std::string& token_id) const;
  // Returns UNAUTHENTICATED.
  Result<Caller> Authenticate(const std::string& token) const;
  // The same caller as he is now, for work that waited. UNAUTHENTICATED if he is not there or inactive, or if the token
  // that he came with is revoked or expired.
  Result<Caller> CallerNow(const Caller& caller) const;

 private:
  Context context_;
};

// For this part only, unchecked.
Result<NewToken> InsertToken(store::Transaction& transaction, const Context& context,
                             const OrganisationId& organisation, const PrincipalId& principal,
                             const std::string& comment, std::optional<std::int64_t> lifetime_seconds);

}  // namespace glovebox::catalog
