// SPDX-License-Identifier: Apache-2.0
#include "query/own_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/query/recorded_trees.h"

namespace glovebox::query {
namespace {

using ::testing::HasSubstr;

const std::vector<OwnTable> kTables = {
    {{"c", "s", "t"}, {{"id", Type::Integer(64)}, {"na\"me", Type::Text()}}, "\"t0\".\"data\""}};

Result<CompiledQuery> Compile(std::string_view sql, const std::vector<ParameterDef>& parameters = {}) {
  GB_ASSIGN_OR_RETURN(const ast::QueryPtr query, ParseRecorded(sql));
  GB_ASSIGN_OR_RETURN(const std::vector<FileCall> calls, FindFileCalls(*query));
  const std::vector<FileTable> files(calls.size(), FileTable{{{"a", Type::Text()}}, "\"f\".\"data\""});
  return CompileOwnQuery(*query, kTables, files, {}, parameters, {{"c", "s"}}, {});
}

TEST(OwnQueryTest, PrintsFromTheResolvedTree) {
  const auto query = Compile("SELECT id, \"na\"\"me\" FROM t WHERE id = :n", {{"n", Type::Integer(64), "7", false}});
  ASSERT_TRUE(query.ok()) << query.status().message();
  EXPECT_THAT(query->sql, HasSubstr("FROM \"t0\".\"data\""));
  EXPECT_THAT(query->sql, HasSubstr("(7)"));
  ASSERT_EQ(query->columns.size(), 2U);
  EXPECT_EQ(query->columns[1].name, "na\"me");
  EXPECT_THAT(query->sql, HasSubstr("\"na\"\"me\""));
}

// A value is a literal whatever it holds: it cannot leave its quotes.
TEST(OwnQueryTest, ParametersStayValues) {
  const auto query = Compile("SELECT :p AS p FROM t", {{"p", Type::Text(), "x' OR 1=1; --", false}});
  ASSERT_TRUE(query.ok()) << query.status().message();
  EXPECT_THAT(query->sql, HasSubstr("'x'' OR 1=1; --'"));
  EXPECT_EQ(Compile("SELECT :p AS p FROM t", {{"p", Type::Integer(64), "1 OR 1=1", false}}).status().code(),
            ErrorCode::kInvalidParameterValue);
  const auto null = Compile("SELECT :p AS p FROM t", {{"p", Type::Text(), "", true}});
  ASSERT_TRUE(null.ok());
  EXPECT_THAT(null->sql, HasSubstr("NULL"));
}

TEST(OwnQueryTest, FindsFileCallsWhereverTheyStand) {
  const auto query = ParseRecorded(
      "WITH a AS (SELECT * FROM read_files('/Volumes/c/s/v/1.csv', format => 'csv')) SELECT * FROM a WHERE EXISTS "
      "(SELECT 1 "
      "FROM read_files('/Volumes/c/s/v/2.csv', header => true) AS b WHERE b.a = a.a)");
  ASSERT_TRUE(query.ok()) << query.status().message();
  const auto calls = FindFileCalls(**query);
  ASSERT_TRUE(calls.ok()) << calls.status().message();
  ASSERT_EQ(calls->size(), 2U);
  EXPECT_EQ((*calls)[0].path, "/Volumes/c/s/v/1.csv");
  EXPECT_EQ((*calls)[0].options.at("format"), "csv");
  EXPECT_EQ((*calls)[1].options.at("header"), "true");
}

// Each call reads its own file, whatever the order in which CTEs are used.
TEST(OwnQueryTest, FilesAreNotMixedUp) {
  const auto query = ParseRecorded(
      "WITH a AS (SELECT * FROM read_files('/Volumes/c/s/v/1.csv')), b AS (SELECT * FROM "
      "read_files('/Volumes/c/s/v/2.csv')) "
      "SELECT x.two, y.one, z.two FROM b AS x JOIN a AS y ON x.two = y.one JOIN b AS z ON z.two = x.two");
  ASSERT_TRUE(query.ok()) << query.status().message();
  const auto calls = FindFileCalls(**query);
  ASSERT_TRUE(calls.ok());
  ASSERT_EQ(calls->size(), 2U);
  EXPECT_EQ((*calls)[0].path, "/Volumes/c/s/v/1.csv");
  const std::vector<FileTable> files = {{{{"one", Type::Text()}}, "first"}, {{{"two", Type::Text()}}, "second"}};
  const auto compiled = CompileOwnQuery(**query, {}, files, {}, {}, {}, {});
  ASSERT_TRUE(compiled.ok()) << compiled.status().message();
  const std::size_t first = compiled->sql.find("FROM first");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(compiled->sql.find("FROM first", first + 1), std::string::npos);
  EXPECT_LT(compiled->sql.find("FROM second"), first);
}

TEST(OwnQueryTest, KnowsNoOtherTableFunctions) {
  for (const char* sql : {"SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM glob('*')"}) {
    EXPECT_FALSE(Compile(sql).ok()) << sql;
  }
}

}  // namespace
}  // namespace glovebox::query
