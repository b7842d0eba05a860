// SPDX-License-Identifier: Apache-2.0
#include <new>

#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

class RunsTest : public RoomTest {
 protected:
  RunsTest() { MakeActiveRoom(); }
  json::Value LastEntry(const std::string& type) {
    const std::vector<std::string> entries = Entries();
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      json::Value parsed = json::Parse(*entry).value();
      if (parsed.GetString("type") == type) {
        return parsed;
      }
    }
    return {};
  }
};

TEST_F(RunsTest, ARunBeforeApprovalIsRefusedAndOnTheLedger) {
  MakeNotebook();
  const auto run = rooms_->runs().Submit(federation_, Submission());
  EXPECT_EQ(CodeOf(run), ErrorCode::kInvalidState);
  EXPECT_NE(run.status().message().find("'ins'"), std::string::npos) << run.status().message();
  EXPECT_EQ(Events().back(), "run.denied");
  EXPECT_EQ(engine_.runs, 0);
}

TEST_F(RunsTest, AServerWithoutWorkersTakesNoRun) {
  Approve(MakeNotebook());
  engine_.ready = Status(ErrorCode::kUnavailable, "no barriers");
  const auto run = rooms_->runs().Submit(federation_, Submission());
  EXPECT_EQ(CodeOf(run), ErrorCode::kUnavailable);
  EXPECT_EQ(run.status().message(), "no barriers");
  EXPECT_EQ(CountEvents("run.requested"), 0);
}

TEST_F(RunsTest, AnApprovedVersionRuns) {
  Approve(MakeNotebook("overlap", "games", kBothTables));
  const auto run = rooms_->runs().Submit(federation_, Submission());
  ASSERT_TRUE(run.ok()) << run.status().message();
  EXPECT_EQ(run->run.state, RunState::kQueued);
  Settle();
  const auto done = rooms_->runs().Get(federation_, run->run.id);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->run.state, RunState::kTerminated);
  EXPECT_EQ(done->run.outcome, RunOutcome::kSuccess) << done->run.message;
  EXPECT_EQ(rooms_->runs().Get(federation_, done->run.task_id)->run.id, done->run.id) << "also by the task's id";
  const std::vector<std::string> events = Events();
  const std::vector<std::string> last(events.end() - 6, events.end());
  EXPECT_EQ(last, (std::vector<std::string>{"run.requested", "run.authorized", "run.started", "run.completed",
                                            "output.created", "review.decided"}));
  EXPECT_EQ(engine_.last_run.assets.size(), 2U);
  EXPECT_EQ(engine_.last_run.assets[0].role, engine::Role::kOwn);
  EXPECT_EQ(engine_.last_run.assets[1].role, engine::Role::kProtected);
}

TEST_F(RunsTest, StaleEtagAndForeignRunnerAreRefused) {
  const NotebookView notebook = MakeNotebook();
  Approve(notebook);
  SubmitSpec stale = Submission();
  stale.etag = Etag("0123");
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(federation_, stale)), ErrorCode::kAborted);
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(insurer_, Submission())), ErrorCode::kPermissionDenied);
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(federation_, Submission("nothing"))), ErrorCode::kNotFound);
  EXPECT_EQ(engine_.runs, 0);
}

TEST_F(RunsTest, NeedsThePrivilegeToExecute) {
  Approve(MakeNotebook());
  const Caller clerk = AddUser(federation_, "clerk@federation.example");
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(clerk, Submission())), ErrorCode::kNotFound);
  Grant(federation_, catalog::SecurableKind::kCleanRoom, "games", clerk, {catalog::Privilege::kBrowse});
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(clerk, Submission())), ErrorCode::kPermissionDenied);
  Grant(federation_, catalog::SecurableKind::kCleanRoom, "games", clerk, {catalog::Privilege::kExecuteCleanRoomTask});
  const auto run = rooms_->runs().Submit(clerk, Submission());
  ASSERT_TRUE(run.ok()) << run.status().message();
  auto revoked = catalog_->grants.Change(federation_, catalog::SecurableKind::kCleanRoom, "games",
                                         {{clerk.name, {}, {catalog::Privilege::kExecuteCleanRoomTask}}});
  Check(revoked);
  Settle();
  EXPECT_EQ(rooms_->runs().Get(clerk, run->run.id)->run.outcome, RunOutcome::kDenied)
      << "privileges are checked again when the run starts";
  EXPECT_EQ(engine_.runs, 0);
}

TEST_F(RunsTest, AWithdrawnApprovalStopsAQueuedRun) {
  const NotebookView notebook = MakeNotebook();
  Approve(notebook);
  const auto run = rooms_->runs().Submit(federation_, Submission());
  Check(rooms_->notebooks().Review(insurer_, "games", "overlap", {notebook.version.etag, Decision::kRejected, ""}));
  Settle();
  EXPECT_EQ(rooms_->runs().Get(federation_, run->run.id)->run.outcome, RunOutcome::kDenied);
  EXPECT_EQ(engine_.runs, 0);
  EXPECT_EQ(CountEvents("run.authorized"), 0);
}

TEST_F(RunsTest, WhatIsWithdrawnWhileARunIsPreparedIsNotUsed) {
  Approve(MakeNotebook());
  ReplaceTable(insurer_, "customers");
  engine_.during_prepare = [this] {
    engine_.during_prepare = nullptr;
    Check(rooms_->assets().WithdrawTable(insurer_, "games", "ins.health.customers"));
  };
  RunToEnd();
  EXPECT_FALSE(engine_.during_prepare) << "it was prepared before";
  EXPECT_EQ(engine_.last_run.assets.size(), 0U);
  EXPECT_EQ(json::Write(*LastEntry("run.authorized").Get("data")->Get("inputs")), "[]");
}

TEST_F(RunsTest, ARuleSetWhileARunIsPreparedIsTheRunsRule) {
  Approve(MakeNotebook("overlap", "games", kBothTables));
  ReplaceTable(insurer_, "customers");
  json::Value stricter = Rule();
  stricter.as_object().Set("min_units", 100);
  engine_.during_prepare = [&] {
    engine_.during_prepare = nullptr;
    Check(rooms_->assets().SetRule(federation_, "games", "fed.sports.athletes", stricter));
  };
  RunToEnd();
  ASSERT_EQ(engine_.last_run.assets.size(), 2U);
  EXPECT_EQ(engine_.last_run.assets[0].rule, json::WriteCanonical(stricter));
  const json::Value inputs = *LastEntry("run.authorized").Get("data")->Get("inputs");
  EXPECT_EQ(inputs.as_array()[0].GetString("rule_sha256"), HexDigest(json::WriteCanonical(stricter)));
  EXPECT_EQ(inputs.as_array()[0].GetString("owner"), "fed");
}

TEST_F(RunsTest, LosingSelectWhileARunIsPreparedDeniesTheTable) {
  Approve(MakeNotebook());
  const Caller owner = AddUser(insurer_, "owner@insurer.example");
  Grant(insurer_, catalog::SecurableKind::kCatalog, "main", owner,
        {catalog::Privilege::kUseCatalog, catalog::Privilege::kUseSchema, catalog::Privilege::kSelect});
  Check(rooms_->rooms().Update(insurer_, "games", {.comment = std::nullopt, .owner = owner.name}));
  ReplaceTable(insurer_, "customers");
  engine_.during_prepare = [&] {
    engine_.during_prepare = nullptr;
    Check(catalog_->grants.Change(insurer_, catalog::SecurableKind::kCatalog, "main",
                                  {{owner.name, {}, {catalog::Privilege::kSelect}}}));
  };
  RunToEnd();
  EXPECT_FALSE(engine_.during_prepare);
  EXPECT_EQ(engine_.last_run.assets.size(), 0U);
}

TEST_F(RunsTest, TablesThatChangeAllTheTimeEndTheRun) {
  Approve(MakeNotebook("overlap", "games", kBothTables));
  ReplaceTable(insurer_, "customers");
  ReplaceTable(federation_, "athletes");
  const int before = engine_.prepares;
  engine_.during_prepare = [&] {
    const bool is_own = (engine_.prepares - before) % 2 == 1;
    ReplaceTable(is_own ? insurer_ : federation_, is_own ? "customers" : "athletes");
  };
  const auto run = rooms_->runs().Submit(federation_, Submission());
  Settle();
  const auto done = rooms_->runs().Get(federation_, run->run.id);
  EXPECT_EQ(done->run.outcome, RunOutcome::kDenied);
  EXPECT_EQ(done->run.error_code, "ABORTED");
  EXPECT_EQ(engine_.prepares, before + 2 * limits::kRunCollectsMax);
  EXPECT_EQ(CountEvents("run.authorized"), 0);
}

TEST_F(RunsTest, OnlyTablesThatTheNotebookNamesAreUsed) {
  ReplaceTable(federation_, "athletes");
  const int before = engine_.prepares;
  Approve(MakeNotebook());
  RunToEnd();
  ASSERT_EQ(engine_.last_run.assets.size(), 1U);
  EXPECT_EQ(Join(engine_.last_run.assets[0].name, "."), "ins.health.customers");
  EXPECT_EQ(engine_.prepares, before) << "the other one is not even prepared";
}

TEST_F(RunsTest, ANotebookNamesABoundedNumberOfTables) {
  std::string sql = "SELECT COUNT(*) FROM ins.health.customers";
  for (std::size_t i = 0; i < limits::kRunTablesMax; ++i) {
    const std::string name = "ins.many.t" + std::to_string(i);
    Check(rooms_->assets().PublishTable(insurer_, "games", {name, "main.default.customers"}));
    sql += " UNION ALL SELECT COUNT(*) FROM " + name;
  }
  NotebookSpec spec;
  spec.name = "many";
  spec.content = Base64Encode(sql);
  Check(rooms_->notebooks().Publish(federation_, "games", spec));
  const auto refused = rooms_->notebooks().Preview(federation_, "games", "many", {});
  EXPECT_EQ(CodeOf(refused), ErrorCode::kNotSupported);
  EXPECT_NE(refused.status().message().find("100 tables"), std::string::npos) << refused.status().message();
}

TEST_F(RunsTest, EachRunSeesTheRecordsOfAllBeforeIt) {
  Approve(MakeNotebook());
  RunToEnd();
  EXPECT_TRUE(engine_.last_run.history.empty());
  RunToEnd("overlap", "second");
  ASSERT_EQ(engine_.last_run.history.size(), 1U);
  EXPECT_EQ(engine_.last_run.history[0].GetInt("run"), 1);
  Restart();
  RunToEnd("overlap", "third");
  ASSERT_EQ(engine_.last_run.history.size(), 2U);
  EXPECT_EQ(engine_.last_run.history[1].GetInt("run"), 2);
}

TEST_F(RunsTest, TheReleaseRecordStaysOnTheOwnersSide) {
  Approve(MakeNotebook());
  RunToEnd();
  for (const std::string& entry : Entries()) {
    EXPECT_EQ(entry.find("only for owners"), std::string::npos);
  }
  const auto runs = RunsInRoom(insurer_);
  EXPECT_TRUE(runs.front().run.completion.is_null());
  EXPECT_EQ(json::Write(*rooms_->runs().Certificate(insurer_, "games", runs.front().run.id)), engine_.certificate);
}

TEST_F(RunsTest, WhatIsVisibleOfTimeIsRoundedUp) {
  EXPECT_EQ(RoundedDurationMs(0), 250);
  EXPECT_EQ(RoundedDurationMs(250), 250);
  EXPECT_EQ(RoundedDurationMs(251), 500);
  EXPECT_EQ(RoundedDurationMs(1'001), 2'000);
  Approve(MakeNotebook());
  engine_.during_run = [this] { clock_.AdvanceMs(600); };
  const auto run = rooms_->runs().Submit(federation_, Submission());
  while (rooms_->runs().queue().Step()) {
  }
  EXPECT_EQ(rooms_->runs().Get(federation_, run->run.id)->run.state, RunState::kRunning)
      << "computed after 600 ms, visible after 1,000";
  EXPECT_EQ(rooms_->outputs().List(federation_, "games")->size(), 0U);
  EXPECT_EQ(Events().back(), "run.started");
  clock_.AdvanceMs(399);
  EXPECT_FALSE(rooms_->runs().queue().Step());
  clock_.AdvanceMs(1);
  EXPECT_TRUE(rooms_->runs().queue().Step());
  const auto done = rooms_->runs().Get(federation_, run->run.id);
  EXPECT_EQ(done->run.state, RunState::kTerminated);
  EXPECT_EQ(ToInt(done->run.visible_at) - ToInt(done->run.requested_at), 1'000);
  EXPECT_EQ(ToInt(done->run.output_expires_at) - ToInt(done->run.visible_at), limits::kOutputLifetimeMs);
  // The time within a UUID of version 7: its first 48 bits.
  const std::string id = rooms_->outputs().List(federation_, "games")->front().output.id.str();
  EXPECT_EQ(std::stoll(id.substr(0, 8) + id.substr(9, 4), nullptr, 16), ToInt(done->run.visible_at));
}

TEST_F(RunsTest, TheNextRunOfARoomBeginsWhenTheLastIsSeen) {
  Approve(MakeNotebook());
  engine_.during_run = [this] { clock_.AdvanceMs(600); };
  SubmitSpec next = Submission();
  next.parameters = json::Value(json::Object{{"variant", "another"}});
  Check(rooms_->runs().Submit(federation_, Submission()));
  Check(rooms_->runs().Submit(federation_, next));
  EXPECT_TRUE(rooms_->runs().queue().Step());
  EXPECT_FALSE(rooms_->runs().queue().Step()) << "computed, not to be seen yet";
  clock_.AdvanceMs(400);
  EXPECT_TRUE(rooms_->runs().queue().Step());
  EXPECT_TRUE(rooms_->runs().queue().Step());
  EXPECT_EQ(engine_.runs, 2);
}

TEST_F(RunsTest, WhoSeesTheEndCanReadTheOutputs) {
  Approve(MakeNotebook());
  const auto run = rooms_->runs().Submit(federation_, Submission());
  engine_.during_select = [&] {
    EXPECT_EQ(rooms_->runs().Get(federation_, run->run.id)->run.state, RunState::kRunning);
  };
  Settle();
  EXPECT_EQ(engine_.selects, 1);
  EXPECT_EQ(rooms_->runs().Get(federation_, run->run.id)->run.state, RunState::kTerminated);
}

TEST_F(RunsTest, ARefusalIsDetailedAndAFailureIsNot) {
  Approve(MakeNotebook());
  engine_.run_error = Status(ErrorCode::kQueryRefused, "SUM of a product").WithRule("P4");
  auto run = rooms_->runs().Submit(federation_, Submission());
  Settle();
  auto done = rooms_->runs().Get(federation_, run->run.id);
  EXPECT_EQ(done->run.outcome, RunOutcome::kDenied);
  EXPECT_EQ(done->run.rule, "P4");
  EXPECT_EQ(done->run.message, "SUM of a product");
  EXPECT_EQ(Events().back(), "run.denied");
  EXPECT_EQ(RunsInRoom(insurer_).front().run.message, "") << "for the runner only";

  engine_.run_error = Status(ErrorCode::kInternal, "value 17 of column income");
  run = rooms_->runs().Submit(federation_, Submission());
  Settle();
  done = rooms_->runs().Get(federation_, run->run.id);
  EXPECT_EQ(done->run.outcome, RunOutcome::kFailed);
  EXPECT_EQ(done->run.error_code, "RUN_FAILED");
  EXPECT_EQ(done->run.message.find("income"), std::string::npos);
  EXPECT_EQ(Events().back(), "run.failed");
  EXPECT_EQ(rooms_->outputs().List(federation_, "games")->size(), 0U);
}

TEST_F(RunsTest, AnIdempotencyTokenGivesTheSameRun) {
  Approve(MakeNotebook());
  SubmitSpec spec = Submission();
  spec.idempotency_token = "once";
  const auto first = rooms_->runs().Submit(federation_, spec);
  EXPECT_EQ(rooms_->runs().Submit(federation_, spec)->run.id, first->run.id);
  Settle();
  EXPECT_EQ(engine_.runs, 1);

  Approve(MakeNotebook("another"));
  SubmitSpec elsewhere = spec;
  elsewhere.notebook = "another";
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(federation_, elsewhere)), ErrorCode::kAlreadyExists);
  const Caller clerk = AddUser(federation_, "clerk@federation.example");
  Grant(federation_, catalog::SecurableKind::kCleanRoom, "games", clerk, {catalog::Privilege::kExecuteCleanRoomTask});
  const auto foreign = rooms_->runs().Submit(clerk, spec);
  EXPECT_EQ(CodeOf(foreign), ErrorCode::kAlreadyExists) << "another's run, with his parameters";
  spec.idempotency_token = std::string(65, 'x');
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(federation_, spec)), ErrorCode::kInvalidParameterValue);
}

TEST_F(RunsTest, OthersDoNotSeeARun) {
  Approve(MakeNotebook());
  const auto run = rooms_->runs().Submit(federation_, Submission());
  const auto foreign = rooms_->runs().Get(insurer_, run->run.id);
  EXPECT_EQ(CodeOf(foreign), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(foreign.status().message(), "Run 1 does not exist.");
  EXPECT_EQ(rooms_->runs().List(insurer_, {}, {})->items.size(), 0U);
  EXPECT_EQ(RunsInRoom(insurer_).size(), 1U);
  EXPECT_EQ(CodeOf(rooms_->runs().Cancel(insurer_, run->run.id)), ErrorCode::kInvalidParameterValue);
}

TEST_F(RunsTest, CancelsQueuedAndRunningRuns) {
  Approve(MakeNotebook());
  const auto queued = rooms_->runs().Submit(federation_, Submission());
  Check(rooms_->runs().Cancel(federation_, queued->run.id));
  Settle();
  EXPECT_EQ(rooms_->runs().Get(federation_, queued->run.id)->run.outcome, RunOutcome::kCanceled);
  EXPECT_EQ(engine_.runs, 0);

  const auto running = rooms_->runs().Submit(federation_, Submission());
  engine_.during_run = [&] {
    Check(rooms_->runs().Cancel(federation_, running->run.id));
    ASSERT_EQ(engine_.canceled.size(), 1U);
    EXPECT_EQ(engine_.canceled[0], engine_.last_run.output_folder);
    EXPECT_TRUE(*engine_.last_run.canceled) << "for a job that the engine has not begun";
  };
  Settle();
  EXPECT_EQ(rooms_->runs().Get(federation_, running->run.id)->run.outcome, RunOutcome::kCanceled)
      << "also if the engine had ended just before";
  EXPECT_EQ(rooms_->outputs().List(federation_, "games")->size(), 0U);
  EXPECT_FALSE(FileExists(engine_.last_run.output_folder));
}

TEST_F(RunsTest, AnExceptionFailsTheRunAndNotTheServer) {
  Approve(MakeNotebook());
  engine_.during_run = [] { throw std::bad_alloc(); };
  const auto run = rooms_->runs().Submit(federation_, Submission());
  ASSERT_TRUE(run.ok());
  Settle();
  const auto view = rooms_->runs().Get(federation_, run->run.id);
  EXPECT_EQ(view->run.state, RunState::kTerminated);
  EXPECT_EQ(view->run.outcome, RunOutcome::kFailed);
  EXPECT_FALSE(FileExists(engine_.last_run.output_folder));
  engine_.during_run = nullptr;
  ASSERT_TRUE(rooms_->runs().Submit(federation_, Submission()).ok());
  Settle();
  EXPECT_EQ(rooms_->outputs().List(federation_, "games")->size(), 1U) << "the room is not busy any more";
}

TEST_F(RunsTest, TheQueueIsBounded) {
  Approve(MakeNotebook());
  for (std::size_t i = 0; i < limits::kRunsQueuedPerOrganisationMax; ++i) {
    ASSERT_TRUE(rooms_->runs().Submit(federation_, Submission()).ok());
  }
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(federation_, Submission())), ErrorCode::kResourceExhausted);
}

TEST_F(RunsTest, DeniedRunsOfADayAreLimited) {
  MakeNotebook();
  const auto submit = [&] { return CodeOf(rooms_->runs().Submit(federation_, Submission())); };
  const std::int64_t before = CountEvents("run.denied");
  for (std::size_t i = 0; i < limits::kRunsDeniedPerDayMax + 2; ++i) {
    ASSERT_EQ(submit(), ErrorCode::kInvalidState) << "nobody has approved it";
  }
  const auto most = before + static_cast<std::int64_t>(limits::kRunsDeniedPerDayMax);
  EXPECT_EQ(CountEvents("run.denied"), most);
  EXPECT_EQ(CountEvents("run.requested"), most);
  clock_.AdvanceMs(limits::kDeniedRunsMs);
  EXPECT_EQ(submit(), ErrorCode::kInvalidState);
  EXPECT_EQ(CountEvents("run.denied"), most + 1) << "a day later it is told again";
}

TEST_F(RunsTest, ParametersAreTextsThatTheNotebookMayDeclare) {
  NotebookSpec spec;
  spec.name = "overlap";
  spec.content = Base64Encode(
      "-- Databricks notebook source\nCREATE WIDGET TEXT sport DEFAULT 'Judo';\n\n-- COMMAND ----------\n\n"
      "SELECT COUNT(*) FROM ins.health.customers WHERE sport = :sport");
  const auto notebook = rooms_->notebooks().Publish(federation_, "games", spec);
  ASSERT_TRUE(notebook.ok()) << notebook.status().message();
  Approve(*notebook);
  SubmitSpec submit = Submission();
  submit.parameters = json::Value(json::Object{{"spot", "Rowing"}});
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(federation_, submit)), ErrorCode::kInvalidParameterValue);
  for (const char* name : {"cr_output_schema", "CR_Output_Schema", ""}) {
    submit.parameters = json::Value(json::Object{{name, "x"}});
    EXPECT_EQ(CodeOf(rooms_->runs().Submit(federation_, submit)), ErrorCode::kInvalidParameterValue) << name;
  }
  submit.parameters = json::Value(json::Object{{"sport", "Rowing"}, {"Sport", "Judo"}});
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(federation_, submit)), ErrorCode::kInvalidParameterValue)
      << "SQL does not tell them apart";
  submit.parameters = json::Value(json::Object{{"SPORT", "Rowing"}});
  ASSERT_TRUE(rooms_->runs().Submit(federation_, submit).ok());
  Settle();
  ASSERT_EQ(engine_.last_run.parameters.size(), 1U) << "where it writes is no value that it could use";
  EXPECT_EQ(engine_.last_run.parameters[0].value, "Rowing");
}

}  // namespace
}  // namespace glovebox::room
