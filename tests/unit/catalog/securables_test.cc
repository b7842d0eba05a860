// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/catalog/fixture.h"

namespace glovebox::catalog {
namespace {

using Tree = CatalogTest;

TEST_F(Tree, NamesKeepTheirCaseAndAreUniqueWithoutIt) {
  auto created = catalog_->securables.CreateCatalog(admin_, "Sales", "all of it", IfExists::kFail);
  ASSERT_TRUE(created.ok());
  EXPECT_EQ(created->full_name, "Sales");
  EXPECT_EQ(created->owner, admin_.name);
  EXPECT_EQ(catalog_->securables.Get(admin_, SecurableKind::kCatalog, "SALES")->name, "Sales");
  const Status clash = catalog_->securables.CreateCatalog(admin_, "sALES", "", IfExists::kFail).status();
  EXPECT_EQ(clash.code(), ErrorCode::kAlreadyExists);
  EXPECT_NE(clash.message().find("'Sales'"), std::string::npos);
  EXPECT_EQ(catalog_->securables.CreateCatalog(admin_, "sales", "", IfExists::kKeep)->id, created->id);
  EXPECT_TRUE(catalog_->securables.CreateCatalog(other_, "sales", "", IfExists::kFail).ok());
}

TEST_F(Tree, NamesFollowTheRules) {
  for (const char* name : {"", "a.b", "a b", "a/b", "a\tb", "\xff"}) {
    EXPECT_EQ(catalog_->securables.CreateCatalog(admin_, name, "", IfExists::kFail).status().code(),
              ErrorCode::kInvalidParameterValue)
        << name;
  }
  EXPECT_FALSE(catalog_->securables.CreateCatalog(admin_, std::string(256, 'a'), "", IfExists::kFail).ok());
  EXPECT_TRUE(catalog_->securables.CreateCatalog(admin_, std::string(255, 'a'), "", IfExists::kFail).ok());
  // The same name in two Unicode forms.
  EXPECT_TRUE(catalog_->securables.CreateCatalog(admin_, "caf\xc3\xa9", "", IfExists::kFail).ok());
  EXPECT_EQ(catalog_->securables.CreateCatalog(admin_, "cafe\xcc\x81", "", IfExists::kFail).status().code(),
            ErrorCode::kAlreadyExists);
  EXPECT_FALSE(catalog_->securables.Get(admin_, SecurableKind::kSchema, "onlyone").ok());
  EXPECT_FALSE(catalog_->securables.Get(admin_, SecurableKind::kTable, "a..b").ok());
}

TEST_F(Tree, WhatOneMayNotKnowDoesNotExist) {
  MakeSchema("main", "s");
  const Status hidden = catalog_->securables.Get(user_, SecurableKind::kCatalog, "main").status();
  const Status missing = catalog_->securables.Get(user_, SecurableKind::kCatalog, "mein").status();
  EXPECT_EQ(hidden.code(), ErrorCode::kNotFound);
  EXPECT_EQ(hidden.message(), "Catalog 'main' does not exist.");
  EXPECT_EQ(missing.message(), "Catalog 'mein' does not exist.");
  EXPECT_EQ(catalog_->securables.Get(user_, SecurableKind::kCatalog, "MAIN").status().message(),
            "Catalog 'MAIN' does not exist.");
  EXPECT_EQ(catalog_->securables.Get(other_, SecurableKind::kCatalog, "main").status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->securables.Delete(other_, SecurableKind::kCatalog, "main", IfNotEmpty::kDeleteAll).code(),
            ErrorCode::kNotFound);
  EXPECT_TRUE(catalog_->securables.List(user_, SecurableKind::kCatalog, "", {})->items.empty());
  EXPECT_EQ(catalog_->securables.List(user_, SecurableKind::kSchema, "main", {}).status().code(), ErrorCode::kNotFound);
}

TEST_F(Tree, ListsComeInPagesThatMissNothing) {
  MakeSchema("main", "s");
  for (const char* name : {"delta", "Alpha", "charlie", "bravo"}) {
    ASSERT_TRUE(catalog_->securables.CreateSchema(admin_, "main", name, "", IfExists::kFail).ok());
  }
  std::vector<std::string> names;
  PageRequest page{.size = 2, .token = ""};
  do {
    auto result = catalog_->securables.List(admin_, SecurableKind::kSchema, "main", page);
    ASSERT_TRUE(result.ok());
    ASSERT_LE(result->items.size(), 2U);
    for (const Securable& schema : result->items) {
      names.push_back(schema.name);
    }
    page.token = result->next_token;
    // An item before the page's end does not shift the next page.
    static_cast<void>(
        catalog_->securables.CreateSchema(admin_, "main", "aaa" + std::to_string(names.size()), "", IfExists::kFail));
  } while (!page.token.empty());
  EXPECT_EQ(names, (std::vector<std::string>{"Alpha", "bravo", "charlie", "default", "delta", "s"}));
  EXPECT_EQ(
      catalog_->securables.List(admin_, SecurableKind::kSchema, "main", {.size = 0, .token = "x"}).status().code(),
      ErrorCode::kInvalidParameterValue);
  EXPECT_FALSE(catalog_->securables.List(admin_, SecurableKind::kSchema, "main", {.size = -1, .token = ""}).ok());
}

// A list shows what Get() shows, one by one.
TEST_F(Tree, ListsAndSingleObjectsAgree) {
  const std::vector<TableColumn> columns = {{.name = "x", .type = "BIGINT", .comment = "", .mask = {}}};
  MakeSchema("main", "s");
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(MakeTable(admin_, "main.s", name, columns).ok());
  }
  ASSERT_TRUE(catalog_->principals.CreateGroup(admin_, "readers").ok());
  const std::vector<std::pair<SecurableKind, std::string>> objects = {
      {SecurableKind::kCatalog, "main"}, {SecurableKind::kSchema, "main.s"}, {SecurableKind::kTable, "main.s.b"}};
  const auto agree = [&](const std::string& what) {
    const auto known = [&](SecurableKind kind, const std::string& name) {
      return catalog_->securables.Get(user_, kind, name).ok();
    };
    const auto catalogs = catalog_->securables.List(user_, SecurableKind::kCatalog, "", {});
    EXPECT_EQ(catalogs->items.size(), known(SecurableKind::kCatalog, "main") ? 1U : 0U) << what;
    const auto tables = catalog_->securables.List(user_, SecurableKind::kTable, "main.s", {});
    if (!known(SecurableKind::kSchema, "main.s")) {
      EXPECT_EQ(tables.status().code(), ErrorCode::kNotFound) << what;
      return;
    }
    std::string listed;
    std::string single;
    for (const Securable& table : tables->items) {
      listed += table.name;
    }
    for (const char* name : {"a", "b", "c"}) {
      single += known(SecurableKind::kTable, std::string("main.s.") + name) ? name : "";
    }
    EXPECT_EQ(listed, single) << what;
  };
  agree("nothing");
  ASSERT_TRUE(Grant(SecurableKind::kSchema, "main.s", user_.name, {Privilege::kUseSchema}).ok());
  for (const auto& [kind, name] : objects) {
    for (int i = 0; i <= static_cast<int>(Privilege::kExecuteCleanRoomTask); ++i) {
      const auto privilege = static_cast<Privilege>(i);
      for (const std::string& principal : {user_.name, std::string("users"), std::string("readers")}) {
        if (!IsGrantable(privilege, kind)) {
          continue;
        }
        ASSERT_TRUE(Grant(kind, name, principal, {privilege}).ok());
        agree(std::string(WireName(privilege)) + " on " + name + " to " + principal);
        ASSERT_TRUE(
            catalog_->grants.Change(admin_, kind, name, {{.principal = principal, .add = {}, .remove = {privilege}}})
                .ok());
        if (kind == SecurableKind::kSchema) {
          ASSERT_TRUE(Grant(kind, name, user_.name, {Privilege::kUseSchema}).ok());
        }
      }
    }
    ASSERT_TRUE(catalog_->securables.Update(admin_, kind, name, {.comment = {}, .owner = user_.name}).ok());
    agree("owner of " + name);
    ASSERT_TRUE(catalog_->securables.Update(admin_, kind, name, {.comment = {}, .owner = admin_.name}).ok());
  }
}

TEST_F(Tree, APageIsFilledFromWhatIsVisible) {
  MakeSchema("main", "s");
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", user_.name, {Privilege::kUseCatalog}).ok());
  for (int i = 0; i < 6; ++i) {
    const std::string name = "s" + std::to_string(i);
    ASSERT_TRUE(catalog_->securables.CreateSchema(admin_, "main", name, "", IfExists::kFail).ok());
    if (i % 2 == 1) {
      ASSERT_TRUE(Grant(SecurableKind::kSchema, "main." + name, user_.name, {Privilege::kUseSchema}).ok());
    }
  }
  auto first = catalog_->securables.List(user_, SecurableKind::kSchema, "main", {.size = 2, .token = ""});
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(first->items.size(), 2U);
  EXPECT_EQ(first->items[1].name, "s3");
  auto second =
      catalog_->securables.List(user_, SecurableKind::kSchema, "main", {.size = 2, .token = first->next_token});
  ASSERT_EQ(second->items.size(), 1U);
  EXPECT_EQ(second->items[0].name, "s5");
  EXPECT_EQ(second->next_token, "");
}

TEST_F(Tree, UpdateChangesCommentAndOwner) {
  MakeSchema("main", "s");
  clock_.AdvanceMs(5'000);
  auto updated =
      catalog_->securables.Update(admin_, SecurableKind::kSchema, "main.s", {.comment = "new", .owner = user_.name});
  ASSERT_TRUE(updated.ok());
  EXPECT_EQ(updated->comment, "new");
  EXPECT_EQ(updated->owner, user_.name);
  EXPECT_EQ(ToInt(updated->updated_at) - ToInt(updated->created_at), 5'000);
  EXPECT_EQ(catalog_->securables.Update(admin_, SecurableKind::kSchema, "main.s", {.comment = {}, .owner = "nobody"})
                .status()
                .code(),
            ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->securables.Get(user_, SecurableKind::kSchema, "main.s")->comment, "new");
}

TEST_F(Tree, DeletingNeedsEmptinessOrForce) {
  MakeSchema("main", "s");
  auto table = MakeTable(admin_, "main.s", "t", {{.name = "a", .type = "BIGINT", .comment = "", .mask = {}}});
  ASSERT_TRUE(table.ok()) << table.status().message();
  ASSERT_TRUE(FileExists(table->current.path));
  EXPECT_EQ(catalog_->securables.Delete(admin_, SecurableKind::kSchema, "main.s", IfNotEmpty::kFail).code(),
            ErrorCode::kInvalidState);
  EXPECT_EQ(catalog_->securables.Delete(admin_, SecurableKind::kCatalog, "main", IfNotEmpty::kFail).code(),
            ErrorCode::kInvalidState);
  ASSERT_TRUE(catalog_->securables.Delete(admin_, SecurableKind::kCatalog, "main", IfNotEmpty::kDeleteAll).ok());
  EXPECT_FALSE(FileExists(table->current.path));
  EXPECT_EQ(catalog_->securables.Get(admin_, SecurableKind::kTable, "main.s.t").status().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(catalog_->securables.CreateCatalog(admin_, "main", "", IfExists::kFail).ok());
  EXPECT_TRUE(catalog_->securables.Delete(admin_, SecurableKind::kCatalog, "main", IfNotEmpty::kFail).ok());
}

TEST_F(Tree, WhatARoomHoldsIsNotDeleted) {
  MakeSchema("main", "s");
  auto table = MakeTable(admin_, "main.s", "t", {{.name = "a", .type = "BIGINT", .comment = "", .mask = {}}});
  ASSERT_TRUE(table.ok());
  const auto change = [&](auto method) {
    auto write = database_->Begin(store::Access::kWrite);
    ASSERT_TRUE(method(**write, admin_.organisation, table->info.id, "clean room 'fraud'").ok());
    ASSERT_TRUE((*write)->Commit().ok());
  };
  change([](auto&... arguments) { return Securables::AddHold(arguments...); });
  for (const auto& [kind, name] : {std::pair(SecurableKind::kTable, "main.s.t"), {SecurableKind::kCatalog, "main"}}) {
    const Status refused = catalog_->securables.Delete(admin_, kind, name, IfNotEmpty::kDeleteAll);
    EXPECT_EQ(refused.code(), ErrorCode::kInvalidState);
    EXPECT_NE(refused.message().find("clean room 'fraud'"), std::string::npos);
  }
  change([](auto&... arguments) { return Securables::RemoveHold(arguments...); });
  EXPECT_TRUE(catalog_->securables.Delete(admin_, SecurableKind::kCatalog, "main", IfNotEmpty::kDeleteAll).ok());
}

TEST_F(Tree, ACleanRoomHasAPlaceInEachOrganisation) {
  auto write = database_->Begin(store::Access::kWrite);
  const auto admins = Principals::FindByName(**write, admin_.organisation, "admins");
  const auto insert = [&](const Caller& caller, const std::string& id, const std::string& name) {
    return Securables::InsertCleanRoom(**write, catalog_->context, caller.organisation, id, name, caller.principal, "",
                                       caller.name);
  };
  ASSERT_TRUE(insert(admin_, "room-1", "Fraud room").ok());
  ASSERT_TRUE(insert(other_, "room-1", "Fraud room").ok());
  const Status clash = insert(other_, "room-2", "fraud ROOM").status();
  EXPECT_EQ(clash.code(), ErrorCode::kAlreadyExists);
  EXPECT_NE(clash.message().find("'Fraud room'"), std::string::npos);
  ASSERT_TRUE((*write)->Commit().ok());
  write->reset();
  EXPECT_EQ(catalog_->securables.Get(user_, SecurableKind::kCleanRoom, "Fraud room").status().code(),
            ErrorCode::kNotFound);
  ASSERT_TRUE(Grant(SecurableKind::kCleanRoom, "Fraud room", user_.name, {Privilege::kExecuteCleanRoomTask}).ok());
  auto room = catalog_->securables.Get(user_, SecurableKind::kCleanRoom, "Fraud room");
  ASSERT_TRUE(room.ok());
  EXPECT_TRUE(catalog_->grants.Check(user_, Privilege::kExecuteCleanRoomTask, *room).ok());
  EXPECT_EQ(catalog_->grants.Check(user_, Privilege::kModifyCleanRoom, *room).code(), ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace glovebox::catalog
