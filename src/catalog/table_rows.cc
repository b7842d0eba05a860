// SPDX-License-Identifier: Apache-2.0
#include "catalog/table_rows.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/invalid_parameter.h"
#include "base/limits.h"
#include "base/result.h"
#include "catalog/context.h"
#include "catalog/names.h"
#include "catalog/sql.h"
#include "catalog/tables.h"
#include "store/database.h"

namespace glovebox::catalog {

std::string RelativeTableFolder(const OrganisationId& organisation, const TableId& table) {
  return "tables/" + organisation.str() + "/" + table.str();
}

Result<std::vector<ColumnRow>> LoadColumns(store::Transaction& transaction, const OrganisationId& organisation,
                                           const TableId& table) {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      transaction.Query("SELECT c.name, c.type, c.comment, c.mask_function_id, c.mask_columns, "
                                        "f.full_name FROM table_columns c LEFT JOIN securables f ON f.organisation_id "
                                        "= c.organisation_id AND f.id = c.mask_function_id WHERE c.organisation_id = ? "
                                        "AND c.table_id = ? ORDER BY c.position",
                                        {organisation.str(), table.str()}));
  std::vector<ColumnRow> columns;
  for (const store::Row& row : rows) {
    ColumnRow column;
    column.column = {.name = row.Text(0), .type = row.Text(1), .comment = row.Text(2), .mask = {}};
    column.mask.function_id = row.Text(3);
    if (!column.mask.function_id.empty()) {
      if (row.IsNull(5)) {
        return Status(ErrorCode::kDataLoss, "The metadata database lacks the function of a column mask.");
      }
      GB_ASSIGN_OR_RETURN(column.mask.columns, NamesFromText(row.Text(4)));
      column.column.mask = ColumnMask{.function = row.Text(5), .using_columns = column.mask.columns};
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

Status WriteColumns(store::Transaction& transaction, const OrganisationId& organisation, const TableId& table,
                    const std::vector<ColumnRow>& columns) {
  if (columns.empty() || columns.size() > limits::kSqlColumnsMax) {
    return InvalidParameter("A table has 1 to " + std::to_string(limits::kSqlColumnsMax) + " columns.");
  }
  GB_RETURN_IF_ERROR(Run(transaction, "DELETE FROM table_columns WHERE organisation_id = ? AND table_id = ?",
                         {organisation.str(), table.str()}));
  std::set<std::string> keys;
  std::int64_t position = 0;
  for (const ColumnRow& row : columns) {
    const TableColumn& column = row.column;
    GB_ASSIGN_OR_RETURN(const Name name, CheckedColumnName(column.name));
    GB_RETURN_IF_ERROR(CheckComment(column.comment));
    if (!keys.insert(name.key).second) {
      return InvalidParameter("The column '" + column.name +
                              "' is there twice; names that differ only in case are the same.");
    }
    if (column.type.empty() || column.type.size() > limits::kTypeBytesMax) {
      return InvalidParameter("The type of column '" + column.name + "' is not valid.");
    }
    GB_RETURN_IF_ERROR(Run(transaction,
                           "INSERT INTO table_columns (organisation_id, table_id, position, name, name_key, type, "
                           "comment, mask_function_id, mask_columns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                           {organisation.str(), table.str(), position++, name.text, name.key, column.type,
                            column.comment, row.mask.function_id, NamesToText(row.mask.columns)}));
  }
  return Status();
}

Result<TableHead> LoadHead(store::Transaction& transaction, const OrganisationId& organisation, const TableId& table) {
  GB_ASSIGN_OR_RETURN(const auto row,
                      transaction.QueryOne("SELECT version_id, policy_version, filter_function_id, filter_columns FROM "
                                           "tables WHERE organisation_id = ? AND id = ?",
                                           {organisation.str(), table.str()}));
  if (!row.has_value()) {
    return Status(ErrorCode::kDataLoss, "The metadata database lacks the definition of a table.");
  }
  TableHead head{.version = TableVersionId(row->Text(0)),
                 .policy_version = row->Int(1),
                 .filter = {.function_id = row->Text(2), .columns = {}}};
  GB_ASSIGN_OR_RETURN(head.filter.columns, NamesFromText(row->Text(3)));
  return head;
}

Status AdvancePolicy(store::Transaction& transaction, const OrganisationId& organisation, const TableId& table) {
  return Run(transaction, "UPDATE tables SET policy_version = policy_version + 1 WHERE organisation_id = ? AND id = ?",
             {organisation.str(), table.str()});
}

Status WriteRowFilter(store::Transaction& transaction, const OrganisationId& organisation, const TableId& table,
                      const PolicyRow& filter) {
  GB_RETURN_IF_ERROR(Run(
      transaction, "UPDATE tables SET filter_function_id = ?, filter_columns = ? WHERE organisation_id = ? AND id = ?",
      {filter.function_id, NamesToText(filter.columns), organisation.str(), table.str()}));
  return AdvancePolicy(transaction, organisation, table);
}

Status WriteMask(store::Transaction& transaction, const OrganisationId& organisation, const TableId& table,
                 const std::string& column, const PolicyRow& mask) {
  GB_RETURN_IF_ERROR(
      Run(transaction,
          "UPDATE table_columns SET mask_function_id = ?, mask_columns = ? WHERE organisation_id = ? AND "
          "table_id = ? AND name_key = ?",
          {mask.function_id, NamesToText(mask.columns), organisation.str(), table.str(), NameKey(column)}));
  return AdvancePolicy(transaction, organisation, table);
}

Result<TableVersion> LoadVersion(store::Transaction& transaction, const Context& context,
                                 const OrganisationId& organisation, const TableId& table,
                                 const TableVersionId& version) {
  GB_ASSIGN_OR_RETURN(const auto row, transaction.QueryOne("SELECT number, path, row_count, created_at, created_by "
                                                           "FROM table_versions WHERE organisation_id = ? AND table_id "
                                                           "= ? AND id = ?",
                                                           {organisation.str(), table.str(), version.str()}));
  if (!row.has_value()) {
    return Status(ErrorCode::kDataLoss, "The metadata database lacks the current version of a table.");
  }
  TableVersion loaded;
  loaded.id = version;
  loaded.number = row->Int(0);
  loaded.path = context.data_folder + "/" + row->Text(1);
  loaded.rows = row->Int(2);
  loaded.created_at = ToTime(row->Int(3));
  loaded.created_by = row->Text(4);
  return loaded;
}

Status WriteVersion(store::Transaction& transaction, const Context& context, const OrganisationId& organisation,
                    const TableWrite& write, std::int64_t rows, std::int64_t bytes, const std::string& created_by) {
  GB_RETURN_IF_ERROR(Run(transaction,
                         "INSERT INTO tables (organisation_id, id, version_id, policy_version, filter_function_id, "
                         "filter_columns) VALUES (?, ?, ?, 1, '', '[]') ON CONFLICT DO NOTHING",
                         {organisation.str(), write.table.str(), write.version.str()}));
  GB_RETURN_IF_ERROR(
      Run(transaction,
          "UPDATE table_versions SET replaced_at = ? WHERE organisation_id = ? AND table_id = ? AND replaced_at = 0",
          {ToInt(context.clock->Now()), organisation.str(), write.table.str()}));
  GB_RETURN_IF_ERROR(Run(transaction, "UPDATE tables SET version_id = ? WHERE organisation_id = ? AND id = ?",
                         {write.version.str(), organisation.str(), write.table.str()}));
  GB_ASSIGN_OR_RETURN(const auto last, transaction.QueryOne("SELECT COALESCE(MAX(number), 0) FROM table_versions WHERE "
                                                            "organisation_id = ? AND table_id = ?",
                                                            {organisation.str(), write.table.str()}));
  const std::string relative = write.path.substr(context.data_folder.size() + 1);
  return Run(transaction,
             "INSERT INTO table_versions (organisation_id, table_id, id, number, path, row_count, bytes, created_at, "
             "created_by, replaced_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
             {organisation.str(), write.table.str(), write.version.str(), last->Int(0) + 1, relative, rows, bytes,
              ToInt(context.clock->Now()), created_by});
}

Result<std::vector<std::string>> ForgetOldVersions(store::Transaction& transaction, const Context& context,
                                                   TimeMs replaced_before, std::int64_t count_max) {
  GB_ASSIGN_OR_RETURN(
      const auto rows,
      transaction.Query("SELECT v.organisation_id, v.table_id, v.id, v.path FROM table_versions v JOIN tables t ON "
                        "t.organisation_id = v.organisation_id AND t.id = v.table_id WHERE v.replaced_at > 0 AND "
                        "v.replaced_at <= ? AND t.version_id <> v.id ORDER BY v.replaced_at LIMIT ?",
                        {ToInt(replaced_before), count_max}));
  std::vector<std::string> paths;
  for (const store::Row& row : rows) {
    GB_RETURN_IF_ERROR(Run(transaction,
                           "DELETE FROM table_versions WHERE organisation_id = ? AND table_id = ? AND id = ?",
                           {row.Text(0), row.Text(1), row.Text(2)}));
    paths.push_back(context.data_folder + "/" + row.Text(3));
  }
  return paths;
}

}  // namespace glovebox::catalog
