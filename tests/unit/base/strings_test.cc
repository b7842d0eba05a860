// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"

namespace glovebox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(StringsTest, AsciiOnly) {
  EXPECT_EQ(AsciiLower("ÀBc[Z"), "Àbc[z");
  EXPECT_EQ(AsciiUpper("àbC{z"), "àBC{Z");
  EXPECT_TRUE(EqualsIgnoreCase("Content-Type", "content-TYPE"));
  EXPECT_FALSE(EqualsIgnoreCase("abc", "abcd"));
  EXPECT_FALSE(EqualsIgnoreCase("a@", "a`"));
  EXPECT_EQ(TrimAscii(" \t\r\na b\v\f "), "a b");
  EXPECT_EQ(TrimAscii("  "), "");
}

TEST(StringsTest, SplitKeepsEmptyPartsAndJoinInverts) {
  EXPECT_THAT(Split("", ','), ElementsAre(""));
  EXPECT_THAT(Split(",a,,b,", ','), ElementsAre("", "a", "", "b", ""));
  EXPECT_EQ(Join(Split(",a,,b,", ','), ","), ",a,,b,");
  EXPECT_EQ(Join({}, ","), "");
}

TEST(StringsTest, Utf8) {
  EXPECT_TRUE(IsValidUtf8(std::string("a\0é€😀", 11)));
  EXPECT_TRUE(IsValidUtf8("\xF4\x8F\xBF\xBF"));
  for (const char* text : {"\xff", "\xC0\x80", "\xC3", "a\xE2\x82", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"}) {
    EXPECT_FALSE(IsValidUtf8(text));
  }
}

TEST(StringsTest, NormalFormC) {
  EXPECT_EQ(ToNfc("e\u0301").value(), "é");
  EXPECT_EQ(ToNfc("\u212B").value(), "Å");
  EXPECT_EQ(ToNfc("ﬁ").value(), "ﬁ");  // compatibility characters stay
  EXPECT_EQ(ToNfc("").value(), "");
  EXPECT_EQ(ToNfc(std::string("a\0b", 3)).value(), std::string("a\0b", 3));
  EXPECT_EQ(ToNfc("\xff").status().code(), ErrorCode::kInvalidParameterValue);
}

TEST(StringsTest, CanonicalUnit) {
  EXPECT_EQ(NfkcTrimLower("  Ann\tLEE \n").value(), "ann\tlee");
  EXPECT_EQ(NfkcTrimLower("\u00A0\u3000ＡＢＣ\u2003\u0085").value(), "abc");
  EXPECT_EQ(NfkcTrimLower("ÉCOLE").value(), NfkcTrimLower("e\u0301cole").value());
  EXPECT_EQ(NfkcTrimLower("ﬁ①").value(), "fi1");
  EXPECT_EQ(NfkcTrimLower("STRASSE").value(), "strasse");
  EXPECT_EQ(NfkcTrimLower("Straße").value(), "straße");
  EXPECT_EQ(NfkcTrimLower(" \u2028 ").value(), "");
  EXPECT_EQ(NfkcTrimLower("ΣΊΣΥΦΟΣ").value(), "σίσυφοσ");
  EXPECT_FALSE(NfkcTrimLower("a\xff").ok());
}

TEST(StringsTest, CanonicalUnitComposesAfterLowering) {
  EXPECT_EQ(NfkcTrimLower("J\u030C").value(), "\u01F0");
  EXPECT_EQ(NfkcTrimLower("\u01F0").value(), "\u01F0");
}

TEST(StringsTest, CanonicalUnitIsStable) {
  for (char32_t c = 1; c < 0x3100; ++c) {
    std::string text = " x";
    if (c < 0x80) {
      text += static_cast<char>(c);
    } else if (c < 0x800) {
      text += static_cast<char>(0xC0 | (c >> 6));
      text += static_cast<char>(0x80 | (c & 63));
    } else {
      text += static_cast<char>(0xE0 | (c >> 12));
      text += static_cast<char>(0x80 | (c >> 6 & 63));
      text += static_cast<char>(0x80 | (c & 63));
    }
    const std::string once = NfkcTrimLower(text).value();
    ASSERT_EQ(NfkcTrimLower(once).value(), once) << static_cast<unsigned>(c);
  }
}

TEST(StringsTest, SecurableNames) {
  for (const std::string& name : {std::string("a"), std::string("My-Table_1"), std::string("größe"),
                                  std::string(limits::kNameBytesMax, 'x'), std::string("a\\b%?#")}) {
    EXPECT_TRUE(CheckSecurableName(name, "name").ok()) << name;
  }
  for (const std::string& name :
       {std::string(), std::string(limits::kNameBytesMax + 1, 'x'), std::string("a.b"), std::string("a/b"),
        std::string("a b"), std::string("a\nb"), std::string("a\x7f"), std::string("a\0b", 3), std::string("\xff")}) {
    const Status status = CheckSecurableName(name, "the schema's name");
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameterValue);
    EXPECT_THAT(status.message(), HasSubstr("the schema's name"));
  }
}

TEST(StringsTest, PathSafeNames) {
  for (const char* name : {"a", "my file.csv", "..a", "...", "größe"}) {
    EXPECT_TRUE(CheckPathSafeName(name, "name").ok()) << name;
  }
  for (const char* name : {"", ".", "..", "a/b", "a?b", "a#b", "a%2f", "a\\b", "a\tb", "\x7f"}) {
    EXPECT_FALSE(CheckPathSafeName(name, "name").ok()) << name;
  }
}

}  // namespace
}  // namespace glovebox
