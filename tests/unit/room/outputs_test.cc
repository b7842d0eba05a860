// SPDX-License-Identifier: Apache-2.0
#include "ledger/commitment.h"
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

class OutputsOfThreeTest : public RoomTest {};

TEST_F(OutputsOfThreeTest, EveryOtherMemberApprovesAndARepeatedReviewIsRecordedOnce) {
  const Caller museum = Bootstrap("Museum", "mia@museum.example");
  MakeTable(museum, "visitors");
  RoomSpec spec = Spec("games");
  spec.collaborators.push_back({"mus", GlobalId(museum), "mia@museum.example", 2});
  Check(rooms_->rooms().Create(federation_, spec));
  Check(rooms_->assets().PublishTable(insurer_, "games", {"ins.health.customers", "main.default.customers"}));
  Check(rooms_->assets().SetRule(insurer_, "games", "ins.health.customers", Rule()));
  Check(rooms_->assets().PublishTable(museum, "games", {"mus.halls.visitors", "main.default.visitors"}));
  Check(rooms_->rooms().CreateOutputCatalog(federation_, "games", "games_out"));
  const NotebookView notebook = MakeNotebook();
  Approve(notebook);
  Check(rooms_->notebooks().Review(museum, "games", "overlap", {notebook.version.etag, Decision::kApproved, "fine"}));
  engine_.columns.push_back({"surprise", "VARCHAR"});  // not the contract's
  const std::vector<OutputView> outputs = RunToEnd();
  ASSERT_EQ(outputs.size(), 1U);
  const OutputId id = outputs[0].output.id;
  const auto review = [&](const Caller& caller) {
    return rooms_->outputs().Review(caller, "games", id, {Decision::kApproved, "c"});
  };

  const std::int64_t before = CountEvents("review.decided");
  for (int i = 0; i < 3; ++i) {
    const auto first = review(insurer_);
    ASSERT_TRUE(first.ok()) << first.status().message();
    EXPECT_EQ(first->output.state, OutputState::kWaiting) << "one member has not decided";
  }
  EXPECT_EQ(CountEvents("review.decided"), before + 1);
  EXPECT_EQ(CodeOf(rooms_->outputs().Rows(federation_, "games", id, 10)), ErrorCode::kInvalidState);
  EXPECT_EQ(CodeOf(review(federation_)), ErrorCode::kPermissionDenied);
  const auto last = review(museum);
  ASSERT_TRUE(last.ok()) << last.status().message();
  EXPECT_EQ(last->output.state, OutputState::kReleased);
  EXPECT_EQ(CountEvents("review.decided"), before + 2);
}

TEST_F(OutputsTest, WhileATableIsMadeTheRoomCanBeChanged) {
  const Output output = Waiting();
  ErrorCode changed = ErrorCode::kInternal;
  engine_.during_select = [&] {
    engine_.during_select = nullptr;
    changed = CodeOf(rooms_->assets().WithdrawTable(insurer_, "games", "ins.health.customers"));
  };
  EXPECT_EQ(ReviewAs(insurer_, output.id, Decision::kApproved), ErrorCode::kOk);
  EXPECT_EQ(changed, ErrorCode::kOk);
}

TEST_F(OutputsTest, BeforeItsReleaseNobodyLearnsTheDigest) {
  const OutputId id = Waiting().id;
  const auto seen_by = [&](const Caller& caller) {
    const OutputView view = rooms_->outputs().Get(caller, "games", id).value();
    EXPECT_EQ(view.output.rows == 2, view.shows_rows);
    EXPECT_EQ(view.output.bytes != 0, view.shows_digest);
    EXPECT_EQ(!view.output.sha256.empty(), view.shows_digest);
    return std::pair(view.shows_rows, view.shows_digest);
  };
  const auto on_ledger = [&](const std::string& text) {
    const std::vector<std::string> entries = Entries();
    return std::any_of(entries.begin(), entries.end(),
                       [&](const std::string& entry) { return entry.find(text) != std::string::npos; });
  };
  const std::string digest = HexDigest("parquet bytes");
  EXPECT_EQ(seen_by(federation_), std::pair(true, false));
  EXPECT_EQ(seen_by(insurer_), std::pair(true, false)) << "who decides knows how many rows";
  EXPECT_FALSE(on_ledger(digest));
  const auto created = json::Parse(Entries().back());
  ASSERT_EQ(created->GetString("type"), "output.created");
  const std::string commitment = created->Get("data")->Get("sd")->as_array().at(0).as_string();

  EXPECT_EQ(ReviewAs(insurer_, id, Decision::kApproved), ErrorCode::kOk);
  EXPECT_EQ(seen_by(insurer_), std::pair(true, true));
  const auto decided = json::Parse(Entries().back());
  const auto opened = ledger::OpenCommitment(decided->Get("data")->GetString("opening"), commitment);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(opened->value.GetString("sha256"), digest);
  EXPECT_EQ(decided->Get("data")->GetString("sha256"), digest);
}

TEST_F(OutputsTest, WhatWasNeverReleasedIsNeverDisclosed) {
  const OutputId id = Waiting().id;
  EXPECT_EQ(ReviewAs(insurer_, id, Decision::kRejected), ErrorCode::kOk);
  EXPECT_FALSE(rooms_->outputs().Get(insurer_, "games", id)->shows_rows) << "it has decided";
  clock_.AdvanceMs(limits::kOutputLifetimeMs);
  Check(rooms_->Sweep());
  EXPECT_EQ(Events().back(), "output.expired");
  EXPECT_FALSE(rooms_->outputs().Get(insurer_, "games", id)->shows_rows);
  for (const std::string& entry : Entries()) {
    EXPECT_EQ(entry.find(HexDigest("parquet bytes")), std::string::npos) << entry;
  }
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

// Who is refused over and over cannot make the ledger grow without end.
TEST_F(OutputsTest, DeniedExportsOfADayAreLimited) {
  const Output output = Waiting();
  const auto ask = [&](const Caller& caller) {
    return rooms_->outputs().CreateExport(caller, "games", output.id).status();
  };
  constexpr std::string_view kNotRecorded = "not on the ledger";
  for (std::size_t i = 0; i < limits::kExportsDeniedPerDayMax; ++i) {
    const Status denied = ask(federation_);
    ASSERT_EQ(denied.code(), ErrorCode::kInvalidState);
    ASSERT_EQ(denied.message().find(kNotRecorded), std::string::npos) << i;
  }
  const std::size_t entries = Events().size();
  const Status beyond = ask(federation_);
  EXPECT_EQ(beyond.code(), ErrorCode::kInvalidState) << "the refusal stays what it is";
  EXPECT_NE(beyond.message().find("waits for review"), std::string::npos);
  EXPECT_NE(beyond.message().find(kNotRecorded), std::string::npos);
  EXPECT_EQ(Events().size(), entries);
  // A colleague and the other side have limits of their own, and tomorrow is another day.
  EXPECT_EQ(ask(insurer_).message().find(kNotRecorded), std::string::npos);
  EXPECT_EQ(Events().size(), entries + 1);
  const Caller clerk = AddUser(federation_, "colleague@federation.example");
  Grant(federation_, SecurableKind::kCleanRoom, "games", clerk, {Privilege::kBrowse});
  EXPECT_EQ(ask(clerk).message().find(kNotRecorded), std::string::npos);
  EXPECT_EQ(Events().size(), entries + 2);
  clock_.AdvanceMs(std::int64_t{24} * 3'600 * 1'000);
  EXPECT_EQ(ask(federation_).message().find(kNotRecorded), std::string::npos);
  EXPECT_EQ(Events().size(), entries + 3);
  // What is allowed is not limited by what was denied.
  EXPECT_EQ(ReviewAs(insurer_, output.id, Decision::kApproved), ErrorCode::kOk);
  EXPECT_TRUE(rooms_->outputs().CreateExport(federation_, "games", output.id).ok());
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
  EXPECT_TRUE(FileExists(path)) << "it stays the room's answer: answers_test.cc";
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

TEST_F(OutputsTest, AReviewThatIsDueSoonIsSaid) {
  const Output output = Waiting();
  const OutputId id = output.id;
  const auto due_soon = [&] { return rooms_->outputs().Get(insurer_, "games", id)->due_soon; };
  const auto count = [&] { return rooms_->outputs().CountReviewsDueSoon().value(); };
  const auto reminders = [&] {
    testing::internal::CaptureStderr();
    Check(rooms_->Sweep());
    const std::string log = testing::internal::GetCapturedStderr();
    std::size_t lines = 0;
    for (std::size_t at = log.find("expires soon"); at != std::string::npos; at = log.find("expires soon", at + 1)) {
      ++lines;
    }
    return lines;
  };
  clock_.AdvanceMs(ToInt(output.decide_by) - ToInt(clock_.Now()) - limits::kOutputReviewReminderMs - 1);
  EXPECT_FALSE(due_soon());
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(reminders(), 0U);
  clock_.AdvanceMs(1);
  EXPECT_TRUE(due_soon());
  EXPECT_EQ(count(), 1);
  EXPECT_EQ(reminders(), 1U);
  EXPECT_EQ(reminders(), 0U) << "once";
  EXPECT_EQ(ReviewAs(insurer_, id, Decision::kApproved), ErrorCode::kOk);
  EXPECT_FALSE(due_soon());
  EXPECT_EQ(count(), 0);
}

TEST_F(OutputsTest, ClosingTheRoomEndsItsOutputs) {
  const OutputId id = RunToEnd()[0].output.id;
  Check(rooms_->DeleteRoom(insurer_, "games"));
  EXPECT_EQ(rooms_->outputs().Get(federation_, "games", id)->output.state, OutputState::kExpired);
  EXPECT_EQ(Events().back(), "room.closed");
}

}  // namespace
}  // namespace glovebox::room
