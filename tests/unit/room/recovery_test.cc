// SPDX-License-Identifier: Apache-2.0
//
// What a new process finds after the old one died at a place of a test's choosing: a child, which is this program
// again, acts on the test's data until it reaches a kill point, and the test opens the data again.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

// A ledger that fails, or a store that is left behind.
class FailingLedger final : public RoomLedger {
 public:
  explicit FailingLedger(RoomLedger& inner) : inner_(inner) {}
  Result<std::int64_t> Open(const RoomId& room, const std::vector<LedgerParty>& parties,
                            const LedgerEntry& first) override {
    return fails ? Result<std::int64_t>(Status(ErrorCode::kUnavailable, "disk full"))
                 : inner_.Open(room, parties, first);
  }
  Result<std::int64_t> Append(const RoomId& room, const LedgerEntry& entry) override {
    return fails ? Result<std::int64_t>(Status(ErrorCode::kUnavailable, "disk full")) : inner_.Append(room, entry);
  }
  Result<std::optional<std::int64_t>> Find(const RoomId& room, const std::string& id) override {
    return inner_.Find(room, id);
  }
  Result<LedgerHead> Head(const RoomId& room) override { return inner_.Head(room); }
  Result<std::string> Read(const RoomId& room, std::int64_t index) override { return inner_.Read(room, index); }
  Status WriteEvidence(const RoomId& room, const ledger::BundleContents& contents,
                       const std::function<Status(std::string_view)>& write) override {
    return inner_.WriteEvidence(room, contents, write);
  }
  bool fails = false;

 private:
  RoomLedger& inner_;
};

// A store that refuses some statements some times.
class FailingDatabase final : public store::Database {
 public:
  explicit FailingDatabase(store::Database& inner) : inner_(inner) {}
  Result<std::unique_ptr<store::Transaction>> Begin(store::Access access) override {
    GB_ASSIGN_OR_RETURN(std::unique_ptr<store::Transaction> inner, inner_.Begin(access));
    return std::unique_ptr<store::Transaction>(std::make_unique<Failing>(*this, std::move(inner)));
  }
  // The next `times` statements that begin with `prefix`.
  void Fail(const std::string& prefix, int times) {
    prefix_ = prefix;
    left_ = times;
  }
  [[nodiscard]] int left() const { return left_; }

 private:
  class Failing final : public store::Transaction {
   public:
    Failing(FailingDatabase& owner, std::unique_ptr<store::Transaction> inner)
        : owner_(owner), inner_(std::move(inner)) {}
    Result<std::int64_t> Execute(std::string_view sql, const std::vector<store::Value>& parameters) override {
      return owner_.Takes(sql) ? Status(ErrorCode::kUnavailable, "busy") : inner_->Execute(sql, parameters);
    }
    Result<std::vector<store::Row>> Query(std::string_view sql, const std::vector<store::Value>& parameters) override {
      return owner_.Takes(sql) ? Status(ErrorCode::kUnavailable, "busy") : inner_->Query(sql, parameters);
    }
    Status Commit() override { return inner_->Commit(); }

   private:
    FailingDatabase& owner_;
    std::unique_ptr<store::Transaction> inner_;
  };
  bool Takes(std::string_view sql) {
    if (left_ == 0 || !sql.starts_with(prefix_)) {
      return false;
    }
    --left_;
    return true;
  }

  store::Database& inner_;
  std::string prefix_;
  int left_ = 0;
};

class RecoveryTest : public RoomTest {
 protected:
  // The room's services over a store that can fail.
  void FailLater() {
    failing_ = std::make_unique<FailingDatabase>(*database_);
    rooms_.reset();
    rooms_ = std::move(*Rooms::Open({*failing_, engine_, *metastores_, *ledger_, clock_, random_, data_folder_}));
  }
  ~RecoveryTest() override { rooms_.reset(); }

  std::unique_ptr<FailingDatabase> failing_;
};

constexpr const char* kSettles = "DELETE FROM room_intents";

TEST_F(RecoveryTest, AStoreThatFailsOnceIsAskedAgain) {
  MakeActiveRoom();
  FailLater();
  failing_->Fail(kSettles, limits::kSettleTriesMax - 1);
  Approve(MakeNotebook());
  EXPECT_EQ(failing_->left(), 0);
  EXPECT_EQ(rooms_->notebooks().Get(federation_, "games", "overlap")->state, Decision::kApproved);
}

TEST_F(RecoveryTest, ARoomWhoseLedgerIsAheadTakesNoChangesUntilItIsSettled) {
  MakeActiveRoom();
  const NotebookView notebook = MakeNotebook();
  FailLater();
  const auto decide = [&](Decision decision) {
    return CodeOf(rooms_->notebooks().Review(insurer_, "games", "overlap", {notebook.version.etag, decision, ""}));
  };
  failing_->Fail(kSettles, limits::kSettleTriesMax + 1);
  EXPECT_EQ(decide(Decision::kRejected), ErrorCode::kUnavailable);
  EXPECT_EQ(Events().back(), "approval.denied") << "it is on the ledger";
  EXPECT_EQ(decide(Decision::kApproved), ErrorCode::kUnavailable) << "nothing later overtakes it";
  EXPECT_EQ(failing_->left(), 0);
  EXPECT_EQ(decide(Decision::kApproved), ErrorCode::kUnavailable) << "settled now; what was checked before is old";
  EXPECT_EQ(rooms_->notebooks().Get(federation_, "games", "overlap")->state, Decision::kRejected);
  EXPECT_EQ(decide(Decision::kApproved), ErrorCode::kOk);
  Restart();
  EXPECT_EQ(rooms_->notebooks().Get(federation_, "games", "overlap")->state, Decision::kApproved);
}

TEST_F(RecoveryTest, TheSweepSettlesRooms) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  FailLater();
  failing_->Fail(kSettles, limits::kSettleTriesMax);
  EXPECT_EQ(CodeOf(rooms_->rooms().Join(insurer_, "games")), ErrorCode::kUnavailable);
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->room.state, RoomState::kProvisioning);
  Check(rooms_->Sweep());
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->room.state, RoomState::kActive);
}

TEST_F(RecoveryTest, ARoomThatCannotBeSettledStopsNoOther) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  FailLater();
  failing_->Fail(kSettles, limits::kSettleTriesMax);
  EXPECT_EQ(CodeOf(rooms_->rooms().Join(insurer_, "games")), ErrorCode::kUnavailable);
  failing_->Fail(kSettles, 2);  // once more at each of the start's two steps
  auto reopened = Rooms::Open({*failing_, engine_, *metastores_, *ledger_, clock_, random_, data_folder_});
  ASSERT_TRUE(reopened.ok());
  rooms_ = std::move(*reopened);
  EXPECT_EQ(failing_->left(), 0);
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->room.state, RoomState::kProvisioning);
  Check(rooms_->rooms().Create(federation_, Spec("other")));
  Check(rooms_->Sweep());
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->room.state, RoomState::kActive);
}

TEST_F(RecoveryTest, EveryStepOfARunIsTakenAgain) {
  MakeActiveRoom();
  Approve(MakeNotebook());
  FailLater();
  for (int failures = 1; failures <= 3; ++failures) {
    // Reading it; its end; what follows the end.
    for (const char* prefix : {"SELECT id, task_id", "UPDATE room_runs", "INSERT INTO room_outputs"}) {
      const auto run = rooms_->runs().Submit(federation_, Submission());
      ASSERT_TRUE(run.ok()) << run.status().message();
      failing_->Fail(prefix, failures);
      Settle();
      EXPECT_EQ(failing_->left(), 0) << prefix;
      EXPECT_EQ(rooms_->runs().Get(federation_, run->run.id)->run.state, RunState::kTerminated) << prefix;
    }
  }
}

TEST_F(RecoveryTest, ACanceledRunEndsAlsoIfTheStoreFails) {
  MakeActiveRoom();
  Approve(MakeNotebook());
  FailLater();
  const auto run = rooms_->runs().Submit(federation_, Submission());
  failing_->Fail("UPDATE room_runs", 1);
  Check(rooms_->runs().Cancel(federation_, run->run.id));
  EXPECT_EQ(failing_->left(), 0);
  Settle();
  EXPECT_EQ(rooms_->runs().Get(federation_, run->run.id)->run.outcome, RunOutcome::kCanceled);
  EXPECT_EQ(engine_.runs, 0);
}

TEST_F(RecoveryTest, ARunThatIsStoredLateRuns) {
  MakeActiveRoom();
  Approve(MakeNotebook());
  FailLater();
  failing_->Fail(kSettles, limits::kSettleTriesMax);
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(federation_, Submission())), ErrorCode::kUnavailable);
  Check(rooms_->Sweep());
  Settle();
  EXPECT_EQ(LastRun(federation_).run.outcome, RunOutcome::kSuccess);
}

TEST_F(RecoveryTest, ARoomThatCouldNotBeClosedIsClosedByTheSweep) {
  MakeActiveRoom();
  FailLater();
  failing_->Fail("UPDATE room_rooms", 1 + limits::kSettleTriesMax);
  EXPECT_FALSE(rooms_->DeleteRoom(federation_, "games").ok());
  for (int i = 0; i < 4; ++i) {
    Check(rooms_->Sweep());
  }
  EXPECT_EQ(failing_->left(), 0);
  EXPECT_EQ(rooms_->rooms().Get(insurer_, "games")->room.state, RoomState::kClosed);
}

TEST_F(RecoveryTest, WhatIsNotOnTheLedgerDoesNotHappen) {
  FailingLedger ledger(*ledger_);
  rooms_ = std::move(*Rooms::Open({*database_, engine_, *metastores_, ledger, clock_, random_, data_folder_}));
  MakeActiveRoom();
  const NotebookView notebook = MakeNotebook();
  RuleSpec rule;
  rule.any_author = true;
  rule.runner_alias = "ins";
  const auto made = rooms_->notebooks().CreateRule(insurer_, "games", rule);
  Check(made);
  Check(rooms_->rooms().Create(federation_, Spec("second")));
  ledger.fails = true;
  EXPECT_EQ(CodeOf(rooms_->notebooks().Review(insurer_, "games", "overlap",
                                              {notebook.version.etag, Decision::kApproved, ""})),
            ErrorCode::kUnavailable);
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, Spec("other"))), ErrorCode::kUnavailable);
  EXPECT_EQ(CodeOf(rooms_->DeleteRoom(federation_, "games")), ErrorCode::kUnavailable);
  EXPECT_EQ(CodeOf(rooms_->rooms().Join(insurer_, "second")), ErrorCode::kUnavailable);
  rule.runner_alias = "fed";
  EXPECT_EQ(CodeOf(rooms_->notebooks().UpdateRule(insurer_, "games", made->id, rule)), ErrorCode::kUnavailable);
  ledger.fails = false;
  EXPECT_EQ(rooms_->rooms().Get(insurer_, "second")->owner, std::string(catalog::kAdminsGroup));
  EXPECT_EQ(rooms_->notebooks().GetRule(insurer_, "games", made->id)->runner_alias, "ins");
  EXPECT_EQ(rooms_->notebooks().Get(federation_, "games", "overlap")->state, Decision::kPending);
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->room.state, RoomState::kActive);
  EXPECT_EQ(CodeOf(rooms_->rooms().Get(federation_, "other")), ErrorCode::kNotFound);
  rooms_.reset();
}

TEST_F(RecoveryTest, WhatIsOnTheLedgerTakesEffectAfterACrash) {
  MakeActiveRoom();
  // What a crash between the ledger and the store leaves: an intent, and its entry.
  const RoomId room = rooms_->rooms().Get(federation_, "games")->room.id;
  const auto leave_intent = [&](const std::string& id, const std::string& comment) {
    const auto tx = database_->Begin(store::Access::kWrite);
    const std::string effects = R"([{"sql":"UPDATE room_rooms SET reason = ? WHERE id = ?","parameters":[")" + comment +
                                "\",\"" + room.str() + "\"]}]";
    Check((*tx)->Execute("INSERT INTO room_intents (id, room_id, effects, created_at) VALUES (?, ?, ?, 1)",
                         {id, room.str(), effects}));
    Check((*tx)->Commit());
  };
  LedgerEntry entry = EntryOf(EventType::kAssetUpdated, "fed", "owner", "fed.sports.athletes");
  entry.id = NewUuid(clock_, random_);
  Check(ledger_->Append(room, entry));
  leave_intent(entry.id, "settled");
  leave_intent(NewUuid(clock_, random_), "never happened");
  Restart();
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->room.reason, "settled");
  Restart();
  const auto tx = database_->Begin(store::Access::kRead);
  EXPECT_EQ((*tx)->QueryOne("SELECT COUNT(*) FROM room_intents").value()->Int(0), 0);
}

TEST_F(RecoveryTest, ARunThatHasNotBegunGoesOn) {
  MakeActiveRoom();
  Approve(MakeNotebook());
  const auto run = rooms_->runs().Submit(federation_, Submission());
  clock_.AdvanceMs(3'600'000);
  Restart();
  Settle();
  const auto done = rooms_->runs().Get(federation_, run->run.id);
  EXPECT_EQ(done->run.outcome, RunOutcome::kSuccess);
  EXPECT_EQ(ToInt(done->run.visible_at) - ToInt(done->run.requested_at), 250) << "counted from the restart";
}

TEST_F(RecoveryTest, ARunThatTheServersStopInterruptsFailsAndSaysSo) {
  MakeActiveRoom();
  Approve(MakeNotebook());
  const auto run = rooms_->runs().Submit(federation_, Submission());
  engine_.during_run = [this] {
    rooms_->runs().Interrupt();
    ASSERT_EQ(engine_.canceled.size(), 1U);
    engine_.run_error = Status(ErrorCode::kRunFailed, "killed");
  };
  ASSERT_TRUE(rooms_->runs().queue().Step());
  engine_.during_run = nullptr;
  engine_.run_error = Status();
  Restart();
  Settle();
  EXPECT_FALSE(FileExists(engine_.last_run.output_folder)) << "what it computed was never released";
  const auto done = rooms_->runs().Get(federation_, run->run.id);
  EXPECT_EQ(done->run.outcome, RunOutcome::kFailed);
  EXPECT_NE(done->run.message.find("run again"), std::string::npos);
  EXPECT_EQ(Events().back(), "run.failed");
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(federation_, Submission())), ErrorCode::kOk) << "the work goes on";
}

TEST_F(RecoveryTest, ARunWhoseRecordIsStoredIsCompleted) {
  MakeActiveRoom();
  Approve(MakeNotebook());
  const auto run = rooms_->runs().Submit(federation_, Submission());
  ASSERT_TRUE(rooms_->runs().queue().Step());
  EXPECT_EQ(Events().back(), "run.started") << "recorded, not yet completed";
  Restart();
  Settle();
  EXPECT_EQ(rooms_->runs().Get(federation_, run->run.id)->run.outcome, RunOutcome::kSuccess);
  EXPECT_EQ(CountEvents("run.completed"), 1);
  const auto outputs = rooms_->outputs().List(federation_, "games");
  ASSERT_EQ(outputs->size(), 1U);
  EXPECT_TRUE(rooms_->outputs().Rows(federation_, "games", (*outputs)[0].output.id, 10).ok());
  RunToEnd("overlap", "another");
  EXPECT_EQ(engine_.last_run.history.size(), 1U);
}

// What the children do; disabled for everybody else.
using ActTest = RoomTest;

TEST_F(ActTest, DISABLED_Run) { RunToEnd(); }

TEST_F(ActTest, DISABLED_Export) {
  const auto outputs = rooms_->outputs().List(federation_, "games");
  ASSERT_EQ(outputs->size(), 1U);
  static_cast<void>(rooms_->outputs().CreateExport(federation_, "games", outputs->front().output.id));
}

class KillTest : public RoomTest {
 protected:
  // Whether a child that does `act` on this test's data dies at the kill point.
  bool DiesAt(const std::string& point, const std::string& act) {
    Close();
    const std::string filter = "--gtest_filter=ActTest.DISABLED_" + act;
    const pid_t child = fork();
    if (child == 0) {
      setenv("GB_KILL_AT", point.c_str(), 1);
      setenv(kFolderVariable, data_folder_.c_str(), 1);
      execl("/proc/self/exe", "room_test", filter.c_str(), "--gtest_also_run_disabled_tests", nullptr);
      _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    clock_.AdvanceMs(10'000'000);
    Reopen();
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }
  void RunUntil(const char* point) {
    MakeActiveRoom();
    Approve(MakeNotebook());
    ASSERT_TRUE(DiesAt(point, "Run")) << point;
    Settle();
  }
};

TEST_F(KillTest, AfterAuthorisation) {
  RunUntil("room.run_authorized");
  EXPECT_EQ(LastRun(federation_).run.outcome, RunOutcome::kFailed);
  EXPECT_EQ(Events().back(), "run.failed");
}

TEST_F(KillTest, AfterTheReleaseRecord) {
  RunUntil("room.release_recorded");
  EXPECT_EQ(LastRun(federation_).run.outcome, RunOutcome::kSuccess);
  EXPECT_EQ(CountEvents("run.completed"), 1);
  EXPECT_EQ(RunToEnd().size(), 2U);
  EXPECT_EQ(engine_.runs, 0) << "from the record; a process that is gone computed it";
}

TEST_F(KillTest, AfterCompletionIsOnTheLedger) {
  RunUntil("room.run_completed");
  EXPECT_EQ(LastRun(federation_).run.outcome, RunOutcome::kSuccess);
  EXPECT_EQ(CountEvents("run.completed"), 1) << "the entry is not repeated";
  EXPECT_EQ(rooms_->outputs().List(federation_, "games")->front().output.state, OutputState::kReleased);
}

TEST_F(KillTest, DuringAnExport) {
  MakeActiveRoom();
  Approve(MakeNotebook());
  RunToEnd();
  ASSERT_TRUE(DiesAt("room.export_requested", "Export"));
  const auto exports = rooms_->outputs().Exports(federation_, "games");
  ASSERT_EQ(exports->size(), 1U);
  EXPECT_EQ((*exports)[0].state, ExportState::kReleased) << "what was asked for goes on";
  EXPECT_TRUE(rooms_->outputs().Content(federation_, "games", (*exports)[0].id).ok());
}

}  // namespace
}  // namespace glovebox::room
