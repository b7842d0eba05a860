// SPDX-License-Identifier: Apache-2.0
#include "catalog/tables.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/errors.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/functions.h"
#include "catalog/grants.h"
#include "catalog/names.h"
#include "catalog/page.h"
#include "catalog/principals.h"
#include "catalog/privileges.h"
#include "catalog/securable_rows.h"
#include "catalog/securables.h"
#include "catalog/sql.h"
#include "catalog/stored_bytes.h"
#include "catalog/table_rows.h"
#include "store/database.h"

namespace glovebox::catalog {
namespace {

constexpr SecurableKind kTableKind = SecurableKind::kTable;

// Makes the file that the engine wrote durable, with its name. It must be a plain file of ours. Returns its size.
Result<std::int64_t> SyncFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info{};
  if (!fd.valid() || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return Status(ErrorCode::kInternal, "The new version's file is missing.");
  }
  if (fsync(fd.get()) != 0) {
    return Status(ErrorCode::kUnavailable, "The new version's file cannot be made durable.");
  }
  GB_RETURN_IF_ERROR(SyncDirectory(path.substr(0, path.rfind('/'))));
  return std::int64_t{info.st_size};
}

const ColumnRow* FindColumn(const std::vector<ColumnRow>& columns, const std::string& name) {
  const std::string key = NameKey(name);
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const ColumnRow& row) { return NameKey(row.column.name) == key; });
  return found == columns.end() ? nullptr : &*found;
}

// The names as the table spells them.
Result<std::vector<std::string>> CanonicalColumns(const std::vector<ColumnRow>& columns,
                                                  const std::vector<std::string>& names) {
  std::vector<std::string> canonical;
  for (const std::string& name : names) {
    const ColumnRow* column = FindColumn(columns, name);
    if (column == nullptr) {
      return Status(ErrorCode::kInvalidParameterValue, "The table has no column '" + name + "'.");
    }
    canonical.push_back(column->column.name);
  }
  return canonical;
}

// A policy's function, which the caller may execute and which takes `arguments` arguments.
Result<std::string> PolicyFunction(store::Transaction& transaction, const Caller& caller, const std::string& name,
                                   std::size_t arguments) {
  GB_ASSIGN_OR_RETURN(const Securable info,
                      FindAllowed(transaction, caller, SecurableKind::kFunction, name, Privilege::kExecute));
  GB_ASSIGN_OR_RETURN(const Function function, Functions::Load(transaction, info, caller.organisation));
  if (function.parameters.size() != arguments) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "Function '" + info.full_name + "' has " + std::to_string(function.parameters.size()) +
                      " parameters, but is given " + std::to_string(arguments) + " columns.");
  }
  return info.id;
}

Result<PolicyRow> CheckedFilter(store::Transaction& transaction, const Caller& caller, const TableRowFilter& filter,
                                const std::vector<ColumnRow>& columns) {
  PolicyRow row;
  GB_ASSIGN_OR_RETURN(row.columns, CanonicalColumns(columns, filter.columns));
  GB_ASSIGN_OR_RETURN(row.function_id, PolicyFunction(transaction, caller, filter.function, filter.columns.size()));
  return row;
}

Result<PolicyRow> CheckedMask(store::Transaction& transaction, const Caller& caller, const ColumnMask& mask,
                              const std::vector<ColumnRow>& columns) {
  PolicyRow row;
  GB_ASSIGN_OR_RETURN(row.columns, CanonicalColumns(columns, mask.using_columns));
  GB_ASSIGN_OR_RETURN(row.function_id,
                      PolicyFunction(transaction, caller, mask.function, mask.using_columns.size() + 1));
  return row;
}

Status Orphaned(const std::string& column) {
  return Status(ErrorCode::kInvalidState, "The table's row filter or masks use the column '" + column +
                                              "', which the new table does not have. Drop them first.");
}

// The new table's columns with the masks that the table has, or that come with it. Policies stay when a table is
// replaced; those that would lose a column forbid it.
Result<std::vector<ColumnRow>> MergeColumns(store::Transaction& transaction, const Caller& caller,
                                            const TableContent& content, const std::vector<ColumnRow>& old_columns,
                                            const PolicyRow& old_filter) {
  std::vector<ColumnRow> columns;
  for (const TableColumn& column : content.columns) {
    columns.push_back({.column = column, .mask = {}});
  }
  std::vector<std::string> needed = old_filter.columns;
  for (const ColumnRow& old : old_columns) {
    if (!old.mask.function_id.empty()) {
      needed.push_back(old.column.name);
      needed.insert(needed.end(), old.mask.columns.begin(), old.mask.columns.end());
    }
  }
  for (const std::string& name : needed) {
    if (FindColumn(columns, name) == nullptr) {
      return Orphaned(name);
    }
  }
  for (ColumnRow& row : columns) {
    if (row.column.mask.has_value()) {
      GB_ASSIGN_OR_RETURN(row.mask, CheckedMask(transaction, caller, *row.column.mask, columns));
    } else if (const ColumnRow* old = FindColumn(old_columns, row.column.name); old != nullptr) {
      row.mask.function_id = old->mask.function_id;
      GB_ASSIGN_OR_RETURN(row.mask.columns, CanonicalColumns(columns, old->mask.columns));
    }
  }
  return columns;
}

Result<Securable> FindManaged(store::Transaction& transaction, const Caller& caller, const std::string& full_name) {
  return FindAllowed(transaction, caller, kTableKind, full_name, Privilege::kManage);
}

// The table by its id, if the caller may SELECT from it.
Result<Securable> FindForSelect(store::Transaction& transaction, const Caller& caller, const TableId& id) {
  GB_ASSIGN_OR_RETURN(auto info, FindRow(transaction, caller.organisation, id.str()));
  if (!info.has_value() || info->kind != kTableKind) {
    return Status(ErrorCode::kNotFound, "The table does not exist.");
  }
  GB_RETURN_IF_ERROR(Grants::Check(transaction, caller, Privilege::kSelect, *info));
  return *std::move(info);
}

// The table's row in the tree: the one that is replaced, or a new one.
Result<Securable> PlaceTable(store::Transaction& transaction, const Context& context, const Caller& caller,
                             const TableWrite& write, const std::string& comment) {
  GB_ASSIGN_OR_RETURN(const Name name, CheckedName(write.name, "table's name"));
  GB_ASSIGN_OR_RETURN(const Securable schema,
                      FindAllowed(transaction, caller, SecurableKind::kSchema, write.schema, Privilege::kCreateTable));
  if (write.replaces.empty()) {
    return InsertRow(transaction, context, caller.organisation,
                     {.kind = kTableKind,
                      .id = write.table.str(),
                      .parent_id = schema.id,
                      .parent_full_name = schema.full_name,
                      .name = name,
                      .owner = caller.principal,
                      .comment = comment,
                      .created_by = caller.name});
  }
  GB_ASSIGN_OR_RETURN(auto existing, FindChildRow(transaction, caller.organisation, kTableKind, schema.id, name.key));
  if (!existing.has_value() || existing->id != write.table.str()) {
    return Status(ErrorCode::kAborted, "Table '" + write.schema + "." + write.name + "' was dropped meanwhile.");
  }
  GB_RETURN_IF_ERROR(Grants::Check(transaction, caller, Privilege::kManage, *existing));
  GB_ASSIGN_OR_RETURN(const TableHead head, LoadHead(transaction, caller.organisation, write.table));
  if (head.version != write.replaces) {
    return Status(ErrorCode::kAborted, "Table '" + existing->full_name + "' was replaced meanwhile.");
  }
  GB_RETURN_IF_ERROR(Run(transaction, "UPDATE securables SET comment = ? WHERE organisation_id = ? AND id = ?",
                         {comment, caller.organisation.str(), existing->id}));
  GB_RETURN_IF_ERROR(TouchRow(transaction, context, caller, existing->id));
  return *std::move(existing);
}

std::vector<std::string> PolicyFunctions(const Table& table) {
  std::vector<std::string> names;
  if (table.row_filter.has_value()) {
    names.push_back(table.row_filter->function);
  }
  for (const TableColumn& column : table.columns) {
    if (column.mask.has_value()) {
      names.push_back(column.mask->function);
    }
  }
  return names;
}

// A version and its path, in a folder that is there.
Status PlaceFile(const Context& context, const OrganisationId& organisation, TableWrite& write) {
  write.version = TableVersionId(NewUuid(*context.clock, *context.random));
  const std::string folder = context.data_folder + "/" + RelativeTableFolder(organisation, write.table);
  write.path = folder + "/" + write.version.str() + ".duckdb";
  return MakeDirectories(folder);
}

Result<Table> Reload(store::Transaction& transaction, const Context& context, const OrganisationId& organisation,
                     const std::string& id) {
  GB_ASSIGN_OR_RETURN(const auto info, FindRow(transaction, organisation, id));
  GB_ASSERT(info.has_value());
  return Tables::Load(transaction, context, organisation, *info);
}

}  // namespace

bool Table::IsGoverned() const {
  return row_filter.has_value() ||
         std::any_of(columns.begin(), columns.end(), [](const TableColumn& column) { return column.mask.has_value(); });
}

Result<Table> Tables::Load(store::Transaction& transaction, const Context& context, const OrganisationId& organisation,
                           const Securable& securable) {
  Table table;
  table.info = securable;
  GB_ASSIGN_OR_RETURN(const TableHead head, LoadHead(transaction, organisation, table.id()));
  table.policy_version = head.policy_version;
  if (!head.filter.function_id.empty()) {
    GB_ASSIGN_OR_RETURN(const auto function, FindRow(transaction, organisation, head.filter.function_id));
    if (!function.has_value()) {
      return Status(ErrorCode::kDataLoss, "The metadata database lacks the function of a row filter.");
    }
    table.row_filter = TableRowFilter{.function = function->full_name, .columns = head.filter.columns};
  }
  GB_ASSIGN_OR_RETURN(std::vector<ColumnRow> columns, LoadColumns(transaction, organisation, table.id()));
  for (ColumnRow& column : columns) {
    table.columns.push_back(std::move(column.column));
  }
  GB_ASSIGN_OR_RETURN(table.current, LoadVersion(transaction, context, organisation, table.id(), head.version));
  return table;
}

Status Tables::AdvancePolicies(store::Transaction& transaction, const OrganisationId& organisation) {
  return Run(transaction,
             "UPDATE tables SET policy_version = policy_version + 1 WHERE organisation_id = ? AND (filter_function_id "
             "<> '' OR id IN (SELECT c.table_id FROM table_columns c WHERE c.organisation_id = ? AND "
             "c.mask_function_id <> ''))",
             {organisation.str(), organisation.str()});
}

Result<Table> Tables::Get(const Caller& caller, const std::string& full_name) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Securable info, FindKnown(*transaction, caller, kTableKind, full_name));
  return Load(*transaction, context_, caller.organisation, info);
}

Result<Page<Table>> Tables::List(const Caller& caller, const std::string& schema, const PageRequest& page) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Page<Securable> rows, KnownChildren(*transaction, caller, kTableKind, schema, page));
  Page<Table> result;
  result.next_token = rows.next_token;
  for (const Securable& row : rows.items) {
    GB_ASSIGN_OR_RETURN(Table table, Load(*transaction, context_, caller.organisation, row));
    result.items.push_back(std::move(table));
  }
  return result;
}

Result<Table> Tables::GetForSelect(const Caller& caller, const std::string& full_name) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Securable info,
                      FindAllowed(*transaction, caller, kTableKind, full_name, Privilege::kSelect));
  return Load(*transaction, context_, caller.organisation, info);
}

Result<GovernedTable> Tables::GetGoverned(const Caller& caller, const TableId& id) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const Securable info, FindForSelect(*transaction, caller, id));
  GovernedTable governed;
  governed.owner = info.owner_id;
  GB_ASSIGN_OR_RETURN(governed.table, Load(*transaction, context_, caller.organisation, info));
  if (governed.table.IsGoverned()) {
    GB_ASSIGN_OR_RETURN(const Caller owner, Principals::CallerFor(*transaction, caller.organisation, info.owner_id));
    GB_ASSIGN_OR_RETURN(governed.functions, Functions::Closure(*transaction, owner, PolicyFunctions(governed.table)));
  }
  return governed;
}

Result<std::optional<TableWrite>> Tables::PlanWrite(const Caller& caller, const std::string& schema,
                                                    const std::string& name, OnExisting on_existing) const {
  GB_ASSIGN_OR_RETURN(const Name checked, CheckedName(name, "table's name"));
  TableWrite write;
  {
    GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
    GB_ASSIGN_OR_RETURN(const Securable parent, FindKnown(*transaction, caller, SecurableKind::kSchema, schema));
    GB_ASSIGN_OR_RETURN(const auto existing,
                        FindChildRow(*transaction, caller.organisation, kTableKind, parent.id, checked.key));
    if (existing.has_value() && on_existing == OnExisting::kKeep) {
      GB_RETURN_IF_ERROR(CheckMayMeet(*transaction, caller, *existing, Privilege::kCreateTable, parent));
      return std::optional<TableWrite>();
    }
    GB_RETURN_IF_ERROR(Grants::Check(*transaction, caller, Privilege::kCreateTable, parent));
    if (existing.has_value() && on_existing == OnExisting::kFail) {
      return Status(ErrorCode::kAlreadyExists, "Table '" + existing->full_name + "' already exists.");
    }
    if (existing.has_value()) {
      GB_RETURN_IF_ERROR(Grants::Check(*transaction, caller, Privilege::kManage, *existing));
    }
    write.schema = parent.full_name;
    write.name = checked.text;
    write.table = TableId(existing.has_value() ? existing->id : NewUuid(*context_.clock, *context_.random));
    if (existing.has_value()) {
      GB_ASSIGN_OR_RETURN(const TableHead head, LoadHead(*transaction, caller.organisation, write.table));
      write.replaces = head.version;
    }
  }
  GB_RETURN_IF_ERROR(PlaceFile(context_, caller.organisation, write));
  return std::optional<TableWrite>(std::move(write));
}

Result<Table> Tables::CommitWrite(const Caller& caller, const TableWrite& write, const TableContent& content) const {
  GB_RETURN_IF_ERROR(CheckComment(content.comment));
  GB_ASSIGN_OR_RETURN(const std::int64_t bytes, SyncFile(write.path));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Securable info, PlaceTable(*transaction, context_, caller, write, content.comment));
  const OrganisationId& organisation = caller.organisation;
  GB_RETURN_IF_ERROR(CheckStorage(*transaction, organisation, bytes));
  std::vector<ColumnRow> old_columns;
  TableHead old_head;
  if (!write.replaces.empty()) {
    GB_ASSIGN_OR_RETURN(old_columns, LoadColumns(*transaction, organisation, write.table));
    GB_ASSIGN_OR_RETURN(old_head, LoadHead(*transaction, organisation, write.table));
  }
  GB_ASSIGN_OR_RETURN(const std::vector<ColumnRow> columns,
                      MergeColumns(*transaction, caller, content, old_columns, old_head.filter));
  GB_RETURN_IF_ERROR(WriteVersion(*transaction, context_, organisation, write, content.rows, bytes, caller.name));
  GB_RETURN_IF_ERROR(WriteColumns(*transaction, organisation, write.table, columns));
  if (content.row_filter.has_value()) {
    GB_ASSIGN_OR_RETURN(const PolicyRow filter, CheckedFilter(*transaction, caller, *content.row_filter, columns));
    GB_RETURN_IF_ERROR(WriteRowFilter(*transaction, organisation, write.table, filter));
  } else if (!write.replaces.empty()) {
    GB_RETURN_IF_ERROR(AdvancePolicy(*transaction, organisation, write.table));
  }
  GB_ASSIGN_OR_RETURN(Table table, Reload(*transaction, context_, organisation, info.id));
  GB_RETURN_IF_ERROR(transaction->Commit());
  return table;
}

void Tables::AbandonWrite(const TableWrite& write) const {
  const std::string what = !write.replaces.empty() ? write.path : write.path.substr(0, write.path.rfind('/'));
  if (!RemoveTree(what).ok()) {
    log::Warning("a file of an abandoned write is left", {{"table_id", write.table.str()}});
  }
}

Status Tables::SetRowFilter(const Caller& caller, const std::string& full_name, const TableRowFilter& filter) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Securable info, FindManaged(*transaction, caller, full_name));
  GB_ASSIGN_OR_RETURN(const auto columns, LoadColumns(*transaction, caller.organisation, TableId(info.id)));
  GB_ASSIGN_OR_RETURN(const PolicyRow row, CheckedFilter(*transaction, caller, filter, columns));
  GB_RETURN_IF_ERROR(WriteRowFilter(*transaction, caller.organisation, TableId(info.id), row));
  GB_RETURN_IF_ERROR(TouchRow(*transaction, context_, caller, info.id));
  return transaction->Commit();
}

Status Tables::DropRowFilter(const Caller& caller, const std::string& full_name) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Securable info, FindManaged(*transaction, caller, full_name));
  GB_RETURN_IF_ERROR(WriteRowFilter(*transaction, caller.organisation, TableId(info.id), PolicyRow{}));
  GB_RETURN_IF_ERROR(TouchRow(*transaction, context_, caller, info.id));
  return transaction->Commit();
}

Status Tables::SetMask(const Caller& caller, const std::string& full_name, const std::string& column,
                       const ColumnMask& mask) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Securable info, FindManaged(*transaction, caller, full_name));
  GB_ASSIGN_OR_RETURN(const auto columns, LoadColumns(*transaction, caller.organisation, TableId(info.id)));
  GB_ASSIGN_OR_RETURN(const auto canonical, CanonicalColumns(columns, {column}));
  GB_ASSIGN_OR_RETURN(const PolicyRow row, CheckedMask(*transaction, caller, mask, columns));
  GB_RETURN_IF_ERROR(WriteMask(*transaction, caller.organisation, TableId(info.id), canonical.front(), row));
  GB_RETURN_IF_ERROR(TouchRow(*transaction, context_, caller, info.id));
  return transaction->Commit();
}

Status Tables::DropMask(const Caller& caller, const std::string& full_name, const std::string& column) const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Securable info, FindManaged(*transaction, caller, full_name));
  GB_ASSIGN_OR_RETURN(const auto columns, LoadColumns(*transaction, caller.organisation, TableId(info.id)));
  GB_ASSIGN_OR_RETURN(const auto canonical, CanonicalColumns(columns, {column}));
  GB_RETURN_IF_ERROR(WriteMask(*transaction, caller.organisation, TableId(info.id), canonical.front(), PolicyRow{}));
  GB_RETURN_IF_ERROR(TouchRow(*transaction, context_, caller, info.id));
  return transaction->Commit();
}

Status Tables::SetColumnComment(const Caller& caller, const std::string& full_name, const std::string& column,
                                const std::string& comment) const {
  GB_RETURN_IF_ERROR(CheckComment(comment));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const Securable info, FindManaged(*transaction, caller, full_name));
  GB_ASSIGN_OR_RETURN(const auto columns, LoadColumns(*transaction, caller.organisation, TableId(info.id)));
  GB_ASSIGN_OR_RETURN(const auto canonical, CanonicalColumns(columns, {column}));
  GB_RETURN_IF_ERROR(Run(*transaction,
                         "UPDATE table_columns SET comment = ? WHERE organisation_id = ? AND table_id = ? AND name_key "
                         "= ?",
                         {comment, caller.organisation.str(), info.id, NameKey(canonical.front())}));
  GB_RETURN_IF_ERROR(TouchRow(*transaction, context_, caller, info.id));
  return transaction->Commit();
}

Result<std::int64_t> Tables::RemoveUnreferencedFiles() const {
  const std::string root = context_.data_folder + "/tables";
  if (!FileExists(root)) {
    return 0;
  }
  std::set<std::string> referenced;
  {
    GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
    GB_ASSIGN_OR_RETURN(const auto rows, transaction->Query("SELECT path FROM table_versions"));
    for (const store::Row& row : rows) {
      referenced.insert(context_.data_folder + "/" + row.Text(0));
    }
  }
  std::int64_t removed = 0;
  GB_ASSIGN_OR_RETURN(const auto organisations, ListDirectory(root));
  for (const std::string& organisation : organisations) {
    GB_ASSIGN_OR_RETURN(const auto tables, ListDirectory(root + "/" + organisation));
    for (const std::string& table : tables) {
      const std::string folder = root + "/" + organisation + "/" + table;
      GB_ASSIGN_OR_RETURN(const auto files, ListDirectory(folder));
      const bool is_gone = std::none_of(files.begin(), files.end(), [&](const std::string& file) {
        return referenced.contains(folder + "/" + file);
      });
      if (is_gone) {
        GB_RETURN_IF_ERROR(RemoveTree(folder));
        ++removed;
        continue;
      }
      for (const std::string& file : files) {
        if (!referenced.contains(folder + "/" + file)) {
          GB_RETURN_IF_ERROR(RemoveTree(folder + "/" + file));
          ++removed;
        }
      }
    }
  }
  return removed;
}

Result<std::int64_t> Tables::RemoveOldVersions() const {
  static_assert(limits::kTableVersionGraceMs >= 4 * limits::kRunTimeoutMs, "a job may still read an old version");
  std::vector<std::string> paths;
  {
    GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
    const TimeMs replaced_before{ToInt(context_.clock->Now()) - limits::kTableVersionGraceMs};
    GB_ASSIGN_OR_RETURN(paths, ForgetOldVersions(*transaction, context_, replaced_before, limits::kPageSizeMax));
    GB_RETURN_IF_ERROR(transaction->Commit());
  }
  for (const std::string& path : paths) {
    if (!RemoveTree(path).ok()) {
      log::Warning("the file of an old table version is left until the next start");
    }
  }
  return static_cast<std::int64_t>(paths.size());
}

}  // namespace glovebox::catalog
