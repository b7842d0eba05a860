// SPDX-License-Identifier: Apache-2.0
//
// Organisations: one party and its one metastore each. Every organisation has a key with which it signs its
// statements (approvals, publications, receipts) and one with which it cosigns ledger checkpoints; both are stored
// sealed with the master key and leave this class only as key objects, for the room part.
//
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/principals.h"
#include "catalog/tokens.h"
#include "crypto/signature.h"

namespace glovebox::catalog {

struct Organisation {
  OrganisationId id;  // also its metastore's
  std::string name;
  std::string cloud;
  std::string region;
  std::string global_metastore_id;  // "cloud:region:id"
  std::int64_t workspace_id = 0;
  std::string statement_key;  // public, 32 raw bytes
  std::string cosigner_key;   // public, 32 raw bytes
  TimeMs created_at{};
};

struct NewOrganisation {
  std::string name;
  std::string cloud = "local";
  std::string region = "local";
  std::string admin_user;  // user name of the first admin
};

struct CreatedOrganisation {
  Organisation organisation;
  Principal admin;
  NewToken admin_token;
};

class Organisations {
 public:
  explicit Organisations(const Context& context) : context_(context) {}

  // For the operator (command line, first start), who needs no token: whoever can call this owns the database.
  Result<CreatedOrganisation> Create(const NewOrganisation& request) const;
  // All organisations of the server, by name. For the operator and the server itself.
  Result<std::vector<Organisation>> All() const;
  Result<Organisation> Get(const OrganisationId& id) const;
  // How collaborators name each other. NOT_FOUND if there is none here.
  Result<Organisation> FindByGlobalMetastoreId(const std::string& global_metastore_id) const;

  Result<crypto::PrivateKey> StatementKey(const OrganisationId& id) const;
  Result<crypto::PrivateKey> CosignerKey(const OrganisationId& id) const;

 private:
  Context context_;
};

}  // namespace glovebox::catalog
