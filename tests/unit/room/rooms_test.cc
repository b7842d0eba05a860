// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

class RoomsTest : public RoomTest {
 protected:
  // How many governed copies are on the disk.
  std::size_t PreparedFiles() {
    std::size_t count = 0;
    const std::string root = data_folder_ + "/prepared";
    if (!FileExists(root)) {
      return 0;
    }
    const auto organisations = ListDirectory(root);
    for (const std::string& organisation : *organisations) {
      const auto assets = ListDirectory(root + "/" + organisation);
      for (const std::string& asset : *assets) {
        const auto files = ListDirectory(root + "/" + organisation + "/" + asset);
        count += files->size();
      }
    }
    return count;
  }
};

TEST_F(RoomsTest, BecomesActiveOnceAllCollaboratorsHaveJoined) {
  const auto created = rooms_->rooms().Create(federation_, Spec("games"));
  ASSERT_TRUE(created.ok()) << created.status().message();
  EXPECT_EQ(created->room.state, RoomState::kProvisioning);
  EXPECT_EQ(created->owner, "fred@federation.example");

  const auto invited = rooms_->rooms().Get(insurer_, "games");
  ASSERT_TRUE(invited.ok());
  EXPECT_EQ(invited->alias, "ins");
  EXPECT_EQ(invited->room.state, RoomState::kProvisioning);

  ASSERT_TRUE(rooms_->rooms().Join(insurer_, "games").ok());
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->room.state, RoomState::kActive);
  EXPECT_EQ(Events(), (std::vector<std::string>{"room.created", "room.joined", "room.active"}));
  EXPECT_TRUE(rooms_->rooms().Join(insurer_, "games").ok()) << "joining twice is no error";
  EXPECT_EQ(Events().size(), 3U);
}

TEST_F(RoomsTest, FirstActOfTheInvitedSideJoinsIt) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  Check(rooms_->assets().PublishTable(insurer_, "games", {"ins.health.customers", "main.default.customers"}));
  EXPECT_EQ(rooms_->rooms().Get(insurer_, "games")->room.state, RoomState::kActive);
}

TEST_F(RoomsTest, ToJoinByAnActNeedsWhatToJoinNeeds) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  const Caller clerk = AddUser(insurer_, "clerk@insurer.example");
  Grant(insurer_, catalog::SecurableKind::kCleanRoom, "games", clerk, {catalog::Privilege::kModifyCleanRoom});
  Grant(insurer_, catalog::SecurableKind::kTable, "main.default.customers", clerk, {catalog::Privilege::kSelect});
  Grant(insurer_, catalog::SecurableKind::kSchema, "main.default", clerk, {catalog::Privilege::kUseSchema});
  Grant(insurer_, catalog::SecurableKind::kCatalog, "main", clerk, {catalog::Privilege::kUseCatalog});
  const TableSpec table{"ins.health.customers", "main.default.customers"};
  EXPECT_EQ(CodeOf(rooms_->rooms().Join(clerk, "games")), ErrorCode::kPermissionDenied);
  EXPECT_EQ(CodeOf(rooms_->assets().PublishTable(clerk, "games", table)), ErrorCode::kPermissionDenied);
  EXPECT_EQ(rooms_->rooms().Get(insurer_, "games")->room.state, RoomState::kProvisioning);
  EXPECT_EQ(rooms_->rooms().Get(insurer_, "games")->owner, std::string(catalog::kAdminsGroup));

  Grant(insurer_, catalog::SecurableKind::kMetastore, "", clerk, {catalog::Privilege::kCreateCleanRoom});
  Check(rooms_->assets().PublishTable(clerk, "games", table));
  EXPECT_EQ(rooms_->rooms().Get(insurer_, "games")->owner, clerk.name);
}

TEST_F(RoomsTest, LookingAtTheRoomDoesNotJoin) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  EXPECT_EQ(rooms_->rooms().List(insurer_, {})->items.size(), 1U);
  EXPECT_EQ(rooms_->assets().ListTables(insurer_, "games")->size(), 0U);
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->room.state, RoomState::kProvisioning);
}

TEST_F(RoomsTest, StrangersSeeNoRoom) {
  const Caller stranger = Bootstrap("Stranger", "sue@stranger.example");
  const Caller clerk = AddUser(federation_, "clerk@federation.example");
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  EXPECT_EQ(CodeOf(rooms_->rooms().Get(stranger, "games")), ErrorCode::kNotFound);
  EXPECT_EQ(rooms_->rooms().List(stranger, {})->items.size(), 0U);
  EXPECT_EQ(CodeOf(rooms_->LedgerOf(stranger, "games")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(rooms_->rooms().Get(clerk, "games")), ErrorCode::kNotFound) << "no privilege, no knowledge";
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(clerk, Spec("other"))), ErrorCode::kPermissionDenied);
}

TEST_F(RoomsTest, NamesAreUniqueWithoutCaseInAllMetastores) {
  Check(rooms_->rooms().Create(federation_, Spec("Games")));
  const auto own = rooms_->rooms().Create(federation_, Spec("gAMES"));
  EXPECT_EQ(CodeOf(own), ErrorCode::kAlreadyExists);
  EXPECT_NE(own.status().message().find("'Games'"), std::string::npos) << own.status().message();

  Check(rooms_->rooms().Create(federation_, Spec("\u00c9quipe")));
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, Spec("\u00e9quipe"))), ErrorCode::kAlreadyExists);

  const Caller third = Bootstrap("Third", "theo@third.example");
  RoomSpec spec = Spec("GAMES");
  spec.collaborators = {{"third", GlobalId(third), "", 0}, {"ins", GlobalId(insurer_), "ann@insurer.example", 1}};
  const auto theirs = rooms_->rooms().Create(third, spec);
  EXPECT_EQ(CodeOf(theirs), ErrorCode::kAlreadyExists);
  EXPECT_NE(theirs.status().message().find("'ins'"), std::string::npos) << theirs.status().message();
}

TEST_F(RoomsTest, AnInvitationThatIsOverTakesUpNothing) {
  for (int i = 0; i < 2; ++i) {
    Check(rooms_->rooms().Create(federation_, Spec("games")));
    EXPECT_TRUE(rooms_->rooms().Get(insurer_, "games").ok());
    Check(rooms_->DeleteRoom(federation_, "games"));
    EXPECT_EQ(CodeOf(rooms_->rooms().Get(insurer_, "games")), ErrorCode::kNotFound);
  }
}

TEST_F(RoomsTest, RefusesBadSpecifications) {
  RoomSpec twice = Spec("games");
  twice.collaborators[1].alias = "FED";
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, twice)), ErrorCode::kInvalidParameterValue);

  RoomSpec unknown = Spec("games");
  unknown.collaborators[1].global_metastore_id = "aws:nowhere:1";
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, unknown)), ErrorCode::kInvalidParameterValue);

  RoomSpec absent = Spec("games");
  absent.collaborators.erase(absent.collaborators.begin());
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, absent)), ErrorCode::kInvalidParameterValue) << "no creator";

  RoomSpec uninvited = Spec("games");
  uninvited.collaborators[1].invite_email.clear();
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, uninvited)), ErrorCode::kInvalidParameterValue);

  RoomSpec crowd = Spec("games");
  while (crowd.collaborators.size() <= 10) {
    crowd.collaborators.push_back({"a" + std::to_string(crowd.collaborators.size()), GlobalId(insurer_), "x@y.z", 1});
  }
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, crowd)), ErrorCode::kInvalidParameterValue);

  RoomSpec server = Spec("games");
  server.collaborators[1].alias = "operator";
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, server)), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, Spec("a/b"))), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(rooms_->rooms().List(federation_, {})->items.size(), 0U);
}

TEST_F(RoomsTest, InvitationIsShownToTheCreatorOnly) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->collaborators[1].member.invite_email, "ann@insurer.example");
  EXPECT_EQ(rooms_->rooms().Get(insurer_, "games")->collaborators[1].member.invite_email, "");
}

TEST_F(RoomsTest, ARoomIsMadeWithItsOwnerAndCommentOrNotAtAll) {
  const Caller clerk = AddUser(federation_, "clerk@federation.example");
  RoomSpec spec = Spec("games");
  spec.comment = "ours";
  spec.owner = clerk.name;
  Check(rooms_->rooms().Create(federation_, spec));
  EXPECT_EQ(rooms_->rooms().Get(clerk, "games")->owner, clerk.name);
  EXPECT_EQ(rooms_->rooms().Get(clerk, "games")->comment, "ours");
  EXPECT_NE(rooms_->rooms().Get(insurer_, "games")->comment, "ours");
  spec.name = "bad";
  spec.comment = "\xff";
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, spec)), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(CodeOf(rooms_->rooms().Get(federation_, "bad")), ErrorCode::kNotFound);
}

TEST_F(RoomsTest, CommentAndOwnerAreLocal) {
  RoomSpec spec = Spec("games");
  spec.comment = "ours";
  Check(rooms_->rooms().Create(federation_, spec));
  Check(rooms_->rooms().Update(insurer_, "games", {.comment = "theirs", .owner = std::nullopt}));
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->comment, "ours");
  EXPECT_EQ(rooms_->rooms().Get(insurer_, "games")->comment, "theirs");
  const Caller clerk = AddUser(federation_, "clerk@federation.example");
  Check(rooms_->rooms().Update(federation_, "games", {.comment = std::nullopt, .owner = clerk.name}));
  EXPECT_EQ(rooms_->rooms().Get(clerk, "games")->owner, clerk.name);
}

TEST_F(RoomsTest, SelfCollaborationHasTwoSidesInOneMetastore) {
  RoomSpec spec = Spec("dry");
  spec.collaborators = {{"left", GlobalId(federation_), "", 0},
                        {"right", GlobalId(federation_), "fred@federation.example", 1}};
  Check(rooms_->rooms().Create(federation_, spec));
  EXPECT_EQ(rooms_->rooms().Get(federation_, "dry")->alias, "left");
  const auto other = rooms_->rooms().Join(federation_, "dry_right");
  ASSERT_TRUE(other.ok()) << other.status().message();
  EXPECT_EQ(other->alias, "right");
  EXPECT_EQ(other->room.state, RoomState::kActive);
  EXPECT_EQ(Events("dry").size(), 3U) << "each side signs with a key of its own";
}

TEST_F(RoomsTest, SidesOfOneMetastoreDoNotSeeEachOthersExports) {
  RoomSpec spec = Spec("dry");
  spec.collaborators = {{"left", GlobalId(federation_), "", 0},
                        {"right", GlobalId(federation_), "fred@federation.example", 1}};
  Check(rooms_->rooms().Create(federation_, spec));
  Check(rooms_->rooms().CreateOutputCatalog(federation_, "dry_right", "dry_out"));
  NotebookSpec notebook;
  notebook.name = "overlap";
  notebook.content = Base64Encode("SELECT 1");
  const auto made = rooms_->notebooks().Publish(federation_, "dry_right", notebook);
  Check(made);
  Check(rooms_->notebooks().Review(federation_, "dry", "overlap", {made->version.etag, Decision::kApproved, ""}));
  const auto run = rooms_->runs().Submit(federation_, Submission("overlap", "dry_right"));
  Check(run);
  Settle();
  EXPECT_EQ(rooms_->runs().Get(federation_, run->run.id)->room_name, "dry_right");
  EXPECT_EQ(LastRun(federation_).room_name, "dry_right");

  const auto outputs = rooms_->outputs().List(federation_, "dry_right");
  ASSERT_EQ(outputs->size(), 1U);
  const auto item = rooms_->outputs().CreateExport(federation_, "dry_right", outputs->front().output.id);
  Check(item);
  EXPECT_EQ(rooms_->outputs().Exports(federation_, "dry_right")->size(), 1U);
  EXPECT_EQ(rooms_->outputs().Exports(federation_, "dry")->size(), 0U);
  EXPECT_EQ(CodeOf(rooms_->outputs().GetExport(federation_, "dry", item->id)), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(rooms_->outputs().Content(federation_, "dry", item->id)), ErrorCode::kNotFound);
}

TEST_F(RoomsTest, DecliningAnInvitationFailsTheRoom) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  Check(rooms_->DeleteRoom(insurer_, "games"));
  EXPECT_EQ(CodeOf(rooms_->rooms().Get(insurer_, "games")), ErrorCode::kNotFound);
  const auto left = rooms_->rooms().Get(federation_, "games");
  EXPECT_EQ(left->room.state, RoomState::kFailed);
  EXPECT_NE(left->room.reason.find("'ins'"), std::string::npos);
  EXPECT_EQ(
      CodeOf(rooms_->assets().PublishTable(federation_, "games", {"fed.sports.athletes", "main.default.athletes"})),
      ErrorCode::kInvalidState);
}

TEST_F(RoomsTest, DeletingClosesTheRoomForAll) {
  MakeActiveRoom();
  MakeNotebook();
  Check(rooms_->DeleteRoom(insurer_, "games"));
  EXPECT_EQ(CodeOf(rooms_->rooms().Get(insurer_, "games")), ErrorCode::kNotFound);
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->room.state, RoomState::kClosed);
  EXPECT_EQ(Events()[Events().size() - 2], "room.closing");
  EXPECT_EQ(Events().back(), "room.closed");
  EXPECT_EQ(CodeOf(rooms_->runs().Submit(federation_, Submission())), ErrorCode::kInvalidState);
  Check(rooms_->rooms().Create(insurer_, [&] {
    RoomSpec again = Spec("games2");
    again.collaborators = {{"ins", GlobalId(insurer_), "", 0}};
    return again;
  }()));
  Check(rooms_->DeleteRoom(federation_, "games"));
  Check(rooms_->rooms().Create(federation_, Spec("games")));
}

TEST_F(RoomsTest, PublishedTableCannotBeDroppedWhileTheRoomHoldsIt) {
  MakeActiveRoom();
  const auto drop = [&] {
    return catalog_->securables.Delete(insurer_, catalog::SecurableKind::kTable, "main.default.customers",
                                       catalog::IfNotEmpty::kFail);
  };
  EXPECT_EQ(drop().code(), ErrorCode::kInvalidState);
  Check(rooms_->DeleteRoom(federation_, "games"));
  EXPECT_TRUE(drop().ok()) << drop().message();
}

TEST_F(RoomsTest, ADeclinedRoomHoldsNothingAndKeepsNoCopy) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  Check(rooms_->assets().PublishTable(federation_, "games", {"fed.sports.athletes", "main.default.athletes"}));
  Check(rooms_->assets().SetRule(federation_, "games", "fed.sports.athletes", Rule()));
  EXPECT_EQ(PreparedFiles(), 1U);
  Check(rooms_->DeleteRoom(insurer_, "games"));
  EXPECT_EQ(PreparedFiles(), 0U);
  const Status dropped = catalog_->securables.Delete(federation_, catalog::SecurableKind::kTable,
                                                     "main.default.athletes", catalog::IfNotEmpty::kFail);
  EXPECT_TRUE(dropped.ok()) << dropped.message();
}

TEST_F(RoomsTest, AClosedRoomKeepsNoCopies) {
  MakeActiveRoom();
  MakeNotebook();
  EXPECT_EQ(PreparedFiles(), 2U);
  Restart();  // nothing of them is in memory
  Check(rooms_->DeleteRoom(insurer_, "games"));
  EXPECT_EQ(PreparedFiles(), 0U);
  EXPECT_EQ(CodeOf(rooms_->notebooks().Preview(federation_, "games", "overlap", {})), ErrorCode::kInvalidState);
  EXPECT_EQ(PreparedFiles(), 0U);
}

TEST_F(RoomsTest, WhatACrashLeftOfAClosedRoomsCopiesGoesWithTheNextStart) {
  MakeActiveRoom();
  const auto tx = database_->Begin(store::Access::kWrite);
  ASSERT_EQ((*tx)->Execute("UPDATE room_rooms SET state = 'CLOSED'", {}).value(), 1);
  Check((*tx)->Commit());
  Restart();
  EXPECT_EQ(PreparedFiles(), 0U);
  EXPECT_EQ((*database_->Begin(store::Access::kRead))->QueryOne("SELECT COUNT(*) FROM room_prepared").value()->Int(0),
            0);
}

TEST_F(RoomsTest, AnOutputCatalogOfAnAttemptThatFailedIsTaken) {
  Check(rooms_->rooms().Create(federation_, Spec("games")));
  Check(rooms_->rooms().Create(federation_, Spec("other")));
  Check(catalog_->securables.CreateCatalog(federation_, "mine", "", catalog::IfExists::kFail));
  EXPECT_EQ(CodeOf(rooms_->rooms().CreateOutputCatalog(federation_, "games", "mine")), ErrorCode::kAlreadyExists);
  // What a crash leaves before the room knows of it.
  Check(metastores_->CreateOutputCatalog(federation_, "games_out"));
  Check(rooms_->rooms().CreateOutputCatalog(federation_, "games", "games_out"));
  EXPECT_EQ(rooms_->rooms().Get(federation_, "games")->output_catalog, "games_out");
  EXPECT_EQ(CodeOf(rooms_->rooms().CreateOutputCatalog(federation_, "other", "GAMES_out")), ErrorCode::kAlreadyExists);
}

}  // namespace
}  // namespace glovebox::room
