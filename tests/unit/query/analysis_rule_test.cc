// SPDX-License-Identifier: Apache-2.0
#include "query/analysis_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/subset.h"

namespace glovebox::query {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRule = R"json({
  "version": 1, "unit": {"domain": "person", "columns": ["User_Id"], "canonical": "exact"},
  "min_units": 50, "membership": "public", "keys": [["user_id"], ["email", "region"]], "round_to": 5,
  "columns": {
    "User_Id": {"identity": true, "uses": ["join"], "join_with": ["*.user_id"]},
    "email": {"identity": true, "uses": ["join", "list"], "join_with": ["my.email"]},
    "region": {"uses": ["dimension", "filter"], "domain": ["N", "S"]},
    "age": {"uses": ["filter", "dimension", "measure"], "filter_step": 10, "dimension_steps": [5, "10.0"], "aggregates": ["avg"]},
    "day": {"uses": ["dimension"], "dimension_steps": ["week", "month"]},
    "income": {"uses": ["measure", "per_unit"], "aggregates": ["sum", "stddev"], "bounds": [0, 1000.5]}
  },
  "per_unit": {"total(Income)": {"step": 50}, "rows": {}}})json";

const std::vector<RuleColumn> kColumns = {{"user_id", Type::Text()}, {"email", Type::Text()},
                                          {"region", Type::Text()},  {"age", Type::Integer(32)},
                                          {"day", Type::Date()},     {"income", Type::Decimal(10, 2)}};

TEST(AnalysisRuleTest, ReadsEveryMember) {
  const auto rule = ParseAnalysisRule(kRule);
  ASSERT_TRUE(rule.ok()) << rule.status().message();
  EXPECT_EQ(rule->unit_domain, "person");
  EXPECT_EQ(rule->canonical, Canonical::kExact);
  EXPECT_EQ(rule->min_units, 50);
  EXPECT_EQ(rule->membership, Membership::kPublic);
  EXPECT_EQ(rule->round_to, 5);
  EXPECT_EQ(rule->keys.size(), 2U);
  EXPECT_TRUE(rule->columns.at("user_id").identity);
  EXPECT_EQ(rule->columns.at("age").dimension_steps[1].number, "10");
  EXPECT_EQ(rule->columns.at("age").dimension_steps[0], (Step{Step::Unit::kNumber, "5"}));
  EXPECT_EQ(rule->columns.at("day").dimension_steps[0].unit, Step::Unit::kWeek);
  EXPECT_TRUE(rule->columns.at("income").aggregates.contains(AggregateKind::kStddev));
  EXPECT_EQ(rule->columns.at("income").bounds->second, "1000.5");
  EXPECT_TRUE(rule->per_unit.rows);
  EXPECT_EQ(rule->per_unit.total_steps.at("income").number, "50");
  EXPECT_TRUE(CheckRuleAgainst(*rule, kColumns).ok());
}

TEST(AnalysisRuleTest, AbsentIsForbiddenAndProtected) {
  const auto rule = ParseAnalysisRule(
      R"({"version":1,"unit":{"domain":"d","columns":["a"]},"min_units":10,"columns":{"a":{"uses":[]}}})");
  ASSERT_TRUE(rule.ok()) << rule.status().message();
  EXPECT_EQ(rule->membership, Membership::kProtected);
  EXPECT_EQ(rule->canonical, Canonical::kNfkcTrimLower);
  EXPECT_FALSE(rule->per_unit.rows);
  for (const Use use : {Use::kJoin, Use::kDimension, Use::kFilter, Use::kMeasure, Use::kPerUnit, Use::kList}) {
    EXPECT_FALSE(rule->columns.at("a").Allows(use));
  }
}

TEST(AnalysisRuleTest, OptionsAreOffUntilTheyAreNamed) {
  const auto rule = [](const std::string& options) {
    return ParseAnalysisRule(R"({"version":1,"unit":{"domain":"d","columns":["a"]},"min_units":10,"columns":)"
                             R"({"a":{"uses":["measure"],"aggregates":["sum"]}})" +
                             options + "}");
  };
  const auto plain = rule("");
  const auto off = rule(R"(,"dominance_percent":0,"round_to":0)");
  const auto on = rule(R"(,"dominance_percent":100,"rows_max":1000000)");
  ASSERT_TRUE(plain.ok() && off.ok() && on.ok());
  EXPECT_EQ(CanonicalText(*off), CanonicalText(*plain));
  EXPECT_EQ(plain->dominance_percent, 0);
  EXPECT_EQ(plain->rows_max, 0);
  EXPECT_EQ(on->dominance_percent, 100);
  EXPECT_EQ(on->rows_max, 1'000'000);
  EXPECT_NE(CanonicalText(*on), CanonicalText(*plain));
  EXPECT_NE(CanonicalText(*rule(R"(,"rows_max":7)")), CanonicalText(*plain));
  EXPECT_NE(CanonicalText(*rule(R"(,"dominance_percent":7)")), CanonicalText(*plain));
}

TEST(AnalysisRuleTest, TheCanonicalTextNamesTheRule) {
  const auto rule = ParseAnalysisRule(kRule);
  ASSERT_TRUE(rule.ok());
  const std::string text = CanonicalText(*rule);
  std::string respelt = kRule;
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"\"User_Id\": {", "\"USER_ID\": {"},
                                 {"\"filter_step\": 10", "\"filter_step\": \"10.00\""},
                                 {"[\"dimension\", \"filter\"]", "[\"filter\", \"dimension\"]"}}) {
    respelt.replace(respelt.find(from), from.size(), to);
  }
  const auto again = ParseAnalysisRule(respelt);
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(CanonicalText(*again), text);
  std::string other = kRule;
  other.replace(other.find("\"min_units\": 50"), 15, "\"min_units\": 51");
  EXPECT_NE(CanonicalText(*ParseAnalysisRule(other)), text);
}

// The rule with one piece of text replaced.
std::string With(const std::string& from, const std::string& to) {
  std::string out = kRule;
  const std::size_t at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? out : out.replace(at, from.size(), to);
}

TEST(AnalysisRuleTest, NamesTheMemberThatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[]", "is no JSON object"},
      {"{", "is no JSON object"},
      {With("\"version\": 1", "\"version\": 2"), "version"},
      {With("\"membership\": \"public\"", "\"membership\": \"open\""), "membership"},
      {With("\"membership\": \"public\"", "\"membership\": true"), "membership"},
      {With("\"membership\"", "\"member_ship\""), "unknown member 'member_ship'"},
      {With("\"round_to\": 5", "\"round_to\": \"5\""), "round_to"},
      {With("\"round_to\": 5", "\"round_to\": -5"), "round_to"},
      {With("\"round_to\": 5", "\"round_to\": 0.5"), "round_to"},
      {With("\"round_to\": 5", "\"rows_max\": 0"), "rows_max"},
      {With("\"round_to\": 5", "\"rows_max\": 1000001"), "rows_max"},
      {With("\"round_to\": 5", "\"rows_max\": \"5\""), "rows_max"},
      {With("\"round_to\": 5", "\"dominance_percent\": -1"), "dominance_percent"},
      {With("\"round_to\": 5", "\"dominance_percent\": 101"), "dominance_percent"},
      {With("\"round_to\": 5", "\"dominance_percent\": 0.5"), "dominance_percent"},
      {With("\"round_to\": 5", "\"dominance_percent\": 1"), "columns.income.aggregates"},
      {With("\"canonical\": \"exact\"", "\"canonical\": \"lower\""), "unit.canonical"},
      {With("\"canonical\": \"exact\"", "\"canonical\": 7"), "unit.canonical"},
      {With("[\"User_Id\"]", "[]"), "unit.columns"},
      {With("[\"User_Id\"]", "[7]"), "unit.columns"},
      {With("\"domain\": \"person\"", "\"domain\": \"\""), "unit.domain"},
      {With("\"min_units\": 50", "\"min_units\": 9"), "min_units"},
      {With("\"min_units\": 50", "\"min_units\": \"50\""), "min_units"},
      {With("\"min_units\": 50", "\"min_units\": 50.5"), "min_units"},
      {With("\"min_units\": 50", "\"min_units\": 1000001"), "min_units"},
      {With("[[\"user_id\"],", "[[],"), "keys"},
      {With("[\"dimension\", \"filter\"]", "[\"dimensions\"]"), "unknown use 'dimensions'"},
      {With("\"uses\": [\"join\"], ", ""), "columns.User_Id has no uses"},
      {With("\"uses\": [\"join\"], \"join_with\"", "\"uses\": [\"join\", \"dimension\"], \"join_with\""), "identity"},
      {With("\"uses\": [\"join\"], \"join_with\": [\"*.user_id\"]", "\"uses\": [\"join\"]"), "join_with"},
      {With("\"identity\": true", "\"identity\": 1"), "identity"},
      {With("\"N\", \"S\"", "\"N\", \"N\""), "twice"},
      {With("[\"N\", \"S\"]", "[]"), "domain"},
      {With("\"N\", \"S\"", "\"N\", null"), "domain"},
      {With("\"domain\": [\"N\", \"S\"]", "\"domain\": [\"N\"], \"filter_step\": 5"), "not both"},
      {With("\"filter_step\": 10", "\"filter_step\": 0"), "filter_step"},
      {With("\"filter_step\": 10", "\"filter_step\": -1"), "filter_step"},
      {With("\"filter_step\": 10", "\"filter_step\": \"hour\""), "filter_step"},
      {With("\"filter_step\": 10", "\"filter_step\": 0.0000001"), "filter_step"},
      {With("[5, \"10.0\"]", "[]"), "dimension_steps"},
      {With("[\"avg\"]", "[\"max\"]"), "unknown aggregate 'max'"},
      {With("[\"avg\"]", "[]"), "aggregates"},
      {With("[0, 1000.5]", "[0]"), "bounds"},
      {With("[0, 1000.5]", "[10, 0]"), "bounds"},
      {With("[0, 1000.5]", "[\"a\", 0]"), "bounds"},
      {With("\"domain\": [\"N\", \"S\"]", "\"bounds\": [0, 1]"), "bounds"},
      {With("\"step\": 50", "\"step\": 50, \"x\": 1"), "per_unit"},
      {With("total(Income)", "totals(Income)"), "per_unit"},
      {With("\"rows\": {}", "\"rows\": {\"step\": 1}"), "per_unit.rows"},
      {With("\"email\": {", "\"EMAIL\": {\"uses\": []}, \"email\": {"), "twice"},
  };
  for (const auto& [text, expected] : cases) {
    const auto rule = ParseAnalysisRule(text);
    ASSERT_FALSE(rule.ok()) << text;
    EXPECT_EQ(rule.status().code(), ErrorCode::kInvalidParameterValue);
    EXPECT_THAT(rule.status().message(), HasSubstr(expected));
  }
}

TEST(AnalysisRuleTest, TheBoundsOfMinUnitsAreAllowed) {
  EXPECT_TRUE(ParseAnalysisRule(With("\"min_units\": 50", "\"min_units\": 10")).ok());
  EXPECT_TRUE(ParseAnalysisRule(With("\"min_units\": 50", "\"min_units\": 1000000")).ok());
}

TEST(AnalysisRuleTest, FitsTheTableOrNot) {
  const auto check = [](const std::string& text, const std::vector<RuleColumn>& columns) {
    const auto rule = ParseAnalysisRule(text);
    EXPECT_TRUE(rule.ok()) << rule.status().message();
    return CheckRuleAgainst(*rule, columns).message();
  };
  std::vector<RuleColumn> columns = kColumns;
  columns[3].type = Type::Text();
  EXPECT_THAT(check(kRule, columns), HasSubstr("columns.age"));
  columns = kColumns;
  columns[4].type = Type::Integer(32);
  EXPECT_THAT(check(kRule, columns), HasSubstr("columns.day"));
  columns = kColumns;
  columns[5].type = Type::Integer(32);
  EXPECT_THAT(check(kRule, columns), HasSubstr("columns.income.bounds"));
  columns = kColumns;
  columns[2].type = Type::Date();
  EXPECT_THAT(check(kRule, columns), HasSubstr("columns.region.domain"));
  columns = kColumns;
  columns.erase(columns.begin() + 1);
  EXPECT_THAT(check(kRule, columns), HasSubstr("'email'"));
  columns = kColumns;
  columns[2].type = Type::Integer(32);
  EXPECT_THAT(check(With("\"N\", \"S\"", "\"1\", \"01\""), columns), HasSubstr("twice"));
  EXPECT_THAT(check(With("total(Income)", "total(amount)"), kColumns), HasSubstr("amount"));
}

}  // namespace
}  // namespace glovebox::query
