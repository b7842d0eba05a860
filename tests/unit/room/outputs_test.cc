// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

using catalog::Privilege;
using catalog::SecurableKind;

class OutputsTest : public RoomTest {
 protected:
  OutputsTest() {
    MakeActiveRoom();
    Approve(MakeNotebook());
  }
  // The run's columns are others than the contract's.
  Output Waiting() {
    engine_.columns.push_back({"surprise", "VARCHAR"});
    const std::vector<OutputView> outputs = RunToEnd();
    GB_ASSERT(outputs.size() == 1 && outputs[0].output.state == OutputState::kWaiting);
    return outputs[0].output;
  }
  ErrorCode ReviewAs(const Caller& caller, const OutputId& id, Decision decision) {
    return CodeOf(rooms_->outputs().Review(caller, "games", id, {decision, "c"}));
  }
};

TEST_F(OutputsTest, WhatConformsToTheContractIsReleasedAndReadable) {
  const std::vector<OutputView> outputs = RunToEnd();
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].output.state, OutputState::kReleased);
  EXPECT_EQ(outputs[0].catalog, "games_out");
  const auto rows = rooms_->outputs().Rows(federation_, "games", outputs[0].output.id, 1);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_EQ(json::Write(json::Value(rows->rows)), R"([["Rowing",120]])");
  EXPECT_TRUE(rows->truncated);
  EXPECT_TRUE(catalog_->tables.GetForSelect(federation_, "games_out.run_1.by_sport").ok());
  EXPECT_EQ(CodeOf(rooms_->outputs().Rows(insurer_, "games", outputs[0].output.id, 10)), ErrorCode::kPermissionDenied);
}

TEST_F(OutputsTest, EverythingElseWaitsForTheOtherSide) {
  const Output output = Waiting();
  EXPECT_NE(output.reason.find("columns"), std::string::npos);
  EXPECT_EQ(CodeOf(rooms_->outputs().Rows(federation_, "games", output.id, 10)), ErrorCode::kInvalidState);
  EXPECT_FALSE(catalog_->tables.Get(federation_, "games_out.run_1.by_sport").ok());
  EXPECT_EQ(ReviewAs(federation_, output.id, Decision::kApproved), ErrorCode::kPermissionDenied);
  EXPECT_EQ(ReviewAs(insurer_, output.id, Decision::kApproved), ErrorCode::kOk);
  EXPECT_TRUE(rooms_->outputs().Rows(federation_, "games", output.id, 10).ok());
  EXPECT_EQ(Events().back(), "review.decided");
  EXPECT_EQ(ReviewAs(insurer_, output.id, Decision::kRejected), ErrorCode::kInvalidState) << "decided is decided";
}

TEST_F(OutputsTest, ARejectedOutputIsNeverReadable) {
  const Output output = Waiting();
  EXPECT_EQ(ReviewAs(insurer_, output.id, Decision::kRejected), ErrorCode::kOk);
  EXPECT_EQ(CodeOf(rooms_->outputs().Rows(federation_, "games", output.id, 10)), ErrorCode::kInvalidState);
  EXPECT_EQ(CodeOf(rooms_->outputs().CreateExport(federation_, "games", output.id)), ErrorCode::kInvalidState);
  EXPECT_EQ(Events().back(), "export.denied");
}

TEST_F(OutputsTest, ExportHandsOverTheRecordedBytesToWhoMay) {
  const OutputId id = RunToEnd()[0].output.id;
  const auto exported = rooms_->outputs().CreateExport(federation_, "games", id);
  ASSERT_TRUE(exported.ok()) << exported.status().message();
  const auto content = rooms_->outputs().Content(federation_, "games", exported->id);
  ASSERT_TRUE(content.ok());
  EXPECT_EQ(*ReadFile(content->path, 1'000), "parquet bytes");
  EXPECT_EQ(content->sha256, HexDigest("parquet bytes"));
  EXPECT_EQ(content->file_name, "by_sport.parquet");
  EXPECT_EQ(Events().back(), "export.released");

  const Caller clerk = AddUser(federation_, "clerk@federation.example");
  Grant(federation_, SecurableKind::kCleanRoom, "games", clerk, {Privilege::kBrowse});
  EXPECT_EQ(CodeOf(rooms_->outputs().CreateExport(clerk, "games", id)), ErrorCode::kPermissionDenied);
  EXPECT_EQ(Events().back(), "export.denied");
  EXPECT_EQ(CodeOf(rooms_->outputs().Content(clerk, "games", exported->id)), ErrorCode::kPermissionDenied);
  EXPECT_EQ(CodeOf(rooms_->outputs().CreateExport(insurer_, "games", id)), ErrorCode::kPermissionDenied);
  EXPECT_EQ(CodeOf(rooms_->outputs().GetExport(insurer_, "games", exported->id)), ErrorCode::kNotFound);

  auto granted = catalog_->grants.Change(federation_, SecurableKind::kSchema, "games_out.run_1",
                                         {{clerk.name, {Privilege::kUseSchema, Privilege::kSelect}, {}}});
  Check(granted);
  auto way = catalog_->grants.Change(federation_, SecurableKind::kCatalog, "games_out",
                                     {{clerk.name, {Privilege::kUseCatalog}, {}}});
  Check(way);
  EXPECT_TRUE(rooms_->outputs().CreateExport(clerk, "games", id).ok());
}

TEST_F(OutputsTest, AChangedFileIsNotHandedOver) {
  const OutputId id = RunToEnd()[0].output.id;
  const auto exported = rooms_->outputs().CreateExport(federation_, "games", id);
  const auto content = rooms_->outputs().Content(federation_, "games", exported->id);
  Check(WriteFileDurably(content->path, "parquet bytes, changed"));
  EXPECT_EQ(CodeOf(rooms_->outputs().Content(federation_, "games", exported->id)), ErrorCode::kDataLoss);
  EXPECT_EQ(CodeOf(rooms_->outputs().CreateExport(federation_, "games", id)), ErrorCode::kDataLoss);
  EXPECT_EQ(Events().back(), "export.denied");
}

TEST_F(OutputsTest, OutputsExpire) {
  const OutputId id = RunToEnd()[0].output.id;
  const auto exported = rooms_->outputs().CreateExport(federation_, "games", id);
  const std::string path = rooms_->outputs().Content(federation_, "games", exported->id)->path;
  Check(rooms_->Sweep());
  EXPECT_TRUE(FileExists(path));
  clock_.AdvanceMs(limits::kOutputLifetimeMs);
  Check(rooms_->Sweep());
  EXPECT_FALSE(FileExists(path));
  EXPECT_EQ(Events().back(), "output.expired");
  EXPECT_EQ(rooms_->outputs().Get(federation_, "games", id)->output.state, OutputState::kExpired);
  EXPECT_FALSE(catalog_->tables.Get(federation_, "games_out.run_1.by_sport").ok());
  EXPECT_EQ(CodeOf(rooms_->outputs().Content(federation_, "games", exported->id)), ErrorCode::kInvalidState);
  const std::size_t entries = Events().size();
  Check(rooms_->Sweep());
  EXPECT_EQ(Events().size(), entries) << "once";
}

TEST_F(OutputsTest, WithoutADecisionTheDeadlineEndsAnOutput) {
  const Output output = Waiting();
  clock_.AdvanceMs(limits::kOutputReviewMs);
  Check(rooms_->Sweep());
  EXPECT_EQ(rooms_->outputs().Get(federation_, "games", output.id)->output.state, OutputState::kExpired);
  EXPECT_EQ(ReviewAs(insurer_, output.id, Decision::kApproved), ErrorCode::kInvalidState);
}

TEST_F(OutputsTest, ClosingTheRoomEndsItsOutputs) {
  const OutputId id = RunToEnd()[0].output.id;
  Check(rooms_->DeleteRoom(insurer_, "games"));
  EXPECT_EQ(rooms_->outputs().Get(federation_, "games", id)->output.state, OutputState::kExpired);
  EXPECT_EQ(Events().back(), "room.closed");
}

TEST_F(OutputsTest, EvidenceVerifiesOfflineAndNamesAChangedEntry) {
  const OutputId id = RunToEnd()[0].output.id;
  Check(rooms_->outputs().CreateExport(federation_, "games", id));
  std::string tar;
  Check(rooms_->WriteEvidence(insurer_, "games", [&](std::string_view piece) {
    tar += piece;
    return Status();
  }));
  const std::string path = data_folder_ + "/evidence.tar";
  Check(WriteFileDurably(path, tar));
  const auto report = ledger::VerifyPath(path, {});
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_TRUE(report->ok) << report->ToText();
  EXPECT_EQ(report->size, Events().size());

  const std::size_t place = tar.find("approval.granted");
  ASSERT_NE(place, std::string::npos);
  tar[place] = 'A';
  Check(WriteFileDurably(path, tar));
  EXPECT_FALSE(ledger::VerifyPath(path, {})->ok);
}

}  // namespace
}  // namespace glovebox::room
