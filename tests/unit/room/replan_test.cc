// SPDX-License-Identifier: Apache-2.0
#include "room/replan.h"

#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

// All that a request says, in the certificate's form, as an honest planner would.
json::Value Honest(const engine::RunRequest& request) {
  json::Array cells;
  for (const engine::Cell& cell : request.cells) {
    cells.emplace_back(cell.sql);
  }
  json::Array parameters;
  for (const engine::Parameter& parameter : request.parameters) {
    parameters.emplace_back(json::Object{{"name", parameter.name}, {"value", parameter.value}});
  }
  json::Array inputs;
  for (const engine::RunAsset& asset : request.assets) {
    inputs.emplace_back(json::Object{{"asset", Join(asset.name, ".")},
                                     {"owner", asset.owner},
                                     {"role", asset.role == engine::Role::kOwn ? "own" : "protected"},
                                     {"version", asset.version},
                                     {"policy", asset.policy_digest},
                                     {"rule_sha256", HexDigest(asset.rule)},
                                     {"columns", ColumnsToJson(asset.prepared.file.columns)}});
  }
  return json::Object{{"runner", request.runner},
                      {"cells", std::move(cells)},
                      {"parameters", std::move(parameters)},
                      {"inputs", std::move(inputs)}};
}

class ReplanTest : public RoomTest {
 protected:
  ReplanTest() {
    engine_.certify = Honest;
    MakeActiveRoom();
    Approve(MakeNotebook("both", "games", kBothTables));
  }

  // A run whose recorded certificate `change` has had in its hands: an operator's, who signs what he likes.
  void Run(const std::function<void(json::Object&)>& change) {
    engine_.certify = [change](const engine::RunRequest& request) {
      json::Value certificate = Honest(request);
      change(certificate.as_object());
      return certificate;
    };
    RunToEnd("both", "x");
    engine_.certify = Honest;
  }
  std::vector<ReplannedRun> ReplanFor(const Caller& caller) {
    std::string tar;
    Check(rooms_->WriteEvidence(caller, "games", [&](std::string_view piece) {
      tar += piece;
      return Status();
    }));
    const auto bundle = ledger::ReadTarBundle(tar);
    GB_ASSERT(bundle.ok() && ledger::Verify(**bundle, {}).ok);
    auto runs = Replan(**bundle, engine_);
    EXPECT_TRUE(runs.ok()) << runs.status().message();
    return runs.ok() ? *std::move(runs) : std::vector<ReplannedRun>();
  }
  std::string Difference(const Caller& caller) {
    const std::vector<ReplannedRun> runs = ReplanFor(caller);
    EXPECT_EQ(runs.size(), 1U);
    return runs.size() == 1 ? runs[0].difference : "";
  }
};

TEST_F(ReplanTest, EachSideComputesTheCertificateAgain) {
  EXPECT_TRUE(ReplanFor(insurer_).empty());
  Run([](json::Object&) {});
  const engine::RunRequest run = engine_.last_run;
  for (const Caller& caller : {insurer_, federation_}) {
    const std::vector<ReplannedRun> runs = ReplanFor(caller);
    ASSERT_EQ(runs.size(), 1U);
    EXPECT_EQ(runs[0].difference, "");
    EXPECT_EQ(json::Parse(Entries()[runs[0].entry])->GetString("type"), "run.completed");
  }
  const engine::RunRequest& again = engine_.last_run;
  EXPECT_EQ(again.mode, engine::RunMode::kPlanOnly);
  ASSERT_EQ(again.assets.size(), 2U);
  EXPECT_EQ(again.assets[0].rule, run.assets[0].rule);
  EXPECT_EQ(again.assets[0].prepared.file.path, "");
  EXPECT_EQ(again.cells[0].sql, run.cells[0].sql);
}

// One that is answered from the record.
TEST_F(ReplanTest, ARepeatedRunHasTheSameCertificate) {
  Run([](json::Object&) {});
  Run([](json::Object&) {});
  const std::vector<ReplannedRun> runs = ReplanFor(insurer_);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_NE(runs[0].run, runs[1].run);
  EXPECT_EQ(runs[0].difference + runs[1].difference, "");
}

TEST_F(ReplanTest, ACertificateOfAnotherPlanIsNamed) {
  Run([](json::Object& certificate) { certificate.Set("cells", json::Array{"SELECT 1"}); });
  EXPECT_EQ(Difference(insurer_), "code, rules and schemas give another certificate: 'cells' differs");
}

TEST_F(ReplanTest, InputsAreThoseThatWereAuthorized) {
  Run([](json::Object& certificate) {
    certificate.Find("inputs")->as_array()[0].as_object().Set("columns", json::Array());
  });
  EXPECT_EQ(Difference(insurer_), "its inputs are not those of run.authorized");
}

TEST_F(ReplanTest, ParametersAreThoseThatTheRunnerCommittedTo) {
  Run([](json::Object& certificate) { certificate.Find("parameters")->as_array()[0].as_object().Set("value", "y"); });
  EXPECT_EQ(Difference(federation_), "a parameter has not the value that run.authorized commits to");
  EXPECT_EQ(Difference(insurer_), "") << "who has no opening cannot tell";
}

TEST_F(ReplanTest, APlanThatIsRefusedIsADifference) {
  Run([](json::Object&) {});
  engine_.run_error = Status(ErrorCode::kQueryRefused, "no products of columns");
  EXPECT_EQ(Difference(insurer_), "code, rules and schemas give no plan: no products of columns");
}

TEST_F(ReplanTest, APlanThatIsNotMadeIsAnError) {
  Run([](json::Object&) {});
  std::string tar;
  Check(rooms_->WriteEvidence(insurer_, "games", [&](std::string_view piece) {
    tar += piece;
    return Status();
  }));
  const auto bundle = ledger::ReadTarBundle(tar);
  ASSERT_TRUE(bundle.ok());
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kAborted, ErrorCode::kRunFailed,
                               ErrorCode::kDeadlineExceeded, ErrorCode::kResourceExhausted}) {
    engine_.run_error = Status(code, "a worker was killed");
    const auto runs = Replan(**bundle, engine_);
    EXPECT_EQ(CodeOf(runs), code);
    EXPECT_EQ(runs.status().message(), "the plan of run 1 was not made: a worker was killed");
  }
}

}  // namespace
}  // namespace glovebox::room
