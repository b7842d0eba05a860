// SPDX-License-Identifier: Apache-2.0
#include "query/conditions.h"

#include <gtest/gtest.h>

#include <random>

#include "query/literal.h"
#include "tests/unit/query/make_expr.h"

namespace glovebox::query {
namespace {

constexpr AttrId kX{1};

ExprPtr X() { return MakeAttr(kX); }
ExprPtr Int(std::int64_t value) { return MakeInteger(value); }

ColumnDomain Letters() {
  ColumnRule rule;
  rule.domain = {"a", "b", "c"};
  return *DomainOf(rule, Type::Text());
}

ColumnDomain Tens() {
  ColumnRule rule;
  rule.filter_step = Step{Step::Unit::kNumber, "10"};
  rule.dimension_steps = {Step{Step::Unit::kNumber, "5"}};
  return *DomainOf(rule, Type::Integer(32));
}

std::string SqlOf(const ExprPtr& expr, const ColumnDomain& domain) {
  const auto sets = ConditionSets(*expr, kX, domain);
  return sets.ok() ? sets->when_true.ToSql(domain, "x") : "refused " + sets.status().rule();
}

ExprPtr Compare(CompareOp op, std::int64_t value) { return MakeCompare(op, X(), Int(value)); }

TEST(ConditionsTest, SteppedColumnsTakeHalfOpenBounds) {
  const ColumnDomain domain = Tens();
  EXPECT_EQ(SqlOf(Compare(CompareOp::kGe, 30), domain), "((x >= (30)))");
  EXPECT_EQ(SqlOf(Compare(CompareOp::kLt, -30), domain), "((x < (-30)))");
  EXPECT_EQ(SqlOf(MakeCompare(CompareOp::kGt, Int(30), X()), domain), "((x < (30)))");
  EXPECT_EQ(SqlOf(MakeCompare(CompareOp::kLe, Int(30), X()), domain), "((x >= (30)))");
  EXPECT_EQ(SqlOf(MakeNary(ExprOp::kNot, {Compare(CompareOp::kGe, 30)}), domain), "((x < (30)))");
  EXPECT_EQ(SqlOf(MakeNary(ExprOp::kIsNull, {X()}), domain), "(x IS NULL)");
  EXPECT_EQ(SqlOf(Compare(CompareOp::kGe, 35), domain), "((x >= (35)))");  // a boundary that keys show anyway
  for (const CompareOp op : {CompareOp::kGt, CompareOp::kLe, CompareOp::kEq, CompareOp::kNe, CompareOp::kDistinct,
                             CompareOp::kNotDistinct}) {
    EXPECT_EQ(SqlOf(Compare(op, 30), domain), "refused P2");
  }
  EXPECT_EQ(SqlOf(Compare(CompareOp::kGe, 31), domain), "refused P2");
  EXPECT_EQ(SqlOf(MakeCompare(CompareOp::kGe, MakeCall("+", {X(), Int(1)}), Int(30)), domain), "refused P2");
  EXPECT_EQ(SqlOf(MakeNary(ExprOp::kIn, {X(), Int(30)}), domain), "refused P2");
  EXPECT_EQ(SqlOf(MakeCompare(CompareOp::kGe, X(), MakeNull()), domain), "refused P2");
}

TEST(ConditionsTest, BucketsAreComparedByTheirBoundary) {
  const ColumnDomain domain = Tens();
  const auto bucket = [](CompareOp op, std::int64_t value) {
    return MakeCompare(op, MakeCall("*", {MakeCall("//", {X(), Int(10)}), Int(10)}), Int(value));
  };
  EXPECT_EQ(SqlOf(bucket(CompareOp::kEq, 30), domain), "((x >= (30) AND x < (40)))");
  EXPECT_EQ(SqlOf(bucket(CompareOp::kNe, 30), domain), "((x < (30)) OR (x >= (40)))");
  EXPECT_EQ(SqlOf(bucket(CompareOp::kLe, 30), domain), "((x < (40)))");
  EXPECT_EQ(SqlOf(bucket(CompareOp::kGt, 30), domain), "((x >= (40)))");
  EXPECT_EQ(SqlOf(bucket(CompareOp::kEq, 35), domain), "refused P2");
  EXPECT_EQ(SqlOf(MakeCompare(CompareOp::kEq, MakeCall("//", {X(), Int(10)}), Int(3)), domain), "refused P2");
}

// On listed domains a condition is what SQL says of each value: checked against three-valued logic itself.
enum class Truth { kTrue, kFalse, kUnknown };

struct Term {
  ExprPtr expr;
  std::function<Truth(const std::string*)> value;  // nullptr: NULL
};

Term RandomTerm(std::mt19937_64& random, int depth) {
  const std::string letter(1, static_cast<char>('a' + random() % 4));
  const auto of = [](bool flag) { return flag ? Truth::kTrue : Truth::kFalse; };
  switch (depth == 0 ? random() % 3 : random() % 6) {
    case 0:
      return {MakeCompare(CompareOp::kEq, X(), MakeText(letter)),
              [=](const std::string* x) { return x == nullptr ? Truth::kUnknown : of(*x == letter); }};
    case 1:
      return {MakeNary(ExprOp::kIsNull, {X()}), [=](const std::string* x) { return of(x == nullptr); }};
    case 2:
      return {MakeCompare(CompareOp::kLt, X(), MakeText(letter)),
              [=](const std::string* x) { return x == nullptr ? Truth::kUnknown : of(*x < letter); }};
    case 3: {
      const Term inner = RandomTerm(random, depth - 1);
      return {MakeNary(ExprOp::kNot, {inner.expr}), [=](const std::string* x) {
                const Truth truth = inner.value(x);
                return truth == Truth::kUnknown ? truth : of(truth == Truth::kFalse);
              }};
    }
    default: {
      const Term a = RandomTerm(random, depth - 1);
      const Term b = RandomTerm(random, depth - 1);
      const bool conjunction = random() % 2 == 0;
      return {MakeNary(conjunction ? ExprOp::kAnd : ExprOp::kOr, {a.expr, b.expr}), [=](const std::string* x) {
                const Truth decisive = conjunction ? Truth::kFalse : Truth::kTrue;
                const Truth p = a.value(x);
                const Truth q = b.value(x);
                if (p == decisive || q == decisive) {
                  return decisive;
                }
                return p == Truth::kUnknown || q == Truth::kUnknown ? Truth::kUnknown : of(conjunction);
              }};
    }
  }
}

TEST(ConditionsTest, ListedConditionsFollowThreeValuedLogic) {
  const ColumnDomain domain = Letters();
  std::mt19937_64 random(19);
  for (int round = 0; round < 1'000; ++round) {
    const Term term = RandomTerm(random, 4);
    const auto sets = ConditionSets(*term.expr, kX, domain);
    ASSERT_TRUE(sets.ok()) << sets.status().message();
    const auto check = [&](const Subset& here, const std::string* x) {
      const Truth truth = term.value(x);
      EXPECT_EQ(!sets->when_true.And(here).IsEmpty(), truth == Truth::kTrue);
      EXPECT_EQ(!sets->when_false.And(here).IsEmpty(), truth == Truth::kFalse);
    };
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string x(1, static_cast<char>('a' + i));
      check(Subset::Value(domain, i), &x);
    }
    check(Subset::OnlyNull(domain), nullptr);
  }
}

TEST(ConditionsTest, RefusesWhatIsNoCondition) {
  EXPECT_EQ(SqlOf(X(), Letters()), "refused P2");
  EXPECT_EQ(SqlOf(MakeCall("md5", {X()}), Letters()), "refused P2");
  EXPECT_EQ(SqlOf(MakeCompare(CompareOp::kEq, X(), Int(1)), Letters()), "refused P2");
}

TEST(ConditionsTest, MatchesBucketsByForm) {
  const AttrId boundary{2};
  const auto step = [&](const ExprPtr& expr, const Type& type) -> std::string {
    const auto match = MatchBucket(expr, kX, type, boundary);
    return match ? StepText(match->step) : "no";
  };
  const Type whole = Type::Integer(32);
  const ExprPtr ten = Int(10);
  EXPECT_EQ(step(MakeCall("*", {MakeCall("//", {X(), ten}), ten}), whole), "10");
  EXPECT_EQ(step(MakeCall("*", {ten, MakeCall("//", {X(), ten})}), whole), "10");
  EXPECT_EQ(step(MakeCall("-", {X(), MakeCall("%", {X(), ten})}), whole), "10");
  EXPECT_EQ(step(MakeCall("*", {MakeCall("floor", {MakeCall("/", {X(), ten})}), ten}), whole), "10");
  EXPECT_EQ(
      step(MakeCall("*", {MakeCall("//", {X(), MakeLiteral(*ParseLiteral("10.0", Type::Decimal(3, 1)))}), ten}), whole),
      "10");
  EXPECT_EQ(step(MakeCall("*", {MakeCall("//", {X(), ten}), Int(20)}), whole), "no");
  EXPECT_EQ(step(MakeCall("//", {X(), Int(-10)}), whole), "no");
  EXPECT_EQ(step(MakeCall("//", {X(), Int(0)}), whole), "no");
  EXPECT_EQ(step(MakeCall("//", {ten, X()}), whole), "no");
  EXPECT_EQ(step(MakeCall("-", {X(), MakeCall("%", {ten, X()})}), whole), "no");
  EXPECT_EQ(step(X(), whole), "1");
  EXPECT_EQ(step(X(), Type::Date()), "day");
  EXPECT_EQ(step(X(), Type::Timestamp()), "no");
  EXPECT_EQ(step(X(), Type::Double()), "no");
  EXPECT_EQ(step(MakeCall("date_trunc", {MakeText("Month"), X()}), Type::Date()), "month");
  EXPECT_EQ(step(MakeCall("date_trunc", {MakeText("hour"), X()}), Type::Timestamp()), "no");
  EXPECT_EQ(step(MakeCall("strftime", {X(), MakeText("%Y-%m")}), Type::Date()), "month");
  EXPECT_EQ(step(MakeCall("strftime", {X(), MakeText("%m")}), Type::Date()), "no");
  EXPECT_EQ(step(MakeCast(X(), Type::Date()), Type::Timestamp()), "day");
  EXPECT_EQ(step(MakeCast(MakeCall("//", {X(), ten}), Type::Integer(8)), whole), "no");  // 300 // 10 is cut off
}

}  // namespace
}  // namespace glovebox::query
