// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/file.h"
#include "engine/worker/frames.h"
#include "engine/worker/process.h"
#include "engine/worker/worker_main.h"
#include "tests/unit/engine/worker_program.h"

namespace glovebox::engine::worker {
namespace {

// A worker of the test's own, driven by hand.
class ProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto process = Process::Start(WorkerProgram());
    ASSERT_TRUE(process.ok());
    process_ = std::move(process).value();
    const auto ready = ReadFrame(process_->socket(), kReady.size(), kNoDeadline);
    ASSERT_TRUE(ready.ok());
    ASSERT_EQ(*ready, kReady);
  }
  void Send(const json::Value& message) {
    ASSERT_TRUE(WriteFrame(process_->socket(), json::Write(message), End::kServer, kNoDeadline).ok());
  }
  Result<json::Value> Reply() {
    const auto text = ReadFrame(process_->socket(), std::size_t{1} << 20U, kNoDeadline);
    return text.ok() ? DecodeReply(*text) : text.status();
  }
  static WorkerSetup SampleSetup() {
    return {.confinement = {},
            .unconfined = Unconfined::kRefuse,
            .address_space_bytes = std::int64_t{16} << 30U,
            .cpu_seconds = 60};
  }
  std::string Proc(const std::string& name) const {
    std::ifstream file("/proc/" + std::to_string(process_->pid()) + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::unique_ptr<Process> process_;
};

TEST_F(ProcessTest, StartsWithNothingOfItsParent) {
  EXPECT_EQ(Proc("environ"), "");
  std::vector<std::string> descriptors;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process_->pid()) + "/fd")) {
    descriptors.push_back(entry.path().filename());
  }
  std::sort(descriptors.begin(), descriptors.end());
  EXPECT_EQ(descriptors, (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_EQ(getsid(process_->pid()), process_->pid());
}

TEST_F(ProcessTest, EndsWhenItsParentIsSilentForGood) {
  ASSERT_EQ(shutdown(process_->socket(), SHUT_WR), 0);
  EXPECT_TRUE(process_->Reap(std::chrono::minutes(1)));
  EXPECT_EQ(process_->ended_by_signal(), 0);
}

TEST_F(ProcessTest, ConfinesItselfBeforeTheJob) {
  Send(ToJson(SampleSetup()));
  Job job;
  Send(ToJson(job));
  const auto reply = Reply();
  ASSERT_TRUE(reply.ok()) << reply.status().message();
  const BarrierReport report = BarrierReportFromJson(*reply);
  EXPECT_TRUE(report.HoldsFiles());
  EXPECT_TRUE(report.HoldsNetwork());
}

TEST_F(ProcessTest, GarbageIsAnErrorAndTheEnd) {
  ASSERT_TRUE(WriteFrame(process_->socket(), "{]", End::kServer, kNoDeadline).ok());
  EXPECT_FALSE(Reply().ok());
  EXPECT_TRUE(process_->Reap(std::chrono::minutes(1)));
  EXPECT_EQ(process_->ended_by_signal(), 0);
}

TEST_F(ProcessTest, AMissingInputIsAnErrorAndTheEnd) {
  WorkerSetup setup = SampleSetup();
  setup.confinement.readable_files = {"/no/such/file"};
  Send(ToJson(setup));
  EXPECT_FALSE(Reply().ok());
  EXPECT_TRUE(process_->Reap(std::chrono::minutes(1)));
}

TEST_F(ProcessTest, ProcessorTimeIsLimited) {
  WorkerSetup setup = SampleSetup();
  setup.cpu_seconds = 0;
  Send(ToJson(setup));
  EXPECT_FALSE(Reply().ok());
}

TEST_F(ProcessTest, KillEndsIt) {
  process_->Kill();
  EXPECT_TRUE(process_->Reap(std::chrono::minutes(1)));
  EXPECT_EQ(process_->ended_by_signal(), SIGKILL);
  EXPECT_TRUE(process_->HasEnded());
  EXPECT_FALSE(Reply().ok());
}

TEST(WorkerPool, SelfTestHolds) {
  WorkerPool pool({.executable = WorkerProgram()});
  const auto report = pool.SelfTest();
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_TRUE(report->seccomp);
  EXPECT_TRUE(report->HoldsFiles());
}

TEST(WorkerPool, EveryJobGetsAWorkerOfItsOwn) {
  WorkerPool pool({.executable = WorkerProgram(), .size = 2, .jobs_max = 3});
  std::array<std::thread, 4> threads;
  for (std::thread& thread : threads) {
    thread = std::thread([&pool] {
      for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(pool.SelfTest().ok());
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST(WorkerPool, AProgramThatIsNoWorkerIsUnavailable) {
  WorkerPool pool({.executable = "/bin/true"});
  EXPECT_EQ(pool.SelfTest().status().code(), ErrorCode::kUnavailable);
}

TEST(WorkerPool, AJobThatIsTooLargeIsRefused) {
  WorkerPool pool({.executable = WorkerProgram()});
  Task task;
  task.job.request = std::string(limits::kWorkerMessageBytesMax, 'x');
  EXPECT_EQ(pool.Execute(task).status().code(), ErrorCode::kResourceExhausted);
}

// A job that does not end by itself.
Task EndlessTask(const std::string& cancel_key) {
  SelectRequest request;
  request.sql =
      "WITH d AS (SELECT * FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS v(x)) SELECT "
      "sum(a.x * b.x + c.x * e.x) AS s FROM d AS a, d AS b, d AS c, d AS e, d AS f, d AS g, d AS h, d AS i, d AS j, d "
      "AS "
      "k, d AS l, d AS m, d AS n";
  request.row_limit = 1;
  Task task;
  task.job = {.kind = JobKind::kSelect,
              .limits = {.memory_bytes = std::int64_t{1} << 30U, .threads = 1, .spill_folder = ""},
              .request = ToJson(request)};
  task.cancel_key = cancel_key;
  return task;
}

TEST(WorkerPool, CancelEndsTheJobsOfItsKeyOnly) {
  WorkerPool pool({.executable = WorkerProgram()});
  std::atomic<bool> ended = false;
  Status status;
  std::thread job([&] {
    status = pool.Execute(EndlessTask("mine")).status();
    ended = true;
  });
  pool.Cancel("");
  pool.Cancel("another");
  while (!ended) {
    pool.Cancel("mine");
    std::this_thread::yield();
  }
  job.join();
  EXPECT_EQ(status.code(), ErrorCode::kAborted);
  EXPECT_TRUE(pool.SelfTest().ok());
}

TEST(WorkerPool, ATaskThatWasCancelledBeforeThePoolKnewItDoesNotBegin) {
  WorkerPool pool({.executable = WorkerProgram()});
  Task task = EndlessTask("mine");
  task.cancelled = std::make_shared<const std::atomic<bool>>(true);
  pool.Cancel("mine");
  EXPECT_EQ(pool.Execute(task).status().code(), ErrorCode::kAborted);
}

TEST(WorkerPool, AJobThatTakesTooLongEnds) {
  WorkerPool pool({.executable = WorkerProgram()});
  Task task = EndlessTask("");
  task.timeout_ms = 1'000;
  EXPECT_EQ(pool.Execute(task).status().code(), ErrorCode::kDeadlineExceeded);
}

TEST(WorkerPool, NoMoreJobsAtOnceThanAllowed) {
  WorkerPool pool({.executable = WorkerProgram(), .size = 1, .jobs_max = 1});
  std::atomic<bool> ended = false;
  std::thread job([&] {
    (void)pool.Execute(EndlessTask("first"));
    ended = true;
  });
  Task second;
  second.timeout_ms = 1;
  Status status;
  do {  // until the first one has the only place
    status = pool.Execute(second).status();
  } while (status.ok());
  EXPECT_THAT(status.code(), ::testing::AnyOf(ErrorCode::kResourceExhausted, ErrorCode::kDeadlineExceeded));
  while (!ended) {
    pool.Cancel("first");
    std::this_thread::yield();
  }
  job.join();
}

TEST(WorkerPool, LeavesNoProcessBehind) {
  {
    WorkerPool pool({.executable = WorkerProgram()});
    EXPECT_TRUE(pool.SelfTest().ok());
  }
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace glovebox::engine::worker
