// SPDX-License-Identifier: Apache-2.0
#include "base/text_place.h"

#include <gtest/gtest.h>

namespace glovebox {
namespace {

TEST(TextPlaceTest, CountsLinesAndCodePointsFromOne) {
  EXPECT_EQ(PlaceInText("SELECT x", 0), "line 1, column 1");
  EXPECT_EQ(PlaceInText("SELECT x", 7), "line 1, column 8");
  EXPECT_EQ(PlaceInText("a\nbc\nd", 2), "line 2, column 1");
  EXPECT_EQ(PlaceInText("a\nbc\nd", 3), "line 2, column 2");
  EXPECT_EQ(PlaceInText("'\xC3\xA4\xC3\xB6' x", 7), "line 1, column 6");
}

TEST(TextPlaceTest, BeyondTheEndIsTheEnd) {
  EXPECT_EQ(PlaceInText("a\nb", 99), "line 2, column 2");
  EXPECT_EQ(PlaceInText("", 5), "line 1, column 1");
}

}  // namespace
}  // namespace glovebox
