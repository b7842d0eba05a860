// SPDX-License-Identifier: Apache-2.0
//
// The database of one job: in memory, with the job's limits, and the tables that it attaches. Runs in a worker only.
//
// Protocol: Open before the barriers, while DuckDB can still look at the machine (it fails on what it sees but may not
// read) and has no thread of its own yet; SetLimits behind them.
//
// A table file is a DuckDB database file with one table, `data`; a prepared asset has `units` as well.
// Errors: DATA_LOSS if a table file cannot be opened. Threads: one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/duckdb/connection.h"
#include "engine/worker/messages.h"

namespace glovebox::engine::worker {

class JobDatabase {
 public:
  // With one thread, the caller's.
  static Result<JobDatabase> Open();
  Status SetLimits(const JobLimits& limits);

  [[nodiscard]] duckdb::Connection& connection() { return *connection_; }
  // Its tables are then `alias.data` and, of a prepared asset, `alias.units`. A file may have several aliases.
  Status AttachReadOnly(const std::string& path, const std::string& alias);
  // A prepared asset of these columns without rows. INVALID_PARAMETER_VALUE if one has a type that rooms do not have.
  Status AttachEmpty(const std::vector<Column>& columns, const std::string& alias);
  // A new table file. REQUIRES: nothing is at `path`.
  Status AttachNew(const std::string& path, const std::string& alias);
  // Writes everything of `alias` to its file and closes it; afterwards there is no log file beside it.
  Status Close(const std::string& alias);

 private:
  JobDatabase(std::unique_ptr<duckdb::Database> database, std::unique_ptr<duckdb::Connection> connection)
      : database_(std::move(database)), connection_(std::move(connection)) {}

  std::unique_ptr<duckdb::Database> database_;
  std::unique_ptr<duckdb::Connection> connection_;
  std::map<std::string, std::string> alias_of_;  // by path
};

}  // namespace glovebox::engine::worker
