// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "query/sql_front_end.h"
#include "tests/unit/query/ast_debug.h"
#include "tests/unit/query/recorded_trees.h"

namespace glovebox::query {
namespace {

using ::testing::HasSubstr;

using Case = std::pair<std::string_view, std::string_view>;

void ExpectTrees(const std::vector<Case>& cases) {
  for (const auto& [text, expected] : cases) {
    const auto query = ParseRecorded(text);
    EXPECT_TRUE(query.ok()) << text << ": " << query.status().message();
    if (query.ok()) {
      EXPECT_EQ(ast::DebugString(**query), expected) << text;
    }
  }
}

// The refusal's position is the first place in `text` where `at` stands.
void ExpectRefused(ErrorCode code, std::string_view text, std::string_view at, std::string_view words) {
  const auto query = ParseRecorded(text);
  ASSERT_FALSE(query.ok()) << text << ": " << ast::DebugString(**query);
  const Status& status = query.status();
  EXPECT_EQ(status.code(), code) << text << ": " << status.message();
  EXPECT_EQ(status.rule(), code == ErrorCode::kNotSupported ? "P15" : "") << text;
  ASSERT_TRUE(status.position().has_value()) << text;
  EXPECT_EQ(*status.position(), text.find(at)) << text;
  EXPECT_THAT(status.message(), HasSubstr(words)) << text;
}

void ExpectNotSupported(std::string_view text, std::string_view at, std::string_view words) {
  ExpectRefused(ErrorCode::kNotSupported, text, at, words);
}

TEST(QueryFromDuckdbJson, ReadsExpressions) {
  ExpectTrees({
      {R"(SELECT a, t.a, s.t.a, c.s.t.a, "A b")", "(select [a t.a s.t.a c.s.t.a A b])"},
      {"SELECT 1, -5, - (5), 9223372036854775807, -9223372036854775808",
       "(select [1:INTEGER -5:INTEGER -5:INTEGER 9223372036854775807:BIGINT -9223372036854775808:BIGINT])"},
      {"SELECT 100000000000000000000, -100000000000000000000, 18446744073709551615",
       "(select ['100000000000000000000':HUGEINT '-100000000000000000000':HUGEINT '18446744073709551615':HUGEINT])"},
      {"SELECT 1.50, .5, -5.5, 12345678901234567890.12345, 1e3, -1.5e-3",
       "(select ['1.50':DECIMAL(3,2) '0.5':DECIMAL(1,1) '-5.5':DECIMAL(2,1) '12345678901234567890.12345':DECIMAL(25,5) "
       "1000:DOUBLE -0.0015:DOUBLE])"},
      {R"(SELECT 'x', '', 'it''s', E'a\tb', $$q$$, NULL, TRUE, false)",
       "(select ['x':VARCHAR '':VARCHAR 'it's':VARCHAR 'a\tb':VARCHAR 'q':VARCHAR null:NULL true:BOOLEAN "
       "false:BOOLEAN])"},
      {"SELECT a + b * c, -a, +a, a // b, a % b, a || b, a ^ b, a << 1, a & b, ~a, @a",
       "(select [(+ a (* b c)) (- a) (+ a) (// a b) (% a b) (|| a b) (^ a b) (<< a 1:INTEGER) (& a b) (~ a) (@ a)])"},
      {"SELECT a = b, a <> b, a != b, a < b, a <= b, a > b, a >= b, a == b",
       "(select [(= a b) (<> a b) (<> a b) (< a b) (<= a b) (> a b) (>= a b) (= a b)])"},
      {"SELECT a IS DISTINCT FROM b, a IS NOT DISTINCT FROM NULL, a <=> b",
       "(select [(is distinct from a b) (is not distinct from a null:NULL) (is not distinct from a b)])"},
      {"SELECT a AND b AND c, a OR b OR c, NOT a", "(select [(and a b c) (or a b c) (not a)])"},
      {"SELECT a IS NULL, a IS NOT NULL, a ISNULL, a IS TRUE, a IS NOT FALSE, a IS UNKNOWN",
       "(select [(is_null a) (is_not_null a) (is_null a) (is not distinct from (cast a BOOLEAN) true:BOOLEAN) (is "
       "distinct from (cast a BOOLEAN) false:BOOLEAN) (is_null a)])"},
      {"SELECT a BETWEEN 1 AND 2, a NOT BETWEEN 1 AND 2",
       "(select [(between a 1:INTEGER 2:INTEGER) (not (between a 1:INTEGER 2:INTEGER))])"},
      {"SELECT a IN (1, 2), a NOT IN (b), NOT a IN (1)",
       "(select [(in a 1:INTEGER 2:INTEGER) (not_in a b) (not_in a 1:INTEGER)])"},
      {"SELECT a LIKE 'x%', a NOT LIKE 'x', a ILIKE 'x', a NOT ILIKE 'x', NOT a LIKE 'x'",
       "(select [(like a 'x%':VARCHAR) (not_like a 'x':VARCHAR) (like_nocase a 'x':VARCHAR) (not_like_nocase a "
       "'x':VARCHAR) (not (like a 'x':VARCHAR))])"},
      {"SELECT a LIKE 'x' ESCAPE '$', a NOT ILIKE 'x' ESCAPE '$'",
       "(select [(like a 'x':VARCHAR '$':VARCHAR) (not_like_nocase a 'x':VARCHAR '$':VARCHAR)])"},
      {"SELECT a RLIKE 'x', a NOT RLIKE 'x', a || b RLIKE c || d, regexp_matches(a, 'x')",
       "(select [(regexp_matches a 'x':VARCHAR) (not (regexp_matches a 'x':VARCHAR)) (regexp_matches (|| a b) (|| c "
       "d)) (regexp_matches a 'x':VARCHAR)])"},
      {"SELECT CASE WHEN a THEN b END, CASE WHEN a THEN b WHEN c THEN d ELSE e END, CASE a WHEN 1 THEN b ELSE NULL END",
       "(select [(case a b) (case a b c d else e) (case (= a 1:INTEGER) b)])"},
      {"SELECT if(a, b, c), ifnull(a, b), coalesce(a, b, c), nullif(a, b)",
       "(select [(case a b else c) (coalesce a b) (coalesce a b c) (nullif a b)])"},
      {R"(SELECT f(), F(a, 1), "Upper"(a), left(a, 2), year(a))",
       "(select [(f) (f a 1:INTEGER) (upper a) (left a 2:INTEGER) (year a)])"},
      {"SELECT extract(year FROM a), substring(a FROM 1 FOR 2), position('a' IN b), trim(BOTH 'x' FROM a)",
       "(select [(date_part 'year':VARCHAR a) (substring a 1:INTEGER 2:INTEGER) (position b 'a':VARCHAR) (trim a "
       "'x':VARCHAR)])"},
      {"SELECT :a, :b + 1, lower(:a)", "(select [:a (+ :b 1:INTEGER) (lower :a)])"},
  });
}

TEST(QueryFromDuckdbJson, ReadsCasts) {
  ExpectTrees({
      {"SELECT a::INT, CAST(a AS BIGINT), TRY_CAST(a AS DOUBLE), a::STRING, a::LONG, a::REAL, a::VARCHAR(3)",
       "(select [(cast a INTEGER) (cast a BIGINT) (cast a try DOUBLE) (cast a VARCHAR) (cast a BIGINT) (cast a DOUBLE) "
       "(cast a VARCHAR)])"},
      {"SELECT a::DECIMAL(10,2), a::NUMERIC(5), 1.5::DECIMAL(4,1), a::HUGEINT, a::BOOLEAN, a::DATE, a::TIMESTAMP",
       "(select [(cast a DECIMAL(10,2)) (cast a DECIMAL(5,0)) (cast '1.5':DECIMAL(2,1) DECIMAL(4,1)) (cast a HUGEINT) "
       "(cast a BOOLEAN) (cast a DATE) (cast a TIMESTAMP)])"},
      {"SELECT CAST(a AS BYTE), a::timestamp_ntz, CAST(NULL AS INT), CAST(:p AS DATE)",
       "(select [(cast a TINYINT) (cast a TIMESTAMP) (cast null:NULL INTEGER) (cast :p DATE)])"},
      {"SELECT DATE '2026-01-31', DATE('1969-12-31'), '2024-02-29'::DATE, CAST('2026-01-31' AS DATE)",
       "(select [20484:DATE -1:DATE 19782:DATE 20484:DATE])"},
      {"SELECT TIMESTAMP '1970-01-01', TIMESTAMP '1970-01-01 00:00:01.5', '2026-03-01T12:30:00'::TIMESTAMP",
       "(select [0:TIMESTAMP 1500000:TIMESTAMP 1772368200000000:TIMESTAMP])"},
      {"SELECT TRY_CAST('x' AS DATE), TRY_CAST('2026-01-31' AS DATE), 't'::BOOLEAN, 'maybe'::BOOLEAN, '5'::INT",
       "(select [(cast 'x':VARCHAR try DATE) 20484:DATE true:BOOLEAN (cast 'maybe':VARCHAR BOOLEAN) (cast '5':VARCHAR "
       "INTEGER)])"},
      {"SELECT INTERVAL 3 DAY, INTERVAL '3' MONTH, INTERVAL '-2' HOURS, INTERVAL '1 year 2 days', INTERVAL 2 WEEK, "
       "INTERVAL 1 DECADE",
       "(select [0m3d0us:INTERVAL 3m0d0us:INTERVAL 0m0d-7200000000us:INTERVAL 12m2d0us:INTERVAL 0m14d0us:INTERVAL "
       "120m0d0us:INTERVAL])"},
      {"SELECT a + INTERVAL 90 SECONDS - INTERVAL '5 minutes'",
       "(select [(- (+ a 0m0d90000000us:INTERVAL) 0m0d300000000us:INTERVAL)])"},
  });
}

TEST(QueryFromDuckdbJson, ReadsAggregates) {
  ExpectTrees({
      {"SELECT COUNT(*), COUNT(), COUNT(a), COUNT(DISTINCT a), SUM(ALL a), AVG(a)",
       "(select [(count_star) (count_star) (count a) (count distinct a) (sum a) (avg a)])"},
      {"SELECT SUM(a) FILTER (WHERE b), COUNT(*) FILTER (WHERE b = 1), list(a ORDER BY b DESC NULLS FIRST, c)",
       "(select [(sum a filter b) (count_star filter (= b 1:INTEGER)) (list a order[b desc nulls_first c])])"},
      {"SELECT quantile_cont(a, 0.5), percentile_cont(0.5) WITHIN GROUP (ORDER BY a), GROUPING(a)",
       "(select [(quantile_cont a '0.5':DECIMAL(2,1)) (quantile_cont '0.5':DECIMAL(2,1) order[a]) (grouping a)])"},
  });
}

TEST(QueryFromDuckdbJson, ReadsWindows) {
  ExpectTrees({
      {"SELECT SUM(a) OVER (), COUNT(*) OVER (), SUM(DISTINCT a) FILTER (WHERE b) OVER (PARTITION BY c ORDER BY d)",
       "(select [(over sum a) (over count_star) (over sum distinct a filter b partition[c] order[d])])"},
      {"SELECT ROW_NUMBER() OVER (ORDER BY a DESC NULLS LAST), RANK() OVER w FROM t WINDOW w AS (PARTITION BY a)",
       "(select [(over row_number order[a desc nulls_last]) (over rank partition[a])] from t)"},
      {"SELECT LAG(a, 2, 0) OVER (ORDER BY b), LEAD(a) OVER (ORDER BY b), LAG(a IGNORE NULLS) OVER (ORDER BY b)",
       "(select [(over lag a 2:INTEGER 0:INTEGER order[b]) (over lead a order[b]) (over lag a order[b] "
       "ignore_nulls)])"},
      {"SELECT SUM(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING), SUM(a) OVER (ORDER BY b ROWS "
       "UNBOUNDED PRECEDING)",
       "(select [(over sum a order[b] rows[preceding:1 following:2]) (over sum a order[b] rows[unbounded_preceding:0 "
       "current:0])])"},
      {"SELECT SUM(a) OVER (ORDER BY b RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING), SUM(a) OVER (ORDER BY b "
       "RANGE UNBOUNDED PRECEDING)",
       "(select [(over sum a order[b] range[current:0 unbounded_following:0]) (over sum a order[b])])"},
  });
}

TEST(QueryFromDuckdbJson, ReadsSubqueries) {
  ExpectTrees({
      {"SELECT (SELECT 1), EXISTS (SELECT 1), NOT EXISTS (FROM t), NOT NOT EXISTS (FROM t)",
       "(select [(scalar (select [1:INTEGER])) (exists (select [1:INTEGER])) (not_exists (select [*] from t)) (exists "
       "(select [*] from t))])"},
      {"SELECT a IN (SELECT b FROM t), a NOT IN (SELECT b FROM t), a = ANY (SELECT b FROM t), a <> ALL (SELECT b FROM "
       "t)",
       "(select [(in_query a (select [b] from t)) (not_in_query a (select [b] from t)) (in_query a (select [b] from "
       "t)) (not_in_query a (select [b] from t))])"},
      {"SELECT a IN (VALUES (1), (2)), (WITH x AS (SELECT 1) FROM x)",
       "(select [(in_query a (select [*] from (values [1:INTEGER] [2:INTEGER]))) (scalar (with x (select [1:INTEGER]) "
       "select [*] from x))])"},
  });
}

TEST(QueryFromDuckdbJson, ReadsSelectLists) {
  ExpectTrees({
      {"SELECT *, t.*, * EXCLUDE (b, a), t.* EXCEPT (a), * EXCLUDE a FROM t",
       "(select [* t.* * except[a b] t.* except[a] * except[a]] from t)"},
      {R"(SELECT a AS b, a c, x: a, a "D e" FROM t)", "(select [a as b a as c a as x a as D e] from t)"},
      {"FROM t", "(select [*] from t)"},
      {"FROM t SELECT a", "(select [a] from t)"},
      {"SELECT DISTINCT a FROM t", "(select distinct [a] from t)"},
      {"SELECT DISTINCT ON (a, b) c FROM t ORDER BY a", "(select distinct_on[a b] [c] from t order[a])"},
  });
}

TEST(QueryFromDuckdbJson, ReadsFromClauses) {
  ExpectTrees({
      {R"(SELECT 1 FROM t, s.t x, c.s."T" AS y(a, b))",
       "(select [1:INTEGER] from (cross (cross t s.t as x) c.s.T as y columns[a b]))"},
      {"SELECT 1 FROM a JOIN b ON a.x = b.x AND a.y > 1 LEFT JOIN c USING (x, y)",
       "(select [1:INTEGER] from (left (join a b on (and (= a.x b.x) (> a.y 1:INTEGER))) c using[x y]))"},
      {"SELECT 1 FROM a RIGHT JOIN b ON TRUE FULL OUTER JOIN c ON FALSE CROSS JOIN d",
       "(select [1:INTEGER] from (cross (full (right a b on true:BOOLEAN) c on false:BOOLEAN) d))"},
      {"SELECT 1 FROM a NATURAL JOIN b NATURAL LEFT JOIN c",
       "(select [1:INTEGER] from (natural_left (natural_join a b) c))"},
      {"SELECT 1 FROM a LEFT SEMI JOIN b USING (x) ANTI JOIN c ON a.x = c.x",
       "(select [1:INTEGER] from (anti (semi a b using[x]) c on (= a.x c.x)))"},
      {"SELECT 1 FROM a ASOF JOIN b ON a.x >= b.x POSITIONAL JOIN c",
       "(select [1:INTEGER] from (positional (asof a b on (>= a.x b.x)) c))"},
      {"SELECT 1 FROM t LEFT JOIN (u JOIN v ON TRUE) ON TRUE",
       "(select [1:INTEGER] from (left t (join u v on true:BOOLEAN) on true:BOOLEAN))"},
      {"SELECT 1 FROM (SELECT a FROM t) AS x(y), (FROM u)",
       "(select [1:INTEGER] from (cross (select [a] from t) as x columns[y] (select [*] from u)))"},
      {"VALUES (1, 'a'), (2, 'b')", "(select [*] from (values [1:INTEGER 'a':VARCHAR] [2:INTEGER 'b':VARCHAR]))"},
      {"SELECT v.id FROM (VALUES ('x'), ('y')) AS v(id)",
       "(select [v.id] from (values ['x':VARCHAR] ['y':VARCHAR]) as v columns[id])"},
      {"SELECT * FROM (SELECT * FROM (VALUES (1)) v(a)) x",
       "(select [*] from (select [*] from (values [1:INTEGER]) as v columns[a]) as x)"},
      {"SELECT 1 FROM range(5) AS g(i), read_files('/Volumes/x', format => 'csv', header := TRUE, skip = 1)",
       "(select [1:INTEGER] from (cross (range 5:INTEGER) arguments[] as g columns[i] (read_files '/Volumes/x':VARCHAR "
       "'csv':VARCHAR true:BOOLEAN 1:INTEGER) arguments[ format header skip]))"},
      {"SELECT 1 FROM t TABLESAMPLE 10%", "(select [1:INTEGER] from t sample)"},
      {"SELECT 1 FROM (SELECT 1 FROM t USING SAMPLE 10 ROWS) x",
       "(select [1:INTEGER] from (select [1:INTEGER] from t sample) as x)"},
  });
}

TEST(QueryFromDuckdbJson, ReadsGroups) {
  ExpectTrees({
      {"SELECT a FROM t GROUP BY a, 2, a + 1 HAVING COUNT(*) > 1",
       "(select [a] from t group[a 2:INTEGER (+ a 1:INTEGER)] having (> (count_star) 1:INTEGER))"},
      {"SELECT a FROM t GROUP BY ALL", "(select [a] from t group_all)"},
      {"SELECT a FROM t GROUP BY ()", "(select [a] from t sets[()])"},
      {"SELECT a FROM t GROUP BY ROLLUP (a, b)", "(select [a] from t group[a b] sets[()(0,)(0,1,)])"},
      {"SELECT a FROM t GROUP BY CUBE (a, b)", "(select [a] from t group[a b] sets[()(0,)(0,1,)(1,)])"},
      {"SELECT a FROM t GROUP BY GROUPING SETS ((a), (b, a), ())", "(select [a] from t group[a b] sets[(0,)(0,1,)()])"},
      {"SELECT a FROM t GROUP BY c, ROLLUP (a)", "(select [a] from t group[c a] sets[(0,)(0,1,)])"},
      {"SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1",
       "(select [a] from t qualify (= (over row_number order[a]) 1:INTEGER))"},
  });
}

TEST(QueryFromDuckdbJson, ReadsQueries) {
  ExpectTrees({
      {"SELECT a FROM t WHERE b ORDER BY a DESC NULLS LAST, 2 ASC, b NULLS FIRST LIMIT 5 OFFSET 2",
       "(select [a] from t where b order[a desc nulls_last 2:INTEGER b nulls_first] limit 5:INTEGER offset 2:INTEGER)"},
      {"SELECT a FROM t ORDER BY ALL LIMIT :n", "(select [a] from t order_all limit :n)"},
      {"SELECT a FROM t LIMIT ALL OFFSET 3", "(select [a] from t offset 3:INTEGER)"},
      {"SELECT a FROM t FETCH FIRST 3 ROWS ONLY", "(select [a] from t limit 3:INTEGER)"},
      {"(SELECT a FROM t ORDER BY b LIMIT 5) UNION ALL SELECT 1 ORDER BY 1",
       "(union_all (select [a] from t order[b] limit 5:INTEGER) (select [1:INTEGER]) order[1:INTEGER])"},
      {"SELECT 1 UNION SELECT 2 UNION ALL SELECT 3",
       "(union_all (union (select [1:INTEGER]) (select [2:INTEGER])) (select [3:INTEGER]))"},
      {"SELECT 1 INTERSECT SELECT 2 EXCEPT ALL SELECT 3",
       "(except_all (intersect (select [1:INTEGER]) (select [2:INTEGER])) (select [3:INTEGER]))"},
      {"SELECT a FROM t UNION BY NAME SELECT b FROM u", "(union_by_name (select [a] from t) (select [b] from u))"},
      {"WITH a AS (SELECT 1), b(x, y) AS MATERIALIZED (SELECT 2 ORDER BY 1 LIMIT 1) SELECT * FROM a, b",
       "(with a (select [1:INTEGER]) with b columns[x y] (select [2:INTEGER] order[1:INTEGER] limit 1:INTEGER) select "
       "[*] from (cross a b))"},
      {"WITH a AS (SELECT 1) SELECT 1 UNION ALL (WITH b AS (SELECT 2) FROM b)",
       "(with a (select [1:INTEGER]) union_all (select [1:INTEGER]) (with b (select [2:INTEGER]) select [*] from b))"},
  });
}
TEST(QueryFromDuckdbJson, RefusesTypesThatARoomDoesNotHave) {
  ExpectNotSupported("SELECT a::TIMESTAMPTZ", "::", "TIMESTAMP (UTC");
  ExpectNotSupported("SELECT a::TIME", "::", "TIMESTAMP (UTC");
  ExpectNotSupported("SELECT a::UBIGINT", "::", "BIGINT");
  ExpectNotSupported("SELECT a::BLOB", "::", "this type is not supported");
  ExpectNotSupported("SELECT a::JSON", "::", "this type is not supported");
  ExpectNotSupported("SELECT CAST(a AS STRUCT(x INT))", "CAST", "this type is not supported");
  ExpectNotSupported("SELECT a::INTERVAL", "a::", "constant only");
  ExpectNotSupported("SELECT 170141183460469231731687303715884105728", "1701", "unsigned");
  ExpectNotSupported("SELECT -170141183460469231731687303715884105728", "-1701", "38 digits");
}

TEST(QueryFromDuckdbJson, RefusesConstantsThatAreNotOfTheirType) {
  ExpectRefused(ErrorCode::kSqlType, "SELECT DATE '2026-13-01'", "'2026", "DATE '2026-01-31'");
  ExpectRefused(ErrorCode::kSqlType, "SELECT DATE '2026-02-29'", "'2026", "DATE");
  ExpectRefused(ErrorCode::kSqlType, "SELECT DATE '1 January 2026'", "'1 J", "DATE");
  ExpectRefused(ErrorCode::kSqlType, "SELECT TIMESTAMP '2026-01-01 00:00:00Z'", "'2026", "TIMESTAMP");
  ExpectRefused(ErrorCode::kSqlType, "SELECT INTERVAL '3'", "'3'", "INTERVAL '3 days'");
  ExpectNotSupported("SELECT INTERVAL (x) DAY", "x) DAY", "constant");
  ExpectNotSupported("SELECT INTERVAL '1.5' DAY", "'1.5'", "whole number");
}

TEST(QueryFromDuckdbJson, RefusesValuesThatAreNoScalars) {
  ExpectNotSupported("SELECT (a, b) IN (SELECT 1, 2)", "(a, b)", "one by one");
  ExpectNotSupported("SELECT row(a, b)", "row", "row values");
  ExpectNotSupported("SELECT struct_pack(x := a)", "struct_pack", "struct");
  ExpectNotSupported("SELECT (a).b", "SELECT", "struct");
  ExpectNotSupported("SELECT list_value(1)", "list_value", "lists");
  ExpectNotSupported("SELECT unnest(a)", "unnest", "unnest");
  ExpectNotSupported("SELECT ARRAY(SELECT 1)", "(SELECT", "ARRAY");
  ExpectNotSupported("SELECT list_transform(list(a), x -> x)", "->", "lambda");
  ExpectNotSupported("SELECT list_transform(a, LAMBDA x: x)", "x: x)", "lambda");
}

TEST(QueryFromDuckdbJson, RefusesOtherExpressionsByName) {
  ExpectNotSupported("SELECT a COLLATE nocase", "COLLATE", "COLLATE");
  ExpectNotSupported("SELECT DEFAULT", "SELECT", "DEFAULT");
  ExpectNotSupported("SELECT TRY(a)", "TRY", "TRY_CAST");
  ExpectNotSupported("SELECT a AT TIME ZONE 'UTC'", "AT TIME", "AT TIME ZONE");
  ExpectNotSupported("SELECT a > ANY (SELECT 1)", "> ANY", "ANY and ALL");
  ExpectNotSupported("SELECT a = ALL (SELECT 1)", "= ALL", "ANY and ALL");
  ExpectNotSupported("SELECT a ->> 'x'", "->>", "operator");
  ExpectNotSupported("SELECT a && b", "&&", "operator");
  ExpectNotSupported("SELECT a ^@ b", "^@", "operator");
  ExpectNotSupported("SELECT a!", "!", "operator");
  ExpectNotSupported("SELECT a OPERATOR(pg_catalog.+) b", "OPERATOR", "operator");
  ExpectNotSupported("SELECT f(x := 1)", "1", "named arguments");
  ExpectNotSupported("SELECT a.b.c.d.e", "a.b", "four parts");
  ExpectNotSupported("SELECT a BETWEEN SYMMETRIC 1 AND 2", "SELECT", "not supported");
}

TEST(QueryFromDuckdbJson, RefusesStarsBeyondTheSelectList) {
  ExpectNotSupported("SELECT COUNT(DISTINCT *) FROM t", "*", "COUNT(*) only");
  ExpectNotSupported("SELECT * LIKE 'a%' FROM t", "*", "COUNT(*) only");
  ExpectNotSupported("SELECT * REPLACE (1 AS a) FROM t", "*", "REPLACE");
  ExpectNotSupported("SELECT * RENAME (a AS b) FROM t", "*", "RENAME");
  ExpectNotSupported("SELECT * EXCLUDE (t.a) FROM t", "*", "t.* EXCLUDE");
  ExpectNotSupported("SELECT COLUMNS('a.*') FROM t", "COLUMNS", "COLUMNS");
  ExpectNotSupported("SELECT SUM(COLUMNS(*)) FROM t", "COLUMNS", "COLUMNS");
  ExpectNotSupported("SELECT a FROM t ORDER BY *", "*", "ORDER BY");
}

TEST(QueryFromDuckdbJson, RefusesWindowsThatTheTreeDoesNotCarry) {
  ExpectNotSupported("SELECT SUM(a) OVER (ORDER BY b GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW)", "SUM",
                     "ROWS or RANGE");
  ExpectNotSupported("SELECT SUM(a) OVER (ORDER BY b ROWS BETWEEN c PRECEDING AND CURRENT ROW)", "SUM",
                     "whole numbers");
  ExpectNotSupported("SELECT SUM(a) OVER (ROWS BETWEEN -1 PRECEDING AND CURRENT ROW)", "SUM", "whole numbers");
  ExpectNotSupported("SELECT SUM(a) OVER (ORDER BY b RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW)", "SUM",
                     "whole numbers");
  ExpectNotSupported(
      "SELECT SUM(x) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW)", "SUM",
      "EXCLUDE");
  ExpectNotSupported("SELECT LAG(a ORDER BY b) OVER (ORDER BY c)", "LAG", "ORDER BY");
}

TEST(QueryFromDuckdbJson, RefusesOtherTablesByName) {
  ExpectNotSupported("SELECT 1 FROM t PIVOT (SUM(a) FOR b IN (1, 2))", "PIVOT", "PIVOT");
  ExpectNotSupported("SELECT 1 FROM t UNPIVOT (a FOR b IN (c, d))", "UNPIVOT", "PIVOT");
  ExpectNotSupported("SELECT 1 FROM (PIVOT t ON a USING SUM(b))", "SELECT", "PIVOT");
  ExpectNotSupported("SELECT 1 FROM (DESCRIBE t)", "1 FROM", "DESCRIBE");
  ExpectNotSupported("SELECT 1 FROM (SUMMARIZE t)", "1 FROM", "SUMMARIZE");
  ExpectNotSupported("SELECT 1 FROM t AT (VERSION => 1)", "t AT", "time travel");
  ExpectNotSupported("SELECT 1 FROM range(5) WITH ORDINALITY", "range", "ORDINALITY");
  ExpectNotSupported("SELECT 1 FROM s.f(1)", "s.f", "functions of a schema");
  ExpectNotSupported("SELECT 1 FROM t ASOF LEFT JOIN u ON t.a >= u.a", "ASOF", "LEFT ASOF");
}

TEST(QueryFromDuckdbJson, RefusesOtherClausesByName) {
  ExpectNotSupported("SELECT a FROM t LIMIT 5%", "LIMIT", "percentage");
  ExpectNotSupported("SELECT a FROM t ORDER BY ALL DESC", "ALL", "ORDER BY ALL");
  ExpectNotSupported("WITH a(x) USING KEY (x) AS (SELECT 1) FROM a", "WITH", "USING KEY");
}

TEST(QueryFromDuckdbJson, SaysWhereTheTextDoesNotParse) {
  ExpectRefused(ErrorCode::kSqlSyntax, "SELECT `a` FROM t WHER x = 1", "x =", "syntax error at or near \"x\"");
  ExpectRefused(ErrorCode::kSqlSyntax, "SELECT :p FORM t", "t", "near \"t\"");
  ExpectRefused(ErrorCode::kSqlSyntax, "CREATE TABLE x AS SELECT 'a' 'b'", "'b'", "syntax error");
  EXPECT_EQ(ParseRecorded("SELECT a FROM t WHERE").status().position(), 21U);
  ExpectRefused(ErrorCode::kSqlSyntax, "(SELECT a FROM t LIMIT 5) LIMIT 3", "(SELECT", "one LIMIT");
  ExpectRefused(ErrorCode::kSqlSyntax, "WITH x AS (DELETE FROM t RETURNING *) FROM x", "WITH", "SELECT");
}

TEST(QueryFromDuckdbJson, GivesPositionsInTheAuthorsText) {
  const std::string_view text =
      "CREATE TABLE x AS -- é\n SELECT `a b`, COALESCE(b, 1), DATE '2026-01-31' FROM IDENTIFIER('c.t') JOIN u USING "
      "(k) "
      "WHERE d RLIKE 'x' AND e IN (SELECT f FROM v)";
  const auto parsed = ParseRecorded(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  const ast::Select& select = parsed.value()->select;
  EXPECT_EQ(parsed.value()->position, text.find("`a b`"));
  EXPECT_EQ(select.items[0].expr->position, text.find("`a b`"));
  EXPECT_EQ(select.items[1].expr->position, text.find("b, 1"));
  EXPECT_EQ(select.items[2].expr->position, text.find("'2026"));
  EXPECT_EQ(select.from->position, text.find("JOIN"));
  EXPECT_EQ(select.from->left->position, text.find("IDENTIFIER"));
  EXPECT_EQ(select.from->right->position, text.find("u USING"));
  EXPECT_EQ(select.where->children[0]->position, text.find("RLIKE"));
  EXPECT_EQ(select.where->children[1]->query->position, text.find("f FROM"));
}

std::string Chain(std::string_view unit, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += unit;
  }
  return text;
}

// The refusal of the recorded tree of `sql` in which the first `piece` stands `count` times, separated by commas.
std::string RefusedRepeated(std::string_view sql, std::string_view piece, std::size_t count) {
  const auto statements = TranslateSql(sql);
  EXPECT_TRUE(statements.ok());
  std::string tree = RecordedTree(std::string(sql)).value_or("");
  const std::size_t at = tree.find(piece);
  EXPECT_NE(at, std::string::npos) << piece;
  tree.insert(std::min(at, tree.size()), Chain(std::string(piece) + ",", count - 1));
  const auto value = ParseDuckdbJson(tree);
  EXPECT_TRUE(value.ok());
  const auto query = QueryFromDuckdbJson(*value, statements->front());
  return query.ok() ? "" : query.status().rule() + ": " + query.status().message();
}

TEST(QueryFromDuckdbJson, BoundsNesting) {
  EXPECT_TRUE(ParseRecorded("SELECT " + Chain("1 + ", 40) + "1").ok());
  for (const std::string& text :
       {"SELECT " + Chain("- ", limits::kSqlNestingMax) + "a", "SELECT " + Chain("NOT ", 1'200) + "a"}) {
    const auto query = ParseRecorded(text);
    ASSERT_FALSE(query.ok()) << text;
    EXPECT_EQ(query.status().rule(), "P15");
    EXPECT_THAT(query.status().message(), HasSubstr("nests deeper"));
  }
}

TEST(QueryFromDuckdbJson, BoundsLists) {
  constexpr std::string_view kOne = R"({"class":"CONSTANT","type":"VALUE_CONSTANT","alias":"","query_location":13,)"
                                    R"("value":{"type":{"id":"INTEGER","type_info":null},"is_null":false,"value":1}})";
  constexpr std::string_view kColumn =
      R"({"class":"COLUMN_REF","type":"COLUMN_REF","alias":"","query_location":7,"column_names":["a"]})";
  EXPECT_EQ(RefusedRepeated("SELECT a IN (1)", kOne, limits::kSqlListMax - 1), "");
  EXPECT_EQ(RefusedRepeated("SELECT a IN (1)", kOne, limits::kSqlListMax), "P15: a list of more than 1000 expressions");
  EXPECT_EQ(RefusedRepeated("SELECT a", kColumn, limits::kSqlColumnsMax), "");
  EXPECT_EQ(RefusedRepeated("SELECT a", kColumn, limits::kSqlColumnsMax + 1), "P15: more than 1000 columns");
}

TEST(QueryFromDuckdbJson, BoundsJoinsAndExpressions) {
  EXPECT_TRUE(ParseRecorded("SELECT 1 FROM t" + Chain(", t", limits::kSqlJoinsMax)).ok());
  const auto joins = ParseRecorded("SELECT 1 FROM t" + Chain(", t", limits::kSqlJoinsMax + 1));
  ASSERT_FALSE(joins.ok());
  EXPECT_EQ(joins.status().message(), "more than 32 joins; write several cells");
  const std::string many = "SELECT f(" + Chain("a, ", 20) + "a)";
  std::string call = RecordedTree(many).value_or("");
  const std::size_t begin = call.find("{\"class\":\"FUNCTION\"");
  const std::size_t end = call.find("],\"from_table\"");
  ASSERT_LT(begin, end);
  EXPECT_THAT(RefusedRepeated(many, call.substr(begin, end - begin), limits::kSqlColumnsMax),
              HasSubstr("P15: the query has more than 20000 expressions"));
}

// A tree of the statement "SELECT a" with one part replaced.
Status ReadEdited(std::string_view old_text, std::string_view new_text) {
  const auto statements = TranslateSql("SELECT a");
  EXPECT_TRUE(statements.ok());
  std::string tree = RecordedTree("SELECT a").value_or("");
  const std::size_t at = tree.find(old_text);
  EXPECT_NE(at, std::string::npos) << old_text;
  tree.replace(std::min(at, tree.size()), old_text.size(), new_text);
  const auto value = ParseDuckdbJson(tree);
  if (!value.ok()) {
    return value.status();
  }
  const auto query = QueryFromDuckdbJson(*value, statements->front());
  return query.ok() ? Status() : query.status();
}

TEST(QueryFromDuckdbJson, RefusesWhatANewerParserMightSay) {
  EXPECT_TRUE(ReadEdited("\"a\"", "\"b\"").ok());
  const std::vector<Case> edits = {
      {R"("class":"COLUMN_REF")", R"("class":"NEW_CLASS")"},
      {R"("type":"SELECT_NODE")", R"("type":"NEW_NODE")"},
      {R"("type":"EMPTY")", R"("type":"NEW_TABLE")"},
      {R"("qualify":null)", R"("qualify":null,"new_clause":null)"},
      {R"("alias":"","query_location":7)", R"("alias":"","query_location":7,"new_member":1)"},
      {"STANDARD_HANDLING", "NEW_HANDLING"},
      {R"("modifiers":[])", R"("modifiers":[{"type":"NEW_MODIFIER"}])"},
      {R"("modifiers":[])", R"("modifiers":[{"type":"LIMIT_MODIFIER","limit":null,"offset":null},)"
                            R"({"type":"DISTINCT_MODIFIER","distinct_on_targets":[]}])"},
      {R"("group_sets":[])", R"("group_sets":[[0]])"},
      {R"("select_list":[)", R"("select_list":[],"x":[)"},
      {R"("column_names":["a"])", R"("column_names":[])"},
      {R"("column_names":["a"])", R"("column_names":[1])"},
      {R"("column_names":["a"])", R"("column_names":"a")"},
      {R"("where_clause":null)", R"("where_clause":7)"},
      {R"("statements":[)", R"("statements":[{},)"},
      {R"("cte_map":{"map":[]})", R"("cte_map":null)"},
      {R"("node":{)", R"("node":null,"other":{)"},
  };
  for (const auto& [old_text, new_text] : edits) {
    const Status status = ReadEdited(old_text, new_text);
    EXPECT_EQ(status.code(), ErrorCode::kNotSupported) << new_text;
    EXPECT_EQ(status.rule(), "P15") << new_text;
    EXPECT_TRUE(status.position().has_value()) << new_text;
  }
}

TEST(ParseDuckdbJson, KeepsWideIntegersExact) {
  const auto value =
      ParseDuckdbJson(R"({"a": 18446744073709551615, "b":-9223372036854775808, "c":[9223372036854775807,1.5e300],)"
                      R"("d":"\"99999999999999999999", "e\\":99999999999999999999})");
  ASSERT_TRUE(value.ok()) << value.status().message();
  EXPECT_EQ(value->GetString("a"), "18446744073709551615");
  EXPECT_EQ(value->GetInt("b"), INT64_MIN);
  EXPECT_EQ(value->Get("c")->as_array()[0].as_int(), INT64_MAX);
  EXPECT_EQ(value->Get("c")->as_array()[1].as_double(), 1.5e300);
  EXPECT_EQ(value->GetString("d"), "\"99999999999999999999");
  EXPECT_EQ(value->GetString("e\\"), "99999999999999999999");
}

TEST(ParseDuckdbJson, RefusesWhatIsNoJson) {
  for (const std::string_view text : {"", "{", "{\"a\":Infinity}", "NaN", "[1", "\"\\", "1 2", "-"}) {
    const auto value = ParseDuckdbJson(text);
    ASSERT_FALSE(value.ok()) << text;
    EXPECT_EQ(value.status().rule(), "P15");
  }
}

}  // namespace
}  // namespace glovebox::query
