// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

class NotebooksTest : public RoomTest {
 protected:
  NotebooksTest() { MakeActiveRoom(); }
  // "*" is any author, "" is not given.
  static RuleSpec Rule(const std::string& author, const std::string& runner) {
    RuleSpec spec;
    if (author == "*") {
      spec.any_author = true;
    } else {
      spec.author_alias = author;
    }
    spec.runner_alias = runner;
    return spec;
  }
  ErrorCode ReviewAs(const Caller& caller, const NotebookView& notebook, Decision decision) {
    return CodeOf(
        rooms_->notebooks().Review(caller, "games", notebook.asset.name, {notebook.version.etag, decision, "c"}));
  }
};

TEST_F(NotebooksTest, EveryOtherCollaboratorApproves) {
  const NotebookView notebook = MakeNotebook();
  EXPECT_EQ(notebook.state, Decision::kPending);
  EXPECT_EQ(notebook.version.runners, std::vector<std::string>{"fed"}) << "the author's side, if nobody is named";
  EXPECT_EQ(ReviewAs(federation_, notebook, Decision::kApproved), ErrorCode::kPermissionDenied) << "own code";
  EXPECT_EQ(ReviewAs(insurer_, notebook, Decision::kApproved), ErrorCode::kOk);
  EXPECT_EQ(rooms_->notebooks().Get(federation_, "games", "overlap")->state, Decision::kApproved);
  EXPECT_EQ(Events().back(), "approval.granted");
  EXPECT_EQ(ReviewAs(insurer_, notebook, Decision::kRejected), ErrorCode::kOk) << "a reviewer may think again";
  EXPECT_EQ(rooms_->notebooks().Get(federation_, "games", "overlap")->state, Decision::kRejected);
}

TEST_F(NotebooksTest, AnEditResetsApprovalsAndStaleEtagsAreRefused) {
  const NotebookView first = MakeNotebook();
  Approve(first);
  NotebookSpec edit;
  edit.name = "overlap";
  edit.content = Base64Encode("SELECT 1");
  const auto second = rooms_->notebooks().Update(federation_, "games", edit);
  ASSERT_TRUE(second.ok());
  EXPECT_NE(second->version.etag, first.version.etag);
  EXPECT_EQ(second->state, Decision::kPending);
  EXPECT_EQ(ReviewAs(insurer_, first, Decision::kApproved), ErrorCode::kAborted);

  Approve(*second);
  NotebookSpec runners;
  runners.name = "overlap";
  runners.runners = {"ins"};
  const auto third = rooms_->notebooks().Update(federation_, "games", runners);
  EXPECT_EQ(third->state, Decision::kPending) << "a change of runner is a new version";
  EXPECT_EQ(rooms_->notebooks().Revisions(insurer_, "games", "overlap", {})->items.size(), 3U);
  EXPECT_EQ(CodeOf(rooms_->notebooks().Update(insurer_, "games", edit)), ErrorCode::kPermissionDenied);
}

TEST_F(NotebooksTest, AnEditThatChangesNothingIsNoNewVersion) {
  const NotebookView first = MakeNotebook();
  Approve(first);
  NotebookSpec same;
  same.name = "overlap";
  same.content = first.version.content;
  EXPECT_EQ(rooms_->notebooks().Update(federation_, "games", same)->version.etag, first.version.etag);
}

TEST_F(NotebooksTest, ContractIsDerivedFromThePlanOrGiven) {
  const NotebookView derived = MakeNotebook();
  EXPECT_TRUE(derived.version.contract.GetBool("derived"));
  EXPECT_EQ(derived.version.contract.Get("outputs")->as_array()[0].GetString("name"), "by_sport");

  NotebookSpec given;
  given.name = "overlap";
  given.contract =
      *json::Parse(R"({"min_units":50,"outputs":[{"name":"x","columns":[{"name":"a","type":"bigint"}]}]})");
  const auto changed = rooms_->notebooks().Update(federation_, "games", given);
  ASSERT_TRUE(changed.ok()) << changed.status().message();
  EXPECT_NE(changed->version.etag, derived.version.etag) << "the contract is part of what is approved";
  EXPECT_FALSE(changed->version.contract.GetBool("derived"));

  engine_.run_error = Status(ErrorCode::kQueryRefused, "no");
  const NotebookView refused = MakeNotebook("refused");
  EXPECT_TRUE(refused.version.contract.is_null()) << "no plan, no derived contract";
}

TEST_F(NotebooksTest, PreviewShowsTheCertificateOrTheRefusal) {
  const NotebookView notebook = MakeNotebook();
  const auto preview = rooms_->notebooks().Preview(insurer_, "games", "overlap", {.etag = notebook.version.etag});
  ASSERT_TRUE(preview.ok());
  EXPECT_EQ(json::Write(preview->certificate), engine_.certificate);
  EXPECT_EQ(engine_.last_run.mode, engine::RunMode::kPlanOnly);
  EXPECT_TRUE(engine_.last_run.history.empty());
  engine_.run_error = Status(ErrorCode::kQueryRefused, "products of columns").WithRule("P4").At(7);
  const auto refused = rooms_->notebooks().Preview(insurer_, "games", "overlap", {});
  EXPECT_EQ(refused.status().rule(), "P4");
  EXPECT_EQ(refused.status().position(), 7U);
}

// P14: what a side that is not the runner is told depends on no row; the runner's own side hears of its own tables.
TEST_F(NotebooksTest, OnlyTheRunnersSideHasItsTablesReadForAPlan) {
  MakeNotebook("both", "games", kBothTables);
  ReplaceTable(federation_, "athletes");
  ReplaceTable(insurer_, "customers");
  const int before = engine_.prepares;
  engine_.prepare_error = Status(ErrorCode::kInvalidParameterValue, "the declared key is not unique");
  Check(rooms_->notebooks().Preview(insurer_, "games", "both", {}));
  EXPECT_EQ(engine_.last_run.mode, engine::RunMode::kPlanOnly);
  ASSERT_EQ(engine_.last_run.assets.size(), 2U);
  for (const engine::RunAsset& asset : engine_.last_run.assets) {
    EXPECT_EQ(asset.prepared.file.path, "");
    EXPECT_EQ(asset.prepared.file.columns.size(), 3U);
  }
  EXPECT_EQ(engine_.prepares, before);
  EXPECT_EQ(engine_.describes, 2);
  EXPECT_EQ(engine_.last_run.timeout_ms, limits::kPlanTimeoutMs);

  engine_.prepare_error = Status();
  Check(rooms_->notebooks().Preview(federation_, "games", "both", {}));
  EXPECT_EQ(engine_.last_run.mode, engine::RunMode::kPlanAndCheck);
  ASSERT_EQ(engine_.last_run.assets.size(), 2U);
  EXPECT_NE(engine_.last_run.assets[0].prepared.file.path, "") << "fed.sports.athletes";
  EXPECT_EQ(engine_.last_run.assets[1].prepared.file.path, "");
  EXPECT_EQ(engine_.prepares, before + 1);
}

TEST_F(NotebooksTest, APlanThatChecksIsForWhoMayRun) {
  MakeNotebook("both", "games", kBothTables);
  const Caller clerk = AddUser(federation_, "clerk@federation.example");
  Grant(federation_, catalog::SecurableKind::kCleanRoom, "games", clerk, {catalog::Privilege::kBrowse});
  const auto mode = [&] {
    Check(rooms_->notebooks().Preview(clerk, "games", "both", {}));
    return engine_.last_run.mode;
  };
  EXPECT_EQ(mode(), engine::RunMode::kPlanOnly);
  EXPECT_TRUE(engine_.last_run.history.empty());
  Grant(federation_, catalog::SecurableKind::kCleanRoom, "games", clerk, {catalog::Privilege::kExecuteCleanRoomTask});
  EXPECT_EQ(mode(), engine::RunMode::kPlanAndCheck);
}

// What an owner is told of its asset comes of reading its table, which is also what ends it.
TEST_F(NotebooksTest, AnAssetsProblemIsThatOfItsRows) {
  MakeNotebook("both", "games", kBothTables);
  ReplaceTable(federation_, "athletes");
  const auto problem_after_plan = [this](const Caller& caller) {
    Check(rooms_->notebooks().Preview(caller, "games", "both", {}));
    return rooms_->assets().GetTable(federation_, "games", "fed.sports.athletes")->asset.problem;
  };
  engine_.describe_error = Status(ErrorCode::kInvalidParameterValue, "a column is gone");
  EXPECT_EQ(problem_after_plan(insurer_), "") << "nothing was read";
  engine_.describe_error = Status();
  engine_.prepare_error = Status(ErrorCode::kUnavailable, "worker processes do not start");
  EXPECT_EQ(problem_after_plan(federation_), "") << "of the server";
  engine_.prepare_error = Status(ErrorCode::kInvalidParameterValue, "the declared key is not unique");
  EXPECT_EQ(problem_after_plan(federation_), "the declared key is not unique");
  engine_.prepare_error = Status();
  EXPECT_EQ(problem_after_plan(insurer_), "the declared key is not unique") << "nothing was read";
  EXPECT_EQ(problem_after_plan(federation_), "");
}

TEST_F(NotebooksTest, APlanTakesARunsParametersAndOneOfItsRunners) {
  NotebookSpec spec;
  spec.name = "both";
  spec.content = Base64Encode(kOneTable);
  spec.runners = {"ins", "fed"};
  Check(rooms_->notebooks().Publish(federation_, "games", spec));
  const json::Value parameters(json::Object{{"sport", "Judo"}});
  Check(rooms_->notebooks().Preview(insurer_, "games", "both", {.parameters = parameters}));
  EXPECT_EQ(engine_.last_run.runner, "ins") << "its own side";
  ASSERT_EQ(engine_.last_run.parameters.size(), 1U);
  EXPECT_EQ(engine_.last_run.parameters[0].value, "Judo");
  Check(rooms_->notebooks().Preview(insurer_, "games", "both", {.runner = "fed"}));
  EXPECT_EQ(engine_.last_run.runner, "fed");
  EXPECT_EQ(engine_.last_run.mode, engine::RunMode::kPlanOnly);
  EXPECT_EQ(CodeOf(rooms_->notebooks().Preview(insurer_, "games", "both", {.runner = "nobody"})),
            ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(CodeOf(rooms_->notebooks().Preview(insurer_, "games", "both", {.parameters = json::Value(1)})),
            ErrorCode::kInvalidParameterValue);
}

TEST_F(NotebooksTest, ARepeatedReviewIsTheOneThatIsThere) {
  const NotebookView notebook = MakeNotebook();
  Approve(notebook);
  const std::size_t entries = Entries().size();
  EXPECT_EQ(ReviewAs(insurer_, notebook, Decision::kApproved), ErrorCode::kOk);
  EXPECT_EQ(rooms_->notebooks().Get(federation_, "games", "overlap")->state, Decision::kApproved);
  EXPECT_EQ(Entries().size(), entries);
  EXPECT_EQ(ReviewAs(insurer_, notebook, Decision::kRejected), ErrorCode::kOk);
  EXPECT_EQ(Entries().size(), entries + 1) << "another decision is on the ledger";
}

TEST_F(NotebooksTest, RulesApproveWhatOthersWriteForANamedRunner) {
  EXPECT_EQ(CodeOf(rooms_->notebooks().CreateRule(insurer_, "games", Rule("ins", "fed"))),
            ErrorCode::kInvalidParameterValue)
      << "never one's own code";
  EXPECT_EQ(CodeOf(rooms_->notebooks().CreateRule(insurer_, "games", Rule("fed", "fed"))),
            ErrorCode::kInvalidParameterValue)
      << "the author is not the runner";
  EXPECT_EQ(CodeOf(rooms_->notebooks().CreateRule(insurer_, "games", Rule("", "ins"))),
            ErrorCode::kInvalidParameterValue);
  const auto rule = rooms_->notebooks().CreateRule(insurer_, "games", Rule("*", "ins"));
  ASSERT_TRUE(rule.ok()) << rule.status().message();
  EXPECT_EQ(rooms_->notebooks().ListRules(federation_, "games")->size(), 0U) << "rules are their owner's";

  const NotebookView self_run = MakeNotebook("self");
  EXPECT_EQ(self_run.state, Decision::kPending) << "the author runs it: no rule applies";
  NotebookSpec spec;
  spec.name = "theirs";
  spec.content = Base64Encode("SELECT 1");
  spec.runners = {"ins"};
  const auto automatic = rooms_->notebooks().Publish(federation_, "games", spec);
  ASSERT_TRUE(automatic.ok());
  EXPECT_EQ(automatic->state, Decision::kApproved);
  EXPECT_EQ(automatic->reviews[0].sub_reason, "AUTO_APPROVED");
  EXPECT_EQ(Events().back(), "rule.applied");

  spec.name = "both";
  spec.runners = {"ins", "fed"};
  EXPECT_EQ(rooms_->notebooks().Publish(federation_, "games", spec)->state, Decision::kPending);
  const auto changed = rooms_->notebooks().UpdateRule(insurer_, "games", rule->id, Rule("fed", ""));
  EXPECT_EQ(changed->id, rule->id);
  EXPECT_EQ(changed->author_alias, "fed");
  Check(rooms_->notebooks().DeleteRule(insurer_, "games", rule->id));
  spec.name = "late";
  spec.runners = {"ins"};
  EXPECT_EQ(rooms_->notebooks().Publish(federation_, "games", spec)->state, Decision::kPending);
}

TEST_F(NotebooksTest, RefusesWhatIsNoNotebook) {
  NotebookSpec spec;
  spec.name = "bad";
  spec.content = "%%%";
  EXPECT_EQ(CodeOf(rooms_->notebooks().Publish(federation_, "games", spec)), ErrorCode::kInvalidParameterValue);
  spec.content = Base64Encode("SELECT 1");
  spec.name = "a/b";
  EXPECT_EQ(CodeOf(rooms_->notebooks().Publish(federation_, "games", spec)), ErrorCode::kInvalidParameterValue);
  spec.name = "ok";
  spec.runners = {"nobody"};
  EXPECT_EQ(CodeOf(rooms_->notebooks().Publish(federation_, "games", spec)), ErrorCode::kInvalidParameterValue);
  MakeNotebook("ok");
  spec.runners.clear();
  EXPECT_EQ(CodeOf(rooms_->notebooks().Publish(federation_, "games", spec)), ErrorCode::kAlreadyExists);
  Check(rooms_->notebooks().Withdraw(federation_, "games", "ok"));
  EXPECT_EQ(CodeOf(rooms_->notebooks().Get(insurer_, "games", "ok")), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace glovebox::room
