// SPDX-License-Identifier: Apache-2.0
//
// The same plan, parameters and versions are answered from the record, bit for bit.
#include "room/answers.h"

#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

class AnswersTest : public RoomTest {
 protected:
  AnswersTest() { MakeActiveRoom(); }

  // The newest output, after a run. What the engine would compute is something else each time.
  OutputView Run(const std::string& notebook = "overlap", const std::string& variant = "") {
    engine_.content = "parquet bytes of run " + std::to_string(++asked_);
    std::vector<OutputView> outputs = RunToEnd(notebook, variant);
    GB_ASSERT(!outputs.empty());
    return std::move(outputs.front());
  }
  std::string Bytes(const OutputView& output) {
    const auto exported = rooms_->outputs().CreateExport(federation_, "games", output.output.id);
    EXPECT_TRUE(exported.ok()) << exported.status().message();
    const auto content = rooms_->outputs().Content(federation_, "games", exported->id);
    return content.ok() ? ReadFile(content->path, 1'000).value() : content.status().message();
  }
  json::Value Data(const std::string& type) {
    const std::vector<std::string> entries = Entries();
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      json::Value parsed = json::Parse(*entry).value();
      if (parsed.GetString("type") == type) {
        return *parsed.Get("data");
      }
    }
    return {};
  }
  std::vector<std::string> FilesOfOutputs() {
    std::vector<std::string> files;
    const std::string root = data_folder_ + "/outputs/" + rooms_->rooms().Get(insurer_, "games")->room.id.str();
    if (FileExists(root)) {
      const std::vector<std::string> runs = ListDirectory(root).value();
      for (const std::string& run : runs) {
        const std::vector<std::string> found = ListDirectory(root + "/" + run).value();
        for (const std::string& file : found) {
          files.push_back(file);
        }
      }
    }
    return files;
  }

  int asked_ = 0;
};

TEST_F(AnswersTest, ARepeatedRunGivesTheRecordedAnswer) {
  Approve(MakeNotebook());
  const OutputView first = Run();
  engine_.certificate = R"({"governed":[],"outputs":[],"another":"one"})";
  const std::size_t before = Events().size();
  const OutputView second = Run();
  EXPECT_EQ(engine_.runs, 1) << "no worker computes";
  EXPECT_NE(second.output.id, first.output.id);
  EXPECT_NE(second.output.run, first.output.run);
  EXPECT_EQ(second.output.sha256, first.output.sha256);
  EXPECT_EQ(Bytes(second), "parquet bytes of run 1");
  EXPECT_EQ(json::Write(json::Value(rooms_->outputs().Rows(federation_, "games", second.output.id, 10)->rows)),
            json::Write(json::Value(rooms_->outputs().Rows(federation_, "games", first.output.id, 10)->rows)));
  EXPECT_EQ(json::Write(*rooms_->runs().Certificate(insurer_, "games", second.output.run)),
            json::Write(*rooms_->runs().Certificate(insurer_, "games", first.output.run)));
  const std::vector<std::string> events = Events();
  const std::vector<std::string> whole_way(events.begin() + static_cast<std::ptrdiff_t>(before), events.end() - 2);
  EXPECT_EQ(whole_way, (std::vector<std::string>{"run.requested", "run.authorized", "run.started", "run.completed",
                                                 "output.created", "review.decided"}));
  EXPECT_EQ(Data("run.completed").GetString("repeats"), "1");
  EXPECT_EQ(Data("run.completed").Get("sd"), nullptr) << "there is no second record to commit to";
  EXPECT_EQ(rooms_->runs().Get(federation_, second.output.run)->run.repeats, first.output.run);
}

TEST_F(AnswersTest, TheHistoryHoldsTheAnswerOnce) {
  Approve(MakeNotebook());
  Run();
  Run();
  Run("overlap", "another");
  EXPECT_EQ(engine_.runs, 2);
  EXPECT_EQ(engine_.last_run.history.size(), 1U);
}

TEST_F(AnswersTest, AnythingThatDeterminesTheAnswerComputesAnew) {
  Approve(MakeNotebook());
  Run();
  Run("overlap", "1");
  EXPECT_EQ(engine_.runs, 2) << "another parameter";
  Run("overlap", "1");
  EXPECT_EQ(engine_.runs, 2);
  ReplaceTable(insurer_, "customers");
  EXPECT_EQ(Bytes(Run()), "parquet bytes of run 4") << "another version of a table";
  json::Value stricter = Rule();
  stricter.as_object().Set("min_units", 100);
  Check(rooms_->assets().SetRule(insurer_, "games", "ins.health.customers", stricter));
  Run();
  EXPECT_EQ(engine_.runs, 4) << "another rule";
  Check(rooms_->assets().WithdrawTable(insurer_, "games", "ins.health.customers"));
  Check(rooms_->assets().PublishTable(insurer_, "games", {"ins.health.customers", "main.default.customers"}));
  Check(rooms_->assets().SetRule(insurer_, "games", "ins.health.customers", stricter));
  Run();
  EXPECT_EQ(engine_.runs, 5) << "the policies are committed to anew";
}

TEST_F(AnswersTest, AnotherNotebookWithTheSameCellsRepeats) {
  Approve(MakeNotebook());
  Approve(MakeNotebook("twin"));
  Approve(MakeNotebook("other", "games", "SELECT COUNT(*) AS people FROM ins.health.customers"));
  Run();
  Run("twin");
  EXPECT_EQ(engine_.runs, 1);
  Run("other");
  EXPECT_EQ(engine_.runs, 2);
}

TEST_F(AnswersTest, TheOrderOfParametersAndWhereItWritesDoNotMatter) {
  Inputs inputs;
  inputs.request.cells = {{"SELECT :a, :b"}};
  inputs.request.parameters = {{"a", "INT", "1"}, {"b", "", "x"}};
  engine::RunAsset own;
  own.name = {"fed", "s", "a"};
  own.role = engine::Role::kOwn;
  engine::RunAsset other;
  other.name = {"ins", "h", "c"};
  inputs.request.assets = {own, other};
  const std::string computation = ComputationOf("fed", inputs);
  EXPECT_EQ(computation.size(), 64U);
  Inputs turned = inputs;
  std::swap(turned.request.parameters[0], turned.request.parameters[1]);
  std::swap(turned.request.assets[0], turned.request.assets[1]);
  turned.request.output_folder = "elsewhere";
  EXPECT_EQ(ComputationOf("fed", turned), computation);
  const auto differs = [&](const auto& change) {
    Inputs changed = inputs;
    change(changed.request);
    return ComputationOf("fed", changed) != computation;
  };
  EXPECT_NE(ComputationOf("ins", inputs), computation) << "another side's question is never this one's";
  EXPECT_TRUE(differs([](engine::RunRequest& request) { request.cells[0].sql = "SELECT  1"; }));
  EXPECT_TRUE(differs([](engine::RunRequest& request) { request.cells.push_back({"SELECT 2"}); }));
  EXPECT_TRUE(differs([](engine::RunRequest& request) { request.parameters[0].type = "BIGINT"; }));
  EXPECT_TRUE(differs([](engine::RunRequest& request) { request.parameters[0].value = "2"; }));
  EXPECT_TRUE(differs([](engine::RunRequest& request) { request.parameters[0].is_null = true; }));
  EXPECT_TRUE(differs([](engine::RunRequest& request) { request.assets[1].name = {"ins", "h", "d"}; }));
  EXPECT_TRUE(differs([](engine::RunRequest& request) { request.assets[1].owner = "third"; }));
  EXPECT_TRUE(differs([](engine::RunRequest& request) { request.assets[1].version = "2"; }));
  EXPECT_TRUE(differs([](engine::RunRequest& request) { request.assets[1].policy_digest = "p"; }));
  EXPECT_TRUE(differs([](engine::RunRequest& request) { request.assets[1].rule = "r"; }));
  EXPECT_TRUE(differs([](engine::RunRequest& request) { request.assets[0].role = engine::Role::kProtected; }));
  inputs.request.assets = {own};
  EXPECT_EQ(ComputationOf("fed", inputs), "") << "of one's own data nothing is remembered";
}

TEST_F(AnswersTest, AnExpiredAnswerIsGivenAgainUntilTheRoomEnds) {
  Approve(MakeNotebook());
  const OutputView first = Run();
  const std::string bytes = Bytes(first);
  clock_.AdvanceMs(limits::kOutputLifetimeMs);
  Check(rooms_->Sweep());
  EXPECT_EQ(rooms_->outputs().Get(federation_, "games", first.output.id)->output.state, OutputState::kExpired);
  Restart();
  const OutputView second = Run();
  EXPECT_EQ(engine_.runs, 1);
  EXPECT_EQ(Bytes(second), bytes);
  EXPECT_GT(ToInt(second.output.expires_at), ToInt(clock_.Now()));
  clock_.AdvanceMs(limits::kOutputLifetimeMs);
  Check(rooms_->Sweep());
  EXPECT_EQ(Bytes(Run()), bytes) << "nor does the end of a repeated one remove it";
  EXPECT_EQ(FilesOfOutputs().size(), 2U) << "a table and its rows, once";
  Check(rooms_->DeleteRoom(federation_, "games"));
  EXPECT_EQ(FilesOfOutputs().size(), 0U);
}

TEST_F(AnswersTest, ACrashLeavesNoAnswerOfARoomThatHasEnded) {
  Approve(MakeNotebook());
  Run();
  const std::string room = rooms_->rooms().Get(federation_, "games")->room.id.str();
  Check(rooms_->DeleteRoom(federation_, "games"));
  const std::string left = data_folder_ + "/outputs/" + room + "/1";
  Check(MakeDirectories(left));
  Restart();
  EXPECT_FALSE(FileExists(left));
}

TEST_F(AnswersTest, WhatReadsOwnDataAloneIsNotKept) {
  Approve(MakeNotebook("mine", "games", "SELECT sport, COUNT(*) AS people FROM fed.sports.athletes GROUP BY sport"));
  Run("mine");
  const OutputView second = Run("mine");
  EXPECT_EQ(engine_.runs, 2);
  EXPECT_EQ(Bytes(second), "parquet bytes of run 2");
  clock_.AdvanceMs(limits::kOutputLifetimeMs);
  Check(rooms_->Sweep());
  EXPECT_EQ(FilesOfOutputs().size(), 0U);
}

TEST_F(AnswersTest, AnAnswerThatAReviewRejectedIsReviewedAnew) {
  Approve(MakeNotebook());
  engine_.columns = {{"sport", "VARCHAR"}, {"people", "BIGINT"}, {"more", "BIGINT"}};
  const OutputView first = Run();
  ASSERT_EQ(first.output.state, OutputState::kWaiting);
  Check(rooms_->outputs().Review(insurer_, "games", first.output.id, {Decision::kRejected, "no"}));
  const OutputView second = Run();
  EXPECT_EQ(engine_.runs, 1);
  EXPECT_EQ(second.output.state, OutputState::kWaiting);
  EXPECT_EQ(CodeOf(rooms_->outputs().Rows(federation_, "games", second.output.id, 10)), ErrorCode::kInvalidState);
  Check(rooms_->outputs().Review(insurer_, "games", second.output.id, {Decision::kApproved, "yes"}));
  EXPECT_EQ(Bytes(second), "parquet bytes of run 1");
  EXPECT_EQ(rooms_->outputs().Get(federation_, "games", first.output.id)->output.state, OutputState::kRejected);
}

TEST_F(AnswersTest, AFailureIsNoAnswer) {
  Approve(MakeNotebook());
  engine_.run_error = Status(ErrorCode::kRunFailed, "killed");
  RunToEnd();
  engine_.run_error = Status();
  EXPECT_EQ(Bytes(Run()), "parquet bytes of run 1");
  EXPECT_EQ(engine_.runs, 1);
}

TEST_F(AnswersTest, ADamagedAnswerIsNeverAnotherOne) {
  Approve(MakeNotebook());
  const OutputView first = Run();
  const auto exported = rooms_->outputs().CreateExport(federation_, "games", first.output.id);
  const std::string path = rooms_->outputs().Content(federation_, "games", exported->id)->path;
  for (const std::string& file : {path, path + ".rows"}) {
    const std::string whole = ReadFile(file, 1'000).value();
    Check(WriteFileDurably(file, whole + " "));
    const auto run = rooms_->runs().Submit(federation_, Submission());
    Settle();
    EXPECT_EQ(rooms_->runs().Get(federation_, run->run.id)->run.error_code, "RUN_FAILED") << file;
    Check(WriteFileDurably(file, whole));
  }
  EXPECT_EQ(Run().output.sha256, first.output.sha256);
  EXPECT_EQ(engine_.runs, 1);
}

TEST_F(AnswersTest, WhatNoCellReadsMakesNoOtherComputation) {
  Approve(MakeNotebook());
  Approve(MakeNotebook("dollar", "games", "SELECT COUNT(*) FROM ins.health.customers WHERE sport <> $Variant"));
  const auto run = [&](const std::string& notebook, const json::Value& parameters) {
    SubmitSpec spec = Submission(notebook);
    spec.parameters = parameters;
    Check(rooms_->runs().Submit(federation_, spec));
    Settle();
    return engine_.runs;
  };
  EXPECT_EQ(run("overlap", json::Value(json::Object{{"variant", "a"}})), 1);
  EXPECT_EQ(run("overlap", json::Value(json::Object{{"variant", "a"}, {"zz", "0"}})), 1);
  EXPECT_EQ(run("overlap", json::Value(json::Object{{"variant", "a"}, {"zz", "1"}})), 1);
  EXPECT_EQ(run("overlap", json::Value(json::Object{{"VARIANT", "b"}})), 2);
  EXPECT_EQ(run("dollar", json::Value(json::Object{{"variant", "a"}})), 3);
  EXPECT_EQ(run("dollar", json::Value(json::Object{{"variant", "b"}})), 4);
}

class PoliciesTest : public AnswersTest {
 protected:
  // Customers go through a filter that calls another function, which reads a secret.
  PoliciesTest() : clerk_(AddUser(insurer_, "clerk@insurer.example")) {
    Check(catalog_->secrets.CreateScope(insurer_, "salts", clerk_.name));
    Check(catalog_->secrets.Put(insurer_, "salts", "s", "v"));
    MakeFunction("inner_ok", "c = secret('salts', 's')");
    MakeFunction("outer_ok", "inner_ok(c)");
    Check(catalog_->tables.SetRowFilter(insurer_, "main.default.customers", {"main.default.outer_ok", {"sport"}}));
    Approve(MakeNotebook());
    RunToEnd();
  }
  void MakeFunction(const std::string& name, const std::string& body,
                    catalog::OnExisting on_existing = catalog::OnExisting::kFail) {
    Check(catalog_->functions.Create(insurer_,
                                     {.schema = "main.default",
                                      .name = name,
                                      .parameters = {{"c", "VARCHAR", ""}},
                                      .return_type = "",
                                      .body = body,
                                      .comment = ""},
                                     on_existing));
  }
  void Drop(const std::string& name) {
    Check(catalog_->securables.Delete(insurer_, catalog::SecurableKind::kFunction, "main.default." + name,
                                      catalog::IfNotEmpty::kFail));
  }
  void GiveAway(const std::string& name) {
    Check(catalog_->securables.Update(insurer_, catalog::SecurableKind::kFunction, "main.default." + name,
                                      {.comment = {}, .owner = clerk_.name}));
  }
  const std::vector<engine::Function>& Applied() const { return engine_.last_prepare.functions; }

  Caller clerk_;
};

TEST_F(PoliciesTest, WhatAFilterCallsIsPartOfTheComputation) {
  ASSERT_EQ(engine_.runs, 1);
  ASSERT_EQ(Applied().size(), 2U);
  MakeFunction("elsewhere", "TRUE");
  RunToEnd();
  EXPECT_EQ(engine_.runs, 1) << "nothing to do with it";

  Drop("inner_ok");
  RunToEnd();
  EXPECT_EQ(engine_.runs, 2);
  EXPECT_EQ(Applied().size(), 1U);
  MakeFunction("inner_ok", "c = 'yes'");
  RunToEnd();
  EXPECT_EQ(engine_.runs, 2) << "the filter means the one that is gone";
  MakeFunction("outer_ok", "inner_ok(c)", catalog::OnExisting::kReplace);
  RunToEnd();
  EXPECT_EQ(engine_.runs, 3);
  ASSERT_EQ(Applied().size(), 2U);
  EXPECT_EQ(Applied()[1].body, "c = 'yes'");
  MakeFunction("inner_ok", "c = 'no'", catalog::OnExisting::kReplace);
  RunToEnd();
  EXPECT_EQ(engine_.runs, 4);
  EXPECT_EQ(Applied()[1].body, "c = 'no'");
}

TEST_F(PoliciesTest, WhatItsOwnerMayCallIsPartOfTheComputation) {
  GiveAway("inner_ok");
  RunToEnd();
  EXPECT_EQ(engine_.runs, 2);
  EXPECT_EQ(Applied().size(), 1U);
  GiveAway("outer_ok");
  EXPECT_EQ(rooms_->assets().GetTable(insurer_, "games", "ins.health.customers")->status,
            AssetStatus::kPermissionDenied);
  RunToEnd();
  EXPECT_TRUE(engine_.last_run.assets.empty()) << "the planner knows no such table";
}

TEST_F(PoliciesTest, ASecretsReadersArePartOfTheComputation) {
  using catalog::Privilege;
  for (const Caller& reader : {insurer_, clerk_}) {
    Grant(insurer_, catalog::SecurableKind::kCatalog, "main", reader,
          {Privilege::kUseCatalog, Privilege::kUseSchema, Privilege::kSelect, Privilege::kExecute});
  }
  Check(catalog_->securables.Update(insurer_, catalog::SecurableKind::kTable, "main.default.customers",
                                    {.comment = {}, .owner = clerk_.name}));
  RunToEnd();
  EXPECT_EQ(engine_.runs, 1) << "whose it is gives no other rows";
  ASSERT_EQ(engine_.last_prepare.secrets.size(), 1U);
  Check(catalog_->secrets.DeleteAcl(insurer_, "salts", clerk_.name));
  RunToEnd();
  EXPECT_EQ(engine_.runs, 2);
  EXPECT_TRUE(engine_.last_prepare.secrets.empty());
}

// Somebody else acts while a run collects what it uses.
class SlowGateway final : public CatalogGateway {
 public:
  using CatalogGateway::CatalogGateway;
  Result<std::pair<std::string, std::string>> SourceVersion(const OrganisationId& organisation,
                                                            const std::string& local_name,
                                                            const std::string& table_id) override {
    if (const auto act = std::exchange(meanwhile, nullptr)) {
      act();
    }
    return CatalogGateway::SourceVersion(organisation, local_name, table_id);
  }
  std::function<void()> meanwhile;
};

TEST_F(AnswersTest, ARepeatedRunCanBeCanceled) {
  Approve(MakeNotebook());
  Run();
  SlowGateway gateway(*catalog_, engine_);
  rooms_ = std::move(*Rooms::Open({*database_, engine_, gateway, *ledger_, clock_, random_, data_folder_}));
  const auto run = rooms_->runs().Submit(federation_, Submission());
  gateway.meanwhile = [&] { Check(rooms_->runs().Cancel(federation_, run->run.id)); };
  Settle();
  EXPECT_FALSE(gateway.meanwhile);
  EXPECT_EQ(rooms_->runs().Get(federation_, run->run.id)->run.outcome, RunOutcome::kCanceled);
  EXPECT_EQ(rooms_->outputs().List(federation_, "games")->size(), 1U);
  rooms_.reset();
}

TEST_F(AnswersTest, AQueuedRepetitionWaitsAfterARestartUntilTheAnswerIsOut) {
  Approve(MakeNotebook());
  engine_.during_run = [this] { clock_.AdvanceMs(600); };
  Check(rooms_->runs().Submit(federation_, Submission()));
  Check(rooms_->runs().Submit(federation_, Submission()));
  ASSERT_TRUE(rooms_->runs().queue().Step());
  Restart();
  EXPECT_FALSE(rooms_->runs().queue().Step()) << "the first one is not to be seen yet";
  Settle();
  EXPECT_EQ(rooms_->outputs().List(federation_, "games")->size(), 2U);
  EXPECT_EQ(engine_.runs, 1);
}

}  // namespace
}  // namespace glovebox::room
