// SPDX-License-Identifier: Apache-2.0
#include "http/body_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

#include "base/limits.h"

namespace glovebox::http {
namespace {

std::string ReadSome(BodyQueue& queue, std::size_t size) {
  std::vector<char> buffer(size);
  const Result<std::size_t> count = queue.Read(buffer);
  return count.ok() ? std::string(buffer.data(), *count) : "error: " + count.status().message();
}

TEST(BodyQueue, GivesBytesInOrderAndThenTheEnd) {
  BodyQueue queue(FlowState::kFlowing, [] {});
  EXPECT_EQ(queue.Append("abc"), FlowState::kFlowing);
  EXPECT_EQ(ReadSome(queue, 2), "ab");
  EXPECT_EQ(queue.Append("d"), FlowState::kFlowing);
  queue.End();
  EXPECT_EQ(queue.buffered(), 2U);
  EXPECT_EQ(ReadSome(queue, 10), "cd");
  EXPECT_EQ(ReadSome(queue, 10), "");
  EXPECT_EQ(ReadSome(queue, 10), "");
}

TEST(BodyQueue, PausesAtTheWindowAndResumesOnceAtHalf) {
  int resumed = 0;
  BodyQueue queue(FlowState::kFlowing, [&] { ++resumed; });
  const std::string half(limits::kHttpBodyWindowBytes / 2, 'x');
  EXPECT_EQ(queue.Append(half), FlowState::kFlowing);
  EXPECT_EQ(queue.Append(half), FlowState::kPaused);
  EXPECT_EQ(ReadSome(queue, half.size() - 1).size(), half.size() - 1);
  EXPECT_EQ(resumed, 0);
  EXPECT_EQ(ReadSome(queue, 1), "x");
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(ReadSome(queue, 1), "x");
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(queue.Append("y"), FlowState::kFlowing);
}

TEST(BodyQueue, AsksOnlyWhenSomebodyReads) {
  int resumed = 0;
  BodyQueue queue(FlowState::kPaused, [&] {
    ++resumed;
    EXPECT_EQ(queue.Append("late"), FlowState::kFlowing);
  });
  EXPECT_EQ(resumed, 0);
  EXPECT_EQ(ReadSome(queue, 10), "late");
  EXPECT_EQ(resumed, 1);
}

TEST(BodyQueue, FailureComesAfterTheBytesAndWakesAReader) {
  BodyQueue queue(FlowState::kFlowing, [] {});
  std::string first;
  std::string second;
  std::thread reader([&] {
    first = ReadSome(queue, 10);
    second = ReadSome(queue, 10);
  });
  EXPECT_EQ(queue.Append("a"), FlowState::kFlowing);
  queue.Fail(Status(ErrorCode::kTimeout, "slow"));
  queue.Fail(Status(ErrorCode::kInternal, "later"));
  reader.join();
  EXPECT_EQ(first, "a");
  EXPECT_EQ(second, "error: slow");
}

TEST(BodyQueue, WhatHasEndedCannotFail) {
  BodyQueue queue(FlowState::kFlowing, [] {});
  queue.End();
  queue.Fail(Status(ErrorCode::kInternal, "closed"));
  EXPECT_EQ(ReadSome(queue, 10), "");
}

}  // namespace
}  // namespace glovebox::http
