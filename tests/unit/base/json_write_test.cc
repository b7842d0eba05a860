// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "base/json.h"
#include "base/random.h"

namespace glovebox::json {
namespace {

struct Number {
  std::uint64_t bits;
  const char* text;
};

// RFC 8785, appendix B.
const Number kNumbers[] = {
    {0x0000000000000000, "0"},
    {0x8000000000000000, "0"},
    {0x0000000000000001, "5e-324"},
    {0x8000000000000001, "-5e-324"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0xffefffffffffffff, "-1.7976931348623157e+308"},
    {0x4340000000000000, "9007199254740992"},
    {0xc340000000000000, "-9007199254740992"},
    {0x4430000000000000, "295147905179352830000"},
    {0x44b52d02c7e14af5, "9.999999999999997e+22"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    {0x444b1ae4d6e2ef4e, "999999999999999700000"},
    {0x444b1ae4d6e2ef4f, "999999999999999900000"},
    {0x444b1ae4d6e2ef50, "1e+21"},
    {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"},
    {0x41b3de4355555553, "333333333.3333332"},
    {0x41b3de4355555554, "333333333.33333325"},
    {0x41b3de4355555555, "333333333.3333333"},
    {0x41b3de4355555556, "333333333.3333334"},
    {0x41b3de4355555557, "333333333.33333343"},
    {0xbecbf647612f3696, "-0.0000033333333333333333"},
    {0x43143ff3c1cb0959, "1424953923781206.2"},
};

TEST(JsonCanonicalTest, NumbersOfRfc8785) {
  for (const Number& number : kNumbers) {
    EXPECT_EQ(WriteCanonical(std::bit_cast<double>(number.bits)), number.text);
  }
}

TEST(JsonCanonicalTest, SortsKeysByUtf16CodeUnits) {
  const Value value = Parse(R"({"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
    "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"})")
                          .value();
  EXPECT_EQ(WriteCanonical(value),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With "
            "Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\uFB33\":\"Hebrew Letter Dalet With "
            "Dagesh\"}");
  EXPECT_EQ(WriteCanonical(Object{{"ab", 1}, {"a", 2}, {"", 3}, {"B", 4}}), R"({"":3,"B":4,"a":2,"ab":1})");
}

TEST(JsonCanonicalTest, ExampleOfRfc8785) {
  const Value value = Parse(R"({"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
    "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]})")
                          .value();
  EXPECT_EQ(WriteCanonical(value),
            R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],)"
            R"("string":"€$\u000f\nA'B\"\\\\\"/"})");
}

TEST(JsonWriteTest, KeepsTheOrderOfMembers) {
  EXPECT_EQ(Write(Object{{"z", 1}, {"a", Array{true, nullptr, "x"}}, {"m", Object{}}, {"n", Array{}}}),
            R"({"z":1,"a":[true,null,"x"],"m":{},"n":[]})");
}

TEST(JsonWriteTest, DoublesStayDoubles) {
  EXPECT_EQ(Write(2.0), "2.0");
  EXPECT_EQ(Write(2), "2");
  EXPECT_EQ(Write(-0.0), "-0.0");
  EXPECT_EQ(Write(0.1), "0.1");
  EXPECT_EQ(Write(1e21), "1e+21");
  EXPECT_EQ(Write(1e20), "100000000000000000000.0");
  EXPECT_EQ(Write(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
}

TEST(JsonWriteTest, NonFiniteBecomesNull) {
  EXPECT_EQ(Write(Array{std::nan(""), std::numeric_limits<double>::infinity()}), "[null,null]");
}

TEST(JsonWriteDeathTest, CanonicalRefusesNonFinite) {
  EXPECT_DEATH(WriteCanonical(std::numeric_limits<double>::infinity()), "assertion failed");
}

TEST(JsonWriteTest, EveryDoubleReadsBackAsItself) {
  SeededRandom random(1);
  int finite = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::array<std::uint8_t, 8> bytes{};
    random.Fill(bytes);
    const auto number = std::bit_cast<double>(bytes);
    if (!std::isfinite(number)) {
      continue;
    }
    ++finite;
    const Value back = Parse(Write(number)).value();
    ASSERT_TRUE(back.is_double());
    ASSERT_EQ(std::bit_cast<std::uint64_t>(back.as_double()), std::bit_cast<std::uint64_t>(number)) << Write(number);
  }
  EXPECT_GT(finite, 19'000);
}

TEST(JsonWriteTest, EscapesWhatMustBeEscaped) {
  std::string out;
  AppendQuoted(std::string_view("\"\\\b\f\n\r\t\v\x00\x1f\x7f/é😀", 18), out);
  EXPECT_EQ(out, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u000b\\u0000\\u001f\x7f/é😀\"");
}

TEST(JsonWriteTest, BytesThatAreNotUtf8AreReplaced) {
  std::string out;
  AppendQuoted("a\xff\xC3é\xE2\x82", out);
  EXPECT_EQ(out, "\"a\uFFFD\uFFFDé\uFFFD\uFFFD\"");
  EXPECT_TRUE(Parse(out).ok());
}

TEST(JsonWriteTest, WhatWasWrittenParsesToTheSame) {
  const Value value(Object{{"", Array{1, 1.5, "€\n", nullptr}}, {"nested", Object{{"k", Object{{"l", false}}}}}});
  EXPECT_EQ(Parse(Write(value)).value(), value);
}

}  // namespace
}  // namespace glovebox::json
