// SPDX-License-Identifier: Apache-2.0
//
// The tables of outputs in the runner's metastore: how they come and how they go.
#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

using catalog::Privilege;
using catalog::SecurableKind;

class OutputTablesTest : public RoomTest {
 protected:
  OutputTablesTest() {
    MakeActiveRoom();
    Approve(MakeNotebook());
  }
  [[nodiscard]] bool Readable(const std::string& table) const {
    return catalog_->tables.GetForSelect(federation_, table).ok();
  }
  Output Get(const OutputId& id) {
    const auto view = rooms_->outputs().Get(federation_, "games", id);
    GB_ASSERT(view.ok());
    return view->output;
  }
  void Store(const std::string& sql, const std::string& id) {
    const auto tx = database_->Begin(store::Access::kWrite);
    ASSERT_EQ((*tx)->Execute(sql, {id}).value(), 1);
    Check((*tx)->Commit());
  }
};

// No planner stands before this engine: the catalogue refuses the name.
constexpr const char* kPoison = "by sport";

TEST_F(OutputTablesTest, OneThatCannotBeMadeHoldsUpNoOther) {
  engine_.certificate = R"({"outputs":[{"name":"by sport","columns":[{"name":"sport","type":"VARCHAR"}]}]})";
  engine_.output_name = kPoison;
  NotebookSpec poisoned;
  poisoned.name = "poisoned";
  poisoned.content = Base64Encode("SELECT 1");
  const auto notebook = rooms_->notebooks().Publish(federation_, "games", poisoned);
  Check(notebook);
  Approve(*notebook);
  const OutputId id = RunToEnd("poisoned")[0].output.id;
  EXPECT_EQ(Get(id).state, OutputState::kReleased);
  EXPECT_FALSE(Get(id).registered);
  EXPECT_NE(Get(id).register_problem.find("table's name"), std::string::npos) << Get(id).register_problem;
  EXPECT_EQ(rooms_->outputs().Get(insurer_, "games", id)->output.register_problem, "");

  Restart();
  Check(rooms_->Sweep());
  engine_.output_name = "by_sport";
  RunToEnd();
  EXPECT_TRUE(Readable("games_out.run_3.by_sport"));
  clock_.AdvanceMs(limits::kOutputLifetimeMs);
  Check(rooms_->Sweep());
  EXPECT_EQ(Get(id).state, OutputState::kExpired);
}

TEST_F(OutputTablesTest, OneWhoseCatalogIsGoneIsMadeOnceItIsBack) {
  Check(
      catalog_->securables.Delete(federation_, SecurableKind::kCatalog, "games_out", catalog::IfNotEmpty::kDeleteAll));
  const OutputId id = RunToEnd()[0].output.id;
  EXPECT_NE(Get(id).register_problem.find("games_out"), std::string::npos);
  EXPECT_TRUE(rooms_->outputs().Get(insurer_, "games", id)->output.register_problem.empty());
  Restart();
  Check(metastores_->CreateOutputCatalog(federation_, "games_out"));
  Check(rooms_->Sweep());
  EXPECT_TRUE(Get(id).registered);
  EXPECT_EQ(Get(id).register_problem, "");
  EXPECT_TRUE(Readable("games_out.run_1.by_sport"));
}

TEST_F(OutputTablesTest, WithoutItsRunnerTheAdminsHaveIt) {
  const Caller clerk = AddUser(federation_, "clerk@federation.example");
  Grant(federation_, SecurableKind::kCleanRoom, "games", clerk, {Privilege::kExecuteCleanRoomTask});
  Check(rooms_->runs().Submit(clerk, Submission()));
  engine_.during_run = [&] {
    const auto users = catalog_->principals.List(federation_, catalog::PrincipalKind::kUser);
    const auto found =
        std::find_if(users->begin(), users->end(), [&](const auto& user) { return user.name == clerk.name; });
    Check(catalog_->principals.Delete(federation_, found->number));
  };
  Settle();
  const auto outputs = rooms_->outputs().List(federation_, "games");
  ASSERT_EQ(outputs->size(), 1U);
  EXPECT_TRUE(outputs->front().output.registered) << outputs->front().output.register_problem;
  EXPECT_TRUE(Readable("games_out.run_1.by_sport"));
}

TEST_F(OutputTablesTest, AnEndWhileItsTableIsMadeStays) {
  engine_.during_select = [this] {
    engine_.during_select = nullptr;
    clock_.AdvanceMs(limits::kOutputLifetimeMs);
    Check(rooms_->Sweep());
    EXPECT_EQ(Events().back(), "output.expired");
  };
  const OutputId id = RunToEnd()[0].output.id;
  EXPECT_EQ(Get(id).state, OutputState::kExpired);
  EXPECT_FALSE(Readable("games_out.run_1.by_sport"));
}

TEST_F(OutputTablesTest, WhatACrashLeftOfAnExpiredOneGoesWithTheNextSweep) {
  const OutputId id = RunToEnd()[0].output.id;
  Store("UPDATE room_outputs SET state = 'EXPIRED' WHERE id = ?", id.str());
  ASSERT_TRUE(Readable("games_out.run_1.by_sport"));
  Restart();
  Check(rooms_->Sweep());
  EXPECT_FALSE(Readable("games_out.run_1.by_sport"));
}

TEST_F(OutputTablesTest, TheEndWinsOverAnotherRoomsHold) {
  RunToEnd();
  RoomSpec spec = Spec("other");
  spec.collaborators.pop_back();
  Check(rooms_->rooms().Create(federation_, spec));
  Check(rooms_->assets().PublishTable(federation_, "other", {"fed.games.sports", "games_out.run_1.by_sport"}));
  EXPECT_EQ(catalog_->securables
                .Delete(federation_, SecurableKind::kTable, "games_out.run_1.by_sport", catalog::IfNotEmpty::kFail)
                .code(),
            ErrorCode::kInvalidState);
  clock_.AdvanceMs(limits::kOutputLifetimeMs);
  Check(rooms_->Sweep());
  EXPECT_FALSE(Readable("games_out.run_1.by_sport"));
  EXPECT_EQ(rooms_->assets().GetTable(federation_, "other", "fed.games.sports")->status,
            AssetStatus::kPermissionDenied);
}

TEST_F(OutputTablesTest, OneThatCannotEndHoldsUpNoOther) {
  const OutputId first = RunToEnd()[0].output.id;
  MakeActiveRoom("later");
  const NotebookView notebook = MakeNotebook("overlap", "later");
  Approve(notebook, "later");
  Check(rooms_->DeleteRoom(insurer_, "games"));
  // As no act leaves it: a closed ledger takes no more entries.
  Store("UPDATE room_outputs SET state = 'RELEASED', expires_at = 1 WHERE id = ?", first.str());
  Check(rooms_->runs().Submit(federation_, Submission("overlap", "later")));
  Settle();
  ASSERT_TRUE(Readable("later_out.run_3.by_sport"));
  clock_.AdvanceMs(limits::kOutputLifetimeMs);
  Check(rooms_->Sweep());
  EXPECT_FALSE(Readable("later_out.run_3.by_sport"));
}

TEST_F(OutputTablesTest, OutputsThatCannotBeSweptHoldUpNoOldVersion) {
  const OutputId id = RunToEnd()[0].output.id;
  ReplaceTable(insurer_, "customers");
  clock_.AdvanceMs(limits::kTableVersionGraceMs + 1);
  Store("UPDATE room_outputs SET state = 'ODD', expires_at = 1 WHERE id = ?", id.str());
  const auto old_versions = [this] {
    const auto tx = database_->Begin(store::Access::kRead);
    return (*tx)->QueryOne("SELECT COUNT(*) FROM table_versions WHERE replaced_at > 0").value()->Int(0);
  };
  ASSERT_EQ(old_versions(), 1);
  EXPECT_EQ(CodeOf(rooms_->Sweep()), ErrorCode::kDataLoss);
  EXPECT_EQ(old_versions(), 0);
}

TEST_F(OutputTablesTest, TheDataFolderMayBeMoved) {
  const OutputId id = RunToEnd()[0].output.id;
  const auto exported = rooms_->outputs().CreateExport(federation_, "games", id);
  Check(exported);
  const int prepares = engine_.prepares;
  Close();
  const std::string moved = data_folder_ + "-moved";
  ASSERT_EQ(std::rename(data_folder_.c_str(), moved.c_str()), 0);
  data_folder_ = moved;
  Reopen();
  EXPECT_TRUE(rooms_->outputs().Rows(federation_, "games", id, 10).ok());
  EXPECT_TRUE(rooms_->outputs().Content(federation_, "games", exported->id).ok());
  const int runs = engine_.runs;
  RunToEnd();
  EXPECT_EQ(engine_.runs, runs) << "the recorded answer too";
  RunToEnd("overlap", "another");
  EXPECT_EQ(engine_.prepares, prepares) << "the governed copies are found where they are now";
  ASSERT_FALSE(engine_.last_run.assets.empty());
  EXPECT_TRUE(engine_.last_run.assets[0].prepared.file.path.starts_with(moved))
      << engine_.last_run.assets[0].prepared.file.path;
}

}  // namespace
}  // namespace glovebox::room
