// SPDX-License-Identifier: Apache-2.0
#include "query/literal.h"

#include <gtest/gtest.h>

#include <random>

namespace glovebox::query {
namespace {

ast::Literal Parse(std::string_view text, const Type& type) {
  const auto literal = ParseLiteral(text, type);
  EXPECT_TRUE(literal.ok()) << text;
  return literal.ok() ? *literal : ast::Literal{};
}

TEST(LiteralTest, DaysCountAndCountBack) {
  EXPECT_EQ(DaysFromCivil(1970, 1, 1), 0);
  EXPECT_EQ(DaysFromCivil(2000, 3, 1), 11'017);
  EXPECT_EQ(DaysFromCivil(1969, 12, 31), -1);
  std::int64_t before = DaysFromCivil(-400, 1, 1) - 1;
  for (std::int64_t day = before + 1; day < DaysFromCivil(2500, 1, 1); day += 1) {
    const Civil civil = CivilFromDays(day);
    ASSERT_EQ(DaysFromCivil(civil.year, civil.month, civil.day), day);
  }
}

TEST(LiteralTest, TextComesBack) {
  const std::vector<std::pair<Type, std::vector<std::string>>> texts = {
      {Type::Integer(64), {"0", "-9223372036854775808", "9223372036854775807"}},
      {Type::Integer(8), {"-128", "127"}},
      {Type::Decimal(38, 2), {"0.00", "-12.50", "99999999999999999999999999999999999.99", "-0.01"}},
      {Type::Double(), {"0.1", "-2.5e-300", "1e+100", "3"}},
      {Type::Boolean(), {"true", "false"}},
      {Type::Text(), {"", "it's", "äöü \"x\" ; --", "NULL"}},
      {Type::Date(), {"2026-11-23", "0001-01-01", "9999-12-31", "2024-02-29"}},
      {Type::Timestamp(), {"2026-11-23 12:34:56", "1969-12-31 23:59:59.999999", "2026-11-23 00:00:00.000001"}}};
  for (const auto& [type, list] : texts) {
    for (const std::string& text : list) {
      EXPECT_EQ(LiteralText(Parse(text, type)), text);
    }
  }
}

TEST(LiteralTest, RefusesWhatIsNoLiteral) {
  const std::vector<std::pair<Type, std::vector<std::string>>> texts = {
      {Type::Integer(64), {"", " 1", "1 ", "1.0", "+1", "0x1", "9223372036854775808"}},
      {Type::Integer(8), {"128", "-129"}},
      {Type::Decimal(10, 2), {"", ".", "-", "1e5", "1,5", "123456789012345678901234567890123456789"}},
      {Type::Double(), {"", "nan", "inf", "1e999", "1x"}},
      {Type::Boolean(), {"", "1", "yes"}},
      {Type::Text(), {"\xff"}},
      {Type::Date(),
       {"", "2026-1-1", "2026-02-30", "2023-02-29", "2026-13-01", "2026-00-10", "2026-11-23 ", "-001-01-01"}},
      {Type::Timestamp(),
       {"2026-11-23 24:00:00", "2026-11-23 12:60:00", "2026-11-23 1:00:00", "2026-11-23x", "2026-11-23 12:00:00.",
        "2026-11-23 12:00:00.1234567", "2026-11-23 12:00:00Z"}},
      {Type::Interval(), {"1 day"}},
      {Type::Null(), {"x"}}};
  for (const auto& [type, list] : texts) {
    for (const std::string& text : list) {
      EXPECT_FALSE(ParseLiteral(text, type).ok()) << TypeName(type) << ": " << text;
    }
  }
}

TEST(LiteralTest, PrintsSqlThatCannotBeBrokenOutOf) {
  EXPECT_EQ(LiteralSql(Parse("it's", Type::Text())), "'it''s'");
  EXPECT_EQ(LiteralSql(Parse("'; DROP TABLE x; --", Type::Text())), "'''; DROP TABLE x; --'");
  EXPECT_EQ(LiteralSql(Parse(std::string_view("b\0'c", 4), Type::Text())), "('b' || chr(0) || '''c')");
  EXPECT_EQ(LiteralSql(Parse(std::string_view("\0", 1), Type::Text())), "('' || chr(0) || '')");
  EXPECT_EQ(LiteralSql(Parse("-5", Type::Integer(32))), "(-5)");
  EXPECT_EQ(LiteralSql(Parse("2026-11-23", Type::Date())), "DATE '2026-11-23'");
  EXPECT_EQ(LiteralSql(ast::Literal{}), "NULL");
  EXPECT_EQ(LiteralSql(Parse("true", Type::Boolean())), "true");
}

TEST(LiteralTest, ComparesExactly) {
  const auto compare = [](const char* a, const Type& x, const char* b, const Type& y) {
    return CompareLiterals(Parse(a, x), Parse(b, y));
  };
  const Type wide = Type::Decimal(38, 1);
  EXPECT_EQ(compare("1", Type::Integer(32), "1.00", Type::Decimal(3, 2)), std::strong_ordering::equal);
  EXPECT_EQ(compare("0.1", Type::Double(), "0.1", wide), std::strong_ordering::equal);
  EXPECT_EQ(compare("-1", Type::Integer(32), "0.5", wide), std::strong_ordering::less);
  EXPECT_EQ(compare("2026-11-23", Type::Date(), "2026-11-23 00:00:00", Type::Timestamp()), std::strong_ordering::equal);
  EXPECT_EQ(compare("a", Type::Text(), "b", Type::Text()), std::strong_ordering::less);
  EXPECT_EQ(compare("false", Type::Boolean(), "true", Type::Boolean()), std::strong_ordering::less);
  EXPECT_EQ(compare("1", Type::Text(), "1", Type::Integer(32)), std::nullopt);
  EXPECT_EQ(CompareLiterals(ast::Literal{}, ast::Literal{}), std::nullopt);
  // No digit is lost, and nothing wraps: what has too many together is not compared.
  EXPECT_EQ(compare("99999999999999999999999999999999999999", wide, "99999999999999999999999999999999999998", wide),
            std::strong_ordering::greater);
  EXPECT_EQ(compare("99999999999999999999999999999999999999", wide, "1.5", wide), std::nullopt);
}

TEST(LiteralTest, ConvertsWhatKeepsItsValue) {
  const auto convert = [](const char* text, const Type& from, const Type& to) -> std::string {
    const auto out = ConvertLiteral(Parse(text, from), to);
    return out ? LiteralText(*out) : "no";
  };
  EXPECT_EQ(convert("12.0", Type::Decimal(4, 1), Type::Integer(32)), "12");
  EXPECT_EQ(convert("12.5", Type::Decimal(4, 1), Type::Integer(32)), "no");
  EXPECT_EQ(convert("300", Type::Integer(32), Type::Integer(8)), "no");
  EXPECT_EQ(convert("2026-11-23", Type::Text(), Type::Date()), "2026-11-23");
  EXPECT_EQ(convert("soon", Type::Text(), Type::Date()), "no");
  EXPECT_EQ(convert("2026-11-23 10:00:00", Type::Timestamp(), Type::Date()), "no");
  EXPECT_EQ(convert("-2026", Type::Integer(32), Type::Double()), "-2026");
}

TEST(LiteralTest, DecimalsAreReadAndPrinted) {
  std::mt19937_64 random(13);
  for (int round = 0; round < 500; ++round) {
    const DecimalNumber number{static_cast<Int128>(random()) * (random() % 2 == 0 ? 1 : -1),
                               static_cast<int>(random() % 25)};
    const auto back = ParseDecimal(DecimalText(number));
    ASSERT_TRUE(back.has_value()) << DecimalText(number);
    EXPECT_TRUE(back->unscaled == number.unscaled && back->scale == number.scale) << DecimalText(number);
  }
  EXPECT_EQ(DecimalText({5, 3}), "0.005");
  EXPECT_EQ(DecimalText({-5, 0}), "-5");
}

TEST(LiteralTest, ScalesExactlyOrNotAtAll) {
  const auto at = [](const char* text, int scale) -> std::string {
    const auto number = AtScale(*ParseDecimal(text), scale);
    return number ? DecimalText(*number) : "no";
  };
  EXPECT_EQ(at("1.5", 3), "1.500");
  EXPECT_EQ(at("-1.500", 1), "-1.5");
  EXPECT_EQ(at("1.25", 1), "no");
  EXPECT_EQ(at("99999999999999999999999999999999999999", 1), "no");
  EXPECT_EQ(at("9999999999999999999999999999999999999", 1), "9999999999999999999999999999999999999.0");
}

}  // namespace
}  // namespace glovebox::query
