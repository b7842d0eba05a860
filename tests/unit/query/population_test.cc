// SPDX-License-Identifier: Apache-2.0
#include "query/population.h"

#include <gtest/gtest.h>

#include "tests/unit/query/small_room.h"

namespace glovebox::query {
namespace {

TEST(PopulationTest, OneConditionHasOneText) {
  const std::vector<std::vector<const char*>> same = {
      {"SELECT COUNT(*) FROM crm WHERE region IN ('NORTH', 'SOUTH')",
       "SELECT SUM(income) FROM crm AS x WHERE x.region = 'SOUTH' OR 'NORTH' = x.region",
       "SELECT COUNT(*) FROM crm WHERE region IN ('SOUTH', 'NORTH', 'NORTH', 'ATLANTIS')",
       "SELECT COUNT(*) FROM (SELECT lower(region) AS r FROM crm) AS t WHERE r IN ('north', 'south')"},
      {"SELECT COUNT(*) FROM crm WHERE age >= 30 AND age < 50",
       "SELECT COUNT(*) FROM crm WHERE NOT (age < 30) AND NOT (age >= 50)",
       "SELECT COUNT(*) FROM crm WHERE age // 10 * 10 IN (40, 30)"},
      {"SELECT COUNT(*) FROM my AS m JOIN crm AS c ON m.user_id = c.user_id WHERE m.grp = 'a'",
       "SELECT COUNT(*) FROM crm AS c JOIN my AS m ON c.user_id = m.user_id WHERE m.grp = 'a'",
       "SELECT COUNT(*) FROM crm WHERE user_id IN (SELECT user_id FROM my WHERE grp = 'a')"},
      {"SELECT COUNT(*) FROM crm WHERE user_id IN (SELECT user_id FROM tx WHERE sku = 'x')",
       "SELECT COUNT(*) FROM crm AS c WHERE EXISTS (SELECT 1 FROM tx AS t WHERE t.user_id = c.user_id AND t.sku <> "
       "'y')"},
      {"SELECT COUNT(*) FROM my AS m JOIN crm AS c ON m.user_id = c.user_id JOIN tx AS t ON t.user_id = c.user_id",
       "SELECT COUNT(*) FROM my AS m JOIN crm AS c ON m.user_id = c.user_id JOIN tx AS t ON t.user_id = m.user_id",
       "SELECT COUNT(*) FROM tx AS t JOIN my AS m ON t.user_id = m.user_id JOIN crm AS c ON c.user_id = t.user_id AND "
       "c.user_id = m.user_id AND m.user_id = c.user_id"},
      {"SELECT COUNT(*) FROM crm AS c JOIN (SELECT DISTINCT user_id FROM tx) AS t ON c.user_id = t.user_id",
       "SELECT COUNT(*) FROM (SELECT DISTINCT user_id FROM tx) AS t JOIN crm AS c ON t.user_id = c.user_id",
       "SELECT COUNT(DISTINCT user_id) FROM crm WHERE user_id IN (SELECT user_id FROM tx)",
       "SELECT COUNT(*) FROM crm WHERE user_id IN (SELECT user_id FROM tx) AND user_id IN (SELECT user_id FROM tx)"},
      {"SELECT COUNT(*) FROM crm WHERE user_id IN (SELECT user_id FROM tx WHERE sku = 'x') AND user_id IN (SELECT "
       "user_id FROM tx WHERE sku = 'y')",
       "SELECT COUNT(*) FROM crm WHERE user_id IN (SELECT user_id FROM tx WHERE sku = 'y') AND user_id IN (SELECT "
       "user_id FROM tx WHERE sku = 'x')"}};
  for (const auto& group : same) {
    for (const char* sql : group) {
      EXPECT_EQ(PopulationText(sql), PopulationText(group[0])) << sql;
    }
  }
  for (std::size_t i = 0; i < same.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_NE(PopulationText(same[i][0]), PopulationText(same[j][0]));
    }
  }
}

TEST(PopulationTest, ComesBackFromARecord) {
  const std::vector<Asset> assets = SmallRoom();
  const AssetCatalog catalog(assets);
  for (const char* sql : {"SELECT COUNT(*) FROM crm WHERE region IN ('NORTH', 'SOUTH')",
                          "SELECT COUNT(*) FROM crm WHERE age // 10 * 10 IN (40, 30)",
                          "SELECT COUNT(*) FROM crm WHERE user_id IN (SELECT user_id FROM tx WHERE sku = 'x')",
                          "SELECT m.grp, COUNT(c.user_id) FROM my AS m LEFT JOIN crm AS c ON m.user_id = c.user_id AND "
                          "c.seg = 'a' GROUP BY m.grp",
                          "SELECT COUNT(*) FROM my AS m JOIN crm AS c ON m.user_id = c.user_id WHERE m.grp = 'a'"}) {
    const auto plan = PlanOf(sql, assets);
    ASSERT_TRUE(plan.ok()) << plan.status().message();
    const Population& population = plan->sql[0].population;
    const auto back = PopulationFromJson(population.ToJson(catalog), catalog);
    ASSERT_TRUE(back.ok()) << sql;
    EXPECT_EQ(back->Text(catalog), population.Text(catalog));
    EXPECT_EQ(FromSql(*back, catalog), FromSql(population, catalog));
  }
  const auto one = PlanOf("SELECT COUNT(*) FROM crm WHERE region IN ('NORTH', 'SOUTH')", assets);
  const AssetCatalog nothing({});
  EXPECT_FALSE(PopulationFromJson(one->sql[0].population.ToJson(catalog), nothing).ok());
  EXPECT_FALSE(PopulationFromJson(json::Object{}, catalog).ok());
}

TEST(PopulationTest, SettledConditionsAreSetsOfValues) {
  const std::set<PopulationColumn> group{{"my", "grp"}};
  OwnConditions own;
  RestrictOwn(own, group, {true, {"a", "b"}});
  RestrictOwn(own, group, {true, {"b", "c"}});
  EXPECT_EQ(own.at(group).Sql(), "(b)");
  RestrictOwn(own, group, {true, {"a"}});
  EXPECT_EQ(own.at(group).Sql(), "FALSE");
  OwnConditions written;
  RestrictOwn(written, group, {false, {"p"}});
  RestrictOwn(written, group, {false, {"q"}});
  EXPECT_EQ(written.at(group).Sql(), "p AND q");
  RestrictOwn(written, group, {true, {"a", "b"}});
  EXPECT_EQ(written.at(group).Sql(), "(a OR b) AND p AND q");
}

TEST(PopulationTest, ALeftJoinStaysOneBetweenItsColumns) {
  const std::vector<Asset> assets = SmallRoom();
  const auto plan = PlanOf("SELECT COUNT(c.user_id) FROM my AS m LEFT JOIN crm AS c ON m.user_id = c.user_id", assets);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(FromSql(plan->sql[0].population, AssetCatalog(assets)),
            " FROM \"my\".\"data\" AS \"my\" LEFT JOIN \"crm\".\"data\" AS \"crm\" ON \"my\".\"user_id\" = "
            "\"crm\".\"user_id\" AND TRUE");
}

TEST(PopulationTest, DisjointIsProvenOrNotSaid) {
  const std::vector<Asset> assets = SmallRoom();
  const auto disjoint = [&](const char* a, const char* b) {
    const auto x = PlanOf(a, assets);
    const auto y = PlanOf(b, assets);
    EXPECT_TRUE(x.ok() && y.ok());
    return x.ok() && y.ok() && AreDisjoint(x->sql[0].population, y->sql[0].population);
  };
  const char* north = "SELECT COUNT(*) FROM crm WHERE region = 'NORTH'";
  EXPECT_TRUE(disjoint(north, "SELECT COUNT(*) FROM crm WHERE region <> 'NORTH'"));
  EXPECT_FALSE(disjoint(north, "SELECT COUNT(*) FROM crm WHERE seg = 'a'"));
  EXPECT_FALSE(disjoint(north, north));
  // Rows of another table, and conditions inside EXISTS, are not the same rows.
  EXPECT_FALSE(disjoint("SELECT COUNT(*) FROM crm AS c JOIN tx AS t USING (user_id) WHERE c.region = 'NORTH'",
                        "SELECT COUNT(*) FROM crm WHERE region <> 'NORTH'"));
  EXPECT_FALSE(disjoint("SELECT COUNT(*) FROM crm WHERE user_id IN (SELECT user_id FROM tx WHERE sku = 'x')",
                        "SELECT COUNT(*) FROM crm WHERE user_id IN (SELECT user_id FROM tx WHERE sku = 'y')"));
  // One table that is found through different joins is not the same row.
  EXPECT_TRUE(disjoint("SELECT COUNT(*) FROM crm AS c JOIN tx AS t USING (user_id) WHERE c.region = 'NORTH'",
                       "SELECT COUNT(*) FROM crm AS c JOIN tx AS t USING (user_id) WHERE c.region <> 'NORTH'"));
  EXPECT_FALSE(disjoint("SELECT COUNT(*) FROM crm AS c JOIN tx AS t USING (user_id) WHERE c.region = 'NORTH'",
                        "SELECT COUNT(*) FROM my AS m JOIN tx AS t ON m.user_id = t.user_id JOIN crm AS c ON c.email = "
                        "m.email WHERE c.region <> 'NORTH'"));
}

}  // namespace
}  // namespace glovebox::query
