// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "query/sql_front_end.h"

namespace glovebox::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TranslatedStatement Only(std::string_view text) {
  auto statements = TranslateSql(text);
  if (!statements.ok() || statements->size() != 1) {
    ADD_FAILURE() << text << ": " << (statements.ok() ? "not one statement" : statements.status().message());
    return {};
  }
  return std::move(statements->front());
}

// The refusal of `text`: its code, and the text from its position on.
struct Refusal {
  ErrorCode code = ErrorCode::kOk;
  std::string rule;
  std::string at;
  std::string message;
};

Refusal Refused(std::string_view text) {
  const auto statements = TranslateSql(text);
  if (statements.ok()) {
    return {};
  }
  const Status& status = statements.status();
  EXPECT_TRUE(status.position().has_value()) << text;
  const std::size_t position = status.position().value_or(0);
  EXPECT_LE(position, text.size());
  return {status.code(), status.rule(), std::string(text.substr(std::min(position, text.size()))), status.message()};
}

void ExpectNotSupported(std::string_view text, std::string_view at, std::string_view words) {
  const Refusal refusal = Refused(text);
  EXPECT_EQ(refusal.code, ErrorCode::kNotSupported) << text << ": " << refusal.message;
  EXPECT_EQ(refusal.rule, "P15") << text;
  EXPECT_EQ(refusal.at.substr(0, at.size()), at) << text;
  EXPECT_THAT(refusal.message, HasSubstr(words)) << text;
}

void ExpectSyntaxError(std::string_view text, std::string_view at) {
  const Refusal refusal = Refused(text);
  EXPECT_EQ(refusal.code, ErrorCode::kSqlSyntax) << text << ": " << refusal.message;
  EXPECT_EQ(refusal.at.substr(0, at.size()), at) << text;
}

TEST(TranslateSql, LeavesDuckdbsGrammarAlone) {
  for (const std::string_view text :
       {"SELECT a, COUNT(*) AS n FROM t GROUP BY a", "SELECT-1", "SELECT a<>-1,b=+2 FROM t",
        "SELECT 'it''s', $$x;y$$, $t$'$t$, E'a\\'b;c' FROM \"a\"\"b\"", "FROM t SELECT x: a.b::INT",
        "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1, .5, 1e5, 1_000)", "(SELECT 1) UNION ALL (SELECT 2)"}) {
    const TranslatedStatement statement = Only(text);
    EXPECT_EQ(statement.sql, text);
    EXPECT_EQ(statement.kind, StatementKind::kQuery);
    EXPECT_THAT(statement.target, IsEmpty());
    EXPECT_THAT(statement.parameters, IsEmpty());
  }
}

TEST(TranslateSql, SplitsStatementsAndDropsComments) {
  const auto statements =
      TranslateSql("-- Databricks\n;SELECT ';' /* ; /* nested */ ; */ AS a;\n\n SELECT 2 -- end\n;;");
  ASSERT_TRUE(statements.ok());
  ASSERT_EQ(statements->size(), 2U);
  EXPECT_EQ((*statements)[0].sql, "SELECT ';' AS a");
  EXPECT_EQ((*statements)[0].position, 15U);
  EXPECT_EQ((*statements)[1].sql, "SELECT 2");
  const auto nothing = TranslateSql(" -- only a comment\n /* and another */ ; ");
  ASSERT_TRUE(nothing.ok());
  EXPECT_THAT(*nothing, IsEmpty());
}

TEST(TranslateSql, CommentsDoNotJoinTokens) {
  EXPECT_EQ(Only("SELECT 1 WHERE/**/a/* = */<>/**/$$x$$").sql, "SELECT 1 WHERE a <> $$x$$");
  EXPECT_EQ(Only("SELECT a--b\n-c FROM t").sql, "SELECT a -c FROM t");
}

TEST(TranslateSql, RewritesWhatDatabricksUsersType) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"SELECT `a b`, `c``d\"e` FROM t", "SELECT \"a b\" , \"c`d\"\"e\" FROM t"},
      {"SELECT * EXCEPT (a, b) FROM t", "SELECT * EXCLUDE (a, b) FROM t"},
      {"SELECT t.* except(a) FROM t", "SELECT t.* EXCLUDE (a) FROM t"},
      {"SELECT a DIV b, a div 2 FROM t", "SELECT a // b, a // 2 FROM t"},
      {"SELECT (a) DIV (b) FROM t", "SELECT (a) // (b) FROM t"},
      {"SELECT * FROM t WHERE a RLIKE 'x' AND b NOT RLIKE 'y' OR c REGEXP 'z'",
       "SELECT * FROM t WHERE a SIMILAR TO 'x' AND b NOT SIMILAR TO 'y' OR c SIMILAR TO 'z'"},
      {"SELECT * FROM a LEFT SEMI JOIN b USING (x)", "SELECT * FROM a SEMI JOIN b USING (x)"},
      {"SELECT * FROM a LEFT ANTI JOIN b USING (x)", "SELECT * FROM a ANTI JOIN b USING (x)"},
      {"SELECT a<=>b, a <=> -1 FROM t", "SELECT a IS NOT DISTINCT FROM b, a IS NOT DISTINCT FROM -1 FROM t"},
      {"SELECT * FROM IDENTIFIER('c.s.' || 't')", "SELECT * FROM \"c\".\"s\".\"t\""},
      {"SELECT * FROM identifier('`a b`') x", "SELECT * FROM \"a b\" x"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(Only(text).sql, expected);
  }
}

TEST(TranslateSql, LeavesNamesThatLookLikeOperatorsAlone) {
  for (const std::string_view text :
       {"SELECT div, t.div, div(a, b), a div FROM div", "SELECT rlike(a, b), regexp FROM t WHERE t.rlike = 1",
        "SELECT * FROM t EXCEPT SELECT * FROM u", "SELECT a FROM t EXCEPT (SELECT a FROM u)",
        "SELECT identifier FROM t", "SELECT t.lateral, of FROM t AS of", "SELECT ~a, a ~~ b, a !~~* b FROM t"}) {
    EXPECT_EQ(Only(text).sql, text);
  }
}

TEST(TranslateSql, CollectsParametersOnce) {
  const TranslatedStatement statement = Only("SELECT :a, $b, :a::INT, '(:c)', x::date FROM t WHERE y>=:from_day");
  EXPECT_EQ(statement.sql, "SELECT $a , $b , $a ::INT, '(:c)', x::date FROM t WHERE y>= $from_day");
  EXPECT_THAT(statement.parameters, ElementsAre("a", "b", "from_day"));
}

TEST(TranslateSql, ParametersDoNotGrowTogetherIntoAString) {
  EXPECT_EQ(Only("SELECT :a:b").sql, "SELECT $a $b");  // $a$b would open a string
  ExpectSyntaxError("SELECT :a$b", ":a$b");
}

TEST(TranslateSql, FindsOutputTables) {
  const std::vector<std::pair<std::string_view, std::vector<std::string>>> cases = {
      {"CREATE TABLE x AS SELECT 1", {"x"}},
      {"create or replace table `a b`.\"C\".d as (select 1)", {"a b", "C", "d"}},
      {"CREATE TABLE IDENTIFIER(:cr_output_catalog || '.' || :cr_output_schema || '.overlap') AS FROM t", {"overlap"}},
      {"CREATE OR REPLACE TABLE identifier(:cr_output_schema||'.x') AS WITH a AS (SELECT 1) FROM a", {"x"}},
      {"CREATE TABLE IDENTIFIER('s.x') AS VALUES (1)", {"s", "x"}},
  };
  for (const auto& [text, target] : cases) {
    const TranslatedStatement statement = Only(text);
    EXPECT_EQ(statement.kind, StatementKind::kOutputTable) << text;
    EXPECT_EQ(statement.target, target) << text;
    EXPECT_THAT(statement.parameters, IsEmpty());
  }
}

TEST(TranslateSql, FindsTemporaryViews) {
  for (const std::string_view text :
       {"CREATE TEMP VIEW v AS SELECT 1", "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1",
        "CREATE OR REPLACE LOCAL TEMP VIEW `v` AS SELECT 1"}) {
    const TranslatedStatement statement = Only(text);
    EXPECT_EQ(statement.kind, StatementKind::kTemporaryView) << text;
    EXPECT_THAT(statement.target, ElementsAre("v")) << text;
    EXPECT_EQ(statement.sql, "SELECT 1");
  }
}

TEST(TranslateSql, PositionsLeadBackToTheAuthorsText) {
  const std::string_view text =
      "CREATE TABLE x AS /* é */ SELECT `a`, :p, b RLIKE 'x' FROM IDENTIFIER('c.t') WHERE z <=> 1";
  const TranslatedStatement statement = Only(text);
  for (const std::string_view word : {"SELECT", "b ", "FROM", "WHERE", "z"}) {
    EXPECT_EQ(statement.positions.ToOriginal(statement.sql.find(word)), text.find(word)) << word;
  }
  EXPECT_EQ(statement.positions.ToOriginal(statement.sql.find("\"a\"")), text.find('`'));
  EXPECT_EQ(statement.positions.ToOriginal(statement.sql.find("$p")), text.find(":p"));
  EXPECT_EQ(statement.positions.ToOriginal(statement.sql.find("SIMILAR")), text.find("RLIKE"));
  EXPECT_EQ(statement.positions.ToOriginal(statement.sql.find("\"c\"")), text.find("IDENTIFIER"));
  EXPECT_EQ(statement.positions.ToOriginal(statement.sql.find("IS NOT")), text.find("<=>"));
  EXPECT_EQ(statement.positions.ToOriginal(statement.sql.find(" 1") + 1), text.size() - 1);
}

TEST(TranslateSql, RefusesOtherStatementsByName) {
  ExpectNotSupported("COPY (SELECT 1) TO 'out.csv'", "COPY", "COPY is not supported");
  ExpectNotSupported("INSTALL httpfs", "INSTALL", "INSTALL is not supported");
  ExpectNotSupported("INSERT INTO my SELECT 1 RETURNING *", "INSERT", "INSERT INTO is not supported");
  ExpectNotSupported("EXPLAIN ANALYZE SELECT 1", "EXPLAIN", "EXPLAIN ANALYZE is not supported");
  ExpectNotSupported("SUMMARIZE crm", "SUMMARIZE", "SUMMARIZE is not supported");
  ExpectNotSupported("SELECT 1; DROP TABLE audit", "DROP", "DROP TABLE is not supported");
  ExpectNotSupported("PIVOT t ON a", "PIVOT", "PIVOT is not supported");
  ExpectNotSupported("SET a = 1", "SET", "SET is not supported");
  ExpectNotSupported("ATTACH 'x' AS y", "ATTACH", "ATTACH is not supported");
  ExpectNotSupported("CREATE TEMP TABLE x AS SELECT 1", "CREATE", "CREATE TEMP TABLE is not supported");
  ExpectNotSupported("CREATE VIEW v AS SELECT 1", "CREATE", "CREATE VIEW is not supported");
  ExpectNotSupported("CREATE GLOBAL TEMPORARY VIEW v AS SELECT 1", "CREATE", "CREATE GLOBAL TEMPORARY VIEW");
  ExpectNotSupported("CREATE MACRO m(x) AS x", "CREATE", "CREATE MACRO is not supported");
  ExpectSyntaxError("42", "42");
  ExpectSyntaxError("'x'", "'x'");
}

TEST(TranslateSql, RefusesOtherFormsOfCreate) {
  ExpectNotSupported("CREATE TABLE IF NOT EXISTS x AS SELECT 1", "IF", "IF NOT EXISTS");
  ExpectNotSupported("CREATE TABLE x (a INT)", "(a", "column list");
  ExpectNotSupported("CREATE TEMP VIEW v (a) AS SELECT 1", "(a", "column list");
  ExpectNotSupported("CREATE TABLE x USING delta AS SELECT 1", "USING", "AS and a query");
  ExpectNotSupported("CREATE TABLE a.b.c.d AS SELECT 1", "d", "three parts");
  ExpectSyntaxError("CREATE TABLE x AS DELETE FROM t", "DELETE");
  ExpectSyntaxError("CREATE TABLE x AS", "");
  ExpectSyntaxError("CREATE TABLE 'x' AS SELECT 1", "'x'");
}

TEST(TranslateSql, RefusesNamesFromParameters) {
  ExpectNotSupported("SELECT * FROM IDENTIFIER(:t)", ":t", "cannot come from a parameter");
  ExpectNotSupported("SELECT * FROM IDENTIFIER(:cr_output_schema || '.x')", ":cr", "cannot come from a parameter");
  ExpectNotSupported("CREATE TEMP VIEW IDENTIFIER(:cr_output_schema || '.x') AS SELECT 1", ":cr", "parameter");
  ExpectNotSupported("CREATE TABLE IDENTIFIER(:other || '.x') AS SELECT 1", ":other", "parameter");
  ExpectNotSupported("CREATE TABLE IDENTIFIER(:cr_output_schema || 'x') AS SELECT 1", "(", "whole part");
  ExpectNotSupported("CREATE TABLE IDENTIFIER('a' || :cr_output_schema || '.x') AS SELECT 1", "(", "whole part");
  ExpectNotSupported("CREATE TABLE IDENTIFIER('a.' || :cr_output_schema || '.x') AS SELECT 1", "(",
                     "cr_output_catalog");
  ExpectNotSupported("CREATE TABLE IDENTIFIER(:cr_output_catalog || '.s.x') AS SELECT 1", "(", "cr_output_catalog");
  ExpectNotSupported("CREATE TABLE IDENTIFIER(:cr_output_schema) AS SELECT 1", "(", "cr_output_catalog");
  ExpectNotSupported("SELECT * FROM IDENTIFIER(lower('T'))", "lower", "constant strings");
  ExpectSyntaxError("SELECT * FROM IDENTIFIER('a..b')", "(");
}

TEST(TranslateSql, RefusesWhatTheTreeWouldNotCarry) {
  ExpectNotSupported("SELECT * FROM a, LATERAL (SELECT a.x)", "LATERAL", "LATERAL");
  ExpectNotSupported("WITH RECURSIVE a AS (SELECT 1) FROM a", "RECURSIVE", "RECURSIVE");
  ExpectNotSupported("SELECT a SIMILAR TO 'x'", "SIMILAR", "RLIKE");
  ExpectNotSupported("SELECT regexp_full_match(a, 'x')", "regexp_full_match", "RLIKE");
  ExpectNotSupported("SELECT main.\"Regexp_Full_Match\" (a, 'x')", "\"Regexp", "RLIKE");
  ExpectNotSupported("SELECT a ~ 'x'", "~", "RLIKE");
  ExpectNotSupported("SELECT a !~ 'x'", "!~", "RLIKE");
  ExpectNotSupported("SELECT a GLOB 'x'", "GLOB", "LIKE");
  ExpectNotSupported("SELECT * FROM t TIMESTAMP AS OF '2026-01-01'", "OF", "time travel");
  ExpectNotSupported("SELECT {'a': 1}", "{", "struct");
  ExpectNotSupported("SELECT list(a)[1]", "[1]", "subscripts");
  ExpectNotSupported("SELECT {{ x }} FROM t", "{{", "typed parameter");
  ExpectNotSupported("SELECT ?", "?", ":name");
  ExpectNotSupported("SELECT $1", "$1", ":name");
  ExpectNotSupported("SELECT #1 FROM t", "#1", "positional");
  ExpectNotSupported("SELECT x'ff'", "x'ff'", "prefix");
  ExpectNotSupported("SELECT U&\"\\0075ser_id\" FROM crm", "U&", "Unicode escapes");
}

TEST(TranslateSql, RefusesWhatAReviewerCannotSee) {
  ExpectSyntaxError(
      "SELECT a\xC2\xA0"
      "FROM t",
      "\xC2\xA0");
  ExpectSyntaxError("SELECT\xE2\x80\x8B 1", "\xE2\x80\x8B");
  ExpectSyntaxError("SELECT '\xE2\x80\xAE'", "\xE2\x80\xAE");     // right-to-left override, even in a string
  ExpectSyntaxError("SELECT 1 -- \xE2\x81\xA6", "\xE2\x81\xA6");  // or in a comment
  ExpectSyntaxError(std::string_view("SELECT 'a\0b'", 12), std::string_view("\0", 1));
  ExpectSyntaxError("SELECT 1\x01", "\x01");
  ExpectSyntaxError("SELECT '\xFF'", "");
  EXPECT_EQ(Only("SELECT '\xC2\xA0', \"pr\xC2\xA0x\", \xEF\xBD\x95ser FROM t").sql,
            "SELECT '\xC2\xA0', \"pr\xC2\xA0x\", \xEF\xBD\x95ser FROM t");
}

TEST(TranslateSql, RefusesTextThatDoesNotEnd) {
  ExpectSyntaxError("SELECT 'abc", "'abc");
  ExpectSyntaxError("SELECT E'abc\\'", "E'abc");
  ExpectSyntaxError("SELECT \"abc", "\"abc");
  ExpectSyntaxError("SELECT `abc", "`abc");
  ExpectSyntaxError("SELECT $x$abc$y$", "$x$");
  ExpectSyntaxError("SELECT 1 /* /* */", "/*");
  ExpectSyntaxError("SELECT (1", "(1");
  ExpectSyntaxError("SELECT 1)", ")");
  ExpectSyntaxError("SELECT \"\"", "\"\"");
  ExpectSyntaxError("SELECT 0x1F", "0x1F");
  ExpectSyntaxError("SELECT a \\ b", "\\");
}

TEST(TranslateSql, RefusesNumbersThatBecomeInfinite) {
  for (const std::string_view text : {"SELECT 1e309", "SELECT -1e999"}) {
    const auto statements = TranslateSql(text);
    ASSERT_FALSE(statements.ok());
    EXPECT_EQ(statements.status().code(), ErrorCode::kSqlType);
  }
  EXPECT_EQ(Only("SELECT 1e308").sql, "SELECT 1e308");
}

TEST(TranslateSql, IsBounded) {
  const std::string nested =
      "SELECT " + std::string(limits::kSqlNestingMax, '(') + "1" + std::string(limits::kSqlNestingMax, ')');
  EXPECT_EQ(Only(nested).sql, nested);
  ExpectNotSupported("SELECT (" + nested.substr(7) + ")", "(1", "nest deeper");

  std::string parameters = "SELECT 1";
  for (std::size_t i = 0; i < limits::kSqlParametersMax; ++i) {
    parameters += ", :p" + std::to_string(i);
  }
  EXPECT_EQ(Only(parameters).parameters.size(), limits::kSqlParametersMax);
  ExpectNotSupported(parameters + ", :one_more", ":one_more", "parameters");

  std::string statements;
  for (std::size_t i = 0; i < limits::kSqlStatementsMax; ++i) {
    statements += "SELECT 1;";
  }
  EXPECT_TRUE(TranslateSql(statements).ok());
  ExpectNotSupported(statements + "SELECT 2", "SELECT 2", "statements");

  const std::string filler(limits::kSqlTextBytesMax - 8, ' ');
  EXPECT_EQ(Only("SELECT 1" + filler).sql, "SELECT 1");
  ExpectNotSupported("SELECT 1 " + filler, "SELECT", "longer than");
}

}  // namespace
}  // namespace glovebox::query
