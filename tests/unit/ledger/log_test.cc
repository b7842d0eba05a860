// SPDX-License-Identifier: Apache-2.0
#include "ledger/log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <set>
#include <thread>

#include "ledger/journal.h"
#include "ledger/tiles.h"
#include "tests/unit/ledger/fixture.h"

namespace glovebox::ledger {
namespace {

constexpr std::size_t kReadMax = 1U << 26U;

std::string ReadAll(const std::string& path) { return Must(ReadFile(path, kReadMax)); }

// What a process that died at some moment had left: the files, which are put back for each trial.
std::map<std::string, std::string> Save(const std::string& folder, const std::string& prefix = "") {
  std::map<std::string, std::string> files;
  for (const std::string& name : Must(ListDirectory(folder + "/" + prefix))) {
    const std::string path = prefix + name;
    if (ListDirectory(folder + "/" + path).ok()) {
      files.merge(Save(folder, path + "/"));
    } else {
      files[path] = ReadAll(folder + "/" + path);
    }
  }
  return files;
}

void Restore(const std::string& folder, const std::map<std::string, std::string>& files) {
  ASSERT_TRUE(RemoveTree(folder).ok());
  for (const auto& [path, content] : files) {
    const std::string target = folder + "/" + path;
    ASSERT_TRUE(MakeDirectories(target.substr(0, target.rfind('/'))).ok());
    ASSERT_TRUE(WriteFileDurably(target, content).ok());
  }
}

// Ten entries of the server's own; no statement, so they are quick.
void AppendSome(Log& log, const TestRoom& room, int count) {
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(Act(log, room, EventType::kAuditRead, std::string(kOperator), "x").ok());
  }
}

TEST(Log, StartsWithItsOwnIdentity) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  const std::string entry0 = Must(log->Read(0));
  EXPECT_EQ(log->room(), HashHex(RawHash(entry0)));
  EXPECT_EQ(log->origin(), "cleanroom.example/room/" + log->room());
  const Entry entry = Must(ParseEntry(entry0));
  EXPECT_TRUE(entry.room.empty());
  EXPECT_EQ(entry.type, EventType::kRoomCreated);
  EXPECT_EQ(Must(ParseGenesis(entry)).collaborators.size(), 2U);
  EXPECT_EQ(log->Latest().checkpoint.size, 1U);
}

TEST(Log, TellsAWholeStoryAndIsTheSameAfterReopening) {
  TestRoom room;
  const TemporaryFolder folder;
  std::optional<Snapshot> before;
  std::vector<std::string> entries;
  {
    const auto log = Must(room.Create(folder / "log"));
    Tell(*log, room, WholeStory());
    before = log->Latest();
    for (std::uint64_t i = 0; i < before->checkpoint.size; ++i) {
      entries.push_back(Must(log->Read(i)));
    }
  }
  const auto log = Must(room.Open(folder / "log"));
  EXPECT_EQ(log->Latest().checkpoint, before->checkpoint);
  EXPECT_EQ(log->Latest().note, before->note);
  for (std::uint64_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(Must(log->Read(i)), entries[i]);
    EXPECT_EQ(log->Find(Must(ParseEntry(entries[i])).id), i);
  }
  EXPECT_FALSE(log->Read(entries.size()).ok());
  EXPECT_EQ(log->Find("nobody"), std::nullopt);
}

TEST(Log, EveryReceiptIsProvenByItsCheckpoint) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  std::vector<EntryReceipt> receipts;
  for (int i = 0; i < 20; ++i) {
    receipts.push_back(Must(Act(*log, room, EventType::kAuditRead, "insurer", "x")));
  }
  const Snapshot latest = log->Latest();
  for (const EntryReceipt& receipt : receipts) {
    const Checkpoint checkpoint = Must(ParseCheckpoint(Must(ParseNote(receipt.checkpoint)).text));
    EXPECT_EQ(checkpoint.size, receipt.index + 1);
    EXPECT_TRUE(VerifyInclusion(receipt.index, checkpoint.size, receipt.leaf,
                                Must(log->InclusionProof(receipt.index, checkpoint.size)), checkpoint.root));
    EXPECT_TRUE(VerifyInclusion(receipt.index, latest.checkpoint.size, receipt.leaf,
                                Must(log->InclusionProof(receipt.index, latest.checkpoint.size)),
                                latest.checkpoint.root));
    EXPECT_TRUE(VerifyConsistency(checkpoint.size, latest.checkpoint.size, checkpoint.root, latest.checkpoint.root,
                                  Must(log->ConsistencyProof(checkpoint.size, latest.checkpoint.size))));
  }
  EXPECT_FALSE(log->InclusionProof(5, 5).ok());
  EXPECT_FALSE(log->InclusionProof(0, latest.checkpoint.size + 1).ok());
  EXPECT_FALSE(log->ConsistencyProof(0, 3).ok());
}

TEST(Log, CheckpointsAreSignedByTheLogAndByEveryCollaborator) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  const Snapshot latest = log->Latest();
  std::vector<VerifierKey> keys = {latest.keys.log_key()};
  for (const EnrolledKey& known : latest.keys.keys()) {
    keys.push_back(known.key);
  }
  const auto verified = Must(VerifyNote(Must(ParseNote(latest.note)), keys));
  ASSERT_EQ(verified.size(), 3U);
  EXPECT_EQ(keys[verified[0].key].name, log->origin());
  EXPECT_EQ(keys[verified[1].key].name, "federation.example/witness");
  EXPECT_EQ(keys[verified[2].key].name, "insurer.example/witness");
}

TEST(Log, SecondOpenerIsRefused) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  const auto second = room.Open(folder / "log");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), ErrorCode::kUnavailable);
  // Another process, too.
  const pid_t child = fork();
  if (child == 0) {
    _exit(room.Open(folder / "log").ok() ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Log, IsNotCreatedTwiceNorOpenedWhereThereIsNone) {
  TestRoom room;
  const TemporaryFolder folder;
  EXPECT_EQ(room.Open(folder / "log").status().code(), ErrorCode::kNotFound);
  Must(room.Create(folder / "log"));
  EXPECT_EQ(room.Create(folder / "log").status().code(), ErrorCode::kAlreadyExists);
}

TEST(Log, NeedsTheKeysThatEntryZeroPins) {
  TestRoom room;
  const TemporaryFolder folder;
  Must(room.Create(folder / "log"));
  LogSigners signers = room.Signers();
  signers.log = SignerFromByte(9);
  EXPECT_FALSE(Log::Open(folder / "log", signers, room.Context()).ok());
  signers = room.Signers();
  signers.witnesses.pop_back();
  EXPECT_FALSE(Log::Open(folder / "log", signers, room.Context()).ok());
  EXPECT_TRUE(room.Open(folder / "log").ok());
}

TEST(Log, WritesTheTilesOfItsSize) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  AppendSome(*log, room, 299);
  const Tree tree = log->CopyTree();
  std::set<std::string> expected = {"journal", "checkpoint"};
  for (const Tile& tile : TilesOf(300)) {
    EXPECT_EQ(ReadAll(folder / "log/" + TilePath(tile)), TileContent(tree, tile));
    expected.insert(TilePath(tile));
    if (tile.level == 0) {
      std::string content;
      for (std::uint64_t i = 0; i < tile.width; ++i) {
        AppendToEntryTile(Must(log->Read(tile.number * kTileWidth + i)), content);
      }
      EXPECT_EQ(ReadAll(folder / "log/" + EntryTilePath(tile)), content);
      expected.insert(EntryTilePath(tile));
    }
  }
  std::set<std::string> there;
  for (const auto& [path, content] : Save(folder / "log")) {
    there.insert(path);
  }
  EXPECT_EQ(there, expected);
  EXPECT_EQ(ReadAll(folder / "log/checkpoint"), log->Latest().note);
}

TEST(Log, RebuildsTilesThatAreMissingOrWrong) {
  TestRoom room;
  const TemporaryFolder folder;
  {
    const auto log = Must(room.Create(folder / "log"));
    AppendSome(*log, room, 280);
  }
  const auto good = Save(folder / "log");
  auto damaged = good;
  damaged.erase("tile/0/000");
  damaged.erase("checkpoint");
  damaged["tile/entries/000"][100] ^= 1;
  damaged["tile/1/000.p/1"] = "short";
  Restore(folder / "log", damaged);
  Must(room.Open(folder / "log"));
  EXPECT_EQ(Save(folder / "log"), good);
}

// The journal of a process that died while it wrote the last record, cut at every byte.
TEST(Log, TornLastRecordIsCutOffAtEveryLength) {
  TestRoom room;
  const TemporaryFolder folder;
  std::map<std::string, std::string> before;
  std::string journal;
  Checkpoint checkpoint;
  {
    const auto log = Must(room.Create(folder / "log"));
    AppendSome(*log, room, 2);
    before = Save(folder / "log");
    checkpoint = log->Latest().checkpoint;
    AppendSome(*log, room, 1);
    journal = ReadAll(folder / "log/journal");
  }
  const std::size_t good = before["journal"].size();
  ASSERT_GT(journal.size(), good + 500);
  Restore(folder / "log", before);
  for (std::size_t length = good; length < journal.size(); ++length) {
    ASSERT_TRUE(WriteFileDurably(folder / "log/journal", journal.substr(0, length)).ok());
    const auto log = room.Open(folder / "log");
    ASSERT_TRUE(log.ok()) << length << ": " << log.status().message();
    ASSERT_EQ((*log)->Latest().checkpoint, checkpoint) << length;
  }
  // It goes on from there.
  const auto log = Must(room.Open(folder / "log"));
  EXPECT_EQ(Must(Act(*log, room, EventType::kAuditRead, std::string(kOperator), "x")).index, 3U);
}

// A torn write can also leave zeros or rubbish where bytes should be.
TEST(Log, RubbishAtTheEndIsCutOff) {
  TestRoom room;
  const TemporaryFolder folder;
  {
    const auto log = Must(room.Create(folder / "log"));
    AppendSome(*log, room, 2);
  }
  const std::string journal = ReadAll(folder / "log/journal");
  for (const std::string& rubbish : {std::string(700, '\0'), std::string(700, '\xff'), std::string(1, '\x01')}) {
    ASSERT_TRUE(WriteFileDurably(folder / "log/journal", journal + rubbish).ok());
    ASSERT_TRUE(room.Open(folder / "log").ok());
    EXPECT_EQ(ReadAll(folder / "log/journal"), journal);
  }
}

TEST(Log, CorruptionBeforeTheLastRecordIsRefused) {
  TestRoom room;
  const TemporaryFolder folder;
  std::size_t middle = 0;
  {
    const auto log = Must(room.Create(folder / "log"));
    AppendSome(*log, room, 1);
    middle = ReadAll(folder / "log/journal").size();
    AppendSome(*log, room, 1);
  }
  const std::string journal = ReadAll(folder / "log/journal");
  for (std::size_t i = 0; i < middle; ++i) {
    std::string damaged = journal;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    ASSERT_TRUE(WriteFileDurably(folder / "log/journal", damaged).ok());
    const auto log = room.Open(folder / "log");
    ASSERT_FALSE(log.ok()) << i;
    ASSERT_EQ(log.status().code(), ErrorCode::kDataLoss) << i;
    ASSERT_EQ(ReadAll(folder / "log/journal"), damaged) << "a refused journal is left as it is";
  }
}

// A record that ends before the file does is not the one that was being written.
TEST(Log, ABadRecordWithBytesBehindItIsRefused) {
  TestRoom room;
  const TemporaryFolder folder;
  std::size_t last = 0;
  {
    const auto log = Must(room.Create(folder / "log"));
    last = ReadAll(folder / "log/journal").size();
    AppendSome(*log, room, 1);
  }
  std::string journal = ReadAll(folder / "log/journal");
  ASSERT_TRUE(RemoveTree(folder / "log/checkpoint").ok());
  journal[last + 3] = static_cast<char>(journal[last + 3] - 1);  // the length's last byte
  ASSERT_TRUE(WriteFileDurably(folder / "log/journal", journal).ok());
  EXPECT_EQ(room.Open(folder / "log").status().code(), ErrorCode::kDataLoss);
}

TEST(Log, ARecordWithTheCheckpointOfAnotherIsRefused) {
  TestRoom room;
  const TemporaryFolder folder;
  {
    const auto log = Must(room.Create(folder / "log"));
    AppendSome(*log, room, 1);
  }
  const std::string journal = ReadAll(folder / "log/journal");
  JournalRecord first;
  JournalRecord second;
  constexpr std::size_t kHeadBytes = 8;
  const std::size_t first_bytes = ParseRecord(journal.substr(kHeadBytes), first);
  ASSERT_NE(first_bytes, 0U);
  ASSERT_NE(ParseRecord(journal.substr(kHeadBytes + first_bytes), second), 0U);
  second.note = first.note;  // signed by all, and of one entry less
  ASSERT_TRUE(RemoveTree(folder / "log/checkpoint").ok());
  ASSERT_TRUE(
      WriteFileDurably(folder / "log/journal", journal.substr(0, kHeadBytes + first_bytes) + EncodeRecord(second))
          .ok());
  EXPECT_EQ(room.Open(folder / "log").status().code(), ErrorCode::kDataLoss);
}

// The last record was acknowledged if a checkpoint that covers it was released: then it is no torn record.
TEST(Log, ARolledBackJournalIsRefused) {
  TestRoom room;
  const TemporaryFolder folder;
  std::string old_journal;
  {
    const auto log = Must(room.Create(folder / "log"));
    AppendSome(*log, room, 2);
    old_journal = ReadAll(folder / "log/journal");
    AppendSome(*log, room, 1);
  }
  ASSERT_TRUE(WriteFileDurably(folder / "log/journal", old_journal).ok());
  const auto log = room.Open(folder / "log");
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.status().code(), ErrorCode::kDataLoss);
}

TEST(Log, AnotherHistoryThanThePublishedOneIsRefused) {
  TestRoom room;
  const TemporaryFolder folder;
  {
    const auto log = Must(room.Create(folder / "log"));
    AppendSome(*log, room, 2);
  }
  const auto branch_point = Save(folder / "log");
  std::string one_branch;
  {
    const auto log = Must(room.Open(folder / "log"));
    AppendSome(*log, room, 1);
    one_branch = ReadAll(folder / "log/checkpoint");
  }
  Restore(folder / "log", branch_point);
  {
    const auto log = Must(room.Open(folder / "log"));
    ASSERT_TRUE(Act(*log, room, EventType::kAuditRead, "insurer", "y").ok());
  }
  ASSERT_TRUE(WriteFileDurably(folder / "log/checkpoint", one_branch).ok());
  const auto log = room.Open(folder / "log");
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.status().code(), ErrorCode::kDataLoss);
}

TEST(Log, ManyThreadsGetDenseIndices) {
  TestRoom room;
  const TemporaryFolder folder;
  const auto log = Must(room.Create(folder / "log"));
  constexpr int kThreads = 8;
  constexpr int kEach = 10;
  std::vector<std::vector<EntryReceipt>> receipts(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        auto receipt = Act(*log, room, EventType::kAuditRead, t % 2 == 0 ? "federation" : "insurer", "x");
        if (receipt.ok()) {
          receipts[static_cast<std::size_t>(t)].push_back(*receipt);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::set<std::uint64_t> indices;
  for (const auto& of_thread : receipts) {
    for (const EntryReceipt& receipt : of_thread) {
      indices.insert(receipt.index);
      EXPECT_EQ(log->Find(receipt.id), receipt.index);
    }
  }
  EXPECT_EQ(indices.size(), static_cast<std::size_t>(kThreads * kEach));
  EXPECT_EQ(*indices.rbegin(), static_cast<std::uint64_t>(kThreads * kEach));
}

TEST(Log, AFullDiskIsAnErrorThatLosesNothing) {
  TestRoom room;
  const TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    // A limit on the size of files stands in for the end of the disk.
    signal(SIGXFSZ, SIG_IGN);
    auto log = room.Create(folder / "log");
    const rlim_t limit = ReadAll(folder / "log/journal").size() + 1'000;
    const struct rlimit size_limit{limit, RLIM_INFINITY};
    if (!log.ok() || setrlimit(RLIMIT_FSIZE, &size_limit) != 0) {
      _exit(1);
    }
    Result<EntryReceipt> receipt = Status(ErrorCode::kInternal, "none");
    do {
      receipt = Act(**log, room, EventType::kAuditRead, std::string(kOperator), "x");
    } while (receipt.ok());
    const struct rlimit no_limit{RLIM_INFINITY, RLIM_INFINITY};
    const bool refused = receipt.status().code() == ErrorCode::kUnavailable;
    const bool lifted = setrlimit(RLIMIT_FSIZE, &no_limit) == 0;
    const bool goes_on = Act(**log, room, EventType::kAuditRead, std::string(kOperator), "x").ok();
    _exit(refused && lifted && goes_on ? 0 : 2);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(room.Open(folder / "log").ok());
}

// `kill -9` around the moment of durability: what was acknowledged is there, what was not may be.
class KillPoint : public testing::TestWithParam<std::pair<const char*, std::uint64_t>> {};

TEST_P(KillPoint, NothingAcknowledgedIsLost) {
  const auto [name, size_after] = GetParam();
  TestRoom room;
  const TemporaryFolder folder;
  {
    const auto log = Must(room.Create(folder / "log"));
    AppendSome(*log, room, 3);
  }
  const pid_t child = fork();
  if (child == 0) {
    setenv("GB_KILL_AT", name, 1);  // NOLINT(concurrency-mt-unsafe): the child has one thread
    setenv("LEDGER_TEST_FOLDER", (folder / "log").c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    execl("/proc/self/exe", "ledger_test", "--gtest_also_run_disabled_tests", "--gtest_filter=KilledProcess.*",
          nullptr);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  const auto log = Must(room.Open(folder / "log"));
  EXPECT_EQ(log->Latest().checkpoint.size, size_after);
  EXPECT_TRUE(Act(*log, room, EventType::kAuditRead, std::string(kOperator), "x").ok());
}

INSTANTIATE_TEST_SUITE_P(Ledger, KillPoint,
                         testing::Values(std::pair("ledger.before_append", 4U), std::pair("ledger.after_write", 5U),
                                         std::pair("ledger.after_append", 5U), std::pair("ledger.after_tiles", 5U)));

// What the child of the test above does; by itself it is nothing.
TEST(KilledProcess, DISABLED_AppendsOneEntry) {
  const char* folder = std::getenv("LEDGER_TEST_FOLDER");  // NOLINT(concurrency-mt-unsafe)
  ASSERT_NE(folder, nullptr);
  TestRoom room(8);  // gives ids that the parent has not used
  const auto log = Must(room.Open(folder));
  AppendSome(*log, room, 1);
}

TEST(Journal, RecordsAreParsedBackAndNothingElseIs) {
  const std::string bytes = EncodeRecord({7, "entry", "note"});
  JournalRecord record;
  EXPECT_EQ(ParseRecord(bytes + "rest", record), bytes.size());
  EXPECT_EQ(record.index, 7U);
  EXPECT_EQ(record.entry, "entry");
  EXPECT_EQ(record.note, "note");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ (1U << bit));
      EXPECT_EQ(ParseRecord(changed, record), 0U) << i;
    }
  }
}

}  // namespace
}  // namespace glovebox::ledger
