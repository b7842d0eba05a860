// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/strings.h"

namespace glovebox::log {
namespace {

class LogTest : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  static std::vector<std::string> Lines() {
    std::vector<std::string> lines = Split(testing::internal::GetCapturedStderr(), '\n');
    EXPECT_EQ(lines.back(), "");
    lines.pop_back();
    return lines;
  }
};

TEST_F(LogTest, WritesAJsonLine) {
  Info("run \"finished\"", {{"run_id", "a\nb"}, {"duration_ms", std::int64_t{-5}}, {"released", true}});
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 1U);
  const json::Value line = json::Parse(lines[0]).value();
  EXPECT_EQ(line.GetString("level"), "info");
  EXPECT_EQ(line.GetString("message"), "run \"finished\"");
  EXPECT_EQ(line.GetString("run_id"), "a\nb");
  EXPECT_EQ(line.GetInt("duration_ms"), -5);
  EXPECT_TRUE(line.GetBool("released"));
  EXPECT_TRUE(ParseRfc3339(line.GetString("time")).ok());
}

TEST_F(LogTest, LinesOfThreadsDoNotMix) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (std::int64_t i = 0; i < 200; ++i) {
        Info("line", {{"i", i}, {"text", std::string(100, 'x')}});
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const std::vector<std::string> lines = Lines();
  EXPECT_EQ(lines.size(), 800U);
  for (const std::string& line : lines) {
    ASSERT_TRUE(json::Parse(line).ok()) << line;
  }
}

}  // namespace
}  // namespace glovebox::log
