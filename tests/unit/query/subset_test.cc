// SPDX-License-Identifier: Apache-2.0
#include "query/subset.h"

#include <gtest/gtest.h>

#include <random>

#include "query/literal.h"

namespace glovebox::query {
namespace {

ColumnDomain Listed(const std::vector<std::string>& values) {
  ColumnRule rule;
  rule.domain = values;
  return *DomainOf(rule, Type::Text());
}

ColumnDomain Stepped(const Type& type, const Step& step) {
  ColumnRule rule;
  rule.filter_step = step;
  return *DomainOf(rule, type);
}

const Step kTen{Step::Unit::kNumber, "10"};

// A point of a domain: a listed value, a coordinate, or NULL.
struct Point {
  std::size_t index = 0;
  std::int64_t coordinate = 0;
  bool null = false;
};

// The reference: a subset as the set of points of a small universe that it holds.
class Model {
 public:
  explicit Model(const ColumnDomain& domain) : domain_(domain) {
    points_.push_back({.null = true});
    for (std::size_t i = 0; i < domain.values.size(); ++i) {
      points_.push_back({.index = i});
    }
    for (std::int64_t at = -4; at < 5 && !domain.listed; ++at) {
      points_.push_back({.coordinate = at});
    }
  }

  [[nodiscard]] Subset At(const Point& point) const {
    return point.null       ? Subset::OnlyNull(domain_)
           : domain_.listed ? Subset::Value(domain_, point.index)
                            : Subset::Range(domain_, point.coordinate, point.coordinate + 1);
  }
  // Which points the subset holds.
  [[nodiscard]] std::vector<bool> Of(const Subset& subset) const {
    std::vector<bool> out;
    for (const Point& point : points_) {
      out.push_back(!subset.And(At(point)).IsEmpty());
    }
    return out;
  }
  Subset Random(std::mt19937_64& random) const {
    Subset out = Subset::Nothing(domain_);
    for (const Point& point : points_) {
      if (random() % 2 == 0) {
        out = out.Or(At(point));
      }
    }
    if (!domain_.listed && random() % 3 == 0) {
      out = out.Or(Subset::Range(domain_, random() % 2 == 0 ? kCoordinateMin : 2, kCoordinateMax));
    }
    return out;
  }
  [[nodiscard]] const ColumnDomain& domain() const { return domain_; }

 private:
  ColumnDomain domain_;
  std::vector<Point> points_;
};

std::vector<Model> Models() { return {Model(Listed({"a", "b", "c"})), Model(Stepped(Type::Integer(64), kTen))}; }

TEST(SubsetTest, IsAnAlgebraOfSets) {
  std::mt19937_64 random(3);
  for (const Model& model : Models()) {
    for (int round = 0; round < 400; ++round) {
      const Subset a = model.Random(random);
      const Subset b = model.Random(random);
      const std::vector<bool> in_a = model.Of(a);
      const std::vector<bool> in_b = model.Of(b);
      const std::vector<bool> in_and = model.Of(a.And(b));
      const std::vector<bool> in_or = model.Of(a.Or(b));
      const std::vector<bool> in_not = model.Of(a.Not());
      for (std::size_t i = 0; i < in_a.size(); ++i) {
        EXPECT_EQ(in_and[i], in_a[i] && in_b[i]);
        EXPECT_EQ(in_or[i], in_a[i] || in_b[i]);
        EXPECT_EQ(in_not[i], !in_a[i]);
      }
      // One form for one set: what decides whether two populations are the same.
      EXPECT_EQ(a.Not().Not(), a);
      EXPECT_EQ(a.And(b), b.And(a));
      EXPECT_EQ(a.And(b).Or(a.And(b.Not())), a);
      EXPECT_TRUE(a.And(a.Not()).IsEmpty());
      EXPECT_TRUE(a.Or(a.Not()).IsEverything());
    }
  }
}

TEST(SubsetTest, ComesBackFromJson) {
  std::mt19937_64 random(5);
  for (const Model& model : Models()) {
    for (int round = 0; round < 200; ++round) {
      const Subset subset = model.Random(random);
      const auto back = SubsetFromJson(subset.ToJson(model.domain()), model.domain());
      ASSERT_TRUE(back.ok());
      EXPECT_EQ(*back, subset);
    }
  }
}

TEST(SubsetTest, RefusesJsonThatIsNoSubset) {
  const ColumnDomain listed = Listed({"a"});
  const ColumnDomain stepped = Stepped(Type::Integer(64), kTen);
  for (const char* text : {"{}", R"({"values":"a"})", R"({"values":["b"],"null":false})", R"({"values":[1]})"}) {
    EXPECT_FALSE(SubsetFromJson(*json::Parse(text), listed).ok()) << text;
  }
  for (const char* text : {"{}", R"({"ranges":[[1,2]]})", R"({"ranges":[["1"]]})", R"({"ranges":[["x","2"]]})"}) {
    EXPECT_FALSE(SubsetFromJson(*json::Parse(text), stepped).ok()) << text;
  }
}

TEST(SubsetTest, PrintsConditions) {
  const ColumnDomain listed = Listed({"a", "it's", "c"});
  EXPECT_EQ(Subset::Everything(listed).ToSql(listed, "x"), "TRUE");
  EXPECT_EQ(Subset::Nothing(listed).ToSql(listed, "x"), "FALSE");
  EXPECT_EQ(Subset::Value(listed, 1).ToSql(listed, "x"), "(x = 'it''s')");
  EXPECT_EQ(Subset::Value(listed, 1).Not().ToSql(listed, "x"), "(x IN ('a', 'c') OR x IS NULL)");
  const ColumnDomain stepped = Stepped(Type::Date(), {Step::Unit::kMonth, ""});
  const Subset march = Subset::Range(stepped, DaysFromCivil(2026, 3, 1), DaysFromCivil(2026, 4, 1));
  EXPECT_EQ(march.ToSql(stepped, "d"), "((d >= DATE '2026-03-01' AND d < DATE '2026-04-01'))");
  EXPECT_EQ(Subset::OnlyNull(stepped).Not().ToSql(stepped, "d"), "((d IS NOT NULL))");
}

// Floor and next give the one interval that holds the coordinate.
TEST(SubsetTest, EveryCoordinateIsInOneInterval) {
  const std::vector<std::pair<Step, Type>> grids = {{kTen, Type::Integer(32)},
                                                    {{Step::Unit::kNumber, "0.25"}, Type::Double()},
                                                    {{Step::Unit::kDay, ""}, Type::Date()},
                                                    {{Step::Unit::kWeek, ""}, Type::Date()},
                                                    {{Step::Unit::kMonth, ""}, Type::Date()},
                                                    {{Step::Unit::kQuarter, ""}, Type::Date()},
                                                    {{Step::Unit::kYear, ""}, Type::Date()},
                                                    {{Step::Unit::kDecade, ""}, Type::Date()},
                                                    {{Step::Unit::kWeek, ""}, Type::Timestamp()},
                                                    {{Step::Unit::kQuarter, ""}, Type::Timestamp()}};
  std::mt19937_64 random(9);
  for (const auto& [step, type] : grids) {
    for (int round = 0; round < 500; ++round) {
      const std::int64_t unit = type.kind == TypeKind::kTimestamp ? 86'400'000'000 : 1;
      const std::int64_t at = static_cast<std::int64_t>(random() % 80'000) * unit - 40'000 * unit;
      const std::int64_t low = StepFloor(at, step, type);
      const std::int64_t high = StepNext(low, step, type);
      EXPECT_LE(low, at);
      EXPECT_LT(at, high);
      EXPECT_TRUE(IsOnStep(low, step, type));
      EXPECT_TRUE(IsOnStep(high, step, type));
      EXPECT_EQ(StepFloor(high - 1, step, type), low);
    }
  }
}

TEST(SubsetTest, CalendarsHaveTheirBoundaries) {
  const auto floor = [](std::int64_t day, Step::Unit unit) { return StepFloor(day, {unit, ""}, Type::Date()); };
  // 2026-11-23 is a Monday, 1969-12-29 as well.
  EXPECT_EQ(floor(DaysFromCivil(2026, 11, 29), Step::Unit::kWeek), DaysFromCivil(2026, 11, 23));
  EXPECT_EQ(floor(0, Step::Unit::kWeek), DaysFromCivil(1969, 12, 29));
  EXPECT_EQ(floor(DaysFromCivil(2026, 11, 29), Step::Unit::kQuarter), DaysFromCivil(2026, 10, 1));
  EXPECT_EQ(floor(DaysFromCivil(1960, 2, 29), Step::Unit::kYear), DaysFromCivil(1960, 1, 1));
}

TEST(SubsetTest, CoarseStepsAreMultiplesOfFineOnes) {
  const auto number = [](const char* text) { return Step{Step::Unit::kNumber, text}; };
  const auto unit = [](Step::Unit of) { return Step{of, ""}; };
  EXPECT_TRUE(IsMultipleOf(number("20"), kTen));
  EXPECT_TRUE(IsMultipleOf(number("0.5"), number("0.1")));
  EXPECT_FALSE(IsMultipleOf(kTen, number("20")));
  EXPECT_FALSE(IsMultipleOf(number("15"), kTen));
  EXPECT_TRUE(IsMultipleOf(unit(Step::Unit::kQuarter), unit(Step::Unit::kMonth)));
  EXPECT_TRUE(IsMultipleOf(unit(Step::Unit::kWeek), unit(Step::Unit::kDay)));
  EXPECT_FALSE(IsMultipleOf(unit(Step::Unit::kMonth), unit(Step::Unit::kWeek)));
  EXPECT_FALSE(IsMultipleOf(unit(Step::Unit::kWeek), unit(Step::Unit::kMonth)));
  EXPECT_FALSE(IsMultipleOf(unit(Step::Unit::kMonth), unit(Step::Unit::kYear)));
  EXPECT_FALSE(IsMultipleOf(kTen, unit(Step::Unit::kDay)));
}

TEST(SubsetTest, CoordinatesAreExactOrNotThere) {
  const auto at = [](const char* text, const Type& type, const Type& column) {
    return CoordinateOf(*ParseLiteral(text, type), column);
  };
  EXPECT_EQ(at("30", Type::Integer(32), Type::Integer(32)), 30'000'000);
  EXPECT_EQ(at("-0.1", Type::Decimal(3, 1), Type::Double()), -100'000);
  EXPECT_EQ(at("0.30", Type::Decimal(3, 2), Type::Double()), 300'000);
  EXPECT_EQ(at("0.0000001", Type::Decimal(10, 7), Type::Double()), std::nullopt);
  EXPECT_EQ(at("2026-11-23", Type::Text(), Type::Date()), DaysFromCivil(2026, 11, 23));
  EXPECT_EQ(at("2026-11-23", Type::Date(), Type::Timestamp()), DaysFromCivil(2026, 11, 23) * 86'400'000'000);
  EXPECT_EQ(at("2026-11-23 00:00:01", Type::Timestamp(), Type::Date()), std::nullopt);
  // Far away is nowhere; nothing wraps around.
  EXPECT_EQ(at("99999999999999999999999999999999999999", Type::Decimal(38, 0), Type::Integer(64)), std::nullopt);
  EXPECT_EQ(at("9223372036854775807", Type::Integer(64), Type::Integer(64)), std::nullopt);
  EXPECT_EQ(CoordinateOf(ast::Literal{}, Type::Integer(64)), std::nullopt);
}

TEST(SubsetTest, DomainsOfDecimalsAreSpeltAsTheColumnSpellsThem) {
  ColumnRule rule;
  rule.domain = {"1", "2.5", "-0.10"};
  const auto domain = DomainOf(rule, Type::Decimal(10, 2));
  ASSERT_TRUE(domain.ok());
  EXPECT_EQ(LiteralText(domain->values[0]), "1.00");
  EXPECT_EQ(LiteralText(domain->values[1]), "2.50");
  EXPECT_EQ(LiteralText(domain->values[2]), "-0.10");
  EXPECT_FALSE(DomainOf(rule, Type::Decimal(10, 0)).ok());
  EXPECT_FALSE(DomainOf(rule, Type::Integer(32)).ok());
}

}  // namespace
}  // namespace glovebox::query
