// SPDX-License-Identifier: Apache-2.0
//
// Rows of the tree of securables, inside a transaction and without any check of rights; only services of this part,
// which check, use them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/names.h"
#include "catalog/securables.h"
#include "store/database.h"

namespace glovebox::catalog {

struct SecurableRow {
  SecurableKind kind = SecurableKind::kCatalog;
  std::string id;
  std::string parent_id;
  std::string parent_full_name;  // empty for children of the metastore
  Name name;
  PrincipalId owner;
  std::string comment;
  std::string created_by;
};

// "Table 'a.b.c' does not exist.": the same words whether it is not there or may not be known. `name` is what the
// caller wrote.
Status DoesNotExist(SecurableKind kind, std::string_view name);

Result<std::optional<Securable>> FindRow(store::Transaction& transaction, const OrganisationId& organisation,
                                         const std::string& id);
Result<std::optional<Securable>> FindChildRow(store::Transaction& transaction, const OrganisationId& organisation,
                                              SecurableKind kind, const std::string& parent_id,
                                              const std::string& name_key);
// Walks the parts of a full name.
Result<std::optional<Securable>> ResolveRow(store::Transaction& transaction, const OrganisationId& organisation,
                                            SecurableKind kind, const std::string& full_name);
// Returns ALREADY_EXISTS, naming the object that is there in its own case.
Result<Securable> InsertRow(store::Transaction& transaction, const Context& context, const OrganisationId& organisation,
                            const SecurableRow& row);
Status TouchRow(store::Transaction& transaction, const Context& context, const Caller& caller, const std::string& id);
// The object itself, its container, and so on up to the metastore.
Result<std::vector<Securable>> Chain(store::Transaction& transaction, const OrganisationId& organisation,
                                     const Securable& securable);
// Everything below it, and itself; parents before children.
Result<std::vector<Securable>> Subtree(store::Transaction& transaction, const OrganisationId& organisation,
                                       const Securable& securable);
// The object if the caller may know it, else NOT_FOUND.
Result<Securable> FindKnown(store::Transaction& transaction, const Caller& caller, SecurableKind kind,
                            const std::string& full_name);
// As FindKnown, and the caller has the privilege.
Result<Securable> FindAllowed(store::Transaction& transaction, const Caller& caller, SecurableKind kind,
                              const std::string& full_name, Privilege privilege);
// For who would create a name that is there already: he may know the object, or create such objects beside it, which
// tells him of it anyway. The error is the same as if the name were free.
Status CheckMayMeet(store::Transaction& transaction, const Caller& caller, const Securable& existing,
                    Privilege to_create, const Securable& container);
// A page of those children of `container` that the caller may know.
Result<Page<Securable>> KnownChildren(store::Transaction& transaction, const Caller& caller, SecurableKind kind,
                                      const std::string& container, const PageRequest& page);

}  // namespace glovebox::catalog
