// SPDX-License-Identifier: Apache-2.0
#include "engine/duckdb/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace glovebox::engine::duckdb {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "glovebox-connection-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::ofstream(folder_ + "/a.csv") << "x,y\n1,a\n2,b\n";
    Open({});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Open(const DatabaseOptions& options) {
    connection_.reset();
    auto database = Database::Open(options);
    ASSERT_TRUE(database.ok());
    database_ = std::move(database).value();
    auto connection = database_->Connect();
    ASSERT_TRUE(connection.ok());
    connection_ = std::move(connection).value();
  }

  std::string folder_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ConnectionTest, ReadsEveryKindOfColumn) {
  const auto table = connection_->Query(
      "SELECT true AS b, (-7)::TINYINT AS t, 4000000000::UINTEGER AS u, "
      "170141183460469231731687303715884105727::HUGEINT "
      "AS h, (-12.50)::DECIMAL(10,2) AS d, (-0.05)::DECIMAL(4,2) AS e, 1.5::DOUBLE AS f, 'grün'::VARCHAR AS s, "
      "'a text of more than twelve bytes' AS l, DATE '1969-12-31' AS day, TIMESTAMP '2026-11-22 23:45:00.5' AS ts, "
      "18446744073709551615::UBIGINT AS ub, NULL AS n, 'nan'::DOUBLE AS nan, 0.25::FLOAT AS small "
      "UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL");
  ASSERT_TRUE(table.ok()) << connection_->last_error_detail();
  ASSERT_EQ(table->rows, 2U);
  const auto cell = [&](std::size_t column, std::size_t row) {
    return json::Write(CellToJson(table->columns[column], row));
  };
  const std::vector<std::string> expected = {"true",
                                             "-7",
                                             "4000000000",
                                             R"("170141183460469231731687303715884105727")",
                                             R"("-12.50")",
                                             R"("-0.05")",
                                             "1.5",
                                             R"("grün")",
                                             R"("a text of more than twelve bytes")",
                                             R"("1969-12-31")",
                                             R"("2026-11-22 23:45:00.500000")",
                                             R"("18446744073709551615")",
                                             "null",
                                             "null",
                                             "0.25"};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(cell(i, 0), expected[i]) << table->columns[i].name;
    EXPECT_EQ(cell(i, 1), "null") << table->columns[i].name;
  }
  EXPECT_EQ(table->columns[4].type, "DECIMAL(10,2)");
  EXPECT_EQ(table->columns[9].ints[0], -1);
}

TEST_F(ConnectionTest, SmallestHugeintIsExact) {
  const auto table = connection_->Query("SELECT '-170141183460469231731687303715884105728'::HUGEINT AS h");
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->columns[0].texts[0], "-170141183460469231731687303715884105728");
}

TEST_F(ConnectionTest, ReadsManyChunksAndBoundsRows) {
  const auto table = connection_->Query("SELECT range AS i FROM range(10000) ORDER BY i");
  ASSERT_TRUE(table.ok());
  ASSERT_EQ(table->rows, 10'000U);
  EXPECT_EQ(table->columns[0].ints[9'999], 9'999);
  EXPECT_EQ(connection_->Query("SELECT range FROM range(10001)", 10'000).status().code(),
            ErrorCode::kResourceExhausted);
}

TEST_F(ConnectionTest, TheFirstRowsOfAResultOfAnySize) {
  const auto endless = connection_->QueryFirst("SELECT range AS i FROM range(1000000000000)", 3'000);
  ASSERT_TRUE(endless.ok()) << connection_->last_error_detail();
  EXPECT_TRUE(endless->more);
  ASSERT_EQ(endless->table.rows, 3'000U);
  EXPECT_EQ(endless->table.columns[0].ints[2'999], 2'999);
  const auto all = connection_->QueryFirst("SELECT range AS i FROM range(3000)", 3'000);
  ASSERT_TRUE(all.ok());
  EXPECT_FALSE(all->more);
  const auto none = connection_->QueryFirst("SELECT range AS i FROM range(3000)", 0);
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->more);
  EXPECT_EQ(none->table.columns.size(), 1U);
}

TEST_F(ConnectionTest, AnErrorInTheMiddleOfAStreamIsAnError) {
  EXPECT_EQ(
      connection_
          ->QueryFirst("SELECT CASE WHEN range = 900000 THEN 'x' ELSE '1' END::INTEGER FROM range(1000000)", 2'000'000)
          .status()
          .code(),
      ErrorCode::kRunFailed);
}

TEST_F(ConnectionTest, RefusesTypesThatARoomDoesNotHave) {
  for (const char* sql :
       {"SELECT [1, 2]", "SELECT {'a': 1}", "SELECT 'x'::BLOB", "SELECT TIME '10:00:00'", "SELECT INTERVAL 1 DAY"}) {
    EXPECT_EQ(connection_->Query(sql).status().code(), ErrorCode::kNotSupported) << sql;
  }
  const Status zoned = connection_->Query("SELECT now()").status();
  EXPECT_EQ(zoned.code(), ErrorCode::kNotSupported);
  EXPECT_THAT(zoned.message(), HasSubstr("cast it to TIMESTAMP"));
}

TEST_F(ConnectionTest, ErrorsCarryNoValues) {
  ASSERT_TRUE(connection_->Execute("CREATE TABLE t AS SELECT '4111-secret' AS card").ok());
  const Status status = connection_->Query("SELECT card::BIGINT FROM t").status();
  EXPECT_EQ(status.code(), ErrorCode::kRunFailed);
  EXPECT_THAT(status.message(), Not(HasSubstr("4111")));
  EXPECT_THAT(connection_->last_error_detail(), HasSubstr("4111"));
}

TEST_F(ConnectionTest, RefusesANulByteInAStatement) {
  const std::string sql("SELECT 1\0 FROM nowhere", 22);
  EXPECT_FALSE(connection_->Execute(sql).ok());
  EXPECT_FALSE(connection_->Query(sql).ok());
}

TEST_F(ConnectionTest, ParametersAreValues) {
  const auto table = connection_->Query("SELECT $1 || $2 AS s", {"'; DROP TABLE t; --", "é"});
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->columns[0].texts[0], "'; DROP TABLE t; --é");
}

TEST_F(ConnectionTest, ParsesWithoutExecuting) {
  ASSERT_TRUE(connection_->Execute("CREATE TABLE t(x INTEGER)").ok());
  const auto tree = connection_->ParseToJson("SELECT x FROM no_such_table WHERE y = 'it''s'");
  ASSERT_TRUE(tree.ok()) << connection_->last_error_detail();
  EXPECT_THAT(*tree, HasSubstr("no_such_table"));
  const auto dropped = connection_->ParseToJson("DROP TABLE t");
  ASSERT_TRUE(dropped.ok());
  EXPECT_THAT(*dropped, HasSubstr("\"error\":true"));
  EXPECT_TRUE(connection_->Query("SELECT * FROM t").ok());
  const auto broken = connection_->ParseToJson("SELECT FROM WHERE");
  ASSERT_TRUE(broken.ok());
  EXPECT_THAT(*broken, HasSubstr("\"error\":true"));
}

TEST_F(ConnectionTest, OneIntegerOnly) {
  EXPECT_EQ(connection_->QueryInt("SELECT count(*) FROM range(7)").value(), 7);
  EXPECT_EQ(connection_->QueryInt("SELECT sum(range) FROM range(5)").value(), 10);
  EXPECT_FALSE(connection_->QueryInt("SELECT NULL::BIGINT").ok());
  EXPECT_FALSE(connection_->QueryInt("SELECT range FROM range(2)").ok());
  EXPECT_FALSE(connection_->QueryInt("SELECT 'x'").ok());
}

TEST_F(ConnectionTest, LockClosesFilesExtensionsAndSettings) {
  const std::string csv = QuoteLiteral(folder_ + "/a.csv");
  ASSERT_TRUE(connection_->Query("SELECT * FROM read_csv(" + csv + ")").ok()) << "the test's file is not readable";
  ASSERT_TRUE(connection_->Lock({}).ok()) << connection_->last_error_detail();
  const std::string forbidden[] = {
      "SELECT * FROM read_csv(" + csv + ")",
      "SELECT * FROM " + csv,
      "SELECT * FROM read_text('/etc/passwd')",
      "SELECT * FROM read_blob('/etc/hostname')",
      "SELECT * FROM glob('/*')",
      "COPY (SELECT 1) TO " + QuoteLiteral(folder_ + "/out.csv"),
      "EXPORT DATABASE " + QuoteLiteral(folder_ + "/export"),
      "ATTACH " + QuoteLiteral(folder_ + "/other.db"),
      "INSTALL httpfs",
      "LOAD httpfs",
      "LOAD " + QuoteLiteral(folder_ + "/x.duckdb_extension"),
      "SET memory_limit = '1TB'",
      "SET threads = 64",
      "SET enable_external_access = true",
      "RESET enable_external_access",
      "SET lock_configuration = false",
      "SET temp_directory = '/tmp'",
      "SET allowed_directories = ['/']",
      "PRAGMA memory_limit = '1TB'",
      "SET profiling_output = " + QuoteLiteral(folder_ + "/profile.json"),
      "SET home_directory = '/'",
      "SET GLOBAL autoload_known_extensions = true",
  };
  for (const std::string& sql : forbidden) {
    EXPECT_FALSE(connection_->Execute(sql).ok()) << sql;
  }
  auto second = database_->Connect();
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(second.value()->Execute("SELECT * FROM read_csv(" + csv + ")").ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/out.csv"));
}

TEST_F(ConnectionTest, LockLeavesTheAllowedPathsAndAttachedDatabases) {
  ASSERT_TRUE(std::filesystem::create_directory(folder_ + "/out"));
  ASSERT_TRUE(connection_->Execute("ATTACH " + QuoteLiteral(folder_ + "/t.db") + " AS target").ok());
  ASSERT_TRUE(connection_->Lock({{folder_ + "/a.csv"}, {folder_ + "/out"}}).ok()) << connection_->last_error_detail();
  EXPECT_TRUE(connection_->Query("SELECT * FROM read_csv(" + QuoteLiteral(folder_ + "/a.csv") + ")").ok());
  EXPECT_TRUE(
      connection_->Execute("COPY (SELECT 1 AS x) TO " + QuoteLiteral(folder_ + "/out/x.parquet") + " (FORMAT parquet)")
          .ok())
      << connection_->last_error_detail();
  EXPECT_TRUE(connection_->Execute("CREATE TABLE target.data AS SELECT 1 AS x; CHECKPOINT target; DETACH target").ok())
      << connection_->last_error_detail();
  EXPECT_FALSE(connection_->Execute("COPY (SELECT 1) TO " + QuoteLiteral(folder_ + "/out/../b.csv")).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/b.csv"));
}

TEST_F(ConnectionTest, MemoryLimitIsAnErrorOfItsOwn) {
  Open({.threads = 1, .memory_bytes = std::size_t{32} << 20U});
  const Status status =
      connection_->Query("SELECT count(*) FROM (SELECT DISTINCT hash(range), range FROM range(20000000))").status();
  EXPECT_EQ(status.code(), ErrorCode::kResourceExhausted) << connection_->last_error_detail();
}

TEST_F(ConnectionTest, InterruptEndsAStatement) {
  std::thread interrupter;
  Status status;
  // The statement cannot end by itself, so the test waits for the interrupt, however late it comes.
  std::atomic<bool> done = false;
  interrupter = std::thread([&] {
    while (!done.load()) {
      connection_->Interrupt();
      std::this_thread::yield();
    }
  });
  status = connection_->Query("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b").status();
  done.store(true);
  interrupter.join();
  EXPECT_EQ(status.code(), ErrorCode::kDeadlineExceeded) << connection_->last_error_detail();
}

TEST(Quote, DoublesQuotes) {
  EXPECT_EQ(QuoteIdentifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
}

}  // namespace
}  // namespace glovebox::engine::duckdb
