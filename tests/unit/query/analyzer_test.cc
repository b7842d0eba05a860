// SPDX-License-Identifier: Apache-2.0
#include "query/analyzer.h"

#include <gtest/gtest.h>

#include "query/print_rel.h"
#include "tests/unit/query/recorded_trees.h"

namespace glovebox::query {
namespace {

// The names of the result's columns, or the error with its position.
std::string Names(std::string_view sql) {
  AnalyzerInput input;
  input.tables = {{{"c", "s", "t"}, {{"id", Type::Integer(64)}, {"Name", Type::Text()}}},
                  {{"c", "s", "u"}, {{"id", Type::Integer(64)}, {"x", Type::Date()}}}};
  input.default_namespace = {"c", "s"};
  Analyzer analyzer(std::move(input));
  const auto query = ParseRecorded(sql);
  if (!query.ok()) {
    return "parser: " + query.status().message();
  }
  const auto rel = analyzer.Analyze(**query);
  if (!rel.ok()) {
    const auto position = rel.status().position();
    return std::string(WireName(rel.status().code())) + (position ? "@" + std::to_string(*position) : "");
  }
  std::string out;
  for (const std::string& name : UniqueNames((*rel)->output)) {
    out += (out.empty() ? "" : ",") + name;
  }
  return out;
}

TEST(AnalyzerTest, ResolvesNames) {
  EXPECT_EQ(Names("SELECT * FROM t"), "id,Name");
  EXPECT_EQ(Names("SELECT NAME, t.id FROM s.t"), "NAME,id");
  EXPECT_EQ(Names("SELECT c.s.t.id FROM c.s.t"), "id");
  EXPECT_EQ(Names("SELECT a.* EXCLUDE (id), b.x FROM t AS a JOIN u AS b USING (id)"), "Name,x");
  EXPECT_EQ(Names("SELECT * FROM t JOIN u USING (id)"), "id,Name,x");
  EXPECT_EQ(Names("SELECT * FROM t NATURAL JOIN u"), "id,Name,x");
  EXPECT_EQ(Names("SELECT id, id, id AS id_1 FROM t"), "id,id_1,id_1_1");
  EXPECT_EQ(Names("WITH a AS (SELECT id AS k FROM t), b(m) AS (SELECT k FROM a) SELECT * FROM b"), "m");
  EXPECT_EQ(Names("WITH t AS (SELECT x FROM u) SELECT * FROM t"), "x");
  EXPECT_EQ(Names("SELECT q.k FROM (SELECT id, Name FROM t) AS q(k)"), "k");
  EXPECT_EQ(Names("SELECT id + 1 AS a, a * 2 AS b FROM t WHERE a > 3"), "a,b");
  EXPECT_EQ(Names("SELECT upper(name) AS n, COUNT(*) FROM t GROUP BY n ORDER BY n"), "n,count_star");
}

TEST(AnalyzerTest, SaysWhereItIsWrong) {
  EXPECT_EQ(Names("SELECT nope FROM t"), "SQL_UNKNOWN_NAME@7");
  EXPECT_EQ(Names("SELECT id FROM nope"), "SQL_UNKNOWN_NAME@15");
  EXPECT_EQ(Names("SELECT t.id FROM t AS a"), "SQL_UNKNOWN_NAME@7");
  EXPECT_EQ(Names("SELECT id FROM t JOIN u ON t.id = u.id"), "SQL_UNKNOWN_NAME@7");  // of which table?
  EXPECT_EQ(Names("SELECT id, COUNT(*) FROM t"), "SQL_TYPE_ERROR@7");
  EXPECT_EQ(Names("SELECT COUNT(COUNT(*)) FROM t"), "SQL_TYPE_ERROR@13");
  EXPECT_EQ(Names("SELECT id FROM t WHERE COUNT(*) > 1"), "SQL_TYPE_ERROR@23");
  EXPECT_EQ(Names("SELECT id FROM t GROUP BY 2"), "SQL_TYPE_ERROR@26");
  EXPECT_EQ(Names("SELECT id FROM t UNION ALL SELECT id, x FROM u"), "SQL_TYPE_ERROR@7");
  EXPECT_EQ(Names("SELECT now()"), "NOT_SUPPORTED@7");
  EXPECT_EQ(Names("SELECT upper(1, 2)"), "SQL_TYPE_ERROR@7");
  EXPECT_EQ(Names("SELECT a.id FROM t AS a, (SELECT a.id FROM u) AS b"), "SQL_UNKNOWN_NAME@33");
  EXPECT_EQ(Names("SELECT :missing"), "INVALID_PARAMETER_VALUE@0");
}

TEST(AnalyzerTest, ViewsAreNamesOnce) {
  AnalyzerInput input;
  input.tables = {{{"t"}, {{"id", Type::Integer(64)}}}};
  Analyzer analyzer(std::move(input));
  const auto view = ParseRecorded("SELECT id + 1 AS next FROM t");
  ASSERT_TRUE(view.ok());
  EXPECT_TRUE(analyzer.AddView({"v"}, **view, 0).ok());
  EXPECT_EQ(analyzer.AddView({"V"}, **view, 5).code(), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(analyzer.AddView({"t"}, **view, 5).code(), ErrorCode::kInvalidParameterValue);
  const auto query = ParseRecorded("SELECT next FROM v");
  ASSERT_TRUE(query.ok());
  EXPECT_TRUE(analyzer.Analyze(**query).ok());
}

}  // namespace
}  // namespace glovebox::query
