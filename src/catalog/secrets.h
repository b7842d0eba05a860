// SPDX-License-Identifier: Apache-2.0
//
// Secrets in scopes, as in Databricks: a scope has keys and, per principal, READ, WRITE (with READ) or MANAGE (all).
//
// Who learns what: a value goes in through Put() and comes out only through GetForWorker(), for the job that applies a
// mask; there is no other way to read it back. Values are sealed with the master key and bound to organisation, scope
// and key, so that a row moved elsewhere does not open. Putting a value advances the policy version of governed tables.
// Threads: thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"

namespace glovebox::catalog {

enum class SecretPermission { kRead, kWrite, kManage };

std::string_view WireName(SecretPermission permission);
Result<SecretPermission> ParseSecretPermission(std::string_view text);

struct SecretScope {
  std::string name;
  TimeMs created_at{};
};

struct SecretInfo {
  std::string key;
  TimeMs updated_at{};
};

struct SecretAcl {
  std::string principal;
  SecretPermission permission = SecretPermission::kRead;
};

class Secrets {
 public:
  explicit Secrets(const Context& context) : context_(context) {}

  // Needs CREATE_SECRET_SCOPE on the metastore. The creator gets MANAGE; so does `initial_manage_principal` ("users" is
  // everybody) if it is not empty.
  Status CreateScope(const Caller& caller, const std::string& scope, const std::string& initial_manage_principal) const;
  Status DeleteScope(const Caller& caller, const std::string& scope) const;  // MANAGE
  Result<std::vector<SecretScope>> ListScopes(const Caller& caller) const;   // where he has any permission

  Status Put(const Caller& caller, const std::string& scope, const std::string& key, const std::string& value) const;
  Status Delete(const Caller& caller, const std::string& scope, const std::string& key) const;
  Result<std::vector<SecretInfo>> List(const Caller& caller, const std::string& scope) const;  // READ; never values

  Status PutAcl(const Caller& caller, const std::string& scope, const std::string& principal,
                SecretPermission permission) const;
  Status DeleteAcl(const Caller& caller, const std::string& scope, const std::string& principal) const;
  Result<std::vector<SecretAcl>> ListAcls(const Caller& caller, const std::string& scope) const;  // MANAGE

  // The value, for a worker's job on behalf of a principal who has READ.
  Result<std::string> GetForWorker(const OrganisationId& organisation, const PrincipalId& principal,
                                   const std::string& scope, const std::string& key) const;

 private:
  Context context_;
};

}  // namespace glovebox::catalog
