// SPDX-License-Identifier: Apache-2.0
#include "query/analysis_rule.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/limits.h"
#include "base/strings.h"
#include "query/literal.h"
#include "query/subset.h"

namespace glovebox::query {
namespace {

Status Wrong(const std::string& member, const std::string& what) {
  return Status(ErrorCode::kInvalidParameterValue, "analysis rule: " + member + " " + what);
}

template <typename T, std::size_t N>
std::optional<T> FromName(const std::array<std::pair<std::string_view, T>, N>& names, const std::string& text) {
  for (const auto& [name, value] : names) {
    if (EqualsIgnoreCase(name, text)) {
      return value;
    }
  }
  return std::nullopt;
}

template <typename T, std::size_t N>
std::string NameIn(const std::array<std::pair<std::string_view, T>, N>& names, T value) {
  for (const auto& [name, known] : names) {
    if (known == value) {
      return std::string(name);
    }
  }
  return "";
}

constexpr std::array<std::pair<std::string_view, Use>, 6> kUses{{{"join", Use::kJoin},
                                                                 {"dimension", Use::kDimension},
                                                                 {"filter", Use::kFilter},
                                                                 {"measure", Use::kMeasure},
                                                                 {"per_unit", Use::kPerUnit},
                                                                 {"list", Use::kList}}};
constexpr std::array<std::pair<std::string_view, AggregateKind>, 5> kKinds{{{"count", AggregateKind::kCount},
                                                                            {"sum", AggregateKind::kSum},
                                                                            {"avg", AggregateKind::kAvg},
                                                                            {"stddev", AggregateKind::kStddev},
                                                                            {"variance", AggregateKind::kVariance}}};
constexpr std::array<std::pair<std::string_view, Step::Unit>, 6> kUnits{{{"day", Step::Unit::kDay},
                                                                         {"week", Step::Unit::kWeek},
                                                                         {"month", Step::Unit::kMonth},
                                                                         {"quarter", Step::Unit::kQuarter},
                                                                         {"year", Step::Unit::kYear},
                                                                         {"decade", Step::Unit::kDecade}}};

Status CheckMembers(const json::Object& object, std::initializer_list<std::string_view> known,
                    const std::string& what) {
  for (const auto& [key, value] : object) {
    if (std::ranges::find(known, key) == known.end()) {
      return Wrong(what, "has an unknown member '" + key + "'");
    }
  }
  return {};
}

// The text of an optional member; an error if it is there and no text.
Result<std::string> OptionalText(const json::Value& object, std::string_view key, std::string fallback,
                                 const std::string& member) {
  const json::Value* value = object.Get(key);
  if (value == nullptr) {
    return fallback;
  }
  if (!value->is_string()) {
    return Wrong(member, "is no text");
  }
  return value->as_string();
}

Result<std::vector<std::string>> Strings(const json::Value& value, const std::string& member) {
  if (!value.is_array()) {
    return Wrong(member, "is no list");
  }
  std::vector<std::string> out;
  for (const json::Value& item : value.as_array()) {
    if (!item.is_string() || item.as_string().empty()) {
      return Wrong(member, "holds something that is no text");
    }
    out.push_back(item.as_string());
  }
  return out;
}

std::string NumberText(const json::Value& value) { return value.is_string() ? value.as_string() : json::Write(value); }

Result<Step> ParseStep(const json::Value& value, const std::string& member) {
  if (value.is_string()) {
    if (const auto unit = FromName(kUnits, value.as_string())) {
      return Step{*unit, ""};
    }
  }
  const auto number = value.is_number() || value.is_string() ? ParseDecimal(NumberText(value)) : std::nullopt;
  if (!number || number->unscaled <= 0 ||
      !CoordinateOf({Type::Decimal(38, number->scale), DecimalText(*number)}, Type::Decimal(38, 6))) {
    return Wrong(member, "is no step: a number greater than zero, day, week, month, quarter, year or decade");
  }
  DecimalNumber trimmed = *number;
  while (trimmed.scale > 0 && trimmed.unscaled % 10 == 0) {
    trimmed.unscaled /= 10;
    --trimmed.scale;
  }
  return Step{Step::Unit::kNumber, DecimalText(trimmed)};
}

Status ParseUses(const json::Object& object, ColumnRule& rule, const std::string& where) {
  const json::Value* uses = object.Find("uses");
  if (uses == nullptr) {
    return Wrong(where, "has no uses");
  }
  GB_ASSIGN_OR_RETURN(const std::vector<std::string> names, Strings(*uses, where + ".uses"));
  for (const std::string& name : names) {
    const auto use = FromName(kUses, name);
    if (!use) {
      return Wrong(where + ".uses", "holds the unknown use '" + name + "'");
    }
    rule.uses.insert(*use);
  }
  return {};
}

Status ParseDomain(const json::Object& object, ColumnRule& rule, const std::string& where) {
  if (const json::Value* domain = object.Find("domain")) {
    if (!domain->is_array() || domain->as_array().empty() || domain->as_array().size() > limits::kRuleDomainValuesMax) {
      return Wrong(where + ".domain", "is no list of values, or a too long one");
    }
    std::vector<std::string> values;
    for (const json::Value& value : domain->as_array()) {
      if (!value.is_string() && !value.is_number() && !value.is_bool()) {
        return Wrong(where + ".domain", "holds something that is no value");
      }
      // Text of tables is in its composed form.
      Result<std::string> text = ToNfc(value.is_string() ? value.as_string() : json::Write(value));
      if (!text.ok() || text->size() > limits::kDimensionCharactersMax) {
        return Wrong(where + ".domain", "holds something that is no value, or a text that is too long");
      }
      values.push_back(std::move(*text));
    }
    std::vector<std::string> sorted = values;
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) != sorted.end()) {
      return Wrong(where + ".domain", "names a value twice");
    }
    rule.domain = std::move(values);
  }
  if (const json::Value* step = object.Find("filter_step")) {
    GB_ASSIGN_OR_RETURN(rule.filter_step, ParseStep(*step, where + ".filter_step"));
  }
  if (const json::Value* steps = object.Find("dimension_steps")) {
    if (!steps->is_array() || steps->as_array().empty()) {
      return Wrong(where + ".dimension_steps", "is no list of steps");
    }
    for (const json::Value& step : steps->as_array()) {
      GB_ASSIGN_OR_RETURN(Step parsed, ParseStep(step, where + ".dimension_steps"));
      rule.dimension_steps.push_back(std::move(parsed));
    }
  }
  return {};
}

Result<ColumnRule> ParseColumn(const std::string& name, const json::Value& value) {
  const std::string where = "columns." + name;
  if (!value.is_object()) {
    return Wrong(where, "is no object");
  }
  const json::Object& object = value.as_object();
  GB_RETURN_IF_ERROR(CheckMembers(
      object, {"identity", "uses", "join_with", "domain", "filter_step", "dimension_steps", "aggregates", "bounds"},
      where));
  ColumnRule rule;
  if (const json::Value* identity = object.Find("identity")) {
    if (!identity->is_bool()) {
      return Wrong(where + ".identity", "is no boolean");
    }
    rule.identity = identity->as_bool();
  }
  GB_RETURN_IF_ERROR(ParseUses(object, rule, where));
  if (const json::Value* join_with = object.Find("join_with")) {
    GB_ASSIGN_OR_RETURN(rule.join_with, Strings(*join_with, where + ".join_with"));
  }
  GB_RETURN_IF_ERROR(ParseDomain(object, rule, where));
  if (const json::Value* aggregates = object.Find("aggregates")) {
    GB_ASSIGN_OR_RETURN(const std::vector<std::string> names, Strings(*aggregates, where + ".aggregates"));
    for (const std::string& kind_name : names) {
      const auto kind = FromName(kKinds, kind_name);
      if (!kind) {
        return Wrong(where + ".aggregates", "holds the unknown aggregate '" + kind_name + "'");
      }
      rule.aggregates.insert(*kind);
    }
  }
  if (const json::Value* bounds = object.Find("bounds")) {
    if (!bounds->is_array() || bounds->as_array().size() != 2 || !ParseDecimal(NumberText(bounds->as_array()[0])) ||
        !ParseDecimal(NumberText(bounds->as_array()[1]))) {
      return Wrong(where + ".bounds", "is no pair of numbers");
    }
    rule.bounds = {NumberText(bounds->as_array()[0]), NumberText(bounds->as_array()[1])};
    const auto number = [](const std::string& text) { return ast::Literal{Type::Decimal(38, 0), text}; };
    const auto order = CompareLiterals(number(rule.bounds->first), number(rule.bounds->second));
    if (!order || *order >= 0) {
      return Wrong(where + ".bounds", "begins at or above its end");
    }
  }
  return rule;
}

// What makes no sense together is an error: a restriction that has no effect must not look like one.
Status CheckColumn(const std::string& name, const ColumnRule& rule) {
  const std::string where = "columns." + name;
  const bool conditions = rule.Allows(Use::kDimension) || rule.Allows(Use::kFilter);
  if (rule.identity && (conditions || rule.Allows(Use::kMeasure))) {
    return Wrong(where, "is an identity: it can only be joined or listed");
  }
  if (rule.Allows(Use::kJoin) != !rule.join_with.empty()) {
    return Wrong(where, "has the use join if and only if it has join_with");
  }
  if (rule.Allows(Use::kMeasure) != !rule.aggregates.empty()) {
    return Wrong(where, "has the use measure if and only if it has aggregates");
  }
  if (rule.domain && (rule.filter_step || !rule.dimension_steps.empty())) {
    return Wrong(where, "has a listed domain or steps, not both");
  }
  if (rule.bounds && !rule.Allows(Use::kMeasure)) {
    return Wrong(where, "has bounds but is no measure");
  }
  if (rule.domain && conditions && rule.Allows(Use::kMeasure)) {
    return Wrong(where, "is a measure: its sums over chosen values of a listed domain would count them");
  }
  return {};
}

// How far so many values of the type are apart, from the first to the one after the last. REQUIRES: no doubles.
std::string ValuesText(int values, const Type& type) {
  return DecimalText({values, type.kind == TypeKind::kDecimal ? type.scale : 0});
}

// Whether a step of a measure holds so many values that its sums and averages there count none of them. A column of
// doubles has no end of them.
bool IsWide(const Step& step, const Type& type) {
  if (step.unit != Step::Unit::kNumber || type.kind == TypeKind::kDouble) {
    return true;
  }
  const auto number = [](const std::string& text) { return ast::Literal{Type::Decimal(38, 0), text}; };
  const auto order = CompareLiterals(number(step.number), number(ValuesText(limits::kMeasureStepValuesMin, type)));
  return order && *order >= 0;
}

// The same of what the bounds leave of the steps that they stand in: all values beyond a bound are one.
bool LeaveEnough(const std::pair<std::string, std::string>& bounds, const Step& step, const Type& type) {
  const auto coordinate = [&type](const std::string& text) -> std::optional<std::int64_t> {
    const Result<ast::Literal> value = ParseLiteral(text, type);
    return value.ok() ? CoordinateOf(*value, type) : std::nullopt;
  };
  const auto low = coordinate(bounds.first);
  const auto high = coordinate(bounds.second);
  if (!low || !high) {
    return false;
  }
  // From one value to another there are as many, and one.
  const auto is_wide = [&type](std::int64_t from, std::int64_t to, int values) {
    const auto order =
        CompareLiterals(LiteralAt(to - from, Type::Decimal(38, 0)), {Type::Decimal(38, 0), ValuesText(values, type)});
    return to > from && (type.kind == TypeKind::kDouble || (order && *order >= 0));
  };
  const std::int64_t first_end = StepNext(StepFloor(*low, step, type), step, type);
  const std::int64_t last_begin = std::max(*low, StepFloor(*high, step, type));
  return is_wide(*low, first_end, limits::kMeasureStepValuesMin) &&
         is_wide(last_begin, *high, limits::kMeasureStepValuesMin - 1);
}

// What its uses as a measure ask of a column's type, steps and bounds.
Status CheckMeasure(const ColumnRule& column, const Type& type, const std::string& where) {
  if (!column.Allows(Use::kMeasure)) {
    return {};
  }
  if (type.kind == TypeKind::kDecimal && type.scale >= limits::kMeasureDigitsMax) {
    return Wrong(where + ".uses", "says 'measure', and " + TypeName(type) + " has " + std::to_string(type.scale) +
                                      " digits after the point; at most " +
                                      std::to_string(limits::kMeasureDigitsMax - 1) + " are computed with");
  }
  if (!type.IsNumeric()) {
    return Wrong(where, "is a measure but no number");
  }
  std::vector<Step> steps = column.dimension_steps;
  if (column.filter_step) {
    steps.push_back(*column.filter_step);
  }
  if (!std::ranges::all_of(steps, [&type](const Step& step) { return IsWide(step, type); })) {
    return Wrong(where, "is a measure, and a step of it holds fewer than " +
                            std::to_string(limits::kMeasureStepValuesMin) +
                            " values: sums and averages there would count them");
  }
  if (column.bounds &&
      !std::ranges::all_of(steps, [&](const Step& step) { return LeaveEnough(*column.bounds, step, type); })) {
    return Wrong(where + ".bounds", "leaves fewer than " + std::to_string(limits::kMeasureStepValuesMin) +
                                        " values of the step that a bound stands in, and all values beyond are one: "
                                        "put the high bound at the end of a step, the low bound at its beginning");
  }
  return {};
}

Status ParseUnit(const json::Value* unit, AnalysisRule& rule) {
  if (unit == nullptr || !unit->is_object()) {
    return Wrong("unit", "is missing");
  }
  GB_RETURN_IF_ERROR(CheckMembers(unit->as_object(), {"domain", "columns", "canonical"}, "unit"));
  rule.unit_domain = unit->GetString("domain");
  if (rule.unit_domain.empty()) {
    return Wrong("unit.domain", "is missing");
  }
  const json::Value* columns = unit->Get("columns");
  if (columns == nullptr) {
    return Wrong("unit.columns", "is missing");
  }
  GB_ASSIGN_OR_RETURN(rule.unit_columns, Strings(*columns, "unit.columns"));
  if (rule.unit_columns.empty()) {
    return Wrong("unit.columns", "is empty");
  }
  GB_ASSIGN_OR_RETURN(const std::string canonical,
                      OptionalText(*unit, "canonical", "nfkc_trim_lower", "unit.canonical"));
  if (canonical != "nfkc_trim_lower" && canonical != "exact") {
    return Wrong("unit.canonical", "is nfkc_trim_lower or exact");
  }
  rule.canonical = canonical == "exact" ? Canonical::kExact : Canonical::kNfkcTrimLower;
  return {};
}

Status ParsePerUnit(const json::Value* per_unit, AnalysisRule& rule) {
  if (per_unit == nullptr) {
    return {};
  }
  if (!per_unit->is_object()) {
    return Wrong("per_unit", "is no object");
  }
  for (const auto& [name, value] : per_unit->as_object()) {
    if (!value.is_object()) {
      return Wrong("per_unit." + name, "is no object");
    }
    if (name == "rows") {
      GB_RETURN_IF_ERROR(CheckMembers(value.as_object(), {}, "per_unit.rows"));
      rule.per_unit.rows = true;
      continue;
    }
    const json::Value* step = value.Get("step");
    if (!name.starts_with("total(") || !name.ends_with(")") || step == nullptr) {
      return Wrong("per_unit." + name, "is neither rows nor total(column) with a step");
    }
    GB_RETURN_IF_ERROR(CheckMembers(value.as_object(), {"step"}, "per_unit." + name));
    GB_ASSIGN_OR_RETURN(Step parsed, ParseStep(*step, "per_unit." + name + ".step"));
    rule.per_unit.total_steps.emplace(AsciiLower(name.substr(6, name.size() - 7)), std::move(parsed));
  }
  return {};
}

// A whole number from `low` to `high`; 0 if it is absent.
Result<std::int64_t> OptionalNumber(const json::Value& object, std::string_view key, std::int64_t low,
                                    std::int64_t high) {
  const json::Value* value = object.Get(key);
  if (value == nullptr) {
    return 0;
  }
  if (!value->is_int() || value->as_int() < low || value->as_int() > high) {
    const bool bounded = high != std::numeric_limits<std::int64_t>::max();
    return Wrong(std::string(key),
                 "is no whole number from " + std::to_string(low) + (bounded ? " to " + std::to_string(high) : " on"));
  }
  return value->as_int();
}

// P12
Status ParseOptions(const json::Value& object, AnalysisRule& rule) {
  constexpr std::int64_t kUnbounded = std::numeric_limits<std::int64_t>::max();
  GB_ASSIGN_OR_RETURN(rule.round_to, OptionalNumber(object, "round_to", 0, kUnbounded));
  GB_ASSIGN_OR_RETURN(rule.dominance_percent,
                      OptionalNumber(object, "dominance_percent", 0, limits::kDominancePercentMax));
  GB_ASSIGN_OR_RETURN(rule.rows_max, OptionalNumber(object, "rows_max", 1, std::int64_t{limits::kRunGroupsMax}));
  for (const auto& [name, column] : rule.columns) {
    if (rule.dominance_percent > 0 &&
        (column.aggregates.contains(AggregateKind::kStddev) || column.aggregates.contains(AggregateKind::kVariance))) {
      return Wrong("columns." + name + ".aggregates",
                   "holds stddev or variance, which tell the largest value where sums that pass dominance_percent do "
                   "not: leave out one or the other");
    }
  }
  return {};
}

Status ParseKeys(const json::Value* keys, AnalysisRule& rule) {
  if (keys == nullptr) {
    return {};
  }
  if (!keys->is_array()) {
    return Wrong("keys", "is no list");
  }
  for (const json::Value& key : keys->as_array()) {
    GB_ASSIGN_OR_RETURN(std::vector<std::string> columns, Strings(key, "keys"));
    if (columns.empty()) {
      return Wrong("keys", "holds an empty key");
    }
    rule.keys.push_back(std::move(columns));
  }
  return {};
}

Status ParseColumns(const json::Value* columns, AnalysisRule& rule) {
  if (columns == nullptr || !columns->is_object() || columns->as_object().empty()) {
    return Wrong("columns", "is missing: what no rule names does not exist");
  }
  if (columns->as_object().size() > limits::kRuleColumnsMax) {
    return Wrong("columns", "has too many members");
  }
  for (const auto& [name, value] : columns->as_object()) {
    GB_ASSIGN_OR_RETURN(ColumnRule column, ParseColumn(name, value));
    GB_RETURN_IF_ERROR(CheckColumn(name, column));
    if (!rule.columns.emplace(AsciiLower(name), std::move(column)).second) {
      return Wrong("columns." + name, "is there twice");
    }
  }
  return {};
}

json::Array Texts(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

json::Value ColumnJson(const ColumnRule& rule) {
  json::Object out{{"identity", rule.identity}};
  json::Array uses;
  for (const Use use : rule.uses) {
    uses.emplace_back(NameIn(kUses, use));
  }
  json::Array kinds;
  for (const AggregateKind kind : rule.aggregates) {
    kinds.emplace_back(NameIn(kKinds, kind));
  }
  json::Array steps;
  for (const Step& step : rule.dimension_steps) {
    steps.emplace_back(StepText(step));
  }
  out.Set("uses", std::move(uses));
  out.Set("aggregates", std::move(kinds));
  out.Set("join_with", Texts(rule.join_with));
  out.Set("domain", rule.domain ? json::Value(Texts(*rule.domain)) : json::Value());
  out.Set("filter_step", rule.filter_step ? json::Value(StepText(*rule.filter_step)) : json::Value());
  out.Set("dimension_steps", std::move(steps));
  out.Set("bounds", rule.bounds ? json::Value(json::Array{rule.bounds->first, rule.bounds->second}) : json::Value());
  return out;
}

}  // namespace

Result<AnalysisRule> ParseAnalysisRule(std::string_view json_text) {
  if (json_text.size() > limits::kRuleBytesMax) {
    return Wrong("text", "is too long");
  }
  Result<json::Value> parsed = json::Parse(json_text);
  if (!parsed.ok() || !parsed->is_object()) {
    return Wrong("text", "is no JSON object");
  }
  GB_RETURN_IF_ERROR(CheckMembers(parsed->as_object(),
                                  {"version", "unit", "min_units", "membership", "keys", "columns", "per_unit",
                                   "round_to", "dominance_percent", "rows_max"},
                                  "the rule"));
  if (parsed->GetInt("version", 0) != 1) {
    return Wrong("version", "is not 1");
  }
  AnalysisRule rule;
  GB_RETURN_IF_ERROR(ParseUnit(parsed->Get("unit"), rule));
  rule.min_units = parsed->GetInt("min_units", 0);
  if (rule.min_units < limits::kMinUnitsFloor || rule.min_units > limits::kMinUnitsMax) {
    return Wrong("min_units", "is at least " + std::to_string(limits::kMinUnitsFloor));
  }
  GB_ASSIGN_OR_RETURN(const std::string membership, OptionalText(*parsed, "membership", "protected", "membership"));
  if (membership != "protected" && membership != "public") {
    return Wrong("membership", "is protected or public");
  }
  rule.membership = membership == "public" ? Membership::kPublic : Membership::kProtected;
  GB_RETURN_IF_ERROR(ParseKeys(parsed->Get("keys"), rule));
  GB_RETURN_IF_ERROR(ParseColumns(parsed->Get("columns"), rule));
  GB_RETURN_IF_ERROR(ParsePerUnit(parsed->Get("per_unit"), rule));
  GB_RETURN_IF_ERROR(ParseOptions(*parsed, rule));
  return rule;
}

Status CheckRuleAgainst(const AnalysisRule& rule, const std::vector<RuleColumn>& columns) {
  const auto find = [&columns](const std::string& name) -> const RuleColumn* {
    const auto found = std::ranges::find_if(
        columns, [&name](const RuleColumn& column) { return EqualsIgnoreCase(column.name, name); });
    return found == columns.end() ? nullptr : &*found;
  };
  const auto known = [&find](const std::vector<std::string>& names, const std::string& member) -> Status {
    for (const std::string& name : names) {
      if (find(name) == nullptr) {
        return Wrong(member, "names the column '" + name + "', which the table does not have");
      }
      if (name.find('.') != std::string::npos) {  // names of columns are told from names of tables by the last dot
        return Wrong(member, "names the column '" + name + "': rename it, a column of a rule has no dot in its name");
      }
    }
    return {};
  };
  GB_RETURN_IF_ERROR(known(rule.unit_columns, "unit.columns"));
  for (const auto& key : rule.keys) {
    GB_RETURN_IF_ERROR(known(key, "keys"));
  }
  for (const auto& [name, column] : rule.columns) {
    GB_RETURN_IF_ERROR(known({name}, "columns"));
    const Type& type = find(name)->type;
    const std::string where = "columns." + name;
    const Result<ColumnDomain> domain = DomainOf(column, type);
    if (!domain.ok()) {
      return Wrong(where + ".domain", "holds a value that is no " + TypeName(type));
    }
    std::set<std::string> values;
    for (const ast::Literal& value : domain->values) {
      if (!values.insert(LiteralText(value)).second) {
        return Wrong(where + ".domain", "names a value twice");
      }
    }
    if (column.bounds &&
        (!ParseLiteral(column.bounds->first, type).ok() || !ParseLiteral(column.bounds->second, type).ok())) {
      return Wrong(where + ".bounds", "holds a value that is no " + TypeName(type));
    }
    const auto fits = [&type](const Step& step) {
      const bool calendar = type.kind == TypeKind::kDate || type.kind == TypeKind::kTimestamp;
      return step.unit == Step::Unit::kNumber ? type.IsNumeric() : calendar;
    };
    if ((column.filter_step && !fits(*column.filter_step)) || !std::ranges::all_of(column.dimension_steps, fits)) {
      return Wrong(where, "has a step that does not fit " + TypeName(type));
    }
    GB_RETURN_IF_ERROR(CheckMeasure(column, type, where));
  }
  for (const auto& [name, step] : rule.per_unit.total_steps) {
    GB_RETURN_IF_ERROR(known({name}, "per_unit"));
  }
  return {};
}

std::string CanonicalText(const AnalysisRule& rule) {
  json::Object columns;
  for (const auto& [name, column] : rule.columns) {
    columns.Set(name, ColumnJson(column));
  }
  json::Array keys;
  for (const auto& key : rule.keys) {
    keys.emplace_back(Texts(key));
  }
  json::Object per_unit;
  for (const auto& [name, step] : rule.per_unit.total_steps) {
    per_unit.Set("total(" + name + ")", StepText(step));
  }
  per_unit.Set("rows", rule.per_unit.rows);
  return json::WriteCanonical(json::Object{
      {"version", 1},
      {"unit", json::Object{{"domain", rule.unit_domain},
                            {"columns", Texts(rule.unit_columns)},
                            {"canonical", rule.canonical == Canonical::kExact ? "exact" : "nfkc_trim_lower"}}},
      {"min_units", rule.min_units},
      {"membership", rule.membership == Membership::kPublic ? "public" : "protected"},
      {"keys", std::move(keys)},
      {"columns", std::move(columns)},
      {"per_unit", std::move(per_unit)},
      {"round_to", rule.round_to},
      {"dominance_percent", rule.dominance_percent},
      {"rows_max", rule.rows_max}});
}

}  // namespace glovebox::query
