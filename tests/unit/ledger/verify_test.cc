// SPDX-License-Identifier: Apache-2.0
#include "ledger/verify.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/commitment.h"
#include "ledger/tiles.h"
#include "tests/unit/ledger/verify_fixture.h"

namespace glovebox::ledger {
namespace {

// A bundle of the whole story, made once, and what its reader knows of it.
struct Evidence {
  Files files;
  VerifyOptions options;
  std::string origin;
};

Evidence MakeEvidence() {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  const std::string code = "SELECT 1";
  const Commitment hidden = Commit("local_name", "main.sports.athletes", room.random);
  std::vector<Step> story = WholeStory();
  for (Step& step : story) {
    if (step.type == EventType::kCodeSubmitted) {
      step.data.Set("sha256", HashHex(RawHash(code)));
      step.data.Set("blobs", json::Array{HashHex(RawHash(code))});
    } else if (step.subject == "customers") {
      step.data.Set("sd", json::Array{hidden.commitment});
    }
  }
  Tell(*log, room, story);
  Evidence evidence;
  evidence.files = BundleOf(*log, {{{HashHex(RawHash(code)), [code] { return code; }}}, {{5, {hidden.opening}}}});
  evidence.options.pin = log->room();
  evidence.options.min_size = log->Latest().checkpoint.size;
  evidence.origin = log->origin();
  return evidence;
}

const Evidence& Whole() {
  static const Evidence evidence = MakeEvidence();
  return evidence;
}

TEST(Verify, AWholeBundleIsValid) {
  const Report report = Check(Whole().files, Whole().options);
  EXPECT_TRUE(report.ok) << report.ToText();
  EXPECT_FALSE(report.has_warnings) << report.ToText();
  EXPECT_EQ(report.size, 17U);
  EXPECT_EQ(report.origin, Whole().origin);
  EXPECT_EQ(report.mode, "hosted");
  EXPECT_TRUE(report.closed);
  EXPECT_EQ(report.cosigned_by, (std::vector<std::string>{"federation", "insurer"}));
  EXPECT_EQ(report.event_counts.at("run.completed"), 1U);
  EXPECT_EQ(report.ToText().substr(0, 6), "VALID\n");
  EXPECT_TRUE(report.ToJson().GetBool("ok"));
}

TEST(Verify, ThePinMayBeTheOriginAndMustFit) {
  VerifyOptions options = Whole().options;
  options.pin = Whole().origin;
  EXPECT_TRUE(Check(Whole().files, options).ok);
  options.pin = kDigest;
  const Report report = Check(Whole().files, options);
  EXPECT_FALSE(report.ok);
  EXPECT_EQ(report.findings[0].entry, 0U);
  options.pin.reset();
  EXPECT_TRUE(Check(Whole().files, options).ok);
  EXPECT_TRUE(Check(Whole().files, options).has_warnings);
}

// Changes every `step`-th byte of each file, one at a time.
void FlipBytes(const Files& whole, const VerifyOptions& options, std::size_t step) {
  for (const auto& [path, content] : whole) {
    for (std::size_t i = 0; i < content.size(); i += step) {
      Files files = whole;
      files[path][i] = static_cast<char>(static_cast<unsigned char>(content[i]) ^ (1U << (i % 8)));
      ASSERT_FALSE(Check(files, options).ok) << path << " byte " << i;
    }
  }
}

TEST(Verify, EveryChangedByteOfASmallBundleIsDetected) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  Must(Act(*log, room, EventType::kAuditRead, "insurer", "x"));
  const VerifyOptions options{log->room(), 2, {}};
  ASSERT_TRUE(Check(BundleOf(*log), options).ok);
  FlipBytes(BundleOf(*log), options, 1);
}

TEST(Verify, ChangedBytesOfAWholeBundleAreDetected) { FlipBytes(Whole().files, Whole().options, 37); }

// Even if whoever changed an entry also makes the manifests fit, the first finding names the entry.
TEST(Verify, AChangedByteOfAnEntryNamesTheEntry) {
  const std::string path = "data/log/tile/entries/000.p/17";
  const std::string& tile = Whole().files.at(path);
  std::string_view rest = tile;
  for (std::uint64_t index = 0; !rest.empty(); ++index) {
    const std::size_t start = tile.size() - rest.size();
    const std::size_t length = Must(TakeFromEntryTile(rest)).size() + 2;
    for (std::size_t i = 0; i < length; i += 7) {
      Files files = Whole().files;
      files[path][start + i] = static_cast<char>(files[path][start + i] ^ 1);
      const Report report = Check(files, Whole().options);
      ASSERT_FALSE(report.ok);
      ASSERT_TRUE(report.findings[0].entry.has_value()) << report.ToText();
      ASSERT_EQ(*report.findings[0].entry, index) << "byte " << i << "\n" << report.ToText();
      // Where lengths are as they were, no other entry looks wrong.
      for (const Finding& finding : report.findings) {
        ASSERT_TRUE(i < 2 || !finding.entry.has_value() || *finding.entry == index) << report.ToText();
      }
    }
  }
}

TEST(Verify, AChangedFileBesideTheLogIsNamed) {
  for (const char* path : {"data/README-VERIFY.txt", "bagit.txt", "bag-info.txt", "manifest-sha256.txt"}) {
    Files files = Whole().files;
    files[path][0] = static_cast<char>(files[path][0] ^ 1);
    const Report report = Check(files, Whole().options);
    ASSERT_FALSE(report.ok) << path;
    EXPECT_TRUE(std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& finding) {
      return finding.severity == Severity::kError && finding.file == path;
    })) << report.ToText();
  }
}

TEST(Verify, AChangedLeafHashNamesTheEntry) {
  const std::string path = "data/log/tile/0/000.p/17";
  for (std::size_t i = 0; i < 17 * kHashBytes; i += 11) {
    Files files = Whole().files;
    files[path][i] = static_cast<char>(files[path][i] ^ 1);
    const Report report = Check(files, Whole().options);
    ASSERT_FALSE(report.ok);
    ASSERT_EQ(report.findings[0].entry, i / kHashBytes) << report.ToText();
  }
}

TEST(Verify, AMissingFileIsDetectedAndAnUnknownOneReported) {
  for (const auto& [path, content] : Whole().files) {
    Files files = Whole().files;
    files.erase(path);
    EXPECT_FALSE(Check(files, Whole().options).ok) << path;
  }
  for (const char* path : {"data/extra", "extra", "data/log/tile/0/000", "data/openings/x.json"}) {
    Files files = Whole().files;
    files[path] = "extra";
    const Report report = Check(files, Whole().options);
    EXPECT_TRUE(!report.ok || report.has_warnings) << path;
  }
}

TEST(Verify, FilesOfAnotherLengthAreDetected) {
  for (const auto& [path, content] : Whole().files) {
    for (const std::string& changed : {content + "x", content.substr(0, content.size() - 1), std::string()}) {
      Files files = Whole().files;
      files[path] = changed;
      EXPECT_FALSE(Check(files, Whole().options).ok) << path;
    }
  }
}

TEST(Verify, ABundleThatWasCutIsNoticedByWhoKnowsMore) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  const Files early = BundleOf(*log);
  Must(Act(*log, room, EventType::kAssetPublished, "federation", "a"));
  VerifyOptions options;
  options.pin = log->room();
  EXPECT_TRUE(Check(early, options).ok);
  EXPECT_TRUE(Check(early, options).has_warnings);
  options.min_size = 1;
  EXPECT_FALSE(Check(early, options).has_warnings);
  options.min_size = 2;
  EXPECT_FALSE(Check(early, options).ok);
  options.min_size = 0;
  options.known_checkpoints = {log->Latest().note};
  EXPECT_FALSE(Check(early, options).ok);
  EXPECT_TRUE(Check(BundleOf(*log), options).ok);
  options.known_checkpoints = {"rubbish"};
  EXPECT_FALSE(Check(BundleOf(*log), options).ok);
}

TEST(Verify, AForkIsNoticedByWhoHoldsTheOtherCheckpoint) {
  TestRoom room;
  const TemporaryFolder folder;
  std::string note;
  std::map<std::string, std::string> saved;
  {
    const auto log = Must(room.Create(folder / "log"));
    saved["journal"] = Must(ReadFile(folder / "log/journal", 1U << 20U));
    Must(Act(*log, room, EventType::kAuditRead, "insurer", "one"));
    note = log->Latest().note;
  }
  Must(MakeDirectories(folder / "fork"));
  Must(WriteFileDurably(folder / "fork/journal", saved["journal"]));
  const auto fork = Must(room.Open(folder / "fork"));
  Must(Act(*fork, room, EventType::kAuditRead, "insurer", "other"));
  VerifyOptions options;
  options.pin = fork->room();
  options.known_checkpoints = {note};
  const Report report = Check(BundleOf(*fork), options);
  EXPECT_FALSE(report.ok);
  EXPECT_TRUE(Mentions(report, "fork")) << report.ToText();
}

TEST(Verify, OpeningsAndBlobsAreHeldToTheirDigests) {
  Files files = Whole().files;
  const auto opening = files.find("data/openings/5.json");
  ASSERT_NE(opening, files.end());
  SeededRandom random(3);
  opening->second = "{\"openings\":[\"" + Commit("local_name", "another.table", random).opening + "\"]}";
  const Report report = Check(files, Whole().options);
  EXPECT_TRUE(Mentions(report, "no commitment")) << report.ToText();

  files = Whole().files;
  files["data/openings/99.json"] = "{\"openings\":[]}";
  EXPECT_TRUE(Mentions(Check(files, Whole().options), "no list of openings"));

  files = Whole().files;
  files[BlobPath(HashHex(RawHash("unnamed")))] = "unnamed";
  EXPECT_TRUE(Mentions(Check(files, Whole().options), "no entry names this content"));

  files = Whole().files;
  const std::string blob = BlobPath(HashHex(RawHash("SELECT 1")));
  files.at(blob) = "SELECT 2";
  EXPECT_TRUE(Mentions(Check(files, Whole().options), "does not have the digest"));
  files.erase(blob);
  EXPECT_TRUE(Mentions(Check(files, Whole().options), "a blob that the entry names is not in this bundle"));
}

}  // namespace
}  // namespace glovebox::ledger
