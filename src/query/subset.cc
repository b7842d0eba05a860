// SPDX-License-Identifier: Apache-2.0
#include "query/subset.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <ranges>

#include "query/literal.h"

namespace glovebox::query {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr int kNumberScale = 6;  // a coordinate of a number is in millionths
constexpr std::int64_t kNumberUnit = 1'000'000;
// So that the boundary after a coordinate and the one before it are coordinates as well.
constexpr std::int64_t kNumberCoordinateMax = kCoordinateMax / 4;

std::int64_t FloorDiv(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

std::optional<std::int64_t> NumberCoordinate(const DecimalNumber& number) {
  const auto millionths = AtScale(number, kNumberScale);
  if (!millionths || millionths->unscaled >= kNumberCoordinateMax || millionths->unscaled <= -kNumberCoordinateMax) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(millionths->unscaled);
}

std::int64_t StepNumber(const Step& step) {
  const auto number = ParseDecimal(step.number);
  const auto coordinate = number ? NumberCoordinate(*number) : std::nullopt;
  GB_ASSERT(coordinate && *coordinate > 0);  // checked when the rule was parsed
  return *coordinate;
}

// The first year of its decade; a year before year 0 is one of its own, as BucketSql has it.
std::int64_t DecadeOf(std::int64_t year) { return year < 0 ? year : year / 10 * 10; }

std::int64_t DaysFloor(std::int64_t days, Step::Unit unit) {
  if (unit == Step::Unit::kDay) {
    return days;
  }
  if (unit == Step::Unit::kWeek) {
    return FloorDiv(days + 3, 7) * 7 - 3;  // 1970-01-01 was a Thursday; ISO weeks begin on Monday
  }
  const Civil civil = CivilFromDays(days);
  if (unit == Step::Unit::kDecade) {
    return DaysFromCivil(DecadeOf(civil.year), 1, 1);
  }
  const unsigned month = unit == Step::Unit::kMonth     ? civil.month
                         : unit == Step::Unit::kQuarter ? (civil.month - 1) / 3 * 3 + 1
                                                        : 1;
  return DaysFromCivil(civil.year, month, 1);
}

std::int64_t DaysNext(std::int64_t boundary, Step::Unit unit) {
  switch (unit) {
    case Step::Unit::kDay:
      return boundary + 1;
    case Step::Unit::kWeek:
      return boundary + 7;
    case Step::Unit::kMonth:
      return DaysFloor(boundary + 31, unit);
    case Step::Unit::kQuarter:
      return DaysFloor(boundary + 92, unit);
    case Step::Unit::kDecade: {
      const std::int64_t year = CivilFromDays(boundary).year;
      return DaysFromCivil(year + (year < 0 ? 1 : 10), 1, 1);
    }
    default:
      return DaysFloor(boundary + 366, unit);
  }
}

}  // namespace

Result<ColumnDomain> DomainOf(const ColumnRule& rule, const Type& type) {
  ColumnDomain domain;
  domain.type = type;
  if (rule.domain) {
    domain.listed = true;
    for (const std::string& text : *rule.domain) {
      GB_ASSIGN_OR_RETURN(ast::Literal value, ParseLiteral(text, type));
      if (type.kind == TypeKind::kDecimal) {
        // As the column spells it: 1.5 is 1.50 in a DECIMAL(10,2).
        const auto number = ParseDecimal(text);
        const auto exact = number ? AtScale(*number, type.scale) : std::nullopt;
        if (!exact) {
          return Status(ErrorCode::kInvalidParameterValue, "the text is no " + TypeName(type));
        }
        value.value = DecimalText(*exact);
      }
      domain.values.push_back(std::move(value));
    }
    return domain;
  }
  domain.filter_step = rule.filter_step;
  domain.dimension_steps = rule.dimension_steps;
  return domain;
}

Subset Subset::Everything(const ColumnDomain& domain) {
  Subset all = Nothing(domain).Not();
  return all;
}

Subset Subset::Nothing(const ColumnDomain& domain) { return Subset(domain); }

Subset Subset::OnlyNull(const ColumnDomain& domain) {
  Subset subset(domain);
  subset.null_ = true;
  return subset;
}

Subset Subset::Value(const ColumnDomain& domain, std::size_t index) { return Values(domain, {index}); }

Subset Subset::Values(const ColumnDomain& domain, std::vector<std::size_t> indexes) {
  Subset subset(domain);
  subset.values_ = std::move(indexes);
  std::ranges::sort(subset.values_);
  const auto same = std::ranges::unique(subset.values_);
  subset.values_.erase(same.begin(), same.end());
  return subset;
}

Subset Subset::Range(const ColumnDomain& domain, std::int64_t low, std::int64_t high) {
  Subset subset(domain);
  if (low < high) {
    subset.ranges_.emplace_back(low, high);
  }
  return subset;
}

void Subset::Normalise() {
  std::ranges::sort(ranges_);
  std::vector<std::pair<std::int64_t, std::int64_t>> merged;
  for (const auto& range : ranges_) {
    if (!merged.empty() && range.first <= merged.back().second) {
      merged.back().second = std::max(merged.back().second, range.second);
    } else {
      merged.push_back(range);
    }
  }
  ranges_ = std::move(merged);
}

Subset Subset::Or(const Subset& other) const {
  Subset out = *this;
  out.null_ = null_ || other.null_;
  out.values_.clear();
  std::ranges::set_union(values_, other.values_, std::back_inserter(out.values_));
  out.ranges_.insert(out.ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  out.Normalise();
  return out;
}

Subset Subset::Not() const {
  Subset out = *this;
  out.null_ = !null_;
  if (listed_) {
    out.values_.clear();
    std::ranges::set_difference(std::views::iota(std::size_t{0}, size_), values_, std::back_inserter(out.values_));
    return out;
  }
  out.ranges_.clear();
  std::int64_t low = kCoordinateMin;
  for (const auto& [first, last] : ranges_) {
    if (low < first) {
      out.ranges_.emplace_back(low, first);
    }
    low = last;
  }
  if (low < kCoordinateMax) {
    out.ranges_.emplace_back(low, kCoordinateMax);
  }
  return out;
}

Subset Subset::And(const Subset& other) const {
  Subset out = *this;
  out.null_ = null_ && other.null_;
  out.values_.clear();
  std::ranges::set_intersection(values_, other.values_, std::back_inserter(out.values_));
  out.ranges_.clear();
  auto a = ranges_.begin();
  auto b = other.ranges_.begin();
  while (a != ranges_.end() && b != other.ranges_.end()) {
    const std::int64_t low = std::max(a->first, b->first);
    const std::int64_t high = std::min(a->second, b->second);
    if (low < high) {
      out.ranges_.emplace_back(low, high);
    }
    a->second < b->second ? ++a : ++b;
  }
  return out;
}

bool Subset::Overlaps(const Subset& other) const {
  const bool few = values_.size() < other.values_.size();
  const std::vector<std::size_t>& smaller = few ? values_ : other.values_;
  const std::vector<std::size_t>& larger = few ? other.values_ : values_;
  return (null_ && other.null_) ||
         std::ranges::any_of(smaller,
                             [&larger](std::size_t value) { return std::ranges::binary_search(larger, value); }) ||
         (!ranges_.empty() && !other.ranges_.empty() && !And(other).ranges_.empty());
}

bool Subset::IsEmpty() const { return !null_ && values_.empty() && ranges_.empty(); }

bool Subset::IsEverything() const {
  return null_ && (listed_ ? values_.size() == size_
                           : ranges_.size() == 1 && ranges_[0] == std::pair(kCoordinateMin, kCoordinateMax));
}

json::Value Subset::ToJson(const ColumnDomain& domain) const {
  json::Object out;
  json::Array parts;
  if (listed_) {
    for (const std::size_t index : values_) {
      parts.emplace_back(LiteralText(domain.values[index]));
    }
    out.Set("values", std::move(parts));
  } else {
    for (const auto& [low, high] : ranges_) {
      parts.emplace_back(json::Array{low == kCoordinateMin ? json::Value() : json::Value(std::to_string(low)),
                                     high == kCoordinateMax ? json::Value() : json::Value(std::to_string(high))});
    }
    out.Set("ranges", std::move(parts));
  }
  out.Set("null", null_);
  return out;
}

Result<Subset> SubsetFromJson(const json::Value& json, const ColumnDomain& domain) {
  const Status wrong(ErrorCode::kDataLoss, "a population of the release record does not read");
  Subset out = json.GetBool("null") ? Subset::OnlyNull(domain) : Subset::Nothing(domain);
  const json::Value* parts = json.Get(domain.listed ? "values" : "ranges");
  if (parts == nullptr || !parts->is_array()) {
    return wrong;
  }
  if (domain.listed) {
    std::map<std::string, std::size_t> known;
    for (std::size_t i = 0; i < domain.values.size(); ++i) {
      known.emplace(LiteralText(domain.values[i]), i);
    }
    std::vector<std::size_t> indexes;
    for (const json::Value& part : parts->as_array()) {
      const auto found = part.is_string() ? known.find(part.as_string()) : known.end();
      if (found == known.end()) {
        return wrong;
      }
      indexes.push_back(found->second);
    }
    return out.Or(Subset::Values(domain, std::move(indexes)));
  }
  for (const json::Value& part : parts->as_array()) {
    if (!part.is_array() || part.as_array().size() != 2) {
      return wrong;
    }
    const auto bound = [](const json::Value& text, std::int64_t open) -> std::optional<std::int64_t> {
      if (text.is_null()) {
        return open;
      }
      const auto parsed = text.is_string() ? ParseLiteral(text.as_string(), Type::Integer(64))
                                           : Result<ast::Literal>(Status(ErrorCode::kDataLoss, ""));
      return parsed.ok() ? std::optional(std::get<std::int64_t>(parsed->value)) : std::nullopt;
    };
    const auto low = bound(part.as_array()[0], kCoordinateMin);
    const auto high = bound(part.as_array()[1], kCoordinateMax);
    if (!low || !high) {
      return wrong;
    }
    out = out.Or(Subset::Range(domain, *low, *high));
  }
  return out;
}

std::string Subset::ToSql(const ColumnDomain& domain, const std::string& column) const {
  if (IsEverything()) {
    return "TRUE";
  }
  std::string sql;
  const auto alternative = [&sql](const std::string& condition) { sql += (sql.empty() ? "" : " OR ") + condition; };
  if (listed_ && !values_.empty()) {
    std::string list;
    for (const std::size_t index : values_) {
      list += (list.empty() ? "" : ", ") + LiteralSql(domain.values[index]);
    }
    alternative(values_.size() == 1 ? column + " = " + list : column + " IN (" + list + ")");
  }
  for (const auto& [low, high] : ranges_) {
    std::string condition;
    if (low == kCoordinateMin && high == kCoordinateMax) {
      condition = column + " IS NOT NULL";
    } else {
      if (low != kCoordinateMin) {
        condition = column + " >= " + CoordinateSql(low, domain.type);
      }
      if (high != kCoordinateMax) {
        condition += (condition.empty() ? "" : " AND ") + column + " < " + CoordinateSql(high, domain.type);
      }
    }
    alternative("(" + condition + ")");
  }
  if (null_) {
    alternative(column + " IS NULL");
  }
  return sql.empty() ? "FALSE" : "(" + sql + ")";
}

std::optional<std::int64_t> CoordinateOf(const ast::Literal& literal, const Type& column_type) {
  if (column_type.IsNumeric()) {
    const auto number = ToDecimal(literal);
    return number ? NumberCoordinate(*number) : std::nullopt;
  }
  // A date beside a timestamp is its midnight; a timestamp beside a date must be one.
  const auto converted = ConvertLiteral(literal, column_type);
  if (!converted || IsNull(*converted)) {
    return std::nullopt;
  }
  const auto* value = std::get_if<std::int64_t>(&converted->value);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

ast::Literal LiteralAt(std::int64_t coordinate, const Type& column_type) {
  if (!column_type.IsNumeric()) {
    return {column_type, coordinate};
  }
  if (column_type.kind == TypeKind::kInteger && coordinate % kNumberUnit == 0) {
    return {Type::Integer(64), coordinate / kNumberUnit};
  }
  return {Type::Decimal(38, kNumberScale), DecimalText({coordinate, kNumberScale})};
}

std::string CoordinateSql(std::int64_t coordinate, const Type& column_type) {
  return LiteralSql(LiteralAt(coordinate, column_type));
}

bool IsOnStep(std::int64_t coordinate, const Step& step, const Type& type) {
  return StepFloor(coordinate, step, type) == coordinate;
}

std::int64_t StepFloor(std::int64_t coordinate, const Step& step, const Type& type) {
  if (step.unit == Step::Unit::kNumber) {
    const std::int64_t width = StepNumber(step);
    return FloorDiv(coordinate, width) * width;
  }
  if (type.kind == TypeKind::kTimestamp) {
    return DaysFloor(FloorDiv(coordinate, kMicrosPerDay), step.unit) * kMicrosPerDay;
  }
  return DaysFloor(coordinate, step.unit);
}

std::int64_t StepNext(std::int64_t boundary, const Step& step, const Type& type) {
  if (step.unit == Step::Unit::kNumber) {
    return boundary + StepNumber(step);
  }
  if (type.kind == TypeKind::kTimestamp) {
    return DaysNext(FloorDiv(boundary, kMicrosPerDay), step.unit) * kMicrosPerDay;
  }
  return DaysNext(boundary, step.unit);
}

bool IsMultipleOf(const Step& coarse, const Step& fine) {
  using U = Step::Unit;
  if (coarse.unit == U::kNumber || fine.unit == U::kNumber) {
    return coarse.unit == fine.unit && StepNumber(coarse) % StepNumber(fine) == 0;
  }
  if (coarse.unit == fine.unit || fine.unit == U::kDay) {
    return true;
  }
  if (coarse.unit == U::kWeek || fine.unit == U::kWeek) {
    return false;  // weeks do not end with months
  }
  return static_cast<int>(coarse.unit) > static_cast<int>(fine.unit);
}

std::string StepText(const Step& step) {
  switch (step.unit) {
    case Step::Unit::kNumber:
      return step.number;
    case Step::Unit::kDay:
      return "day";
    case Step::Unit::kWeek:
      return "week";
    case Step::Unit::kMonth:
      return "month";
    case Step::Unit::kQuarter:
      return "quarter";
    case Step::Unit::kYear:
      return "year";
    case Step::Unit::kDecade:
      return "decade";
  }
  return "";
}

}  // namespace glovebox::query
