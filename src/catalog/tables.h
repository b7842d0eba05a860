// SPDX-License-Identifier: Apache-2.0
//
// Managed tables: columns, versions (one immutable file each), row filter and column masks.
//
// Protocol of writing: PlanWrite() gives a path that nothing refers to; the engine writes the file; CommitWrite() makes
// it the table's current version in one transaction. A crash in between leaves an unreferenced file, which
// RemoveUnreferencedFiles() deletes at the next start.
//
// Policies: each change of a row filter or mask, or of a secret, advances `policy_version`. What the policies'
// functions are is no part of it: they come with each reading (GovernedTable), and change when one of them is made,
// replaced or dropped, and when the table's owner may execute it, or may no more. A table cannot be replaced by one
// that lacks a column which a policy names: a policy never silently stops to apply. Threads: thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/functions.h"
#include "catalog/page.h"
#include "catalog/securables.h"

namespace glovebox::catalog {

struct ColumnMask {
  std::string function;                    // full name
  std::vector<std::string> using_columns;  // further arguments after the column itself
};

struct TableColumn {
  std::string name;
  std::string type;  // as the engine spells it: "BIGINT", "DECIMAL(10,2)"
  std::string comment;
  std::optional<ColumnMask> mask;
};

struct TableRowFilter {
  std::string function;  // full name
  std::vector<std::string> columns;
};

struct TableVersion {
  TableVersionId id;
  std::int64_t number = 0;  // 1, 2, ...
  std::string path;
  std::int64_t rows = 0;
  TimeMs created_at{};
  std::string created_by;
};

struct Table {
  Securable info;
  std::vector<TableColumn> columns;
  std::optional<TableRowFilter> row_filter;
  std::int64_t policy_version = 0;
  TableVersion current;

  [[nodiscard]] TableId id() const { return TableId(info.id); }
  // Whether reading it goes through a row filter or a mask.
  [[nodiscard]] bool IsGoverned() const;
};

// Where a new version will be written.
struct TableWrite {
  std::string schema;  // "catalog.schema"
  std::string name;
  TableId table;
  TableVersionId version;
  std::string path;
  TableVersionId replaces;  // the version that was current when the write was planned; empty if there was no table
};

struct TableContent {
  std::vector<TableColumn> columns;
  std::optional<TableRowFilter> row_filter;
  std::int64_t rows = 0;
  std::string comment;
};

// What a governed scan needs: the table with the functions that its policies may call.
struct GovernedTable {
  Table table;
  std::vector<Function> functions;  // the policies' and those that they call; the table's owner may execute all
  PrincipalId owner;  // who must be able to read the secrets that the functions use, as each one's owner and author
};

class Tables {
 public:
  explicit Tables(const Context& context) : context_(context) {}

  // Needs any privilege on it.
  Result<Table> Get(const Caller& caller, const std::string& full_name) const;
  Result<Page<Table>> List(const Caller& caller, const std::string& schema, const PageRequest& page) const;
  // Needs SELECT.
  Result<Table> GetForSelect(const Caller& caller, const std::string& full_name) const;
  // Needs SELECT. The table by its id, for work on behalf of who published it.
  Result<GovernedTable> GetGoverned(const Caller& caller, const TableId& id) const;

  // Needs CREATE_TABLE on the schema, and also MANAGE or ownership to replace. Nothing if the table is there and is to
  // be kept.
  Result<std::optional<TableWrite>> PlanWrite(const Caller& caller, const std::string& schema, const std::string& name,
                                              OnExisting on_existing) const;
  // Returns ALREADY_EXISTS if the table was created in between, ABORTED if it was replaced or dropped: nobody's write
  // is lost without a word. INVALID_STATE if the organisation may keep no more bytes (stored_bytes.h). The engine has
  // written the file at write.path.
  Result<Table> CommitWrite(const Caller& caller, const TableWrite& write, const TableContent& content) const;
  // Deletes the file of a write that is given up.
  void AbandonWrite(const TableWrite& write) const;

  // Need ownership or MANAGE of the table and EXECUTE on the function; columns and number of parameters must fit.
  Status SetRowFilter(const Caller& caller, const std::string& full_name, const TableRowFilter& filter) const;
  Status DropRowFilter(const Caller& caller, const std::string& full_name) const;
  Status SetMask(const Caller& caller, const std::string& full_name, const std::string& column,
                 const ColumnMask& mask) const;
  Status DropMask(const Caller& caller, const std::string& full_name, const std::string& column) const;
  Status SetColumnComment(const Caller& caller, const std::string& full_name, const std::string& column,
                          const std::string& comment) const;

  // At start, before the server takes requests: files of writes that never were committed, and of deleted tables whose
  // files a crash left. Returns how many files or folders it removed.
  Result<std::int64_t> RemoveUnreferencedFiles() const;

  // Removes versions that were replaced limits::kTableVersionGraceMs ago or earlier, of all organisations; returns how
  // many. A job reads the file of the version that was current when its inputs were gathered, and its own time is a
  // fraction of that grace; what rooms keep for longer is a copy of their own. The rows go first: a crash then leaves a
  // file that nobody names, which goes at the next start, and never a version without its file.
  Result<std::int64_t> RemoveOldVersions() const;

  // Inside a transaction, unchecked: the caller has checked.
  static Result<Table> Load(store::Transaction& transaction, const Context& context, const OrganisationId& organisation,
                            const Securable& securable);
  // All tables of the organisation that have a policy get a new policy version.
  static Status AdvancePolicies(store::Transaction& transaction, const OrganisationId& organisation);

 private:
  Context context_;
};

}  // namespace glovebox::catalog
