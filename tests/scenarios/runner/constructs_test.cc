// SPDX-License-Identifier: Apache-2.0
//
// The list of constructs is complete, its examples hold what they are examples of, and what no text makes is refused
// all the same. That the examples behave as their lists say is shown by running constructs.test as a scenario.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/strings.h"
#include "engine/duckdb/connection.h"
#include "query/functions.h"
#include "query/sql_front_end.h"
#include "query/sql_tokens.h"
#include "tests/scenarios/runner/constructs.h"

namespace glovebox::scenarios {
namespace {

class Constructs : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<std::vector<Construct>> constructs = ReadConstructs();
    ASSERT_TRUE(constructs.ok()) << constructs.status().message();
    constructs_ = *std::move(constructs);
    auto database = engine::duckdb::Database::Open({});
    ASSERT_TRUE(database.ok());
    database_ = *std::move(database);
    auto connection = database_->Connect();
    ASSERT_TRUE(connection.ok());
    connection_ = *std::move(connection);
  }

  json::Value Tree(const std::string& sql) {
    const Result<std::string> text = connection_->ParseToJson(sql);
    const Result<json::Value> tree = text.ok() ? query::ParseDuckdbJson(*text) : Result<json::Value>(text.status());
    EXPECT_TRUE(tree.ok()) << sql;
    return tree.ok() ? *tree : json::Value();
  }

  std::vector<Construct> constructs_;
  std::unique_ptr<engine::duckdb::Database> database_;
  std::unique_ptr<engine::duckdb::Connection> connection_;
};

TEST_F(Constructs, AreAllListed) {
  std::set<std::string> listed;
  for (const Construct& construct : constructs_) {
    listed.insert(construct.names.begin(), construct.names.end());
    EXPECT_EQ(construct.list == ConstructList::kUnwritten, construct.title.empty());
    EXPECT_EQ(construct.list == ConstructList::kUnwritten, construct.examples.empty()) << construct.title;
    EXPECT_EQ(construct.list == ConstructList::kRefused, !construct.says.empty()) << construct.title;
  }
  const std::vector<std::string> library = NamesOfLibrary();
  EXPECT_GT(library.size(), 200U);
  for (const std::string& name : library) {
    EXPECT_EQ(listed.erase(name), 1U) << name << " has no line in constructs.test";
  }
  EXPECT_TRUE(listed.empty()) << *listed.begin() << " is no value of the parser";
}

TEST_F(Constructs, ExamplesHoldWhatTheyNameAndNoMore) {
  std::set<std::string> written;
  std::set<std::string> unwritten;
  for (const Construct& construct : constructs_) {
    std::set<std::string> held;
    for (const std::string& sql : construct.examples) {
      const std::vector<std::string> names = NamesIn(Tree(sql));
      held.insert(names.begin(), names.end());
    }
    written.insert(held.begin(), held.end());
    for (const std::string& name : construct.names) {
      if (construct.list == ConstructList::kUnwritten) {
        unwritten.insert(name);
      } else if (!name.starts_with("StatementType.")) {
        EXPECT_TRUE(held.contains(name)) << construct.title << ": no example has " << name;
      }
    }
  }
  for (const std::string& name : unwritten) {
    EXPECT_FALSE(written.contains(name)) << name;
  }
}

// A parser that says what we do not know gets no further.
TEST_F(Constructs, WhatNoTextMakesIsRefused) {
  const std::string sql =
      "WITH c AS (SELECT 1 AS x) SELECT CAST(a AS INTEGER) + SUM(a) OVER (ORDER BY a) FROM t JOIN u ON t.a BETWEEN 1 "
      "AND "
      "2 WHERE EXISTS (SELECT x FROM c) UNION SELECT 1 ORDER BY 1 LIMIT 1";
  const json::Value tree = Tree(sql);
  const std::vector<std::string> known = NamesIn(tree);
  query::TranslatedStatement statement;
  statement.sql = sql;
  ASSERT_TRUE(query::QueryFromDuckdbJson(tree, statement).ok());
  std::size_t tried = 0;
  for (const Construct& construct : constructs_) {
    for (const std::string& name : construct.names) {
      const std::string enumeration = name.substr(0, name.find('.') + 1);
      if (construct.list != ConstructList::kUnwritten ||
          !std::ranges::any_of(known, [&](const std::string& one) { return one.starts_with(enumeration); })) {
        continue;
      }
      ++tried;
      const auto read = query::QueryFromDuckdbJson(WithName(tree, name), statement);
      ASSERT_FALSE(read.ok()) << name;
      EXPECT_EQ(read.status().code(), ErrorCode::kNotSupported) << name;
      EXPECT_EQ(read.status().rule(), "P15") << name;
    }
  }
  EXPECT_GT(tried, 70U);
}

// What the statements of functions.test call: names before a parenthesis, and operators.
std::set<std::string> Called(const ScenarioFile& file, bool refused) {
  std::set<std::string> called;
  for (const Record& record : file.records) {
    if (refused != (record.directive == "refuse") || record.directive == "table") {
      continue;
    }
    for (const std::string& sql : record.Statements()) {
      const Result<std::vector<query::Token>> tokens = query::Tokenize(sql);
      EXPECT_TRUE(tokens.ok()) << sql;
      std::string word;
      for (const query::Token& token : tokens.ok() ? *tokens : std::vector<query::Token>{}) {
        const std::string text = AsciiLower(std::string_view(sql).substr(token.begin, token.end - token.begin));
        if (token.kind == query::TokenKind::kSymbol) {
          called.insert(text == "(" ? word : text);
        }
        word = token.kind == query::TokenKind::kWord ? text : "";
      }
    }
  }
  return called;
}

TEST(Functions, HaveAnExampleEach) {
  const Result<ScenarioFile> file = ReadScenario("tests/scenarios/functions.test");
  ASSERT_TRUE(file.ok());
  std::set<std::string> answered = Called(*file, false);
  const std::set<std::string> refused = Called(*file, true);
  for (const std::string name : {"hmac_sha256", "secret"}) {  // a room has no keyring
    EXPECT_TRUE(refused.contains(name)) << name;
    answered.insert(name);
  }
  const auto check = [&](std::string_view name) {
    EXPECT_TRUE(answered.contains(name == "count_star" ? "count" : std::string(name))) << name << " has no line";
  };
  std::ranges::for_each(query::ScalarFunctions(), check, &query::ScalarFunction::name);
  std::ranges::for_each(query::AggregateFunctions(), check, &query::AggregateFunction::name);
  std::ranges::for_each(query::WindowFunctions(), check, &query::WindowFunction::name);
}

}  // namespace
}  // namespace glovebox::scenarios
