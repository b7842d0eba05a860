// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/json.h"

namespace glovebox::json {
namespace {

using testing::HasSubstr;

struct Refused {
  const char* name;
  std::string text;
  const char* message;  // part of it
};

class JsonRefusesTest : public testing::TestWithParam<Refused> {};

TEST_P(JsonRefusesTest, WithMalformedRequestAndPlace) {
  const Result<Value> value = Parse(GetParam().text);
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.status().code(), ErrorCode::kMalformedRequest);
  EXPECT_THAT(value.status().message(), HasSubstr(GetParam().message));
}

const Refused kRefused[] = {
    {"Nothing", "", "at byte 0: the text ends too early"},
    {"OnlySpace", "  ", "too early"},
    {"OpenArray", "[1", "too early"},
    {"OpenString", "\"abc", "too early"},
    {"TwoValues", "1 2", "at byte 2"},
    {"TrailingText", "{} x", "at byte 3"},
    {"TrailingNul", std::string("{}\0", 3), "at byte 2"},
    {"TrailingComma", "[1,]", "at byte 3"},
    {"TrailingCommaInObject", "{\"a\":1,}", "at byte 7"},
    {"LineComment", "// x\n1", "at byte 0"},
    {"BlockComment", "[/* x */1]", "at byte 1"},
    {"SingleQuotes", "['a']", "at byte 1"},
    {"BareKey", "{a:1}", "at byte 1"},
    {"NumberAsKey", "{1:1}", "at byte 1"},
    {"MissingColon", "{\"a\" 1}", "at byte 5"},
    {"ByteOrderMark", "\xEF\xBB\xBF{}", "at byte 0"},
    {"NaN", "NaN", "at byte 0"},
    {"Infinity", "[Infinity]", "at byte 1"},
    {"MinusInfinity", "-Infinity", "JSON"},
    {"True", "True", "at byte 0"},
    {"LeadingZero", "[01]", "at byte 2"},
    {"LeadingPlus", "+1", "at byte 0"},
    {"BareFraction", ".5", "at byte 0"},
    {"EmptyFraction", "[1.]", "JSON"},
    {"EmptyExponent", "[1e]", "JSON"},
    {"Hexadecimal", "[0x10]", "JSON"},
    {"Minus", "-", "too early"},
    {"Overflow", "[1e999]", "number out of range"},
    {"NegativeOverflow", "[-1e400]", "number out of range"},
    {"OverflowByDigits", "[" + std::string(400, '9') + ".0]", "number out of range"},
    {"JustOverInt64", "[9223372036854775808]", "integer out of range"},
    {"JustUnderInt64", "[-9223372036854775809]", "integer out of range"},
    {"OverUint64", "[99999999999999999999999]", "integer out of range"},
    {"DuplicateKey", "{\"a\":1,\"b\":2,\"a\":3}", "at byte 15: a key is there twice"},
    {"DuplicateKeyByEscape", "{\"a\":1,\"\\u0061\":1}", "a key is there twice"},
    {"DuplicateEmptyKey", "{\"\":1,\"\":1}", "a key is there twice"},
    {"DuplicateKeyInside", "[{\"x\":{\"k\":1,\"k\":1}}]", "a key is there twice"},
    {"ControlCharacter", "[\"a\tb\"]", "at byte 3"},
    {"NewlineInString", "\"a\nb\"", "at byte 2"},
    {"UnknownEscape", "\"\\x41\"", "JSON"},
    {"ShortEscape", "\"\\u12\"", "JSON"},
    {"LoneHighSurrogate", "\"\\ud800\"", "JSON"},
    {"LoneHighSurrogateThenText", "\"\\ud800abcdef\"", "JSON"},
    {"LoneLowSurrogate", "\"\\udc00\"", "JSON"},
    {"TwoHighSurrogates", "\"\\ud800\\ud800\"", "JSON"},
    {"BadUtf8", "\"\xff\"", "at byte 1"},
    {"OverlongUtf8", "\"\xC0\xAF\"", "at byte 1"},
    {"SurrogateInUtf8", "\"\xED\xA0\x80\"", "JSON"},
    {"BeyondUnicode", "\"\xF4\x90\x80\x80\"", "JSON"},
    {"CutUtf8", "\"\xE2\x82\"", "JSON"},
    {"BadUtf8InKey", "{\"\xff\":1}", "JSON"},
};

INSTANTIATE_TEST_SUITE_P(Text, JsonRefusesTest, testing::ValuesIn(kRefused),
                         [](const testing::TestParamInfo<Refused>& text) { return text.param.name; });

TEST(JsonParseTest, ReadsEveryKind) {
  const Value value = Parse(R"( {"n":null,"t":true,"f":false,"i":-7,"d":0.5,"s":"x","a":[1,[]],"o":{}} )").value();
  EXPECT_TRUE(value.as_object().Find("n")->is_null());
  EXPECT_EQ(value.Get("n"), nullptr);
  EXPECT_TRUE(value.GetBool("t"));
  EXPECT_FALSE(value.GetBool("f", true));
  EXPECT_EQ(value.GetInt("i"), -7);
  EXPECT_EQ(value.Get("d")->as_double(), 0.5);
  EXPECT_EQ(value.GetString("s"), "x");
  EXPECT_EQ(value.Get("a")->as_array(), (Array{1, Array{}}));
  EXPECT_TRUE(value.Get("o")->as_object().empty());
}

TEST(JsonParseTest, KeepsInt64Exact) {
  const Value value = Parse("[9223372036854775807,-9223372036854775808,9007199254740993,-0]").value();
  EXPECT_EQ(value.as_array()[0].as_int(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(value.as_array()[1].as_int(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(value.as_array()[2].as_int(), 9'007'199'254'740'993);
  EXPECT_EQ(value.as_array()[3].as_int(), 0);
}

TEST(JsonParseTest, FractionOrExponentMakesADouble) {
  const Value value = Parse("[1.0,1e2,9223372036854775808.0,-0.0]").value();
  EXPECT_TRUE(value.as_array()[0].is_double());
  EXPECT_EQ(value.as_array()[1].as_double(), 100.0);
  EXPECT_EQ(value.as_array()[2].as_double(), 9223372036854775808.0);
  EXPECT_TRUE(std::signbit(value.as_array()[3].as_double()));
}

TEST(JsonParseTest, DoublesAreTheNearestOnes) {
  EXPECT_EQ(Parse("1.7976931348623157e308")->as_double(), std::numeric_limits<double>::max());
  EXPECT_EQ(Parse("5e-324")->as_double(), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(Parse("2.2250738585072011e-308")->as_double(), 2.2250738585072011e-308);
  EXPECT_EQ(Parse("0.1234567890123456789012345678901234567890")->as_double(), 0.12345678901234568);
  EXPECT_EQ(Parse("9007199254740993.0")->as_double(), 9007199254740992.0);  // halfway: to even
  EXPECT_EQ(Parse("9007199254740993.00000000000000000001")->as_double(), 9007199254740994.0);
  EXPECT_EQ(Parse("1e-999")->as_double(), 0.0);
}

TEST(JsonParseTest, DecodesEscapes) {
  EXPECT_EQ(Parse(R"("\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00")")->as_string(), "\"\\/\b\f\n\r\té€😀");
  EXPECT_EQ(Parse(R"("a\u0000b")")->as_string(), std::string("a\0b", 3));
}

TEST(JsonParseTest, DepthIsBounded) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(Parse(nested(limits::kJsonDepthMax)).ok());
  const Result<Value> deeper = Parse(nested(limits::kJsonDepthMax + 1));
  ASSERT_FALSE(deeper.ok());
  EXPECT_THAT(deeper.status().message(), HasSubstr("nested too deeply"));
  EXPECT_TRUE(Parse(nested(limits::kSqlAstJsonDepthMax), limits::kSqlAstJsonDepthMax).ok());
  EXPECT_FALSE(Parse(std::string(1'000'000, '['), limits::kSqlAstJsonDepthMax).ok());
  EXPECT_FALSE(Parse("{\"a\":{\"b\":[1]}}", 2).ok());
}

TEST(JsonParseTest, FindsDuplicatesInLargeObjects) {
  std::string text = "{";
  for (int i = 0; i < 50'000; ++i) {
    text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  }
  const Value value = Parse(text + "\"last\":0}").value();
  EXPECT_EQ(value.as_object().size(), 50'001U);
  EXPECT_EQ(value.GetInt("key49999"), 49'999);
  EXPECT_FALSE(Parse(text + "\"key31415\":0}").ok());
}

TEST(JsonParseTest, MessagesCarryNoText) {
  for (const char* text : {"{\"secret\":1,\"secret\":2}", "[\"secret\", secret]", "secret"}) {
    EXPECT_THAT(Parse(text).status().message(), testing::Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace glovebox::json
