// SPDX-License-Identifier: Apache-2.0
//
// The metadata database, behind one small interface: SQLite by default. SQL is written in the common
// subset of SQLite and PostgreSQL, with `?` for parameters, by the parts that own the tables
// (catalog, room); this part owns connections, transactions, durability and migrations.
//
// Invariants: a write transaction is serialised against every other one; Commit() returns OK only
// when the change is on disk; a Transaction that is destroyed without Commit() changes nothing.
// Tenancy: functions of other parts that query take the organisation's id as a typed argument.
//
// Threads: Database is thread-safe; a Transaction belongs to the thread that began it. A write
// transaction waits for the one before it (bounded by limits); never begin one inside another.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace glovebox::store {

// std::monostate is NULL. Blobs are strings with their own wrapper.
struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};
using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

// One result row. Columns are addressed by position; the accessors assert the kind, which is ours
// to know: the schema is ours.
class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  [[nodiscard]] std::int64_t Int(std::size_t column) const;
  [[nodiscard]] double Double(std::size_t column) const;
  [[nodiscard]] const std::string& Text(std::size_t column) const;  // NULL is ""
  [[nodiscard]] const std::string& Bytes(std::size_t column) const;
  [[nodiscard]] bool IsNull(std::size_t column) const;

 private:
  std::vector<Value> values_;
};

class Transaction {
 public:
  virtual ~Transaction() = default;  // rolls back if not committed
  // Runs one statement. Returns ALREADY_EXISTS if a unique constraint is violated, else the number
  // of changed rows.
  virtual Result<std::int64_t> Execute(std::string_view sql, const std::vector<Value>& parameters = {}) = 0;
  virtual Result<std::vector<Row>> Query(std::string_view sql, const std::vector<Value>& parameters = {}) = 0;
  // At most one row. Returns INTERNAL if there are more.
  Result<std::optional<Row>> QueryOne(std::string_view sql, const std::vector<Value>& parameters = {});
  // Durable on OK. REQUIRES: not committed before.
  virtual Status Commit() = 0;
};

enum class Access { kRead, kWrite };

class Database {
 public:
  virtual ~Database() = default;
  virtual Result<std::unique_ptr<Transaction>> Begin(Access access) = 0;
};

// One step of the schema, applied once, in order, in one transaction with the record that it was.
// A database whose newest step is unknown to this program is refused (it belongs to a newer one).
struct Migration {
  int number;  // 1, 2, 3, ... over the whole product
  std::string_view name;
  std::string_view sql;  // statements separated by ';'
};
Status Migrate(Database& database, const std::vector<Migration>& migrations);

// Opens or creates a SQLite file (WAL, synchronous=FULL, foreign keys on), or a private one in memory
// if the path is ":memory:". Returns UNAVAILABLE if another process holds the file's write lock too long.
Result<std::unique_ptr<Database>> OpenSqlite(const std::string& path);

}  // namespace glovebox::store
