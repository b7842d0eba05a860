// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/catalog/fixture.h"

namespace glovebox::catalog {
namespace {

class Privileges : public CatalogTest {
 protected:
  void SetUp() override {
    MakeSchema("main", "s");
    ASSERT_TRUE(MakeTable(admin_, "main.s", "t", {{.name = "a", .type = "BIGINT", .comment = "", .mask = {}}}).ok());
  }

  Status CheckTable(const Caller& caller, Privilege privilege) {
    auto table = catalog_->securables.Get(caller, SecurableKind::kTable, "main.s.t");
    return table.ok() ? catalog_->grants.Check(caller, privilege, *table) : table.status();
  }

  void OpenTheWay(const std::string& principal) {
    ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", principal, {Privilege::kUseCatalog}).ok());
    ASSERT_TRUE(Grant(SecurableKind::kSchema, "main.s", principal, {Privilege::kUseSchema}).ok());
  }
};

TEST_F(Privileges, NamesHaveTwoFormsAndKindsAreFoundInAnyCase) {
  EXPECT_EQ(ParsePrivilege("create clean room"), Privilege::kCreateCleanRoom);
  EXPECT_EQ(ParsePrivilege("EXECUTE_CLEAN_ROOM_TASK"), Privilege::kExecuteCleanRoomTask);
  EXPECT_EQ(ParsePrivilege("SELEKT"), std::nullopt);
  EXPECT_EQ(SqlName(Privilege::kUseCatalog), "USE CATALOG");
  EXPECT_EQ(ParseSecurableKind("clean_room"), SecurableKind::kCleanRoom);
  EXPECT_EQ(ParseSecurableKind("SecurableType.TABLE"), SecurableKind::kTable);
  EXPECT_EQ(ParseSecurableKind("SHARE"), std::nullopt);
  for (int i = 0; i <= static_cast<int>(Privilege::kExecuteCleanRoomTask); ++i) {
    const auto privilege = static_cast<Privilege>(i);
    EXPECT_EQ(ParsePrivilege(WireName(privilege)), privilege);
    EXPECT_EQ(ParsePrivilege(SqlName(privilege)), privilege);
  }
}

TEST_F(Privileges, SelectNeedsTheGrantAndTheWay) {
  EXPECT_EQ(CheckTable(user_, Privilege::kSelect).code(), ErrorCode::kNotFound);
  ASSERT_TRUE(Grant(SecurableKind::kTable, "main.s.t", user_.name, {Privilege::kSelect}).ok());
  EXPECT_EQ(CheckTable(user_, Privilege::kSelect).code(), ErrorCode::kPermissionDenied);
  ASSERT_TRUE(Grant(SecurableKind::kSchema, "main.s", user_.name, {Privilege::kUseSchema}).ok());
  const Status no_catalog = CheckTable(user_, Privilege::kSelect);
  EXPECT_EQ(no_catalog.code(), ErrorCode::kPermissionDenied);
  EXPECT_NE(no_catalog.message().find("USE_CATALOG on Catalog 'main'"), std::string::npos);
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", user_.name, {Privilege::kUseCatalog}).ok());
  EXPECT_TRUE(CheckTable(user_, Privilege::kSelect).ok());
  EXPECT_EQ(CheckTable(user_, Privilege::kModify).code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(CheckTable(user_, Privilege::kManage).code(), ErrorCode::kPermissionDenied);
}

TEST_F(Privileges, AreInheritedFromContainersAndGroups) {
  auto group = catalog_->principals.CreateGroup(admin_, "analysts");
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", "analysts",
                    {Privilege::kUseCatalog, Privilege::kUseSchema, Privilege::kSelect})
                  .ok());
  EXPECT_EQ(CheckTable(user_, Privilege::kSelect).code(), ErrorCode::kNotFound);
  ASSERT_TRUE(catalog_->principals.AddMember(admin_, group->number, user_.principal_number).ok());
  EXPECT_TRUE(CheckTable(CallerOf(user_.name), Privilege::kSelect).ok());
  ASSERT_TRUE(catalog_->principals.RemoveMember(admin_, group->number, user_.principal_number).ok());
  EXPECT_EQ(CheckTable(CallerOf(user_.name), Privilege::kSelect).code(), ErrorCode::kNotFound);
}

TEST_F(Privileges, EverybodyIsAnAccountUser) {
  OpenTheWay("account users");
  ASSERT_TRUE(Grant(SecurableKind::kTable, "main.s.t", "users", {Privilege::kSelect}).ok());
  EXPECT_TRUE(CheckTable(user_, Privilege::kSelect).ok());
}

TEST_F(Privileges, AllPrivilegesAreAllButManage) {
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", user_.name, {Privilege::kAllPrivileges}).ok());
  EXPECT_TRUE(CheckTable(user_, Privilege::kSelect).ok());
  EXPECT_TRUE(CheckTable(user_, Privilege::kModify).ok());
  EXPECT_EQ(CheckTable(user_, Privilege::kManage).code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(catalog_->grants
                .Change(user_, SecurableKind::kTable, "main.s.t",
                        {{.principal = user_.name, .add = {Privilege::kManage}, .remove = {}}})
                .status()
                .code(),
            ErrorCode::kPermissionDenied);
}

TEST_F(Privileges, ManageGrantsButDoesNotRead) {
  OpenTheWay(user_.name);
  ASSERT_TRUE(Grant(SecurableKind::kSchema, "main.s", user_.name, {Privilege::kManage}).ok());
  EXPECT_EQ(CheckTable(user_, Privilege::kSelect).code(), ErrorCode::kPermissionDenied);
  EXPECT_TRUE(catalog_->grants
                  .Change(user_, SecurableKind::kTable, "main.s.t",
                          {{.principal = user_.name, .add = {Privilege::kSelect}, .remove = {}}})
                  .ok());
  EXPECT_TRUE(CheckTable(user_, Privilege::kSelect).ok());
}

TEST_F(Privileges, TheOwnerHasEverythingAndLosesItWithOwnership) {
  OpenTheWay(user_.name);
  const auto give_to = [&](const std::string& name) {
    return catalog_->securables.Update(admin_, SecurableKind::kTable, "main.s.t", {.comment = {}, .owner = name}).ok();
  };
  ASSERT_TRUE(give_to(user_.name));
  EXPECT_TRUE(CheckTable(user_, Privilege::kSelect).ok());
  EXPECT_TRUE(CheckTable(user_, Privilege::kManage).ok());
  // The schema's owner still manages, but does not read any more.
  EXPECT_TRUE(CheckTable(admin_, Privilege::kManage).ok());
  EXPECT_EQ(CheckTable(admin_, Privilege::kSelect).code(), ErrorCode::kPermissionDenied);
  ASSERT_TRUE(give_to(admin_.name));
  EXPECT_EQ(CheckTable(user_, Privilege::kSelect).code(), ErrorCode::kNotFound);
}

TEST_F(Privileges, RevokingTakesEffectAtOnce) {
  OpenTheWay(user_.name);
  ASSERT_TRUE(Grant(SecurableKind::kTable, "main.s.t", user_.name, {Privilege::kSelect}).ok());
  EXPECT_TRUE(CheckTable(user_, Privilege::kSelect).ok());
  auto after = catalog_->grants.Change(admin_, SecurableKind::kTable, "main.s.t",
                                       {{.principal = user_.name, .add = {}, .remove = {Privilege::kSelect}}});
  ASSERT_TRUE(after.ok());
  EXPECT_TRUE(after->empty());
  EXPECT_EQ(CheckTable(user_, Privilege::kSelect).code(), ErrorCode::kNotFound);
}

TEST_F(Privileges, AChangeIsAppliedWholeOrNotAtAll) {
  const auto change = [&](const std::vector<PrivilegeChange>& changes) {
    return catalog_->grants.Change(admin_, SecurableKind::kTable, "main.s.t", changes).status().code();
  };
  const PrivilegeChange good{.principal = user_.name, .add = {Privilege::kSelect}, .remove = {}};
  EXPECT_EQ(change({good, {.principal = user_.name, .add = {Privilege::kCreateCatalog}, .remove = {}}}),
            ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(change({good, {.principal = other_.name, .add = {Privilege::kSelect}, .remove = {}}}),
            ErrorCode::kNotFound);
  EXPECT_TRUE(catalog_->grants.List(admin_, SecurableKind::kTable, "main.s.t", std::nullopt)->empty());
}

TEST_F(Privileges, OnlyManagersSeeOthersGrants) {
  OpenTheWay("account users");
  ASSERT_TRUE(Grant(SecurableKind::kTable, "main.s.t", user_.name, {Privilege::kSelect, Privilege::kModify}).ok());
  ASSERT_TRUE(Grant(SecurableKind::kTable, "main.s.t", "admins", {Privilege::kSelect}).ok());
  auto all = catalog_->grants.List(admin_, SecurableKind::kTable, "MAIN.s.T", std::nullopt);
  ASSERT_EQ(all->size(), 2U);
  auto own = catalog_->grants.List(user_, SecurableKind::kTable, "main.s.t", std::nullopt);
  ASSERT_EQ(own->size(), 1U);
  EXPECT_EQ(own->front().principal, user_.name);
  EXPECT_EQ(own->front().privileges, (std::vector{Privilege::kModify, Privilege::kSelect}));
  EXPECT_EQ(catalog_->grants.List(admin_, SecurableKind::kTable, "main.s.t", "admins")->size(), 1U);
  EXPECT_EQ(catalog_->grants.List(other_, SecurableKind::kTable, "main.s.t", std::nullopt).status().code(),
            ErrorCode::kNotFound);
}

TEST_F(Privileges, EffectivePrivilegesNameTheirSource) {
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", user_.name, {Privilege::kSelect, Privilege::kUseCatalog}).ok());
  ASSERT_TRUE(Grant(SecurableKind::kTable, "main.s.t", user_.name, {Privilege::kModify}).ok());
  auto effective = catalog_->grants.Effective(admin_, SecurableKind::kTable, "main.s.t", user_.name);
  ASSERT_EQ(effective->size(), 1U);
  const auto& privileges = effective->front().privileges;
  ASSERT_EQ(privileges.size(), 2U);
  EXPECT_EQ(privileges[0].privilege, Privilege::kModify);
  EXPECT_FALSE(privileges[0].inherited_from_kind.has_value());
  EXPECT_EQ(privileges[1].privilege, Privilege::kSelect);
  EXPECT_EQ(privileges[1].inherited_from_kind, SecurableKind::kCatalog);
  EXPECT_EQ(privileges[1].inherited_from_name, "main");
}

TEST_F(Privileges, CreatingNeedsAPrivilegeOnTheContainer) {
  EXPECT_EQ(catalog_->securables.CreateCatalog(user_, "mine", "", IfExists::kFail).status().code(),
            ErrorCode::kPermissionDenied);
  ASSERT_TRUE(
      Grant(SecurableKind::kMetastore, admin_.organisation.str(), user_.name, {Privilege::kCreateCatalog}).ok());
  EXPECT_TRUE(catalog_->securables.CreateCatalog(user_, "mine", "", IfExists::kFail).ok());
  OpenTheWay(user_.name);
  EXPECT_EQ(catalog_->volumes.Create(user_, "main.s", "v", "", IfExists::kFail).status().code(),
            ErrorCode::kPermissionDenied);
  ASSERT_TRUE(Grant(SecurableKind::kSchema, "main.s", user_.name, {Privilege::kCreateVolume}).ok());
  EXPECT_TRUE(catalog_->volumes.Create(user_, "main.s", "v", "", IfExists::kFail).ok());
}

}  // namespace
}  // namespace glovebox::catalog
