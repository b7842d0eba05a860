// SPDX-License-Identifier: Apache-2.0
#include "room/run_queue.h"

#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <string>
#include <vector>

#include "base/limits.h"

namespace glovebox::room {
namespace {

class RecordedSteps final : public RunSteps {
 public:
  void Execute(RunId id) override {
    executed.push_back(static_cast<std::int64_t>(id));
    if (during) {
      std::exchange(during, nullptr)();
    }
  }
  void Finish(RunId id) override { finished.push_back(static_cast<std::int64_t>(id)); }

  std::vector<std::int64_t> executed;
  std::vector<std::int64_t> finished;
  std::function<void()> during;
};

class RunQueueTest : public testing::Test {
 protected:
  void Add(std::int64_t id, const std::string& room, const std::string& organisation) {
    ASSERT_TRUE(queue_.Reserve(OrganisationId(organisation)).ok());
    queue_.Add(RunId{id}, RoomId(room), OrganisationId(organisation));
  }
  void StepAll() {
    while (queue_.Step()) {
    }
  }

  ManualClock clock_{TimeMs{1'000}};
  RecordedSteps steps_;
  RunQueue queue_{steps_, clock_};
};

TEST_F(RunQueueTest, OrganisationsTakeTurns) {
  Add(1, "a", "x");
  Add(2, "a", "x");
  Add(3, "b", "x");
  Add(4, "a", "y");
  Add(5, "c", "y");
  StepAll();
  EXPECT_EQ(steps_.executed, (std::vector<std::int64_t>{1, 4, 2, 5, 3}));
}

TEST_F(RunQueueTest, AStepThatThrowsIsTriedAgainAndHoldsNothing) {
  Add(1, "a", "x");
  Add(2, "a", "x");
  steps_.during = [] { throw std::bad_alloc(); };
  StepAll();
  EXPECT_EQ(steps_.executed, (std::vector<std::int64_t>{1, 2})) << "the room is free again";
  EXPECT_TRUE(steps_.finished.empty());
  clock_.AdvanceMs(limits::kRunRetryMaxMs);
  StepAll();
  EXPECT_EQ(steps_.finished, (std::vector<std::int64_t>{1}));
}

TEST_F(RunQueueTest, WhoHasNoneRunningGoesFirst) {
  Add(1, "a", "x");
  Add(2, "b", "x");
  Add(3, "c", "y");
  steps_.during = [this] { EXPECT_TRUE(queue_.Step()); };
  ASSERT_TRUE(queue_.Step());
  EXPECT_EQ(steps_.executed, (std::vector<std::int64_t>{1, 3}));
}

TEST_F(RunQueueTest, OneRunOfARoomAtATime) {
  Add(1, "a", "x");
  Add(2, "a", "y");
  steps_.during = [this] { EXPECT_FALSE(queue_.Step()); };
  StepAll();
  EXPECT_EQ(steps_.executed, (std::vector<std::int64_t>{1, 2}));
}

TEST_F(RunQueueTest, AnOrganisationFillsItsOwnShareOnly) {
  for (std::size_t i = 0; i < limits::kRunsQueuedPerOrganisationMax; ++i) {
    Add(static_cast<std::int64_t>(i), "a", "x");
  }
  EXPECT_EQ(queue_.Reserve(OrganisationId("x")).code(), ErrorCode::kResourceExhausted);
  EXPECT_TRUE(queue_.Reserve(OrganisationId("y")).ok());
  ASSERT_TRUE(queue_.Step());
  EXPECT_TRUE(queue_.Reserve(OrganisationId("x")).ok()) << "one has begun";
  EXPECT_FALSE(queue_.Reserve(OrganisationId("x")).ok());
  EXPECT_TRUE(queue_.Remove(RunId{1}));
  EXPECT_TRUE(queue_.Reserve(OrganisationId("x")).ok());
  queue_.Unreserve(OrganisationId("x"));
  EXPECT_TRUE(queue_.Reserve(OrganisationId("x")).ok());
}

TEST_F(RunQueueTest, AllOrganisationsShareOneBound) {
  std::size_t held = 0;
  while (queue_.Reserve(OrganisationId(std::to_string(held / 10))).ok()) {
    ++held;
  }
  EXPECT_EQ(held, limits::kRunsQueuedMax);
}

TEST_F(RunQueueTest, KnowsWhatItHas) {
  EXPECT_FALSE(queue_.Knows(RunId{1}));
  Add(1, "a", "x");
  EXPECT_TRUE(queue_.Knows(RunId{1}));
  steps_.during = [this] {
    EXPECT_TRUE(queue_.Knows(RunId{1}));
    queue_.FinishAt(RunId{1}, TimeMs{2'000});
  };
  ASSERT_TRUE(queue_.Step());
  EXPECT_TRUE(queue_.Knows(RunId{1}));
  EXPECT_FALSE(queue_.Step());
  clock_.AdvanceMs(1'000);
  ASSERT_TRUE(queue_.Step());
  EXPECT_EQ(steps_.finished, (std::vector<std::int64_t>{1}));
  EXPECT_FALSE(queue_.Knows(RunId{1}));
}

}  // namespace
}  // namespace glovebox::room
