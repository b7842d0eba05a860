// SPDX-License-Identifier: Apache-2.0
//
// Plans without data, through real workers: PLANNER.md P14.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/duckdb/connection.h"
#include "engine/process_engine.h"
#include "tests/unit/engine/engine_fixture.h"

namespace glovebox::engine {
namespace {

using ::testing::HasSubstr;

constexpr const char* kCells =
    "SELECT m.grp, COUNT(*) AS n, SUM(c.amount) AS total, AVG(c.amount) AS mean, SUM(c.score) AS scores FROM own.s.m "
    "AS "
    "m JOIN other.s.c AS c ON m.person = c.name WHERE c.age >= :least GROUP BY m.grp";

class PlanTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    // The names are masked with a secret.
    other_.table =
        WriteTable("c", {{"name", "VARCHAR"}, {"age", "INTEGER"}, {"amount", "DECIMAL(10,2)"}, {"score", "BIGINT"}},
                   "SELECT 'P' || range AS name, (20 + range % 50)::INTEGER AS age, (range * 1.5)::DECIMAL(10,2) "
                   "AS amount, range AS score FROM range(2000)");
    other_.functions = {
        {.name = "c.s.token", .parameters = {{"x", "VARCHAR"}}, .body = "hmac_sha256(secret('s', 'k'), lower(x))"}};
    other_.secrets = {{"s", "k", std::string(32, 'k')}};
    other_.masks = {{"name", "c.s.token", {}}};
    other_.rule = OtherRule("sum\",\"avg", "name");
    // What is joined is the token; the owner of the list has computed it.
    own_.table = WriteTable("m", {{"person", "VARCHAR"}, {"grp", "VARCHAR"}},
                            "SELECT 'P' || range AS person, ['a', 'b'][1 + range % 2] AS grp FROM range(1000, 3000)");
    own_.rule = OwnRule();
    for (PrepareRequest* request : {&other_, &own_}) {
      request->unit_secret = std::string(32, 'u');
    }
    other_.target_path = folder_ + "/c.prepared";
    own_.target_path = folder_ + "/m.prepared";
  }

  static std::string OtherRule(const std::string& aggregates, const std::string& unit) {
    return R"({"version":1,"unit":{"domain":"person","columns":[")" + unit +
           R"("]},"min_units":20,"keys":[["name"]],"columns":{)" +
           R"("name":{"identity":true,"uses":["join"],"join_with":["*.person"]},)" +
           R"("age":{"uses":["filter"],"filter_step":10},)" + R"("amount":{"uses":["measure"],"aggregates":[")" +
           aggregates + R"("]},)" + R"("score":{"uses":["measure"],"aggregates":["sum"]}}})";
  }
  static std::string OwnRule() {
    return R"({"version":1,"unit":{"domain":"client","columns":["person"]},"min_units":10,"keys":[["person"]],)"
           R"("membership":"public","columns":{"person":{"uses":["join"],"join_with":["*.name"]},)"
           R"("grp":{"uses":["dimension","filter"]}}})";
  }

  PreparedAsset Prepare(const PrepareRequest& request) {
    auto asset = engine_->Prepare(request);
    EXPECT_TRUE(asset.ok()) << asset.status().message();
    return asset.ok() ? std::move(asset).value() : PreparedAsset{};
  }
  // The columns that Prepare would report, although nothing can be read.
  PreparedAsset Describe(PrepareRequest request) {
    request.table.path = folder_ + "/nothing";
    request.target_path.clear();
    request.secrets.clear();
    request.unit_secret.clear();
    return Prepare(request);
  }
  RunRequest Request(PreparedAsset other, PreparedAsset own) const {
    RunRequest request;
    request.runner = "own";
    request.cells = {{kCells}};
    request.parameters = {{"unused", "", "x", false}, {"least", "INTEGER", "30", false}};
    request.assets.push_back({.name = {"other", "s", "c"},
                              .owner = "other",
                              .role = Role::kProtected,
                              .rule = other_.rule,
                              .version = "v1",
                              .policy_digest = "p",
                              .prepared = std::move(other)});
    request.assets.push_back({.name = {"own", "s", "m"},
                              .owner = "own",
                              .role = Role::kOwn,
                              .rule = own_.rule,
                              .version = "w1",
                              .policy_digest = "q",
                              .prepared = std::move(own)});
    request.output_folder = folder_ + "/out";
    request.mode = RunMode::kPlanOnly;
    return request;
  }
  std::string CertificateOf(const RunRequest& request) {
    const auto result = engine_->Run(request);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? json::WriteCanonical(result->certificate) : "";
  }

  PrepareRequest other_;
  PrepareRequest own_;
};

TEST_F(PlanTest, ColumnsFollowFromSchemaPoliciesAndRule) {
  const std::vector<Column> prepared = Prepare(other_).file.columns;
  const PreparedAsset described = Describe(other_);
  ASSERT_EQ(described.file.columns.size(), prepared.size());
  for (std::size_t i = 0; i < prepared.size(); ++i) {
    EXPECT_EQ(described.file.columns[i].name + " " + described.file.columns[i].type,
              prepared[i].name + " " + prepared[i].type);
  }
  EXPECT_TRUE(described.statistics.is_null());
  other_.rule = OtherRule("sum", "nobody");
  PrepareRequest wrong = other_;
  wrong.target_path.clear();
  EXPECT_EQ(engine_->Prepare(wrong).status().code(), ErrorCode::kInvalidParameterValue);
}

// No data, no statistics, no files: the certificate of the run, to the byte.
TEST_F(PlanTest, APlanWithoutDataHasTheCertificateOfTheRun) {
  RunRequest run = Request(Prepare(other_), Prepare(own_));
  run.mode = RunMode::kExecute;
  run.inline_rows_max = 10;
  const auto result = engine_->Run(run);
  ASSERT_TRUE(result.ok()) << result.status().message();
  const std::string certificate = json::WriteCanonical(result->certificate);
  ASSERT_EQ(result->outputs.size(), 1U);
  std::filesystem::remove(other_.target_path);
  std::filesystem::remove(own_.target_path);

  const RunRequest plan = Request(Describe(other_), Describe(own_));
  const auto planned = engine_->Run(plan);
  ASSERT_TRUE(planned.ok()) << planned.status().message();
  EXPECT_EQ(json::WriteCanonical(planned->certificate), certificate);
  ASSERT_EQ(planned->outputs.size(), 1U);
  const std::vector<Column>& columns = result->outputs[0].file.columns;
  ASSERT_EQ(planned->outputs[0].file.columns.size(), columns.size());
  const json::Value& output = result->certificate.Get("outputs")->as_array().at(0);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    EXPECT_EQ(planned->outputs[0].file.columns[i].type, columns[i].type) << columns[i].name;
    EXPECT_EQ(output.Get("columns")->as_array().at(i).GetString("type"), columns[i].type) << columns[i].name;
  }
  RunRequest stale = run;  // paths of files that are gone do not matter to a plan
  stale.mode = RunMode::kPlanOnly;
  EXPECT_EQ(CertificateOf(stale), certificate);
}

TEST_F(PlanTest, WhateverThePlanWasMadeOfIsInTheCertificate) {
  const RunRequest plan = Request(Describe(other_), Describe(own_));
  const std::string certificate = CertificateOf(plan);
  EXPECT_THAT(certificate, HasSubstr(R"("parameters":[{"name":"least","type":"INTEGER","value":"30"}])"));
  RunRequest unread = plan;
  unread.parameters[0].value = "y";
  EXPECT_EQ(CertificateOf(unread), certificate) << "a parameter that nothing reads";
  const auto changed = [&](const std::function<void(RunRequest&)>& change) {
    RunRequest other = plan;
    change(other);
    return CertificateOf(other);
  };
  EXPECT_NE(changed([](RunRequest& r) { r.parameters[1].value = "40"; }), certificate);
  EXPECT_NE(changed([](RunRequest& r) { r.parameters[1].type = "BIGINT"; }), certificate);
  EXPECT_NE(changed([](RunRequest& r) { r.cells[0].sql += " -- the same question"; }), certificate);
  EXPECT_NE(changed([](RunRequest& r) { r.cells.push_back({"SELECT 1 AS one"}); }), certificate);
  EXPECT_NE(changed([](RunRequest& r) { r.assets[0].rule = OtherRule("avg\",\"sum", "name"); }), certificate)
      << "the rule's text is what its owner signed";
  EXPECT_NE(changed([](RunRequest& r) { r.assets[0].prepared.file.columns[3].type = "INTEGER"; }), certificate);
  EXPECT_NE(changed([](RunRequest& r) { r.assets[1].version = "w2"; }), certificate);
  EXPECT_NE(changed([](RunRequest& r) { r.runner = "somebody"; }), certificate);
}

// P9's own counts are for the runner's side: they need its rows, and a plan for anybody else has none.
TEST_F(PlanTest, OnlyTheRunnersSideIsToldOfItsOwnTables) {
  own_.table =
      WriteTable("few", {{"person", "VARCHAR"}, {"grp", "VARCHAR"}},
                 "SELECT 'P' || range AS person, CASE WHEN range < 5 THEN 'a' ELSE 'b' END AS grp FROM range(500)");
  RunRequest request = Request(Prepare(other_), Prepare(own_));
  EXPECT_TRUE(engine_->Run(request).ok());
  request.mode = RunMode::kPlanAndCheck;
  std::filesystem::remove(other_.target_path);  // the other's tables stay closed
  const Status refused = engine_->Run(request).status();
  EXPECT_EQ(refused.code(), ErrorCode::kQueryRefused);
  EXPECT_EQ(refused.rule(), "P9");
}

// A schema that somebody else states is judged like any input.
TEST_F(PlanTest, ASchemaThatDoesNotFitItsRuleIsRefused) {
  RunRequest plan = Request(Describe(other_), Describe(own_));
  plan.assets[0].prepared.file.columns[2].type = "VARCHAR";
  EXPECT_EQ(engine_->Run(plan).status().code(), ErrorCode::kInvalidParameterValue) << "a text is no measure";
  plan = Request(Describe(other_), Describe(own_));
  plan.assets[0].prepared.file.columns.push_back({"unnamed", "BIGINT"});
  EXPECT_EQ(engine_->Run(plan).status().code(), ErrorCode::kInvalidParameterValue);
  plan.assets[0].prepared.file.columns.back() = {"x", "BIGINT); DROP TABLE data; --"};
  EXPECT_FALSE(engine_->Run(plan).ok());
}

}  // namespace
}  // namespace glovebox::engine
