// SPDX-License-Identifier: Apache-2.0
//
// Lists come in pages: nothing twice, nothing left out, no token after the last row.
#include "room/pages.h"

#include "tests/unit/room/fixture.h"

namespace glovebox::room {
namespace {

class PagesTest : public RoomTest {
 protected:
  static RunFilter Ending(RunFilter::Ended ended) {
    RunFilter filter;
    filter.ended = ended;
    return filter;
  }
  static RunFilter Named(const std::string& notebook) {
    RunFilter filter;
    filter.notebook = notebook;
    return filter;
  }
  // What all pages of this size have, in order, and how many pages there are.
  template <typename ListPage, typename KeyOf>
  std::pair<std::vector<std::string>, int> Walk(std::int64_t size, ListPage list, KeyOf key_of) {
    std::vector<std::string> keys;
    catalog::PageRequest request{size, ""};
    for (int pages = 1; pages < 100; ++pages) {
      const auto page = list(request);
      GB_ASSERT(page.ok());
      EXPECT_LE(page->items.size(), static_cast<std::size_t>(size));
      for (const auto& item : page->items) {
        keys.push_back(key_of(item));
      }
      if (page->next_token.empty()) {
        return {keys, pages};
      }
      request.token = page->next_token;
    }
    return {keys, -1};
  }
  std::pair<std::vector<std::string>, int> Runs(const Caller& caller, std::int64_t size, const RunFilter& filter = {}) {
    return Walk(
        size, [&](const catalog::PageRequest& page) { return rooms_->runs().List(caller, filter, page); },
        [](const RunView& view) { return std::to_string(static_cast<std::int64_t>(view.run.id)); });
  }
  std::pair<std::vector<std::string>, int> InRoom(std::int64_t size, const RunFilter& filter = {}) {
    return Walk(
        size,
        [&](const catalog::PageRequest& page) { return rooms_->runs().ListInRoom(insurer_, "games", filter, page); },
        [](const RunView& view) { return std::to_string(static_cast<std::int64_t>(view.run.id)); });
  }
};

using Keys = std::vector<std::string>;

TEST_F(PagesTest, Runs) {
  MakeActiveRoom();
  Approve(MakeNotebook());
  Approve(MakeNotebook("Other"));
  EXPECT_EQ(Runs(federation_, 2), std::pair(Keys(), 1));
  RunToEnd("overlap");
  RunToEnd("Other");
  RunToEnd("overlap");
  Check(rooms_->runs().Submit(federation_, Submission("Other")));
  const Keys all{"7", "5", "3", "1"};
  EXPECT_EQ(Runs(federation_, 1), std::pair(all, 4));
  EXPECT_EQ(Runs(federation_, 2), std::pair(all, 2)) << "the last page is full, and no token follows it";
  EXPECT_EQ(Runs(federation_, 3), std::pair(all, 2));
  EXPECT_EQ(Runs(federation_, 4), std::pair(all, 1));
  EXPECT_EQ(InRoom(3), std::pair(all, 2));
  EXPECT_EQ(Runs(federation_, 1, Ending(RunFilter::Ended::kNo)), std::pair(Keys{"7"}, 1));
  EXPECT_EQ(Runs(federation_, 2, Ending(RunFilter::Ended::kYes)), std::pair(Keys{"5", "3", "1"}, 2));
  EXPECT_EQ(InRoom(1, Named("OTHER")), std::pair(Keys{"7", "3"}, 2)) << "names are the same whatever their case";
  EXPECT_EQ(InRoom(1, Named("nothing")), std::pair(Keys(), 1));
  const auto listed = rooms_->runs().List(federation_, {}, {});
  EXPECT_TRUE(listed->items.back().run.certificate.is_null()) << "lists are light";
  EXPECT_EQ(listed->items.back().room_name, "games");
}

TEST_F(PagesTest, RunsOfOthersAreNotCounted) {
  MakeActiveRoom();
  Approve(MakeNotebook());
  const Caller clerk = AddUser(federation_, "clerk@federation.example");
  Grant(federation_, catalog::SecurableKind::kCleanRoom, "games", clerk, {catalog::Privilege::kExecuteCleanRoomTask});
  Check(rooms_->runs().Submit(clerk, Submission()));
  Check(rooms_->runs().Submit(federation_, Submission()));
  Check(rooms_->runs().Submit(clerk, Submission()));
  EXPECT_EQ(Runs(clerk, 1), std::pair(Keys({"5", "1"}), 2));
  EXPECT_EQ(Runs(federation_, 2), std::pair(Keys({"5", "3", "1"}), 2)) << "an admin sees those of all";
}

TEST_F(PagesTest, AForeignTokenIsRefused) {
  MakeActiveRoom();
  for (const std::string& token : {catalog::PageToken("name"), catalog::PageToken("5 "), catalog::PageToken("5x")}) {
    EXPECT_EQ(CodeOf(rooms_->runs().List(federation_, {}, {1, token})), ErrorCode::kInvalidParameterValue) << token;
  }
  EXPECT_EQ(CodeOf(rooms_->runs().List(federation_, {}, {-1, ""})), ErrorCode::kInvalidParameterValue);
}

TEST_F(PagesTest, Revisions) {
  MakeActiveRoom();
  Keys etags{MakeNotebook().version.etag.str()};
  for (int i = 2; i <= 5; ++i) {
    NotebookSpec spec;
    spec.name = "overlap";
    spec.content = Base64Encode("SELECT " + std::to_string(i));
    etags.insert(etags.begin(), rooms_->notebooks().Update(federation_, "games", spec)->version.etag.str());
  }
  const NotebookView other = MakeNotebook("other");
  const auto revisions = [&](std::int64_t size) {
    return Walk(
        size,
        [&](const catalog::PageRequest& page) {
          return rooms_->notebooks().Revisions(insurer_, "games", "overlap", page);
        },
        [](const NotebookView& view) { return view.version.etag.str(); });
  };
  EXPECT_EQ(revisions(2), std::pair(etags, 3));
  EXPECT_EQ(revisions(5), std::pair(etags, 1));
  const auto third = rooms_->notebooks().Revision(insurer_, "games", "overlap", Etag(etags[2]));
  ASSERT_TRUE(third.ok()) << third.status().message();
  EXPECT_EQ(third->version.number, 3);
  EXPECT_EQ(CodeOf(rooms_->notebooks().Revision(insurer_, "games", "overlap", other.version.etag)),
            ErrorCode::kNotFound);
}

TEST_F(PagesTest, RoomsThatTheCallerMayNotKnowAreInNoPageAndNoToken) {
  for (const char* name : {"E", "a", "b", "C", "d"}) {
    Check(rooms_->rooms().Create(federation_, Spec(name)));
  }
  const auto rooms = [&](const Caller& caller, std::int64_t size) {
    return Walk(
        size, [&](const catalog::PageRequest& page) { return rooms_->rooms().List(caller, page); },
        [](const RoomView& view) { return view.name; });
  };
  const Keys all{"a", "b", "C", "d", "E"};
  EXPECT_EQ(rooms(federation_, 1), std::pair(all, 5));
  EXPECT_EQ(rooms(federation_, 5), std::pair(all, 1));
  const Caller clerk = AddUser(federation_, "clerk@federation.example");
  EXPECT_EQ(rooms(clerk, 1), std::pair(Keys(), 1));
  for (const char* name : {"a", "d"}) {
    Grant(federation_, catalog::SecurableKind::kCleanRoom, name, clerk, {catalog::Privilege::kBrowse});
  }
  EXPECT_EQ(rooms(clerk, 1), std::pair(Keys({"a", "d"}), 2)) << "nothing follows d that he may know";
  EXPECT_EQ(rooms_->rooms().List(clerk, {1, ""})->next_token, catalog::PageToken("a"));
}

}  // namespace
}  // namespace glovebox::room
