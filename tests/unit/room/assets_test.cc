// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

using catalog::Privilege;
using catalog::SecurableKind;
using AssetsTest = RoomTest;

TEST_F(AssetsTest, WithoutARuleThereIsNoAccess) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  Check(rooms_->assets().PublishTable(insurer_, "games", {"INS.health.customers", "main.default.customers"}));
  const auto seen = rooms_->assets().GetTable(federation_, "games", "ins.health.customers");
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->status, AssetStatus::kPending);
  EXPECT_TRUE(seen->columns.is_null()) << "no column is known to others before a rule names it";
  EXPECT_EQ(seen->asset.name, "ins.health.customers") << "the alias is spelled as the room spells it";

  ASSERT_TRUE(rooms_->assets().SetRule(insurer_, "games", "ins.health.customers", Rule()).ok());
  const auto after = rooms_->assets().GetTable(federation_, "games", "ins.health.customers");
  EXPECT_EQ(after->status, AssetStatus::kActive);
  EXPECT_EQ(json::Write(after->columns), R"([{"name":"token","type":"VARCHAR"},{"name":"sport","type":"VARCHAR"}])")
      << "neither the hidden unit nor what the rule does not name";
  EXPECT_EQ(Events().back(), "rule.set");
}

TEST_F(AssetsTest, LocalNameIsTheOwnersSecret) {
  MakeActiveRoom();
  const auto own = rooms_->assets().GetTable(insurer_, "games", "ins.health.customers");
  EXPECT_EQ(own->asset.local_name, "main.default.customers");
  EXPECT_EQ(own->columns.as_array().size(), 3U) << "the owner sees all its columns";
  const auto other = rooms_->assets().GetTable(federation_, "games", "ins.health.customers");
  EXPECT_EQ(other->asset.local_name, "");
  EXPECT_EQ(other->asset.table_id, "");
  for (const std::string& entry : Entries()) {
    EXPECT_EQ(entry.find("main.default"), std::string::npos) << entry;
    EXPECT_EQ(entry.find('@'), std::string::npos) << "no person's name on the ledger: " << entry;
  }
}

TEST_F(AssetsTest, NamesBelongToTheirOwnersAlias) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  const auto publish = [&](const std::string& name, const std::string& local) {
    return CodeOf(rooms_->assets().PublishTable(insurer_, "games", {name, local}));
  };
  EXPECT_EQ(publish("fed.a.b", "main.default.customers"), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(publish("ins.b", "main.default.customers"), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(publish("ins.a.b%", "main.default.customers"), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(publish("ins.a.b", "main.default.nothing"), ErrorCode::kNotFound);
  EXPECT_EQ(publish("ins.a.b", "main.default.customers"), ErrorCode::kOk);
  EXPECT_EQ(publish("ins.A.B", "main.default.customers"), ErrorCode::kAlreadyExists);
}

TEST_F(AssetsTest, LosingSelectDeniesTheAssetAtOnce) {
  const Caller owner = AddUser(insurer_, "owner@insurer.example");
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  Check(rooms_->rooms().Update(insurer_, "games", {.comment = std::nullopt, .owner = owner.name}));
  EXPECT_EQ(CodeOf(rooms_->assets().PublishTable(owner, "games", {"ins.health.customers", "main.default.customers"})),
            ErrorCode::kNotFound)
      << "the actor needs SELECT";
  Grant(insurer_, SecurableKind::kCatalog, "main", owner, {Privilege::kUseCatalog, Privilege::kUseSchema});
  Grant(insurer_, SecurableKind::kTable, "main.default.customers", owner, {Privilege::kSelect});
  Check(rooms_->assets().PublishTable(owner, "games", {"ins.health.customers", "main.default.customers"}));
  Check(rooms_->assets().SetRule(owner, "games", "ins.health.customers", Rule()));
  auto revoked = catalog_->grants.Change(insurer_, SecurableKind::kTable, "main.default.customers",
                                         {{owner.name, {}, {Privilege::kSelect}}});
  Check(revoked);
  EXPECT_EQ(rooms_->assets().GetTable(federation_, "games", "ins.health.customers")->status,
            AssetStatus::kPermissionDenied);
}

TEST_F(AssetsTest, RuleThatDoesNotFitIsTheOwnersError) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  Check(rooms_->assets().PublishTable(insurer_, "games", {"ins.health.customers", "main.default.customers"}));
  engine_.prepare_error = Status(ErrorCode::kInvalidParameterValue, "keys: not unique");
  const auto set = rooms_->assets().SetRule(insurer_, "games", "ins.health.customers", Rule());
  EXPECT_EQ(CodeOf(set), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(set.status().message(), "keys: not unique");
  EXPECT_EQ(rooms_->assets().GetTable(insurer_, "games", "ins.health.customers")->status, AssetStatus::kPending);
  EXPECT_EQ(CodeOf(rooms_->assets().SetRule(federation_, "games", "ins.health.customers", Rule())),
            ErrorCode::kPermissionDenied);
}

TEST_F(AssetsTest, PreparesAgainOnlyWhenSomethingChanged) {
  MakeActiveRoom();
  const int before = engine_.prepares;
  NotebookSpec spec;
  spec.name = "overlap";
  spec.content = Base64Encode(kOneTable);
  spec.runners = {"ins"};
  Check(rooms_->notebooks().Publish(federation_, "games", spec));
  const auto plan = [this] { Check(rooms_->notebooks().Preview(insurer_, "games", "overlap", {})); };
  plan();
  EXPECT_EQ(engine_.prepares, before) << "prepared when the rule was set";
  ReplaceTable(insurer_, "customers");
  plan();
  EXPECT_EQ(engine_.prepares, before + 1);
  Restart();
  plan();
  EXPECT_EQ(engine_.prepares, before + 1) << "the cache outlives the process";
  const auto folder = data_folder_ + "/prepared/" + insurer_.organisation.str();
  const auto assets = ListDirectory(folder);
  ASSERT_EQ(assets->size(), 1U);
  EXPECT_EQ(ListDirectory(folder + "/" + (*assets)[0])->size(), 1U) << "what is obsolete is removed";
}

// Lets something happen between asking for a table's version and reading it.
class SlowGateway final : public CatalogGateway {
 public:
  using CatalogGateway::CatalogGateway;
  Result<SourceTable> Source(const OrganisationId& organisation, const std::string& local_name,
                             const std::string& table_id) override {
    if (before_source) {
      std::exchange(before_source, nullptr)();
    }
    return CatalogGateway::Source(organisation, local_name, table_id);
  }
  std::function<void()> before_source;
};

TEST_F(AssetsTest, TheVersionIsThatOfTheDataThatWasRead) {
  MakeActiveRoom();
  Approve(MakeNotebook());
  ReplaceTable(insurer_, "customers");
  SlowGateway gateway(*catalog_, engine_);
  rooms_ = std::move(*Rooms::Open({*database_, engine_, gateway, *ledger_, clock_, random_, data_folder_}));
  gateway.before_source = [this] { ReplaceTable(insurer_, "customers"); };
  const int before = engine_.prepares;
  RunToEnd();
  EXPECT_FALSE(gateway.before_source);
  EXPECT_EQ(engine_.prepares, before + 1) << "it is the newest one's already";
  const auto table = catalog_->tables.Get(insurer_, "main.default.customers");
  ASSERT_TRUE(table.ok());
  ASSERT_EQ(engine_.last_run.assets.size(), 1U);
  EXPECT_EQ(engine_.last_run.assets[0].version, table->current.id.str());
  EXPECT_EQ(engine_.last_prepare.table.path, table->current.path);
  rooms_.reset();
}

TEST_F(AssetsTest, RulesAndWithdrawalsNeedWhatPublishingNeeds) {
  MakeActiveRoom();
  const Caller clerk = AddUser(insurer_, "clerk@insurer.example");
  const std::string name = "ins.health.customers";
  Grant(insurer_, SecurableKind::kCleanRoom, "games", clerk, {Privilege::kModifyCleanRoom});
  EXPECT_EQ(CodeOf(rooms_->assets().SetRule(clerk, "games", name, Rule())), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(rooms_->assets().WithdrawTable(clerk, "games", name)), ErrorCode::kNotFound);
  Grant(insurer_, SecurableKind::kCatalog, "main", clerk, {Privilege::kUseCatalog, Privilege::kUseSchema});
  Grant(insurer_, SecurableKind::kTable, "main.default.customers", clerk, {Privilege::kSelect});
  Check(rooms_->assets().SetRule(clerk, "games", name, Rule()));
  Check(rooms_->assets().WithdrawTable(clerk, "games", name));

  Check(rooms_->assets().PublishTable(insurer_, "games", {name, "main.default.customers"}));
  const Caller manager = AddUser(insurer_, "manager@insurer.example");
  Grant(insurer_, SecurableKind::kCleanRoom, "games", manager, {Privilege::kModifyCleanRoom, Privilege::kManage});
  EXPECT_EQ(CodeOf(rooms_->assets().SetRule(manager, "games", name, Rule())), ErrorCode::kNotFound);
  Check(rooms_->assets().WithdrawTable(manager, "games", name));
}

TEST_F(AssetsTest, WithdrawnAssetIsGone) {
  MakeActiveRoom();
  EXPECT_EQ(CodeOf(rooms_->assets().WithdrawTable(federation_, "games", "ins.health.customers")),
            ErrorCode::kPermissionDenied);
  Check(rooms_->assets().WithdrawTable(insurer_, "games", "ins.health.customers"));
  EXPECT_EQ(CodeOf(rooms_->assets().GetTable(federation_, "games", "ins.health.customers")), ErrorCode::kNotFound);
  Check(rooms_->assets().PublishTable(insurer_, "games", {"ins.health.customers", "main.default.customers"}));
}

}  // namespace
}  // namespace glovebox::room
