// SPDX-License-Identifier: Apache-2.0
#include "statement/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace glovebox::statement {
namespace {

using catalog::Privilege;
using Parts = std::vector<std::string>;

template <typename T>
T Parsed(std::string_view text) {
  auto statement = Parse(text);
  if (!statement.ok()) {
    ADD_FAILURE() << text << ": " << statement.status().message();
    return T{};
  }
  if (!std::holds_alternative<T>(*statement)) {
    ADD_FAILURE() << text << ": another kind, " << statement->index();
    return T{};
  }
  return std::get<T>(*std::move(statement));
}

// "CODE@position"
std::string Error(std::string_view text) {
  const auto statement = Parse(text);
  if (statement.ok()) {
    return "parsed";
  }
  const auto position = statement.status().position();
  return std::string(WireName(statement.status().code())) + "@" +
         (position.has_value() ? std::to_string(*position) : "?");
}

TEST(ParseQuery, KeepsTheTextAndItsPosition) {
  EXPECT_EQ(Parsed<Query>("SELECT 1").sql, "SELECT 1");
  const Query query = Parsed<Query>("  -- why\n select ';' /* ; */ ;; ");
  EXPECT_EQ(query.sql, "select ';'");
  EXPECT_EQ(query.position, 10U);
  for (const char* text : {"with t as (select 1) select * from t", "VALUES (1)", "from t", "(select 1)"}) {
    EXPECT_EQ(Parsed<Query>(text).sql, text);
  }
}

TEST(ParseQuery, TakesOneStatement) {
  EXPECT_EQ(Error("select 1; select 2"), "NOT_SUPPORTED@8");
  EXPECT_EQ(Error("drop table a.b.c; select 1"), "NOT_SUPPORTED@16");
  EXPECT_EQ(Error(""), "SQL_SYNTAX_ERROR@0");
  EXPECT_EQ(Error(" -- nothing\n;"), "SQL_SYNTAX_ERROR@0");
  EXPECT_EQ(Error("select 'open"), "SQL_SYNTAX_ERROR@7");
}

TEST(ParseCreate, Containers) {
  const auto catalog = Parsed<CreateContainer>("CREATE CATALOG `my cat` COMMENT 'it''s mine'");
  EXPECT_EQ(catalog.kind, SecurableKind::kCatalog);
  EXPECT_EQ(catalog.name.parts, Parts{"my cat"});
  EXPECT_EQ(catalog.comment, "it's mine");
  EXPECT_EQ(catalog.if_exists, IfExists::kFail);
  const auto schema = Parsed<CreateContainer>("create database if not exists a.b comment \"x\"");
  EXPECT_EQ(schema.kind, SecurableKind::kSchema);
  EXPECT_EQ(schema.name.parts, (Parts{"a", "b"}));
  EXPECT_EQ(schema.if_exists, IfExists::kKeep);
  EXPECT_EQ(Parsed<CreateContainer>("CREATE VOLUME a.b.c").kind, SecurableKind::kVolume);
  EXPECT_EQ(Error("CREATE SCHEMA a.b MANAGED LOCATION 's3://x'"), "NOT_SUPPORTED@18");
  EXPECT_EQ(Error("CREATE OR REPLACE SCHEMA a.b"), "SQL_SYNTAX_ERROR@18");
  EXPECT_EQ(Error("CREATE CATALOG"), "SQL_SYNTAX_ERROR@14");
  EXPECT_EQ(Error("CREATE CATALOG a b"), "SQL_SYNTAX_ERROR@17");
  EXPECT_EQ(Error("CREATE CATALOG \"a\""), "SQL_SYNTAX_ERROR@15");
  EXPECT_EQ(Error("CREATE VOLUME a.b.c.d"), "SQL_SYNTAX_ERROR@14");
}

TEST(ParseCreate, TableAsQuery) {
  const auto create = Parsed<CreateTable>(
      "CREATE OR REPLACE TABLE c.s.t USING DELTA COMMENT 'people' AS SELECT * FROM "
      "read_files('/Volumes/c/s/v/a.csv');");
  EXPECT_EQ(create.name.parts, (Parts{"c", "s", "t"}));
  EXPECT_EQ(create.on_existing, OnExisting::kReplace);
  EXPECT_EQ(create.comment, "people");
  ASSERT_TRUE(create.query.has_value());
  EXPECT_EQ(create.query->sql, "SELECT * FROM read_files('/Volumes/c/s/v/a.csv')");
  EXPECT_EQ(create.query->position, 62U);
  EXPECT_EQ(Parsed<CreateTable>("CREATE TABLE IF NOT EXISTS t AS SELECT 1").on_existing, OnExisting::kKeep);
  EXPECT_EQ(Error("CREATE TABLE t AS"), "SQL_SYNTAX_ERROR@17");
  EXPECT_EQ(Error("CREATE TABLE t"), "SQL_SYNTAX_ERROR@14");
  EXPECT_EQ(Error("CREATE TABLE t PARTITIONED BY (a) AS SELECT 1"), "NOT_SUPPORTED@15");
  EXPECT_EQ(Error("CREATE TABLE t (a INT) AS SELECT 1"), "NOT_SUPPORTED@26");
}

TEST(ParseCreate, TableWithColumnsAndPolicies) {
  const auto create = Parsed<CreateTable>(
      "CREATE TABLE t (id BIGINT COMMENT 'key', `full name` STRING MASK c.s.f USING COLUMNS (id), "
      "d DECIMAL(10, 2), e DECIMAL) WITH ROW FILTER g ON (id)");
  ASSERT_EQ(create.columns.size(), 4U);
  EXPECT_EQ(create.columns[0].comment, "key");
  EXPECT_EQ(create.columns[1].name, "full name");
  EXPECT_EQ(create.columns[1].type, "VARCHAR");
  ASSERT_TRUE(create.columns[1].mask.has_value());
  EXPECT_EQ(create.columns[1].mask->function.parts, (Parts{"c", "s", "f"}));
  EXPECT_EQ(create.columns[1].mask->columns, Parts{"id"});
  EXPECT_EQ(create.columns[2].type, "DECIMAL(10,2)");
  EXPECT_EQ(create.columns[3].type, "DECIMAL(10,0)");
  ASSERT_TRUE(create.row_filter.has_value());
  EXPECT_EQ(create.row_filter->columns, Parts{"id"});
  EXPECT_EQ(Error("CREATE TABLE t (a ARRAY<INT>)"), "NOT_SUPPORTED@18");
  EXPECT_EQ(Error("CREATE TABLE t (a INT[])"), "NOT_SUPPORTED@18");
  EXPECT_EQ(Error("CREATE TABLE t (a INT NOT NULL)"), "NOT_SUPPORTED@22");
  EXPECT_EQ(Error("CREATE TABLE t (a DECIMAL(99,2))"), "NOT_SUPPORTED@18");
  EXPECT_EQ(Error("CREATE TABLE t ()"), "SQL_SYNTAX_ERROR@16");
}

TEST(ParseCreate, Functions) {
  const auto create = Parsed<CreateFunction>(
      "CREATE OR REPLACE FUNCTION sec.tok(name STRING COMMENT 'raw', born DATE) RETURNS STRING LANGUAGE SQL "
      "DETERMINISTIC COMMENT 'token' RETURN hmac_sha256(secret('join', 'salt'), upper(name) || '|;' || born) ; ");
  EXPECT_EQ(create.on_existing, OnExisting::kReplace);
  EXPECT_EQ(create.parameters,
            (std::vector<catalog::FunctionParameter>{{"name", "VARCHAR", "raw"}, {"born", "DATE", ""}}));
  EXPECT_EQ(create.return_type, "VARCHAR");
  EXPECT_EQ(create.comment, "token");
  EXPECT_EQ(create.body, "hmac_sha256(secret('join', 'salt'), upper(name) || '|;' || born)");
  EXPECT_EQ(Parsed<CreateFunction>("CREATE FUNCTION f() RETURN 1").parameters.size(), 0U);
  EXPECT_EQ(Error("CREATE FUNCTION f(a INT)"), "SQL_SYNTAX_ERROR@24");
  EXPECT_EQ(Error("CREATE FUNCTION f(a INT) RETURN"), "SQL_SYNTAX_ERROR@31");
  EXPECT_EQ(Error("CREATE FUNCTION f(a INT) RETURNS TABLE (x INT) RETURN SELECT 1"), "NOT_SUPPORTED@33");
  EXPECT_EQ(Error("CREATE FUNCTION f(a INT) LANGUAGE PYTHON AS $$ return a $$"), "NOT_SUPPORTED@25");
  EXPECT_EQ(Error("CREATE FUNCTION f(a INT DEFAULT 1) RETURN a"), "NOT_SUPPORTED@24");
}

TEST(ParseCreate, RefusesWhatIsKnown) {
  EXPECT_EQ(Error("CREATE VIEW v AS SELECT 1"), "NOT_SUPPORTED@7");
  EXPECT_EQ(Error("CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1"), "NOT_SUPPORTED@18");
  EXPECT_EQ(Error("CREATE TEMP FUNCTION f() RETURN 1"), "NOT_SUPPORTED@7");
  EXPECT_EQ(Error("CREATE EXTERNAL VOLUME v"), "NOT_SUPPORTED@7");
  EXPECT_EQ(Error("CREATE GLACIER g"), "SQL_SYNTAX_ERROR@7");
}

TEST(ParseAlter, RowFilters) {
  const auto set = Parsed<SetRowFilter>("ALTER TABLE main.s.t SET ROW FILTER main.sec.us_only ON (region, `a b`)");
  EXPECT_EQ(set.table.parts, (Parts{"main", "s", "t"}));
  EXPECT_EQ(set.filter.function.parts, (Parts{"main", "sec", "us_only"}));
  EXPECT_EQ(set.filter.columns, (Parts{"region", "a b"}));
  EXPECT_EQ(Parsed<DropRowFilter>("alter table t drop row filter;").table.parts, Parts{"t"});
  EXPECT_TRUE(Parsed<SetRowFilter>("ALTER TABLE t SET ROW FILTER f ON ()").filter.columns.empty());
  EXPECT_EQ(Error("ALTER TABLE t SET ROW FILTER f"), "SQL_SYNTAX_ERROR@30");
  EXPECT_EQ(Error("ALTER TABLE t SET ROW FILTER f ON (a,)"), "SQL_SYNTAX_ERROR@37");
  EXPECT_EQ(Error("ALTER TABLE t DROP ROW FILTER x"), "SQL_SYNTAX_ERROR@30");
}

TEST(ParseAlter, Masks) {
  const auto set = Parsed<SetMask>("ALTER TABLE main.s.t ALTER COLUMN ssn SET MASK main.s.mask USING COLUMNS (dept)");
  EXPECT_EQ(set.column, "ssn");
  EXPECT_EQ(set.mask.function.parts, (Parts{"main", "s", "mask"}));
  EXPECT_EQ(set.mask.columns, Parts{"dept"});
  EXPECT_TRUE(Parsed<SetMask>("ALTER TABLE t ALTER ssn SET MASK m").mask.columns.empty());
  EXPECT_EQ(Parsed<DropMask>("ALTER TABLE t ALTER COLUMN ssn DROP MASK").column, "ssn");
  EXPECT_EQ(Parsed<SetColumnComment>("ALTER TABLE t ALTER COLUMN ssn COMMENT 'x'").comment, "x");
  EXPECT_EQ(Error("ALTER TABLE t ALTER COLUMN ssn TYPE INT"), "SQL_SYNTAX_ERROR@31");
  EXPECT_EQ(Error("ALTER TABLE t ADD COLUMN x INT"), "NOT_SUPPORTED@14");
}

TEST(ParseAlter, OwnersAndComments) {
  const auto owner = Parsed<SetOwner>("ALTER SCHEMA a.b OWNER TO `data team`");
  EXPECT_EQ(owner.kind, SecurableKind::kSchema);
  EXPECT_EQ(owner.owner, "data team");
  EXPECT_EQ(Parsed<SetOwner>("ALTER TABLE t SET OWNER TO `ann@x.example`").owner, "ann@x.example");
  EXPECT_EQ(Parsed<SetComment>("COMMENT ON VOLUME a.b.c IS 'files'").comment, "files");
  EXPECT_EQ(Parsed<SetComment>("COMMENT ON CATALOG a IS NULL").comment, "");
  EXPECT_EQ(Error("ALTER METASTORE OWNER TO x"), "NOT_SUPPORTED@16");
}

TEST(ParseDrop, HasItsOptions) {
  const auto drop = Parsed<Drop>("DROP SCHEMA IF EXISTS a.b CASCADE");
  EXPECT_EQ(drop.kind, SecurableKind::kSchema);
  EXPECT_EQ(drop.if_missing, IfMissing::kIgnore);
  EXPECT_EQ(drop.if_not_empty, IfNotEmpty::kDeleteAll);
  EXPECT_EQ(Parsed<Drop>("DROP TABLE t RESTRICT").if_not_empty, IfNotEmpty::kFail);
  EXPECT_EQ(Parsed<Drop>("DROP FUNCTION f").kind, SecurableKind::kFunction);
  EXPECT_EQ(Error("DROP CLEAN ROOM r"), "NOT_SUPPORTED@16");
  EXPECT_EQ(Error("DROP TABLE a, b"), "SQL_SYNTAX_ERROR@12");
}

TEST(ParseGrants, NameObjectsAndPrincipals) {
  const auto grant = Parsed<ChangeGrants>("GRANT USE CATALOG, CREATE SCHEMA ON CATALOG main TO `data team`");
  EXPECT_EQ(grant.direction, ChangeGrants::Direction::kGrant);
  EXPECT_EQ(grant.privileges, (std::vector{Privilege::kUseCatalog, Privilege::kCreateSchema}));
  EXPECT_EQ(grant.kind, SecurableKind::kCatalog);
  EXPECT_EQ(grant.principal, "data team");
  const auto room = Parsed<ChangeGrants>("revoke execute clean room task on clean room `fraud room` from ann");
  EXPECT_EQ(room.direction, ChangeGrants::Direction::kRevoke);
  EXPECT_EQ(room.privileges, std::vector{Privilege::kExecuteCleanRoomTask});
  EXPECT_EQ(room.kind, SecurableKind::kCleanRoom);
  EXPECT_EQ(room.name.parts, Parts{"fraud room"});
  const auto metastore = Parsed<ChangeGrants>("GRANT CREATE CLEAN ROOM ON METASTORE TO `ann@x.example`");
  EXPECT_EQ(metastore.kind, SecurableKind::kMetastore);
  EXPECT_TRUE(metastore.name.parts.empty());
  EXPECT_EQ(Parsed<ChangeGrants>("GRANT SELECT ON a.b.c TO x").kind, SecurableKind::kTable);
  EXPECT_EQ(Parsed<ChangeGrants>("GRANT ALL PRIVILEGES ON SCHEMA a.b TO x").privileges,
            std::vector{Privilege::kAllPrivileges});
  EXPECT_EQ(Error("GRANT ON TABLE t TO x"), "SQL_SYNTAX_ERROR@6");
  EXPECT_EQ(Error("GRANT SELECT, `x` ON TABLE t TO x"), "SQL_SYNTAX_ERROR@14");
  EXPECT_EQ(Error("GRANT FLY ON TABLE t TO x"), "SQL_SYNTAX_ERROR@6");
  EXPECT_EQ(Error("GRANT SELECT, ON TABLE t TO x"), "SQL_SYNTAX_ERROR@14");
  EXPECT_EQ(Error("GRANT SELECT ON TABLE t FROM x"), "SQL_SYNTAX_ERROR@24");
}

TEST(ParseShow, Lists) {
  EXPECT_EQ(Parsed<Show>("SHOW CATALOGS").kind, SecurableKind::kCatalog);
  EXPECT_EQ(Parsed<Show>("SHOW DATABASES IN main").container.parts, Parts{"main"});
  EXPECT_EQ(Parsed<Show>("show tables from main.s").container.parts, (Parts{"main", "s"}));
  EXPECT_TRUE(Parsed<Show>("SHOW VOLUMES").container.parts.empty());
  EXPECT_EQ(Parsed<Show>("SHOW USER FUNCTIONS IN a.b").kind, SecurableKind::kFunction);
  const auto grants = Parsed<ShowGrants>("SHOW GRANTS `ann` ON SCHEMA a.b");
  EXPECT_EQ(grants.principal, "ann");
  EXPECT_EQ(grants.kind, SecurableKind::kSchema);
  EXPECT_EQ(Parsed<ShowGrants>("SHOW GRANTS ON TABLE t").principal, "");
  EXPECT_EQ(Parsed<DescribeTable>("DESC TABLE EXTENDED a.b.c").name.parts, (Parts{"a", "b", "c"}));
  EXPECT_EQ(Error("SHOW PARTITIONS t"), "SQL_SYNTAX_ERROR@5");
}

TEST(ParseOther, IsRefusedByName) {
  for (const char* text : {"USE CATALOG main", "SET x = 1", "INSERT INTO t VALUES (1)", "UPDATE t SET a = 1",
                           "DELETE FROM t", "MERGE INTO t", "COPY t FROM 'x'", "PRAGMA x", "ATTACH 'x'",
                           "INSTALL httpfs", "LOAD x", "EXPLAIN SELECT 1", "CALL x()", "EXPORT DATABASE 'x'"}) {
    const auto statement = Parse(text);
    ASSERT_FALSE(statement.ok()) << text;
    EXPECT_EQ(statement.status().code(), ErrorCode::kNotSupported) << text;
    EXPECT_EQ(statement.status().position(), 0U) << text;
  }
  EXPECT_EQ(Error("FROBNICATE t"), "SQL_SYNTAX_ERROR@0");
  EXPECT_EQ(Error("'select 1'"), "SQL_SYNTAX_ERROR@0");
}

TEST(ParseOther, DoesNotRepeatStringsInErrors) {
  const auto statement = Parse("CREATE CATALOG 'hunter2'");
  ASSERT_FALSE(statement.ok());
  EXPECT_EQ(statement.status().message().find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace glovebox::statement
