// SPDX-License-Identifier: Apache-2.0
#include "base/encoding.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/random.h"

namespace glovebox {
namespace {

TEST(EncodingTest, Base64OfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(Base64Encode(bytes), text);
    EXPECT_EQ(Base64Decode(text).value(), bytes);
  }
}

TEST(EncodingTest, Base64IsStrict) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "=Zg=", "Z===", "====", "Zh==", "Zm9=", " Zg==", "Zg==\n", "Zm 9v",
                           "Zm9-", "Zm9_", "Zg==Zg==", "Zm9vY=g="}) {
    EXPECT_FALSE(Base64Decode(text).ok()) << text;
  }
}

TEST(EncodingTest, Base64UrlHasNoPadding) {
  EXPECT_EQ(Base64UrlEncode("\xfb\xff"), "-_8");
  EXPECT_EQ(Base64UrlDecode("-_8").value(), "\xfb\xff");
  EXPECT_EQ(Base64Encode("\xfb\xff"), "+/8=");
  for (const char* text : {"-_8=", "+/8", "-_9", "A", "AAAAA"}) {
    EXPECT_FALSE(Base64UrlDecode(text).ok()) << text;
  }
}

TEST(EncodingTest, Hex) {
  EXPECT_EQ(HexEncode(std::string_view("\x00\x0f\xa5\xff", 4)), "000fa5ff");
  EXPECT_EQ(HexDecode("000fa5ff").value(), std::string("\x00\x0f\xa5\xff", 4));
  for (const char* text : {"0", "0F", "0g", " 00", "0x00"}) {
    EXPECT_FALSE(HexDecode(text).ok()) << text;
  }
}

TEST(EncodingTest, Percent) {
  EXPECT_EQ(PercentEncode("a-Z0._~ /é%+"), "a-Z0._~%20%2F%C3%A9%25%2B");
  EXPECT_EQ(PercentEncode("/a b/", "/"), "/a%20b/");
  EXPECT_EQ(PercentDecode("a%2fb%2FC+%C3%A9").value(), "a/b/C+é");
  for (const char* text : {"%", "a%2", "%zz", "%2g", "%-1"}) {
    EXPECT_FALSE(PercentDecode(text).ok()) << text;
  }
}

TEST(EncodingTest, DecodersInvertEncoders) {
  SeededRandom random(7);
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string bytes = random.Bytes(size);
    ASSERT_EQ(HexDecode(HexEncode(bytes)).value(), bytes);
    ASSERT_EQ(Base64Decode(Base64Encode(bytes)).value(), bytes);
    ASSERT_EQ(Base64UrlDecode(Base64UrlEncode(bytes)).value(), bytes);
    ASSERT_EQ(PercentDecode(PercentEncode(bytes)).value(), bytes);
  }
}

// What a decoder accepts is what the encoder would have written.
TEST(EncodingTest, EncodersInvertDecoders) {
  SeededRandom random(8);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = random.Bytes(4);
    for (char& c : text) {
      c = "ABQwZgz09+/="[static_cast<unsigned char>(c) % 12];
    }
    const Result<std::string> bytes = Base64Decode(text);
    if (bytes.ok()) {
      ++accepted;
      ASSERT_EQ(Base64Encode(*bytes), text);
    }
  }
  EXPECT_GT(accepted, 1'000);
}

}  // namespace
}  // namespace glovebox
