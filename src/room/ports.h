// SPDX-License-Identifier: Apache-2.0
//
// What a room needs of the parts beside it: the ledger that remembers, and the metastores of the organisations. Tests
// stand in for both; the implementations are in ledger_gateway.h and catalog_gateway.h.
//
// Protocol: Append() returns OK only when the entry is durable; nothing takes effect before.
// Who learns what: an entry's data is read by every collaborator and by whoever gets an evidence bundle: no table
// value, no local name, no principal's name ever goes in. Threads: thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "engine/engine.h"
#include "ledger/bundle.h"
#include "ledger/log.h"
#include "store/database.h"

namespace glovebox::room {

using catalog::Caller;

// What this part says of an event; `party` is the alias of who acts and whose statement key signs, or the operator.
using LedgerEntry = ledger::EntryFields;
using ledger::EventType;

struct LedgerParty {
  std::string alias;
  OrganisationId organisation;
};

struct LedgerHead {
  std::string origin;
  std::string room;  // hex SHA-256 of entry 0: what users pin
  std::int64_t size = 0;
  std::string checkpoint;  // signed and cosigned note
};

class RoomLedger {
 public:
  virtual ~RoomLedger() = default;
  // Opens the room's log with its first entry, which names the parties and their keys. Returns the entry's index, 0.
  virtual Result<std::int64_t> Open(const RoomId& room, const std::vector<LedgerParty>& parties,
                                    const LedgerEntry& first) = 0;
  // Returns the entry's index; it is durable and signed by the party that acts.
  virtual Result<std::int64_t> Append(const RoomId& room, const LedgerEntry& entry) = 0;
  // The index of the entry with this id, if it is durable.
  virtual Result<std::optional<std::int64_t>> Find(const RoomId& room, const std::string& entry_id) = 0;
  virtual Result<LedgerHead> Head(const RoomId& room) = 0;
  // The bytes of an entry. NOT_FOUND beyond the end.
  virtual Result<std::string> Read(const RoomId& room, std::int64_t index) = 0;
  // The evidence bundle as a tar archive, in pieces.
  virtual Status WriteEvidence(const RoomId& room, const ledger::BundleContents& contents,
                               const std::function<Status(std::string_view)>& write) = 0;
};

struct OrganisationInfo {
  OrganisationId id;
  std::string name;
  std::string global_metastore_id;
};

// A collaborator's own side of a room, as its metastore keeps it.
struct LocalRoom {
  std::string owner;  // principal's name
  std::string comment;
};

struct TableShape {
  std::string id;
  std::string full_name;  // as the catalogue spells it
  std::vector<engine::Column> columns;
};

// A table of an organisation with all that a governed scan of it needs. It holds secrets: for the engine only.
struct SourceTable {
  std::string version;             // of the table's content
  std::string policy_version;      // changes with a filter, a mask, what these call and may call, or a secret
  engine::PrepareRequest request;  // without rule and target_path
};

// What a room registers so that the runner's organisation reads an output like any table.
struct OutputTableEntry {
  std::string catalog;
  std::string schema;
  engine::TableFile file;
  std::string name;
};

// A change in a metastore that takes effect together with a ledger entry, in one transaction with it.
struct CatalogAct {
  // kTakeRoom makes `owner` the owner of the side if it still belongs to the metastore's admins as a group: who joins
  // answers for what is published.
  enum class Kind { kAddRoom, kRemoveRoom, kAddHold, kRemoveHold, kTakeRoom } kind = Kind::kAddRoom;
  OrganisationId organisation;
  std::string id;       // of the room's side, or of the table (holds)
  std::string name;     // local name of the room, or the holder as errors name it
  std::string owner;    // principal's name (kAddRoom, kTakeRoom); "" is the metastore's admins
  std::string comment;  // kAddRoom
};

enum class RoomPrivilege { kBrowse, kExecuteTask, kModify, kManage };

class Metastores {
 public:
  virtual ~Metastores() = default;
  // By its id as clients write it ("cloud:region:uuid"). NOT_FOUND if there is none.
  virtual Result<OrganisationInfo> FindOrganisation(const std::string& global_metastore_id) = 0;
  virtual Result<OrganisationInfo> GetOrganisation(const OrganisationId& organisation) = 0;
  // INVALID_PARAMETER_VALUE if the organisation has no such principal.
  virtual Status CheckPrincipal(const OrganisationId& organisation, const std::string& name) = 0;
  virtual Status CheckMayCreateRooms(const Caller& caller) = 0;
  // NOT_FOUND if the caller may not know the room.
  virtual Result<LocalRoom> GetLocalRoom(const Caller& caller, const std::string& local_name) = 0;
  // NOT_FOUND, or PERMISSION_DENIED if he lacks the privilege.
  virtual Status CheckOnRoom(const Caller& caller, RoomPrivilege privilege, const std::string& local_name) = 0;
  virtual Status UpdateLocalRoom(const Caller& caller, const std::string& local_name,
                                 const std::optional<std::string>& comment,
                                 const std::optional<std::string>& owner) = 0;
  // What the principal may do at this moment, for work on his behalf.
  virtual Result<Caller> CallerFor(const OrganisationId& organisation, const PrincipalId& principal) = 0;

  // The caller's own table. Returns NOT_FOUND or PERMISSION_DENIED unless the caller may SELECT from it.
  virtual Result<TableShape> ReadableTable(const Caller& caller, const std::string& full_name) = 0;
  // Whether the owner of the room's local side may SELECT from the table now.
  virtual Result<bool> OwnerMayRead(const OrganisationId& organisation, const std::string& local_name,
                                    const std::string& table_id) = 0;
  // The version of a table and of its policies, as SourceTable has them, without reading a row. Read as the owner of
  // the local side.
  virtual Result<std::pair<std::string, std::string>> SourceVersion(const OrganisationId& organisation,
                                                                    const std::string& local_name,
                                                                    const std::string& table_id) = 0;
  virtual Result<SourceTable> Source(const OrganisationId& organisation, const std::string& local_name,
                                     const std::string& table_id) = 0;

  virtual Status Apply(store::Transaction& tx, const CatalogAct& act) = 0;

  // ALREADY_EXISTS if there is a catalog of this name, unless it is one that this function made.
  virtual Status CreateOutputCatalog(const Caller& caller, const std::string& name) = 0;
  // Idempotent. The tables belong to the metastore's admins, and `owner`, if there still is such a principal, may read
  // them; nobody else may until it is granted.
  virtual Status RegisterOutputs(const OrganisationId& organisation, const PrincipalId& owner,
                                 const std::vector<OutputTableEntry>& entries) = 0;
  // Idempotent. An output's end wins over the holds of rooms in which its table was published since: their asset
  // becomes PERMISSION_DENIED.
  virtual Status RemoveOutput(const OrganisationId& organisation, const std::string& catalog, const std::string& schema,
                              const std::string& table) = 0;
  // Whether the caller may read the output, and so hand it over.
  virtual Status CheckMayReadOutput(const Caller& caller, const std::string& catalog, const std::string& schema,
                                    const std::string& table) = 0;
  // Removes what nobody needs any more; what fails is tried again at the next call.
  virtual Status Sweep() = 0;
};

}  // namespace glovebox::room
