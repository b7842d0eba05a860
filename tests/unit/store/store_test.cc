// SPDX-License-Identifier: Apache-2.0
//
// What every metadata database must do; run here against SQLite, on a file and in memory.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "store/database.h"

namespace glovebox::store {
namespace {

constexpr const char* kCreate =
    "CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT UNIQUE, data BLOB, ratio DOUBLE PRECISION)";

class DatabaseConformance : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string(GetParam()) == "file") {
      path_ = testing::TempDir() + "glovebox-store-" + testing::UnitTest::GetInstance()->current_test_info()->name();
      for (char& c : path_) {
        c = c == '/' && &c > &path_[testing::TempDir().size()] ? '_' : c;
      }
      static_cast<void>(RemoveTree(path_));
      ASSERT_TRUE(MakeDirectories(path_).ok());
      file_ = path_ + "/metadata.db";
    }
    Open();
    Must([](Transaction& t) { return t.Execute(kCreate).status(); });
  }

  void TearDown() override {
    database_.reset();
    if (!path_.empty()) {
      static_cast<void>(RemoveTree(path_));
    }
  }

  void Open() {
    auto opened = OpenSqlite(file_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    database_ = std::move(opened).value();
  }

  // Runs `body` in a write transaction and commits it. `body` may return the status of a result that is ok.
  void Must(const std::function<Status(Transaction&)>& body) {
    auto transaction = database_->Begin(Access::kWrite);
    ASSERT_TRUE(transaction.ok());
    const Status status = body(**transaction);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_TRUE((*transaction)->Commit().ok());
  }

  std::int64_t Count() {
    auto transaction = database_->Begin(Access::kRead);
    auto row = (*transaction)->QueryOne("SELECT COUNT(*) FROM t");
    return row.value()->Int(0);
  }

  void Insert(std::int64_t id) {
    Must([&](Transaction& t) { return t.Execute("INSERT INTO t (id) VALUES (?)", {id}).status(); });
  }

  std::string path_;
  std::string file_ = ":memory:";
  std::unique_ptr<Database> database_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, DatabaseConformance, testing::Values("file", "memory"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST_P(DatabaseConformance, ValuesComeBackAsTheyWentIn) {
  const std::string text = std::string("a\0b \xc3\xa9 '\"", 9);
  const std::string bytes = std::string("\0\xff\x01", 3);
  Must([&](Transaction& t) {
    return t.Execute("INSERT INTO t VALUES (?, ?, ?, ?)", {INT64_MIN, text, Blob{bytes}, 0.1}).status();
  });
  Must([&](Transaction& t) {
    return t.Execute("INSERT INTO t VALUES (?, ?, ?, ?)", {INT64_MAX, std::monostate{}, Blob{""}, 1e300}).status();
  });
  auto transaction = database_->Begin(Access::kRead);
  auto rows = (*transaction)->Query("SELECT id, name, data, ratio FROM t ORDER BY id");
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].Int(0), INT64_MIN);
  EXPECT_EQ((*rows)[0].Text(1), text);
  EXPECT_EQ((*rows)[0].Bytes(2), bytes);
  EXPECT_EQ((*rows)[0].Double(3), 0.1);
  EXPECT_EQ((*rows)[1].Int(0), INT64_MAX);
  EXPECT_TRUE((*rows)[1].IsNull(1));
  EXPECT_EQ((*rows)[1].Text(1), "");
  EXPECT_EQ((*rows)[1].Bytes(2), "");
}

TEST_P(DatabaseConformance, WithoutCommitNothingChanges) {
  {
    auto transaction = database_->Begin(Access::kWrite);
    ASSERT_TRUE((*transaction)->Execute("INSERT INTO t (id) VALUES (1)").ok());
  }
  EXPECT_EQ(Count(), 0);
  Insert(1);
  EXPECT_EQ(Count(), 1);
}

TEST_P(DatabaseConformance, UniqueViolationIsAlreadyExistsAndTheTransactionGoesOn) {
  auto transaction = database_->Begin(Access::kWrite);
  ASSERT_TRUE((*transaction)->Execute("INSERT INTO t (id, name) VALUES (1, 'a')").ok());
  EXPECT_EQ((*transaction)->Execute("INSERT INTO t (id, name) VALUES (1, 'b')").status().code(),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ((*transaction)->Execute("INSERT INTO t (id, name) VALUES (2, 'a')").status().code(),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ((*transaction)->Execute("UPDATE t SET name = 'c' WHERE id = 1").value(), 1);
  ASSERT_TRUE((*transaction)->Commit().ok());
  EXPECT_EQ(Count(), 1);
}

TEST_P(DatabaseConformance, ForeignKeysHold) {
  Must([](Transaction& t) {
    return t.Execute("CREATE TABLE child (id BIGINT PRIMARY KEY, t_id BIGINT REFERENCES t (id) ON DELETE CASCADE)")
        .status();
  });
  {
    auto transaction = database_->Begin(Access::kWrite);
    EXPECT_FALSE((*transaction)->Execute("INSERT INTO child VALUES (1, 7)").ok());
  }
  Insert(7);
  Must([](Transaction& t) { return t.Execute("INSERT INTO child VALUES (1, 7)").status(); });
  Must([](Transaction& t) { return t.Execute("DELETE FROM t").status(); });
  auto transaction = database_->Begin(Access::kRead);
  EXPECT_TRUE((*transaction)->Query("SELECT id FROM child").value().empty());
}

TEST_P(DatabaseConformance, AReaderKeepsItsSnapshotAndDoesNotBlockTheWriter) {
  Insert(1);
  auto reader = database_->Begin(Access::kRead);
  EXPECT_EQ((*reader)->QueryOne("SELECT COUNT(*) FROM t").value()->Int(0), 1);
  Insert(2);
  EXPECT_EQ((*reader)->QueryOne("SELECT COUNT(*) FROM t").value()->Int(0), 1);
  EXPECT_EQ(Count(), 2);
}

TEST_P(DatabaseConformance, AReadTransactionCannotWrite) {
  auto reader = database_->Begin(Access::kRead);
  EXPECT_EQ((*reader)->Execute("INSERT INTO t (id) VALUES (1)").status().code(), ErrorCode::kInternal);
}

TEST_P(DatabaseConformance, QueryOneRefusesTwoRows) {
  Insert(1);
  Insert(2);
  auto reader = database_->Begin(Access::kRead);
  EXPECT_FALSE((*reader)->QueryOne("SELECT id FROM t").ok());
  EXPECT_FALSE((*reader)->QueryOne("SELECT id FROM t WHERE id = ?", {std::int64_t{9}}).value().has_value());
}

TEST_P(DatabaseConformance, OneStatementAtATimeWithAllItsParameters) {
  auto transaction = database_->Begin(Access::kWrite);
  EXPECT_FALSE((*transaction)->Execute("DELETE FROM t; DELETE FROM t").ok());
  EXPECT_FALSE((*transaction)->Execute("").ok());
  EXPECT_FALSE((*transaction)->Execute("DELETE FROM t WHERE id = ?").ok());
  EXPECT_FALSE((*transaction)->Execute("DELETE FROM t", {std::int64_t{1}}).ok());
  EXPECT_FALSE((*transaction)->Execute("DELETE FROM \"no such\"").ok());
}

TEST_P(DatabaseConformance, ConcurrentReadModifyWritesLoseNothing) {
  Must([](Transaction& t) { return t.Execute("CREATE TABLE counter (n BIGINT)").status(); });
  Must([](Transaction& t) { return t.Execute("INSERT INTO counter VALUES (0)").status(); });
  constexpr int kThreads = 4;
  constexpr int kRounds = 25;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        auto transaction = database_->Begin(Access::kWrite);
        if (!transaction.ok()) {
          ++failures;
          continue;
        }
        const std::int64_t n = (*transaction)->QueryOne("SELECT n FROM counter").value()->Int(0);
        failures += (*transaction)->Execute("UPDATE counter SET n = ?", {n + 1}).ok() ? 0 : 1;
        failures += (*transaction)->Commit().ok() ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failures, 0);
  auto reader = database_->Begin(Access::kRead);
  EXPECT_EQ((*reader)->QueryOne("SELECT n FROM counter").value()->Int(0), kThreads * kRounds);
}

TEST_P(DatabaseConformance, MigrationsAreAppliedOnceAndInOrder) {
  const Migration first{
      1, "first", "CREATE TABLE a (x TEXT DEFAULT ';'); -- a comment; with a semicolon\nINSERT INTO a VALUES ('1;2')"};
  const Migration second{2, "second", "INSERT INTO a SELECT 'n' || COUNT(*) FROM a;"};
  ASSERT_TRUE(Migrate(*database_, {first}).ok());
  ASSERT_TRUE(Migrate(*database_, {second, first}).ok());
  ASSERT_TRUE(Migrate(*database_, {first, second}).ok());
  auto reader = database_->Begin(Access::kRead);
  auto rows = (*reader)->Query("SELECT x FROM a ORDER BY x");
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].Text(0), "1;2");
  EXPECT_EQ((*rows)[1].Text(0), "n1");
}

TEST_P(DatabaseConformance, AFailedMigrationLeavesNothingAndIsTriedAgain) {
  const Migration broken{1, "first", "CREATE TABLE a (x TEXT); CREATE TABLE a (x TEXT)"};
  const Migration repaired{1, "first", "CREATE TABLE a (x TEXT)"};
  EXPECT_FALSE(Migrate(*database_, {broken}).ok());
  EXPECT_TRUE(Migrate(*database_, {repaired}).ok());
}

TEST_P(DatabaseConformance, ADatabaseOfANewerProgramIsRefused) {
  const Migration first{1, "first", "CREATE TABLE a (x TEXT)"};
  const Migration second{2, "second", "CREATE TABLE b (x TEXT)"};
  ASSERT_TRUE(Migrate(*database_, {first, second}).ok());
  const Status status = Migrate(*database_, {first});
  EXPECT_EQ(status.code(), ErrorCode::kInvalidState);
  EXPECT_NE(status.message().find("second"), std::string::npos);
}

TEST_P(DatabaseConformance, WhatIsCommittedIsThereAfterReopening) {
  if (path_.empty()) {
    GTEST_SKIP() << "a database in memory ends with its last connection";
  }
  Insert(5);
  database_.reset();
  Open();
  EXPECT_EQ(Count(), 1);
}

TEST_P(DatabaseConformance, TwoHandlesOnOneFileSeeEachOther) {
  if (path_.empty()) {
    GTEST_SKIP() << "a database in memory is private";
  }
  auto other = OpenSqlite(file_);
  ASSERT_TRUE(other.ok());
  auto transaction = (*other)->Begin(Access::kWrite);
  ASSERT_TRUE((*transaction)->Execute("INSERT INTO t (id) VALUES (1)").ok());
  ASSERT_TRUE((*transaction)->Commit().ok());
  EXPECT_EQ(Count(), 1);
}

TEST(OpenSqlite, SaysWhatIsWrongWithTheFile) {
  const std::string folder = testing::TempDir() + "glovebox-store-open";
  ASSERT_TRUE(MakeDirectories(folder).ok());
  EXPECT_EQ(OpenSqlite(folder + "/missing/metadata.db").status().code(), ErrorCode::kUnavailable);
  ASSERT_TRUE(WriteFileDurably(folder + "/text.db", std::string(4096, 'x')).ok());
  EXPECT_EQ(OpenSqlite(folder + "/text.db").status().code(), ErrorCode::kDataLoss);
  EXPECT_TRUE(RemoveTree(folder).ok());
}

TEST(OpenSqlite, DatabasesInMemoryAreSeparate) {
  auto a = OpenSqlite(":memory:");
  auto b = OpenSqlite(":memory:");
  ASSERT_TRUE(a.ok() && b.ok());
  auto transaction = (*a)->Begin(Access::kWrite);
  ASSERT_TRUE((*transaction)->Execute("CREATE TABLE t (id BIGINT)").ok());
  ASSERT_TRUE((*transaction)->Commit().ok());
  auto reader = (*b)->Begin(Access::kRead);
  EXPECT_FALSE((*reader)->Query("SELECT id FROM t").ok());
}

}  // namespace
}  // namespace glovebox::store
