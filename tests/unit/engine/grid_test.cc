// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/grid.h"

#include <gtest/gtest.h>

#include <memory>

#include "engine/duckdb/connection.h"
#include "query/sql_front_end.h"

namespace glovebox::engine::governed {
namespace {

query::Asset MakeAsset(const std::string& name, query::AssetRole role, const std::string& rule,
                       std::vector<query::ColumnDef> columns) {
  query::Asset asset;
  asset.name = {name};
  asset.owner = role == query::AssetRole::kOwn ? "runner" : "acme";
  asset.role = role;
  const auto parsed = query::ParseAnalysisRule(rule);
  EXPECT_TRUE(parsed.ok()) << parsed.status().message();
  asset.rule = parsed.ok() ? *parsed : query::AnalysisRule{};
  asset.columns = std::move(columns);
  asset.version = "1";
  asset.content = "1";
  asset.relation = "\"" + name + "\".\"data\"";
  return asset;
}

std::vector<query::Asset> Room() {
  using query::Type;
  return {
      MakeAsset("crm", query::AssetRole::kProtected,
                R"({"version": 1, "unit": {"domain": "person", "columns": ["id"]}, "min_units": 20, "keys": [["id"]],
                        "columns": {"id": {"identity": true, "uses": ["join"], "join_with": ["*.id"]},
                          "mail": {"identity": true, "uses": ["join"], "join_with": ["*.mail"]},
                          "region": {"uses": ["dimension", "filter"], "domain": ["NORTH", "SOUTH"]},
                          "age": {"uses": ["dimension", "filter"], "filter_step": 10, "dimension_steps": [10]},
                          "x": {"uses": ["measure"], "aggregates": ["sum", "avg", "count", "stddev"]}}})",
                {{"id", Type::Text()},
                 {"mail", Type::Text()},
                 {"region", Type::Text()},
                 {"age", Type::Integer(32)},
                 {"x", Type::Integer(32)}}),
      MakeAsset("tx", query::AssetRole::kProtected,
                R"({"version": 1, "unit": {"domain": "person", "columns": ["id"]}, "min_units": 20,
                        "columns": {"id": {"identity": true, "uses": ["join"], "join_with": ["*.id"]},
                          "amt": {"uses": ["measure"], "aggregates": ["sum", "avg"]}}})",
                {{"id", Type::Text()}, {"amt", Type::Integer(32)}}),
      MakeAsset("my", query::AssetRole::kOwn,
                R"({"version": 1, "unit": {"domain": "customer", "columns": ["id"]}, "min_units": 10,
                        "columns": {"id": {"uses": ["join"], "join_with": ["*.id"]},
                          "grp": {"uses": ["dimension", "filter"]}}})",
                {{"id", Type::Text()}, {"grp", Type::Text()}})};
}

class GridTest : public ::testing::Test {
 protected:
  GridTest() : assets_(Room()), catalog_(assets_) {}

  void SetUp() override {
    auto database = duckdb::Database::Open({.threads = 1});
    ASSERT_TRUE(database.ok());
    database_ = std::move(database).value();
    auto connection = database_->Connect();
    ASSERT_TRUE(connection.ok());
    connection_ = std::move(connection).value();
  }

  Result<Grid> Plan(std::string_view sql) {
    GB_ASSIGN_OR_RETURN(const std::vector<query::TranslatedStatement> statements, query::TranslateSql(sql));
    GB_ASSIGN_OR_RETURN(const std::string text, connection_->ParseToJson(statements.at(0).sql));
    GB_ASSIGN_OR_RETURN(const json::Value tree, query::ParseDuckdbJson(text));
    GB_ASSIGN_OR_RETURN(const query::ast::QueryPtr query, query::QueryFromDuckdbJson(tree, statements[0]));
    query::PlannerStatement statement;
    statement.query = query.get();
    GB_ASSIGN_OR_RETURN(const query::Plan plan, query::MakePlan({statement}, assets_, {}));
    return GridOf(plan.governed.queries.at(0), plan.sql.at(0), assets_);
  }

  // The grid of a query with a group of each key; every cell is out.
  Grid GridWith(std::string_view sql, const std::vector<GroupKey>& keys) {
    Result<Grid> grid = Plan(sql);
    EXPECT_TRUE(grid.ok()) << grid.status().message();
    if (!grid.ok()) {
      return {};
    }
    for (const GroupKey& key : keys) {
      GridGroup group;
      group.key = key;
      for (std::size_t c = 0; c < grid->calls.size(); ++c) {
        const std::size_t branches = grid->calls[c].branches.size();
        group.rows.emplace_back(branches, static_cast<std::int64_t>(100 + c));
        group.values.emplace_back(branches, static_cast<std::int64_t>(50 + c));
        group.digests.emplace_back();
        for (std::size_t b = 0; b < branches; ++b) {
          const Result<std::string> digest = grid->CellDigest(c, b, key, catalog_);
          EXPECT_TRUE(digest.ok());
          group.digests.back().push_back(digest.ok() ? *digest : "");
        }
        group.out.push_back(true);
        group.told.push_back(c == 1);
        group.few_missing.push_back(c == 0);
      }
      grid->groups.push_back(std::move(group));
    }
    return std::move(grid).value();
  }

  std::vector<query::Asset> assets_;
  query::AssetCatalog catalog_;
  std::unique_ptr<duckdb::Database> database_;
  std::unique_ptr<duckdb::Connection> connection_;
};

TEST_F(GridTest, ComesBackFromJsonAsItWas) {
  const Grid grid = GridWith(
      "SELECT c.region, c.age // 10 * 10 AS a, m.grp, COUNT(DISTINCT c.id), COUNT(DISTINCT c.mail) FILTER (WHERE "
      "c.region = 'NORTH') FROM my AS m JOIN crm AS c USING (id) WHERE c.age >= 20 GROUP BY ALL",
      {{"NORTH", "30", "a"}, {std::nullopt, std::nullopt, std::nullopt}});
  ASSERT_EQ(grid.groups.size(), 2U);
  const json::Value json = GridToJson(grid, catalog_);
  const Result<Grid> back = GridFromJson(json, catalog_);
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(json::WriteCanonical(GridToJson(*back, catalog_)), json::WriteCanonical(json));
  EXPECT_EQ(back->count_class, grid.count_class);
  EXPECT_FALSE(back->rows_are_single);
  for (std::size_t g = 0; g < grid.groups.size(); ++g) {
    EXPECT_EQ(back->groups[g].key, grid.groups[g].key);
    EXPECT_EQ(back->groups[g].rows, grid.groups[g].rows);
    EXPECT_EQ(back->groups[g].values, grid.groups[g].values);
    EXPECT_EQ(back->groups[g].out, grid.groups[g].out);
    EXPECT_EQ(back->groups[g].told, grid.groups[g].told);
    EXPECT_EQ(back->groups[g].few_missing, grid.groups[g].few_missing);
    for (std::size_t c = 0; c < grid.calls.size(); ++c) {
      for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
        // What is computed again from the record is what was recorded.
        const Result<std::string> digest = back->CellDigest(c, b, back->groups[g].key, catalog_);
        ASSERT_TRUE(digest.ok());
        EXPECT_EQ(*digest, grid.groups[g].digests[c][b]);
        EXPECT_EQ(back->Classes(c, b, g), grid.Classes(c, b, g));
      }
    }
  }
}

TEST_F(GridTest, GroupsOfWhichNothingIsOutAreNotRecorded) {
  Grid grid = GridWith("SELECT region, COUNT(*) FROM crm GROUP BY region", {{"NORTH"}, {"SOUTH"}});
  grid.groups[0].out[0] = false;
  const Result<Grid> back = GridFromJson(GridToJson(grid, catalog_), catalog_);
  ASSERT_TRUE(back.ok());
  ASSERT_EQ(back->groups.size(), 1U);
  EXPECT_EQ(back->groups[0].key, GroupKey{"SOUTH"});
}

TEST_F(GridTest, WhatDoesNotReadIsAnError) {
  const json::Value good =
      GridToJson(GridWith("SELECT region, COUNT(*), SUM(x) FROM crm GROUP BY region", {{"NORTH"}}), catalog_);
  ASSERT_TRUE(GridFromJson(good, catalog_).ok());
  for (const char* member : {"population", "leaves", "calls", "groups"}) {
    for (const json::Value& wrong : {json::Value(), json::Value("x"), json::Value(json::Object{})}) {
      json::Value bad = good;
      bad.as_object().Set(member, wrong);
      EXPECT_FALSE(GridFromJson(bad, catalog_).ok()) << member;
    }
  }
  const std::string text = json::WriteCanonical(good);
  const auto replaced = [&text](const std::string& what, const std::string& by) {
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    std::string out = text;
    const Result<json::Value> json = json::Parse(at == std::string::npos ? out : out.replace(at, what.size(), by));
    EXPECT_TRUE(json.ok());
    return json.ok() ? *json : json::Value();
  };
  // A flag, a number of rows or a key too few; a table, a column or a label that is not there.
  EXPECT_FALSE(GridFromJson(replaced("\"11\"", "\"1\""), catalog_).ok());
  EXPECT_FALSE(GridFromJson(replaced("[[100],[101]]", "[[100]]"), catalog_).ok());
  EXPECT_FALSE(GridFromJson(replaced("[[100],[101]]", "[[100],[]]"), catalog_).ok());
  EXPECT_FALSE(GridFromJson(replaced("[[\"NORTH\"],", "[[],"), catalog_).ok());
  EXPECT_FALSE(GridFromJson(replaced("\"asset\":\"crm\"", "\"asset\":\"gone\""), catalog_).ok());
  EXPECT_FALSE(GridFromJson(replaced("\"column\":\"region\"", "\"column\":\"gone\""), catalog_).ok());
  EXPECT_FALSE(
      GridFromJson(replaced("{\"null\":false,\"values\":[\"NORTH\"]}", "{\"values\":[\"EAST\"]}"), catalog_).ok());
  EXPECT_FALSE(GridFromJson(replaced("\"kind\":0", "\"kind\":7"), catalog_).ok());
}

TEST_F(GridTest, WhatTellsTheNumberOfValuesCountsThem) {
  const Grid grid = GridWith(
      "SELECT COUNT(*), SUM(x), AVG(x), COUNT(x), SUM(x + 1), COUNT(DISTINCT mail), AVG(CASE WHEN region = 'NORTH' "
      "THEN "
      "x ELSE 0 END), SUM(x) FILTER (WHERE region = 'NORTH') FROM crm",
      {{}});
  using Classes = std::set<std::string>;
  const std::string count = "units:acme/person";
  EXPECT_EQ(grid.count_class, count);
  EXPECT_TRUE(grid.rows_are_single);
  EXPECT_EQ(grid.Classes(0, 0, 0), Classes{count});
  EXPECT_EQ(grid.Valued(0, 0, count), "");
  EXPECT_EQ(grid.Classes(1, 0, 0), (Classes{count, "crm.x"}));  // told, beside what is out
  EXPECT_EQ(grid.Valued(1, 0, count), "crm.x");
  EXPECT_EQ(grid.Classes(2, 0, 0), Classes{"crm.x"});
  EXPECT_FALSE(grid.IsOf(count, 2, 0, 0));
  EXPECT_EQ(grid.Classes(3, 0, 0), (Classes{count, "crm.x"}));
  EXPECT_EQ(grid.Classes(4, 0, 0), (Classes{count, "crm.x"}));
  EXPECT_EQ(grid.Classes(5, 0, 0), (Classes{count, "crm.mail"}));
  EXPECT_EQ(grid.Valued(5, 0, count), "crm.mail");
  ASSERT_EQ(grid.calls[6].branches.size(), 2U);
  EXPECT_EQ(grid.Classes(6, 0, 0), (Classes{count, "crm.x"}));
  EXPECT_EQ(grid.Classes(6, 1, 0), Classes{count});  // a constant
  ASSERT_EQ(grid.calls[7].branches.size(), 2U);
  EXPECT_TRUE(grid.calls[7].branches[1].none);
  EXPECT_EQ(grid.Classes(7, 1, 0), Classes{"crm.x"});
}

TEST_F(GridTest, RowsThatAnOwnTableMultipliesAreNoProof) {
  EXPECT_FALSE(GridWith("SELECT COUNT(DISTINCT c.id) FROM my AS m JOIN crm AS c USING (id)", {}).rows_are_single);
  EXPECT_TRUE(GridWith("SELECT COUNT(*) FROM tx AS t JOIN crm AS c USING (id)", {}).rows_are_single);
  EXPECT_EQ(GridWith("SELECT COUNT(*) FROM tx", {}).count_class, "rows:tx");
}

TEST_F(GridTest, WhatNoRowCanBeInHasNoDigest) {
  const Grid grid =
      GridWith("SELECT region, SUM(CASE WHEN region = 'NORTH' THEN x ELSE 0 END) FROM crm GROUP BY region",
               {{"NORTH"}, {"SOUTH"}});
  ASSERT_EQ(grid.calls[0].branches.size(), 2U);
  EXPECT_NE(grid.groups[0].digests[0][0], "");
  EXPECT_EQ(grid.groups[0].digests[0][1], "");
  EXPECT_EQ(grid.groups[1].digests[0][0], "");
  EXPECT_NE(grid.groups[1].digests[0][1], "");
}

TEST(Kinds, TellTheNumberOfValuesTogether) {
  EXPECT_TRUE(TellNumberOfValues({"count"}));
  EXPECT_TRUE(TellNumberOfValues({"sum+count"}));
  EXPECT_TRUE(TellNumberOfValues({"sum", "avg"}));
  EXPECT_TRUE(TellNumberOfValues({"sample", "population"}));
  EXPECT_FALSE(TellNumberOfValues({"sum", "sample"}));
  EXPECT_FALSE(TellNumberOfValues({"avg", "population", "rows"}));
  EXPECT_TRUE(TakesPart("avg", {"sum"}));
  EXPECT_FALSE(TakesPart("avg", {"avg", "sample"}));
  EXPECT_FALSE(TakesPart("sample", {"sum", "avg"}));
}

}  // namespace
}  // namespace glovebox::engine::governed
