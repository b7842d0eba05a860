// SPDX-License-Identifier: Apache-2.0
#include "query/type.h"

#include <gtest/gtest.h>

#include "query/sql_interval.h"

namespace glovebox::query {
namespace {

TEST(TypeName, IsReadBackAsTheSameType) {
  for (const Type& type :
       {Type::Boolean(), Type::Integer(8), Type::Integer(16), Type::Integer(32), Type::Integer(64), Type::Integer(128),
        Type::Decimal(38, 10), Type::Decimal(1, 0), Type::Double(), Type::Text(), Type::Date(), Type::Timestamp()}) {
    EXPECT_EQ(ParseTypeName(TypeName(type)), type) << TypeName(type);
  }
}

TEST(ParseTypeName, KnowsBothEnginesSpellings) {
  EXPECT_EQ(ParseTypeName("string"), Type::Text());
  EXPECT_EQ(ParseTypeName("VARCHAR(20)"), Type::Text());
  EXPECT_EQ(ParseTypeName("Long"), Type::Integer(64));
  EXPECT_EQ(ParseTypeName("INT"), Type::Integer(32));
  EXPECT_EQ(ParseTypeName("BYTE"), Type::Integer(8));
  EXPECT_EQ(ParseTypeName("double  precision"), Type::Double());
  EXPECT_EQ(ParseTypeName("TIMESTAMP_NTZ"), Type::Timestamp());
  EXPECT_EQ(ParseTypeName(" numeric ( 12 , 2 ) "), Type::Decimal(12, 2));
  EXPECT_EQ(ParseTypeName("DECIMAL(5)"), Type::Decimal(5, 0));
}

TEST(ParseTypeName, HasNothingForOtherTypes) {
  for (const char* name : {"",
                           "BLOB",
                           "TIMESTAMP WITH TIME ZONE",
                           "TIMESTAMPTZ",
                           "UBIGINT",
                           "INTEGER[]",
                           "STRUCT(a INTEGER)",
                           "MAP(INT, INT)",
                           "DECIMAL(39,0)",
                           "DECIMAL(0,0)",
                           "DECIMAL(3,4)",
                           "DECIMAL(1,1,1)",
                           "DECIMAL(-1)",
                           "DECIMAL(x)",
                           "DECIMAL(5",
                           "INTEGER(4)",
                           "VARCHAR(1,2)",
                           "INTERVAL",
                           "TIME",
                           "UUID",
                           "BOOLEAN; DROP TABLE x"}) {
    EXPECT_EQ(ParseTypeName(name), std::nullopt) << name;
  }
}

TEST(ParseIntervalText, AddsItsParts) {
  const auto interval = ParseIntervalText(" 1 year 2 MONTHS -3 days +4 hours 5 seconds 6 milliseconds ");
  ASSERT_TRUE(interval.has_value());
  EXPECT_EQ(*interval, (ast::Interval{.months = 14, .days = -3, .micros = 14'405'006'000}));
}

TEST(ParseIntervalText, RefusesWhatIsNoInterval) {
  for (const char* text :
       {"", "3", "days", "3 fortnights", "1.5 days", "1 day 02:03:04", "9223372036854775807 years"}) {
    EXPECT_EQ(ParseIntervalText(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace glovebox::query
