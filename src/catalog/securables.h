// SPDX-License-Identifier: Apache-2.0
//
// The tree of an organisation's securable objects: metastore > catalog > schema > table, volume, function; and
// metastore > clean room. This service has what all kinds share: find, list, create the plain ones, change comment and
// owner, delete. What is special about tables, volumes and functions is in their own headers.
//
// Names keep their case and are unique without it; a look-up ignores case, and a clash names the object that is there.
// Authorisation: every method checks the caller. What he may not know is NOT_FOUND, as if it did not exist.
// Threads: thread-safe. Each method runs in a transaction of its own, unless it takes one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/page.h"
#include "catalog/privileges.h"
#include "store/database.h"

namespace glovebox::catalog {

struct Securable {
  SecurableKind kind = SecurableKind::kMetastore;
  std::string id;
  std::string parent_id;  // empty for the metastore
  std::string name;
  std::string full_name;  // "catalog.schema.table"; the organisation's id for the metastore
  PrincipalId owner_id;
  std::string owner;  // its name
  std::string comment;
  TimeMs created_at{};
  std::string created_by;
  TimeMs updated_at{};
  std::string updated_by;
};

struct SecurableUpdate {
  std::optional<std::string> comment;
  std::optional<std::string> owner;  // name of a principal
};

enum class IfExists { kFail, kKeep };
enum class IfNotEmpty { kFail, kDeleteAll };

class Securables {
 public:
  explicit Securables(const Context& context) : context_(context) {}

  // `full_name` has the parts that the kind needs: catalog; catalog.schema; catalog.schema.name; a room's name; the
  // metastore's id or "".
  Result<Securable> Get(const Caller& caller, SecurableKind kind, const std::string& full_name) const;
  // The objects of a kind in a container ("" for the metastore), by name.
  Result<Page<Securable>> List(const Caller& caller, SecurableKind kind, const std::string& container,
                               const PageRequest& page) const;
  // Needs CREATE_CATALOG on the metastore. A schema `default` comes with it.
  Result<Securable> CreateCatalog(const Caller& caller, const std::string& name, const std::string& comment,
                                  IfExists if_exists) const;
  // Needs CREATE_SCHEMA on the catalog.
  Result<Securable> CreateSchema(const Caller& caller, const std::string& catalog, const std::string& name,
                                 const std::string& comment, IfExists if_exists) const;
  // Needs ownership or MANAGE. A new owner must be a principal of the organisation.
  Result<Securable> Update(const Caller& caller, SecurableKind kind, const std::string& full_name,
                           const SecurableUpdate& update) const;
  // Needs ownership or MANAGE. Returns INVALID_STATE if there is something in it (a catalog's empty `default` does not
  // count), if a clean room holds something of it, or if another table's policy uses a function of it. Files go, too.
  Status Delete(const Caller& caller, SecurableKind kind, const std::string& full_name, IfNotEmpty if_not_empty) const;

  // Clean rooms are rooms of the part that owns them; here is only their place in the tree: one row in each
  // collaborator's organisation, under the room's id. Unchecked: the caller's right was checked by the room part.
  // Returns ALREADY_EXISTS, naming the existing room, if the name is taken in this organisation.
  static Result<Securable> InsertCleanRoom(store::Transaction& transaction, const Context& context,
                                           const OrganisationId& organisation, const std::string& room_id,
                                           const std::string& name, const PrincipalId& owner,
                                           const std::string& comment, const std::string& created_by);
  // By its local name; NOT_FOUND if there is none.
  static Result<Securable> FindCleanRoom(store::Transaction& transaction, const OrganisationId& organisation,
                                         const std::string& name);
  static Status SetCleanRoomOwner(store::Transaction& transaction, const OrganisationId& organisation,
                                  const std::string& room_id, const PrincipalId& owner);
  static Status DeleteCleanRoom(store::Transaction& transaction, const OrganisationId& organisation,
                                const std::string& room_id);
  static Result<std::optional<Securable>> FindById(store::Transaction& transaction, const OrganisationId& organisation,
                                                   const std::string& id);
  // As Get, inside a transaction.
  static Result<Securable> Get(store::Transaction& transaction, const Caller& caller, SecurableKind kind,
                               const std::string& full_name);

  // While there is a hold, the object cannot be deleted; `holder` says in the error by whom ("clean room 'x'").
  static Status AddHold(store::Transaction& transaction, const OrganisationId& organisation,
                        const std::string& securable_id, const std::string& holder);
  static Status RemoveHold(store::Transaction& transaction, const OrganisationId& organisation,
                           const std::string& securable_id, const std::string& holder);
  static Status RemoveAllHolds(store::Transaction& transaction, const OrganisationId& organisation,
                               const std::string& securable_id);

 private:
  Context context_;
};

}  // namespace glovebox::catalog
