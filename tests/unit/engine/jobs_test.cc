// SPDX-License-Identifier: Apache-2.0
//
// Whole jobs through ProcessEngine: real workers, real files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "engine/duckdb/connection.h"
#include "engine/process_engine.h"
#include "tests/unit/engine/engine_fixture.h"

namespace glovebox::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kEndless = "SELECT sum(a.x * b.x) AS s FROM c.s.big AS a, c.s.big AS b, c.s.big AS c";

class JobsTest : public EngineTest {
 protected:
  NamedFile Write(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
    return {.name = "/Volumes/c/s/v/" + name, .path = Path(name)};
  }
  NamedTable Table(const std::string& name, const std::vector<Column>& columns, const std::string& sql) const {
    return {.name = {"c", "s", name}, .file = WriteTable(name, columns, sql)};
  }
  NamedTable BigTable() const { return Table("big", {{"x", "BIGINT"}}, "SELECT range AS x FROM range(1000000)"); }
  // Rows of a query on a table file, as JSON text.
  static std::vector<std::string> Read(const std::string& path, const std::string& sql) {
    auto database = duckdb::Database::Open({});
    auto connection = std::move(database.value()->Connect()).value();
    EXPECT_TRUE(connection->Execute("ATTACH " + duckdb::QuoteLiteral(path) + " AS t (READ_ONLY); USE t").ok())
        << connection->last_error_detail();
    const auto table = connection->Query(sql);
    EXPECT_TRUE(table.ok()) << connection->last_error_detail();
    std::vector<std::string> rows;
    for (std::size_t row = 0; table.ok() && row < table->rows; ++row) {
      json::Array cells;
      for (const auto& column : table->columns) {
        cells.push_back(duckdb::CellToJson(column, row));
      }
      rows.push_back(json::Write(cells));
    }
    return rows;
  }
  Result<SelectResult> Select(const std::string& sql, const std::vector<NamedFile>& files = {},
                              const std::vector<NamedTable>& tables = {}) {
    SelectRequest request;
    request.sql = sql;
    request.files = files;
    request.tables = tables;
    request.default_namespace = {"c", "s"};
    request.row_limit = 100;
    return engine_->Select(request);
  }
  static std::vector<std::string> Rows(const Result<SelectResult>& result) {
    EXPECT_TRUE(result.ok()) << result.status().message();
    std::vector<std::string> rows;
    for (std::size_t row = 0; result.ok() && row < result->rows.size(); ++row) {
      rows.push_back(json::Write(json::Array(result->rows[row])));
    }
    return rows;
  }
};

TEST_F(JobsTest, SelfTestHolds) {
  const auto report = engine_->SelfTest();
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_TRUE(report->seccomp);
  EXPECT_TRUE(report->landlock_abi > 0 || report->private_root);
}

TEST_F(JobsTest, SelectsFromTables) {
  const NamedTable t = Table("t", {{"id", "BIGINT"}, {"name", "VARCHAR"}, {"day", "DATE"}},
                             "SELECT range AS id, 'n' || range AS name, DATE '2026-01-01' AS day FROM range(5)");
  const auto result = Select("SELECT id + 1 AS n, name, day FROM t WHERE id >= 3 ORDER BY id", {}, {t});
  EXPECT_THAT(Rows(result), ElementsAre(R"([4,"n3","2026-01-01"])", R"([5,"n4","2026-01-01"])"));
  ASSERT_EQ(result->file.columns.size(), 3U);
  EXPECT_EQ(result->file.columns[0].name, "n");
  EXPECT_EQ(result->file.columns[0].type, "BIGINT");
  EXPECT_EQ(result->file.columns[2].type, "DATE");
  EXPECT_FALSE(result->truncated);
}

TEST_F(JobsTest, RowsAreTruncatedAtTheLimit) {
  const auto result = Select("SELECT x FROM big ORDER BY x DESC", {}, {BigTable()});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->rows.size(), 100U);
  EXPECT_TRUE(result->truncated);
  EXPECT_EQ(result->rows[0][0], json::Value(999'999));
}

TEST_F(JobsTest, LoadsFilesIntoNewTables) {
  const NamedFile csv = Write("people.csv", "id,name,joined,score\n1,Andre\xCC\x81,2026-01-02,1.5\n2,\"B, C\",,2\n");
  SelectRequest request;
  request.sql = "SELECT * FROM read_files('/Volumes/c/s/v/people.csv', format => 'csv', header => true)";
  request.files = {csv};
  request.target_path = Path("people.table");
  const auto result = engine_->Select(request);
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->file.path, request.target_path);
  EXPECT_EQ(result->file.rows, 2);
  EXPECT_EQ(result->file.columns[1].type, "VARCHAR");
  EXPECT_THAT(Read(request.target_path, "SELECT * FROM data ORDER BY id"),
              ElementsAre("[1,\"Andr\xC3\xA9\",\"2026-01-02\",1.5]", R"([2,"B, C",null,2.0])"));
  EXPECT_FALSE(std::filesystem::exists(request.target_path + ".job"));
  EXPECT_FALSE(std::filesystem::exists(request.target_path + ".wal"));
}

TEST_F(JobsTest, ReadsJsonAndParquet) {
  auto database = duckdb::Database::Open({});
  auto connection = std::move(database.value()->Connect()).value();
  ASSERT_TRUE(
      connection
          ->Execute("COPY (SELECT 7::UINTEGER AS u, 1.5::FLOAT AS f, TIMESTAMP_S '2026-01-01 00:00:01' AS t) TO " +
                    duckdb::QuoteLiteral(Path("p.parquet")) + " (FORMAT parquet)")
          .ok());
  const auto parquet = Select("SELECT * FROM read_files('/Volumes/c/s/v/p.parquet')",
                              {Write("unused", ""), {.name = "/Volumes/c/s/v/p.parquet", .path = Path("p.parquet")}});
  EXPECT_THAT(Rows(parquet), ElementsAre(R"([7,1.5,"2026-01-01 00:00:01"])"));
  EXPECT_EQ(parquet->file.columns[0].type, "BIGINT");
  EXPECT_EQ(parquet->file.columns[1].type, "DOUBLE");
  const NamedFile lines = Write("l.jsonl", "{\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n");
  EXPECT_THAT(Rows(Select("SELECT * FROM read_files('/Volumes/c/s/v/l.jsonl') ORDER BY a", {lines})),
              ElementsAre(R"([1,"x"])", "[2,null]"));
}

TEST_F(JobsTest, FilesLoseNothingInSilence) {
  const std::string read = "SELECT * FROM read_files('/Volumes/c/s/v/f.csv')";
  const struct {
    const char* what;
    const char* content;
  } broken[] = {
      {"a row with more fields", "a,b\n1,x\n2,y,secret4111\n"},
      {"a row with fewer fields", "a,b\n1,x\nsecret4111\n3,z\n"},
      {"an open quote", "a,b\n1,\"secret4111\n"},
      {"not UTF-8", "a,b\n1,secret4111\xff\xfe\n"},
      {"a zoned timestamp", "a,b\n1,2020-01-01 10:00:00+02\n"},
  };
  for (const auto& file : broken) {
    const Status status = Select(read, {Write("f.csv", file.content)}).status();
    EXPECT_FALSE(status.ok()) << file.what;
    EXPECT_THAT(status.message(), Not(HasSubstr("4111"))) << file.what;
  }
  EXPECT_THAT(Rows(Select(read, {Write("f.csv", "a\n#1\n\"# 2\"\n")})), ElementsAre("[\"#1\"]", "[\"# 2\"]"));
}

TEST_F(JobsTest, ErrorsOfFilesSayWhatToDo) {
  EXPECT_EQ(Select("SELECT * FROM read_files('/Volumes/c/s/v/none.csv')").status().code(), ErrorCode::kNotFound);
  const NamedFile nested = Write("n.json", "{\"a\":{\"b\":1}}\n");
  EXPECT_THAT(Select("SELECT * FROM read_files('/Volumes/c/s/v/n.json')", {nested}).status().message(),
              HasSubstr("column a has the type STRUCT"));
  const NamedFile zoned = Write("z.csv", "a,t\n1,2020-01-01 10:00:00+02\n");
  EXPECT_THAT(Select("SELECT * FROM read_files('/Volumes/c/s/v/z.csv')", {zoned}).status().message(),
              HasSubstr("UTC without a zone"));
  EXPECT_THAT(
      Select("SELECT * FROM read_files('/Volumes/c/s/v/z.csv', mode => 'PERMISSIVE')", {zoned}).status().message(),
      HasSubstr("no option mode"));
  EXPECT_EQ(Select("SELECT * FROM read_files('/Volumes/c/s/v/unused', format => 'avro')", {Write("unused", "")})
                .status()
                .code(),
            ErrorCode::kNotSupported);
}

TEST_F(JobsTest, ErrorsOfFilesSayWhere) {
  const auto message = [&](const std::string& name, const std::string& content) {
    return Select("SELECT * FROM read_files('/Volumes/c/s/v/" + name + "')", {Write(name, content)}).status().message();
  };
  const std::string unreadable = "the file /Volumes/c/s/v/f.csv cannot be read in this format ";
  EXPECT_THAT(message("f.csv", "a,b\n1,x\n2,y,z\n"), HasSubstr(unreadable + "(line 3: there are too many columns)"));
  EXPECT_THAT(message("f.csv", "a,b\n1,x\n2\n3,z\n"),
              HasSubstr(unreadable + "(line 3, column b: columns are missing)"));
  EXPECT_THAT(message("f.csv", "a,b\n1,x\xff\xfe\n"), HasSubstr(unreadable + "(line 2, column b: "));
  EXPECT_THAT(message("f.jsonl", "{\"a\":1}\n{\"a\"\n"), HasSubstr("(line 3)"));
}

// What CAST means to a Databricks user: an error, at its place; the data is his own, but no message quotes it.
TEST_F(JobsTest, ACastThatFailsIsAnErrorAtItsPlace) {
  const NamedTable t = Table("t", {{"a", "VARCHAR"}, {"b", "VARCHAR"}}, "SELECT '1' AS a, 'secret4111' AS b");
  SelectRequest request;
  request.tables = {t};
  request.default_namespace = {"c", "s"};
  request.row_limit = 10;
  request.functions = {{"c.s.as_day", {{"x", "VARCHAR"}}, "CAST(x AS DATE)"}};
  request.bad_cast = BadCast::kError;
  const auto fails_at = [&](const std::string& sql) {
    request.sql = sql;
    const Status status = engine_->Select(request).status();
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameterValue) << sql;
    EXPECT_THAT(status.message(), HasSubstr("TRY_CAST")) << sql;
    EXPECT_THAT(status.message(), Not(HasSubstr("4111"))) << sql;
    return status.position().value_or(0);
  };
  EXPECT_EQ(fails_at("SELECT CAST(a AS INT) AS a, CAST(b AS INT) AS b FROM t"), 28U);
  EXPECT_EQ(fails_at("SELECT 'CAST(/*7*/' AS x, CAST(CAST(b AS STRING) AS DECIMAL(5,2)) AS b FROM t"), 26U);
  EXPECT_EQ(fails_at("SELECT count(*) AS n FROM t WHERE b::BIGINT = 1"), 35U);
  EXPECT_EQ(fails_at("SELECT a, as_day(b) AS day FROM t"), 10U);
  request.target_path = Path("new.table");
  EXPECT_EQ(fails_at("SELECT CAST(b AS DOUBLE) AS b FROM t"), 7U);
  EXPECT_FALSE(std::filesystem::exists(request.target_path));
  request.target_path = "";
  request.sql = "SELECT TRY_CAST(b AS INT) AS b, CAST(a AS INT) AS a, CAST(NULL AS INT) AS n FROM t";
  EXPECT_THAT(Rows(engine_->Select(request)), ElementsAre("[null,1,null]"));
  // A policy is no error of its reader's.
  request.bad_cast = BadCast::kNull;
  request.sql = "SELECT CAST(b AS INT) AS b FROM t";
  EXPECT_THAT(Rows(engine_->Select(request)), ElementsAre("[null]"));
}

TEST_F(JobsTest, OnlyOneQuery) {
  EXPECT_FALSE(Select("SELECT 1; SELECT 2").ok());
  EXPECT_FALSE(Select("").ok());
  EXPECT_FALSE(Select("DROP TABLE t").ok());
  EXPECT_EQ(Select("SELECT FROM WHERE").status().code(), ErrorCode::kSqlSyntax);
  EXPECT_EQ(Select("SELECT * FROM nowhere").status().code(), ErrorCode::kSqlUnknownName);
}

TEST_F(JobsTest, AMissingTableFileIsNamedAsLoss) {
  NamedTable t = Table("t", {{"id", "BIGINT"}}, "SELECT 1 AS id");
  t.file.path = Path("gone.db");
  EXPECT_EQ(Select("SELECT * FROM t", {}, {t}).status().code(), ErrorCode::kDataLoss);
}

TEST_F(JobsTest, FailedTargetsLeaveNothing) {
  SelectRequest request;
  request.sql = kEndless;
  request.tables = {BigTable()};
  request.target_path = Path("new.table");
  Use({.timeout_ms = 1'500});
  EXPECT_EQ(engine_->Select(request).status().code(), ErrorCode::kDeadlineExceeded);
  EXPECT_FALSE(std::filesystem::exists(request.target_path));
  EXPECT_FALSE(std::filesystem::exists(request.target_path + ".job"));
}

TEST_F(JobsTest, TimeIsLimited) {
  const NamedTable big = BigTable();
  Use({.timeout_ms = 1'500});
  EXPECT_EQ(Select(kEndless, {}, {big}).status().code(), ErrorCode::kDeadlineExceeded);
}

TEST_F(JobsTest, MemoryIsLimited) {
  const NamedTable big = BigTable();
  Use({.memory_bytes = std::size_t{24} << 20U});
  const auto result = Select(
      "SELECT count(*) AS n FROM (SELECT DISTINCT a.x, b.x AS y FROM big AS a, (SELECT x FROM big WHERE x < 50) AS b)",
      {}, {big});
  EXPECT_EQ(result.status().code(), ErrorCode::kResourceExhausted) << result.status().message();
}

// Kills the children of this process that have confined themselves to a job, as the kernel's out-of-memory killer
// might.
void KillConfinedChildren() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(task.path() / "children");
    pid_t child = 0;
    while (children >> child) {
      std::ifstream status("/proc/" + std::to_string(child) + "/status");
      for (std::string line; std::getline(status, line);) {
        if (line == "Seccomp:\t2") {
          kill(child, SIGKILL);
        }
      }
    }
  }
}

TEST_F(JobsTest, ADeadWorkerIsAnErrorOfItsJobOnly) {
  const NamedTable big = BigTable();
  std::atomic<bool> ended = false;
  Status status;
  std::thread job([&] {
    status = Select(kEndless, {}, {big}).status();
    ended = true;
  });
  while (!ended) {
    KillConfinedChildren();
    std::this_thread::yield();
  }
  job.join();
  EXPECT_EQ(status.code(), ErrorCode::kRunFailed);
  EXPECT_THAT(Rows(Select("SELECT 1 AS one")), ElementsAre("[1]"));
}

TEST_F(JobsTest, AQueryCanBeCancelled) {
  SelectRequest request;
  request.sql = kEndless;
  request.tables = {BigTable()};
  request.cancel_key = "mine";
  std::atomic<bool> ended = false;
  Status status;
  std::thread job([&] {
    status = engine_->Select(request).status();
    ended = true;
  });
  while (!ended) {
    engine_->Cancel("mine");
    std::this_thread::yield();
  }
  job.join();
  EXPECT_EQ(status.code(), ErrorCode::kAborted);
  request.canceled = std::make_shared<std::atomic<bool>>(true);
  EXPECT_EQ(engine_->Select(request).status().code(), ErrorCode::kAborted) << "cancelled before it began";
}

TEST_F(JobsTest, ChecksFunctions) {
  const Function mask = {.name = "c.s.m", .parameters = {{"x", "VARCHAR"}}, .body = "upper(x)"};
  const Function filter = {.name = "c.s.f", .parameters = {{"x", "BIGINT"}}, .body = "x > 3 AND x < 9"};
  EXPECT_TRUE(engine_->CheckFunction(mask, {}).ok()) << engine_->CheckFunction(mask, {}).message();
  EXPECT_TRUE(engine_->CheckFunction(filter, {mask}).ok());
  for (const char* body :
       {"y + 1", "x +", "x; SELECT 1", "x FROM t", "x WHERE true", "x, x", "x AS y", "", "x LIMIT 1"}) {
    const Function wrong = {.name = "c.s.w", .parameters = {{"x", "BIGINT"}}, .body = body};
    EXPECT_FALSE(engine_->CheckFunction(wrong, {}).ok()) << body;
  }
}

class PrepareTest : public JobsTest {
 protected:
  void SetUp() override {
    JobsTest::SetUp();
    // 40 people with 1 to 3 rows; person 7 has 50. Two rows are of no one.
    request_.table =
        Table("t",
              {{"person", "VARCHAR"},
               {"row_id", "BIGINT"},
               {"age", "INTEGER"},
               {"dx", "VARCHAR"},
               {"amt", "DOUBLE"},
               {"region", "VARCHAR"}},
              "SELECT * FROM (SELECT CASE WHEN i % 2 = 0 THEN ' Person' ELSE 'PERSON' END || p AS person, "
              "(p * 1000 + i)::BIGINT AS row_id, (20 + p)::INTEGER AS age, ['none', 'flu', 'rare'][1 + p % 3] AS dx, "
              "CASE WHEN p = 3 THEN 'nan'::DOUBLE ELSE p * 10.0 END AS amt, ['north', 'south'][1 + p % 2] AS region "
              "FROM range(40) a(p), range(50) b(i) WHERE i < 1 + p % 3 OR p = 7) UNION ALL VALUES ('', 1, 30, 'flu', "
              "1.0, 'north'), (NULL, 2, 30, 'flu', 1.0, 'north')")
            .file;
    request_.rule = Rule("");
    request_.unit_secret = std::string(32, 'u');
    request_.target_path = Path("prepared.table");
  }

  static std::string Rule(const std::string& keys) {
    return R"({"version":1,"unit":{"domain":"person","columns":["person"],"canonical":"nfkc_trim_lower"},)"
           R"("min_units":10,"membership":"protected",)" +
           keys +
           R"("columns":{"person":{"identity":true,"uses":["join"],"join_with":["*.person"]},)"
           R"("dx":{"uses":["filter","dimension"],"domain":["none","flu"]},)"
           R"("amt":{"uses":["measure"],"aggregates":["sum"],"bounds":[0,300]},)"
           R"("age":{"uses":["measure"],"aggregates":["avg"],"bounds":[0,120]}}})";
  }
  PreparedAsset MustPrepare() {
    auto asset = engine_->Prepare(request_);
    EXPECT_TRUE(asset.ok()) << asset.status().message();
    return asset.ok() ? std::move(asset).value() : PreparedAsset{};
  }

  PrepareRequest request_;
};

TEST_F(PrepareTest, WritesWhatTheRuleNamesWithItsUnits) {
  const PreparedAsset asset = MustPrepare();
  std::vector<std::string> names;
  for (const Column& column : asset.file.columns) {
    names.push_back(column.name + " " + column.type);
  }
  EXPECT_THAT(names, ElementsAre("person VARCHAR", "age INTEGER", "dx VARCHAR", "amt DOUBLE"));
  EXPECT_THAT(Read(request_.target_path, "SELECT column_name, column_type FROM (DESCRIBE data)"),
              ElementsAre(R"(["person","VARCHAR"])", R"(["age","INTEGER"])", R"(["dx","VARCHAR"])",
                          R"(["amt","DOUBLE"])", R"(["__gb_unit","UINTEGER"])"));
  // One unit a person, however the name is written; ids are dense from 1; the rows of no one are gone.
  EXPECT_THAT(Read(request_.target_path,
                   "SELECT count(*), count(DISTINCT __gb_unit), min(__gb_unit), max(__gb_unit), "
                   "count(DISTINCT lower(trim(person)) || __gb_unit), min(length(trim(person))) FROM data"),
              ElementsAre("[" + std::to_string(asset.file.rows) + ",40,1,40,40,7]"));
  EXPECT_THAT(Read(request_.target_path,
                   "SELECT count(*), count(DISTINCT hash), min(id), max(id), sum((hash IS NULL)::INTEGER) FROM units"),
              ElementsAre(R"([40,40,1,40,"0"])"));
}

TEST_F(PrepareTest, Statistics) {
  const json::Value statistics = MustPrepare().statistics;
  // 40 persons p with 1 + p % 3 rows, but 50 for p = 7.
  EXPECT_EQ(statistics.GetInt("rows"), 14 * 1 + 13 * 2 + 13 * 3 + 48);
  EXPECT_EQ(statistics.GetInt("units"), 40);
  EXPECT_EQ(statistics.GetInt("max_rows_per_unit"), 50);
  EXPECT_EQ(statistics.GetInt("heaviest_rows_below_k"), 50 + 8 * 3);  // k - 1 = 9 units
  EXPECT_FALSE(statistics.GetBool("one_row_per_unit", true));
  const json::Value& columns = *statistics.Get("columns");
  EXPECT_TRUE(columns.Get("dx")->GetBool("has_null"));
  EXPECT_EQ(columns.Get("dx")->GetInt("out_of_domain"), 13 * 3);  // 'rare'
  EXPECT_TRUE(columns.Get("amt")->GetBool("has_null"));           // NaN
  EXPECT_FALSE(columns.Get("age")->GetBool("has_null", true));
  EXPECT_FALSE(columns.Get("person")->GetBool("has_null", true));
}

TEST_F(PrepareTest, DomainBoundsAndFiniteValues) {
  MustPrepare();
  EXPECT_THAT(Read(request_.target_path, "SELECT DISTINCT dx FROM data ORDER BY dx"),
              ElementsAre(R"(["flu"])", R"(["none"])", "[null]"));
  EXPECT_THAT(Read(request_.target_path, "SELECT min(amt), max(amt), count(*) FILTER (WHERE isnan(amt)) FROM data"),
              ElementsAre("[0.0,300.0,0]"));
}

TEST_F(PrepareTest, FiltersAndMasksAreAppliedUnitsAreNot) {
  request_.functions = {
      {.name = "c.s.south", .parameters = {{"r", "VARCHAR"}}, .body = "r = 'south'"},
      {.name = "c.s.token", .parameters = {{"p", "VARCHAR"}}, .body = "hmac_sha256(secret('vault', 'k'), p)"},
      {.name = "c.s.hide", .parameters = {{"d", "VARCHAR"}, {"r", "VARCHAR"}}, .body = "CASE WHEN r = 'x' THEN d END"},
  };
  request_.row_filters = {{.function = "c.s.south", .columns = {"region"}}};
  request_.masks = {{.column = "dx", .function = "c.s.hide", .using_columns = {"region"}},
                    {.column = "person", .function = "c.s.token", .using_columns = {}}};
  request_.secrets = {{.scope = "vault", .key = "k", .value = "key"}};
  const PreparedAsset asset = MustPrepare();
  EXPECT_EQ(asset.statistics.GetInt("units"), 20);
  EXPECT_THAT(Read(request_.target_path,
                   "SELECT count(DISTINCT __gb_unit), count(dx), min(length(person)), max(length(person)) FROM data"),
              ElementsAre("[20,0,64,64]"));
}

TEST_F(PrepareTest, TheSameUnitsHaveTheSameHashInAnotherTable) {
  MustPrepare();
  const std::string first = request_.target_path;
  request_.table = Table("u", {{"person", "VARCHAR"}, {"dx", "VARCHAR"}, {"amt", "DOUBLE"}, {"age", "INTEGER"}},
                         "SELECT 'person' || range AS person, 'flu' AS dx, 1.0::DOUBLE AS amt, 1::INTEGER AS age FROM "
                         "range(20, 60)")
                       .file;
  request_.target_path = Path("second.table");
  const PreparedAsset second = MustPrepare();
  EXPECT_TRUE(second.statistics.GetBool("one_row_per_unit"));
  EXPECT_THAT(Read(first, "ATTACH '" + request_.target_path + "' AS s (READ_ONLY)"), ElementsAre());
  const auto hashes = [](const std::string& path) { return Read(path, "SELECT CAST(hash AS VARCHAR) FROM units"); };
  std::vector<std::string> a = hashes(first);
  std::vector<std::string> b = hashes(request_.target_path);
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::vector<std::string> common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  EXPECT_EQ(common.size(), 20U);
  request_.unit_secret = std::string(32, 'v');
  request_.target_path = Path("third.table");
  MustPrepare();
  std::vector<std::string> c = hashes(request_.target_path);
  std::sort(c.begin(), c.end());
  common.clear();
  std::set_intersection(b.begin(), b.end(), c.begin(), c.end(), std::back_inserter(common));
  EXPECT_TRUE(common.empty());
}

TEST_F(JobsTest, ASecretIsAKeyOfAHashAndNeverAValue) {
  SelectRequest request;
  request.tables = {Table("t", {{"p", "VARCHAR"}}, "SELECT 'ann' AS p")};
  request.functions = {
      {.name = "c.s.token", .parameters = {{"p", "VARCHAR"}}, .body = "hmac_sha256(secret('Vault', 'k'), p)"}};
  request.row_limit = 10;
  request.sql = "SELECT token(p) AS p FROM c.s.t WHERE token(p) <> p";
  EXPECT_EQ(engine_->Select(request).status().code(), ErrorCode::kNotSupported) << "there are no keys";
  request.secrets = {{.scope = "Vault", .key = "k", .value = "key"}};
  const auto result = engine_->Select(request);
  EXPECT_THAT(Rows(result), ElementsAre(R"(["9d77c3180ff81edfbc099a7e91843e415e1f4b0e1aa641c00fba6bd4b0d4dd91"])"));
  for (const char* sql :
       {"SELECT secret('Vault', 'k') AS s", "SELECT p FROM c.s.t WHERE p = secret('Vault', 'k')",
        "SELECT (SELECT max(secret('Vault', 'k')) FROM c.s.t) AS s",
        "SELECT p FROM c.s.t ORDER BY secret('Vault', 'k')", "SELECT hmac_sha256(p, 'x') AS s FROM c.s.t",
        "SELECT hmac_sha256(secret(p, 'k'), p) FROM c.s.t",
        "SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM c.s.t WHERE secret('Vault', 'k') = p)",
        "SELECT row_number() OVER (PARTITION BY secret('Vault', 'k')) AS n FROM c.s.t"}) {
    request.sql = sql;
    EXPECT_EQ(engine_->Select(request).status().rule(), "P11") << sql;
  }
}

TEST_F(JobsTest, FunctionsAreCalledByTheirLongerNamesToo) {
  SelectRequest request;
  request.functions = {{.name = "main.Tools.twice", .parameters = {{"x", "BIGINT"}}, .body = "x * 2"},
                       {.name = "main.Tools.lower", .parameters = {{"x", "BIGINT"}}, .body = "x - 1"}};
  request.row_limit = 10;
  request.sql = "SELECT main.tools.twice(1), Tools.`twice`(2) AS b, twice(3) AS c, main.tools.lower(4) AS d";
  const auto result = engine_->Select(request);
  EXPECT_THAT(Rows(result), ElementsAre("[2,4,6,3]"));
  EXPECT_EQ(result->file.columns.at(0).name, "twice");
  for (const char* sql : {"SELECT other.twice(1)", "SELECT other.tools.twice(1)", "SELECT ls.twice(1)",
                          "SELECT main.tools.abs(1)", "SELECT pg_catalog.version()", "SELECT x.y.now()"}) {
    request.sql = sql;
    const Status status = engine_->Select(request).status();
    EXPECT_EQ(status.code(), ErrorCode::kNotSupported) << sql;
    EXPECT_EQ(status.position(), 7U) << sql;
  }
}

TEST_F(JobsTest, ErrorsInAFunctionHavePositionsInItsBody) {
  const auto position = [&](const std::string& body, const std::vector<Function>& others) {
    const Function function{.name = "c.s.f", .parameters = {{"x", "VARCHAR"}}, .body = body};
    return engine_->CheckFunction(function, others).position();
  };
  EXPECT_EQ(position("upper(y)", {}), 6U);
  EXPECT_EQ(position("upper(x) || ) ", {}), 12U);
  const std::vector<Function> broken = {{.name = "c.s.g", .parameters = {}, .body = "upper(lower(z))"}};
  EXPECT_EQ(position("x || g()", broken), 5U) << "where it is called";
}

TEST_F(PrepareTest, DeclaredKeysAreChecked) {
  request_.rule = Rule(R"("keys":[["row_id"]],)");
  MustPrepare();
  request_.rule = Rule(R"("keys":[["row_id"],["person"]],)");
  const Status status = engine_->Prepare(request_).status();
  EXPECT_EQ(status.code(), ErrorCode::kInvalidParameterValue);
  EXPECT_THAT(status.message(), HasSubstr("(person)"));
}

TEST_F(PrepareTest, WhatDoesNotFitIsTheOwnersError) {
  request_.rule = "{}";
  EXPECT_EQ(engine_->Prepare(request_).status().code(), ErrorCode::kInvalidParameterValue);
  request_.rule = Rule("");
  request_.row_filters = {{.function = "c.s.none", .columns = {"region"}}};
  EXPECT_THAT(engine_->Prepare(request_).status().message(), HasSubstr("c.s.none"));
  request_.functions = {{.name = "c.s.none", .parameters = {{"r", "VARCHAR"}}, .body = "upper(r)"}};
  EXPECT_THAT(engine_->Prepare(request_).status().message(), HasSubstr("BOOLEAN"));
  request_.row_filters = {};
  request_.functions = {
      {.name = "c.s.t", .parameters = {{"p", "VARCHAR"}}, .body = "hmac_sha256(secret('a', 'b'), p)"}};
  request_.masks = {{.column = "person", .function = "c.s.t", .using_columns = {}}};
  EXPECT_EQ(engine_->Prepare(request_).status().code(), ErrorCode::kInvalidParameterValue);
  EXPECT_FALSE(std::filesystem::exists(request_.target_path));
}

TEST_F(JobsTest, SortsMoreThanItsMemoryOnDisk) {
  SelectRequest request;
  request.sql = "SELECT a.x, b.x AS y FROM big AS a, (SELECT x FROM big WHERE x < 6) AS b ORDER BY a.x % 1001, a.x, y";
  request.tables = {BigTable()};
  request.default_namespace = {"c", "s"};
  request.target_path = Path("sorted.table");
  Use({.memory_bytes = std::size_t{96} << 20U});
  const auto result = engine_->Select(request);
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->file.rows, 6'000'000);
  EXPECT_FALSE(std::filesystem::exists(request.target_path + ".job"));
}

TEST_F(PrepareTest, ARunReleasesGroupsOfEnoughUnits) {
  RunRequest run;
  run.assets.push_back({.name = {"provider", "s", "t"},
                        .owner = "provider",
                        .role = Role::kProtected,
                        .rule = request_.rule,
                        .version = "v1",
                        .policy_digest = "none",
                        .prepared = MustPrepare()});
  run.cells = {{.sql = "SELECT dx, COUNT(*) AS n FROM provider.s.t GROUP BY dx ORDER BY dx"}};
  run.output_folder = Path("out");
  run.inline_rows_max = 10;
  const auto result = engine_->Run(run);
  ASSERT_TRUE(result.ok()) << result.status().message();
  ASSERT_EQ(result->outputs.size(), 1U);
  const OutputTable& output = result->outputs[0];
  EXPECT_EQ(std::filesystem::path(output.file.path).parent_path(), run.output_folder);
  EXPECT_TRUE(std::filesystem::is_regular_file(output.file.path));
  EXPECT_EQ(output.rows.size(), static_cast<std::size_t>(output.file.rows));
  EXPECT_FALSE(std::filesystem::exists(run.output_folder + "/.spill"));
  run.mode = RunMode::kPlanOnly;
  run.output_folder = Path("never");
  EXPECT_TRUE(engine_->Run(run).ok());
  EXPECT_FALSE(std::filesystem::exists(run.output_folder));
  run.cells = {{.sql = "SELECT person FROM provider.s.t"}};
  const Status refused = engine_->Run(run).status();
  EXPECT_THAT(refused.code(), ::testing::AnyOf(ErrorCode::kQueryRefused, ErrorCode::kNotSupported));
  EXPECT_NE(refused.rule(), "");
}

TEST_F(JobsTest, ARunThatFailsSaysNothing) {
  RunRequest request;
  request.cells = {{.sql = "SELECT 1 AS one"}};
  request.assets.emplace_back();
  request.assets[0].name = {"a", "s", "t"};
  request.assets[0].prepared.file.path = Path("gone");
  request.output_folder = Path("out");
  const Status status = engine_->Run(request).status();
  EXPECT_EQ(status.code(), ErrorCode::kRunFailed);
  EXPECT_THAT(status.message(), Not(HasSubstr("gone")));
}

}  // namespace
}  // namespace glovebox::engine
