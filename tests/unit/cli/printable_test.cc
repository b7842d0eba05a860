// SPDX-License-Identifier: Apache-2.0
#include "cli/printable.h"

#include <gtest/gtest.h>

namespace glovebox::cli {
namespace {

TEST(Printable, NothingOfOthersMovesTheCursor) {
  EXPECT_EQ(Printable("run 7: 'p\xc3\xbc\xe2\x82\xac' differs"), "run 7: 'p\xc3\xbc\xe2\x82\xac' differs");
  EXPECT_EQ(Printable("a\x1b[2Jb\rc\nd\te\x7f"), "a\\x1b[2Jb\\x0dc\\x0ad\\x09e\\x7f");
  EXPECT_EQ(Printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "2J\xc2\xa0"),
            "\\xc2\\x9b"
            "2J\xc2\xa0")
      << "C1, of eight bits";
  EXPECT_EQ(Printable("\xe2\x80\xae"), "\\xe2\\x80\\xae") << "from right to left";
  EXPECT_EQ(Printable("\xe2\x81\xa6"), "\\xe2\\x81\\xa6") << "an isolated direction";
  EXPECT_EQ(Printable("\x9b"
                      "2J\xff"),
            "\\x9b"
            "2J\\xff")
      << "no UTF-8";
  EXPECT_EQ(Printable(""), "");
}

}  // namespace
}  // namespace glovebox::cli
