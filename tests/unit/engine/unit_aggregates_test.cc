// SPDX-License-Identifier: Apache-2.0
#include "engine/duckdb/unit_aggregates.h"

#include <gtest/gtest.h>

#include <memory>

namespace glovebox::engine::duckdb {
namespace {

class UnitAggregatesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto database = Database::Open({.threads = 4});
    ASSERT_TRUE(database.ok());
    database_ = std::move(database).value();
    auto connection = database_->Connect();
    ASSERT_TRUE(connection.ok());
    connection_ = std::move(connection).value();
  }

  void Register(std::uint32_t k) { ASSERT_TRUE(RegisterUnitsAtLeast(*connection_, k).ok()); }
  void MustExecute(const std::string& sql) {
    ASSERT_TRUE(connection_->Execute(sql).ok()) << connection_->last_error_detail();
  }
  std::int64_t Int(const std::string& sql) {
    const auto value = connection_->QueryInt(sql);
    EXPECT_TRUE(value.ok()) << connection_->last_error_detail();
    return value.ok() ? *value : -1;
  }

  std::unique_ptr<Database> database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(UnitAggregatesTest, EmptyInputHasNoUnits) {
  Register(50);
  EXPECT_EQ(Int("SELECT gb_units_at_least_50(u) FROM (SELECT 1::UINTEGER AS u WHERE false)"), 0);
  EXPECT_EQ(Int("SELECT gb_units_at_least_50(u) FROM (SELECT NULL::UINTEGER AS u FROM range(100))"), 0);
  EXPECT_EQ(Int("SELECT gb_units_at_least_50(u) FROM (SELECT 0::UINTEGER AS u FROM range(100))"), 0);
}

TEST_F(UnitAggregatesTest, SaturatesExactlyAtK) {
  for (const std::uint32_t k : {1U, 2U, 6U, 7U, 8U, 10U, 50U, 1000U}) {
    Register(k);
    for (std::int64_t units : {std::int64_t{k} - 1, std::int64_t{k}, std::int64_t{k} + 1, std::int64_t{5} * k}) {
      const std::string sql = "SELECT " + UnitsAtLeastName(k) + "((range % " +
                              std::to_string(std::max<std::int64_t>(units, 1)) + " + 1)::UINTEGER) FROM range(" +
                              std::to_string(units * 3) + ")";
      EXPECT_EQ(Int(sql), std::min<std::int64_t>(units, k)) << sql;
    }
  }
}

TEST_F(UnitAggregatesTest, AValueThatIsNullDoesNotCount) {
  Register(50);
  MustExecute(
      "CREATE TABLE t AS SELECT (range + 1)::UINTEGER AS u, CASE WHEN range < 20 THEN 'x' END AS s, "
      "CASE WHEN range % 2 = 0 THEN range::DOUBLE END AS d FROM range(30)");
  EXPECT_EQ(Int("SELECT gb_units_at_least_50(u, s) FROM t"), 20);
  EXPECT_EQ(Int("SELECT gb_units_at_least_50(u, d) FROM t"), 15);
  EXPECT_EQ(Int("SELECT gb_units_at_least_50(u) FROM t"), 30);
}

// Random data against DuckDB's own exact count: units of very different weight, NULL units and values, many groups.
TEST_F(UnitAggregatesTest, AgreesWithCountDistinct) {
  MustExecute("SELECT setseed(0.25)");
  MustExecute(
      "CREATE TABLE t AS SELECT CASE WHEN random() < 0.05 THEN NULL ELSE (pow(random(), 3) * 20000 + 1)::UINTEGER END "
      "AS u, "
      "CASE WHEN random() < 0.3 THEN NULL ELSE random() END AS x, "
      "(random() * 7)::INTEGER AS few, (pow(random(), 2) * 3000)::INTEGER AS middle, (random() * 40000)::INTEGER AS "
      "many "
      "FROM range(400000)");
  for (const std::uint32_t k : {10U, 50U, 300U, 5000U}) {
    Register(k);
    const std::string name = UnitsAtLeastName(k);
    const std::string n = std::to_string(k);
    for (const char* key : {"few", "middle", "many", "1"}) {
      const std::string sql =
          "SELECT count(*) FROM (SELECT " + std::string(key) + " AS g, " + name + "(u) AS a, least(" + n +
          ", count(DISTINCT u)) AS a2, " + name + "(u, x) AS b, least(" + n +
          ", count(DISTINCT u) FILTER (WHERE x IS NOT NULL)) AS b2, " + name +
          "(u) FILTER (WHERE x < 0.2) AS c, least(" + n +
          ", count(DISTINCT u) FILTER (WHERE x < 0.2)) AS c2 FROM t GROUP BY 1) WHERE a <> a2 OR b <> b2 OR c <> c2";
      EXPECT_EQ(Int(sql), 0) << sql;
    }
  }
}

TEST_F(UnitAggregatesTest, WindowsAreExact) {
  Register(10);
  MustExecute("SELECT setseed(0.5)");
  MustExecute("CREATE TABLE t AS SELECT range AS i, (random() * 30 + 1)::UINTEGER AS u FROM range(3000)");
  EXPECT_EQ(
      Int("SELECT count(*) FROM (SELECT i, gb_units_at_least_10(u) OVER (ORDER BY i ROWS BETWEEN 40 PRECEDING AND "
          "CURRENT ROW) AS a FROM t) JOIN (SELECT t.i, least(10, count(DISTINCT w.u)) AS b FROM t JOIN t AS w ON "
          "w.i BETWEEN t.i - 40 AND t.i GROUP BY t.i) USING (i) WHERE a <> b"),
      0);
}

TEST_F(UnitAggregatesTest, GroupingSetsAndHaving) {
  Register(10);
  MustExecute("CREATE TABLE t AS SELECT (range % 12 + 1)::UINTEGER AS u, range % 3 AS g FROM range(120)");
  EXPECT_EQ(Int("SELECT count(*) FROM (SELECT g FROM t GROUP BY ROLLUP (g) HAVING gb_units_at_least_10(u) >= 10)"), 1);
  EXPECT_EQ(Int("SELECT count(*) FROM (SELECT g FROM t GROUP BY ROLLUP (g) HAVING gb_units_at_least_10(u) = 4)"), 3);
}

TEST_F(UnitAggregatesTest, HeapIsBoundedAndGivenBack) {
  ASSERT_TRUE(RegisterUnitsAtLeast(*connection_, 500, std::size_t{256} << 10U).ok());
  const std::string sql =
      "SELECT max(a) FROM (SELECT range % 5000 AS g, gb_units_at_least_500((range // 5000 + 1)::UINTEGER) AS a FROM "
      "range(500000) GROUP BY 1)";
  EXPECT_FALSE(connection_->Query(sql).ok());
  // One group at a time fits, again and again: what the failed query held has been freed.
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Int("SELECT gb_units_at_least_500((range + 1)::UINTEGER) FROM range(499)"), 499);
  }
}

TEST_F(UnitAggregatesTest, TheSameCounterTwiceIsAnError) {
  Register(50);
  EXPECT_EQ(RegisterUnitsAtLeast(*connection_, 50).code(), ErrorCode::kInternal);
}

}  // namespace
}  // namespace glovebox::engine::duckdb
