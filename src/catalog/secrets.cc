// SPDX-License-Identifier: Apache-2.0
#include "catalog/secrets.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "catalog/caller.h"
#include "catalog/principals.h"
#include "catalog/privileges.h"
#include "catalog/securable_rows.h"
#include "catalog/securables.h"
#include "catalog/sql.h"
#include "catalog/tables.h"
#include "store/database.h"

namespace glovebox::catalog {
namespace {

// Databricks' rule for the names of scopes and keys.
Status CheckSecretName(const std::string& name, std::string_view what) {
  const bool allowed = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '@';
  });
  if (name.empty() || name.size() > limits::kSecretNameBytesMax || !allowed) {
    return Status(ErrorCode::kInvalidParameterValue, "The " + std::string(what) + " has 1 to " +
                                                         std::to_string(limits::kSecretNameBytesMax) +
                                                         " characters: letters, digits, '-', '_', '@' and '.'.");
  }
  return Status();
}

Status NoScope(const std::string& scope) {
  return Status(ErrorCode::kNotFound, "Scope '" + scope + "' does not exist.");
}

std::string Associated(const OrganisationId& organisation, const std::string& scope_key, const std::string& key) {
  return "secret/" + organisation.str() + "/" + scope_key + "/" + key;
}

// The highest permission of the caller on a scope, nothing if he has none. Admins have MANAGE, as in Databricks.
Result<std::optional<SecretPermission>> PermissionOn(store::Transaction& transaction, const Caller& caller,
                                                     const std::string& scope_key) {
  if (caller.is_admin) {
    return std::optional(SecretPermission::kManage);
  }
  GB_ASSIGN_OR_RETURN(
      const auto rows,
      transaction.Query("SELECT principal_id, permission FROM secret_acls WHERE organisation_id = ? AND scope_key = ?",
                        {caller.organisation.str(), scope_key}));
  std::optional<SecretPermission> highest;
  for (const store::Row& row : rows) {
    const PrincipalId principal(row.Text(0));
    if (std::find(caller.identities.begin(), caller.identities.end(), principal) == caller.identities.end()) {
      continue;
    }
    GB_ASSIGN_OR_RETURN(const SecretPermission permission, ParseSecretPermission(row.Text(1)));
    highest = highest.has_value() ? std::max(*highest, permission) : permission;
  }
  return highest;
}

// The scope's key, if the caller may know the scope and has the permission.
Result<std::string> FindScope(store::Transaction& transaction, const Caller& caller, const std::string& scope,
                              SecretPermission needed) {
  const std::string scope_key = AsciiLower(scope);
  GB_ASSIGN_OR_RETURN(const auto row,
                      transaction.QueryOne("SELECT name FROM secret_scopes WHERE organisation_id = ? AND name_key = ?",
                                           {caller.organisation.str(), scope_key}));
  if (!row.has_value()) {
    return NoScope(scope);
  }
  GB_ASSIGN_OR_RETURN(const auto permission, PermissionOn(transaction, caller, scope_key));
  if (!permission.has_value()) {
    return NoScope(scope);
  }
  if (*permission < needed) {
    return Status(ErrorCode::kPermissionDenied, "User '" + caller.name + "' does not have " +
                                                    std::string(WireName(needed)) + " on scope '" + scope + "'.");
  }
  return scope_key;
}

Status WriteAcl(store::Transaction& transaction, const OrganisationId& organisation, const std::string& scope_key,
                const PrincipalId& principal, SecretPermission permission) {
  GB_RETURN_IF_ERROR(Run(transaction,
                         "DELETE FROM secret_acls WHERE organisation_id = ? AND scope_key = ? AND principal_id = ?",
                         {organisation.str(), scope_key, principal.str()}));
  return Run(transaction,
             "INSERT INTO secret_acls (organisation_id, scope_key, principal_id, permission) VALUES (?, ?, ?, ?)",
             {organisation.str(), scope_key, principal.str(), std::string(WireName(permission))});
}

// Returns RESOURCE_EXHAUSTED if the query's count has reached the limit.
Status CheckCount(store::Transaction& transaction, std::string_view sql, const std::vector<store::Value>& parameters,
                  std::size_t limit, std::string_view what) {
  GB_ASSIGN_OR_RETURN(const auto count, transaction.QueryOne(sql, parameters));
  if (count->Int(0) >= static_cast<std::int64_t>(limit)) {
    return Status(ErrorCode::kResourceExhausted,
                  "There are " + std::to_string(limit) + " " + std::string(what) + " already.");
  }
  return Status();
}

}  // namespace

std::string_view WireName(SecretPermission permission) {
  switch (permission) {
    case SecretPermission::kManage:
      return "MANAGE";
    case SecretPermission::kWrite:
      return "WRITE";
    case SecretPermission::kRead:
      break;
  }
  return "READ";
}

Result<SecretPermission> ParseSecretPermission(std::string_view text) {
  for (const auto permission : {SecretPermission::kRead, SecretPermission::kWrite, SecretPermission::kManage}) {
    if (EqualsIgnoreCase(text, WireName(permission))) {
      return permission;
    }
  }
  return Status(ErrorCode::kInvalidParameterValue, "A permission on a scope is READ, WRITE or MANAGE.");
}

Status Secrets::CreateScope(const Caller& caller, const std::string& scope,
                            const std::string& initial_manage_principal) const {
  GB_RETURN_IF_ERROR(CheckSecretName(scope, "scope's name"));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  const std::string& organisation = caller.organisation.str();
  GB_ASSIGN_OR_RETURN(
      [[maybe_unused]] const Securable metastore,
      FindAllowed(*transaction, caller, SecurableKind::kMetastore, organisation, Privilege::kCreateSecretScope));
  const std::string scope_key = AsciiLower(scope);
  GB_RETURN_IF_ERROR(CheckCount(*transaction, "SELECT COUNT(*) FROM secret_scopes WHERE organisation_id = ?",
                                {organisation}, limits::kSecretScopesMax, "scopes"));
  const Status inserted =
      Run(*transaction, "INSERT INTO secret_scopes (organisation_id, name_key, name, created_at) VALUES (?, ?, ?, ?)",
          {organisation, scope_key, scope, ToInt(context_.clock->Now())});
  if (inserted.code() == ErrorCode::kAlreadyExists) {
    return Status(ErrorCode::kAlreadyExists, "Scope '" + scope + "' already exists.");
  }
  GB_RETURN_IF_ERROR(inserted);
  GB_RETURN_IF_ERROR(
      WriteAcl(*transaction, caller.organisation, scope_key, caller.principal, SecretPermission::kManage));
  if (!initial_manage_principal.empty()) {
    GB_ASSIGN_OR_RETURN(const Principal manager,
                        Principals::FindByName(*transaction, caller.organisation, initial_manage_principal));
    GB_RETURN_IF_ERROR(WriteAcl(*transaction, caller.organisation, scope_key, manager.id, SecretPermission::kManage));
  }
  return transaction->Commit();
}

Status Secrets::DeleteScope(const Caller& caller, const std::string& scope) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const std::string scope_key, FindScope(*transaction, caller, scope, SecretPermission::kManage));
  GB_RETURN_IF_ERROR(Run(*transaction, "DELETE FROM secret_scopes WHERE organisation_id = ? AND name_key = ?",
                         {caller.organisation.str(), scope_key}));
  GB_RETURN_IF_ERROR(Tables::AdvancePolicies(*transaction, caller.organisation));
  return transaction->Commit();
}

Result<std::vector<SecretScope>> Secrets::ListScopes(const Caller& caller) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const auto rows,
                      transaction->Query("SELECT name_key, name, created_at FROM secret_scopes WHERE organisation_id = "
                                         "? ORDER BY name_key",
                                         {caller.organisation.str()}));
  std::vector<SecretScope> scopes;
  for (const store::Row& row : rows) {
    GB_ASSIGN_OR_RETURN(const auto permission, PermissionOn(*transaction, caller, row.Text(0)));
    if (permission.has_value()) {
      scopes.push_back({row.Text(1), ToTime(row.Int(2))});
    }
  }
  return scopes;
}

Status Secrets::Put(const Caller& caller, const std::string& scope, const std::string& key,
                    const std::string& value) const {
  GB_RETURN_IF_ERROR(CheckSecretName(key, "secret's key"));
  if (value.size() > limits::kSecretBytesMax) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "A secret has at most " + std::to_string(limits::kSecretBytesMax) + " bytes.");
  }
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const std::string scope_key, FindScope(*transaction, caller, scope, SecretPermission::kWrite));
  const std::string& organisation = caller.organisation.str();
  GB_RETURN_IF_ERROR(Run(*transaction,
                         "DELETE FROM secrets WHERE organisation_id = ? AND scope_key = ? AND secret_key = ?",
                         {organisation, scope_key, key}));
  GB_RETURN_IF_ERROR(CheckCount(*transaction,
                                "SELECT COUNT(*) FROM secrets WHERE organisation_id = ? AND scope_key = ?",
                                {organisation, scope_key}, limits::kSecretsPerScopeMax, "secrets in this scope"));
  std::string sealed =
      context_.master_key->Seal(value, Associated(caller.organisation, scope_key, key), *context_.random);
  GB_RETURN_IF_ERROR(Run(*transaction,
                         "INSERT INTO secrets (organisation_id, scope_key, secret_key, sealed, updated_at) VALUES (?, "
                         "?, ?, ?, ?)",
                         {organisation, scope_key, key, store::Blob{std::move(sealed)}, ToInt(context_.clock->Now())}));
  GB_RETURN_IF_ERROR(Tables::AdvancePolicies(*transaction, caller.organisation));
  return transaction->Commit();
}

Status Secrets::Delete(const Caller& caller, const std::string& scope, const std::string& key) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const std::string scope_key, FindScope(*transaction, caller, scope, SecretPermission::kWrite));
  GB_ASSIGN_OR_RETURN(
      const std::int64_t deleted,
      transaction->Execute("DELETE FROM secrets WHERE organisation_id = ? AND scope_key = ? AND secret_key = ?",
                           {caller.organisation.str(), scope_key, key}));
  if (deleted == 0) {
    return Status(ErrorCode::kNotFound, "Scope '" + scope + "' has no secret '" + key + "'.");
  }
  GB_RETURN_IF_ERROR(Tables::AdvancePolicies(*transaction, caller.organisation));
  return transaction->Commit();
}

Result<std::vector<SecretInfo>> Secrets::List(const Caller& caller, const std::string& scope) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const std::string scope_key, FindScope(*transaction, caller, scope, SecretPermission::kRead));
  GB_ASSIGN_OR_RETURN(const auto rows,
                      transaction->Query("SELECT secret_key, updated_at FROM secrets WHERE organisation_id = ? AND "
                                         "scope_key = ? ORDER BY secret_key",
                                         {caller.organisation.str(), scope_key}));
  std::vector<SecretInfo> secrets;
  for (const store::Row& row : rows) {
    secrets.push_back({row.Text(0), ToTime(row.Int(1))});
  }
  return secrets;
}

Status Secrets::PutAcl(const Caller& caller, const std::string& scope, const std::string& principal,
                       SecretPermission permission) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const std::string scope_key, FindScope(*transaction, caller, scope, SecretPermission::kManage));
  GB_ASSIGN_OR_RETURN(const Principal found, Principals::FindByName(*transaction, caller.organisation, principal));
  GB_RETURN_IF_ERROR(WriteAcl(*transaction, caller.organisation, scope_key, found.id, permission));
  return transaction->Commit();
}

Status Secrets::DeleteAcl(const Caller& caller, const std::string& scope, const std::string& principal) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const std::string scope_key, FindScope(*transaction, caller, scope, SecretPermission::kManage));
  GB_ASSIGN_OR_RETURN(const Principal found, Principals::FindByName(*transaction, caller.organisation, principal));
  GB_ASSIGN_OR_RETURN(
      const std::int64_t deleted,
      transaction->Execute("DELETE FROM secret_acls WHERE organisation_id = ? AND scope_key = ? AND principal_id = ?",
                           {caller.organisation.str(), scope_key, found.id.str()}));
  if (deleted == 0) {
    return Status(ErrorCode::kNotFound, "'" + principal + "' has no permission on scope '" + scope + "'.");
  }
  return transaction->Commit();
}

Result<std::vector<SecretAcl>> Secrets::ListAcls(const Caller& caller, const std::string& scope) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const std::string scope_key, FindScope(*transaction, caller, scope, SecretPermission::kManage));
  GB_ASSIGN_OR_RETURN(const auto rows, transaction->Query("SELECT p.name, a.permission FROM secret_acls a JOIN "
                                                          "principals p ON p.organisation_id = a.organisation_id AND "
                                                          "p.id = a.principal_id WHERE a.organisation_id = ? AND "
                                                          "a.scope_key = ? ORDER BY p.name_key",
                                                          {caller.organisation.str(), scope_key}));
  std::vector<SecretAcl> acls;
  for (const store::Row& row : rows) {
    GB_ASSIGN_OR_RETURN(const SecretPermission permission, ParseSecretPermission(row.Text(1)));
    acls.push_back({row.Text(0), permission});
  }
  return acls;
}

Result<std::string> Secrets::GetForWorker(const OrganisationId& organisation, const PrincipalId& principal,
                                          const std::string& scope, const std::string& key) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Caller reader, Principals::CallerFor(*transaction, organisation, principal));
  GB_ASSIGN_OR_RETURN(const std::string scope_key, FindScope(*transaction, reader, scope, SecretPermission::kRead));
  GB_ASSIGN_OR_RETURN(const auto row, transaction->QueryOne("SELECT sealed FROM secrets WHERE organisation_id = ? AND "
                                                            "scope_key = ? AND secret_key = ?",
                                                            {organisation.str(), scope_key, key}));
  if (!row.has_value()) {
    return Status(ErrorCode::kNotFound, "Scope '" + scope + "' has no secret '" + key + "'.");
  }
  return context_.master_key->Open(row->Bytes(0), Associated(organisation, scope_key, key));
}

}  // namespace glovebox::catalog
