// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/query/recorded_trees.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <utility>
#include <vector>

#include "base/json.h"

namespace glovebox::query {
namespace {

std::map<std::string, std::string> ReadTrees() {
  std::map<std::string, std::string> trees;
  std::ifstream file("tests/unit/query/data/duckdb_trees.txt");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t tab = line.find('\t');
    const auto statement = json::Parse(line.substr(0, tab));
    EXPECT_TRUE(statement.ok() && statement->is_string() && tab != std::string::npos) << line;
    if (statement.ok() && statement->is_string() && tab != std::string::npos) {
      trees[statement->as_string()] = line.substr(tab + 1);
    }
  }
  EXPECT_FALSE(trees.empty()) << "run the test in the root of the source tree";
  return trees;
}

}  // namespace

std::optional<std::string> RecordedTree(const std::string& sql) {
  static const std::map<std::string, std::string> kTrees = ReadTrees();
  const auto found = kTrees.find(sql);
  if (found == kTrees.end()) {
    ADD_FAILURE() << "not recorded:\n" << json::Write(sql);
    return std::nullopt;
  }
  return found->second;
}

Result<ast::QueryPtr> ParseRecorded(std::string_view text) {
  GB_ASSIGN_OR_RETURN(const std::vector<TranslatedStatement> statements, TranslateSql(text));
  if (statements.size() != 1) {
    return Status(ErrorCode::kInternal, "not one statement");
  }
  const std::optional<std::string> tree = RecordedTree(statements.front().sql);
  if (!tree) {
    return Status(ErrorCode::kInternal, "not recorded");
  }
  GB_ASSIGN_OR_RETURN(const json::Value value, ParseDuckdbJson(*tree));
  return QueryFromDuckdbJson(value, statements.front());
}

}  // namespace glovebox::query
