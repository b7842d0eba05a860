// SPDX-License-Identifier: Apache-2.0
#include "query/certificate.h"

#include <gtest/gtest.h>

#include "tests/unit/query/small_room.h"

namespace glovebox::query {
namespace {

constexpr const char* kSums =
    "SELECT region, SUM(CASE WHEN seg = 'a' THEN income ELSE 0 END) AS s FROM crm WHERE age >= :least GROUP BY region";

std::vector<ParameterDef> Least(const std::string& value) {
  return {{"unused", Type::Text(), "nobody's business"}, {"least", Type::Integer(32), value}};
}

json::Value CertificateOf(std::string_view sql, const std::vector<Asset>& assets,
                          const std::vector<ParameterDef>& parameters = {}) {
  const Result<Plan> plan = PlanOf(sql, assets, parameters);
  EXPECT_TRUE(plan.ok()) << sql << ": " << plan.status().message();
  if (!plan.ok()) {
    return {};
  }
  CertificateBasis basis{.runner = "runner", .cells_sha256 = "c", .types = {}};
  for (const PlannedOutput& output : plan->outputs) {
    basis.types.emplace_back(output.columns.size(), "BIGINT");
  }
  return MakeCertificate(*plan, assets, basis);
}

std::string TextOf(std::string_view sql, const std::vector<Asset>& assets,
                   const std::vector<ParameterDef>& parameters = {}) {
  return json::WriteCanonical(CertificateOf(sql, assets, parameters));
}

// "from" of each column of the first output, as canonical JSON.
std::vector<std::string> From(std::string_view sql) {
  std::vector<std::string> out;
  const json::Value certificate = CertificateOf(sql, SmallRoom());
  if (const json::Value* outputs = certificate.Get("outputs")) {
    for (const json::Value& column : outputs->as_array().at(0).Get("columns")->as_array()) {
      out.push_back(json::WriteCanonical(*column.Get("from")));
    }
  }
  return out;
}

using Sources = std::vector<std::string>;

// P14: whoever has text, parameters, schemas, rules and versions gets the same text; another of them is another.
TEST(CertificateTest, IsAFunctionOfWhatThePlanWasMadeOf) {
  const std::string first = TextOf(kSums, SmallRoom(), Least("30"));
  EXPECT_EQ(TextOf(kSums, SmallRoom(), Least("30")), first);
  EXPECT_NE(TextOf(kSums, SmallRoom(), Least("40")), first) << "a parameter";
  const auto changed = [&](void (*change)(Asset&)) {
    std::vector<Asset> assets = SmallRoom();
    change(assets[0]);
    return TextOf(kSums, assets, Least("30"));
  };
  EXPECT_NE(changed([](Asset& asset) { asset.version = "2"; }), first);
  EXPECT_NE(changed([](Asset& asset) { asset.policy_digest = "p"; }), first);
  EXPECT_NE(changed([](Asset& asset) { asset.rule_sha256 = "r"; }), first);
  EXPECT_NE(changed([](Asset& asset) { asset.owner = "somebody"; }), first);
  EXPECT_NE(changed([](Asset& asset) { asset.columns.back().type = Type::Integer(64); }), first) << "the schema";
  EXPECT_EQ(changed([](Asset& asset) { asset.content = "another"; }), first) << "a name of rows";
}

// Where a run writes reaches it as parameters that no query reads; so do declared ones that nobody uses.
TEST(CertificateTest, NamesTheParametersThatAreRead) {
  const json::Value certificate = CertificateOf(kSums, SmallRoom(), Least("30"));
  EXPECT_EQ(json::WriteCanonical(*certificate.Get("parameters")),
            R"([{"name":"least","type":"INTEGER","value":"30"}])");
  std::vector<ParameterDef> null = Least("30");
  null[1].is_null = true;
  EXPECT_EQ(json::WriteCanonical(*CertificateOf("SELECT :least AS l", SmallRoom(), null).Get("parameters")),
            R"([{"name":"least","type":"INTEGER","value":null}])");
}

TEST(CertificateTest, SaysOfEachColumnWhereItComesFrom) {
  EXPECT_EQ(From("SELECT region, SUM(income * 2) AS s FROM crm WHERE age >= 30 GROUP BY region"),
            (Sources{R"([{"columns":["crm.region"],"governed":0,"group_by":0}])",
                     R"([{"aggregate":0,"columns":["crm.income"],"governed":0}])"}));
  EXPECT_EQ(From("SELECT (SELECT COUNT(*) FROM crm) AS n FROM my"),
            (Sources{R"([{"aggregate":0,"columns":[],"governed":0},{"governed":0,"rows":true}])"}));
  EXPECT_EQ(From("SELECT m.grp, g.n * 2 AS two, COUNT(*) OVER () AS parts, 1 AS one FROM (SELECT region, COUNT(*) AS n "
                 "FROM crm GROUP BY region) AS g JOIN (SELECT DISTINCT grp FROM my) AS m ON TRUE"),
            (Sources{R"([{"own_column":"my.grp"}])", R"([{"aggregate":0,"columns":[],"governed":0}])",
                     R"([{"governed":0,"rows":true},{"own_rows":"my"}])", "[]"}));
  EXPECT_EQ(From("SELECT region AS k, COUNT(*) AS n FROM crm GROUP BY region UNION ALL SELECT grp, no FROM my"),
            (Sources{R"([{"columns":["crm.region"],"governed":0,"group_by":0},{"own_column":"my.grp"}])",
                     R"([{"aggregate":0,"columns":[],"governed":0},{"own_column":"my.no"}])"}));
}

TEST(CertificateTest, WhatChoosesABranchIsASourceOfTheAggregate) {
  const json::Value certificate = CertificateOf(kSums, SmallRoom(), Least("30"));
  const json::Value& output = certificate.Get("outputs")->as_array().at(0);
  EXPECT_EQ(json::WriteCanonical(*output.Get("columns")->as_array().at(1).Get("from")),
            R"([{"aggregate":0,"columns":["crm.income","crm.seg"],"governed":0}])");
}

// An output depends on the rows of what its conditions read, too.
TEST(CertificateTest, OutputsNameEverythingThatTheyRead) {
  const json::Value certificate = CertificateOf("SELECT no FROM my WHERE no < (SELECT COUNT(*) FROM crm)", SmallRoom());
  const json::Value& output = certificate.Get("outputs")->as_array().at(0);
  EXPECT_EQ(json::WriteCanonical(*output.Get("released")), "[0]");
  EXPECT_EQ(json::WriteCanonical(*output.Get("own")), R"(["my"])");
}

}  // namespace
}  // namespace glovebox::query
