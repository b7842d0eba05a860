// SPDX-License-Identifier: Apache-2.0
#include "statement/executor.h"

#include <functional>
#include <string>
#include <vector>

#include "base/strings.h"
#include "tests/unit/catalog/fixture.h"

namespace glovebox::statement {
namespace {

using catalog::Caller;
using catalog::Privilege;

// Remembers what it is asked and answers with one row, or with a table of two columns.
class StandInEngine final : public engine::Engine {
 public:
  Result<engine::SelectResult> Select(const engine::SelectRequest& request) override {
    requests.push_back(request);
    if (!error.ok()) {
      return error;
    }
    engine::SelectResult result;
    result.file.columns = columns;
    if (request.target_path.empty()) {
      result.rows = {{"x", std::int64_t{1}}};
      return result;
    }
    GB_RETURN_IF_ERROR(WriteFileDurably(request.target_path, "rows"));
    result.file.path = request.target_path;
    result.file.rows = 3;
    if (on_write) {
      on_write();
    }
    return result;
  }
  Status CheckFunction(const engine::Function& function, const std::vector<engine::Function>& others) override {
    checked = function;
    checked_others = others;
    return check_error;
  }
  Result<engine::PreparedAsset> Prepare(const engine::PrepareRequest& /*request*/) override { return Unused(); }
  Result<engine::RunResult> Run(const engine::RunRequest& /*request*/) override { return Unused(); }
  void Cancel(const std::string& /*output_folder*/) override {}

  static Status Unused() { return Status(ErrorCode::kInternal, "not part of a statement"); }

  std::vector<engine::Column> columns = {{"name", "VARCHAR"}, {"consent", "BOOLEAN"}};
  std::vector<engine::SelectRequest> requests;
  engine::Function checked;
  std::vector<engine::Function> checked_others;
  std::function<void()> on_write;
  Status error;
  Status check_error;
};

class Statements : public catalog::CatalogTest {
 protected:
  void SetUp() override {
    MakeSchema("main", "s");
    Must("CREATE TABLE main.s.t AS SELECT 1");
    engine_.requests.clear();
  }

  Result<StatementResult> Execute(const Caller& caller, const std::string& text) {
    return executor_.Execute(caller,
                             {.text = text, .parameters = {}, .catalog = catalog_name_, .schema = schema_name_});
  }

  StatementResult Must(const std::string& text) {
    auto result = Execute(admin_, text);
    EXPECT_TRUE(result.ok()) << text << ": " << result.status().message();
    return result.ok() ? *result : StatementResult{};
  }

  ErrorCode CodeOf(const Caller& caller, const std::string& text) { return Execute(caller, text).status().code(); }

  static std::vector<std::string> FirstColumn(const StatementResult& result) {
    std::vector<std::string> names;
    for (const auto& row : result.rows) {
      names.push_back(row.front().as_string());
    }
    return names;
  }

  std::vector<std::string> TableNames(std::size_t request) {
    std::vector<std::string> names;
    for (const engine::NamedTable& table : engine_.requests.at(request).tables) {
      names.push_back(Join(table.name, "."));
    }
    return names;
  }

  std::vector<std::string> FunctionNames(std::size_t request) {
    std::vector<std::string> names;
    for (const engine::Function& function : engine_.requests.at(request).functions) {
      names.push_back(function.name);
    }
    return names;
  }

  void LetUserSelect() {
    Must("GRANT USE CATALOG ON CATALOG main TO `" + user_.name + "`");
    Must("GRANT USE SCHEMA ON SCHEMA main.s TO `" + user_.name + "`");
    Must("GRANT SELECT ON TABLE main.s.t TO `" + user_.name + "`");
  }

  StandInEngine engine_;
  Executor executor_{*catalog_, engine_};
  std::string catalog_name_;
  std::string schema_name_;
};

using Names = std::vector<std::string>;

TEST_F(Statements, AQueryGetsTheTablesThatItNames) {
  Must("CREATE TABLE main.s.unrelated AS SELECT 1");
  engine_.requests.clear();
  auto result = Execute(admin_, "SELECT * FROM MAIN.s.T AS x JOIN `main`.`s`.`t` y ON x.name = y.name");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->rows.size(), 1U);
  EXPECT_EQ(result->columns.size(), 2U);
  EXPECT_EQ(TableNames(0), Names{"main.s.t"});
  EXPECT_EQ(engine_.requests[0].tables[0].file.columns[1].type, "BOOLEAN");
  EXPECT_TRUE(engine_.requests[0].target_path.empty());
  EXPECT_GT(engine_.requests[0].row_limit, 0);
}

TEST_F(Statements, ANameMayBeAConstant) {
  ASSERT_TRUE(Execute(admin_, "SELECT * FROM IDENTIFIER('main' || '.s.t')").ok());
  EXPECT_EQ(TableNames(0), Names{"main.s.t"});
}

TEST_F(Statements, MissingPartsOfNamesComeFromTheDefaults) {
  catalog_name_ = "main";
  ASSERT_TRUE(Execute(admin_, "SELECT * FROM s.t").ok());
  EXPECT_EQ(TableNames(0), Names{"main.s.t"});
  schema_name_ = "s";
  ASSERT_TRUE(Execute(admin_, "SELECT t.name FROM t").ok());
  EXPECT_EQ(TableNames(1), Names{"main.s.t"});
  EXPECT_EQ(engine_.requests[1].default_namespace, (Names{"main", "s"}));
  schema_name_.clear();
  EXPECT_EQ(CodeOf(admin_, "DROP TABLE t"), ErrorCode::kInvalidParameterValue);
}

TEST_F(Statements, AQuerySeesOnlyWhatTheCallerMaySelect) {
  ASSERT_TRUE(Execute(user_, "SELECT * FROM main.s.t").ok());
  EXPECT_TRUE(engine_.requests[0].tables.empty());
  ASSERT_TRUE(Execute(other_, "SELECT * FROM main.s.t").ok());
  EXPECT_TRUE(engine_.requests[1].tables.empty());
  LetUserSelect();
  ASSERT_TRUE(Execute(user_, "SELECT * FROM main.s.t").ok());
  EXPECT_EQ(TableNames(2), Names{"main.s.t"});
}

TEST_F(Statements, AnUnknownNameThatIsForbiddenSaysSo) {
  engine_.error = Status(ErrorCode::kSqlUnknownName, "table main.s.t does not exist").At(14);
  EXPECT_EQ(CodeOf(user_, "SELECT * FROM main.s.t"), ErrorCode::kSqlUnknownName) << "he may not know it";
  Must("GRANT MODIFY ON TABLE main.s.t TO `" + user_.name + "`");
  const Status denied = Execute(user_, "SELECT * FROM main.s.t").status();
  EXPECT_EQ(denied.code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(denied.position(), 14U);
  engine_.error = Status(ErrorCode::kSqlType, "no");
  EXPECT_EQ(CodeOf(user_, "SELECT * FROM main.s.t"), ErrorCode::kSqlType);
}

TEST_F(Statements, CreateTableAsWritesAVersion) {
  const StatementResult result = Must("CREATE TABLE main.s.people COMMENT 'all' AS SELECT * FROM main.s.t");
  EXPECT_EQ(result.affected, 3);
  EXPECT_EQ(engine_.requests.back().sql, "SELECT * FROM main.s.t");
  auto table = catalog_->tables.Get(admin_, "main.s.people");
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->current.path, engine_.requests.back().target_path);
  EXPECT_EQ(table->current.rows, 3);
  EXPECT_EQ(table->info.comment, "all");
  EXPECT_EQ(CodeOf(admin_, "CREATE TABLE main.s.people AS SELECT 1"), ErrorCode::kAlreadyExists);
  const std::size_t before = engine_.requests.size();
  Must("CREATE TABLE IF NOT EXISTS main.s.people AS SELECT 1");
  EXPECT_EQ(engine_.requests.size(), before) << "nothing is computed for a table that stays";
  Must("CREATE OR REPLACE TABLE main.s.people AS SELECT 1");
  EXPECT_EQ(catalog_->tables.Get(admin_, "main.s.people")->current.number, 2);
}

TEST_F(Statements, AFailedCreateTableLeavesNothing) {
  engine_.error = Status(ErrorCode::kSqlType, "wrong").At(7);
  const Status failed = Execute(admin_, "CREATE TABLE main.s.u AS SELECT 1 + 'a'").status();
  EXPECT_EQ(failed.code(), ErrorCode::kSqlType);
  EXPECT_EQ(failed.position(), 32U) << "counted from the start of the statement";
  EXPECT_EQ(catalog_->tables.Get(admin_, "main.s.u").status().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(FileExists(engine_.requests.back().target_path));
  engine_.error = Status();
  // Somebody else takes the name while the engine works.
  engine_.on_write = [&] {
    engine_.on_write = nullptr;
    Must("CREATE TABLE main.s.u AS SELECT 2");
  };
  EXPECT_EQ(CodeOf(admin_, "CREATE TABLE main.s.u AS SELECT 1"), ErrorCode::kAlreadyExists);
  EXPECT_EQ(catalog_->tables.RemoveUnreferencedFiles().value(), 0);
}

TEST_F(Statements, CreateTableWithColumnsIsAnEmptyQuery) {
  Must("CREATE FUNCTION main.s.yes(a BOOLEAN) RETURN a");
  engine_.columns = {{"consent", "BOOLEAN"}};
  engine_.requests.clear();
  Must("CREATE TABLE main.s.e (consent BOOLEAN COMMENT 'given') WITH ROW FILTER main.s.yes ON (consent)");
  EXPECT_EQ(engine_.requests.at(0).sql, R"(SELECT CAST(NULL AS BOOLEAN) AS "consent" WHERE 1 = 0)");
  auto table = catalog_->tables.Get(admin_, "main.s.e");
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->columns[0].comment, "given");
  EXPECT_TRUE(table->row_filter.has_value());
}

TEST_F(Statements, AColumnWithoutATypeIsRefused) {
  engine_.columns = {{"x", "NULL"}};
  EXPECT_EQ(CodeOf(admin_, "CREATE TABLE main.s.e AS SELECT NULL AS x"), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(catalog_->tables.Get(admin_, "main.s.e").status().code(), ErrorCode::kNotFound);
}

TEST_F(Statements, VolumeFilesOfAQueryAreThoseThatItReads) {
  Must("CREATE VOLUME main.s.v");
  ASSERT_TRUE(Put(admin_, "/Volumes/main/s/v/it's.csv", "a\n1\n", catalog::Overwrite::kNo).ok());
  const std::string sql = "SELECT '/Volumes/not/a/path' FROM read_files('/Volumes/main/s/v/it''s.csv', header => true)";
  ASSERT_TRUE(Execute(admin_, sql).ok());
  ASSERT_EQ(engine_.requests[0].files.size(), 1U);
  EXPECT_EQ(engine_.requests[0].files[0].name, "/Volumes/main/s/v/it's.csv");
  EXPECT_EQ(ReadFile(engine_.requests[0].files[0].path, 10).value(), "a\n1\n");
  const Status missing = Execute(admin_, "SELECT * FROM read_files('/Volumes/main/s/v/none.csv')").status();
  EXPECT_EQ(missing.code(), ErrorCode::kNotFound);
  EXPECT_EQ(missing.position(), 25U);
  EXPECT_EQ(CodeOf(user_, sql), ErrorCode::kNotFound) << "he may not know the volume";
  EXPECT_EQ(engine_.requests.size(), 1U);
}

TEST_F(Statements, CreateFunctionIsCheckedByTheEngine) {
  Must("CREATE FUNCTION main.s.norm(x STRING) RETURN upper(trim(x))");
  Must("CREATE FUNCTION main.s.tok(x STRING, y DATE) RETURNS STRING COMMENT 'c' RETURN norm(x) || y");
  EXPECT_EQ(engine_.checked.name, "main.s.tok");
  EXPECT_EQ(engine_.checked.body, "norm(x) || y");
  EXPECT_EQ(engine_.checked.parameters[1].type, "DATE");
  ASSERT_EQ(engine_.checked_others.size(), 1U);
  EXPECT_EQ(engine_.checked_others[0].name, "main.s.norm");
  engine_.check_error = Status(ErrorCode::kSqlUnknownName, "no column z").At(0);
  const Status refused = Execute(admin_, "CREATE FUNCTION main.s.bad(x STRING) RETURN z").status();
  EXPECT_EQ(refused.code(), ErrorCode::kSqlUnknownName);
  EXPECT_EQ(refused.position(), 44U);
  EXPECT_FALSE(catalog_->functions.Get(admin_, "main.s.bad").ok());
  engine_.check_error = Status();
  EXPECT_EQ(CodeOf(admin_, "CREATE FUNCTION main.s.upper(x STRING) RETURN x"), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(CodeOf(user_, "CREATE FUNCTION main.s.f(x STRING) RETURN x"), ErrorCode::kNotFound);
}

TEST_F(Statements, AQueryGetsTheFunctionsThatItCalls) {
  Must("CREATE FUNCTION main.s.norm(x STRING) RETURN upper(trim(x))");
  Must("CREATE FUNCTION main.s.tok(x STRING) RETURN norm(x)");
  Must("CREATE FUNCTION main.s.unrelated(x STRING) RETURN x");
  ASSERT_TRUE(Execute(admin_, "SELECT TOK(name), norm FROM main.s.t").ok());
  EXPECT_EQ(FunctionNames(0), (Names{"main.s.tok", "main.s.norm"}));
  Must("CREATE SCHEMA main.z");
  Must("CREATE FUNCTION main.z.tok(x STRING) RETURN x");
  const Status ambiguous = Execute(admin_, "SELECT tok(name) FROM main.s.t").status();
  EXPECT_EQ(ambiguous.code(), ErrorCode::kNotSupported);
  EXPECT_EQ(ambiguous.position(), 7U);
  catalog_name_ = "main";
  schema_name_ = "z";
  ASSERT_TRUE(Execute(admin_, "SELECT tok(name) FROM s.t").ok());
  EXPECT_EQ(FunctionNames(1), Names{"main.z.tok"});
  ASSERT_TRUE(Execute(admin_, "SELECT MAIN.s.`tok`(name) FROM s.t").ok());
  EXPECT_EQ(FunctionNames(2), (Names{"main.s.tok", "main.s.norm"}));
  ASSERT_TRUE(Execute(admin_, "SELECT s.tok(name), t.tok(name) FROM s.t").ok());
  EXPECT_EQ(FunctionNames(3), (Names{"main.s.tok", "main.s.norm"}));
  LetUserSelect();
  ASSERT_TRUE(Execute(user_, "SELECT tok(name), main.s.tok(name) FROM s.t").ok());
  EXPECT_TRUE(FunctionNames(4).empty()) << "he may not execute it";
}

TEST_F(Statements, PoliciesAreSetAndDropped) {
  Must("CREATE FUNCTION main.s.yes(a BOOLEAN) RETURN a");
  Must("CREATE FUNCTION main.s.tok(a STRING, b BOOLEAN) RETURN a");
  engine_.columns = {{"result", "BOOLEAN"}};
  Must("ALTER TABLE main.s.t SET ROW FILTER main.s.yes ON (consent)");
  EXPECT_EQ(
      engine_.requests.back().sql,
      R"(SELECT "yes"("consent") AS result FROM (SELECT CAST(NULL AS BOOLEAN) AS "consent") AS columns_of_table)");
  engine_.columns = {{"result", "VARCHAR"}};
  Must("ALTER TABLE main.s.t ALTER COLUMN name SET MASK main.s.tok USING COLUMNS (consent)");
  EXPECT_TRUE(engine_.requests.back().sql.starts_with(R"(SELECT "tok"("name", "consent") AS result FROM)"));
  auto table = catalog_->tables.Get(admin_, "main.s.t");
  EXPECT_EQ(table->row_filter->function, "main.s.yes");
  EXPECT_EQ(table->columns[0].mask->function, "main.s.tok");
  Must("ALTER TABLE main.s.t DROP ROW FILTER");
  Must("ALTER TABLE main.s.t ALTER COLUMN name DROP MASK");
  EXPECT_FALSE(catalog_->tables.Get(admin_, "main.s.t")->IsGoverned());
}

TEST_F(Statements, APolicyThatDoesNotFitIsNotSet) {
  Must("CREATE FUNCTION main.s.yes(a BOOLEAN) RETURN a");
  const std::string set = "ALTER TABLE main.s.t SET ROW FILTER main.s.yes ON (name)";
  engine_.columns = {{"result", "VARCHAR"}};
  EXPECT_EQ(CodeOf(admin_, set), ErrorCode::kInvalidParameterValue) << "no BOOLEAN";
  engine_.error = Status(ErrorCode::kSqlType, "no such cast").At(3);
  const Status refused = Execute(admin_, set).status();
  EXPECT_EQ(refused.code(), ErrorCode::kInvalidParameterValue);
  EXPECT_FALSE(refused.position().has_value()) << "the position was one in a text of ours";
  EXPECT_EQ(CodeOf(admin_, "ALTER TABLE main.s.t ALTER COLUMN name SET MASK main.s.yes"),
            ErrorCode::kInvalidParameterValue);
  EXPECT_FALSE(catalog_->tables.Get(admin_, "main.s.t")->IsGoverned());
  EXPECT_EQ(CodeOf(admin_, "ALTER TABLE main.s.t SET ROW FILTER main.s.none ON (name)"), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(admin_, "ALTER TABLE main.s.t SET ROW FILTER main.s.yes ON (none)"),
            ErrorCode::kInvalidParameterValue);
}

TEST_F(Statements, AGovernedTableIsReadThroughItsPolicies) {
  Must("CREATE FUNCTION main.s.yes(a BOOLEAN) RETURN a");
  Must("CREATE FUNCTION main.s.tok(a STRING) RETURN upper(a)");
  engine_.columns = {{"result", "BOOLEAN"}};
  Must("ALTER TABLE main.s.t SET ROW FILTER main.s.yes ON (consent)");
  Must("ALTER TABLE main.s.t ALTER COLUMN name SET MASK main.s.tok");
  LetUserSelect();
  for (const Caller& caller : {user_, admin_}) {
    engine_.requests.clear();
    ASSERT_TRUE(Execute(caller, "SELECT * FROM main.s.t").ok());
    ASSERT_EQ(engine_.requests.size(), 2U);
    const engine::SelectRequest& copy = engine_.requests[0];
    EXPECT_EQ(copy.sql, R"(SELECT "tok"("name") AS "name", "consent" FROM "main"."s"."t" WHERE "yes"("consent"))");
    EXPECT_EQ(FunctionNames(0), (Names{"main.s.yes", "main.s.tok"}));
    EXPECT_TRUE(copy.secrets.empty());
    EXPECT_EQ(engine_.requests[1].tables[0].file.path, copy.target_path) << "the query reads the copy";
    EXPECT_NE(copy.target_path, copy.tables[0].file.path);
    EXPECT_EQ(copy.bad_cast, engine::BadCast::kNull) << "a policy gives the same values here as in a room";
    EXPECT_EQ(engine_.requests[1].bad_cast, engine::BadCast::kError) << "the author's own CAST fails";
    EXPECT_FALSE(FileExists(copy.target_path)) << "the copy is gone afterwards";
  }
}

TEST_F(Statements, OnlyTheGovernedCopyGetsSecretsThoseThatItsFunctionsName) {
  for (const char* scope : {"Chargebacks", "other"}) {
    ASSERT_TRUE(catalog_->secrets.CreateScope(admin_, scope, "").ok());
    for (const char* key : {"k", "a"}) {
      ASSERT_TRUE(catalog_->secrets.Put(admin_, scope, key, std::string(scope) + "/" + key).ok());
    }
  }
  Must(
      "CREATE FUNCTION main.s.inner(a STRING) RETURN hmac_sha256(/* secret('other', 'a') */ secret('chargebacks','k'), "
      "a)");
  Must(
      "CREATE FUNCTION main.s.tok(a STRING) RETURN inner(a) || concat('other', 'k') || 'other a secret' || "
      "'secret(''other'', ''k'')'");
  Must("ALTER TABLE main.s.t ALTER COLUMN name SET MASK main.s.tok");
  ASSERT_EQ(engine_.requests.back().secrets.size(), 1U);
  EXPECT_NE(engine_.requests.back().secrets[0].value, "Chargebacks/k") << "a check of types needs no key";
  LetUserSelect();
  for (const Caller& caller : {admin_, user_}) {
    engine_.requests.clear();
    ASSERT_TRUE(Execute(caller, "SELECT * FROM main.s.t").ok());
    ASSERT_EQ(engine_.requests.size(), 2U);
    const std::vector<engine::Secret>& secrets = engine_.requests[0].secrets;
    ASSERT_EQ(secrets.size(), 1U);
    EXPECT_EQ(secrets[0].scope, "chargebacks") << "as the function spells it";
    EXPECT_EQ(secrets[0].key, "k");
    EXPECT_EQ(secrets[0].value, "Chargebacks/k");
    EXPECT_TRUE(engine_.requests[1].secrets.empty()) << "the caller's own text gets none";
  }
}

TEST_F(Statements, ATableIsMaskedWithTheSecretsOfItsOwner) {
  ASSERT_TRUE(catalog_->secrets.CreateScope(admin_, "s", "").ok());
  ASSERT_TRUE(catalog_->secrets.Put(admin_, "s", "k", "value").ok());
  Must("CREATE FUNCTION main.s.tok(a STRING) RETURN hmac_sha256(secret('s', 'k'), a)");
  Must("ALTER TABLE main.s.t ALTER COLUMN name SET MASK main.s.tok");
  LetUserSelect();
  Must("GRANT EXECUTE ON FUNCTION main.s.tok TO `" + user_.name + "`");
  Must("GRANT SELECT ON TABLE main.s.t TO `" + admin_.name + "`");
  Must("ALTER TABLE main.s.t OWNER TO `" + user_.name + "`");
  engine_.requests.clear();
  ASSERT_TRUE(Execute(admin_, "SELECT * FROM main.s.t").ok());
  ASSERT_EQ(engine_.requests.size(), 2U);
  EXPECT_TRUE(engine_.requests[0].secrets.empty()) << "its owner may not read the scope, whoever asks";
}

TEST_F(Statements, AMaskGetsASecretOnlyIfItsFunctionsAuthorAndOwnerMayReadIt) {
  ASSERT_TRUE(catalog_->secrets.CreateScope(admin_, "s", "").ok());
  ASSERT_TRUE(catalog_->secrets.Put(admin_, "s", "k", "value").ok());
  const std::string text = "FUNCTION main.s.tok(a STRING) RETURN hmac_sha256(secret('s', 'k'), a)";
  Must("GRANT USE CATALOG ON CATALOG main TO `" + user_.name + "`");
  Must("GRANT USE SCHEMA, CREATE FUNCTION ON SCHEMA main.s TO `" + user_.name + "`");
  ASSERT_TRUE(Execute(user_, "CREATE " + text).ok());
  ASSERT_TRUE(Execute(user_, "GRANT EXECUTE ON FUNCTION main.s.tok TO `" + admin_.name + "`").ok());
  Must("ALTER TABLE main.s.t ALTER COLUMN name SET MASK main.s.tok");
  const auto secrets_of_a_reading = [&] {
    engine_.requests.clear();
    Must("SELECT * FROM main.s.t");
    return engine_.requests.at(0).secrets.size();
  };
  EXPECT_EQ(secrets_of_a_reading(), 0U) << "the user made it";
  ASSERT_TRUE(Execute(user_, "ALTER FUNCTION main.s.tok OWNER TO `" + admin_.name + "`").ok());
  EXPECT_EQ(secrets_of_a_reading(), 0U) << "he wrote it, whoever has it";
  Must("CREATE OR REPLACE " + text);
  EXPECT_EQ(secrets_of_a_reading(), 1U);
  Must("ALTER FUNCTION main.s.tok OWNER TO `" + user_.name + "`");
  EXPECT_EQ(secrets_of_a_reading(), 0U) << "he has it, whoever wrote it";
  ASSERT_TRUE(catalog_->secrets.PutAcl(admin_, "s", user_.name, catalog::SecretPermission::kRead).ok());
  EXPECT_EQ(secrets_of_a_reading(), 1U);
}

TEST_F(Statements, AFunctionDoesNotGetASecretThroughAnotherThatMayUseIt) {
  ASSERT_TRUE(catalog_->secrets.CreateScope(admin_, "s", "").ok());
  ASSERT_TRUE(catalog_->secrets.Put(admin_, "s", "k", "value").ok());
  Must("CREATE FUNCTION main.s.tok(a STRING) RETURN hmac_sha256(secret('s', 'k'), a)");
  Must("GRANT USE CATALOG ON CATALOG main TO `" + user_.name + "`");
  Must("GRANT USE SCHEMA, CREATE FUNCTION ON SCHEMA main.s TO `" + user_.name + "`");
  Must("ALTER TABLE main.s.t ALTER COLUMN name SET MASK main.s.tok");
  Must("CREATE FUNCTION main.s.is_ours(b BOOLEAN) RETURN b");
  engine_.columns = {{"b", "BOOLEAN"}};
  Must("ALTER TABLE main.s.t SET ROW FILTER main.s.is_ours ON (consent)");
  Must("ALTER FUNCTION main.s.is_ours OWNER TO `" + user_.name + "`");
  Must("GRANT EXECUTE ON FUNCTION main.s.is_ours TO `" + admin_.name + "`");
  for (const char* call : {"secret('s', 'k')", "`SECRET`('s', 'k')", "secret('s' 'k')", "'s'.secret('k')",
                           "IDENTIFIER('sec' || 'ret')('s', 'k')", "secret('s', b)"}) {
    ASSERT_TRUE(Execute(user_, "CREATE OR REPLACE FUNCTION main.s.is_ours(b BOOLEAN) RETURN hmac_sha256(" +
                                   std::string(call) + ", 'x') = 'y'")
                    .ok());
    engine_.requests.clear();
    Must("SELECT * FROM main.s.t");
    EXPECT_TRUE(engine_.requests[0].secrets.empty()) << call;
  }
  ASSERT_TRUE(Execute(user_, "CREATE OR REPLACE FUNCTION main.s.is_ours(secret BOOLEAN) RETURN secret").ok());
  engine_.requests.clear();
  Must("SELECT * FROM main.s.t");
  EXPECT_EQ(engine_.requests[0].secrets.size(), 1U) << "a parameter's name is no call";
}

TEST_F(Statements, APolicyThatCannotBeAppliedForbidsReading) {
  Must("CREATE FUNCTION main.s.tok(a STRING) RETURN hmac_sha256(secret('s', 'k'), a)");
  Must("ALTER TABLE main.s.t ALTER COLUMN name SET MASK main.s.tok");
  engine_.requests.clear();
  engine_.error = Status(ErrorCode::kNotSupported, "function 'secret' is not available here").At(3);
  const Status refused = Execute(admin_, "SELECT * FROM main.s.t").status();
  EXPECT_EQ(refused.code(), ErrorCode::kInvalidState);
  EXPECT_EQ(refused.position(), 14U);
  EXPECT_EQ(engine_.requests.size(), 1U) << "the query itself was not run";
}

TEST_F(Statements, WhatIsNotTheFaultOfAPolicyIsNotBlamedOnIt) {
  Must("CREATE FUNCTION main.s.tok(a STRING) RETURN upper(a)");
  Must("ALTER TABLE main.s.t ALTER COLUMN name SET MASK main.s.tok");
  for (const ErrorCode code :
       {ErrorCode::kUnavailable, ErrorCode::kDeadlineExceeded, ErrorCode::kResourceExhausted, ErrorCode::kInternal}) {
    engine_.error = Status(code, "row 'Ann' in /data/tables/x");
    const Status status = Execute(admin_, "SELECT * FROM main.s.t").status();
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(status.message().find("Ann"), std::string::npos);
    EXPECT_NE(status.message().find("main.s.t"), std::string::npos);
  }
}

TEST_F(Statements, ContainersAreCreatedAndDropped) {
  Must("CREATE CATALOG sales COMMENT 'x'");
  EXPECT_EQ(CodeOf(admin_, "CREATE CATALOG Sales"), ErrorCode::kAlreadyExists);
  Must("CREATE CATALOG IF NOT EXISTS Sales");
  Must("CREATE SCHEMA sales.eu");
  Must("CREATE VOLUME sales.eu.files COMMENT 'f'");
  EXPECT_EQ(catalog_->securables.Get(admin_, catalog::SecurableKind::kVolume, "sales.eu.files")->comment, "f");
  EXPECT_EQ(CodeOf(user_, "DROP CATALOG sales CASCADE"), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(admin_, "DROP SCHEMA sales.eu"), ErrorCode::kInvalidState);
  Must("DROP SCHEMA sales.eu CASCADE");
  EXPECT_EQ(CodeOf(admin_, "DROP SCHEMA sales.eu"), ErrorCode::kNotFound);
  Must("DROP SCHEMA IF EXISTS sales.eu");
  Must("DROP TABLE main.s.t");
  EXPECT_EQ(CodeOf(admin_, "DROP CATALOG a.b"), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(CodeOf(admin_, "DROP TABLE `main.s`.t.x"), ErrorCode::kInvalidParameterValue);
}

TEST_F(Statements, GrantsGoToTheCatalogue) {
  LetUserSelect();
  const StatementResult grants = Must("SHOW GRANTS `" + user_.name + "` ON TABLE main.s.t");
  ASSERT_EQ(grants.rows.size(), 1U);
  EXPECT_EQ(grants.rows[0][0].as_string(), user_.name);
  EXPECT_EQ(grants.rows[0][1].as_string(), "SELECT");
  EXPECT_EQ(grants.rows[0][2].as_string(), "TABLE");
  EXPECT_EQ(grants.rows[0][3].as_string(), "main.s.t");
  EXPECT_EQ(CodeOf(user_, "GRANT SELECT ON TABLE main.s.t TO `account users`"), ErrorCode::kPermissionDenied);
  Must("REVOKE SELECT ON TABLE main.s.t FROM `" + user_.name + "`");
  EXPECT_EQ(CodeOf(user_, "DESCRIBE main.s.t"), ErrorCode::kNotFound);
  Must("GRANT CREATE CLEAN ROOM ON METASTORE TO `" + user_.name + "`");
  Must("GRANT CREATE SECRET SCOPE ON METASTORE TO `" + user_.name + "`");
  EXPECT_TRUE(catalog_->secrets.CreateScope(user_, "mine", "").ok());
  Must("ALTER SCHEMA main.s OWNER TO `" + user_.name + "`");
  Must("COMMENT ON SCHEMA main.s IS 'mine'");
  auto schema = catalog_->securables.Get(admin_, catalog::SecurableKind::kSchema, "main.s");
  EXPECT_EQ(schema->owner, user_.name);
  EXPECT_EQ(schema->comment, "mine");
}

TEST_F(Statements, ShowListsWhatTheCallerMayKnow) {
  Must("CREATE FUNCTION main.s.f() RETURN 1");
  Must("CREATE VOLUME main.s.v");
  EXPECT_EQ(FirstColumn(Must("SHOW CATALOGS")), Names{"main"});
  EXPECT_EQ(FirstColumn(Must("SHOW SCHEMAS IN main")), (Names{"default", "s"}));
  const StatementResult tables = Must("SHOW TABLES IN main.s");
  ASSERT_EQ(tables.rows.size(), 1U);
  EXPECT_EQ(tables.rows[0][0].as_string(), "s");
  EXPECT_EQ(tables.rows[0][1].as_string(), "t");
  EXPECT_EQ(tables.rows[0][2].as_bool(), false);
  EXPECT_EQ(Must("SHOW VOLUMES IN main.s").rows[0][1].as_string(), "v");
  EXPECT_EQ(FirstColumn(Must("SHOW FUNCTIONS IN main.s")), Names{"main.s.f"});
  Must("ALTER TABLE main.s.t ALTER COLUMN name COMMENT 'full name'");
  const StatementResult columns = Must("DESCRIBE TABLE main.s.t");
  ASSERT_EQ(columns.rows.size(), 2U);
  EXPECT_EQ(columns.rows[0][2].as_string(), "full name");
  EXPECT_TRUE(columns.rows[1][2].is_null());
  EXPECT_TRUE(Execute(user_, "SHOW CATALOGS")->rows.empty());
  EXPECT_EQ(CodeOf(user_, "SHOW SCHEMAS IN main"), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(admin_, "SHOW TABLES"), ErrorCode::kInvalidParameterValue);
}

TEST_F(Statements, ParametersGoThroughToTheEngine) {
  StatementRequest request;
  request.text = "SELECT :a";
  request.parameters.push_back({.name = "a", .type = "INT", .value = "5"});
  request.row_limit = 7;
  ASSERT_TRUE(executor_.Execute(admin_, request).ok());
  ASSERT_EQ(engine_.requests[0].parameters.size(), 1U);
  EXPECT_EQ(engine_.requests[0].parameters[0].value, "5");
  EXPECT_EQ(engine_.requests[0].row_limit, 7);
}

TEST_F(Statements, CopiesThatACrashLeftGoAtStart) {
  ASSERT_TRUE(MakeDirectories(data_folder_ + "/scratch").ok());
  ASSERT_TRUE(WriteFileDurably(data_folder_ + "/scratch/x.duckdb", "rows").ok());
  ASSERT_TRUE(executor_.RemoveLeftovers().ok());
  EXPECT_FALSE(FileExists(data_folder_ + "/scratch/x.duckdb"));
  EXPECT_TRUE(executor_.RemoveLeftovers().ok());
}

}  // namespace
}  // namespace glovebox::statement
