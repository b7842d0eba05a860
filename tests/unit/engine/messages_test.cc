// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <thread>

#include "base/file.h"
#include "base/limits.h"
#include "engine/worker/frames.h"

namespace glovebox::engine::worker {
namespace {

using ::testing::HasSubstr;

TableFile SampleFile() { return {.path = "/data/t.db", .columns = {{"id", "BIGINT"}, {"näme", "VARCHAR"}}, .rows = 7}; }

PreparedAsset SamplePrepared() { return {.file = SampleFile(), .statistics = json::Object{{"rows", 7}}}; }

// Through JSON text and back; the texts of both must be equal, and the sample has no member left at its default.
template <typename T>
T RoundTrip(const T& value) {
  const std::string text = json::Write(ToJson(value));
  const auto parsed = ParseMessage(text);
  EXPECT_TRUE(parsed.ok());
  auto back = FromJson<T>(*parsed);
  EXPECT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(json::Write(ToJson(*back)), text);
  return std::move(back).value();
}

TEST(Messages, SelectRequest) {
  const SelectRequest back = RoundTrip<SelectRequest>({.sql = "SELECT 'ü'",
                                                       .parameters = {{"p", "DATE", "2026-01-01", true}},
                                                       .tables = {{.name = {"c", "s", "t"}, .file = SampleFile()}},
                                                       .files = {{"/Volumes/a", "/data/a"}},
                                                       .functions = {{"c.s.f", {{"x", "BIGINT"}}, "x + 1"}},
                                                       .secrets = {{"scope", "key", std::string("\0\xff", 2)}},
                                                       .default_namespace = {"c", "s"},
                                                       .target_path = "/out/t.db",
                                                       .row_limit = 10,
                                                       .bad_cast = BadCast::kError});
  EXPECT_EQ(back.sql, "SELECT 'ü'");
  EXPECT_EQ(back.secrets[0].value, std::string("\0\xff", 2));
  EXPECT_TRUE(back.parameters[0].is_null);
  EXPECT_EQ(back.tables[0].file.columns[1].name, "näme");
  EXPECT_EQ(back.row_limit, 10);
  EXPECT_EQ(back.bad_cast, BadCast::kError);
}

TEST(Messages, SelectResult) {
  const SelectResult back =
      RoundTrip<SelectResult>({.file = SampleFile(), .rows = {{1, "a", nullptr, 0.1, true}, {}}, .truncated = true});
  EXPECT_EQ(back.rows[0][3], json::Value(0.1));
  EXPECT_TRUE(back.rows[0][2].is_null());
  EXPECT_TRUE(back.truncated);
}

TEST(Messages, Prepare) {
  const PrepareRequest back = RoundTrip<PrepareRequest>({.table = SampleFile(),
                                                         .row_filters = {{"c.s.f", {"id"}}},
                                                         .masks = {{"id", "c.s.m", {"näme"}}},
                                                         .functions = {{"c.s.f", {}, "true"}},
                                                         .secrets = {{"a", "b", "c"}},
                                                         .rule = "{}",
                                                         .unit_secret = std::string(32, '\x80'),
                                                         .target_path = "/out/p.db"});
  EXPECT_EQ(back.unit_secret, std::string(32, '\x80'));
  EXPECT_EQ(back.masks[0].using_columns[0], "näme");
  RoundTrip(SamplePrepared());
  RoundTrip<FunctionCheck>({.function = {"f", {}, "1"}, .others = {{"g", {{"x", "DATE"}}, "x"}}});
}

TEST(Messages, Run) {
  const RunRequest back = RoundTrip<RunRequest>({.mode = RunMode::kPlanAndCheck,
                                                 .runner = "fed",
                                                 .cells = {{"SELECT 1"}, {"SELECT 2"}},
                                                 .parameters = {{"p", "", "v", false}},
                                                 .assets = {{.name = {"a", "s", "t"},
                                                             .owner = "a",
                                                             .role = Role::kOwn,
                                                             .rule = "{}",
                                                             .version = "v1",
                                                             .policy_digest = "d",
                                                             .prepared = SamplePrepared()}},
                                                 .history = {json::Object{{"cells", json::Array{1, 2}}}, nullptr},
                                                 .earlier_assets = {},
                                                 .output_folder = "/out",
                                                 .inline_rows_max = 5,
                                                 .timeout_ms = 1000});
  EXPECT_EQ(back.mode, RunMode::kPlanAndCheck);
  EXPECT_EQ(back.runner, "fed");
  EXPECT_EQ(back.assets[0].role, Role::kOwn);
  EXPECT_EQ(back.history.size(), 2U);
  const RunResult result =
      RoundTrip<RunResult>({.certificate = json::Object{{"plan", "x"}},
                            .record = nullptr,
                            .outputs = {{.name = "o", .file = SampleFile(), .sha256 = "00", .rows = {{1}}}}});
  EXPECT_EQ(result.outputs[0].rows[0][0], json::Value(1));
}

TEST(Messages, SetupAndJob) {
  const WorkerSetup setup =
      RoundTrip<WorkerSetup>({.confinement = {.readable_files = {"/a"}, .writable_folders = {"/b"}},
                              .unconfined = Unconfined::kAllow,
                              .address_space_bytes = std::int64_t{1} << 40U,
                              .cpu_seconds = 9});
  EXPECT_EQ(setup.unconfined, Unconfined::kAllow);
  EXPECT_EQ(setup.confinement.writable_folders[0], "/b");
  const Job job = RoundTrip<Job>(
      {.kind = JobKind::kPrepare, .limits = {.memory_bytes = 1, .threads = 2, .spill_folder = "/s"}, .request = "r"});
  EXPECT_EQ(job.kind, JobKind::kPrepare);
  EXPECT_EQ(job.limits.spill_folder, "/s");
}

TEST(Messages, WhatIsMissingOrWrongIsNamed) {
  json::Value message = ToJson(SelectRequest{});
  message.as_object().Erase("sql");
  EXPECT_THAT(FromJson<SelectRequest>(message).status().message(), HasSubstr("sql"));
  message.as_object().Set("sql", 7);
  EXPECT_FALSE(FromJson<SelectRequest>(message).ok());
  json::Value run = ToJson(RunRequest{});
  run.as_object().Set("mode", "everything");
  EXPECT_THAT(FromJson<RunRequest>(run).status().message(), HasSubstr("mode"));
  for (const json::Value& wrong : {json::Value(nullptr), json::Value(json::Array{}), json::Value("x")}) {
    EXPECT_FALSE(FromJson<WorkerSetup>(wrong).ok());
    EXPECT_FALSE(FromJson<RunResult>(wrong).ok());
  }
}

TEST(Replies, CarryResultsAndErrors) {
  EXPECT_EQ(DecodeReply(EncodeReply(json::Value(7))).value(), json::Value(7));
  EXPECT_TRUE(DecodeReply(EncodeReply(json::Value(nullptr))).value().is_null());
  const Status refusal = Status(ErrorCode::kQueryRefused, "no").WithRule("P4").At(17);
  const Status back = DecodeReply(EncodeReply(refusal)).status();
  EXPECT_EQ(back.code(), ErrorCode::kQueryRefused);
  EXPECT_EQ(back.message(), "no");
  EXPECT_EQ(back.rule(), "P4");
  EXPECT_EQ(back.position(), 17U);
  EXPECT_EQ(DecodeReply(EncodeReply(Status(ErrorCode::kSqlType, "x"))).status().position(), std::nullopt);
}

TEST(Replies, GarbageIsAFailedRun) {
  for (const char* text :
       {"", "{", "[]", "{}", "null", R"({"error":{}})", R"({"error":{"code":"OK"}})", R"({"error":7})"}) {
    EXPECT_EQ(DecodeReply(text).status().code(), ErrorCode::kRunFailed) << text;
  }
}

class FramesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    server_.reset(ends[0]);
    worker_.reset(ends[1]);
  }
  UniqueFd server_;
  UniqueFd worker_;
};

TEST_F(FramesTest, LargerThanTheSocketsBuffer) {
  const std::string large(std::size_t{5} << 20U, 'x');
  std::thread writer([&] { EXPECT_TRUE(WriteFrame(worker_.get(), large, End::kWorker, kNoDeadline).ok()); });
  const auto got = ReadFrame(server_.get(), large.size(), kNoDeadline);
  writer.join();
  ASSERT_TRUE(got.ok());
  EXPECT_TRUE(*got == large);
}

TEST_F(FramesTest, EmptyAndSeveral) {
  ASSERT_TRUE(WriteFrame(server_.get(), "", End::kServer, kNoDeadline).ok());
  ASSERT_TRUE(WriteFrame(server_.get(), "two", End::kServer, kNoDeadline).ok());
  EXPECT_EQ(ReadFrame(worker_.get(), 10, kNoDeadline).value(), "");
  EXPECT_EQ(ReadFrame(worker_.get(), 10, kNoDeadline).value(), "two");
}

TEST_F(FramesTest, BoundedAndDeadlinesAndGoneEnds) {
  ASSERT_TRUE(WriteFrame(server_.get(), "123", End::kServer, kNoDeadline).ok());
  EXPECT_EQ(ReadFrame(worker_.get(), 2, kNoDeadline).status().code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(ReadFrame(server_.get(), 2, std::chrono::steady_clock::now()).status().code(),
            ErrorCode::kDeadlineExceeded);
  worker_.reset();
  EXPECT_EQ(ReadFrame(server_.get(), 2, kNoDeadline).status().code(), ErrorCode::kRunFailed);
  EXPECT_EQ(WriteFrame(server_.get(), "x", End::kServer, kNoDeadline).code(), ErrorCode::kRunFailed);
}

}  // namespace
}  // namespace glovebox::engine::worker
