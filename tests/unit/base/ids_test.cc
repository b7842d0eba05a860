// SPDX-License-Identifier: Apache-2.0
#include "base/ids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/random.h"

namespace glovebox {
namespace {

static_assert(!std::is_convertible_v<RoomId, AssetId> && !std::is_constructible_v<RoomId, AssetId>);
static_assert(!std::is_convertible_v<std::string, RoomId>);

TEST(IdsTest, UuidHasVersionVariantAndTime) {
  const ManualClock clock(TimeMs{0x017F22E279B0});  // the example of RFC 9562
  SeededRandom random(1);
  for (int i = 0; i < 100; ++i) {
    const std::string id = NewUuid(clock, random);
    ASSERT_TRUE(IsUuid(id)) << id;
    EXPECT_EQ(id.substr(0, 15), "017f22e2-79b0-7");
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  }
}

TEST(IdsTest, UuidsSortByTimeAndDiffer) {
  ManualClock clock(TimeMs{1'700'000'000'000});
  SeededRandom random(2);
  std::vector<std::string> ids;
  for (int i = 0; i < 1'000; ++i) {
    ids.push_back(NewUuid(clock, random));
    clock.AdvanceMs(1);
  }
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
}

TEST(IdsTest, UuidsOfOneMomentDiffer) {
  const ManualClock clock(TimeMs{1});
  SystemRandom random;
  EXPECT_NE(NewUuid(clock, random), NewUuid(clock, random));
}

TEST(IdsTest, FormOfAUuid) {
  EXPECT_TRUE(IsUuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
  EXPECT_TRUE(IsUuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"));
  for (const char* text : {"", "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
                           "017f22e279b0-7cc3-98c4-dc0c0c07398f-", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
                           "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}"}) {
    EXPECT_FALSE(IsUuid(text)) << text;
  }
}

TEST(IdsTest, IdsCompareAndHashByText) {
  EXPECT_EQ(RoomId("a"), RoomId("a"));
  EXPECT_LT(RoomId("a"), RoomId("b"));
  EXPECT_TRUE(RoomId().empty());
  EXPECT_EQ((std::unordered_set<RoomId>{RoomId("a"), RoomId("a"), RoomId("b")}.size()), 2U);
}

}  // namespace
}  // namespace glovebox
