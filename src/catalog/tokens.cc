// SPDX-License-Identifier: Apache-2.0
#include "catalog/tokens.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/names.h"
#include "catalog/principals.h"
#include "catalog/sql.h"
#include "crypto/token.h"
#include "store/database.h"

namespace glovebox::catalog {
namespace {

constexpr std::int64_t kMsPerSecond = 1'000;
constexpr std::int64_t kLifetimeSecondsMax = static_cast<std::int64_t>(limits::kTokenLifetimeDaysMax) * 24 * 3'600;

Status Unauthenticated() {
  return Status(ErrorCode::kUnauthenticated, "The token is missing, unknown, expired or revoked.");
}

Result<Caller> ActiveCaller(store::Transaction& transaction, const OrganisationId& organisation,
                            const PrincipalId& principal) {
  auto caller = Principals::CallerFor(transaction, organisation, principal);
  if (!caller.ok() && caller.status().code() == ErrorCode::kNotFound) {
    return Unauthenticated();
  }
  return caller;
}

TokenInfo FromRow(const store::Row& row) {
  TokenInfo info;
  info.id = row.Text(0);
  info.comment = row.Text(1);
  info.principal = PrincipalId(row.Text(2));
  info.created_at = ToTime(row.Int(3));
  info.expires_at = ToTime(row.Int(4));
  return info;
}

}  // namespace

Result<NewToken> InsertToken(store::Transaction& transaction, const Context& context,
                             const OrganisationId& organisation, const PrincipalId& principal,
                             const std::string& comment, std::optional<std::int64_t> lifetime_seconds) {
  const std::int64_t lifetime = lifetime_seconds.value_or(kLifetimeSecondsMax);
  if (lifetime < 1 || lifetime > kLifetimeSecondsMax) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "The lifetime of a token is 1 to " + std::to_string(kLifetimeSecondsMax) + " seconds.");
  }
  GB_RETURN_IF_ERROR(CheckComment(comment));
  const std::int64_t now = ToInt(context.clock->Now());
  GB_RETURN_IF_ERROR(Run(transaction,
                         "DELETE FROM tokens WHERE organisation_id = ? AND principal_id = ? AND expires_at <= ?",
                         {organisation.str(), principal.str(), now}));
  GB_ASSIGN_OR_RETURN(const auto count,
                      transaction.QueryOne("SELECT COUNT(*) FROM tokens WHERE organisation_id = ? AND principal_id = ?",
                                           {organisation.str(), principal.str()}));
  if (count->Int(0) >= static_cast<std::int64_t>(limits::kTokensPerPrincipalMax)) {
    return Status(ErrorCode::kResourceExhausted, "There are " + std::to_string(limits::kTokensPerPrincipalMax) +
                                                     " tokens already; revoke some that are not used.");
  }
  crypto::NewToken secret = crypto::CreateToken(*context.random);
  NewToken token;
  token.value = std::move(secret.text);
  token.info = {.id = NewUuid(*context.clock, *context.random),
                .comment = comment,
                .principal = principal,
                .created_at = ToTime(now),
                .expires_at = ToTime(now + lifetime * kMsPerSecond)};
  GB_RETURN_IF_ERROR(Run(
      transaction,
      "INSERT INTO tokens (organisation_id, id, principal_id, hash, comment, created_at, expires_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      {organisation.str(), token.info.id, principal.str(), secret.hash, comment, now, ToInt(token.info.expires_at)}));
  return token;
}

Result<NewToken> Tokens::Create(const Caller& caller, const std::string& comment,
                                std::optional<std::int64_t> lifetime_seconds) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(NewToken token, InsertToken(*transaction, context_, caller.organisation, caller.principal,
                                                  comment, lifetime_seconds));
  GB_RETURN_IF_ERROR(transaction->Commit());
  return token;
}

Result<NewToken> Tokens::CreateFor(const Caller& caller, const std::string& principal_name, const std::string& comment,
                                   std::optional<std::int64_t> lifetime_seconds) const {
  if (!caller.is_admin) {
    return Status(ErrorCode::kPermissionDenied, "Only an admin makes tokens for others.");
  }
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Principal principal,
                      Principals::FindByName(*transaction, caller.organisation, principal_name));
  if (principal.kind == PrincipalKind::kGroup) {
    return Status(ErrorCode::kInvalidParameterValue, "A group has no tokens; make one for a member of it.");
  }
  GB_ASSIGN_OR_RETURN(NewToken token, InsertToken(*transaction, context_, caller.organisation, principal.id, comment,
                                                  lifetime_seconds));
  GB_RETURN_IF_ERROR(transaction->Commit());
  return token;
}

Result<std::vector<TokenInfo>> Tokens::List(const Caller& caller) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const auto rows,
                      transaction->Query("SELECT id, comment, principal_id, created_at, expires_at FROM tokens WHERE "
                                         "organisation_id = ? AND principal_id = ? ORDER BY created_at, id",
                                         {caller.organisation.str(), caller.principal.str()}));
  std::vector<TokenInfo> tokens;
  for (const store::Row& row : rows) {
    tokens.push_back(FromRow(row));
  }
  return tokens;
}

Status Tokens::Revoke(const Caller& caller, const std::string& token_id) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(
      const std::int64_t deleted,
      transaction->Execute(
          "DELETE FROM tokens WHERE organisation_id = ? AND id = ? AND (principal_id = ? OR ? = 1)",
          {caller.organisation.str(), token_id, caller.principal.str(), std::int64_t{caller.is_admin ? 1 : 0}}));
  if (deleted == 0) {
    return Status(ErrorCode::kNotFound, "There is no token '" + token_id + "'.");
  }
  return transaction->Commit();
}

Result<Caller> Tokens::Authenticate(const std::string& token) const {
  if (!crypto::IsTokenForm(token)) {
    return Unauthenticated();
  }
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const auto row, transaction->QueryOne("SELECT organisation_id, principal_id, expires_at, id FROM "
                                                            "tokens WHERE hash = ?",
                                                            {crypto::HashToken(token)}));
  if (!row.has_value() || row->Int(2) <= ToInt(context_.clock->Now())) {
    return Unauthenticated();
  }
  GB_ASSIGN_OR_RETURN(Caller caller,
                      ActiveCaller(*transaction, OrganisationId(row->Text(0)), PrincipalId(row->Text(1))));
  caller.token_id = row->Text(3);
  return caller;
}

Result<Caller> Tokens::CallerNow(const Caller& caller) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(Caller now, ActiveCaller(*transaction, caller.organisation, caller.principal));
  now.token_id = caller.token_id;
  if (!now.token_id.empty()) {
    GB_ASSIGN_OR_RETURN(
        const auto valid,
        transaction->QueryOne(
            "SELECT 1 FROM tokens WHERE organisation_id = ? AND id = ? AND principal_id = ? AND "
            "expires_at > ?",
            {caller.organisation.str(), now.token_id, caller.principal.str(), ToInt(context_.clock->Now())}));
    if (!valid.has_value()) {
      return Unauthenticated();
    }
  }
  return now;
}

}  // namespace glovebox::catalog
