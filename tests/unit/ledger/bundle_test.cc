// SPDX-License-Identifier: Apache-2.0
#include "ledger/bundle.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "ledger/tar.h"
#include "ledger/verify.h"
#include "tests/unit/ledger/verify_fixture.h"

namespace glovebox::ledger {
namespace {

// The exit status of a command line: what other programs make of a bundle.
int Shell(const std::string& command) {
  return std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe): a test's own words
}

TEST(Bundle, FolderAndTarHoldTheSameAndAreValid) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  for (int i = 0; i < 299; ++i) {
    Must(Act(*log, room, EventType::kAuditRead, "insurer", "x"));
  }
  Must(WriteBundleFolder(*log, {}, folder / "bundle"));
  EXPECT_EQ(WriteBundleFolder(*log, {}, folder / "bundle").code(), ErrorCode::kAlreadyExists);
  std::string tar;
  Must(WriteBundleTar(*log, {}, [&](std::string_view bytes) {
    tar += bytes;
    return Status();
  }));
  Must(WriteFileDurably(folder / "bundle.tar", tar));
  const VerifyOptions options{log->room(), 300, {}};
  for (const char* name : {"bundle", "bundle.tar"}) {
    const Report report = Must(VerifyPath(folder / name, options));
    EXPECT_TRUE(report.ok && !report.has_warnings) << report.ToText();
    EXPECT_EQ(report.size, 300U);
  }
  // What other programs make of it.
  EXPECT_EQ(Shell("mkdir " + (folder / "out") + " && tar xf " + (folder / "bundle.tar") + " -C " + (folder / "out") +
                  " --strip-components=1 && diff -r " + (folder / "out") + " " + (folder / "bundle")),
            0);
  EXPECT_FALSE(VerifyPath(folder / "nothing", options).ok());
}

// A full tile and the level above it: their hashes are checked, too.
TEST(Bundle, ChangedUpperTilesNameTheFirstEntryBelow) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  for (int i = 0; i < 257; ++i) {
    Must(Act(*log, room, EventType::kAuditRead, "insurer", "x"));
  }
  Files files = BundleOf(*log);
  files.at("data/log/tile/1/000.p/1")[3] ^= 1;
  const Report report = Check(files, {log->room(), 258, {}});
  ASSERT_FALSE(report.ok);
  EXPECT_EQ(report.findings[0].entry, 0U);
  EXPECT_EQ(report.findings[0].file, "data/log/tile/1/000.p/1");
}

TEST(Bundle, TheReadmesCommandsVerifyIt) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  for (int i = 0; i < 259; ++i) {
    Must(Act(*log, room, EventType::kAuditRead, "insurer", "x"));
  }
  Must(WriteBundleFolder(*log, {}, folder / "bundle"));
  std::string script;
  std::string rest = Must(ReadFile(folder / "bundle/data/README-VERIFY.txt", 1U << 20U));
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (rest.starts_with("    ")) {
      script += rest.substr(4, end - 3);
    }
    rest.erase(0, end + 1);
  }
  Must(WriteFileDurably(folder / "check.sh", script));
  const std::string run =
      "cd " + (folder / "bundle") + " && sh " + (folder / "check.sh") + " > " + (folder / "out") + " 2>&1";
  EXPECT_EQ(Shell(run), 0) << Must(ReadFile(folder / "out", 1U << 20U));
  EXPECT_TRUE(Must(ReadFile(folder / "out", 1U << 20U)).ends_with("verified\n"));
  // A forged entry with manifests that fit: the tree gives it away.
  Files files;
  const auto bundle = Must(OpenBundle(folder / "bundle"));
  for (const std::string& path : bundle->paths()) {
    if (path.starts_with("data/")) {
      files[path] = Must(bundle->Read(path));
    }
  }
  files["data/log/tile/entries/000"][50] ^= 1;
  for (const auto& [path, content] : WithManifests(files)) {
    Must(WriteFileDurably(folder / "bundle/" + path, content));
  }
  EXPECT_NE(Shell(run), 0);
}

// A verifier that shares no line with ours, and only openssl for the cryptography.
TEST(Bundle, AnIndependentCheckAgrees) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  Tell(*log, room, WholeStory());
  Must(WriteBundleFolder(*log, {}, folder / "bundle"));
  const std::string run = "python3 tests/ledger/offline_check.py " + (folder / "bundle") + " " + log->room() + " > " +
                          (folder / "out") + " 2>&1";
  EXPECT_EQ(Shell(run), 0) << Must(ReadFile(folder / "out", 1U << 20U));
  const std::string entries = folder / "bundle/data/log/tile/entries/000.p/17";
  std::string bytes = Must(ReadFile(entries, 1U << 20U));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  Must(WriteFileDurably(entries, bytes));
  EXPECT_NE(Shell(run), 0);
  EXPECT_NE(Must(ReadFile(folder / "out", 1U << 20U)).find("entry 16"), std::string::npos);
}

TEST(Tar, RefusesWhatCouldLeaveTheFolder) {
  for (const char* path : {"/etc/passwd", "../x", "a/../b", "", "a//b", "./a"}) {
    EXPECT_FALSE(TarHeader(path, 0, 0).ok()) << path;
  }
  EXPECT_FALSE(TarHeader(std::string(300, 'x'), 0, 0).ok());
  std::string archive = Must(TarHeader("a", 1, 0)) + "x" + TarPadding(1) + TarEnd();
  EXPECT_EQ(Must(ReadTar(archive)).at("a"), "x");
  EXPECT_FALSE(ReadTar(archive.substr(0, 600)).ok());
  archive[0] = 'b';  // the checksum no longer fits
  EXPECT_FALSE(ReadTar(archive).ok());
  EXPECT_FALSE(ReadTar("").ok());
}

TEST(Tar, LongPathsAreSplit) {
  const std::string path = std::string(80, 'a') + "/" + std::string(30, 'b') + "/" + std::string(60, 'c');
  const std::string archive = Must(TarHeader(path, 0, 5)) + TarEnd();
  EXPECT_EQ(Must(ReadTar(archive)).begin()->first, path);
}

}  // namespace
}  // namespace glovebox::ledger
