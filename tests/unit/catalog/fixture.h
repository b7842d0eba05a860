// SPDX-License-Identifier: Apache-2.0
//
// A catalogue on a fresh database with two organisations, for the tests of this part and of those above it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "catalog/catalog.h"
#include "catalog/migrations.h"
#include "catalog/sql.h"
#include "catalog/stored_bytes.h"
#include "store/database.h"

namespace glovebox::catalog {

class CatalogTest : public testing::Test {
 protected:
  CatalogTest() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    data_folder_ = testing::TempDir() + "glovebox-" + info->test_suite_name() + "-" + info->name();
    static_cast<void>(RemoveTree(data_folder_));
    GB_ASSERT(MakeDirectories(data_folder_).ok());
    database_ = store::OpenSqlite(":memory:").value();
    GB_ASSERT(store::Migrate(*database_, Migrations()).ok());
    catalog_ = std::make_unique<Catalog>(Context{.database = database_.get(),
                                                 .clock = &clock_,
                                                 .random = &random_,
                                                 .master_key = &master_key_,
                                                 .data_folder = data_folder_});
    admin_ = Bootstrap("Insurer", "ann@insurer.example");
    other_ = Bootstrap("Federation", "fred@federation.example");
    user_ = AddUser("uma@insurer.example");
  }

  ~CatalogTest() override { static_cast<void>(RemoveTree(data_folder_)); }

  Caller Bootstrap(const std::string& name, const std::string& admin) {
    auto created = catalog_->organisations.Create({.name = name, .admin_user = admin});
    GB_ASSERT(created.ok());
    return catalog_->tokens.Authenticate(created->admin_token.value).value();
  }

  Caller AddUser(const std::string& name) {
    auto user = catalog_->principals.CreateUser(admin_, name, "");
    GB_ASSERT(user.ok());
    return CallerOf(user->name);
  }

  // As he is now: memberships may have changed.
  Caller CallerOf(const std::string& name) {
    return catalog_->principals.CallerFor(admin_.organisation, Named(admin_, name)->id).value();
  }

  Result<Principal> Named(const Caller& caller, const std::string& name) {
    GB_ASSIGN_OR_RETURN(const auto transaction, database_->Begin(store::Access::kRead));
    return Principals::FindByName(*transaction, caller.organisation, name);
  }

  Status Put(const Caller& caller, const std::string& path, const std::string& content, Overwrite overwrite) {
    GB_ASSIGN_OR_RETURN(const std::unique_ptr<Upload> upload, catalog_->volumes.StartUpload(caller, path, overwrite));
    GB_RETURN_IF_ERROR(upload->Append(content));
    return upload->Commit();
  }

  void MakeSchema(const std::string& catalog, const std::string& schema) {
    ASSERT_TRUE(catalog_->securables.CreateCatalog(admin_, catalog, "", IfExists::kKeep).ok());
    ASSERT_TRUE(catalog_->securables.CreateSchema(admin_, catalog, schema, "", IfExists::kKeep).ok());
  }

  // A table whose file holds a text; what is in it is the engine's business.
  Result<Table> MakeTable(const Caller& caller, const std::string& schema, const std::string& name,
                          const std::vector<TableColumn>& columns, OnExisting on_existing = OnExisting::kFail) {
    GB_ASSIGN_OR_RETURN(const auto write, catalog_->tables.PlanWrite(caller, schema, name, on_existing));
    GB_ASSERT(write.has_value());
    GB_RETURN_IF_ERROR(WriteFileDurably(write->path, "rows"));
    return catalog_->tables.CommitWrite(caller, *write,
                                        {.columns = columns, .row_filter = {}, .rows = 2, .comment = ""});
  }

  Status Grant(SecurableKind kind, const std::string& name, const std::string& principal,
               const std::vector<Privilege>& privileges) {
    auto changed =
        catalog_->grants.Change(admin_, kind, name, {{.principal = principal, .add = privileges, .remove = {}}});
    return changed.ok() ? Status() : changed.status();
  }

  // As if files elsewhere left just so many bytes of the admin's organisation's storage.
  Status FillStorage(std::int64_t left) {
    GB_ASSIGN_OR_RETURN(const auto transaction, database_->Begin(store::Access::kWrite));
    GB_RETURN_IF_ERROR(catalog::Run(*transaction, "DELETE FROM volume_files WHERE path = 'elsewhere'", {}));
    GB_ASSIGN_OR_RETURN(const std::int64_t now_left,
                        RoomFor(*transaction, {.organisation = admin_.organisation, .volume = "", .path = ""}));
    GB_RETURN_IF_ERROR(catalog::Run(
        *transaction,
        "INSERT INTO volume_files (organisation_id, volume_id, path, bytes, changes) SELECT "
        "organisation_id, id, 'elsewhere', ?, 0 FROM securables WHERE organisation_id = ? AND kind = 'CATALOG' LIMIT 1",
        {now_left - left, admin_.organisation.str()}));
    return transaction->Commit();
  }

  std::string data_folder_;
  ManualClock clock_{TimeMs{1'800'000'000'000}};
  SeededRandom random_{7};
  crypto::MasterKey master_key_ = crypto::MasterKey::FromBytes(std::string(32, 'k')).value();
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<Catalog> catalog_;
  Caller admin_;  // of Insurer
  Caller other_;  // admin of Federation
  Caller user_;   // of Insurer, no rights
};

}  // namespace glovebox::catalog
