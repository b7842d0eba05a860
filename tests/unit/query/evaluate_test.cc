// SPDX-License-Identifier: Apache-2.0
#include "query/evaluate.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "query/literal.h"
#include "tests/unit/query/make_expr.h"

namespace glovebox::query {
namespace {

constexpr AttrId kX{1};

ast::Literal Text(std::string text) { return {Type::Text(), std::move(text)}; }
ExprPtr X() { return MakeAttr(kX); }

// The value as text, "NULL", or "refused".
std::string Value(const ExprPtr& expr, const ast::Literal& x = Text("abc")) {
  const Result<ast::Literal> value = Evaluate(*expr, kX, x);
  return !value.ok() ? "refused" : IsNull(*value) ? "NULL" : LiteralText(*value);
}

std::string Call(const char* name, std::vector<ExprPtr> args, const ast::Literal& x = Text("abc")) {
  return Value(MakeCall(name, std::move(args)), x);
}

ExprPtr Int(std::int64_t value) { return MakeInteger(value); }
ExprPtr Str(const char* text) { return MakeText(text); }
ExprPtr Bool(bool value) { return MakeLiteral({Type::Boolean(), value}); }

TEST(EvaluateTest, TextFunctionsCountCodePoints) {
  const ast::Literal umlauts = Text("äöü");
  EXPECT_EQ(Call("length", {X()}, umlauts), "3");
  EXPECT_EQ(Call("substr", {X(), Int(2), Int(1)}, umlauts), "ö");
  EXPECT_EQ(Call("substr", {X(), Int(3)}, umlauts), "ü");
  EXPECT_EQ(Call("substr", {X(), Int(9), Int(2)}), "");
  EXPECT_EQ(Call("substr", {X(), Int(2), Int(9'223'372'036'854'775'807)}), "bc");
  EXPECT_EQ(Call("left", {X(), Int(2)}, umlauts), "äö");
  EXPECT_EQ(Call("right", {X(), Int(2)}, umlauts), "öü");
  EXPECT_EQ(Call("right", {X(), Int(0)}), "");
  EXPECT_EQ(Call("upper", {X()}), "ABC");
  EXPECT_EQ(Call("trim", {Str("  a ")}), "a");
  EXPECT_EQ(Call("ltrim", {Str("   ")}), "");
  EXPECT_EQ(Call("rtrim", {Str(" a  ")}), " a");
  EXPECT_EQ(Call("starts_with", {X(), Str("ab")}), "true");
  EXPECT_EQ(Call("ends_with", {X(), Str("ab")}), "false");
  EXPECT_EQ(Call("contains", {X(), Str("")}), "true");
}

TEST(EvaluateTest, NullsSpreadAsInSql) {
  EXPECT_EQ(Call("upper", {X()}, {}), "NULL");
  EXPECT_EQ(Call("concat", {Str("a"), X(), Str("b")}, {}), "ab");
  EXPECT_EQ(Call("||", {Str("a"), X()}, {}), "NULL");
  EXPECT_EQ(Call("coalesce", {X(), Str("z")}, {}), "z");
  EXPECT_EQ(Call("nullif", {X(), Str("abc")}), "NULL");
  EXPECT_EQ(Call("nullif", {X(), Str("abd")}), "abc");
  EXPECT_EQ(Value(MakeCompare(CompareOp::kEq, X(), Str("a")), {}), "NULL");
  EXPECT_EQ(Value(MakeCompare(CompareOp::kDistinct, X(), Str("a")), {}), "true");
  EXPECT_EQ(Value(MakeCompare(CompareOp::kNotDistinct, X(), MakeNull()), {}), "true");
  EXPECT_EQ(Value(MakeNary(ExprOp::kIn, {X(), Str("b"), MakeNull()})), "NULL");
  EXPECT_EQ(Value(MakeNary(ExprOp::kIn, {X(), Str("abc"), MakeNull()})), "true");
  EXPECT_EQ(Value(MakeNary(ExprOp::kAnd, {Bool(false), MakeNull()})), "false");
  EXPECT_EQ(Value(MakeNary(ExprOp::kAnd, {Bool(true), MakeNull()})), "NULL");
  EXPECT_EQ(Value(MakeNary(ExprOp::kOr, {Bool(true), MakeNull()})), "true");
  EXPECT_EQ(Value(MakeNary(ExprOp::kOr, {Bool(false), MakeNull()})), "NULL");
  EXPECT_EQ(Value(MakeNary(ExprOp::kNot, {MakeNull()})), "NULL");
  EXPECT_EQ(Value(MakeCase({MakeNull(), Str("a"), Bool(true), Str("b")}, false)), "b");
  EXPECT_EQ(Value(MakeCase({Bool(false), Str("a")}, false)), "NULL");
}

TEST(EvaluateTest, ArithmeticIsExact) {
  EXPECT_EQ(Call("+", {Int(30), Int(10)}), "40");
  EXPECT_EQ(Call("-", {Int(3)}), "-3");
  EXPECT_EQ(Call("*", {MakeLiteral({Type::Decimal(2, 1), "0.1"}), Int(3)}), "0.3");
  EXPECT_EQ(Call("-", {MakeLiteral({Type::Decimal(3, 2), "1.25"}), MakeLiteral({Type::Decimal(2, 1), "0.2"})}), "1.05");
  EXPECT_EQ(Call("+", {Int(9'223'372'036'854'775'807), Int(1)}), "refused");
  EXPECT_EQ(Call("*", {Int(9'000'000'000), Int(9'000'000'000)}), "refused");
  EXPECT_EQ(Call("+", {Int(1), Str("x")}), "refused");
  EXPECT_EQ(Call("/", {Int(1), Int(2)}), "refused");
}

TEST(EvaluateTest, WhatIsNotTotalIsRefused) {
  EXPECT_EQ(Call("md5", {X()}), "refused");
  EXPECT_EQ(Call("regexp_matches", {X(), Str("a")}), "refused");
  EXPECT_EQ(Call("substr", {X(), Int(0)}), "refused");
  EXPECT_EQ(Call("substr", {X(), Int(-1)}), "refused");
  EXPECT_EQ(Call("left", {X(), Int(-1)}), "refused");
  EXPECT_EQ(Call("upper", {X()}, Text("ä")), "refused");
  EXPECT_EQ(Value(MakeCompare(CompareOp::kLt, X(), Int(5))), "refused");
  EXPECT_EQ(Value(MakeAttr(AttrId{2})), "refused");
  EXPECT_EQ(Value(MakeCast(X(), Type::Integer(32))), "refused");
  EXPECT_EQ(Value(MakeCast(X(), Type::Integer(32)), Text("12")), "12");
  const ExprPtr day = MakeLiteral({Type::Interval(), ast::Interval{0, 1, 0}});
  EXPECT_EQ(Value(day), "refused");
  EXPECT_EQ(Call("||", {X(), day}), "refused");
  EXPECT_EQ(Call("concat", {X(), day}), "refused");
  EXPECT_EQ(Value(MakeCast(day, Type::Text())), "refused");
}

// The definition of LIKE, without cleverness.
bool ReferenceLike(std::u32string_view text, std::u32string_view pattern, char32_t escape) {
  if (pattern.empty()) {
    return text.empty();
  }
  if (escape != 0 && pattern[0] == escape && pattern.size() > 1) {
    return !text.empty() && text[0] == pattern[1] && ReferenceLike(text.substr(1), pattern.substr(2), escape);
  }
  if (pattern[0] == U'%') {
    return ReferenceLike(text, pattern.substr(1), escape) ||
           (!text.empty() && ReferenceLike(text.substr(1), pattern, escape));
  }
  return !text.empty() && (pattern[0] == U'_' || pattern[0] == text[0]) &&
         ReferenceLike(text.substr(1), pattern.substr(1), escape);
}

std::string Utf8(const std::u32string& text) {
  std::string out;
  for (const char32_t c : text) {
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else {
      out += static_cast<char>(0xC0U | (c >> 6U));
      out += static_cast<char>(0x80U | (c & 0x3FU));
    }
  }
  return out;
}

TEST(EvaluateTest, LikeIsTheDefinition) {
  std::mt19937_64 random(17);
  const std::u32string letters = U"abä%_!";
  const auto word = [&](std::size_t longest) {
    std::u32string out;
    for (std::size_t i = random() % (longest + 1); i > 0; --i) {
      out += letters[random() % letters.size()];
    }
    return out;
  };
  int matched = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::u32string text = word(6);
    const std::u32string pattern = word(6);
    for (const char escape : {'\0', '!'}) {
      const bool expected = ReferenceLike(text, pattern, static_cast<char32_t>(escape));
      matched += expected ? 1 : 0;
      EXPECT_EQ(LikeMatches(Utf8(text), Utf8(pattern), escape), expected) << Utf8(text) << " LIKE " << Utf8(pattern);
    }
  }
  EXPECT_GT(matched, 1'000);
}

TEST(EvaluateTest, LikeDoesNotExplode) {
  EXPECT_FALSE(LikeMatches(std::string(5'000, 'a'), "%a%a%a%a%a%a%a%a%a%a%b", 0));
}

}  // namespace
}  // namespace glovebox::query
