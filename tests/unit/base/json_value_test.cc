// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json.h"

namespace glovebox::json {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string Key(int i) { return "key" + std::to_string(i); }

TEST(JsonObjectTest, SetReplacesAndKeepsTheOrder) {
  Object object{{"b", 1}, {"a", 2}};
  object.Set("b", 3);
  object.Set("c", 4);
  EXPECT_EQ(Write(object), R"({"b":3,"a":2,"c":4})");
  EXPECT_FALSE(object.Insert("a", 9));
  EXPECT_EQ(object.Find("a")->as_int(), 2);
  EXPECT_TRUE(object.Insert("d", 5));
  EXPECT_EQ(object.Find("d")->as_int(), 5);
}

TEST(JsonObjectTest, InitializerKeepsTheLastOfAKey) { EXPECT_EQ(Write(Object{{"a", 1}, {"a", 2}}), R"({"a":2})"); }

TEST(JsonObjectTest, FindsEachMemberOfALargeObject) {
  Object object;
  for (int i = 0; i < 5'000; ++i) {
    object.Set(Key(i), i);
    ASSERT_EQ(object.Find(Key(i / 2))->as_int(), i / 2);
    ASSERT_EQ(object.Find(Key(i + 1)), nullptr);
  }
  const Object copy = object;
  for (int i = 0; i < 5'000; i += 2) {
    if (i < 200 || i > 4'900) {
      object.Erase(Key(i));
      ASSERT_EQ(object.Find(Key(i)), nullptr);
      ASSERT_EQ(object.Find(Key(i + 1))->as_int(), i + 1);
    }
  }
  EXPECT_EQ(copy.size(), 5'000U);
  EXPECT_EQ(copy.Find(Key(0))->as_int(), 0);
}

TEST(JsonObjectTest, ErasesDownToNothing) {
  Object object;
  for (int i = 0; i < 40; ++i) {
    object.Set(Key(i), i);
  }
  for (int i = 0; i < 40; ++i) {
    object.Erase(Key(i));
    object.Erase(Key(i));
    ASSERT_EQ(object.size(), static_cast<std::size_t>(39 - i));
  }
  EXPECT_TRUE(object.empty());
  object.Set("again", 1);
  EXPECT_EQ(object.Find("again")->as_int(), 1);
}

TEST(JsonObjectTest, EqualityIgnoresTheOrder) {
  EXPECT_EQ((Object{{"a", 1}, {"b", 2}}), (Object{{"b", 2}, {"a", 1}}));
  EXPECT_NE((Object{{"a", 1}, {"b", 2}}), (Object{{"a", 1}}));
  EXPECT_NE((Object{{"a", 1}}), (Object{{"a", 2}}));
  EXPECT_NE((Object{{"a", 1}}), (Object{{"b", 1}}));
  EXPECT_NE(Value(1), Value(1.0));
}

TEST(JsonValueTest, LookUpsFallBackOnTheWrongKind) {
  const Value value(Object{{"s", "x"}, {"i", 1}, {"b", true}, {"n", nullptr}});
  EXPECT_EQ(value.GetString("i", "none"), "none");
  EXPECT_EQ(value.GetInt("s", 5), 5);
  EXPECT_TRUE(value.GetBool("n", true));
  EXPECT_EQ(value.Get("absent"), nullptr);
  EXPECT_EQ(Value(3).Get("s"), nullptr);
}

TEST(JsonValueDeathTest, TheWrongKindIsADefect) { EXPECT_DEATH(static_cast<void>(Value(3).as_string()), "assertion"); }

TEST(ObjectReaderTest, ReadsWhatIsThere) {
  const Value value = Parse(R"({"s":"x","i":5,"d":"-12","b":true,"l":["a","b"],"n":null})").value();
  const ObjectReader reader = ObjectReader::Of(value, "request").value();
  EXPECT_EQ(reader.RequiredString("s").value(), "x");
  EXPECT_EQ(reader.OptionalString("n", "none").value(), "none");
  EXPECT_EQ(reader.RequiredInt("i").value(), 5);
  EXPECT_EQ(reader.OptionalInt("d", 0).value(), -12);
  EXPECT_EQ(reader.OptionalInt("absent", 7).value(), 7);
  EXPECT_TRUE(reader.OptionalBool("b", false).value());
  EXPECT_FALSE(reader.OptionalBool("absent", false).value());
  EXPECT_THAT(reader.OptionalStrings("l").value(), ElementsAre("a", "b"));
  EXPECT_TRUE(reader.OptionalStrings("absent")->empty());
  EXPECT_EQ(reader.Find("n"), nullptr);
}

TEST(ObjectReaderTest, ErrorsNameTheMember) {
  const Value value = Parse(R"({"s":1,"i":"1x","e":"","f":1.5,"b":"true","l":["a",1],"m":"a","n":null})").value();
  const ObjectReader reader = ObjectReader::Of(value, "request").value();
  const auto expect_error = [](const Status& status, const char* key) {
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameterValue);
    EXPECT_THAT(status.message(), AllOf(HasSubstr("request"), HasSubstr(std::string("'") + key + "'")));
  };
  expect_error(reader.RequiredString("s").status(), "s");
  expect_error(reader.RequiredString("absent").status(), "absent");
  expect_error(reader.RequiredString("n").status(), "n");
  expect_error(reader.OptionalInt("i", 0).status(), "i");
  expect_error(reader.OptionalInt("e", 0).status(), "e");
  expect_error(reader.RequiredInt("f").status(), "f");
  expect_error(reader.RequiredInt("absent").status(), "absent");
  expect_error(reader.OptionalBool("b", false).status(), "b");
  expect_error(reader.OptionalStrings("l").status(), "l");
  expect_error(reader.OptionalStrings("m").status(), "m");
  EXPECT_FALSE(ObjectReader::Of(Value(Array{}), "request").ok());
}

}  // namespace
}  // namespace glovebox::json
