// SPDX-License-Identifier: Apache-2.0
#include "catalog/organisations.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/result.h"
#include "catalog/context.h"
#include "catalog/names.h"
#include "catalog/principals.h"
#include "catalog/privileges.h"
#include "catalog/securable_rows.h"
#include "catalog/sql.h"
#include "catalog/tokens.h"
#include "crypto/aead.h"
#include "crypto/signature.h"
#include "store/database.h"

namespace glovebox::catalog {
namespace {

constexpr std::int64_t kFirstWorkspace = 1'000'000'000'001;
constexpr std::string_view kColumns =
    "SELECT id, name, cloud, region, workspace_id, statement_public, cosigner_public, created_at FROM organisations ";

Organisation FromRow(const store::Row& row) {
  Organisation organisation;
  organisation.id = OrganisationId(row.Text(0));
  organisation.name = row.Text(1);
  organisation.cloud = row.Text(2);
  organisation.region = row.Text(3);
  organisation.global_metastore_id = row.Text(2) + ":" + row.Text(3) + ":" + row.Text(0);
  organisation.workspace_id = row.Int(4);
  organisation.statement_key = row.Bytes(5);
  organisation.cosigner_key = row.Bytes(6);
  organisation.created_at = ToTime(row.Int(7));
  return organisation;
}

// What a sealed key is bound to.
std::string Associated(const OrganisationId& id, std::string_view use) {
  return "organisation/" + id.str() + "/" + std::string(use) + "-key";
}

store::Blob SealKey(const Context& context, const OrganisationId& id, std::string_view use,
                    const crypto::PrivateKey& key) {
  return {context.master_key->Seal(key.seed(), Associated(id, use), *context.random)};
}

Result<crypto::PrivateKey> OpenKey(const Context& context, const OrganisationId& id, std::string_view use) {
  GB_ASSIGN_OR_RETURN(const auto transaction, context.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(
      const auto row,
      transaction->QueryOne("SELECT statement_sealed, cosigner_sealed FROM organisations WHERE id = ?", {id.str()}));
  if (!row.has_value()) {
    return Status(ErrorCode::kNotFound, "The organisation does not exist.");
  }
  GB_ASSIGN_OR_RETURN(std::string seed,
                      context.master_key->Open(row->Bytes(use == "statement" ? 0 : 1), Associated(id, use)));
  Result<crypto::PrivateKey> key = crypto::PrivateKey::FromSeed(seed);
  crypto::Wipe(seed);
  return key;
}

Result<Organisation> FindOne(const Context& context, std::string_view condition, const store::Value& value,
                             const std::string& name) {
  GB_ASSIGN_OR_RETURN(const auto transaction, context.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const auto row,
                      transaction->QueryOne(std::string(kColumns) + "WHERE " + std::string(condition), {value}));
  if (!row.has_value()) {
    return Status(ErrorCode::kNotFound, "There is no organisation '" + name + "' on this server.");
  }
  return FromRow(*row);
}

Status InsertOrganisation(store::Transaction& transaction, const Context& context, const Organisation& organisation,
                          const std::string& name_key) {
  const crypto::PrivateKey statement = crypto::PrivateKey::Generate(*context.random);
  const crypto::PrivateKey cosigner = crypto::PrivateKey::Generate(*context.random);
  return Run(transaction,
             "INSERT INTO organisations (id, name, name_key, cloud, region, workspace_id, statement_public, "
             "statement_sealed, cosigner_public, cosigner_sealed, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             {organisation.id.str(), organisation.name, name_key, organisation.cloud, organisation.region,
              organisation.workspace_id, store::Blob{std::string(statement.public_key().bytes())},
              SealKey(context, organisation.id, "statement", statement),
              store::Blob{std::string(cosigner.public_key().bytes())},
              SealKey(context, organisation.id, "cosigner", cosigner), ToInt(organisation.created_at)});
}

}  // namespace

Result<CreatedOrganisation> Organisations::Create(const NewOrganisation& request) const {
  GB_ASSIGN_OR_RETURN(const Name name, CheckedPrincipalName(request.name));
  // Parts of a global metastore id; no colon, so that it can be taken apart again.
  for (const std::string& part : {request.cloud, request.region}) {
    GB_RETURN_IF_ERROR(CheckedName(part, "cloud or region").ok() && part.find(':') == std::string::npos
                           ? Status()
                           : Status(ErrorCode::kInvalidParameterValue, "'" + part + "' is no cloud or region."));
  }
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const auto existing,
                      transaction->QueryOne("SELECT name FROM organisations WHERE name_key = ?", {name.key}));
  if (existing.has_value()) {
    return Status(ErrorCode::kAlreadyExists, "The organisation '" + existing->Text(0) + "' already exists.");
  }
  Organisation organisation;
  organisation.id = OrganisationId(NewUuid(*context_.clock, *context_.random));
  organisation.name = name.text;
  organisation.cloud = request.cloud;
  organisation.region = request.region;
  organisation.created_at = context_.clock->Now();
  GB_ASSIGN_OR_RETURN(organisation.workspace_id, NextNumber(*transaction, "workspaces", kFirstWorkspace));
  GB_RETURN_IF_ERROR(InsertOrganisation(*transaction, context_, organisation, name.key));

  const auto insert = [&](PrincipalKind kind, const std::string& principal_name) {
    return InsertPrincipal(*transaction, context_, organisation.id, kind, principal_name, "");
  };
  GB_ASSIGN_OR_RETURN(const Principal admins, insert(PrincipalKind::kGroup, std::string(kAdminsGroup)));
  const auto everybody = insert(PrincipalKind::kGroup, std::string(kEverybodyGroup));
  GB_RETURN_IF_ERROR(everybody.ok() ? Status() : everybody.status());
  GB_ASSIGN_OR_RETURN(Principal admin, insert(PrincipalKind::kUser, request.admin_user));
  GB_RETURN_IF_ERROR(InsertMember(*transaction, organisation.id, admins.id, admin.id));
  const auto metastore = InsertRow(*transaction, context_, organisation.id,
                                   {.kind = SecurableKind::kMetastore,
                                    .id = organisation.id.str(),
                                    .parent_id = "",
                                    .parent_full_name = "",
                                    .name = {.text = organisation.id.str(), .key = organisation.id.str()},
                                    .owner = admins.id,
                                    .comment = "",
                                    .created_by = admin.name});
  GB_RETURN_IF_ERROR(metastore.ok() ? Status() : metastore.status());
  GB_ASSIGN_OR_RETURN(NewToken token, InsertToken(*transaction, context_, organisation.id, admin.id,
                                                  "made with the organisation", std::nullopt));
  GB_RETURN_IF_ERROR(transaction->Commit());
  GB_ASSIGN_OR_RETURN(Organisation created, Get(organisation.id));
  return CreatedOrganisation{
      .organisation = std::move(created), .admin = std::move(admin), .admin_token = std::move(token)};
}

Result<std::vector<Organisation>> Organisations::All() const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const auto rows, transaction->Query(std::string(kColumns) + "ORDER BY name_key"));
  std::vector<Organisation> organisations;
  for (const store::Row& row : rows) {
    organisations.push_back(FromRow(row));
  }
  return organisations;
}

Result<Organisation> Organisations::Get(const OrganisationId& id) const {
  return FindOne(context_, "id = ?", id.str(), id.str());
}

Result<Organisation> Organisations::FindByGlobalMetastoreId(const std::string& global_metastore_id) const {
  return FindOne(context_, "cloud || ':' || region || ':' || id = ?", global_metastore_id, global_metastore_id);
}

Result<crypto::PrivateKey> Organisations::StatementKey(const OrganisationId& id) const {
  return OpenKey(context_, id, "statement");
}

Result<crypto::PrivateKey> Organisations::CosignerKey(const OrganisationId& id) const {
  return OpenKey(context_, id, "cosigner");
}

}  // namespace glovebox::catalog
