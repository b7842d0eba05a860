// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/grid.h"

#include <gtest/gtest.h>

#include "tests/unit/engine/grid_fixture.h"

namespace glovebox::engine::governed {
namespace {

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
  EXPECT_EQ(back->count_classes, grid.count_classes);
  EXPECT_TRUE(back->rows_are_single);
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
  EXPECT_EQ(grid.count_classes, Classes{count});
  EXPECT_TRUE(grid.rows_are_single);
  EXPECT_EQ(grid.Classes(0, 0, 0), Classes{count});
  EXPECT_EQ(grid.Valued(0, 0, count), "");
  EXPECT_EQ(grid.Classes(1, 0, 0), (Classes{count, "crm.x"}));  // told, beside what is out
  EXPECT_EQ(grid.Valued(1, 0, count), "crm.x");
  EXPECT_EQ(grid.Classes(2, 0, 0), (Classes{count, "crm.x"}));
  EXPECT_TRUE(grid.IsFractionOf(count, 2, 0, 0));
  EXPECT_FALSE(grid.IsFractionOf("crm.x", 2, 0, 0));
  EXPECT_FALSE(grid.IsFractionOf(count, 3, 0, 0));
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

TEST_F(GridTest, RowsThatAJoinMultipliesAreNoProof) {
  EXPECT_FALSE(GridWith("SELECT COUNT(DISTINCT t.id) FROM tx AS t JOIN tags AS g USING (id)", {}).rows_are_single);
  EXPECT_TRUE(GridWith("SELECT COUNT(*) FROM tx AS t JOIN crm AS c USING (id)", {}).rows_are_single);
  EXPECT_EQ(GridWith("SELECT COUNT(*) FROM tx", {}).count_classes, std::set<std::string>{"rows:tx"});
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
  EXPECT_TRUE(TellNumberOfValues({"sum", "sample"}));
  EXPECT_TRUE(TellNumberOfValues({"sum", "population"}));
  EXPECT_TRUE(TellNumberOfValues({"avg", "sample"}));
  EXPECT_FALSE(TellNumberOfValues({"avg", "population", "rows"}));
  EXPECT_FALSE(TellNumberOfValues({"sum", "rows"}));
  EXPECT_TRUE(TakesPart("avg", {"sum"}));
  EXPECT_TRUE(TakesPart("sample", {"sum", "avg"}));
  EXPECT_FALSE(TakesPart("avg", {"avg", "population"}));
  EXPECT_FALSE(TakesPart("sum", {"sum", "count"}));
  EXPECT_FALSE(TakesPart("rows", {"sum", "avg"}));
}

}  // namespace
}  // namespace glovebox::engine::governed
