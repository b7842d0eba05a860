// SPDX-License-Identifier: Apache-2.0
#include "app/data_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "app/foundation.h"

namespace glovebox::app {
namespace {

using testing::HasSubstr;

class DataFolderTest : public testing::Test {
 protected:
  DataFolderTest() : path_(testing::TempDir() + "glovebox-data-folder-test") { static_cast<void>(RemoveTree(path_)); }
  ~DataFolderTest() override { static_cast<void>(RemoveTree(path_)); }
  std::string path_;
};

TEST_F(DataFolderTest, IsMadeForItsOwnerOnly) {
  const auto folder = DataFolder::Open(path_ + "/a/b");
  ASSERT_TRUE(folder.ok());
  struct stat info{};
  ASSERT_EQ(stat(folder->path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(DataFolderTest, ThatIsOpenToOthersIsClosedToThem) {
  ASSERT_TRUE(MakeDirectories(path_, 0755).ok());
  ASSERT_EQ(chmod(path_.c_str(), 0755), 0);
  ASSERT_TRUE(DataFolder::Open(path_).ok());
  struct stat info{};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(DataFolderTest, IsHeldByOneAtATime) {
  std::optional<DataFolder> first = DataFolder::Open(path_).value();
  const auto second = DataFolder::Open(path_);
  EXPECT_EQ(second.status().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(second.status().message(), HasSubstr(path_));
  EXPECT_THAT(second.status().message(), HasSubstr(std::to_string(getpid())));
  first.reset();
  EXPECT_TRUE(DataFolder::Open(path_).ok());
}

TEST_F(DataFolderTest, AFileInThePlaceOfTheFolderIsAnErrorThatNamesIt) {
  ASSERT_TRUE(WriteFileDurably(path_, "x").ok());
  const auto folder = DataFolder::Open(path_ + "/data");
  EXPECT_EQ(folder.status().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(folder.status().message(), HasSubstr(path_));
}

TEST_F(DataFolderTest, AFoundationKeepsWhatWasMadeInIt) {
  std::string token;
  {
    const auto foundation = Foundation::Open(path_);
    ASSERT_TRUE(foundation.ok()) << foundation.status().message();
    const auto created =
        (*foundation)->catalog().organisations.Create({.name = "Insurer", .admin_user = "ann@x.example"});
    ASSERT_TRUE(created.ok());
    token = created->admin_token.value;
  }
  const auto foundation = Foundation::Open(path_);
  ASSERT_TRUE(foundation.ok());
  const auto caller = (*foundation)->catalog().tokens.Authenticate(token);
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->name, "ann@x.example");
}

TEST_F(DataFolderTest, ADamagedMasterKeyStopsTheStart) {
  ASSERT_TRUE(Foundation::Open(path_).ok());
  ASSERT_TRUE(WriteFileDurably(path_ + "/master.key", "short").ok());
  EXPECT_EQ(Foundation::Open(path_).status().code(), ErrorCode::kDataLoss);
}

TEST_F(DataFolderTest, AMissingMasterKeyStopsTheStart) {
  ASSERT_TRUE(Foundation::Open(path_).ok());
  ASSERT_TRUE(RemoveTree(path_ + "/master.key").ok());
  const Status missing = Foundation::Open(path_).status();
  EXPECT_EQ(missing.code(), ErrorCode::kDataLoss);
  EXPECT_THAT(missing.message(), HasSubstr("master.key' is missing"));
  EXPECT_FALSE(FileExists(path_ + "/master.key"));
}

TEST_F(DataFolderTest, TheMasterKeyOfAnotherFolderStopsTheStart) {
  ASSERT_TRUE(Foundation::Open(path_).ok());
  ASSERT_TRUE(WriteFileDurably(path_ + "/master.key", std::string(32, 'k')).ok());
  const Status wrong = Foundation::Open(path_).status();
  EXPECT_EQ(wrong.code(), ErrorCode::kDataLoss);
  EXPECT_THAT(wrong.message(), HasSubstr("is not the one"));
}

}  // namespace
}  // namespace glovebox::app
