// SPDX-License-Identifier: Apache-2.0
#include "query/governor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/query/small_room.h"

namespace glovebox::query {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(GovernorTest, EveryRuleRefusesItsOwn) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"ok", "SELECT region, COUNT(*) FROM crm GROUP BY region"},
      {"P1", "SELECT user_id, COUNT(*) FROM crm GROUP BY user_id"},
      {"P1", "SELECT COUNT(*) FROM crm WHERE nobody = 1"},
      {"P4", "SELECT SUM(age) FROM crm"},
      {"P2", "SELECT COUNT(*) FROM crm WHERE age = 30"},
      {"P2", "SELECT COUNT(*) FROM crm WHERE region = 'NORTH' OR seg = 'a'"},
      {"P3", "SELECT age, COUNT(*) FROM crm GROUP BY age"},
      {"P4", "SELECT MAX(income) FROM crm"},
      {"P4", "SELECT SUM(income * income) FROM crm"},
      {"P5", "SELECT SUM(m.score) FROM my AS m JOIN crm AS c USING (user_id)"},
      {"P5", "SELECT SUM(c.income) FROM crm AS c JOIN tx AS t USING (user_id)"},
      {"P6", "SELECT COUNT(*) FROM my AS m, crm AS c"},
      {"P6", "SELECT COUNT(*) FROM crm AS c JOIN homes AS h ON c.region = h.kind"},
      {"P8", "SELECT region FROM crm"},
      {"P8", "SELECT region FROM crm LIMIT 3"},
      {"P9", "SELECT COUNT(*) FROM my AS m JOIN crm AS c USING (user_id) WHERE m.no = 1"},
      {"P11", "SELECT random()"},
      {"ok", "SELECT * FROM my"},
      {"ok", "SELECT SUM(t.amt) FROM crm AS c JOIN tx AS t USING (user_id)"},
      {"ok", "SELECT h.kind, SUM(c.income) FROM crm AS c JOIN homes AS h ON c.home = h.home GROUP BY h.kind"},
  };
  for (const auto& [rule, sql] : cases) {
    EXPECT_EQ(Verdict(sql), rule) << sql;
  }
}

TEST(GovernorTest, WhatIsLeftReadsNoProtectedTable) {
  for (const char* sql :
       {"SELECT region, COUNT(*) FROM crm GROUP BY region", "SELECT (SELECT COUNT(*) FROM crm) AS n FROM my",
        "SELECT * FROM (VALUES ((SELECT COUNT(*) FROM crm))) AS v(n)",
        "SELECT a.region FROM (SELECT DISTINCT region FROM crm) AS a JOIN (SELECT DISTINCT region FROM crm) AS b ON "
        "a.region < b.region",
        "SELECT no FROM my WHERE no < (SELECT COUNT(*) FROM tx) ORDER BY (SELECT SUM(income) FROM crm)"}) {
    const std::vector<Asset> assets = SmallRoom();
    const Result<Plan> plan = PlanOf(sql, assets);
    ASSERT_TRUE(plan.ok()) << sql << ": " << plan.status().message();
    ASSERT_FALSE(plan->governed.queries.empty()) << sql;
    for (const Asset& asset : assets) {
      if (asset.IsProtected()) {
        EXPECT_THAT(plan->outputs[0].sql, Not(HasSubstr(asset.relation))) << sql;
      }
    }
  }
}

TEST(GovernorTest, CountsTheRowsOfTheFinestTable) {
  const std::vector<Asset> assets = SmallRoom();
  const auto finest = [&](const char* sql) {
    const Result<Plan> plan = PlanOf(sql, assets);
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    return plan.ok() ? plan->sql[0].population.finest : "";
  };
  EXPECT_EQ(finest("SELECT COUNT(*) FROM crm AS c JOIN tx AS t USING (user_id)"), "tx");
  EXPECT_EQ(finest("SELECT COUNT(*) FROM crm AS c JOIN homes AS h ON c.home = h.home"), "crm");
  EXPECT_EQ(finest("SELECT COUNT(*) FROM crm WHERE user_id IN (SELECT user_id FROM tx)"), "crm");
  EXPECT_EQ(finest("SELECT COUNT(*) FROM (SELECT DISTINCT user_id FROM tx) AS t"), "distinct tx #1");
}

}  // namespace
}  // namespace glovebox::query
