// SPDX-License-Identifier: Apache-2.0
#include "ledger/commitment.h"
#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

class EvidenceTest : public RoomTest {
 protected:
  EvidenceTest() {
    MakeActiveRoom();
    Approve(MakeNotebook());
  }
  std::string Tar() {
    std::string tar;
    Check(rooms_->WriteEvidence(insurer_, "games", [&](std::string_view piece) {
      tar += piece;
      return Status();
    }));
    return tar;
  }
  // Whether an entry names what is not there, or nothing names what is there.
  static bool HasStrayContent(const ledger::Report& report) {
    const std::string text = report.ToText();
    return text.find("is not in this bundle") != std::string::npos ||
           text.find("no entry names this content") != std::string::npos;
  }
  ledger::Report Verified(const std::string& tar) {
    const std::string path = data_folder_ + "/evidence.tar";
    GB_ASSERT(WriteFileDurably(path, tar).ok());
    const auto report = ledger::VerifyPath(path, {});
    GB_ASSERT(report.ok());
    return *report;
  }
};

TEST_F(EvidenceTest, VerifiesOfflineAndNamesAChangedEntry) {
  const OutputId id = RunToEnd()[0].output.id;
  Check(rooms_->outputs().CreateExport(federation_, "games", id));
  std::string tar = Tar();
  const ledger::Report report = Verified(tar);
  EXPECT_TRUE(report.ok) << report.ToText();
  EXPECT_FALSE(HasStrayContent(report)) << report.ToText();
  EXPECT_EQ(report.size, Events().size());

  const std::size_t place = tar.find("approval.granted");
  ASSERT_NE(place, std::string::npos);
  tar[place] = 'A';
  EXPECT_FALSE(Verified(tar).ok);
}

TEST_F(EvidenceTest, OpensTheParametersOfTheOwnSidesRunsOnly) {
  SubmitSpec spec = Submission();
  spec.parameters = json::Value(json::Object{{"sport", "Rowing"}});
  Check(rooms_->runs().Submit(federation_, spec));
  Settle();
  const auto bundle = [&](const Caller& caller) {
    std::string tar;
    Check(rooms_->WriteEvidence(caller, "games", [&](std::string_view piece) {
      tar += piece;
      return Status();
    }));
    EXPECT_TRUE(Verified(tar).ok) << Verified(tar).ToText();
    return tar;
  };
  EXPECT_NE(bundle(federation_).find("data/openings/"), std::string::npos);
  EXPECT_EQ(bundle(insurer_).find("data/openings/"), std::string::npos);
  for (const std::string& entry : Entries()) {
    EXPECT_EQ(entry.find("Rowing"), std::string::npos);
    const json::Value parsed = json::Parse(entry).value();
    if (parsed.GetString("type") == "run.authorized") {
      const std::string opening = LastRun(federation_).run.parameters_opening;
      const std::string commitment = parsed.Get("data")->Get("sd")->as_array()[0].as_string();
      const auto opened = ledger::OpenCommitment(opening, commitment);
      ASSERT_TRUE(opened.ok());
      EXPECT_EQ(opened->value, spec.parameters);
    }
  }
  EXPECT_EQ(RunsInRoom(insurer_).front().run.parameters_opening, "");
}

TEST_F(EvidenceTest, HasWhatWasWithdrawnAndReplacedSince) {
  RunToEnd();
  json::Value rule = Rule();
  rule.as_object().Set("min_units", 80);
  Check(rooms_->assets().SetRule(insurer_, "games", "ins.health.customers", rule));
  Check(rooms_->notebooks().Withdraw(federation_, "games", "overlap"));
  Check(rooms_->assets().WithdrawTable(insurer_, "games", "ins.health.customers"));
  const std::string tar = Tar();
  EXPECT_NE(tar.find("SELECT sport, COUNT(*) AS people"), std::string::npos);
  EXPECT_NE(tar.find(json::WriteCanonical(rule)), std::string::npos);
  const ledger::Report report = Verified(tar);
  EXPECT_TRUE(report.ok && !HasStrayContent(report)) << report.ToText();
}

TEST_F(EvidenceTest, AMissingContentIsNoticed) {
  RunToEnd();
  const auto tx = database_->Begin(store::Access::kWrite);
  ASSERT_EQ((*tx)
                ->Execute("DELETE FROM room_rule_texts WHERE room_id = ?",
                          {rooms_->rooms().Get(federation_, "games")->room.id.str()})
                .value(),
            1)
      << "both sides have set the same rule";
  Check((*tx)->Commit());
  const ledger::Report report = Verified(Tar());
  EXPECT_TRUE(HasStrayContent(report)) << report.ToText();
}

TEST_F(EvidenceTest, OneBundleOfARoomAtATime) {
  int refused = 0;
  Check(rooms_->WriteEvidence(insurer_, "games", [&](std::string_view) {
    const Status second = rooms_->WriteEvidence(federation_, "games", [](std::string_view) { return Status(); });
    refused += second.code() == ErrorCode::kResourceExhausted ? 1 : 0;
    return Status();
  }));
  EXPECT_GT(refused, 0);
  EXPECT_FALSE(Tar().empty()) << "the next one is made";
  EXPECT_EQ(CodeOf(rooms_->WriteEvidence(insurer_, "games",
                                         [](std::string_view) { return Status(ErrorCode::kUnavailable, "gone"); })),
            ErrorCode::kUnavailable);
  EXPECT_FALSE(Tar().empty()) << "also after one that failed";
}

TEST_F(EvidenceTest, AReplacedApprovalRuleEndsWithItsEntry) {
  RuleSpec spec;
  spec.any_author = true;
  spec.runner_alias = "ins";
  const auto rule = rooms_->notebooks().CreateRule(insurer_, "games", spec);
  Check(rule);
  spec.any_author.reset();
  spec.author_alias = "fed";
  const auto changed = rooms_->notebooks().UpdateRule(insurer_, "games", rule->id, spec);
  Check(changed);
  const auto entry = json::Parse(Entries().back());
  EXPECT_EQ(entry->GetString("type"), "rule.created");
  EXPECT_EQ(entry->Get("data")->GetString("replaces"), rule->ledger_id);
  Check(rooms_->notebooks().DeleteRule(insurer_, "games", rule->id));
  EXPECT_TRUE(Verified(Tar()).ok);
  EXPECT_EQ(CountEvents("rule.deleted"), 1);
}

}  // namespace
}  // namespace glovebox::room
