// SPDX-License-Identifier: Apache-2.0
//
// Metastores over the catalogue. What the server does by itself in a metastore (output catalogs and their tables) it
// does as the metastore's group of admins, who own it.
//
// Who learns what: a table's secrets and the key of its units' hash are read here, for the engine's job, and nowhere
// else. Threads: thread-safe.
#pragma once

#include <string>

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "room/ports.h"

namespace glovebox::room {

class CatalogGateway : public Metastores {
 public:
  CatalogGateway(catalog::Catalog& catalog, engine::Engine& engine) : catalog_(catalog), engine_(engine) {}

  Result<OrganisationInfo> FindOrganisation(const std::string& global_metastore_id) override;
  Result<OrganisationInfo> GetOrganisation(const OrganisationId& organisation) override;
  Status CheckPrincipal(const OrganisationId& organisation, const std::string& name) override;
  Status CheckMayCreateRooms(const Caller& caller) override;
  Result<LocalRoom> GetLocalRoom(const Caller& caller, const std::string& local_name) override;
  Status CheckOnRoom(const Caller& caller, RoomPrivilege privilege, const std::string& local_name) override;
  Status UpdateLocalRoom(const Caller& caller, const std::string& local_name, const std::optional<std::string>& comment,
                         const std::optional<std::string>& owner) override;
  Result<Caller> CallerFor(const OrganisationId& organisation, const PrincipalId& principal) override;

  Result<TableShape> ReadableTable(const Caller& caller, const std::string& full_name) override;
  Result<bool> OwnerMayRead(const OrganisationId& organisation, const std::string& local_name,
                            const std::string& table_id) override;
  Result<std::pair<std::string, std::string>> SourceVersion(const OrganisationId& organisation,
                                                            const std::string& local_name,
                                                            const std::string& table_id) override;
  Result<SourceTable> Source(const OrganisationId& organisation, const std::string& local_name,
                             const std::string& table_id) override;

  Status Apply(store::Transaction& tx, const CatalogAct& act) override;

  Status CreateOutputCatalog(const Caller& caller, const std::string& name) override;
  Status RegisterOutputs(const OrganisationId& organisation, const PrincipalId& owner,
                         const std::vector<OutputTableEntry>& entries) override;
  Status RemoveOutput(const OrganisationId& organisation, const std::string& catalog, const std::string& schema,
                      const std::string& table) override;
  Status CheckMayReadOutput(const Caller& caller, const std::string& catalog, const std::string& schema,
                            const std::string& table) override;
  Status Sweep() override;

 private:
  Result<Caller> Admins(const OrganisationId& organisation);
  // The owner of the organisation's side of the room.
  Result<Caller> LocalOwner(const OrganisationId& organisation, const std::string& local_name);
  Result<std::string> UnitSecret(const OrganisationId& organisation);
  Status RegisterOutput(const Caller& admins, const OutputTableEntry& entry);

  catalog::Catalog& catalog_;
  engine::Engine& engine_;
};

}  // namespace glovebox::room
