// SPDX-License-Identifier: Apache-2.0
//
// Two organisations with a table each, the real catalogue and ledgers, and an engine that a test tells what to answer.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/file.h"
#include "base/strings.h"
#include "catalog/catalog.h"
#include "catalog/migrations.h"
#include "crypto/hash.h"
#include "engine/engine.h"
#include "ledger/log.h"
#include "ledger/verify.h"
#include "room/catalog_gateway.h"
#include "room/documents.h"
#include "room/ledger_gateway.h"
#include "room/migrations.h"
#include "room/rooms.h"
#include "store/database.h"

namespace glovebox::room {

// Writes what it is told; remembers what it was asked.
class FakeEngine final : public engine::Engine {
 public:
  [[nodiscard]] Status Ready() const override { return ready; }
  Result<engine::SelectResult> Select(const engine::SelectRequest& request) override {
    engine::SelectResult result;
    result.file = {request.target_path, {{"sport", "VARCHAR"}, {"people", "BIGINT"}}, 2};
    GB_RETURN_IF_ERROR(WriteFileDurably(request.target_path, "rows"));
    ++selects;
    if (during_select) {
      std::thread(during_select).join();  // somebody else's request: it holds no lock of this one
    }
    return result;
  }
  Status CheckFunction(const engine::Function&, const std::vector<engine::Function>&) override { return Status(); }
  Result<engine::PreparedAsset> Prepare(const engine::PrepareRequest& request) override {
    if (request.target_path.empty()) {
      ++describes;
      if (!describe_error.ok()) {
        return describe_error;
      }
      engine::PreparedAsset described;
      described.file.columns = prepared_columns;
      return described;
    }
    ++prepares;
    last_prepare = request;
    if (during_prepare) {
      std::thread(during_prepare).join();  // somebody else's request: it holds no lock of this one
    }
    if (!prepare_error.ok()) {
      return prepare_error;
    }
    engine::PreparedAsset prepared;
    prepared.file = {request.target_path, prepared_columns, 2};
    GB_RETURN_IF_ERROR(WriteFileDurably(request.target_path, "prepared"));
    return prepared;
  }
  Result<engine::RunResult> Run(const engine::RunRequest& request) override {
    last_run = request;
    if (!run_error.ok()) {
      return run_error;
    }
    engine::RunResult result;
    result.certificate = certify ? certify(request) : json::Parse(certificate).value();
    result.outputs.push_back(Table(request));
    if (request.mode != engine::RunMode::kExecute) {
      return result;
    }
    ++runs;
    json::Object tables;
    for (const engine::RunAsset& asset : request.assets) {
      tables.Set(Join(asset.name, "."), json::Object{{"content", engine::ContentOf(asset)}});
    }
    result.record =
        json::Value(json::Object{{"run", runs}, {"secret", "only for owners"}, {"tables", std::move(tables)}});
    GB_RETURN_IF_ERROR(WriteFileDurably(result.outputs[0].file.path, content));
    result.outputs[0].sha256 = HexDigest(content);
    result.outputs[0].rows = {{"Rowing", 120}, {"Judo", 77}};
    if (during_run) {
      during_run();
    }
    if (!run_error.ok()) {
      return run_error;
    }
    return result;
  }
  void Cancel(const std::string& output_folder) override { canceled.push_back(output_folder); }

  engine::OutputTable Table(const engine::RunRequest& request) const {
    engine::OutputTable table;
    table.name = output_name;
    table.file = {request.output_folder + "/by_sport.parquet", columns, 2};
    return table;
  }

  std::string certificate = R"({"governed":[{"minimum_units":{"ins.health.customers":50}}],)"
                            R"("outputs":[{"name":"by_sport","columns":[{"name":"sport","type":"VARCHAR"}]}]})";
  std::string content = "parquet bytes";
  std::function<json::Value(const engine::RunRequest&)> certify;  // instead of it
  std::vector<engine::Column> prepared_columns{{"token", "VARCHAR"}, {"sport", "VARCHAR"}, {"#unit", "BLOB"}};
  std::string output_name = "by_sport";
  std::vector<engine::Column> columns{{"sport", "VARCHAR"}, {"people", "BIGINT"}};
  Status ready;
  Status prepare_error;
  Status describe_error;
  Status run_error;
  std::function<void()> during_prepare;
  std::function<void()> during_run;
  std::function<void()> during_select;
  engine::PrepareRequest last_prepare;
  engine::RunRequest last_run;
  std::vector<std::string> canceled;
  int selects = 0;
  int prepares = 0;
  int describes = 0;  // schemas alone
  int runs = 0;
};

// The folder of a test whose data another process made: see recovery_test.cc.
inline constexpr const char* kFolderVariable = "GB_TEST_ROOM_FOLDER";

class RoomTest : public testing::Test {
 protected:
  RoomTest() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    const char* inherited = std::getenv(kFolderVariable);
    is_child_ = inherited != nullptr;
    if (is_child_) {
      data_folder_ = inherited;
      clock_.AdvanceMs(3'600'000);
    } else {
      data_folder_ = testing::TempDir() + "glovebox-" + std::to_string(getpid()) + "-" + info->test_suite_name() + "-" +
                     info->name();
      static_cast<void>(RemoveTree(data_folder_));
      GB_ASSERT(MakeDirectories(data_folder_).ok());
    }
    Reopen();
    if (is_child_) {
      insurer_ = Known("Insurer", "ann@insurer.example");
      federation_ = Known("Federation", "fred@federation.example");
      return;
    }
    insurer_ = Bootstrap("Insurer", "ann@insurer.example");
    federation_ = Bootstrap("Federation", "fred@federation.example");
    MakeTable(insurer_, "customers");
    MakeTable(federation_, "athletes");
  }
  ~RoomTest() override {
    Close();
    if (!is_child_) {
      static_cast<void>(RemoveTree(data_folder_));
    }
  }

  void Close() {
    rooms_.reset();
    ledger_.reset();
    metastores_.reset();
    catalog_.reset();
    database_.reset();
  }
  void Reopen() {
    Close();
    database_ = store::OpenSqlite(data_folder_ + "/meta.db").value();
    std::vector<store::Migration> migrations = catalog::Migrations();
    for (const store::Migration& migration : Migrations()) {
      migrations.push_back(migration);
    }
    GB_ASSERT(store::Migrate(*database_, migrations).ok());
    catalog_ = std::make_unique<catalog::Catalog>(catalog::Context{.database = database_.get(),
                                                                   .clock = &clock_,
                                                                   .random = &random_,
                                                                   .master_key = &master_key_,
                                                                   .data_folder = data_folder_});
    Restart();
  }

  // As a new process finds it.
  void Restart() {
    rooms_.reset();
    ledger_.reset();
    metastores_ = std::make_unique<CatalogGateway>(*catalog_, engine_);
    ledger_ = std::make_unique<LedgerGateway>(*catalog_, data_folder_, "glovebox.test");
    auto opened = Rooms::Open({*database_, engine_, *metastores_, *ledger_, clock_, random_, data_folder_});
    GB_ASSERT(opened.ok());
    rooms_ = std::move(*opened);
  }

  Caller Bootstrap(const std::string& name, const std::string& admin) {
    auto created = catalog_->organisations.Create({.name = name, .admin_user = admin});
    GB_ASSERT(created.ok());
    return catalog_->tokens.Authenticate(created->admin_token.value).value();
  }
  Caller Known(const std::string& name, const std::string& user) {
    const auto organisations = catalog_->organisations.All();
    GB_ASSERT(organisations.ok());
    const auto found = std::find_if(organisations->begin(), organisations->end(),
                                    [&](const catalog::Organisation& item) { return item.name == name; });
    GB_ASSERT(found != organisations->end());
    const auto tx = database_->Begin(store::Access::kRead);
    const auto principal = catalog::Principals::FindByName(**tx, found->id, user);
    GB_ASSERT(principal.ok());
    return catalog::Principals::CallerFor(**tx, found->id, principal->id).value();
  }
  Caller AddUser(const Caller& admin, const std::string& name) {
    auto user = catalog_->principals.CreateUser(admin, name, "");
    GB_ASSERT(user.ok());
    return catalog_->principals.CallerFor(admin.organisation, user->id).value();
  }
  void MakeTable(const Caller& caller, const std::string& name) {
    GB_ASSERT(catalog_->securables.CreateCatalog(caller, "main", "", catalog::IfExists::kKeep).ok());
    const auto write = catalog_->tables.PlanWrite(caller, "main.default", name, catalog::OnExisting::kFail);
    GB_ASSERT(write.ok() && write->has_value());
    GB_ASSERT(WriteFileDurably((*write)->path, "rows").ok());
    catalog::TableContent content;
    content.columns.push_back({.name = "token", .type = "VARCHAR", .comment = "", .mask = {}});
    content.columns.push_back({.name = "sport", .type = "VARCHAR", .comment = "", .mask = {}});
    content.columns.push_back({.name = "hidden", .type = "VARCHAR", .comment = "", .mask = {}});
    content.rows = 2;
    GB_ASSERT(catalog_->tables.CommitWrite(caller, **write, content).ok());
  }
  // A new version of a table of MakeTable.
  void ReplaceTable(const Caller& caller, const std::string& name) {
    const auto write = catalog_->tables.PlanWrite(caller, "main.default", name, catalog::OnExisting::kReplace);
    GB_ASSERT(write.ok() && write->has_value());
    GB_ASSERT(WriteFileDurably((*write)->path, "newer rows").ok());
    catalog::TableContent content;
    content.columns.push_back({.name = "token", .type = "VARCHAR", .comment = "", .mask = {}});
    content.columns.push_back({.name = "sport", .type = "VARCHAR", .comment = "", .mask = {}});
    GB_ASSERT(catalog_->tables.CommitWrite(caller, **write, content).ok());
  }
  std::string GlobalId(const Caller& caller) {
    return catalog_->organisations.Get(caller.organisation)->global_metastore_id;
  }
  void Grant(const Caller& admin, catalog::SecurableKind kind, const std::string& name, const Caller& to,
             const std::vector<catalog::Privilege>& privileges) {
    auto changed = catalog_->grants.Change(admin, kind, name, {{to.name, privileges, {}}});
    ASSERT_TRUE(changed.ok()) << changed.status().message();
  }

  RoomSpec Spec(const std::string& name) {
    RoomSpec spec;
    spec.name = name;
    spec.cloud = "local";
    spec.region = "local";
    spec.collaborators = {{"fed", GlobalId(federation_), "", 0}, {"ins", GlobalId(insurer_), "ann@insurer.example", 1}};
    return spec;
  }
  // The federation's room with both tables, rules and output catalogs: ACTIVE.
  void MakeActiveRoom(const std::string& name = "games") {
    Check(rooms_->rooms().Create(federation_, Spec(name)));
    Check(rooms_->assets().PublishTable(federation_, name, {"fed.sports.athletes", "main.default.athletes"}));
    Check(rooms_->assets().PublishTable(insurer_, name, {"ins.health.customers", "main.default.customers"}));
    Check(rooms_->assets().SetRule(federation_, name, "fed.sports.athletes", Rule()));
    Check(rooms_->assets().SetRule(insurer_, name, "ins.health.customers", Rule()));
    Check(rooms_->rooms().CreateOutputCatalog(federation_, name, name + "_out"));
  }
  static json::Value Rule() {
    return json::Parse(R"({"version":1,"unit":{"domain":"person","columns":["token"]},"min_units":50,)"
                       R"("columns":{"token":{"identity":true,"uses":["join"]},"sport":{"uses":["dimension"]}}})")
        .value();
  }
  static constexpr const char* kOneTable =
      "SELECT sport, COUNT(*) AS people FROM ins.health.customers WHERE sport <> :variant GROUP BY sport";
  static constexpr const char* kBothTables =
      "SELECT c.sport, COUNT(*) AS people FROM ins.health.customers c JOIN fed.sports.athletes a USING (token) GROUP "
      "BY "
      "c.sport";
  NotebookView MakeNotebook(const std::string& name = "overlap", const std::string& room = "games",
                            const std::string& sql = kOneTable) {
    NotebookSpec spec;
    spec.name = name;
    spec.content = Base64Encode(sql);
    auto view = rooms_->notebooks().Publish(federation_, room, spec);
    GB_ASSERT(view.ok());
    return std::move(*view);
  }
  void Approve(const NotebookView& notebook, const std::string& room = "games") {
    Check(rooms_->notebooks().Review(insurer_, room, notebook.asset.name,
                                     {notebook.version.etag, Decision::kApproved, "fine"}));
  }
  SubmitSpec Submission(const std::string& notebook = "overlap", const std::string& room = "games") {
    SubmitSpec spec;
    spec.room = room;
    spec.notebook = notebook;
    spec.task_key = "t";
    return spec;
  }
  // Lets everything happen that is due, and what becomes due within ten minutes.
  void Settle() {
    for (int i = 0; i < 100; ++i) {
      while (rooms_->runs().queue().Step()) {
      }
      clock_.AdvanceMs(6'000);
    }
  }
  // Runs to the end; returns the room's outputs. `variant` is a parameter of kOneTable: the same one is the same
  // computation.
  std::vector<OutputView> RunToEnd(const std::string& notebook = "overlap", const std::string& variant = "") {
    SubmitSpec spec = Submission(notebook);
    if (!variant.empty()) {
      spec.parameters = json::Value(json::Object{{"variant", variant}});
    }
    const auto run = rooms_->runs().Submit(federation_, spec);
    GB_ASSERT(run.ok());
    Settle();
    auto outputs = rooms_->outputs().List(federation_, "games");
    GB_ASSERT(outputs.ok());
    return std::move(*outputs);
  }

  RunView LastRun(const Caller& caller) {
    auto page = rooms_->runs().List(caller, {}, {});
    GB_ASSERT(page.ok() && !page->items.empty());
    return std::move(page->items.front());
  }
  std::vector<RunView> RunsInRoom(const Caller& caller, const std::string& room = "games") {
    auto page = rooms_->runs().ListInRoom(caller, room, {}, {});
    GB_ASSERT(page.ok() && page->next_token.empty());
    return std::move(page->items);
  }

  template <typename T>
  static void Check(const Result<T>& result) {
    ASSERT_TRUE(result.ok()) << result.status().message();
  }
  static void Check(const Status& status) { ASSERT_TRUE(status.ok()) << status.message(); }
  template <typename T>
  static ErrorCode CodeOf(const Result<T>& result) {
    return result.ok() ? ErrorCode::kOk : result.status().code();
  }
  static ErrorCode CodeOf(const Status& status) { return status.code(); }

  std::vector<std::string> Entries(const std::string& room = "games") {
    auto entries = rooms_->LedgerEntries(federation_, room, 0, 1'000);
    GB_ASSERT(entries.ok());
    return std::move(*entries);
  }
  // The types of the room's ledger entries, in order.
  std::vector<std::string> Events(const std::string& room = "games") {
    std::vector<std::string> types;
    for (const std::string& entry : Entries(room)) {
      const auto parsed = json::Parse(entry);
      GB_ASSERT(parsed.ok());
      types.push_back(parsed->GetString("type"));
    }
    return types;
  }
  std::int64_t CountEvents(const std::string& type, const std::string& room = "games") {
    const std::vector<std::string> types = Events(room);
    return std::count(types.begin(), types.end(), type);
  }

  bool is_child_ = false;
  std::string data_folder_;
  ManualClock clock_{TimeMs{1'780'000'000'000}};
  // Another process must not make the same ids.
  SeededRandom random_{std::getenv(kFolderVariable) == nullptr ? 7U : 8U};
  crypto::MasterKey master_key_ = crypto::MasterKey::FromBytes(std::string(32, 'k')).value();
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<catalog::Catalog> catalog_;
  FakeEngine engine_;
  std::unique_ptr<CatalogGateway> metastores_;
  std::unique_ptr<LedgerGateway> ledger_;
  std::unique_ptr<Rooms> rooms_;
  Caller insurer_;
  Caller federation_;
};

}  // namespace glovebox::room
