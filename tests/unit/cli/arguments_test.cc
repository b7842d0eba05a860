// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace glovebox::cli {
namespace {

TEST(ParseAddressTest, ReadsHostAndPort) {
  for (const auto& [text, host, port] : {
           std::tuple{"127.0.0.1:8080", "127.0.0.1", 8080},
           std::tuple{"[::1]:443", "::1", 443},
           std::tuple{"localhost:0", "localhost", 0},
           std::tuple{"8080", "127.0.0.1", 8080},
       }) {
    const auto address = ParseAddress(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(address->host, host);
    EXPECT_EQ(address->port, port);
  }
}

TEST(ParseAddressTest, RefusesWhatIsNoAddress) {
  for (const char* text : {"", ":", ":80", "host", "host:", "host:80x", "host:65536", "host:-1", "::1:80", "[]:80"}) {
    EXPECT_EQ(ParseAddress(text).status().code(), ErrorCode::kInvalidParameterValue) << text;
  }
}

class DefaultDataFolderTest : public testing::Test {
 protected:
  static void Set(const char* name, const char* value) {
    ASSERT_EQ(value == nullptr ? unsetenv(name) : setenv(name, value, 1), 0);
  }
};

TEST_F(DefaultDataFolderTest, FollowsTheConventionOfTheDesktop) {
  Set("XDG_DATA_HOME", "/x");
  Set("HOME", "/h");
  EXPECT_EQ(DefaultDataFolder().value(), "/x/glovebox");
  Set("XDG_DATA_HOME", "relative");  // is to be ignored
  EXPECT_EQ(DefaultDataFolder().value(), "/h/.local/share/glovebox");
  Set("XDG_DATA_HOME", nullptr);
  Set("HOME", nullptr);
  EXPECT_EQ(DefaultDataFolder().status().code(), ErrorCode::kInvalidParameterValue);
}

}  // namespace
}  // namespace glovebox::cli
