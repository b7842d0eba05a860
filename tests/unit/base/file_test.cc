// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <limits>
#include <string>
#include <thread>

namespace glovebox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/glovebox_file_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { EXPECT_TRUE(RemoveTree(folder_).ok()); }
  [[nodiscard]] std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
};

unsigned ModeOf(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(stat(path.c_str(), &info), 0);
  return info.st_mode & 07777U;
}

TEST_F(FileTest, WhatWasWrittenIsRead) {
  const std::string content("a\0b\n", 4);
  ASSERT_TRUE(WriteFileDurably(Path("f"), content).ok());
  EXPECT_EQ(ReadFile(Path("f"), 4).value(), content);
  EXPECT_EQ(ModeOf(Path("f")), 0600U);
  ASSERT_TRUE(WriteFileDurably(Path("f"), "", 0400).ok());
  EXPECT_EQ(ReadFile(Path("f"), 0).value(), "");
  EXPECT_EQ(ModeOf(Path("f")), 0400U);
  EXPECT_THAT(ListDirectory(folder_).value(), ElementsAre("f"));
}

TEST_F(FileTest, ReadHasALimit) {
  const std::string content(200'000, 'x');
  ASSERT_TRUE(WriteFileDurably(Path("f"), content).ok());
  EXPECT_EQ(ReadFile(Path("f"), content.size()).value(), content);
  EXPECT_EQ(ReadFile(Path("f"), std::numeric_limits<std::size_t>::max())->size(), content.size());
  EXPECT_EQ(ReadFile(Path("f"), content.size() - 1).status().code(), ErrorCode::kPayloadTooLarge);
  EXPECT_EQ(ReadFile(Path("f"), 0).status().code(), ErrorCode::kPayloadTooLarge);
}

TEST_F(FileTest, ErrorsNameOperationAndPath) {
  const Status missing = ReadFile(Path("none"), 10).status();
  EXPECT_EQ(missing.code(), ErrorCode::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr("open " + Path("none")));
  EXPECT_EQ(ReadFile(folder_, 10).status().code(), ErrorCode::kInternal);
  EXPECT_EQ(ListDirectory(Path("none")).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(SyncDirectory(Path("none")).code(), ErrorCode::kNotFound);
}

TEST_F(FileTest, AFailedWriteLeavesWhatWasThere) {
  ASSERT_TRUE(MakeDirectories(Path("taken/inside")).ok());
  EXPECT_FALSE(WriteFileDurably(Path("taken"), "x").ok());  // a folder cannot be replaced by a file
  EXPECT_TRUE(FileExists(Path("taken/inside")));
  EXPECT_FALSE(WriteFileDurably(Path("none/f"), "x").ok());
  EXPECT_THAT(ListDirectory(folder_).value(), ElementsAre("taken"));
}

// A disk that is full while the content is written: the limit on file sizes does the same to write().
TEST_F(FileTest, AWriteThatBreaksOffLeavesTheOldContent) {
  ASSERT_TRUE(WriteFileDurably(Path("f"), "old").ok());
  struct rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small{1'000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = WriteFileDurably(Path("f"), std::string(5'000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(ReadFile(Path("f"), 10).value(), "old");
  EXPECT_THAT(ListDirectory(folder_).value(), ElementsAre("f"));
}

TEST_F(FileTest, ReadersSeeTheOldContentOrTheNew) {
  const std::string a(100'000, 'a');
  const std::string b(100'000, 'b');
  ASSERT_TRUE(WriteFileDurably(Path("f"), a).ok());
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(WriteFileDurably(Path("f"), i % 2 == 0 ? b : a).ok());
    }
  });
  for (int i = 0; i < 200; ++i) {
    const std::string content = ReadFile(Path("f"), a.size()).value();
    EXPECT_TRUE(content == a || content == b);
  }
  writer.join();
  EXPECT_THAT(ListDirectory(folder_).value(), ElementsAre("f"));
}

TEST_F(FileTest, MakesFolders) {
  ASSERT_TRUE(MakeDirectories(Path("a/b//c/")).ok());
  ASSERT_TRUE(MakeDirectories(Path("a/b/c")).ok());
  EXPECT_EQ(ModeOf(Path("a/b")), 0700U);
  ASSERT_TRUE(WriteFileDurably(Path("a/file"), "x").ok());
  EXPECT_FALSE(MakeDirectories(Path("a/file")).ok());
  EXPECT_FALSE(MakeDirectories(Path("a/file/d")).ok());
}

TEST_F(FileTest, ListsSorted) {
  EXPECT_THAT(ListDirectory(folder_).value(), IsEmpty());
  for (const char* name : {"b", "a", ".hidden", "C"}) {
    ASSERT_TRUE(WriteFileDurably(Path(name), "x").ok());
  }
  EXPECT_THAT(ListDirectory(folder_).value(), ElementsAre(".hidden", "C", "a", "b"));
}

TEST_F(FileTest, RemovesTreesWithoutFollowingLinks) {
  ASSERT_TRUE(MakeDirectories(Path("keep")).ok());
  ASSERT_TRUE(WriteFileDurably(Path("keep/f"), "x").ok());
  ASSERT_TRUE(MakeDirectories(Path("tree/deep")).ok());
  ASSERT_EQ(symlink(Path("keep").c_str(), Path("tree/deep/link").c_str()), 0);
  EXPECT_TRUE(FileExists(Path("tree/deep/link")));
  ASSERT_TRUE(RemoveTree(Path("tree")).ok());
  EXPECT_FALSE(FileExists(Path("tree")));
  EXPECT_TRUE(FileExists(Path("keep/f")));
  EXPECT_TRUE(RemoveTree(Path("tree")).ok());
}

TEST_F(FileTest, DescriptorsAreOwnedAndClosedOnExec) {
  const int raw = open(folder_.c_str(), O_RDONLY | O_CLOEXEC);
  {
    UniqueFd fd(raw);
    UniqueFd moved(std::move(fd));
    EXPECT_EQ(moved.get(), raw);
    EXPECT_TRUE(fcntl(raw, F_GETFD) >= 0);
  }
  EXPECT_EQ(fcntl(raw, F_GETFD), -1);
  EXPECT_FALSE(WriteAll(raw, "x").ok());
  EXPECT_FALSE(UniqueFd().valid());
}

// More than a pipe holds, so that write() comes back with less than it was given.
TEST_F(FileTest, WriteAllGoesOnUntilAllIsWritten) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const std::string content(1'000'000, 'x');
  std::thread writer([&] {
    EXPECT_TRUE(WriteAll(writing.get(), content).ok());
    writing.reset();
  });
  std::string received;
  char buffer[777];
  for (ssize_t got = 1; got > 0;) {
    got = read(reading.get(), buffer, sizeof(buffer));
    received.append(buffer, static_cast<std::size_t>(got > 0 ? got : 0));
  }
  writer.join();
  EXPECT_EQ(received, content);
}

}  // namespace
}  // namespace glovebox
