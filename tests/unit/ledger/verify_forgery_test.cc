// SPDX-License-Identifier: Apache-2.0
//
// What a dishonest operator could hand out, who holds the log's key and whatever others it was given.
#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "base/ids.h"
#include "ledger/replay.h"
#include "ledger/tiles.h"
#include "ledger/verify.h"
#include "tests/unit/ledger/verify_fixture.h"

namespace glovebox::ledger {
namespace {

// A bundle that a dishonest operator makes: it holds the log's key, and whatever others it was given.
class Forger {
 public:
  explicit Forger(TestRoom& room) : room_(room) {}

  void Add(Entry entry, const Signer* author) {
    entry.seq = tree_.size();
    entry.room = tree_.size() == 0 ? "" : room_hash_;
    if (entry.id.empty()) {
      entry.id = NewUuid(room_.clock, room_.random);
    }
    entry.time = room_.clock.Now();
    if (author != nullptr) {
      StatementBody body{entry.room,
                         entry.id,
                         std::string(WireName(entry.type)),
                         entry.subject,
                         DataDigest(entry.data),
                         seen_.value_or(Seen{tree_.size(), tree_.Root()}),
                         entry.time,
                         Base64UrlEncode(std::string(kNonceBytes, 'n'))};
      if (tamper_) {
        tamper_(body);
      }
      // With a pretended key, the statement says that it is of one key and is signed with another.
      const Signer& named = pretended_ != nullptr ? *pretended_ : *author;
      const VerifierKey key{entry.actor.party + ".example/statement", KeyAlgorithm::kEd25519Note, named.public_key()};
      entry.statement = Must(SignStatement(body, key, *author));
      entry.actor.key = entry.statement->key;
    }
    AddBytes(Must(EncodeEntry(entry)));
  }
  void AddBytes(const std::string& bytes) {
    if (tree_.size() == 0) {
      room_hash_ = HashHex(RawHash(bytes));
      genesis_ = bytes;
    }
    AppendToEntryTile(bytes, entries_);
    tree_.Append(LeafHash(bytes));
  }
  void Start() {
    Entry entry;
    entry.type = EventType::kRoomCreated;
    entry.actor.party = "federation";
    entry.subject = {"room", "athletes"};
    entry.data = room_.MakeGenesis().ToData();
    Add(entry, room_.federation.get());
  }
  void Act(EventType type, const std::string& party, const std::string& subject, json::Object data = {}) {
    Entry entry;
    entry.type = type;
    entry.actor.party = party;
    const std::string kind(SubjectKind(type).empty() ? "thing" : SubjectKind(type));
    entry.subject = {kind, subject};
    entry.data = std::move(data);
    const Signer* author = party == "federation" ? room_.federation.get() : nullptr;
    Add(entry, party == "insurer" ? room_.insurer.get() : author);
  }
  void PretendToHaveSeen(const Seen& seen) { seen_ = seen; }
  void PretendToHoldKey(const Signer* key) { pretended_ = key; }
  void TamperWithStatements(std::function<void(StatementBody&)> tamper) { tamper_ = std::move(tamper); }
  void AppendToFile(const std::string& path, const std::string& bytes) { appended_[path] = bytes; }
  void UseOrigin(const std::string& origin) { other_origin_ = origin; }
  void LeaveOutLogSignature() { log_signs_ = false; }

  // The report on the finished bundle, whose manifests fit.
  Report Judge(const std::vector<std::shared_ptr<const Signer>>& witnesses) {
    const std::string origin = "cleanroom.example/room/" + room_hash_;
    const Checkpoint checkpoint{other_origin_.value_or(origin), tree_.size(), tree_.Root()};
    Note note{checkpoint.Format(), {}};
    if (log_signs_) {
      Must(SignNote(checkpoint.origin, *room_.log_key, note));
    }
    for (const auto& witness : witnesses) {
      const bool federation = witness->public_key() == room_.federation_witness->public_key();
      Must(CosignNote(federation ? "federation.example/witness" : "insurer.example/witness", *witness,
                      room_.clock.Now(), note));
    }
    Files files;
    const KeyHistory keys(room_.MakeGenesis(), origin);
    files["data/genesis.json"] = genesis_;
    files["data/policy.txt"] = keys.Policy();
    files["data/keys/history.json"] = json::WriteCanonical(keys.ToJson());
    files["data/README-VERIFY.txt"] = "trust me\n";
    files["data/log/checkpoint"] = note.Format();
    for (const Tile& tile : TilesOf(tree_.size())) {
      files["data/log/" + TilePath(tile)] = TileContent(tree_, tile);
      files["data/log/" + EntryTilePath(tile)] = entries_;
    }
    for (const auto& [path, content] : appended_) {
      files[path] += content;
    }
    return Check(WithManifests(files), {room_hash_, tree_.size(), {}});
  }
  Report JudgeCosigned() { return Judge({room_.federation_witness, room_.insurer_witness}); }

  [[nodiscard]] const Tree& tree() const { return tree_; }

 private:
  TestRoom& room_;
  Tree tree_;
  std::string entries_;
  std::string room_hash_;
  std::string genesis_;
  std::optional<Seen> seen_;
  const Signer* pretended_ = nullptr;
  std::function<void(StatementBody&)> tamper_;
  Files appended_;
  std::optional<std::string> other_origin_;
  bool log_signs_ = true;
};

const std::string kServer(kOperator);

// That the report's one error is of this entry and says why.
void ExpectOnlyError(const Report& report, std::optional<std::uint64_t> entry, const std::string& why) {
  ASSERT_FALSE(report.ok);
  std::size_t errors = 0;
  for (const Finding& finding : report.findings) {
    errors += finding.severity == Severity::kError ? 1U : 0U;
  }
  EXPECT_EQ(errors, 1U) << report.ToText();
  EXPECT_EQ(report.findings[0].entry, entry) << report.ToText();
  EXPECT_NE(report.findings[0].text.find(why), std::string::npos) << report.ToText();
}

TEST(VerifyForgery, AnHonestBundleOfTheSameMakingIsValid) {
  TestRoom room;
  Forger forger(room);
  forger.Start();
  forger.Act(EventType::kRoomJoined, "insurer", "athletes");
  const Report report = forger.JudgeCosigned();
  EXPECT_TRUE(report.ok) << report.ToText();
}

TEST(VerifyForgery, WithoutEveryCosignatureItIsNoEvidence) {
  TestRoom room;
  Forger forger(room);
  forger.Start();
  ExpectOnlyError(forger.Judge({room.federation_witness}), std::nullopt, "'insurer' has not cosigned");
  ExpectOnlyError(forger.Judge({room.insurer_witness}), std::nullopt, "'federation' has not cosigned");
}

// The events that no honest log takes, told by one that does.
TEST(VerifyForgery, EventsOutOfOrderAreReported) {
  struct Case {
    std::vector<Step> steps;  // the last one is out of order
    std::string why;
  };
  const std::vector<Step> story = WholeStory();
  const auto without = [&](EventType left_out, EventType last) {
    std::vector<Step> steps;
    for (const Step& step : story) {
      if (step.type != left_out) {
        steps.push_back(step);
      }
      if (step.type == last) {
        break;
      }
    }
    return steps;
  };
  std::vector<Step> after_end = story;
  after_end.push_back({EventType::kAuditRead, kServer, "x", {}});
  std::vector<Step> withdrawn = without(EventType::kRunAuthorized, EventType::kRunRequested);
  withdrawn.push_back({EventType::kAssetWithdrawn, "federation", "athletes", {}});
  withdrawn.push_back({EventType::kRunAuthorized, kServer, "run-1", Authorisation("etag-1")});
  const Case cases[] = {
      {without(EventType::kApprovalGranted, EventType::kRunAuthorized), "'insurer' has not approved"},
      {without(EventType::kRoomActive, EventType::kRunAuthorized), "not active"},
      {without(EventType::kRunAuthorized, EventType::kRunStarted), "not authorised"},
      {without(EventType::kReviewDecided, EventType::kExportReleased), "not released by a review"},
      {without(EventType::kExportRequested, EventType::kExportReleased), "no open request"},
      {without(EventType::kRunRequested, EventType::kRunAuthorized), "never requested"},
      {withdrawn, "'athletes' is not published"},
      {after_end, "closed"},
  };
  for (const Case& one : cases) {
    TestRoom room;
    Forger forger(room);
    forger.Start();
    for (const Step& step : one.steps) {
      forger.Act(step.type, step.party, step.subject, step.data);
    }
    ExpectOnlyError(forger.JudgeCosigned(), one.steps.size(), one.why);
  }
}

TEST(VerifyForgery, AnApprovalThatTheOperatorMadeUpIsReported) {
  TestRoom room;
  for (const Signer* author : {static_cast<const Signer*>(nullptr), room.log_key.get(), room.federation.get()}) {
    Forger forger(room);
    forger.Start();
    Entry entry;
    entry.type = EventType::kRoomJoined;
    entry.actor.party = "insurer";
    entry.subject = {"room", "athletes"};
    forger.Add(entry, author);
    const Report report = forger.JudgeCosigned();
    EXPECT_FALSE(report.ok);
    EXPECT_EQ(report.findings[0].entry, 1U) << report.ToText();
  }
}

TEST(VerifyForgery, AStatementSignedByAnotherKeyThanItSaysIsReported) {
  TestRoom room;
  Forger forger(room);
  forger.Start();
  forger.PretendToHoldKey(room.insurer.get());
  Entry entry;
  entry.type = EventType::kRoomJoined;
  entry.actor.party = "insurer";
  entry.subject = {"room", "athletes"};
  forger.Add(entry, room.log_key.get());
  ExpectOnlyError(forger.JudgeCosigned(), 1U, "signature does not verify");
}

// A statement holds for one entry of one room only.
TEST(VerifyForgery, AStatementAboutSomethingElseIsReported) {
  const std::function<void(StatementBody&)> tampers[] = {
      [](StatementBody& body) { body.room = kDigest; },
      [](StatementBody& body) { body.id = "019a0000-0000-7000-8000-000000000001"; },
      [](StatementBody& body) { body.type = "asset.withdrawn"; },
      [](StatementBody& body) { body.subject.id = "b"; },
      [](StatementBody& body) { body.subject.kind = "code"; },
      [](StatementBody& body) { body.data_sha256 = kDigest; },
  };
  for (const auto& tamper : tampers) {
    TestRoom room;
    Forger forger(room);
    forger.Start();
    forger.TamperWithStatements(tamper);
    forger.Act(EventType::kAssetPublished, "federation", "a");
    ExpectOnlyError(forger.JudgeCosigned(), 1U, "another room, entry, subject or data");
  }
}

TEST(VerifyForgery, WithoutTheLogsSignatureItIsNoEvidence) {
  TestRoom room;
  Forger forger(room);
  forger.Start();
  forger.LeaveOutLogSignature();
  ExpectOnlyError(forger.JudgeCosigned(), std::nullopt, "not signed by the log's key");
}

TEST(VerifyForgery, AnOriginThatIsNotEntryZeroIsReported) {
  TestRoom room;
  Forger forger(room);
  forger.Start();
  forger.UseOrigin("cleanroom.example/room/" + std::string(kDigest));
  const Report report = forger.JudgeCosigned();
  EXPECT_FALSE(report.ok);
  EXPECT_TRUE(Mentions(report, "origin is not the hash of entry 0")) << report.ToText();
}

// Files that follow from the log, changed together with the manifests.
TEST(VerifyForgery, DerivedFilesMustFollowFromTheLog) {
  const std::pair<const char*, std::optional<std::uint64_t>> cases[] = {
      {"data/policy.txt", std::nullopt},     {"data/keys/history.json", std::nullopt}, {"data/genesis.json", 0U},
      {"data/log/tile/entries/000.p/1", 0U}, {"data/log/tile/0/000.p/1", 0U},
  };
  for (const auto& [path, entry] : cases) {
    TestRoom room;
    Forger forger(room);
    forger.Start();
    forger.AppendToFile(path, "x");
    const Report report = forger.JudgeCosigned();
    ASSERT_FALSE(report.ok) << path;
    EXPECT_EQ(report.findings[0].file, path) << report.ToText();
    EXPECT_EQ(report.findings[0].entry, entry) << report.ToText();
  }
}

TEST(VerifyForgery, AStatementFromAForkIsReported) {
  TestRoom room;
  for (const Seen& seen :
       {Seen{1, LeafHash("another entry 0")}, Seen{2, LeafHash("the future")}, Seen{0, EmptyRoot()}}) {
    Forger forger(room);
    forger.Start();
    forger.PretendToHaveSeen(seen);
    forger.Act(EventType::kAssetPublished, "federation", "a");
    const Report report = forger.JudgeCosigned();
    EXPECT_FALSE(report.ok);
    EXPECT_EQ(report.findings[0].entry, 1U);
    EXPECT_NE(report.findings[0].text.find("seen"), std::string::npos) << report.ToText();
  }
}

TEST(VerifyForgery, EntriesInAnotherSpellingOrOrderAreReported) {
  TestRoom room;
  {
    Forger forger(room);
    forger.Start();
    forger.AddBytes("{\"seq\": 1}");
    ExpectOnlyError(forger.JudgeCosigned(), 1U, "");
  }
  Entry entry;
  entry.id = "019a0000-0000-7000-8000-000000000001";
  entry.room = kDigest;
  entry.time = room.clock.Now();
  entry.type = EventType::kAuditRead;
  entry.actor.party = kServer;
  entry.subject = {"thing", "x"};
  {
    Forger forger(room);
    forger.Start();
    entry.seq = 1;
    forger.AddBytes(Must(EncodeEntry(entry)));
    ExpectOnlyError(forger.JudgeCosigned(), 1U, "another room");
  }
  {
    Forger forger(room);
    forger.Start();
    entry.seq = 5;
    forger.AddBytes(Must(EncodeEntry(entry)));
    ExpectOnlyError(forger.JudgeCosigned(), 1U, "seq");
  }
  {
    Forger forger(room);
    forger.Start();
    forger.Add(entry, nullptr);
    forger.Add(entry, nullptr);
    ExpectOnlyError(forger.JudgeCosigned(), 2U, "of this id");
  }
}

TEST(VerifyForgery, AClockThatGoesBackIsAFinding) {
  TestRoom room;
  Forger forger(room);
  forger.Start();
  room.clock.AdvanceMs(-3'600'000);
  forger.Act(EventType::kAuditRead, kServer, "x");
  const Report report = forger.JudgeCosigned();
  EXPECT_TRUE(report.ok) << report.ToText();
  EXPECT_TRUE(Mentions(report, "clock went back")) << report.ToText();
}

// One byte of an entry changed, the whole tree made to fit, and signed with the stolen key of the log: only the
// cosignatures of those who saw the true one stand against it.
TEST(VerifyForgery, AConsistentRebuildFailsForLackOfCosignaturesOnly) {
  TestRoom room;
  Forger forger(room);
  forger.Start();
  forger.Act(EventType::kAuditRead, kServer, "changed");
  const Report report = forger.Judge({});
  ASSERT_FALSE(report.ok);
  for (const Finding& finding : report.findings) {
    EXPECT_TRUE(finding.severity != Severity::kError || finding.text.find("has not cosigned") != std::string::npos)
        << report.ToText();
  }
}

}  // namespace
}  // namespace glovebox::ledger
