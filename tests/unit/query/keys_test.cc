// SPDX-License-Identifier: Apache-2.0
#include "query/keys.h"

#include <gtest/gtest.h>

#include "query/literal.h"
#include "tests/unit/query/small_room.h"

namespace glovebox::query {
namespace {

// The leaves of SELECT key FROM crm GROUP BY 1: "label=subset;..." for partitions, the step for buckets.
std::string Leaves(const std::string& key) {
  const std::vector<Asset> assets = SmallRoom();
  const auto plan = PlanOf("SELECT " + key + " AS k, COUNT(*) FROM crm GROUP BY k", assets);
  if (!plan.ok()) {
    return "refused " + plan.status().rule();
  }
  std::string out;
  const GovernedQuery& query = plan->governed.queries[0];
  for (const Leaf& leaf : query.leaves) {
    out += out.empty() ? "" : " & ";
    if (leaf.kind == Leaf::Kind::kBucket) {
      out += "step " + StepText(leaf.step);
      continue;
    }
    const Asset& asset = assets[query.core.instances[leaf.column.instance].asset];
    const auto domain = DomainOf(asset.Rule(leaf.column.column), asset.columns[leaf.column.column].type);
    out += leaf.identity_partition ? "itself" : "";
    for (const auto& [label, subset] : leaf.parts) {
      if (!leaf.identity_partition) {
        out += (IsNull(label) ? "NULL" : LiteralText(label)) + "=" + subset.ToSql(*domain, "x") + ";";
      }
    }
  }
  return out;
}

TEST(KeysTest, ListedColumnsBecomePartitions) {
  EXPECT_EQ(Leaves("seg"), "itself");
  EXPECT_EQ(Leaves("upper(seg)"), "A=(x = 'a');B=(x = 'b');NULL=(x IS NULL);");
  EXPECT_EQ(Leaves("seg = 'a'"), "true=(x = 'a');false=(x = 'b');NULL=(x IS NULL);");
  EXPECT_EQ(Leaves("coalesce(seg, 'b')"), "a=(x = 'a');b=(x = 'b' OR x IS NULL);");
  EXPECT_EQ(Leaves("CASE WHEN seg = 'a' THEN 1 ELSE 2.50 END"), "1.00=(x = 'a');2.50=(x = 'b' OR x IS NULL);");
  EXPECT_EQ(Leaves("CASE WHEN seg = 'a' THEN 1 ELSE 1.0 END"), "1.0=TRUE;");
  EXPECT_EQ(Leaves("CASE WHEN seg = 'a' THEN 1 ELSE '1' END"), "refused P3");
}

TEST(KeysTest, SteppedColumnsBecomeBucketsOrRanges) {
  EXPECT_EQ(Leaves("age // 10 * 10"), "step 10");
  EXPECT_EQ(Leaves("age // 20"), "step 20");
  EXPECT_EQ(Leaves("date_trunc('quarter', day)"), "step quarter");
  EXPECT_EQ(Leaves("CASE WHEN age < 30 THEN 'y' WHEN age < 50 THEN 'm' END"),
            "y=((x < (30)));m=((x >= (30) AND x < (50)));NULL=((x >= (50)) OR x IS NULL);");
  EXPECT_EQ(Leaves("age >= 40"), "true=((x >= (40)));false=((x < (40)));NULL=(x IS NULL);");
  EXPECT_EQ(Leaves("age // 5 * 5"), "refused P3");
  EXPECT_EQ(Leaves("day"), "refused P3");
  EXPECT_EQ(Leaves("age"), "refused P3");
}

TEST(KeysTest, CombinationsKeepEveryCombinationApart) {
  EXPECT_EQ(
      Leaves("region || '/' || seg"),
      "NORTH/=(x = 'NORTH');SOUTH/=(x = 'SOUTH');EAST/=(x = 'EAST');WEST/=(x = 'WEST');NULL=(x IS NULL); & itself");
  EXPECT_EQ(Leaves("left(region || seg, 5)"), "refused P3");
  EXPECT_EQ(Leaves("CASE WHEN seg = 'a' THEN region ELSE 'x' END"), "refused P3");
  EXPECT_EQ(Leaves("seg = region"), "refused P3");
}

}  // namespace
}  // namespace glovebox::query
