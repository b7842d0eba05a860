// SPDX-License-Identifier: Apache-2.0
#include "ledger/entry.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/limits.h"
#include "ledger/commitment.h"
#include "ledger/crc32c.h"
#include "ledger/genesis.h"
#include "tests/unit/ledger/fixture.h"

namespace glovebox::ledger {
namespace {

Entry Sample() {
  Entry entry;
  entry.id = "019a0000-0000-7000-8000-000000000001";
  entry.seq = 17;
  entry.room = kDigest;
  entry.time = TimeMs{1'795'000'000'123};
  entry.type = EventType::kRunCompleted;
  entry.actor = {std::string(kOperator), "", "server"};
  entry.subject = {"run", "r-9"};
  entry.data = {{"rows", 12}, {"code_sha256", kDigest}};
  return entry;
}

TEST(Entry, HasOneSpelling) {
  const std::string bytes = Must(EncodeEntry(Sample()));
  EXPECT_EQ(bytes,
            std::string("{\"actor\":{\"party\":\"operator\",\"role\":\"server\"},\"data\":{\"code_sha256\":\"") +
                kDigest +
                "\",\"rows\":12},\"id\":\"019a0000-0000-7000-8000-000000000001\",\"outcome\":\"success\","
                "\"room\":\"" +
                kDigest +
                "\",\"seq\":17,\"subject\":{\"id\":\"r-9\",\"kind\":\"run\"},\"time\":\"2026-11-18T11:06:40.123Z\","
                "\"type\":\"run.completed\",\"v\":\"cr-audit/1\"}");
  EXPECT_EQ(Must(EncodeEntry(Must(ParseEntry(bytes)))), bytes);
}

TEST(Entry, RefusesEveryOtherSpelling) {
  const std::string bytes = Must(EncodeEntry(Sample()));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = bytes;
    EXPECT_NE(changed.find(from), std::string::npos) << from;
    return changed.replace(changed.find(from), from.size(), to);
  };
  const std::string bad[] = {
      bytes + "\n",
      " " + bytes,
      with("\"seq\":17", "\"seq\":17.0"),
      with("\"seq\":17", "\"seq\":-1"),
      with("\"rows\":12", "\"rows\":12.5"),
      with("\"rows\":12", "\"rows\":9007199254740992"),
      with("\"rows\":12", "\"rows\":12,\"rows\":12"),
      with("\"rows\":12", "\"rows\":12 "),
      with("\"rows\"", "\"r\xC3\xB6ws\""),
      with(".123Z", "Z"),
      with("success", "denied"),
      with("run.completed", "run.finished"),
      with("\"kind\":\"run\"", "\"kind\":\"asset\""),
      with("cr-audit/1", "cr-audit/2"),
      with("\"v\":", "\"extra\":1,\"v\":"),
      with("\"role\":\"server\"", "\"role\":\"\""),
      with("operator", "op/erator"),
      with("\"room\":\"" + std::string(kDigest) + "\",", ""),
      with("019a0000-0000-7000-8000-000000000001", "1"),
      "",
      "null",
      "{}",
  };
  for (const std::string& entry : bad) {
    EXPECT_FALSE(ParseEntry(entry).ok()) << entry;
  }
}

TEST(Entry, RefusesToEncodeWhatIsNoEntry) {
  Entry entry = Sample();
  entry.data.Set("text", std::string(limits::kLedgerEntryBytesMax, 'x'));
  EXPECT_FALSE(EncodeEntry(entry).ok());
  entry = Sample();
  entry.data.Set("text", "\xFF");
  EXPECT_FALSE(EncodeEntry(entry).ok());
  entry = Sample();
  entry.data.Set("ratio", 0.5);
  EXPECT_FALSE(EncodeEntry(entry).ok());
  entry = Sample();
  entry.reason = "a sentence";
  EXPECT_FALSE(EncodeEntry(entry).ok());
  entry = Sample();
  entry.actor.key = "key+00000000";
  EXPECT_FALSE(EncodeEntry(entry).ok());
  entry = Sample();
  entry.seq = 0;
  EXPECT_FALSE(EncodeEntry(entry).ok());
}

TEST(Entry, MayBeAsLargeAsTheLimit) {
  Entry entry = Sample();
  entry.data.Set("text", "");
  const std::size_t rest = limits::kLedgerEntryBytesMax - Must(EncodeEntry(entry)).size();
  entry.data.Set("text", std::string(rest, 'x'));
  const std::string bytes = Must(EncodeEntry(entry));
  EXPECT_EQ(bytes.size(), limits::kLedgerEntryBytesMax);
  EXPECT_TRUE(ParseEntry(bytes).ok());
  entry.data.Set("text", std::string(rest + 1, 'x'));
  EXPECT_FALSE(EncodeEntry(entry).ok());
}

TEST(Entry, UnknownMembersAreRefused) {
  const std::string bytes = Must(EncodeEntry(Sample()));
  ASSERT_TRUE(ParseEntry(bytes).ok());
  for (const std::string_view object : {"{", "\"actor\":{", "\"subject\":{"}) {
    std::string other = bytes;
    const std::size_t at = other.find(object);
    ASSERT_NE(at, std::string::npos) << object;
    // First in order, so that the text stays canonical.
    const auto entry = ParseEntry(other.insert(at + object.size(), "\"aa\":1,"));
    ASSERT_FALSE(entry.ok()) << other;
    EXPECT_NE(entry.status().message().find("not known"), std::string::npos) << entry.status().message();
  }
}

TEST(Events, NamesAreUniqueAndComeBack) {
  int count = 0;
  for (int i = 0; i <= static_cast<int>(EventType::kKeyEnrolled); ++i) {
    const auto type = static_cast<EventType>(i);
    EXPECT_EQ(EventTypeFromWireName(WireName(type)), type);
    ++count;
  }
  EXPECT_EQ(count, 30);
  EXPECT_FALSE(EventTypeFromWireName("room.exploded").has_value());
}

TEST(Statement, ChangesOfTheBodyAreNoticed) {
  const auto signer = SignerFromByte(4);
  const VerifierKey key{"insurer.example/statement", KeyAlgorithm::kEd25519Note, signer->public_key()};
  StatementBody body{
      "",        "019a0000-0000-7000-8000-000000000001", "room.created", {"room", "r"}, kDigest, {0, EmptyRoot()},
      TimeMs{1}, Base64UrlEncode(std::string(16, 'n'))};
  const Envelope envelope = Must(SignStatement(body, key, *signer));
  EXPECT_TRUE(VerifyEnvelope(envelope, key));
  EXPECT_EQ(Must(ParseStatementBody(envelope.body)).Format(), envelope.body);
  EXPECT_TRUE(VerifyEnvelope(Must(ParseEnvelope(envelope.ToJson())), key));
  for (std::size_t i = 0; i < envelope.body.size(); ++i) {
    Envelope changed = envelope;
    changed.body[i] = static_cast<char>(changed.body[i] ^ 1);
    ASSERT_FALSE(VerifyEnvelope(changed, key)) << i;
  }
  body.nonce = Base64UrlEncode("short");
  EXPECT_FALSE(ParseStatementBody(body.Format()).ok());
}

TEST(Statement, ACosignatureKeySignsNoStatements) {
  const auto signer = SignerFromByte(4);
  const VerifierKey key{"w", KeyAlgorithm::kEd25519Cosignature, signer->public_key()};
  const StatementBody body{"", "i", "t", {"k", "s"}, kDigest, {0, EmptyRoot()}, TimeMs{1}, "n"};
  EXPECT_FALSE(VerifyEnvelope(Must(SignStatement(body, key, *signer)), key));
}

TEST(Genesis, KeysAndNamesMustDiffer) {
  const TestRoom room;
  const Genesis good = room.MakeGenesis();
  EXPECT_TRUE(CheckGenesis(good).ok());
  Genesis bad = good;
  bad.collaborators[1].statement_key.public_key = bad.collaborators[0].statement_key.public_key;
  EXPECT_FALSE(CheckGenesis(bad).ok());
  bad = good;
  bad.collaborators[0].witness_key.public_key = bad.collaborators[0].statement_key.public_key;
  EXPECT_FALSE(CheckGenesis(bad).ok());
  bad = good;
  bad.collaborators[1].witness_key.public_key = bad.log_key;
  EXPECT_FALSE(CheckGenesis(bad).ok());
  bad = good;
  bad.collaborators[1].party = bad.collaborators[0].party;
  EXPECT_FALSE(CheckGenesis(bad).ok());
  bad = good;
  bad.collaborators[1].party = "operator";
  EXPECT_FALSE(CheckGenesis(bad).ok());
  bad = good;
  bad.collaborators[1].witness_key.algorithm = KeyAlgorithm::kEd25519Note;
  EXPECT_FALSE(CheckGenesis(bad).ok());
  bad = good;
  bad.collaborators.clear();
  EXPECT_FALSE(CheckGenesis(bad).ok());
  for (const char* host : {"", "Upper.example", "a b", "a/b", "a\nb"}) {
    bad = good;
    bad.host = host;
    EXPECT_FALSE(CheckGenesis(bad).ok()) << host;
  }
}

TEST(Commitment, PublishedExample) {
  EXPECT_EQ(CommitmentOf("WyJBQUVDQXdRRkJnY0lDUW9MREEwT0R3IiwgInNxbF90ZXh0IiwgIlNFTEVDVCAxIl0"),
            "RH98DKj4cl8qs5tvlgbQqWLCfgqmkt8i9Is_tn2LTDo");
}

TEST(Commitment, OpensToTheValueAndToNothingElse) {
  SeededRandom random(1);
  const Commitment one = Commit("table", "athletes", random);
  const Commitment same = Commit("table", "athletes", random);
  EXPECT_NE(one.commitment, same.commitment);  // the salt is fresh
  const OpenedValue opened = Must(OpenCommitment(one.opening, one.commitment));
  EXPECT_EQ(opened.name, "table");
  EXPECT_EQ(opened.value, json::Value("athletes"));
  EXPECT_FALSE(OpenCommitment(one.opening, same.commitment).ok());
  const std::string unsalted = Base64UrlEncode("[\"\",\"table\",\"athletes\"]");
  EXPECT_FALSE(OpenCommitment(unsalted, CommitmentOf(unsalted)).ok());
}

TEST(Crc32c, PublishedVectors) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), 0xE3069283U);
}

}  // namespace
}  // namespace glovebox::ledger
