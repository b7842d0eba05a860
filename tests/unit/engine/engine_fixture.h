// SPDX-License-Identifier: Apache-2.0
//
// An engine with real workers, and a folder of its own for tables and outputs.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>  // mkdtemp

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/duckdb/connection.h"
#include "engine/process_engine.h"
#include "tests/unit/engine/worker_program.h"

namespace glovebox::engine {

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "glovebox-engine-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    Use({});
  }
  void TearDown() override {
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Use(ProcessEngineOptions options) {
    options.executable = worker::WorkerProgram();
    engine_ = std::make_unique<ProcessEngine>(options);
  }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  // A table file that this process writes with an engine of its own.
  TableFile WriteTable(const std::string& name, const std::vector<Column>& columns, const std::string& sql) const {
    auto database = duckdb::Database::Open({.path = Path(name + ".db")});
    EXPECT_TRUE(database.ok());
    auto connection = database.value()->Connect();
    EXPECT_TRUE(connection.value()->Execute("CREATE TABLE data AS " + sql + "; CHECKPOINT").ok())
        << connection.value()->last_error_detail();
    return {.path = Path(name + ".db"), .columns = columns};
  }

  std::string folder_;
  std::unique_ptr<ProcessEngine> engine_;
};

}  // namespace glovebox::engine
