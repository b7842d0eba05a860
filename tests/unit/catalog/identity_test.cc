// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/unit/catalog/fixture.h"

namespace glovebox::catalog {
namespace {

using Identity = CatalogTest;

TEST_F(Identity, AnOrganisationHasAMetastoreKeysAndAnAdmin) {
  auto organisation = catalog_->organisations.Get(admin_.organisation);
  ASSERT_TRUE(organisation.ok());
  EXPECT_EQ(organisation->global_metastore_id, "local:local:" + admin_.organisation.str());
  EXPECT_NE(organisation->workspace_id, catalog_->organisations.Get(other_.organisation)->workspace_id);
  EXPECT_EQ(catalog_->organisations.FindByGlobalMetastoreId(organisation->global_metastore_id)->name, "Insurer");
  EXPECT_EQ(catalog_->organisations.FindByGlobalMetastoreId("local:x:" + admin_.organisation.str()).status().code(),
            ErrorCode::kNotFound);
  EXPECT_TRUE(admin_.is_admin);
  auto statement = catalog_->organisations.StatementKey(admin_.organisation);
  auto cosigner = catalog_->organisations.CosignerKey(admin_.organisation);
  ASSERT_TRUE(statement.ok() && cosigner.ok());
  EXPECT_EQ(statement->public_key().bytes(), organisation->statement_key);
  EXPECT_EQ(cosigner->public_key().bytes(), organisation->cosigner_key);
  EXPECT_NE(organisation->statement_key, organisation->cosigner_key);
  EXPECT_EQ(catalog_->organisations.All()->size(), 2U);
}

TEST_F(Identity, KeysAreSealedAndDoNotOpenElsewhere) {
  const std::string seed(catalog_->organisations.StatementKey(admin_.organisation)->seed());
  auto write = database_->Begin(store::Access::kWrite);
  auto rows = (*write)->Query("SELECT statement_sealed FROM organisations");
  ASSERT_TRUE(rows.ok());
  for (const store::Row& row : *rows) {
    EXPECT_EQ(row.Bytes(0).find(seed), std::string::npos);
  }
  ASSERT_TRUE((*write)
                  ->Execute("UPDATE organisations SET statement_sealed = (SELECT o.statement_sealed FROM organisations "
                            "o WHERE o.id = ?) WHERE id = ?",
                            {admin_.organisation.str(), other_.organisation.str()})
                  .ok());
  ASSERT_TRUE((*write)->Commit().ok());
  EXPECT_EQ(catalog_->organisations.StatementKey(other_.organisation).status().code(), ErrorCode::kDataLoss);
}

TEST_F(Identity, OrganisationNamesAreUniqueWithoutCase) {
  const auto again = catalog_->organisations.Create({.name = "INSURER", .admin_user = "x@y.example"});
  EXPECT_EQ(again.status().code(), ErrorCode::kAlreadyExists);
  EXPECT_NE(again.status().message().find("'Insurer'"), std::string::npos);
  EXPECT_FALSE(catalog_->organisations.Create({.name = "A", .cloud = "a:b", .admin_user = "x@y.example"}).ok());
  EXPECT_EQ(catalog_->organisations.All()->size(), 2U);
}

TEST_F(Identity, AllTokensThatDoNotWorkLookTheSame) {
  auto expiring = catalog_->tokens.Create(user_, "short", 60);
  auto revoked = catalog_->tokens.Create(user_, "revoked", std::nullopt);
  auto inactive = catalog_->tokens.CreateFor(admin_, AddUser("iris@insurer.example").name, "", std::nullopt);
  ASSERT_TRUE(expiring.ok() && revoked.ok() && inactive.ok());
  EXPECT_EQ(catalog_->tokens.Authenticate(expiring->value)->name, user_.name);
  EXPECT_EQ(catalog_->tokens.Authenticate(inactive->value)->name, "iris@insurer.example");
  clock_.AdvanceMs(59'999);
  EXPECT_TRUE(catalog_->tokens.Authenticate(expiring->value).ok());
  clock_.AdvanceMs(1);
  ASSERT_TRUE(catalog_->tokens.Revoke(user_, revoked->info.id).ok());
  ASSERT_TRUE(
      catalog_->principals.SetActivity(admin_, Named(admin_, "iris@insurer.example")->number, Activity::kInactive)
          .ok());
  std::string unknown = revoked->value;
  unknown.back() = unknown.back() == 'a' ? 'b' : 'a';
  const Status expected = catalog_->tokens.Authenticate("").status();
  EXPECT_EQ(expected.code(), ErrorCode::kUnauthenticated);
  for (const std::string& token : {expiring->value, revoked->value, inactive->value, unknown, std::string("dapi")}) {
    const Status status = catalog_->tokens.Authenticate(token).status();
    EXPECT_EQ(status.code(), expected.code());
    EXPECT_EQ(status.message(), expected.message());
  }
}

TEST_F(Identity, TokensAreStoredHashedAndListedWithoutTheirText) {
  auto token = catalog_->tokens.Create(user_, "mine", 3'600);
  ASSERT_TRUE(token.ok());
  auto read = database_->Begin(store::Access::kRead);
  auto rows = (*read)->Query("SELECT id, hash, comment FROM tokens");
  ASSERT_EQ(rows->size(), 3U);
  for (const store::Row& row : *rows) {
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(row.Text(i).find(token->value), std::string::npos);
    }
  }
  auto list = catalog_->tokens.List(user_);
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ(list->front().comment, "mine");
  EXPECT_EQ(ToInt(list->front().expires_at) - ToInt(list->front().created_at), 3'600'000);
}

TEST_F(Identity, OnlyOnesOwnTokensCanBeRevokedUnlessAdmin) {
  auto token = catalog_->tokens.Create(user_, "", std::nullopt);
  EXPECT_EQ(catalog_->tokens.Revoke(AddUser("vic@insurer.example"), token->info.id).code(), ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->tokens.Revoke(other_, token->info.id).code(), ErrorCode::kNotFound);
  EXPECT_TRUE(catalog_->tokens.Revoke(admin_, token->info.id).ok());
  EXPECT_EQ(catalog_->tokens.CreateFor(user_, admin_.name, "", std::nullopt).status().code(),
            ErrorCode::kPermissionDenied);
  EXPECT_FALSE(catalog_->tokens.Create(user_, "", 0).ok());
  EXPECT_FALSE(catalog_->tokens.Create(user_, "", INT64_MAX).ok());
}

TEST_F(Identity, MembershipIsTransitiveAndNeverCircular) {
  auto inner = catalog_->principals.CreateGroup(admin_, "inner");
  auto outer = catalog_->principals.CreateGroup(admin_, "outer");
  ASSERT_TRUE(inner.ok() && outer.ok());
  ASSERT_TRUE(catalog_->principals.AddMember(admin_, inner->number, user_.principal_number).ok());
  ASSERT_TRUE(catalog_->principals.AddMember(admin_, outer->number, inner->number).ok());
  const Caller caller = CallerOf(user_.name);
  for (const char* group : {"inner", "outer", "account users"}) {
    EXPECT_EQ(std::count(caller.groups.begin(), caller.groups.end(), group), 1) << group;
  }
  EXPECT_FALSE(caller.is_admin);
  EXPECT_EQ(catalog_->principals.AddMember(admin_, inner->number, outer->number).code(),
            ErrorCode::kInvalidParameterValue);
  EXPECT_FALSE(catalog_->principals.AddMember(admin_, inner->number, inner->number).ok());
  EXPECT_EQ(catalog_->principals.AddMember(user_, outer->number, user_.principal_number).code(),
            ErrorCode::kPermissionDenied);
}

TEST_F(Identity, TheLastAdminStays) {
  const auto admins = Named(admin_, "admins");
  EXPECT_EQ(catalog_->principals.RemoveMember(admin_, admins->number, admin_.principal_number).code(),
            ErrorCode::kInvalidState);
  EXPECT_EQ(catalog_->principals.SetActivity(admin_, admin_.principal_number, Activity::kInactive).code(),
            ErrorCode::kInvalidState);
  EXPECT_EQ(catalog_->principals.Delete(admin_, admin_.principal_number).code(), ErrorCode::kInvalidState);
  EXPECT_EQ(catalog_->principals.Delete(admin_, admins->number).code(), ErrorCode::kInvalidState);
  ASSERT_TRUE(catalog_->principals.AddMember(admin_, admins->number, user_.principal_number).ok());
  EXPECT_TRUE(catalog_->principals.RemoveMember(admin_, admins->number, admin_.principal_number).ok());
  EXPECT_TRUE(CallerOf(user_.name).is_admin);
}

TEST_F(Identity, PrincipalsAreOfOneOrganisation) {
  EXPECT_EQ(Named(other_, user_.name).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->principals.Get(other_, user_.principal_number).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->principals.Delete(other_, user_.principal_number).code(), ErrorCode::kNotFound);
  EXPECT_FALSE(catalog_->principals.CallerFor(other_.organisation, user_.principal).ok());
  EXPECT_TRUE(catalog_->principals.CreateUser(other_, user_.name, "").ok());
  EXPECT_EQ(catalog_->principals.CreateUser(admin_, "UMA@insurer.example", "").status().code(),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(catalog_->principals.CreateUser(user_, "x@insurer.example", "").status().code(),
            ErrorCode::kPermissionDenied);
}

TEST_F(Identity, WhoOwnsSomethingIsNotDeleted) {
  MakeSchema("main", "s");
  ASSERT_TRUE(
      catalog_->securables.Update(admin_, SecurableKind::kSchema, "main.s", {.comment = {}, .owner = user_.name}).ok());
  const Status refused = catalog_->principals.Delete(admin_, user_.principal_number);
  EXPECT_EQ(refused.code(), ErrorCode::kInvalidState);
  EXPECT_NE(refused.message().find("main.s"), std::string::npos);
  ASSERT_TRUE(
      catalog_->securables.Update(admin_, SecurableKind::kSchema, "main.s", {.comment = {}, .owner = "admins"}).ok());
  EXPECT_TRUE(catalog_->principals.Delete(admin_, user_.principal_number).ok());
}

}  // namespace
}  // namespace glovebox::catalog
