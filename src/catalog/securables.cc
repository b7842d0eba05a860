// SPDX-License-Identifier: Apache-2.0
#include "catalog/securables.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/errors.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/result.h"
#include "base/strings.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/names.h"
#include "catalog/page.h"
#include "catalog/principals.h"
#include "catalog/privileges.h"
#include "catalog/securable_rows.h"
#include "catalog/sql.h"
#include "store/database.h"

namespace glovebox::catalog {
namespace {

constexpr std::string_view kDefaultSchema = "default";

Status InUse(std::string message) { return Status(ErrorCode::kInvalidState, std::move(message)); }

// Whether deleting needs IfNotEmpty::kDeleteAll. `subtree` has the object first.
bool IsEmpty(const std::vector<Securable>& subtree) {
  return std::all_of(subtree.begin() + 1, subtree.end(), [&](const Securable& below) {
    return subtree.front().kind == SecurableKind::kCatalog && below.kind == SecurableKind::kSchema &&
           below.name == kDefaultSchema;
  });
}

Status CheckHolds(store::Transaction& transaction, const OrganisationId& organisation, const Securable& securable) {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      transaction.Query("SELECT holder FROM holds WHERE organisation_id = ? AND securable_id = ? "
                                        "ORDER BY holder LIMIT 1",
                                        {organisation.str(), securable.id}));
  if (rows.empty()) {
    return Status();
  }
  return InUse(std::string(DisplayName(securable.kind)) + " '" + securable.full_name +
               "' cannot be deleted: it is in " + rows.front().Text(0) + ". Remove it there first.");
}

// A function that the policy of a table outside of what is being deleted calls stays.
Status CheckPolicies(store::Transaction& transaction, const OrganisationId& organisation, const Securable& function,
                     const std::set<std::string>& deleted_ids) {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      transaction.Query("SELECT t.id, s.full_name FROM tables t JOIN securables s ON s.organisation_id "
                                        "= t.organisation_id AND s.id = t.id WHERE t.organisation_id = ? AND "
                                        "(t.filter_function_id = ? OR t.id IN (SELECT c.table_id FROM table_columns c "
                                        "WHERE c.organisation_id = ? AND c.mask_function_id = ?)) ORDER BY s.full_name",
                                        {organisation.str(), function.id, organisation.str(), function.id}));
  for (const store::Row& row : rows) {
    if (!deleted_ids.contains(row.Text(0))) {
      return InUse("Function '" + function.full_name + "' cannot be deleted: the row filter or a mask of table '" +
                   row.Text(1) + "' uses it. Drop that first.");
    }
  }
  return Status();
}

// The folder of an object's files; empty if its kind has none.
std::string Folder(const Context& context, const OrganisationId& organisation, const Securable& securable) {
  if (securable.kind == SecurableKind::kTable) {
    return context.data_folder + "/tables/" + organisation.str() + "/" + securable.id;
  }
  if (securable.kind == SecurableKind::kVolume) {
    return context.data_folder + "/volumes/" + organisation.str() + "/" + securable.id;
  }
  return "";
}

Status DeleteRow(store::Transaction& transaction, const OrganisationId& organisation, const std::string& id) {
  return Run(transaction, "DELETE FROM securables WHERE organisation_id = ? AND id = ?", {organisation.str(), id});
}

}  // namespace

Result<Securable> Securables::Get(store::Transaction& transaction, const Caller& caller, SecurableKind kind,
                                  const std::string& full_name) {
  return FindKnown(transaction, caller, kind, full_name);
}

Result<Securable> Securables::Get(const Caller& caller, SecurableKind kind, const std::string& full_name) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  return FindKnown(*transaction, caller, kind, full_name);
}

Result<Page<Securable>> Securables::List(const Caller& caller, SecurableKind kind, const std::string& container,
                                         const PageRequest& page) const {
  if (kind == SecurableKind::kMetastore) {
    return Status(ErrorCode::kInvalidParameterValue, "An organisation has one metastore; there is no list of them.");
  }
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  return KnownChildren(*transaction, caller, kind, container, page);
}

Result<Securable> Securables::CreateCatalog(const Caller& caller, const std::string& name, const std::string& comment,
                                            IfExists if_exists) const {
  GB_ASSIGN_OR_RETURN(const Name checked, CheckedName(name, "catalog's name"));
  GB_RETURN_IF_ERROR(CheckComment(comment));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  const std::string& metastore = caller.organisation.str();
  if (if_exists == IfExists::kKeep) {
    if (auto existing = FindKnown(*transaction, caller, SecurableKind::kCatalog, name); existing.ok()) {
      return existing;
    }
  }
  GB_ASSIGN_OR_RETURN(const Securable parent, FindAllowed(*transaction, caller, SecurableKind::kMetastore, metastore,
                                                          Privilege::kCreateCatalog));
  GB_ASSIGN_OR_RETURN(Securable created, InsertRow(*transaction, context_, caller.organisation,
                                                   {.kind = SecurableKind::kCatalog,
                                                    .id = NewUuid(*context_.clock, *context_.random),
                                                    .parent_id = parent.id,
                                                    .parent_full_name = "",
                                                    .name = checked,
                                                    .owner = caller.principal,
                                                    .comment = comment,
                                                    .created_by = caller.name}));
  GB_ASSIGN_OR_RETURN(const Name default_name, CheckedName(kDefaultSchema, "schema's name"));
  auto default_schema = InsertRow(*transaction, context_, caller.organisation,
                                  {.kind = SecurableKind::kSchema,
                                   .id = NewUuid(*context_.clock, *context_.random),
                                   .parent_id = created.id,
                                   .parent_full_name = created.full_name,
                                   .name = default_name,
                                   .owner = caller.principal,
                                   .comment = "Default schema (auto-created)",
                                   .created_by = caller.name});
  GB_RETURN_IF_ERROR(default_schema.ok() ? Status() : default_schema.status());
  GB_RETURN_IF_ERROR(transaction->Commit());
  return created;
}

Result<Securable> Securables::CreateSchema(const Caller& caller, const std::string& catalog, const std::string& name,
                                           const std::string& comment, IfExists if_exists) const {
  GB_ASSIGN_OR_RETURN(const Name checked, CheckedName(name, "schema's name"));
  GB_RETURN_IF_ERROR(CheckComment(comment));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  if (if_exists == IfExists::kKeep) {
    auto existing = FindKnown(*transaction, caller, SecurableKind::kSchema, catalog + "." + name);
    if (existing.ok()) {
      return existing;
    }
  }
  GB_ASSIGN_OR_RETURN(const Securable parent,
                      FindAllowed(*transaction, caller, SecurableKind::kCatalog, catalog, Privilege::kCreateSchema));
  GB_ASSIGN_OR_RETURN(Securable created, InsertRow(*transaction, context_, caller.organisation,
                                                   {.kind = SecurableKind::kSchema,
                                                    .id = NewUuid(*context_.clock, *context_.random),
                                                    .parent_id = parent.id,
                                                    .parent_full_name = parent.full_name,
                                                    .name = checked,
                                                    .owner = caller.principal,
                                                    .comment = comment,
                                                    .created_by = caller.name}));
  GB_RETURN_IF_ERROR(transaction->Commit());
  return created;
}

Result<Securable> Securables::Update(const Caller& caller, SecurableKind kind, const std::string& full_name,
                                     const SecurableUpdate& update) const {
  GB_RETURN_IF_ERROR(CheckComment(update.comment.value_or("")));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Securable securable,
                      FindAllowed(*transaction, caller, kind, full_name, Privilege::kManage));
  const std::string& organisation = caller.organisation.str();
  if (update.comment.has_value()) {
    GB_RETURN_IF_ERROR(Run(*transaction, "UPDATE securables SET comment = ? WHERE organisation_id = ? AND id = ?",
                           {*update.comment, organisation, securable.id}));
  }
  if (update.owner.has_value()) {
    GB_ASSIGN_OR_RETURN(const Principal owner,
                        Principals::FindByName(*transaction, caller.organisation, *update.owner));
    GB_RETURN_IF_ERROR(Run(*transaction, "UPDATE securables SET owner_id = ? WHERE organisation_id = ? AND id = ?",
                           {owner.id.str(), organisation, securable.id}));
  }
  GB_RETURN_IF_ERROR(TouchRow(*transaction, context_, caller, securable.id));
  GB_ASSIGN_OR_RETURN(auto updated, FindRow(*transaction, caller.organisation, securable.id));
  GB_ASSERT(updated.has_value());
  GB_RETURN_IF_ERROR(transaction->Commit());
  return *std::move(updated);
}

Status Securables::Delete(const Caller& caller, SecurableKind kind, const std::string& full_name,
                          IfNotEmpty if_not_empty) const {
  if (kind == SecurableKind::kMetastore || kind == SecurableKind::kCleanRoom) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "A " + AsciiLower(DisplayName(kind)) + " cannot be deleted in this way.");
  }
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Securable securable,
                      FindAllowed(*transaction, caller, kind, full_name, Privilege::kManage));
  GB_ASSIGN_OR_RETURN(const auto subtree, Subtree(*transaction, caller.organisation, securable));
  if (if_not_empty == IfNotEmpty::kFail && !IsEmpty(subtree)) {
    return InUse(std::string(DisplayName(kind)) + " '" + securable.full_name +
                 "' is not empty. Delete what is in it first, or everything with it (force, CASCADE).");
  }
  std::set<std::string> ids;
  for (const Securable& below : subtree) {
    ids.insert(below.id);
  }
  for (const Securable& below : subtree) {
    GB_RETURN_IF_ERROR(CheckHolds(*transaction, caller.organisation, below));
    if (below.kind == SecurableKind::kFunction) {
      GB_RETURN_IF_ERROR(CheckPolicies(*transaction, caller.organisation, below, ids));
    }
  }
  for (const Securable& below : subtree) {
    GB_RETURN_IF_ERROR(DeleteRow(*transaction, caller.organisation, below.id));
  }
  GB_RETURN_IF_ERROR(transaction->Commit());
  for (const Securable& below : subtree) {
    const std::string folder = Folder(context_, caller.organisation, below);
    if (!folder.empty() && FileExists(folder) && !RemoveTree(folder).ok()) {
      log::Warning("files of a deleted object are left", {{"securable_id", below.id}});
    }
  }
  return Status();
}

Result<Securable> Securables::InsertCleanRoom(store::Transaction& transaction, const Context& context,
                                              const OrganisationId& organisation, const std::string& room_id,
                                              const std::string& name, const PrincipalId& owner,
                                              const std::string& comment, const std::string& created_by) {
  GB_ASSIGN_OR_RETURN(std::string text, ToNfc(name));
  return InsertRow(transaction, context, organisation,
                   {.kind = SecurableKind::kCleanRoom,
                    .id = room_id,
                    .parent_id = organisation.str(),
                    .parent_full_name = "",
                    .name = {.text = std::move(text), .key = NameKey(name)},
                    .owner = owner,
                    .comment = comment,
                    .created_by = created_by});
}

Result<Securable> Securables::FindCleanRoom(store::Transaction& transaction, const OrganisationId& organisation,
                                            const std::string& name) {
  GB_ASSIGN_OR_RETURN(auto room, ResolveRow(transaction, organisation, SecurableKind::kCleanRoom, name));
  return room.has_value() ? Result<Securable>(*std::move(room))
                          : Result<Securable>(DoesNotExist(SecurableKind::kCleanRoom, name));
}

Status Securables::SetCleanRoomOwner(store::Transaction& transaction, const OrganisationId& organisation,
                                     const std::string& room_id, const PrincipalId& owner) {
  return Run(transaction, "UPDATE securables SET owner_id = ? WHERE organisation_id = ? AND id = ? AND kind = ?",
             {owner.str(), organisation.str(), room_id, std::string(WireName(SecurableKind::kCleanRoom))});
}

Status Securables::DeleteCleanRoom(store::Transaction& transaction, const OrganisationId& organisation,
                                   const std::string& room_id) {
  return Run(transaction, "DELETE FROM securables WHERE organisation_id = ? AND id = ? AND kind = ?",
             {organisation.str(), room_id, std::string(WireName(SecurableKind::kCleanRoom))});
}

Result<std::optional<Securable>> Securables::FindById(store::Transaction& transaction,
                                                      const OrganisationId& organisation, const std::string& id) {
  return FindRow(transaction, organisation, id);
}

Status Securables::AddHold(store::Transaction& transaction, const OrganisationId& organisation,
                           const std::string& securable_id, const std::string& holder) {
  return Run(transaction,
             "INSERT INTO holds (organisation_id, securable_id, holder) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
             {organisation.str(), securable_id, holder});
}

Status Securables::RemoveHold(store::Transaction& transaction, const OrganisationId& organisation,
                              const std::string& securable_id, const std::string& holder) {
  return Run(transaction, "DELETE FROM holds WHERE organisation_id = ? AND securable_id = ? AND holder = ?",
             {organisation.str(), securable_id, holder});
}

Status Securables::RemoveAllHolds(store::Transaction& transaction, const OrganisationId& organisation,
                                  const std::string& securable_id) {
  return Run(transaction, "DELETE FROM holds WHERE organisation_id = ? AND securable_id = ?",
             {organisation.str(), securable_id});
}

}  // namespace glovebox::catalog
