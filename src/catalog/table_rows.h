// SPDX-License-Identifier: Apache-2.0
//
// Rows of tables, their columns, versions and policies, inside a transaction and without any check of rights; only
// services of this part use them. Paths in the database are relative to the data folder, so that it can be moved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "catalog/context.h"
#include "catalog/tables.h"
#include "store/database.h"

namespace glovebox::catalog {

// A policy with its function as an id; the id is empty if there is none.
struct PolicyRow {
  std::string function_id;
  std::vector<std::string> columns;
};

// What a table's row says: its current version and its policies.
struct TableHead {
  TableVersionId version;
  std::int64_t policy_version = 0;
  PolicyRow filter;
};

struct ColumnRow {
  TableColumn column;
  PolicyRow mask;
};

std::string RelativeTableFolder(const OrganisationId& organisation, const TableId& table);

Result<std::vector<ColumnRow>> LoadColumns(store::Transaction& transaction, const OrganisationId& organisation,
                                           const TableId& table);
// Replaces all columns. Returns INVALID_PARAMETER_VALUE for names that are wrong or there twice.
Status WriteColumns(store::Transaction& transaction, const OrganisationId& organisation, const TableId& table,
                    const std::vector<ColumnRow>& columns);
Result<TableHead> LoadHead(store::Transaction& transaction, const OrganisationId& organisation, const TableId& table);
// Also advances the policy version.
Status WriteRowFilter(store::Transaction& transaction, const OrganisationId& organisation, const TableId& table,
                      const PolicyRow& filter);
Status WriteMask(store::Transaction& transaction, const OrganisationId& organisation, const TableId& table,
                 const std::string& column, const PolicyRow& mask);
Status AdvancePolicy(store::Transaction& transaction, const OrganisationId& organisation, const TableId& table);

Result<TableVersion> LoadVersion(store::Transaction& transaction, const Context& context,
                                 const OrganisationId& organisation, const TableId& table,
                                 const TableVersionId& version);
// Adds the version and makes it the current one. The first version also makes the table's row.
Status WriteVersion(store::Transaction& transaction, const Context& context, const OrganisationId& organisation,
                    const TableWrite& write, std::int64_t rows, std::int64_t bytes, const std::string& created_by);

// Removes the rows of versions that were replaced by then, at most so many, and returns their files.
Result<std::vector<std::string>> ForgetOldVersions(store::Transaction& transaction, const Context& context,
                                                   TimeMs replaced_before, std::int64_t count_max);

}  // namespace glovebox::catalog
