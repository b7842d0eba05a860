// SPDX-License-Identifier: Apache-2.0
#include "api/statement_runs.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <new>
#include <set>
#include <thread>

#include "base/limits.h"
#include "tests/unit/catalog/fixture.h"

namespace glovebox::api {
namespace {

constexpr std::int64_t kLongMs = 60'000;

// Answers queries once the gate is open.
class GatedEngine final : public engine::Engine {
 public:
  Result<engine::SelectResult> Select(const engine::SelectRequest& request) override {
    std::unique_lock<std::mutex> lock(mutex_);
    ++started_;
    changed_.notify_all();
    const auto is_canceled = [&] { return canceled_.contains(request.cancel_key); };
    changed_.wait(lock, [&] { return open_ || is_canceled(); });
    if (is_canceled()) {
      return Status(ErrorCode::kAborted, "the job was cancelled");
    }
    if (throws_) {
      throw std::bad_alloc();
    }
    engine::SelectResult result;
    result.file.columns = {{"x", "BIGINT"}};
    result.rows = {{text_bytes_ == 0 ? json::Value(7) : json::Value(std::string(text_bytes_, 'x'))}};
    return result;
  }
  Status CheckFunction(const engine::Function&, const std::vector<engine::Function>&) override { return {}; }
  Result<engine::PreparedAsset> Prepare(const engine::PrepareRequest&) override { return Refused(); }
  Result<engine::RunResult> Run(const engine::RunRequest&) override { return Refused(); }
  void Cancel(const std::string& key) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    canceled_.insert(key);
    changed_.notify_all();
  }

  void Open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void OpenAndThrow() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      throws_ = true;
    }
    Open();
  }
  void OpenAndReturnText(std::size_t bytes) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      text_bytes_ = bytes;
    }
    Open();
  }
  void AwaitStarted(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return started_ >= count; });
  }

 private:
  static Status Refused() { return {ErrorCode::kNotSupported, "not here"}; }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t started_ = 0;
  std::set<std::string> canceled_;
  bool open_ = false;
  bool throws_ = false;
  std::size_t text_bytes_ = 0;  // 0: a number comes back
};

class StatementRunsTest : public catalog::CatalogTest {
 protected:
  // The gate opens before the threads are joined, whatever a test did.
  ~StatementRunsTest() override { engine_.Open(); }

  std::string Submit(const catalog::Caller& caller, const std::string& text = "SELECT 7 AS x") {
    statement::StatementRequest request;
    request.text = text;
    auto id = runs_.Submit(caller, std::move(request));
    EXPECT_TRUE(id.ok()) << id.status().message();
    return id.ok() ? *id : "";
  }
  StatementState StateOf(const std::string& id) { return runs_.Get(admin_, id).value().state; }
  // Statements of the first organisation that run until the gate opens: as many as it may.
  std::vector<std::string> FillShare() {
    static_assert(limits::kStatementThreads == limits::kStatementsRunningPerOrganisationMax + 1);
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < limits::kStatementsRunningPerOrganisationMax; ++i) {
      ids.push_back(Submit(admin_));
    }
    engine_.AwaitStarted(ids.size());
    return ids;
  }

  GatedEngine engine_;
  statement::Executor executor_{*catalog_, engine_};
  StatementRuns runs_{executor_, clock_, random_};
};

TEST_F(StatementRunsTest, WaitGivesTheResultOfAStatementThatEnds) {
  engine_.Open();
  const auto view = runs_.Wait(admin_, Submit(admin_), kLongMs);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->state, StatementState::kSucceeded);
  ASSERT_TRUE(view->outcome != nullptr && view->outcome->ok());
  EXPECT_EQ(view->outcome->value().rows, (std::vector<std::vector<json::Value>>{{json::Value(7)}}));
}

TEST_F(StatementRunsTest, AFailedStatementKeepsItsErrorAndItsText) {
  const auto view = runs_.Wait(admin_, Submit(admin_, "SELEC 1"), kLongMs);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->state, StatementState::kFailed);
  EXPECT_EQ(view->outcome->status().code(), ErrorCode::kSqlSyntax);
  EXPECT_EQ(view->text, "SELEC 1");
}

TEST_F(StatementRunsTest, AnExceptionEndsTheStatementAndNotTheServer) {
  engine_.OpenAndThrow();
  for (std::size_t i = 0; i < limits::kStatementThreads + 1; ++i) {
    const auto view = runs_.Wait(admin_, Submit(admin_), kLongMs);
    ASSERT_TRUE(view.ok());
    EXPECT_EQ(view->state, StatementState::kFailed);
    EXPECT_EQ(view->outcome->status().code(), ErrorCode::kInternal);
  }
}

TEST_F(StatementRunsTest, NobodyButItsSubmitterSeesAStatement) {
  engine_.Open();
  const std::string id = Submit(admin_);
  for (const catalog::Caller& caller : {other_, user_}) {
    EXPECT_EQ(runs_.Get(caller, id).status().code(), ErrorCode::kNotFound);
    EXPECT_EQ(runs_.Wait(caller, id, 0).status().code(), ErrorCode::kNotFound);
    EXPECT_EQ(runs_.Cancel(caller, id).code(), ErrorCode::kNotFound);
  }
  EXPECT_TRUE(runs_.Get(admin_, id).ok());
}

TEST_F(StatementRunsTest, AStatementThatHasNotEndedCanBeCanceled) {
  const std::vector<std::string> share = FillShare();
  const std::string& running = share.front();
  const std::string waiting = Submit(admin_);
  EXPECT_EQ(StateOf(running), StatementState::kRunning);
  EXPECT_EQ(StateOf(waiting), StatementState::kPending);
  EXPECT_TRUE(runs_.Cancel(admin_, waiting).ok());
  EXPECT_EQ(StateOf(waiting), StatementState::kCanceled);
  EXPECT_TRUE(runs_.Cancel(admin_, running).ok());
  const auto view = runs_.Wait(admin_, running, kLongMs);
  EXPECT_EQ(view->state, StatementState::kCanceled);
  EXPECT_EQ(view->outcome, nullptr);
  engine_.Open();
  EXPECT_EQ(runs_.Wait(admin_, share.back(), kLongMs)->state, StatementState::kSucceeded);
  EXPECT_TRUE(runs_.Cancel(admin_, share.back()).ok());
  EXPECT_EQ(StateOf(share.back()), StatementState::kSucceeded) << "what has ended stays";
}

TEST_F(StatementRunsTest, AStatementThatWaitedRunsWithTheRightsOfTheMoment) {
  FillShare();
  const std::string id = Submit(user_);
  const auto number = Named(admin_, user_.name)->number;
  ASSERT_TRUE(catalog_->principals.SetActivity(admin_, number, catalog::Activity::kInactive).ok());
  engine_.Open();
  const auto view = runs_.Wait(user_, id, kLongMs);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->state, StatementState::kFailed);
  EXPECT_EQ(view->outcome->status().code(), ErrorCode::kUnauthenticated) << "as with a revoked token";
}

TEST_F(StatementRunsTest, WhatWaitedDoesNotRunWithARevokedToken) {
  FillShare();
  const auto token = catalog_->tokens.CreateFor(admin_, user_.name, "", std::nullopt);
  ASSERT_TRUE(token.ok());
  const catalog::Caller came = catalog_->tokens.Authenticate(token->value).value();
  const std::string revoked = Submit(came);
  const std::string other = Submit(user_);
  ASSERT_TRUE(catalog_->tokens.Revoke(admin_, token->info.id).ok());
  engine_.Open();
  const auto view = runs_.Wait(user_, revoked, kLongMs);
  ASSERT_EQ(view->state, StatementState::kFailed);
  EXPECT_EQ(view->outcome->status().code(), ErrorCode::kUnauthenticated);
  EXPECT_EQ(runs_.Wait(user_, other, kLongMs)->state, StatementState::kSucceeded) << "came with another one";
}

TEST_F(StatementRunsTest, WithinAnOrganisationWhoRunsLeastIsNext) {
  const std::vector<std::string> share = FillShare();
  const std::string second = Submit(admin_);
  const std::string first = Submit(user_);
  ASSERT_TRUE(runs_.Cancel(admin_, share[0]).ok());
  engine_.AwaitStarted(limits::kStatementsRunningPerOrganisationMax + 1);
  EXPECT_EQ(runs_.Get(user_, first)->state, StatementState::kRunning);
  EXPECT_EQ(StateOf(second), StatementState::kPending);
}

TEST_F(StatementRunsTest, AnOrganisationThatSubmitsTooMuchIsToldAndOthersAreNot) {
  for (std::size_t i = 0; i < limits::kStatementsUnfinishedPerPrincipalMax; ++i) {
    Submit(admin_);
  }
  EXPECT_EQ(runs_.Submit(admin_, {}).status().code(), ErrorCode::kResourceExhausted);
  for (std::size_t i = limits::kStatementsUnfinishedPerPrincipalMax; i < limits::kStatementsUnfinishedMax; ++i) {
    Submit(user_);
  }
  EXPECT_EQ(runs_.Submit(user_, {}).status().code(), ErrorCode::kResourceExhausted);
  EXPECT_TRUE(runs_.Submit(other_, {}).ok());
}

TEST_F(StatementRunsTest, NoOrganisationTakesAllThreads) {
  FillShare();
  const std::string waiting = Submit(admin_);
  const std::string others = Submit(other_);
  engine_.AwaitStarted(limits::kStatementsRunningPerOrganisationMax + 1);
  EXPECT_EQ(runs_.Get(other_, others)->state, StatementState::kRunning);
  EXPECT_TRUE(runs_.Cancel(other_, others).ok());
  EXPECT_EQ(runs_.Wait(other_, others, kLongMs)->state, StatementState::kCanceled);
  EXPECT_EQ(StateOf(waiting), StatementState::kPending) << "whoever ran the other one has looked for more";
  engine_.Open();
  EXPECT_EQ(runs_.Wait(admin_, waiting, kLongMs)->state, StatementState::kSucceeded);
}

TEST_F(StatementRunsTest, OrganisationsTakeTurns) {
  const catalog::Caller third = Bootstrap("Bank", "bo@bank.example");
  const std::vector<std::string> share = FillShare();
  Submit(other_);
  engine_.AwaitStarted(limits::kStatementThreads);
  const std::string others = Submit(other_);
  const std::string first = Submit(third);
  const std::string second = Submit(third);
  ASSERT_TRUE(runs_.Cancel(admin_, share[0]).ok());
  engine_.AwaitStarted(limits::kStatementThreads + 1);
  EXPECT_EQ(runs_.Get(third, first)->state, StatementState::kRunning);
  ASSERT_TRUE(runs_.Cancel(admin_, share[1]).ok());
  engine_.AwaitStarted(limits::kStatementThreads + 2);
  EXPECT_EQ(runs_.Get(other_, others)->state, StatementState::kRunning);
  EXPECT_EQ(runs_.Get(third, second)->state, StatementState::kPending);
}

TEST_F(StatementRunsTest, WhoFindsNoPlaceToWaitIsTold) {
  const std::string id = FillShare().front();
  std::vector<std::thread> waiting;
  for (std::size_t i = 0; i < limits::kStatementWaitersPerOrganisationMax; ++i) {
    waiting.emplace_back([&] {
      while (!runs_.Wait(admin_, id, kLongMs)->waited) {
      }
    });
  }
  while (runs_.Wait(admin_, id, 1)->waited) {  // until they have all places
  }
  EXPECT_EQ(runs_.Wait(admin_, id, kLongMs)->state, StatementState::kRunning);
  const std::string others = Submit(other_);
  EXPECT_TRUE(runs_.Wait(other_, others, 1)->waited);
  engine_.Open();
  for (std::thread& thread : waiting) {
    thread.join();
  }
}

TEST_F(StatementRunsTest, TheLastResultsOfAnOrganisationAreKept) {
  engine_.Open();
  std::vector<std::string> ids;
  for (std::size_t i = 0; i <= limits::kStatementsKeptMax; ++i) {
    ids.push_back(Submit(admin_));
    ASSERT_TRUE(runs_.Wait(admin_, ids.back(), kLongMs).ok());
  }
  EXPECT_EQ(runs_.Get(admin_, ids.front()).status().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(runs_.Get(admin_, ids[1]).ok());
}

TEST_F(StatementRunsTest, LargeResultsOfAnOrganisationMakeWayEarlier) {
  engine_.OpenAndReturnText(limits::kResultTextBytesMax);
  const std::string others = Submit(other_);
  ASSERT_TRUE(runs_.Wait(other_, others, kLongMs).ok());
  std::vector<std::string> ids;
  for (std::size_t i = 0; i <= limits::kStatementBytesKeptMax / limits::kResultTextBytesMax; ++i) {
    ids.push_back(Submit(admin_));
    ASSERT_EQ(runs_.Wait(admin_, ids.back(), kLongMs)->state, StatementState::kSucceeded);
  }
  EXPECT_EQ(runs_.Get(admin_, ids.front()).status().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(runs_.Get(admin_, ids.back()).ok());
  EXPECT_TRUE(runs_.Get(other_, others).ok());
}

TEST_F(StatementRunsTest, ResultsAreKeptForAWhileOnly) {
  engine_.Open();
  const std::string id = Submit(admin_);
  ASSERT_TRUE(runs_.Wait(admin_, id, kLongMs).ok());
  clock_.AdvanceMs(limits::kStatementKeptMs - 1);
  EXPECT_TRUE(runs_.Get(admin_, id).ok());
  clock_.AdvanceMs(1);
  EXPECT_EQ(runs_.Get(admin_, id).status().code(), ErrorCode::kNotFound);
}

TEST_F(StatementRunsTest, WaitingEndsWithTheTime) {
  const std::string id = FillShare().front();
  EXPECT_EQ(runs_.Wait(admin_, id, 1).value().state, StatementState::kRunning);
}

TEST_F(StatementRunsTest, AfterStopNothingIsAccepted) {
  engine_.Open();
  runs_.Stop();
  EXPECT_EQ(runs_.Submit(admin_, {}).status().code(), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace glovebox::api
