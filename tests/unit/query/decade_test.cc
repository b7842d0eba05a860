// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "query/analysis_rule.h"
#include "query/literal.h"
#include "query/subset.h"

namespace glovebox::query {
namespace {

const Step kDecade{Step::Unit::kDecade, ""};

std::int64_t Floor(std::int64_t year, unsigned month, unsigned day) {
  return StepFloor(DaysFromCivil(year, month, day), kDecade, Type::Date());
}

TEST(DecadeTest, BeginsWithAYearThatEndsInZero) {
  EXPECT_EQ(Floor(1989, 12, 31), DaysFromCivil(1980, 1, 1));
  EXPECT_EQ(Floor(1990, 1, 1), DaysFromCivil(1990, 1, 1));
  EXPECT_EQ(Floor(7, 6, 5), DaysFromCivil(0, 1, 1));
  EXPECT_EQ(StepNext(DaysFromCivil(1980, 1, 1), kDecade, Type::Date()), DaysFromCivil(1990, 1, 1));
  EXPECT_TRUE(IsOnStep(DaysFromCivil(2000, 1, 1), kDecade, Type::Date()));
  EXPECT_FALSE(IsOnStep(DaysFromCivil(2001, 1, 1), kDecade, Type::Date()));
}

TEST(DecadeTest, EveryDayIsInExactlyOne) {
  for (std::int64_t day = DaysFromCivil(-31, 1, 1); day < DaysFromCivil(31, 1, 1); day += 17) {
    const std::int64_t start = StepFloor(day, kDecade, Type::Date());
    EXPECT_LE(start, day);
    EXPECT_LT(day, StepNext(start, kDecade, Type::Date()));
    EXPECT_TRUE(IsOnStep(start, kDecade, Type::Date()));
  }
}

TEST(DecadeTest, IsMadeOfYearsAndWhatIsInThemButNotOfWeeks) {
  for (const Step::Unit fine : {Step::Unit::kDay, Step::Unit::kMonth, Step::Unit::kQuarter, Step::Unit::kYear}) {
    EXPECT_TRUE(IsMultipleOf(kDecade, Step{fine, ""}));
    EXPECT_FALSE(IsMultipleOf(Step{fine, ""}, kDecade));
  }
  EXPECT_FALSE(IsMultipleOf(kDecade, Step{Step::Unit::kWeek, ""}));
}

TEST(DecadeTest, IsAStepOfARule) {
  const auto rule = ParseAnalysisRule(
      R"({"version":1,"unit":{"domain":"person","columns":["id"]},"min_units":50,
          "columns":{"born":{"uses":["dimension"],"dimension_steps":["decade"]}}})");
  ASSERT_TRUE(rule.ok()) << rule.status().message();
  EXPECT_EQ(StepText(rule->columns.at("born").dimension_steps.at(0)), "decade");
}

}  // namespace
}  // namespace glovebox::query
