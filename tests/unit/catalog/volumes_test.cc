// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include "catalog/stored_bytes.h"
#include "catalog/volume_path.h"
#include "tests/unit/catalog/fixture.h"

namespace glovebox::catalog {
namespace {

class Files : public CatalogTest {
 protected:
  void SetUp() override {
    MakeSchema("main", "s");
    auto volume = catalog_->volumes.Create(admin_, "main.s", "v", "", IfExists::kFail);
    ASSERT_TRUE(volume.ok());
    folder_ = data_folder_ + "/volumes/" + admin_.organisation.str() + "/" + volume->id;
  }

  static std::string Path(const std::string& rest) { return "/Volumes/main/s/v" + rest; }

  Status Put(const std::string& rest, const std::string& content, Overwrite overwrite = Overwrite::kNo) {
    return CatalogTest::Put(admin_, Path(rest), content, overwrite);
  }

  std::string Content(const std::string& rest) {
    auto file = catalog_->volumes.Open(admin_, Path(rest));
    if (!file.ok()) {
      return "error: " + file.status().message();
    }
    std::string content(static_cast<std::size_t>(file->entry.size), '\0');
    const ssize_t count = read(file->fd.get(), content.data(), content.size());
    return content.substr(0, static_cast<std::size_t>(count));
  }

  std::string folder_;
};

TEST_F(Files, AFileComesBackAsItWentIn) {
  ASSERT_TRUE(Put("/in/2016/a b#1?.csv", "x,y\n1,2\n").ok());
  EXPECT_EQ(Content("/in/2016/a b#1?.csv"), "x,y\n1,2\n");
  auto head = catalog_->volumes.Head(admin_, "/Volumes/MAIN/S/V/in/2016/a b#1?.csv");
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->path, Path("/in/2016/a b#1?.csv"));
  EXPECT_EQ(head->size, 8);
  EXPECT_EQ(head->kind, EntryKind::kFile);
  auto on_disk = catalog_->volumes.FileForEngine(admin_, Path("/in/2016/a b#1?.csv"));
  EXPECT_EQ(ReadFile(*on_disk, 100).value(), "x,y\n1,2\n");
}

TEST_F(Files, OverwritingIsAsked) {
  ASSERT_TRUE(Put("/a", "1").ok());
  EXPECT_EQ(Put("/a", "2").code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(Content("/a"), "1");
  ASSERT_TRUE(Put("/a", "3", Overwrite::kYes).ok());
  EXPECT_EQ(Content("/a"), "3");
  // Two uploads of one name: the second to end finds the first.
  auto first = catalog_->volumes.StartUpload(admin_, Path("/b"), Overwrite::kNo);
  auto second = catalog_->volumes.StartUpload(admin_, Path("/b"), Overwrite::kNo);
  ASSERT_TRUE((*first)->Append("first").ok() && (*second)->Append("second").ok());
  ASSERT_TRUE((*first)->Commit().ok());
  EXPECT_EQ((*second)->Commit().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(Content("/b"), "first");
}

TEST_F(Files, AnUploadThatIsGivenUpLeavesNothing) {
  {
    auto upload = catalog_->volumes.StartUpload(admin_, Path("/d/a"), Overwrite::kYes);
    ASSERT_TRUE((*upload)->Append("half").ok());
  }
  EXPECT_EQ(catalog_->volumes.Head(admin_, Path("/d/a")).status().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(ListDirectory(folder_ + "/uploads")->empty());
  ASSERT_TRUE(WriteFileDurably(folder_ + "/uploads/left-by-a-crash", "x").ok());
  ASSERT_TRUE(catalog_->volumes.RemoveLeftovers().ok());
  EXPECT_FALSE(FileExists(folder_ + "/uploads/left-by-a-crash"));
}

TEST_F(Files, AStorageThatIsFullTakesNothingMore) {
  ASSERT_TRUE(Put("/a", "1234").ok());
  ASSERT_TRUE(FillStorage(5).ok());
  EXPECT_EQ(Put("/b", "123456").code(), ErrorCode::kInvalidState);
  EXPECT_EQ(Content("/b"), "error: The file '" + Path("/b") + "' does not exist.");
  EXPECT_TRUE(ListDirectory(folder_ + "/uploads")->empty());
  // Two that fit alone do not fit together.
  auto first = catalog_->volumes.StartUpload(admin_, Path("/b"), Overwrite::kNo);
  auto second = catalog_->volumes.StartUpload(admin_, Path("/c"), Overwrite::kNo);
  ASSERT_TRUE((*first)->Append("123").ok() && (*second)->Append("123").ok());
  ASSERT_TRUE((*first)->Commit().ok());
  EXPECT_EQ((*second)->Commit().code(), ErrorCode::kInvalidState);
  // 2 left. An overwritten file counts by the difference, a smaller one gives bytes back, so does a deleted one.
  EXPECT_EQ(Put("/a", "1234567", Overwrite::kYes).code(), ErrorCode::kInvalidState);
  EXPECT_EQ(Content("/a"), "1234");
  EXPECT_TRUE(Put("/a", "123456", Overwrite::kYes).ok());
  EXPECT_EQ(Put("/d", "1").code(), ErrorCode::kInvalidState);
  EXPECT_TRUE(Put("/empty", "").ok());
  EXPECT_TRUE(Put("/a", "12345", Overwrite::kYes).ok());
  EXPECT_TRUE(Put("/d", "1").ok());
  ASSERT_TRUE(catalog_->volumes.DeleteFile(admin_, Path("/b")).ok());
  EXPECT_TRUE(Put("/e", "123").ok());
  // What was refused for another reason counts for nothing.
  ASSERT_TRUE(catalog_->volumes.DeleteFile(admin_, Path("/d")).ok());
  EXPECT_EQ(catalog_->volumes.DeleteFile(admin_, Path("/d")).code(), ErrorCode::kNotFound);
  auto late = catalog_->volumes.StartUpload(admin_, Path("/f"), Overwrite::kNo);
  ASSERT_TRUE((*late)->Append("1").ok());
  ASSERT_TRUE(Put("/f", "").ok());
  EXPECT_EQ((*late)->Commit().code(), ErrorCode::kAlreadyExists);
  EXPECT_TRUE(Put("/g", "1").ok());
  // Another organisation has a storage of its own; a volume gives back what is in it.
  ASSERT_TRUE(catalog_->securables.Delete(admin_, SecurableKind::kVolume, "main.s.v", IfNotEmpty::kFail).ok());
  ASSERT_TRUE(catalog_->volumes.Create(admin_, "main.s", "v", "", IfExists::kFail).ok());
  EXPECT_TRUE(Put("/a", "123456789").ok());
  EXPECT_EQ(Put("/b", "1").code(), ErrorCode::kInvalidState);
}

// A crash between the file and its row: the file's size counts, whether the change was made or not.
TEST_F(Files, SizesAreSettledAfterACrash) {
  ASSERT_TRUE(Put("/a", "1234").ok());
  ASSERT_TRUE(Put("/d/b", "1234").ok());
  const std::string volume = folder_.substr(folder_.rfind('/') + 1);
  {
    auto transaction = database_->Begin(store::Access::kWrite);
    const auto file = [&](const std::string& path) {
      return StoredFile{.organisation = admin_.organisation, .volume = volume, .path = path};
    };
    ASSERT_TRUE(AnnounceFile(**transaction, file("a"), 100).ok());   // was to be overwritten, and is not
    ASSERT_TRUE(AnnounceFile(**transaction, file("d/b"), 0).ok());   // was deleted
    ASSERT_TRUE(AnnounceFile(**transaction, file("new"), 50).ok());  // never came
    ASSERT_TRUE((*transaction)->Commit().ok());
  }
  ASSERT_TRUE(RemoveTree(folder_ + "/files/d/b").ok());
  const auto stored = [&] {
    auto transaction = database_->Begin(store::Access::kRead);
    return (*transaction)->QueryOne("SELECT SUM(bytes), SUM(changes), COUNT(*) FROM volume_files").value().value();
  };
  EXPECT_EQ(stored().Int(0), 154);
  ASSERT_TRUE(catalog_->volumes.RemoveLeftovers().ok());
  EXPECT_EQ(stored().Int(0), 4);
  EXPECT_EQ(stored().Int(1), 0);
  EXPECT_EQ(stored().Int(2), 1);
}

TEST_F(Files, FilesOfADeletedVolumeGoAtStart) {
  ASSERT_TRUE(Put("/a", "1").ok());
  ASSERT_TRUE(catalog_->volumes.RemoveLeftovers().ok());
  EXPECT_EQ(Content("/a"), "1");
  ASSERT_TRUE(catalog_->securables.Delete(admin_, SecurableKind::kVolume, "main.s.v", IfNotEmpty::kFail).ok());
  EXPECT_FALSE(FileExists(folder_));
  // As if the server had been killed before it removed them.
  ASSERT_TRUE(MakeDirectories(folder_ + "/files").ok());
  ASSERT_TRUE(WriteFileDurably(folder_ + "/files/a", "1").ok());
  ASSERT_TRUE(catalog_->volumes.RemoveLeftovers().ok());
  EXPECT_FALSE(FileExists(folder_));
}

TEST_F(Files, PathsDoNotLeaveTheVolume) {
  ASSERT_TRUE(MakeDirectories(folder_).ok());
  ASSERT_TRUE(WriteFileDurably(folder_ + "/outside", "secret").ok());
  for (const char* rest : {"/../outside", "/x/../../outside", "/./a", "//a", "/a//b", "/..", "/a\nb", "/\xff"}) {
    EXPECT_EQ(Put(rest, "x", Overwrite::kYes).code(), ErrorCode::kInvalidParameterValue) << rest;
    EXPECT_EQ(catalog_->volumes.Open(admin_, Path(rest)).status().code(), ErrorCode::kInvalidParameterValue) << rest;
  }
  for (const char* path : {"", "/", "/Volumes", "/Volumes/main/s", "Volumes/main/s/v/a", "/volumes/main/s/v/a",
                           "/Volumes/main.s/v/x/a", "/etc/passwd"}) {
    EXPECT_EQ(catalog_->volumes.Open(admin_, path).status().code(), ErrorCode::kInvalidParameterValue) << path;
  }
  EXPECT_EQ(ReadFile(folder_ + "/outside", 100).value(), "secret");
}

TEST_F(Files, LinksAreNotFollowed) {
  ASSERT_TRUE(Put("/d/real", "x").ok());
  ASSERT_TRUE(WriteFileDurably(folder_ + "/outside", "secret").ok());
  const std::string elsewhere = data_folder_ + "/elsewhere";
  ASSERT_TRUE(MakeDirectories(elsewhere).ok());
  ASSERT_TRUE(WriteFileDurably(elsewhere + "/theirs", "secret").ok());
  ASSERT_EQ(symlink(elsewhere.c_str(), (folder_ + "/files/root").c_str()), 0);
  ASSERT_EQ(symlink((folder_ + "/outside").c_str(), (folder_ + "/files/link").c_str()), 0);
  EXPECT_EQ(catalog_->volumes.Open(admin_, Path("/link")).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->volumes.Head(admin_, Path("/link")).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->volumes.FileForEngine(admin_, Path("/link")).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->volumes.Open(admin_, Path("/root/theirs")).status().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(Put("/root/ours", "x").ok());
  EXPECT_FALSE(FileExists(elsewhere + "/ours"));
  ASSERT_TRUE(Put("/link", "new", Overwrite::kYes).ok()) << "replaces the link, not what it points to";
  EXPECT_EQ(ReadFile(folder_ + "/outside", 100).value(), "secret");
  auto entries = catalog_->volumes.ListDirectory(admin_, Path(""), {});
  ASSERT_EQ(entries->items.size(), 2U);
  EXPECT_EQ(entries->items[0].name, "d");
}

TEST_F(Files, ReadingAndWritingAreGrantedApart) {
  ASSERT_TRUE(Put("/a", "1").ok());
  EXPECT_EQ(catalog_->volumes.Open(user_, Path("/a")).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->volumes.Open(other_, Path("/a")).status().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(Grant(SecurableKind::kCatalog, "main", user_.name,
                    {Privilege::kUseCatalog, Privilege::kUseSchema, Privilege::kReadVolume})
                  .ok());
  EXPECT_TRUE(catalog_->volumes.Open(user_, Path("/a")).ok());
  EXPECT_EQ(CatalogTest::Put(user_, Path("/a"), "2", Overwrite::kYes).code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(catalog_->volumes.DeleteFile(user_, Path("/a")).code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(catalog_->volumes.CreateDirectory(user_, Path("/d")).code(), ErrorCode::kPermissionDenied);
}

TEST_F(Files, DirectoriesAreMadeListedAndDeleted) {
  ASSERT_TRUE(catalog_->volumes.CreateDirectory(admin_, Path("/d/e/")).ok());
  ASSERT_TRUE(catalog_->volumes.CreateDirectory(admin_, Path("/d/e")).ok());
  ASSERT_TRUE(Put("/d/f", "12345").ok());
  EXPECT_EQ(catalog_->volumes.CreateDirectory(admin_, Path("/d/f")).code(), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(Put("/d/e", "x", Overwrite::kYes).code(), ErrorCode::kInvalidParameterValue);
  auto first = catalog_->volumes.ListDirectory(admin_, Path("/d"), {.size = 1, .token = ""});
  ASSERT_EQ(first->items.size(), 1U);
  EXPECT_EQ(first->items[0].kind, EntryKind::kDirectory);
  EXPECT_EQ(first->items[0].path, Path("/d/e"));
  auto second = catalog_->volumes.ListDirectory(admin_, Path("/d"), {.size = 1, .token = first->next_token});
  ASSERT_EQ(second->items.size(), 1U);
  EXPECT_EQ(second->items[0].size, 5);
  EXPECT_EQ(second->next_token, "");
  EXPECT_EQ(catalog_->volumes.DeleteDirectory(admin_, Path("/d")).code(), ErrorCode::kInvalidState);
  EXPECT_EQ(catalog_->volumes.DeleteDirectory(admin_, Path("/d/f")).code(), ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->volumes.DeleteFile(admin_, Path("/d/e")).code(), ErrorCode::kNotFound);
  ASSERT_TRUE(catalog_->volumes.DeleteFile(admin_, Path("/d/f")).ok());
  ASSERT_TRUE(catalog_->volumes.DeleteDirectory(admin_, Path("/d/e")).ok());
  ASSERT_TRUE(catalog_->volumes.DeleteDirectory(admin_, Path("/d")).ok());
  EXPECT_EQ(catalog_->volumes.ListDirectory(admin_, Path("/d"), {}).status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->volumes.DeleteDirectory(admin_, Path("")).code(), ErrorCode::kInvalidParameterValue);
}

TEST_F(Files, DeletingTheVolumeDeletesItsFiles) {
  ASSERT_TRUE(Put("/a", "1").ok());
  ASSERT_TRUE(catalog_->securables.Delete(admin_, SecurableKind::kVolume, "main.s.v", IfNotEmpty::kFail).ok());
  EXPECT_FALSE(FileExists(folder_));
  EXPECT_EQ(catalog_->volumes.Open(admin_, Path("/a")).status().code(), ErrorCode::kNotFound);
}

TEST(VolumePathText, TakesPathsApart) {
  auto path = ParseVolumePath("/Volumes/c/s/v/a/b.csv");
  ASSERT_TRUE(path.ok());
  EXPECT_EQ(path->volume, "c.s.v");
  EXPECT_EQ(path->parts, (std::vector<std::string>{"a", "b.csv"}));
  EXPECT_TRUE(ParseVolumePath("/Volumes/c/s/v")->parts.empty());
  EXPECT_TRUE(ParseVolumePath("/Volumes/c/s/v/")->parts.empty());
  EXPECT_FALSE(ParseVolumePath("/Volumes/c/s/v//").ok());
  std::string deep = "/Volumes/c/s/v";
  for (int i = 0; i < 62; ++i) {
    deep += "/d";
  }
  EXPECT_FALSE(ParseVolumePath(deep).ok());
  EXPECT_FALSE(ParseVolumePath("/Volumes/c/s/v/" + std::string(256, 'a')).ok());
}

}  // namespace
}  // namespace glovebox::catalog
