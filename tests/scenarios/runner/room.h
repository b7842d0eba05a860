// SPDX-License-Identifier: Apache-2.0
//
// A room without a server: tables with rules, prepared and asked through the real engine (worker processes and all).
// The same rows are readable without any rule beside it, to compare answers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/duckdb/connection.h"
#include "engine/engine.h"
#include "tests/scenarios/runner/scenario_file.h"

namespace glovebox::scenarios {

// Tables that were prepared once are kept for all files.
class Workshop {
 public:
  // With workers of its own, unless it is given an engine.
  explicit Workshop(std::unique_ptr<engine::Engine> engine = nullptr);
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  Result<engine::PreparedAsset> Prepare(const std::string& sql, const std::string& rule);
  // The table file of a query's rows.
  Result<engine::TableFile> Load(const std::string& sql);
  [[nodiscard]] engine::Engine& engine() { return *engine_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::unique_ptr<engine::Engine> engine_;
  std::map<std::string, engine::TableFile> tables_;
  std::map<std::string, engine::PreparedAsset> prepared_;
};

struct Answer {
  Status status;
  std::string certificate;  // canonical JSON
  std::vector<engine::OutputTable> outputs;
  json::Value record;  // null if nothing was executed
};

class Room {
 public:
  explicit Room(Workshop& workshop);

  // A second table of the same name is its next version.
  Status AddTable(const std::string& name, const std::string& owner, engine::Role role, const std::string& sql,
                  const std::string& rule);
  // As a record says it: `table NAME OWNER [own]`, the query, the rule.
  Status AddTable(const Record& record);
  // The tables of data/room.tables.
  Status AddUsualTables();
  Status Withdraw(const std::string& name);
  void SetParameter(engine::Parameter parameter);
  void Forget() { history_.clear(); }

  Answer Ask(const std::string& sql, engine::RunMode mode = engine::RunMode::kExecute);
  // The answer of DuckDB on the same rows, without any rule.
  Result<engine::duckdb::ResultTable> AskOpenly(const std::string& sql);

  bool keeps_history = true;

 private:
  Workshop& workshop_;
  std::vector<engine::RunAsset> assets_;
  std::int64_t versions_ = 0;
  std::vector<engine::RunAsset> withdrawn_;
  std::vector<engine::Parameter> parameters_;
  std::vector<json::Value> history_;
  std::unique_ptr<engine::duckdb::Database> database_;
  std::unique_ptr<engine::duckdb::Connection> open_;
};

}  // namespace glovebox::scenarios
