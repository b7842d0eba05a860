// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "catalog/table_rows.h"
#include "tests/unit/catalog/fixture.h"

namespace glovebox::catalog {
namespace {

class Data : public CatalogTest {
 protected:
  void SetUp() override {
    MakeSchema("main", "s");
    auto table = MakeTable(admin_, "main.s", "t", Columns());
    ASSERT_TRUE(table.ok()) << table.status().message();
    table_ = *table;
    ASSERT_TRUE(MakeFunction("consented", {{"c", "BOOLEAN", ""}}, "c").ok());
    ASSERT_TRUE(MakeFunction("upper2", {{"a", "VARCHAR", ""}, {"b", "VARCHAR", ""}}, "upper(a || b)").ok());
  }

  static std::vector<TableColumn> Columns() {
    return {{.name = "Name", .type = "VARCHAR", .comment = "of the member", .mask = {}},
            {.name = "consent", .type = "BOOLEAN", .comment = "", .mask = {}},
            {.name = "city", .type = "VARCHAR", .comment = "", .mask = {}}};
  }

  Result<Function> MakeFunction(const std::string& name, const std::vector<FunctionParameter>& parameters,
                                const std::string& body, OnExisting on_existing = OnExisting::kFail) {
    return catalog_->functions.Create(
        admin_,
        {.schema = "main.s", .name = name, .parameters = parameters, .return_type = "", .body = body, .comment = ""},
        on_existing);
  }

  std::int64_t PolicyVersion() { return catalog_->tables.Get(admin_, "main.s.t")->policy_version; }

  Table table_;
};

TEST_F(Data, ATableHasColumnsAndAVersion) {
  auto table = catalog_->tables.Get(admin_, "main.s.T");
  ASSERT_TRUE(table.ok());
  ASSERT_EQ(table->columns.size(), 3U);
  EXPECT_EQ(table->columns[0].name, "Name");
  EXPECT_EQ(table->columns[0].comment, "of the member");
  EXPECT_EQ(table->current.number, 1);
  EXPECT_EQ(table->current.rows, 2);
  EXPECT_EQ(table->current.created_by, admin_.name);
  EXPECT_TRUE(table->current.path.starts_with(data_folder_ + "/tables/" + admin_.organisation.str() + "/"));
  EXPECT_FALSE(table->IsGoverned());
  EXPECT_EQ(catalog_->tables.Get(other_, "main.s.t").status().code(), ErrorCode::kNotFound);
}

TEST_F(Data, CreatingTwiceFailsKeepsOrReplaces) {
  EXPECT_EQ(MakeTable(admin_, "main.s", "T", Columns()).status().code(), ErrorCode::kAlreadyExists);
  auto kept = catalog_->tables.PlanWrite(admin_, "main.s", "t", OnExisting::kKeep);
  ASSERT_TRUE(kept.ok());
  EXPECT_FALSE(kept->has_value());
  auto replaced = MakeTable(admin_, "main.s", "t", {{.name = "x", .type = "BIGINT", .comment = "", .mask = {}}},
                            OnExisting::kReplace);
  ASSERT_TRUE(replaced.ok()) << replaced.status().message();
  EXPECT_EQ(replaced->info.id, table_.info.id);
  EXPECT_EQ(replaced->current.number, 2);
  EXPECT_EQ(replaced->columns.size(), 1U);
  EXPECT_TRUE(FileExists(table_.current.path)) << "versions are never changed";
}

TEST_F(Data, NobodysWriteIsLostWithoutAWord) {
  const auto plan = [&](const std::string& name) {
    auto write = catalog_->tables.PlanWrite(admin_, "main.s", name, OnExisting::kReplace);
    GB_ASSERT(write.ok() && write->has_value() && WriteFileDurably((*write)->path, "rows").ok());
    return **write;
  };
  const auto commit = [&](const TableWrite& write) {
    return catalog_->tables
        .CommitWrite(admin_, write, {.columns = Columns(), .row_filter = {}, .rows = 0, .comment = ""})
        .status()
        .code();
  };
  const TableWrite first = plan("t");
  const TableWrite second = plan("t");
  EXPECT_EQ(commit(second), ErrorCode::kOk);
  EXPECT_EQ(commit(first), ErrorCode::kAborted) << "it was replaced meanwhile";
  EXPECT_EQ(catalog_->tables.Get(admin_, "main.s.t")->current.id, second.version);
  const TableWrite made = plan("new");
  const TableWrite also = plan("new");
  EXPECT_EQ(commit(made), ErrorCode::kOk);
  EXPECT_EQ(commit(also), ErrorCode::kAlreadyExists);
}

TEST_F(Data, ATableThatWasDroppedMeanwhileIsNotWritten) {
  auto write = catalog_->tables.PlanWrite(admin_, "main.s", "t", OnExisting::kReplace);
  ASSERT_TRUE(WriteFileDurably((*write)->path, "rows").ok());
  ASSERT_TRUE(catalog_->securables.Delete(admin_, SecurableKind::kTable, "main.s.t", IfNotEmpty::kFail).ok());
  ASSERT_TRUE(MakeDirectories((*write)->path.substr(0, (*write)->path.rfind('/'))).ok());
  ASSERT_TRUE(WriteFileDurably((*write)->path, "rows").ok());
  EXPECT_EQ(
      catalog_->tables.CommitWrite(admin_, **write, {.columns = Columns(), .row_filter = {}, .rows = 0, .comment = ""})
          .status()
          .code(),
      ErrorCode::kAborted);
}

TEST_F(Data, ColumnNamesAreUniqueWithoutCase) {
  std::vector<TableColumn> columns = Columns();
  columns[2].name = "NAME";
  EXPECT_EQ(MakeTable(admin_, "main.s", "u", columns).status().code(), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(MakeTable(admin_, "main.s", "u", {}).status().code(), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(catalog_->tables.Get(admin_, "main.s.u").status().code(), ErrorCode::kNotFound);
}

TEST_F(Data, UnreferencedFilesGoAtStart) {
  auto write = catalog_->tables.PlanWrite(admin_, "main.s", "t", OnExisting::kReplace);
  ASSERT_TRUE(WriteFileDurably((*write)->path, "rows").ok());
  auto removed = catalog_->tables.RemoveUnreferencedFiles();
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(*removed, 1);
  EXPECT_FALSE(FileExists((*write)->path));
  EXPECT_TRUE(FileExists(table_.current.path));
}

TEST_F(Data, FilesOfADeletedTableGoAtStart) {
  const std::string folder = table_.current.path.substr(0, table_.current.path.rfind('/'));
  ASSERT_TRUE(catalog_->securables.Delete(admin_, SecurableKind::kTable, "main.s.t", IfNotEmpty::kFail).ok());
  EXPECT_FALSE(FileExists(folder));
  // As if the server had been killed before it removed them.
  ASSERT_TRUE(MakeDirectories(folder).ok());
  ASSERT_TRUE(WriteFileDurably(table_.current.path, "rows").ok());
  EXPECT_EQ(catalog_->tables.RemoveUnreferencedFiles().value(), 1);
  EXPECT_FALSE(FileExists(folder));
}

// What must never go: the current version, however old, and one that was replaced a moment ago, which a job may read.
TEST_F(Data, OldVersionsGoAfterAGrace) {
  const auto replace = [&] { return MakeTable(admin_, "main.s", "t", Columns(), OnExisting::kReplace)->current.path; };
  const std::string first = table_.current.path;
  clock_.AdvanceMs(2 * limits::kTableVersionGraceMs);
  EXPECT_EQ(catalog_->tables.RemoveOldVersions().value(), 0);
  const std::string second = replace();
  EXPECT_EQ(catalog_->tables.RemoveOldVersions().value(), 0);
  clock_.AdvanceMs(limits::kTableVersionGraceMs - 1);
  const std::string third = replace();
  EXPECT_EQ(catalog_->tables.RemoveOldVersions().value(), 0);
  EXPECT_TRUE(FileExists(first) && FileExists(second) && FileExists(third));
  clock_.AdvanceMs(1);
  EXPECT_EQ(catalog_->tables.RemoveOldVersions().value(), 1);
  EXPECT_FALSE(FileExists(first));
  EXPECT_TRUE(FileExists(second) && FileExists(third));
  clock_.AdvanceMs(2 * limits::kTableVersionGraceMs);
  EXPECT_EQ(catalog_->tables.RemoveOldVersions().value(), 1);
  EXPECT_FALSE(FileExists(second));
  EXPECT_TRUE(FileExists(third));
  EXPECT_EQ(catalog_->tables.Get(admin_, "main.s.t")->current.path, third);
  // Numbers go on, and a next version is as good as ever.
  EXPECT_EQ(MakeTable(admin_, "main.s", "t", Columns(), OnExisting::kReplace)->current.number, 4);
  EXPECT_EQ(catalog_->tables.RemoveUnreferencedFiles().value(), 0);
  // A crash between the rows and the files.
  clock_.AdvanceMs(limits::kTableVersionGraceMs);
  {
    auto transaction = database_->Begin(store::Access::kWrite);
    const Context context{.database = database_.get(),
                          .clock = &clock_,
                          .random = &random_,
                          .master_key = &master_key_,
                          .data_folder = data_folder_};
    EXPECT_EQ(ForgetOldVersions(**transaction, context, clock_.Now(), 10)->size(), 1U);
    ASSERT_TRUE((*transaction)->Commit().ok());
  }
  EXPECT_EQ(catalog_->tables.RemoveUnreferencedFiles().value(), 1);
  EXPECT_FALSE(FileExists(third));
  EXPECT_TRUE(FileExists(catalog_->tables.Get(admin_, "main.s.t")->current.path));
}

TEST_F(Data, AStorageThatIsFullTakesNoTable) {
  ASSERT_TRUE(FillStorage(3).ok());  // a table's file has 4 bytes
  EXPECT_EQ(MakeTable(admin_, "main.s", "u", Columns()).status().code(), ErrorCode::kInvalidState);
  EXPECT_EQ(catalog_->tables.Get(admin_, "main.s.u").status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(MakeTable(admin_, "main.s", "t", Columns(), OnExisting::kReplace).status().code(),
            ErrorCode::kInvalidState);
  EXPECT_EQ(catalog_->tables.Get(admin_, "main.s.t")->current.number, 1);
  ASSERT_TRUE(catalog_->securables.Delete(admin_, SecurableKind::kTable, "main.s.t", IfNotEmpty::kFail).ok());
  EXPECT_TRUE(MakeTable(admin_, "main.s", "u", Columns()).ok());
  // An old version counts until it goes.
  EXPECT_EQ(MakeTable(admin_, "main.s", "u", Columns(), OnExisting::kReplace).status().code(),
            ErrorCode::kInvalidState);
  ASSERT_TRUE(FillStorage(4).ok());
  EXPECT_TRUE(MakeTable(admin_, "main.s", "u", Columns(), OnExisting::kReplace).ok());
  ASSERT_TRUE(FillStorage(0).ok());
  clock_.AdvanceMs(limits::kTableVersionGraceMs);
  EXPECT_EQ(catalog_->tables.RemoveOldVersions().value(), 1);
  EXPECT_TRUE(MakeTable(admin_, "main.s", "v", Columns()).ok());
}

TEST_F(Data, PoliciesNameFunctionsAndColumns) {
  const std::int64_t before = PolicyVersion();
  ASSERT_TRUE(
      catalog_->tables.SetRowFilter(admin_, "main.s.t", {.function = "main.s.Consented", .columns = {"CONSENT"}}).ok());
  ASSERT_TRUE(
      catalog_->tables.SetMask(admin_, "main.s.t", "name", {.function = "main.s.upper2", .using_columns = {"City"}})
          .ok());
  auto table = catalog_->tables.Get(admin_, "main.s.t");
  ASSERT_TRUE(table->row_filter.has_value());
  EXPECT_EQ(table->row_filter->function, "main.s.consented");
  EXPECT_EQ(table->row_filter->columns, std::vector<std::string>{"consent"});
  ASSERT_TRUE(table->columns[0].mask.has_value());
  EXPECT_EQ(table->columns[0].mask->using_columns, std::vector<std::string>{"city"});
  EXPECT_TRUE(table->IsGoverned());
  EXPECT_EQ(table->policy_version, before + 2);
  ASSERT_TRUE(catalog_->tables.DropRowFilter(admin_, "main.s.t").ok());
  ASSERT_TRUE(catalog_->tables.DropMask(admin_, "main.s.t", "NAME").ok());
  EXPECT_FALSE(catalog_->tables.Get(admin_, "main.s.t")->IsGoverned());
  EXPECT_EQ(PolicyVersion(), before + 4);
}

TEST_F(Data, PoliciesThatDoNotFitAreRefused) {
  const auto filter = [&](const std::string& function, const std::vector<std::string>& columns) {
    return catalog_->tables.SetRowFilter(admin_, "main.s.t", {.function = function, .columns = columns}).code();
  };
  EXPECT_EQ(filter("main.s.nothing", {"consent"}), ErrorCode::kNotFound);
  EXPECT_EQ(filter("main.s.consented", {"nothing"}), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(filter("main.s.consented", {}), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(filter("main.s.consented", {"consent", "city"}), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(
      catalog_->tables.SetMask(admin_, "main.s.t", "nothing", {.function = "main.s.consented", .using_columns = {}})
          .code(),
      ErrorCode::kInvalidParameterValue);
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", user_.name,
                    {Privilege::kUseCatalog, Privilege::kUseSchema, Privilege::kSelect, Privilege::kModify,
                     Privilege::kExecute})
                  .ok());
  EXPECT_EQ(
      catalog_->tables.SetRowFilter(user_, "main.s.t", {.function = "main.s.consented", .columns = {"consent"}}).code(),
      ErrorCode::kPermissionDenied);
  EXPECT_EQ(catalog_->tables.DropRowFilter(user_, "main.s.t").code(), ErrorCode::kPermissionDenied);
}

TEST_F(Data, APolicyOutlivesTheReplacedTableOrForbidsIt) {
  ASSERT_TRUE(
      catalog_->tables.SetRowFilter(admin_, "main.s.t", {.function = "main.s.consented", .columns = {"consent"}}).ok());
  ASSERT_TRUE(
      catalog_->tables.SetMask(admin_, "main.s.t", "name", {.function = "main.s.upper2", .using_columns = {"city"}})
          .ok());
  std::vector<TableColumn> columns = Columns();
  columns.erase(columns.begin() + 1);
  const Status refused = MakeTable(admin_, "main.s", "t", columns, OnExisting::kReplace).status();
  EXPECT_EQ(refused.code(), ErrorCode::kInvalidState);
  EXPECT_NE(refused.message().find("'consent'"), std::string::npos);
  const std::int64_t before = PolicyVersion();
  auto replaced = MakeTable(admin_, "main.s", "t", Columns(), OnExisting::kReplace);
  ASSERT_TRUE(replaced.ok());
  EXPECT_TRUE(replaced->row_filter.has_value());
  EXPECT_TRUE(replaced->columns[0].mask.has_value());
  EXPECT_GT(replaced->policy_version, before);
}

TEST_F(Data, AFunctionInAPolicyStays) {
  ASSERT_TRUE(
      catalog_->tables.SetRowFilter(admin_, "main.s.t", {.function = "main.s.consented", .columns = {"consent"}}).ok());
  const Status refused =
      catalog_->securables.Delete(admin_, SecurableKind::kFunction, "main.s.consented", IfNotEmpty::kFail);
  EXPECT_EQ(refused.code(), ErrorCode::kInvalidState);
  EXPECT_NE(refused.message().find("main.s.t"), std::string::npos);
  EXPECT_EQ(MakeFunction("consented", {}, "true", OnExisting::kReplace).status().code(), ErrorCode::kInvalidState);
  EXPECT_TRUE(MakeFunction("consented", {{"x", "BOOLEAN", ""}}, "NOT x", OnExisting::kReplace).ok());
  EXPECT_EQ(catalog_->tables.GetGoverned(admin_, table_.id())->functions.at(0).body, "NOT x");
  EXPECT_TRUE(catalog_->securables.Delete(admin_, SecurableKind::kCatalog, "main", IfNotEmpty::kDeleteAll).ok());
}

TEST_F(Data, AGovernedTableComesWithTheFunctionsOfItsOwner) {
  ASSERT_TRUE(
      catalog_->tables.SetRowFilter(admin_, "main.s.t", {.function = "main.s.consented", .columns = {"consent"}}).ok());
  EXPECT_EQ(catalog_->tables.GetGoverned(user_, table_.id()).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->tables.GetGoverned(other_, table_.id()).status().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", user_.name,
                    {Privilege::kUseCatalog, Privilege::kUseSchema, Privilege::kSelect})
                  .ok());
  auto governed = catalog_->tables.GetGoverned(user_, table_.id());
  ASSERT_TRUE(governed.ok());
  ASSERT_EQ(governed->functions.size(), 1U);
  EXPECT_EQ(governed->functions[0].info.full_name, "main.s.consented");
  EXPECT_EQ(governed->owner, admin_.principal);
  EXPECT_TRUE(catalog_->functions.FullNames(user_, "consented")->empty());
}

TEST_F(Data, AFunctionElsewhereDoesNotTakeThePlaceOfOneThatAPolicyMeans) {
  ASSERT_TRUE(MakeFunction("norm", {{"x", "VARCHAR", ""}}, "lower(x)").ok());
  ASSERT_TRUE(MakeFunction("masked", {{"x", "VARCHAR", ""}}, "NORM(x) || '*'").ok());
  ASSERT_TRUE(catalog_->securables.CreateSchema(admin_, "main", "other", "", IfExists::kFail).ok());
  ASSERT_TRUE(catalog_->functions
                  .Create(admin_,
                          {.schema = "main.other",
                           .name = "norm",
                           .parameters = {{"x", "VARCHAR", ""}},
                           .return_type = "",
                           .body = "x",
                           .comment = ""},
                          OnExisting::kFail)
                  .ok());
  const Functions& functions = catalog_->functions;
  EXPECT_EQ(*functions.FullNames(admin_, "Norm"), (std::vector<std::string>{"main.other.norm", "main.s.norm"}));
  auto closure = functions.Closure(admin_, {"MAIN.s.masked"});
  ASSERT_TRUE(closure.ok());
  ASSERT_EQ(closure->size(), 2U);
  EXPECT_EQ((*closure)[1].info.full_name, "main.s.norm");
  EXPECT_EQ(functions.CalledBy(admin_, "main.other", "masked(x) || norm(x)")->front().info.full_name,
            "main.other.norm");
  EXPECT_EQ(functions.Closure(admin_, {"main.s.masked", "main.other.norm"}).status().code(), ErrorCode::kInvalidState);
  EXPECT_EQ(functions.Closure(admin_, {"main.s.gone"}).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(functions.Closure(user_, {"main.s.masked"}).status().code(), ErrorCode::kNotFound);
}

TEST_F(Data, WhoWroteAnOlderFunctionIsItsOwnerIfNobodyElseTouchedIt) {
  ASSERT_TRUE(MakeFunction("calls", {{"c", "BOOLEAN", ""}}, "Consented(c)").ok());
  ASSERT_TRUE(Grant(SecurableKind::kFunction, "main.s.upper2", user_.name, {Privilege::kManage}).ok());
  ASSERT_TRUE(catalog_->securables.Update(user_, SecurableKind::kFunction, "main.s.upper2", {"by the user", {}}).ok());
  {
    const auto transaction = database_->Begin(store::Access::kWrite).value();
    ASSERT_TRUE(catalog::Run(*transaction, "ALTER TABLE functions DROP COLUMN author_id", {}).ok());
    ASSERT_TRUE(catalog::Run(*transaction, "DROP TABLE function_calls", {}).ok());
    ASSERT_TRUE(catalog::Run(*transaction, "DELETE FROM schema_migrations WHERE number IN (5, 6)", {}).ok());
    ASSERT_TRUE(transaction->Commit().ok());
  }
  ASSERT_TRUE(store::Migrate(*database_, Migrations()).ok());
  EXPECT_EQ(catalog_->functions.Closure(admin_, {"main.s.calls"})->size(), 2U) << "and it calls what it called";
  EXPECT_EQ(catalog_->functions.Get(admin_, "main.s.consented")->author, admin_.principal);
  EXPECT_TRUE(catalog_->functions.Get(admin_, "main.s.upper2")->author.empty());
}

TEST_F(Data, AFunctionMeansThoseThatWereThereWhenItWasWritten) {
  ASSERT_TRUE(MakeFunction("helper", {{"c", "BOOLEAN", ""}}, "c").ok());
  ASSERT_TRUE(MakeFunction("outer", {{"c", "BOOLEAN", ""}}, "Helper(c)").ok());
  const auto names = [&] {
    std::vector<std::string> found;
    const std::vector<Function> closure = catalog_->functions.Closure(admin_, {"main.s.outer"}).value();
    for (const Function& function : closure) {
      found.push_back(function.info.name + ": " + function.body);
    }
    return found;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(), (Names{"outer: Helper(c)", "helper: c"}));
  ASSERT_TRUE(MakeFunction("helper", {{"c", "BOOLEAN", ""}}, "NOT c", OnExisting::kReplace).ok());
  EXPECT_EQ(names(), (Names{"outer: Helper(c)", "helper: NOT c"})) << "its owner may write it anew";
  ASSERT_TRUE(catalog_->securables.Delete(admin_, SecurableKind::kFunction, "main.s.helper", IfNotEmpty::kFail).ok());
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", user_.name,
                    {Privilege::kUseCatalog, Privilege::kUseSchema, Privilege::kCreateFunction})
                  .ok());
  const NewFunction other = {.schema = "main.s",
                             .name = "helper",
                             .parameters = {{"c", "BOOLEAN", ""}},
                             .return_type = "",
                             .body = "true",
                             .comment = ""};
  ASSERT_TRUE(catalog_->functions.Create(user_, other, OnExisting::kFail).ok());
  ASSERT_TRUE(Grant(SecurableKind::kFunction, "main.s.helper", admin_.name, {Privilege::kExecute}).ok());
  EXPECT_EQ(names(), Names{"outer: Helper(c)"}) << "another of the same name is not what was meant";
  EXPECT_EQ(catalog_->functions.Closure(admin_, {"main.s.outer", "main.s.helper"}).status().code(),
            ErrorCode::kInvalidState)
      << "nor does it take the place beside a policy that calls it";
  ASSERT_TRUE(MakeFunction("outer", {{"c", "BOOLEAN", ""}}, "Helper(c)", OnExisting::kReplace).ok());
  EXPECT_EQ(names(), (Names{"outer: Helper(c)", "helper: true"})) << "now it is";
}

TEST_F(Data, AFunctionWhoseNameIsAPartOfAnotherIsNotCalled) {
  ASSERT_TRUE(MakeFunction("mask_helper", {{"c", "BOOLEAN", ""}}, "c").ok());
  ASSERT_TRUE(MakeFunction("mask", {{"c", "BOOLEAN", ""}}, "mask_helper(c)").ok());
  ASSERT_TRUE(
      catalog_->securables.Delete(admin_, SecurableKind::kFunction, "main.s.mask_helper", IfNotEmpty::kFail).ok());
  ASSERT_TRUE(MakeFunction("mask_helper", {{"c", "BOOLEAN", ""}}, "NOT c").ok());
  EXPECT_TRUE(catalog_->functions.CalledBy(admin_, "main.s", "mask_helper(c)").ok()) << "what writes it anew";
  ASSERT_TRUE(MakeFunction("mask", {{"c", "BOOLEAN", ""}}, "mask_helper(c)", OnExisting::kReplace).ok());
  EXPECT_EQ(catalog_->functions.Closure(admin_, {"main.s.mask"})->size(), 2U);
}

TEST_F(Data, AFunctionThatMayNotBeExecutedKeepsItsPlace) {
  ASSERT_TRUE(MakeFunction("helper", {{"c", "BOOLEAN", ""}}, "c").ok());
  ASSERT_TRUE(MakeFunction("outer", {{"c", "BOOLEAN", ""}}, "helper(c)").ok());
  ASSERT_TRUE(catalog_->securables.CreateSchema(admin_, "main", "mine", "", IfExists::kFail).ok());
  const NewFunction other = {.schema = "main.mine",
                             .name = "helper",
                             .parameters = {{"c", "BOOLEAN", ""}},
                             .return_type = "",
                             .body = "true",
                             .comment = ""};
  ASSERT_TRUE(catalog_->functions.Create(admin_, other, OnExisting::kFail).ok());
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", user_.name, {Privilege::kUseCatalog, Privilege::kUseSchema}).ok());
  for (const char* name : {"main.s.outer", "main.mine.helper"}) {
    ASSERT_TRUE(Grant(SecurableKind::kFunction, name, user_.name, {Privilege::kExecute}).ok());
  }
  EXPECT_TRUE(catalog_->functions.Closure(user_, {"main.mine.helper"}).ok());
  EXPECT_EQ(catalog_->functions.Closure(user_, {"main.s.outer", "main.mine.helper"}).status().code(),
            ErrorCode::kInvalidState)
      << "'outer' means another helper, which this user may not execute";
}

TEST_F(Data, WhoMayNotCreateLearnsNoNameByTrying) {
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", user_.name, {Privilege::kUseCatalog, Privilege::kUseSchema}).ok());
  const auto create_function = [&](const std::string& name, OnExisting on_existing) {
    return catalog_->functions
        .Create(user_,
                {.schema = "main.s",
                 .name = name,
                 .parameters = {{"c", "BOOLEAN", ""}},
                 .return_type = "",
                 .body = "c",
                 .comment = ""},
                on_existing)
        .status();
  };
  for (const OnExisting on_existing : {OnExisting::kFail, OnExisting::kKeep, OnExisting::kReplace}) {
    const Status there = catalog_->tables.PlanWrite(user_, "main.s", "t", on_existing).status();
    const Status not_there = catalog_->tables.PlanWrite(user_, "main.s", "nothing", on_existing).status();
    EXPECT_EQ(there.code(), ErrorCode::kPermissionDenied);
    EXPECT_EQ(there.message(), not_there.message());
    EXPECT_EQ(create_function("consented", on_existing).code(), ErrorCode::kPermissionDenied);
    EXPECT_EQ(create_function("consented", on_existing).message(), create_function("nothing", on_existing).message());
  }
  ASSERT_TRUE(Grant(SecurableKind::kTable, "main.s.t", user_.name, {Privilege::kSelect}).ok());
  ASSERT_TRUE(Grant(SecurableKind::kFunction, "main.s.consented", user_.name, {Privilege::kExecute}).ok());
  EXPECT_TRUE(catalog_->tables.PlanWrite(user_, "main.s", "t", OnExisting::kKeep).ok()) << "he sees it anyway";
  EXPECT_TRUE(create_function("consented", OnExisting::kKeep).ok());
}

TEST_F(Data, AFunctionsBodyIsForThoseWhoMayExecuteIt) {
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", user_.name, {Privilege::kUseCatalog, Privilege::kUseSchema}).ok());
  ASSERT_TRUE(Grant(SecurableKind::kFunction, "main.s.upper2", user_.name, {Privilege::kBrowse}).ok());
  EXPECT_EQ(catalog_->functions.Get(user_, "main.s.upper2")->body, "");
  ASSERT_TRUE(Grant(SecurableKind::kFunction, "main.s.upper2", user_.name, {Privilege::kExecute}).ok());
  auto function = catalog_->functions.Get(user_, "main.s.upper2");
  EXPECT_EQ(function->body, "upper(a || b)");
  EXPECT_EQ(function->parameters[1], (FunctionParameter{"b", "VARCHAR", ""}));
  EXPECT_EQ(catalog_->functions.FullNames(user_, "upper2")->size(), 1U);
  EXPECT_EQ(catalog_->functions.List(user_, "main.s", {})->items.size(), 1U);
}

using SecretStore = CatalogTest;

TEST_F(SecretStore, ValuesComeOutOnlyForTheWorkerOfAReader) {
  Secrets& secrets = catalog_->secrets;
  ASSERT_TRUE(secrets.CreateScope(admin_, "join", "").ok());
  ASSERT_TRUE(secrets.Put(admin_, "join", "salt", "s3cret-value").ok());
  EXPECT_EQ(*secrets.GetForWorker(admin_.organisation, admin_.principal, "join", "salt"), "s3cret-value");
  EXPECT_EQ(secrets.GetForWorker(admin_.organisation, user_.principal, "join", "salt").status().code(),
            ErrorCode::kNotFound);
  ASSERT_TRUE(secrets.PutAcl(admin_, "join", user_.name, SecretPermission::kRead).ok());
  EXPECT_EQ(*secrets.GetForWorker(admin_.organisation, user_.principal, "join", "salt"), "s3cret-value");
  EXPECT_EQ(secrets.GetForWorker(other_.organisation, other_.principal, "join", "salt").status().code(),
            ErrorCode::kNotFound);
  auto list = secrets.List(user_, "join");
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ(list->front().key, "salt");
}

TEST_F(SecretStore, CreatingAScopeNeedsAPrivilegeOnTheMetastore) {
  Secrets& secrets = catalog_->secrets;
  EXPECT_EQ(secrets.CreateScope(user_, "mine", "").code(), ErrorCode::kPermissionDenied);
  EXPECT_TRUE(secrets.ListScopes(admin_)->empty());
  ASSERT_TRUE(Grant(SecurableKind::kMetastore, "", user_.name, {Privilege::kCreateSecretScope}).ok());
  EXPECT_TRUE(secrets.CreateScope(user_, "mine", "").ok());
  EXPECT_TRUE(secrets.Put(user_, "mine", "key", "value").ok());
}

TEST_F(SecretStore, ValuesAreSealedToTheirPlace) {
  Secrets& secrets = catalog_->secrets;
  ASSERT_TRUE(secrets.CreateScope(admin_, "join", "").ok());
  ASSERT_TRUE(secrets.Put(admin_, "join", "a", "value-of-a").ok());
  ASSERT_TRUE(secrets.Put(admin_, "join", "b", "value-of-b").ok());
  auto write = database_->Begin(store::Access::kWrite);
  auto rows = (*write)->Query("SELECT sealed FROM secrets");
  for (const store::Row& row : *rows) {
    EXPECT_EQ(row.Bytes(0).find("value-of"), std::string::npos);
  }
  ASSERT_TRUE((*write)
                  ->Execute("UPDATE secrets SET sealed = (SELECT s.sealed FROM secrets s WHERE s.secret_key = 'a') "
                            "WHERE secret_key = 'b'")
                  .ok());
  ASSERT_TRUE((*write)->Commit().ok());
  EXPECT_EQ(secrets.GetForWorker(admin_.organisation, admin_.principal, "join", "b").status().code(),
            ErrorCode::kDataLoss);
}

TEST_F(SecretStore, PermissionsAreReadWriteManage) {
  Secrets& secrets = catalog_->secrets;
  ASSERT_TRUE(secrets.CreateScope(admin_, "Join", "").ok());
  EXPECT_EQ(secrets.CreateScope(admin_, "join", "").code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(secrets.CreateScope(user_, "join", "").code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(secrets.Put(user_, "join", "k", "v").code(), ErrorCode::kNotFound);
  EXPECT_TRUE(secrets.ListScopes(user_)->empty());
  ASSERT_TRUE(secrets.PutAcl(admin_, "join", user_.name, SecretPermission::kRead).ok());
  EXPECT_EQ(secrets.ListScopes(user_)->size(), 1U);
  EXPECT_EQ(secrets.Put(user_, "join", "k", "v").code(), ErrorCode::kPermissionDenied);
  ASSERT_TRUE(secrets.PutAcl(admin_, "join", user_.name, SecretPermission::kWrite).ok());
  EXPECT_TRUE(secrets.Put(user_, "join", "k", "v").ok());
  EXPECT_EQ(secrets.PutAcl(user_, "join", user_.name, SecretPermission::kManage).code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(secrets.ListAcls(admin_, "join")->size(), 2U);
  ASSERT_TRUE(secrets.DeleteAcl(admin_, "join", user_.name).ok());
  EXPECT_EQ(secrets.List(user_, "join").status().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(secrets.Delete(admin_, "join", "k").ok());
  EXPECT_EQ(secrets.Delete(admin_, "join", "k").code(), ErrorCode::kNotFound);
  EXPECT_TRUE(secrets.DeleteScope(admin_, "join").ok());
  EXPECT_EQ(secrets.List(admin_, "join").status().code(), ErrorCode::kNotFound);
}

TEST_F(SecretStore, NamesAndSizesAreChecked) {
  Secrets& secrets = catalog_->secrets;
  EXPECT_EQ(secrets.CreateScope(admin_, "a b", "").code(), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(secrets.CreateScope(admin_, std::string(129, 'a'), "").code(), ErrorCode::kInvalidParameterValue);
  ASSERT_TRUE(secrets.CreateScope(admin_, "ok", "users").ok());
  EXPECT_EQ(secrets.Put(user_, "ok", "a/b", "v").code(), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(secrets.Put(user_, "ok", "a", std::string((128U << 10U) + 1, 'x')).code(),
            ErrorCode::kInvalidParameterValue);
  EXPECT_TRUE(secrets.Put(user_, "ok", "a", std::string(128U << 10U, 'x')).ok());
}

}  // namespace
}  // namespace glovebox::catalog
