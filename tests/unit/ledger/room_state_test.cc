// SPDX-License-Identifier: Apache-2.0
//
// The order of events, tried through the log: what it refuses, verification reports (verify_test.cc has that side).
#include "ledger/room_state.h"

#include <gtest/gtest.h>

#include "ledger/key_history.h"
#include "tests/unit/ledger/fixture.h"

namespace glovebox::ledger {
namespace {

const std::string kServer(kOperator);

class RoomStateTest : public testing::Test {
 protected:
  RoomStateTest() : log_(Must(room_.Create(folder_ / "log"))) {}

  // Tells the whole story up to, not including, the first event of this type.
  void TellUntil(EventType type) {
    for (const Step& step : WholeStory()) {
      if (step.type == type) {
        return;
      }
      Do(step.type, step.party, step.subject, step.data);
    }
  }
  void Do(EventType type, const std::string& party, const std::string& subject, json::Object data = {}) {
    const auto receipt = Act(*log_, room_, type, party, subject, std::move(data));
    ASSERT_TRUE(receipt.ok()) << WireName(type) << ": " << receipt.status().message();
  }
  // That the log refuses the event, for this reason, and stays as it was.
  void Refuses(EventType type, const std::string& party, const std::string& subject, json::Object data,
               const std::string& why) {
    const std::uint64_t size = log_->Latest().checkpoint.size;
    const auto receipt = Act(*log_, room_, type, party, subject, std::move(data));
    ASSERT_FALSE(receipt.ok()) << WireName(type);
    EXPECT_NE(receipt.status().message().find(why), std::string::npos) << receipt.status().message();
    EXPECT_EQ(log_->Latest().checkpoint.size, size);
  }

  TestRoom room_;
  TemporaryFolder folder_;
  std::unique_ptr<Log> log_;
};

TEST_F(RoomStateTest, StrangersAndTheOperatorDoNotActForCollaborators) {
  Refuses(EventType::kAssetPublished, "stranger", "a", {}, "signed by its actor");
  Refuses(EventType::kAuditRead, "stranger", "a", {}, "no collaborator");
  Refuses(EventType::kAssetPublished, kServer, "a", {}, "not the operator");
  Refuses(EventType::kAssetPublished, "insurer", "a", {}, "has not joined");
}

TEST_F(RoomStateTest, PartiesSignForThemselvesOnly) {
  EntryFields fields;
  fields.type = EventType::kAssetPublished;
  fields.party = "federation";
  fields.subject = "a";
  EXPECT_FALSE(log_->Append(fields).ok());
  EXPECT_FALSE(log_->Append(fields, room_.insurer.get()).ok());
  EXPECT_FALSE(log_->Append(fields, room_.federation_witness.get()).ok());
  EXPECT_TRUE(log_->Append(fields, room_.federation.get()).ok());
}

TEST_F(RoomStateTest, StatementsOfOtherEntriesAreRefused) {
  TellUntil(EventType::kApprovalGranted);
  const auto receipt = Must(Act(*log_, room_, EventType::kApprovalGranted, "insurer", "etag-1"));
  const Entry entry = Must(ParseEntry(Must(log_->Read(receipt.index))));
  EntryFields replayed;
  replayed.type = EventType::kApprovalGranted;
  replayed.party = "insurer";
  replayed.subject = "etag-1";
  replayed.statement = entry.statement;
  replayed.id = entry.id;
  EXPECT_EQ(log_->Append(replayed).status().code(), ErrorCode::kAlreadyExists);
  replayed.id = "";
  EXPECT_FALSE(log_->Append(replayed).ok());
}

TEST_F(RoomStateTest, ARoomIsActiveOnceAllHaveJoined) {
  Refuses(EventType::kRoomActive, kServer, "athletes", {}, "not all collaborators");
  Refuses(EventType::kRoomJoined, "federation", "athletes", {}, "joined before");
  Do(EventType::kRoomJoined, "insurer", "athletes");
  Do(EventType::kRoomActive, kServer, "athletes");
  Refuses(EventType::kRoomActive, kServer, "athletes", {}, "active already");
  Refuses(EventType::kRoomCreated, "federation", "athletes", {}, "entry 0");
}

TEST_F(RoomStateTest, AssetsAreTheirPublishers) {
  Do(EventType::kAssetPublished, "federation", "a");
  Refuses(EventType::kAssetPublished, "federation", "a", {}, "published already");
  Do(EventType::kRoomJoined, "insurer", "athletes");
  Refuses(EventType::kAssetUpdated, "insurer", "a", {}, "has not published");
  Refuses(EventType::kAssetWithdrawn, "insurer", "a", {}, "has not published");
  Do(EventType::kAssetUpdated, "federation", "a");
  Do(EventType::kAssetWithdrawn, "federation", "a");
  Refuses(EventType::kAssetUpdated, "federation", "a", {}, "has not published");
}

TEST_F(RoomStateTest, CodeNeedsItsDigest) {
  Refuses(EventType::kCodeSubmitted, "federation", "e", {{"notebook", "n"}}, "sha256");
  Refuses(EventType::kCodeSubmitted, "federation", "e", {{"notebook", "n"}, {"sha256", "ABCD"}}, "sha256");
}

TEST_F(RoomStateTest, AuthorsDoNotApproveTheirOwnCode) {
  TellUntil(EventType::kApprovalGranted);
  Refuses(EventType::kApprovalGranted, "federation", "etag-1", {}, "own code");
  Refuses(EventType::kApprovalGranted, "insurer", "etag-2", {}, "never submitted");
  Refuses(EventType::kCodeSubmitted, "insurer", "etag-1", {{"notebook", "n"}, {"sha256", kDigest}}, "another");
}

TEST_F(RoomStateTest, NoRunWithoutApproval) {
  TellUntil(EventType::kApprovalGranted);
  Do(EventType::kRunRequested, "federation", "run-1", {{"etag", "etag-1"}});
  Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "etag-1"}}, "'insurer' has not approved");
  Do(EventType::kApprovalDenied, "insurer", "etag-1");
  Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "etag-1"}}, "'insurer' has not approved");
  Refuses(EventType::kRunStarted, kServer, "run-1", {}, "not authorised");
  Do(EventType::kRunDenied, kServer, "run-1");
  Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "etag-1"}}, "does not wait");
}

TEST_F(RoomStateTest, ApprovalsAreOfOneVersion) {
  TellUntil(EventType::kRunRequested);
  Do(EventType::kCodeSubmitted, "federation", "etag-2", {{"notebook", "heights"}, {"sha256", kDigest}});
  Do(EventType::kRunRequested, "federation", "run-1", {{"etag", "etag-2"}});
  Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "etag-2"}}, "has not approved");
  Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "etag-1"}}, "not the one requested");
}

TEST_F(RoomStateTest, SubmittingAgainAndDenyingEndApprovals) {
  TellUntil(EventType::kRunRequested);
  Do(EventType::kRunRequested, "federation", "run-1", {{"etag", "etag-1"}});
  Do(EventType::kApprovalDenied, "insurer", "etag-1");
  Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "etag-1"}}, "has not approved");
  Do(EventType::kApprovalGranted, "insurer", "etag-1");
  Do(EventType::kCodeSubmitted, "federation", "etag-1", {{"notebook", "heights"}, {"sha256", kDigest}});
  Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "etag-1"}}, "has not approved");
}

TEST_F(RoomStateTest, RunnersAreThoseApproved) {
  TellUntil(EventType::kCodeSubmitted);
  Do(EventType::kCodeSubmitted, "federation", "e",
     {{"notebook", "n"}, {"sha256", kDigest}, {"runners", json::Array{"federation"}}});
  Do(EventType::kApprovalGranted, "insurer", "e");
  Do(EventType::kRunRequested, "insurer", "run-1", {{"etag", "e"}});
  Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "e"}}, "not among those approved");
}

TEST_F(RoomStateTest, RulesApproveForTheirParty) {
  TellUntil(EventType::kApprovalGranted);
  Refuses(EventType::kRuleApplied, kServer, "etag-1", {{"rule", "r"}}, "does not exist");
  Do(EventType::kRuleCreated, "federation", "own");
  Refuses(EventType::kRuleApplied, kServer, "etag-1", {{"rule", "own"}}, "own party");
  Do(EventType::kRuleCreated, "insurer", "other", {{"author", "insurer"}});
  Refuses(EventType::kRuleApplied, kServer, "etag-1", {{"rule", "other"}}, "another author");
  Do(EventType::kRuleCreated, "insurer", "runner", {{"runner", "federation"}});
  Refuses(EventType::kRuleApplied, kServer, "etag-1", {{"rule", "runner"}}, "another runner");
  Do(EventType::kRuleCreated, "insurer", "any", {{"author", "federation"}});
  Refuses(EventType::kRuleCreated, "insurer", "any", {}, "rule of this id");
  Do(EventType::kRuleApplied, kServer, "etag-1", {{"rule", "any"}});
  Do(EventType::kRunRequested, "federation", "run-1", {{"etag", "etag-1"}});
  Do(EventType::kRunAuthorized, kServer, "run-1", Authorisation("etag-1"));
}

TEST_F(RoomStateTest, RunsUseWhatIsPublishedUnderItsLastRule) {
  TellUntil(EventType::kRunAuthorized);
  const auto refuses = [&](json::Value inputs, const std::string& why) {
    Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "etag-1"}, {"inputs", std::move(inputs)}}, why);
  };
  const auto input = [](const std::string& asset, const std::string& owner, const std::string& rule) {
    return json::Array{json::Object{{"asset", asset}, {"owner", owner}, {"rule_sha256", rule}}};
  };
  Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "etag-1"}}, "'inputs' is missing");
  refuses(json::Array{"athletes"}, "no object");
  refuses(input("athletes", "insurer", kDigest), "not published");
  refuses(input("athletes", "federation", kContract), "another rule");
  refuses(input("customers", "insurer", ""), "another rule");
  Do(EventType::kRuleSet, "federation", "athletes", {{"rule_sha256", kContract}});
  refuses(input("athletes", "federation", kDigest), "another rule");
  Do(EventType::kAssetWithdrawn, "federation", "athletes");
  refuses(input("athletes", "federation", kContract), "not published");
  Do(EventType::kAssetPublished, "federation", "athletes");
  refuses(input("athletes", "federation", kContract), "another rule");
  Do(EventType::kRuleSet, "federation", "athletes", {{"rule_sha256", kDigest}});
  Do(EventType::kRunAuthorized, kServer, "run-1", Authorisation("etag-1"));
}

TEST_F(RoomStateTest, RulesAreSetByWhoPublishes) {
  TellUntil(EventType::kApprovalGranted);
  Refuses(EventType::kRuleSet, "insurer", "athletes", {{"rule_sha256", kDigest}}, "has not published");
  Refuses(EventType::kRuleSet, "federation", "athletes", {}, "'rule_sha256'");
}

TEST_F(RoomStateTest, NoRunBeforeTheRoomIsActive) {
  Do(EventType::kRoomJoined, "insurer", "athletes");
  Do(EventType::kCodeSubmitted, "federation", "e", {{"notebook", "n"}, {"sha256", kDigest}});
  Do(EventType::kApprovalGranted, "insurer", "e");
  Do(EventType::kRunRequested, "federation", "run-1", {{"etag", "e"}});
  Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "e"}}, "not active");
}

TEST_F(RoomStateTest, RunsGoForwardOnly) {
  TellUntil(EventType::kRunCompleted);
  Refuses(EventType::kRunRequested, "federation", "run-1", {{"etag", "etag-1"}}, "run of this id");
  Refuses(EventType::kRunAuthorized, kServer, "run-1", {{"etag", "etag-1"}}, "does not wait");
  Refuses(EventType::kRunCompleted, kServer, "run-2", {}, "never requested");
  Do(EventType::kRunFailed, kServer, "run-1");
  Refuses(EventType::kRunCompleted, kServer, "run-1", {}, "has not started");
  Refuses(EventType::kRunFailed, kServer, "run-1", {}, "has ended");
  Refuses(EventType::kOutputCreated, kServer, "o", {{"run", "run-1"}}, "no run that has started");
}

TEST_F(RoomStateTest, NoExportWithoutReview) {
  TellUntil(EventType::kReviewDecided);
  Do(EventType::kExportRequested, "federation", "x", {{"output", "output-1"}});
  const json::Object release = {{"output", "output-1"}, {"sha256", kDigest}};
  Refuses(EventType::kExportReleased, kServer, "x", release, "not released by a review");
  Refuses(EventType::kReviewDecided, "federation", "output-1", {{"decision", "approved"}}, "its own output");
  Refuses(EventType::kReviewDecided, "insurer", "output-1", {{"decision", "maybe"}}, "neither");
  Do(EventType::kReviewDecided, "insurer", "output-1", {{"decision", "rejected"}});
  Refuses(EventType::kExportReleased, kServer, "x", release, "rejected");
  Do(EventType::kReviewDecided, "insurer", "output-1", {{"decision", "approved"}});
  Refuses(EventType::kExportReleased, kServer, "x", {{"output", "output-1"}}, "sha256");
  Refuses(EventType::kExportReleased, kServer, "y", release, "no open request");
  Do(EventType::kExportReleased, kServer, "x", release);
  Refuses(EventType::kExportReleased, kServer, "x", release, "no open request");
}

TEST_F(RoomStateTest, AutomaticReviewNeedsTheApprovedContract) {
  TellUntil(EventType::kReviewDecided);
  Refuses(EventType::kReviewDecided, kServer, "output-1", {{"decision", "approved"}}, "not the operator");
  Refuses(EventType::kReviewDecided, kServer, "output-1", {{"decision", "approved"}, {"automatic", true}}, "contract");
  Refuses(EventType::kReviewDecided, kServer, "output-1",
          {{"decision", "approved"}, {"automatic", true}, {"contract_sha256", kDigest}}, "contract");
}

TEST_F(RoomStateTest, ExpiredOutputsAreNotExported) {
  TellUntil(EventType::kExportReleased);
  Do(EventType::kOutputExpired, kServer, "output-1");
  Refuses(EventType::kExportReleased, kServer, "export-1", {{"output", "output-1"}, {"sha256", kDigest}}, "expired");
  Refuses(EventType::kOutputExpired, kServer, "output-1", {}, "expired");
  Refuses(EventType::kOutputExpired, kServer, "output-9", {}, "no output");
}

TEST_F(RoomStateTest, AClosingRoomTakesNoNewRuns) {
  TellUntil(EventType::kRunStarted);
  Do(EventType::kRoomClosing, "insurer", "athletes");
  Refuses(EventType::kRoomClosing, "federation", "athletes", {}, "closing already");
  Refuses(EventType::kRunRequested, "federation", "run-2", {{"etag", "etag-1"}}, "closing");
  Do(EventType::kRunStarted, kServer, "run-1");
}

TEST_F(RoomStateTest, WhoWasInvitedMayDecline) {
  Do(EventType::kRoomClosed, "insurer", "athletes");
  Refuses(EventType::kAssetPublished, "federation", "a", {}, "closed");
}

TEST_F(RoomStateTest, DeletedRulesApproveNothing) {
  TellUntil(EventType::kApprovalGranted);
  Do(EventType::kRuleCreated, "insurer", "r");
  Refuses(EventType::kRuleDeleted, "federation", "r", {}, "another collaborator's");
  Do(EventType::kRuleDeleted, "insurer", "r");
  Refuses(EventType::kRuleDeleted, "insurer", "r", {}, "no rule");
  Refuses(EventType::kRuleApplied, kServer, "etag-1", {{"rule", "r"}}, "does not exist");
}

TEST_F(RoomStateTest, NothingFollowsTheEnd) {
  Tell(*log_, room_, WholeStory());
  for (const EventType type : {EventType::kAuditRead, EventType::kAccessDenied}) {
    Refuses(type, kServer, "x", {}, "closed");
  }
  Refuses(EventType::kRoomClosed, "insurer", "athletes", {}, "closed");
  log_.reset();
  log_ = Must(room_.Open(folder_ / "log"));
  Refuses(EventType::kAuditRead, kServer, "x", {}, "closed");
}

TEST_F(RoomStateTest, EnrolledKeysSignFromThenOn) {
  const auto fresh = SignerFromByte(20);
  const VerifierKey key{"federation.example/second", KeyAlgorithm::kEd25519Note, fresh->public_key()};
  const json::Object enrolment = Must(MakeEnrolment(log_->origin(), KeyRole::kStatement, key, *fresh, room_.random));
  EntryFields use;
  use.type = EventType::kAssetPublished;
  use.party = "federation";
  use.subject = "a";
  EXPECT_FALSE(log_->Append(use, fresh.get()).ok());
  Do(EventType::kKeyEnrolled, "federation", key.NameAndId(), enrolment);
  EXPECT_TRUE(log_->Append(use, fresh.get()).ok());
  Refuses(EventType::kKeyEnrolled, "federation", key.NameAndId(), enrolment, "enrolled already");
}

TEST_F(RoomStateTest, EnrolmentNeedsAProofAndAGoodKey) {
  const auto fresh = SignerFromByte(20);
  const auto other = SignerFromByte(21);
  const VerifierKey key{"federation.example/second", KeyAlgorithm::kEd25519Note, fresh->public_key()};
  const std::string id = key.NameAndId();
  Refuses(EventType::kKeyEnrolled, "federation", id,
          Must(MakeEnrolment(log_->origin(), KeyRole::kStatement, key, *other, room_.random)), "proof of possession");
  Refuses(EventType::kKeyEnrolled, "federation", id,
          Must(MakeEnrolment("elsewhere.example/room/1", KeyRole::kStatement, key, *fresh, room_.random)),
          "proof of possession");
  Refuses(EventType::kKeyEnrolled, "federation", id,
          Must(MakeEnrolment(log_->origin(), KeyRole::kWitness, key, *fresh, room_.random)), "does not fit");
  // The insurer's own key, under another name.
  const VerifierKey taken{"federation.example/third", KeyAlgorithm::kEd25519Note, room_.insurer->public_key()};
  Refuses(EventType::kKeyEnrolled, "federation", taken.NameAndId(),
          Must(MakeEnrolment(log_->origin(), KeyRole::kStatement, taken, *room_.insurer, room_.random)), "already");
  // A key of order 1, for which one signature verifies over everything.
  json::Object weak = Must(MakeEnrolment(log_->origin(), KeyRole::kStatement, key, *fresh, room_.random));
  weak.Set("vkey", "weak+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  Refuses(EventType::kKeyEnrolled, "federation", id, weak, "");
}

}  // namespace
}  // namespace glovebox::ledger
