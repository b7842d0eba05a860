// SPDX-License-Identifier: Apache-2.0
//
// How much of everything a caller may leave in a room.
#include <string>

#include "base/limits.h"
#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

class BoundsTest : public RoomTest {
 protected:
  void Execute(const std::string& sql, const std::vector<store::Value>& values = {}) {
    const auto tx = database_->Begin(store::Access::kWrite);
    ASSERT_TRUE(tx.ok());
    Check((*tx)->Execute(sql, values));
    Check((*tx)->Commit());
  }
};

TEST_F(BoundsTest, InvitationsHaveAnAddressOfBoundedLength) {
  RoomSpec spec = Spec("games");
  spec.collaborators[1].invite_email = std::string(limits::kEmailBytesMax + 1, 'a');
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, spec)), ErrorCode::kInvalidParameterValue);
  spec.collaborators[1].invite_email.pop_back();
  EXPECT_EQ(CodeOf(rooms_->rooms().Create(federation_, spec)), ErrorCode::kOk);
}

TEST_F(BoundsTest, TextsOfANotebook) {
  MakeActiveRoom();
  NotebookSpec spec;
  spec.name = "overlap";
  spec.content = Base64Encode("SELECT 1");
  spec.description = std::string(limits::kNotebookDescriptionBytesMax + 1, 'a');
  EXPECT_EQ(CodeOf(rooms_->notebooks().Publish(federation_, "games", spec)), ErrorCode::kInvalidParameterValue);
  spec.description->pop_back();
  spec.environment_version = std::string(limits::kEnvironmentVersionBytesMax + 1, 'a');
  EXPECT_EQ(CodeOf(rooms_->notebooks().Publish(federation_, "games", spec)), ErrorCode::kInvalidParameterValue);
  spec.environment_version->pop_back();
  EXPECT_EQ(CodeOf(rooms_->notebooks().Publish(federation_, "games", spec)), ErrorCode::kOk);
  spec.environment_version = std::string(limits::kEnvironmentVersionBytesMax + 1, 'a');
  EXPECT_EQ(CodeOf(rooms_->notebooks().Update(federation_, "games", spec)), ErrorCode::kInvalidParameterValue);
}

TEST_F(BoundsTest, VersionsOfANotebook) {
  MakeActiveRoom();
  MakeNotebook();
  Execute("UPDATE room_notebook_versions SET number = ?",
          {static_cast<std::int64_t>(limits::kNotebookVersionsMax) - 1});
  NotebookSpec spec;
  spec.name = "overlap";
  spec.content = Base64Encode("SELECT 1");
  EXPECT_EQ(CodeOf(rooms_->notebooks().Update(federation_, "games", spec)), ErrorCode::kOk);
  spec.content = Base64Encode("SELECT 2");
  EXPECT_EQ(CodeOf(rooms_->notebooks().Update(federation_, "games", spec)), ErrorCode::kResourceExhausted);
}

TEST_F(BoundsTest, AutoApprovalRulesOfARoom) {
  MakeActiveRoom();
  RuleSpec spec;
  spec.any_author = true;
  spec.runner_alias = "ins";
  for (std::size_t i = 0; i < limits::kApprovalRulesPerRoomMax; ++i) {
    ASSERT_EQ(CodeOf(rooms_->notebooks().CreateRule(insurer_, "games", spec)), ErrorCode::kOk);
  }
  EXPECT_EQ(CodeOf(rooms_->notebooks().CreateRule(insurer_, "games", spec)), ErrorCode::kResourceExhausted);
}

class RoomBoundsTest : public BoundsTest {
 protected:
  RoomBoundsTest() { Check(rooms_->rooms().Create(federation_, Spec("games"))); }
  // The federation's rooms like the first one, which invites the insurer.
  void AddRooms(std::size_t count) {
    const auto tx = database_->Begin(store::Access::kWrite);
    ASSERT_TRUE(tx.ok());
    const auto games = FindMembership(**tx, federation_.organisation, "games");
    ASSERT_TRUE(games.ok() && games->has_value());
    for (std::size_t i = 0; i < count; ++i) {
      Room room = (*games)->room;
      room.id = RoomId("room-" + std::to_string(i));
      std::vector<Statement> statements = {InsertRoom(room)};
      for (Member& member : room.members) {
        member.local_name = "games" + std::to_string(i);
        statements.push_back(InsertMember(room.id, statements.size() - 1, member));
      }
      for (const Statement& statement : statements) {
        Check((*tx)->Execute(statement.sql, statement.parameters));
      }
    }
    Check((*tx)->Commit());
  }
  void JoinAll() { Execute("UPDATE room_members SET joined_at = created_at WHERE room_id <> ?", {FirstRoom()}); }
  store::Value FirstRoom() { return rooms_->rooms().Get(federation_, "games")->room.id.str(); }
  ErrorCode Create(const Caller& caller, const std::string& name) {
    RoomSpec spec = Spec(name);
    if (caller.organisation == insurer_.organisation) {
      std::swap(spec.collaborators[0].invite_email, spec.collaborators[1].invite_email);
    }
    return CodeOf(rooms_->rooms().Create(caller, spec));
  }
};

TEST_F(RoomBoundsTest, RoomsOfAnOrganisationThatHaveNotEnded) {
  AddRooms(limits::kRoomsPerOrganisationMax - 1);
  JoinAll();
  EXPECT_EQ(Create(federation_, "more"), ErrorCode::kResourceExhausted);
  Execute("UPDATE room_rooms SET state = 'CLOSED' WHERE id = 'room-7'");
  EXPECT_EQ(Create(federation_, "more"), ErrorCode::kOk);
}

TEST_F(RoomBoundsTest, InvitationsDoNotCountUntilTheyAreAccepted) {
  AddRooms(limits::kRoomsPerOrganisationMax);
  EXPECT_EQ(Create(insurer_, "own"), ErrorCode::kOk);
  JoinAll();
  EXPECT_EQ(Create(insurer_, "more"), ErrorCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(rooms_->rooms().Join(insurer_, "games")), ErrorCode::kResourceExhausted);
  Execute("UPDATE room_rooms SET state = 'CLOSED' WHERE id IN ('room-7', 'room-8')");
  EXPECT_EQ(CodeOf(rooms_->rooms().Join(insurer_, "games")), ErrorCode::kOk);
}

TEST_F(RoomBoundsTest, InvitationsThatWaitForAnAnswer) {
  AddRooms(limits::kInvitationsOpenMax - 2);
  EXPECT_EQ(Create(federation_, "last"), ErrorCode::kOk);
  EXPECT_EQ(Create(federation_, "more"), ErrorCode::kResourceExhausted);
  EXPECT_EQ(Create(insurer_, "own"), ErrorCode::kOk) << "who is invited may invite";
  Check(rooms_->rooms().Join(insurer_, "last"));
  EXPECT_EQ(Create(federation_, "more"), ErrorCode::kOk);
}

}  // namespace
}  // namespace glovebox::room
