// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

class EarlierTablesTest : public RoomTest {
 protected:
  EarlierTablesTest() {
    MakeActiveRoom();
    Approve(MakeNotebook("both", "games", kBothTables));
    Approve(MakeNotebook("theirs"));
    Approve(MakeNotebook("mine", "games", "SELECT sport FROM fed.sports.athletes"));
    RunToEnd("both");
    for (const engine::RunAsset& asset : engine_.last_run.assets) {
      (asset.role == engine::Role::kOwn ? list_ : customers_) = asset;
    }
  }
  // The one earlier table of the last run.
  const engine::RunAsset& Earlier() const {
    GB_ASSERT(engine_.last_run.earlier_assets.size() == 1);
    return engine_.last_run.earlier_assets[0];
  }
  std::size_t FilesIn(const std::string& folder) const {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(data_folder_ + "/" + folder)) {
      files += entry.is_regular_file() ? 1U : 0U;
    }
    return files;
  }

  engine::RunAsset list_;
  engine::RunAsset customers_;
};

TEST_F(EarlierTablesTest, TheFirstRunHasNone) { EXPECT_TRUE(engine_.last_run.earlier_assets.empty()); }

TEST_F(EarlierTablesTest, AWithdrawnListIsThereAsItWasRead) {
  Check(rooms_->assets().WithdrawTable(federation_, "games", "fed.sports.athletes"));
  Restart();
  RunToEnd("theirs");
  EXPECT_EQ(engine::ContentOf(Earlier()), engine::ContentOf(list_));
  EXPECT_EQ(Earlier().role, engine::Role::kOwn);
  EXPECT_EQ(Earlier().prepared.file.path, list_.prepared.file.path);
  EXPECT_TRUE(FileExists(list_.prepared.file.path));
}

TEST_F(EarlierTablesTest, AListThatWasReplacedIsThereAsItWasRead) {
  ReplaceTable(federation_, "athletes");
  RunToEnd("mine");
  EXPECT_NE(engine_.last_run.assets[0].version, list_.version) << "a run that names it gets the new one";
  RunToEnd("theirs");
  EXPECT_EQ(engine::ContentOf(Earlier()), engine::ContentOf(list_));
  EXPECT_TRUE(FileExists(list_.prepared.file.path));
}

TEST_F(EarlierTablesTest, TablesOfOthersAreReadAsTheyAreToday) {
  ReplaceTable(insurer_, "customers");
  RunToEnd("mine");
  EXPECT_EQ(Earlier().role, engine::Role::kProtected);
  EXPECT_NE(Earlier().version, customers_.version);
  EXPECT_FALSE(FileExists(customers_.prepared.file.path));
  Check(rooms_->assets().WithdrawTable(insurer_, "games", "ins.health.customers"));
  RunToEnd("mine");
  EXPECT_TRUE(engine_.last_run.earlier_assets.empty());
}

TEST_F(EarlierTablesTest, APlanChecksTheRunnersOwnOnes) {
  const int before = engine_.prepares;
  Check(rooms_->notebooks().Preview(federation_, "games", "theirs", {}));
  EXPECT_EQ(engine_.last_run.mode, engine::RunMode::kPlanAndCheck);
  EXPECT_EQ(engine::ContentOf(Earlier()), engine::ContentOf(list_));
  EXPECT_EQ(Earlier().prepared.file.path, list_.prepared.file.path);
  ReplaceTable(insurer_, "customers");
  Check(rooms_->notebooks().Preview(federation_, "games", "mine", {}));
  EXPECT_TRUE(engine_.last_run.earlier_assets.empty()) << "another side's";
  Check(rooms_->notebooks().Preview(insurer_, "games", "theirs", {}));
  EXPECT_TRUE(engine_.last_run.earlier_assets.empty()) << "nobody's for another side";
  EXPECT_EQ(engine_.prepares, before);
}

TEST_F(EarlierTablesTest, NothingIsKeptBeyondTheRoom) {
  Check(rooms_->assets().WithdrawTable(federation_, "games", "fed.sports.athletes"));
  EXPECT_GT(FilesIn("prepared"), 0U);
  Check(rooms_->DeleteRoom(insurer_, "games"));
  Settle();
  EXPECT_EQ(FilesIn("prepared"), 0U);
}

TEST_F(EarlierTablesTest, TheRecordOfARunThatFailedCounts) {
  engine_.during_run = [this] {
    Check(WriteFileDurably(engine_.last_run.output_folder + "/" + engine::kRecordFileName, R"({"left":"behind"})"));
    engine_.run_error = Status(ErrorCode::kRunFailed, "no");
  };
  RunToEnd("theirs");
  engine_.during_run = nullptr;
  engine_.run_error = Status();
  RunToEnd("theirs");
  ASSERT_EQ(engine_.last_run.history.size(), 2U);
  EXPECT_EQ(engine_.last_run.history[1].GetString("left"), "behind");
}

}  // namespace
}  // namespace glovebox::room
