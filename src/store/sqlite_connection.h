// SPDX-License-Identifier: Apache-2.0
//
// One connection to a SQLite file and its prepared statements.
//
// Who learns what: SQLite's messages go to the log only by their code; no parameter ever does.
// Threads: used by one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/database.h"

struct sqlite3;
struct sqlite3_stmt;

namespace glovebox::store {

class SqliteConnection {
 public:
  static Result<std::unique_ptr<SqliteConnection>> Open(const std::string& path);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // Runs one statement and collects its rows; `changes` gets the number of changed rows if it is not nullptr.
  // Returns INTERNAL if the statement writes and `access` is kRead.
  Result<std::vector<Row>> Run(std::string_view sql, const std::vector<Value>& parameters, Access access,
                               std::int64_t* changes);
  Status Simple(std::string_view sql);

 private:
  explicit SqliteConnection(sqlite3* handle) : handle_(handle) {}
  Result<sqlite3_stmt*> Prepare(std::string_view sql);
  [[nodiscard]] Status LastError() const;
  void DropStatements();

  sqlite3* handle_;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace glovebox::store
