// SPDX-License-Identifier: Apache-2.0
#include "catalog/securable_rows.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/clock.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/grants.h"
#include "catalog/names.h"
#include "catalog/page.h"
#include "catalog/privileges.h"
#include "catalog/securables.h"
#include "catalog/sql.h"
#include "store/database.h"

namespace glovebox::catalog {
namespace {

std::string SelectRows(std::string_view condition) {
  return "SELECT s.kind, s.id, s.parent_id, s.name, s.full_name, s.owner_id, p.name, s.comment, s.created_at, "
         "s.created_by, s.updated_at, s.updated_by FROM securables s JOIN principals p "
         "ON p.organisation_id = s.organisation_id AND p.id = s.owner_id WHERE s.organisation_id = ? AND " +
         std::string(condition);
}

Result<Securable> FromRow(const store::Row& row) {
  const auto kind = ParseSecurableKind(row.Text(0));
  if (!kind.has_value()) {
    return Status(ErrorCode::kDataLoss, "The metadata database has a securable object of an unknown kind.");
  }
  Securable securable;
  securable.kind = *kind;
  securable.id = row.Text(1);
  securable.parent_id = row.Text(2);
  securable.name = row.Text(3);
  securable.full_name = row.Text(4);
  securable.owner_id = PrincipalId(row.Text(5));
  securable.owner = row.Text(6);
  securable.comment = row.Text(7);
  securable.created_at = ToTime(row.Int(8));
  securable.created_by = row.Text(9);
  securable.updated_at = ToTime(row.Int(10));
  securable.updated_by = row.Text(11);
  return securable;
}

Result<std::vector<Securable>> FromRows(const std::vector<store::Row>& rows) {
  std::vector<Securable> result;
  result.reserve(rows.size());
  for (const store::Row& row : rows) {
    GB_ASSIGN_OR_RETURN(Securable securable, FromRow(row));
    result.push_back(std::move(securable));
  }
  return result;
}

Result<std::optional<Securable>> FindOne(store::Transaction& transaction, std::string_view condition,
                                         const std::vector<store::Value>& parameters) {
  GB_ASSIGN_OR_RETURN(const auto row, transaction.QueryOne(SelectRows(condition), parameters));
  if (!row.has_value()) {
    return std::optional<Securable>();
  }
  GB_ASSIGN_OR_RETURN(Securable securable, FromRow(*row));
  return std::optional<Securable>(std::move(securable));
}

// The condition that the caller owns the row or has a grant on it that lets him know of it; adds its parameters.
std::string OwnedOrGranted(const Caller& caller, SecurableKind kind, std::vector<store::Value>& parameters) {
  const auto list = [&parameters](const auto& values, const auto& text_of) {
    std::string marks;
    for (const auto& value : values) {
      marks += marks.empty() ? "?" : ", ?";
      parameters.emplace_back(text_of(value));
    }
    return "(" + marks + ")";
  };
  const auto id = [](const PrincipalId& principal) { return principal.str(); };
  std::vector<Privilege> privileges = PrivilegesOf(kind);
  privileges.push_back(Privilege::kAllPrivileges);
  std::string condition = " AND (s.owner_id IN " + list(caller.identities, id);
  condition +=
      " OR EXISTS (SELECT 1 FROM grants g WHERE g.organisation_id = s.organisation_id AND g.securable_id = s.id AND "
      "g.principal_id IN " +
      list(caller.identities, id);
  condition += " AND g.privilege IN " +
               list(privileges, [](Privilege privilege) { return std::string(WireName(privilege)); }) + "))";
  return condition;
}

}  // namespace

Status DoesNotExist(SecurableKind kind, std::string_view name) {
  return Status(ErrorCode::kNotFound, std::string(DisplayName(kind)) + " '" + std::string(name) + "' does not exist.");
}

Result<std::optional<Securable>> FindRow(store::Transaction& transaction, const OrganisationId& organisation,
                                         const std::string& id) {
  return FindOne(transaction, "s.id = ?", {organisation.str(), id});
}

Result<std::optional<Securable>> FindChildRow(store::Transaction& transaction, const OrganisationId& organisation,
                                              SecurableKind kind, const std::string& parent_id,
                                              const std::string& name_key) {
  return FindOne(transaction, "s.kind = ? AND s.parent_id = ? AND s.name_key = ?",
                 {organisation.str(), std::string(WireName(kind)), parent_id, name_key});
}

Result<std::optional<Securable>> ResolveRow(store::Transaction& transaction, const OrganisationId& organisation,
                                            SecurableKind kind, const std::string& full_name) {
  GB_ASSIGN_OR_RETURN(const std::vector<std::string> parts, SplitFullName(kind, full_name));
  const std::string& metastore_id = organisation.str();
  if (kind == SecurableKind::kMetastore) {
    if (!full_name.empty() && full_name != metastore_id) {
      return std::optional<Securable>();
    }
    return FindRow(transaction, organisation, metastore_id);
  }
  std::string parent_id = metastore_id;
  std::optional<Securable> found;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    SecurableKind part_kind = kind;
    if (i + 1 < parts.size()) {
      part_kind = i == 0 ? SecurableKind::kCatalog : SecurableKind::kSchema;
    }
    GB_ASSIGN_OR_RETURN(found, FindChildRow(transaction, organisation, part_kind, parent_id, NameKey(parts[i])));
    if (!found.has_value()) {
      break;
    }
    parent_id = found->id;
  }
  return found;
}

Result<Securable> InsertRow(store::Transaction& transaction, const Context& context, const OrganisationId& organisation,
                            const SecurableRow& row) {
  GB_ASSIGN_OR_RETURN(const auto existing,
                      FindChildRow(transaction, organisation, row.kind, row.parent_id, row.name.key));
  if (existing.has_value()) {
    return Status(ErrorCode::kAlreadyExists,
                  std::string(DisplayName(row.kind)) + " '" + existing->full_name + "' already exists" +
                      (existing->name == row.name.text ? "." : "; names that differ only in case are the same name."));
  }
  const std::string full_name =
      row.parent_full_name.empty() ? row.name.text : row.parent_full_name + "." + row.name.text;
  const std::int64_t now = ToInt(context.clock->Now());
  GB_RETURN_IF_ERROR(
      Run(transaction,
          "INSERT INTO securables (organisation_id, id, kind, parent_id, name, name_key, full_name, "
          "owner_id, comment, created_at, created_by, updated_at, updated_by) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          {organisation.str(), row.id, std::string(WireName(row.kind)), row.parent_id, row.name.text, row.name.key,
           full_name, row.owner.str(), row.comment, now, row.created_by, now, row.created_by}));
  GB_ASSIGN_OR_RETURN(auto inserted, FindRow(transaction, organisation, row.id));
  GB_ASSERT(inserted.has_value());
  return *std::move(inserted);
}

Status TouchRow(store::Transaction& transaction, const Context& context, const Caller& caller, const std::string& id) {
  return Run(transaction, "UPDATE securables SET updated_at = ?, updated_by = ? WHERE organisation_id = ? AND id = ?",
             {ToInt(context.clock->Now()), caller.name, caller.organisation.str(), id});
}

Result<std::vector<Securable>> Chain(store::Transaction& transaction, const OrganisationId& organisation,
                                     const Securable& securable) {
  std::vector<Securable> chain = {securable};
  while (!chain.back().parent_id.empty()) {
    GB_ASSIGN_OR_RETURN(auto parent, FindRow(transaction, organisation, chain.back().parent_id));
    if (!parent.has_value()) {
      return Status(ErrorCode::kDataLoss, "The metadata database lacks the container of a securable object.");
    }
    chain.push_back(*std::move(parent));
  }
  return chain;
}

Result<std::vector<Securable>> Subtree(store::Transaction& transaction, const OrganisationId& organisation,
                                       const Securable& securable) {
  std::vector<Securable> subtree = {securable};
  for (std::size_t i = 0; i < subtree.size(); ++i) {
    GB_ASSIGN_OR_RETURN(const auto rows, transaction.Query(SelectRows("s.parent_id = ? ORDER BY s.name_key"),
                                                           {organisation.str(), subtree[i].id}));
    GB_ASSIGN_OR_RETURN(std::vector<Securable> children, FromRows(rows));
    subtree.insert(subtree.end(), std::make_move_iterator(children.begin()), std::make_move_iterator(children.end()));
  }
  return subtree;
}

Result<Securable> FindKnown(store::Transaction& transaction, const Caller& caller, SecurableKind kind,
                            const std::string& full_name) {
  GB_ASSIGN_OR_RETURN(auto found, ResolveRow(transaction, caller.organisation, kind, full_name));
  if (found.has_value()) {
    GB_ASSIGN_OR_RETURN(const bool known, Grants::MayKnow(transaction, caller, *found));
    if (known) {
      return *std::move(found);
    }
  }
  return DoesNotExist(kind, full_name);
}

Result<Securable> FindAllowed(store::Transaction& transaction, const Caller& caller, SecurableKind kind,
                              const std::string& full_name, Privilege privilege) {
  GB_ASSIGN_OR_RETURN(Securable found, FindKnown(transaction, caller, kind, full_name));
  GB_RETURN_IF_ERROR(Grants::Check(transaction, caller, privilege, found));
  return found;
}

Status CheckMayMeet(store::Transaction& transaction, const Caller& caller, const Securable& existing,
                    Privilege to_create, const Securable& container) {
  GB_ASSIGN_OR_RETURN(const bool known, Grants::MayKnow(transaction, caller, existing));
  return known ? Status() : Grants::Check(transaction, caller, to_create, container);
}

Result<Page<Securable>> KnownChildren(store::Transaction& transaction, const Caller& caller, SecurableKind kind,
                                      const std::string& container, const PageRequest& page) {
  GB_ASSIGN_OR_RETURN(const std::size_t size, PageSize(page));
  GB_ASSIGN_OR_RETURN(const std::string after, PageStart(page));
  const SecurableKind container_kind = ContainerKind(kind);
  GB_ASSIGN_OR_RETURN(const Securable parent,
                      FindKnown(transaction, caller, container_kind,
                                container_kind == SecurableKind::kMetastore ? std::string() : container));
  std::string condition = "s.kind = ? AND s.parent_id = ? AND s.name_key > ?";
  std::vector<store::Value> parameters = {caller.organisation.str(), std::string(WireName(kind)), parent.id, after};
  GB_ASSIGN_OR_RETURN(const bool knows_all, Grants::MayKnowAllBelow(transaction, caller, kind, parent));
  if (!knows_all) {
    condition += OwnedOrGranted(caller, kind, parameters);
  }
  parameters.emplace_back(static_cast<std::int64_t>(size) + 1);
  GB_ASSIGN_OR_RETURN(const auto rows,
                      transaction.Query(SelectRows(condition + " ORDER BY s.name_key LIMIT ?"), parameters));
  Page<Securable> result;
  GB_ASSIGN_OR_RETURN(result.items, FromRows(rows));
  if (result.items.size() > size) {
    result.items.pop_back();
    result.next_token = PageToken(NameKey(result.items.back().name));
  }
  return result;
}

}  // namespace glovebox::catalog
