// SPDX-License-Identifier: Apache-2.0
#include "query/conditions.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "base/strings.h"
#include "query/evaluate.h"
#include "query/refuse.h"

namespace glovebox::query {
namespace {

std::optional<ast::Literal> ConstantOf(const Expr& expr) {
  std::set<AttrId> attrs;
  CollectAttrs(expr, attrs);
  if (!attrs.empty() || ContainsSubquery(expr)) {
    return std::nullopt;
  }
  Result<ast::Literal> value = EvaluateConstant(expr);
  return value.ok() ? std::optional(*value) : std::nullopt;
}

Result<TruthSets> OnListed(const Expr& expr, AttrId attr, const ColumnDomain& domain) {
  GB_RETURN_IF_ERROR(CheckEvaluations(expr, domain));
  std::array<std::vector<std::size_t>, 2> values;  // where it is false, where it is true
  std::optional<bool> of_null;
  for (std::size_t i = 0; i <= domain.values.size(); ++i) {
    const bool null = i == domain.values.size();
    const Result<ast::Literal> result = Evaluate(expr, attr, null ? ast::Literal{} : domain.values[i]);
    if (!result.ok()) {
      return Refuse("P2", result.status().position().value_or(expr.position), result.status().message());
    }
    const auto* truth = std::get_if<bool>(&result->value);
    if (truth == nullptr && !IsNull(*result)) {
      return Refuse("P2", expr.position, "this is no condition; compare the column with constants");
    }
    if (truth != nullptr && null) {
      of_null = *truth;
    } else if (truth != nullptr) {
      values[*truth ? 1 : 0].push_back(i);
    }
  }
  const auto set = [&](bool truth) {
    const Subset listed = Subset::Values(domain, std::move(values[truth ? 1 : 0]));
    return of_null == truth ? listed.Or(Subset::OnlyNull(domain)) : listed;
  };
  return TruthSets{set(true), set(false)};
}

// Conditions on a stepped column: every bound must be a boundary of the filter's step (or, for keys, of a dimension's).
class Stepped {
 public:
  Stepped(AttrId attr, const ColumnDomain& domain) : attr_(attr), domain_(domain) {}

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
  Result<TruthSets> Run(const Expr& e) const {
    switch (e.op) {
      case ExprOp::kAnd:
      case ExprOp::kOr:
        return Connective(e);
      case ExprOp::kNot: {
        GB_ASSIGN_OR_RETURN(const TruthSets inner, Run(*e.args[0]));
        return TruthSets{inner.when_false, inner.when_true};
      }
      case ExprOp::kIsNull:
        if (e.args[0]->op == ExprOp::kAttr) {
          return TruthSets{Subset::OnlyNull(domain_), Subset::OnlyNull(domain_).Not()};
        }
        break;
      case ExprOp::kLiteral:
        if (const auto* truth = std::get_if<bool>(&e.literal.value)) {
          const Subset all = Subset::Everything(domain_);
          return *truth ? TruthSets{all, all.Not()} : TruthSets{all.Not(), all};
        }
        break;
      case ExprOp::kCompare:
        return Compare(e);
      case ExprOp::kIn:
        return In(e);
      default:
        break;
    }
    return Refuse("P2", e.position, Form());
  }

 private:
  [[nodiscard]] std::string Form() const {
    const std::string step = domain_.filter_step               ? StepText(*domain_.filter_step)
                             : domain_.dimension_steps.empty() ? ""
                                                               : StepText(domain_.dimension_steps[0]);
    return "a condition on this column is written as 'column >= constant' or 'column < constant', with constants that "
           "are "
           "boundaries of the step (" +
           step + ") that its owner allows";
  }

  [[nodiscard]] bool Aligned(std::int64_t coordinate) const {
    const auto on = [&](const Step& step) { return IsOnStep(coordinate, step, domain_.type); };
    return (domain_.filter_step && on(*domain_.filter_step)) || std::ranges::any_of(domain_.dimension_steps, on);
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Result<TruthSets> Connective(const Expr& e) const {
    const bool conjunction = e.op == ExprOp::kAnd;
    std::optional<TruthSets> sets;
    for (const ExprPtr& arg : e.args) {
      GB_ASSIGN_OR_RETURN(const TruthSets one, Run(*arg));
      if (!sets) {
        sets = one;
      } else if (conjunction) {
        sets = TruthSets{sets->when_true.And(one.when_true), sets->when_false.Or(one.when_false)};
      } else {
        sets = TruthSets{sets->when_true.Or(one.when_true), sets->when_false.And(one.when_false)};
      }
    }
    return *sets;
  }

  [[nodiscard]] TruthSets Within(const Subset& values) const {
    return {values, values.Or(Subset::OnlyNull(domain_)).Not()};
  }

  Result<TruthSets> Compare(const Expr& e) const {
    CompareOp op = e.compare;
    ExprPtr column = e.args[0];
    auto constant = ConstantOf(*e.args[1]);
    if (!constant) {
      constant = ConstantOf(*e.args[0]);
      column = e.args[1];
      op = op == CompareOp::kLt   ? CompareOp::kGt
           : op == CompareOp::kLe ? CompareOp::kGe
           : op == CompareOp::kGt ? CompareOp::kLt
           : op == CompareOp::kGe ? CompareOp::kLe
                                  : op;
    }
    if (!constant) {
      return Refuse("P2", e.position, "a protected column is compared with constants and parameters only");
    }
    if (column->op != ExprOp::kAttr) {
      return CompareBucket(e, op, column, *constant);
    }
    const auto at = CoordinateOf(*constant, domain_.type);
    if (!at || !Aligned(*at) || (op != CompareOp::kGe && op != CompareOp::kLt)) {
      return Refuse("P2", e.position, Form());
    }
    return op == CompareOp::kGe ? Within(Subset::Range(domain_, *at, kCoordinateMax))
                                : Within(Subset::Range(domain_, kCoordinateMin, *at));
  }

  // date_trunc('month', x) = DATE '2026-03-01': the boundary of a bucket is compared, so every operator is a range.
  Result<TruthSets> CompareBucket(const Expr& e, CompareOp op, const ExprPtr& column,
                                  const ast::Literal& constant) const {
    const AttrId boundary{-1};
    const auto bucket = MatchBucket(column, attr_, domain_.type, boundary);
    const auto at = CoordinateOf(constant, domain_.type);
    const bool allowed = bucket && bucket->from_boundary->op == ExprOp::kAttr &&
                         std::ranges::any_of(domain_.dimension_steps,
                                             [&](const Step& step) { return IsMultipleOf(bucket->step, step); });
    if (!at || !allowed || !IsOnStep(*at, bucket->step, domain_.type)) {
      return Refuse("P2", e.position, Form());
    }
    const std::int64_t next = StepNext(*at, bucket->step, domain_.type);
    switch (op) {
      case CompareOp::kEq:
        return Within(Subset::Range(domain_, *at, next));
      case CompareOp::kNe: {
        const TruthSets equal = Within(Subset::Range(domain_, *at, next));
        return TruthSets{equal.when_false, equal.when_true};
      }
      case CompareOp::kLt:
        return Within(Subset::Range(domain_, kCoordinateMin, *at));
      case CompareOp::kLe:
        return Within(Subset::Range(domain_, kCoordinateMin, next));
      case CompareOp::kGt:
        return Within(Subset::Range(domain_, next, kCoordinateMax));
      case CompareOp::kGe:
        return Within(Subset::Range(domain_, *at, kCoordinateMax));
      default:
        return Refuse("P2", e.position, Form());
    }
  }

  Result<TruthSets> In(const Expr& e) const {
    std::optional<TruthSets> sets;
    for (std::size_t i = 1; i < e.args.size(); ++i) {
      const auto constant = ConstantOf(*e.args[i]);
      if (!constant || e.args[0]->op == ExprOp::kAttr) {
        return Refuse("P2", e.position, Form());
      }
      GB_ASSIGN_OR_RETURN(const TruthSets one, CompareBucket(e, CompareOp::kEq, e.args[0], *constant));
      sets = sets ? TruthSets{sets->when_true.Or(one.when_true), sets->when_false.And(one.when_false)} : one;
    }
    return *sets;
  }

  AttrId attr_;
  const ColumnDomain& domain_;
};

bool IsCall(const Expr& e, std::string_view duckdb, std::size_t args) {
  return e.op == ExprOp::kCall && e.function->duckdb == duckdb && e.args.size() == args;
}

// The positive number that a constant is, as a step.
std::optional<Step> NumberStep(const Expr& e) {
  const auto constant = ConstantOf(e);
  const auto number = constant ? ToDecimal(*constant) : std::nullopt;
  if (!number || number->unscaled <= 0 || !CoordinateOf(*constant, Type::Integer(64)) ||
      *CoordinateOf(*constant, Type::Integer(64)) <= 0) {
    return std::nullopt;
  }
  DecimalNumber trimmed = *number;
  while (trimmed.scale > 0 && trimmed.unscaled % 10 == 0) {
    trimmed = {trimmed.unscaled / 10, trimmed.scale - 1};
  }
  return Step{Step::Unit::kNumber, DecimalText(trimmed)};
}

bool IsAttr(const Expr& e, AttrId attr) { return e.op == ExprOp::kAttr && e.attr == attr; }

// x // s or floor(x / s): the index of a bucket.
std::optional<Step> MatchIndex(const Expr& e, AttrId attr) {
  if (IsCall(e, "//", 2) && IsAttr(*e.args[0], attr)) {
    return NumberStep(*e.args[1]);
  }
  if (IsCall(e, "floor", 1) && IsCall(*e.args[0], "/", 2) && IsAttr(*e.args[0]->args[0], attr)) {
    return NumberStep(*e.args[0]->args[1]);
  }
  return std::nullopt;
}

std::optional<BucketMatch> MatchNumber(const ExprPtr& e, AttrId attr, const Type& type, AttrId boundary) {
  const ExprPtr start = MakeAttr(boundary);
  if (const auto step = MatchIndex(*e, attr)) {
    const auto width = ParseLiteral(step->number, Type::Decimal(38, 6));
    if (type.kind == TypeKind::kInteger && step->number.find('.') == std::string::npos) {
      return BucketMatch{*step, MakeCall("//", {start, MakeLiteral(*width)})};
    }
    // A boundary is a multiple of the step, so rounding undoes what binary fractions do to the division.
    return BucketMatch{*step,
                       MakeCast(MakeCall("round", {MakeCall("/", {start, MakeLiteral(*width)})}), Type::Integer(64))};
  }
  if (IsCall(*e, "*", 2)) {
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
      const auto index = MatchIndex(*e->args[i], attr);
      const auto factor = NumberStep(*e->args[1 - i]);
      if (index && factor && *index == *factor) {
        return BucketMatch{*index, start};
      }
    }
  }
  if (IsCall(*e, "-", 2) && IsAttr(*e->args[0], attr) && IsCall(*e->args[1], "%", 2) &&
      IsAttr(*e->args[1]->args[0], attr)) {
    if (const auto step = NumberStep(*e->args[1]->args[1])) {
      return BucketMatch{*step, start};
    }
  }
  return std::nullopt;
}

std::optional<Step::Unit> CalendarUnit(const Expr& e) {
  const auto constant = ConstantOf(e);
  const auto* text = constant ? std::get_if<std::string>(&constant->value) : nullptr;
  if (text == nullptr) {
    return std::nullopt;
  }
  const std::string name = AsciiLower(*text);
  if (name == "day") return Step::Unit::kDay;
  if (name == "week") return Step::Unit::kWeek;
  if (name == "month" || name == "mon") return Step::Unit::kMonth;
  if (name == "quarter") return Step::Unit::kQuarter;
  if (name == "year") return Step::Unit::kYear;
  if (name == "decade") return Step::Unit::kDecade;
  return std::nullopt;
}

bool IsYear(const Expr& e, AttrId attr) {
  const bool date_part =
      IsCall(e, "date_part", 2) && IsAttr(*e.args[1], attr) && CalendarUnit(*e.args[0]) == Step::Unit::kYear;
  return date_part || (IsCall(e, "year", 1) && IsAttr(*e.args[0], attr));
}

// The expression with `attr` in place of its year; nothing where `attr` stands outside of that.
// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
ExprPtr OverYear(const ExprPtr& e, AttrId attr) {
  if (IsYear(*e, attr)) {
    return MakeAttr(attr, e->position);
  }
  if (IsAttr(*e, attr)) {
    return nullptr;
  }
  auto copy = std::make_shared<Expr>(*e);
  for (ExprPtr& arg : copy->args) {
    arg = OverYear(arg, attr);
    if (arg == nullptr) {
      return nullptr;
    }
  }
  return copy;
}

// year(x) // 10 * 10 and its like: the decade that begins with that year.
std::optional<BucketMatch> MatchDecade(const ExprPtr& e, AttrId attr, AttrId boundary) {
  const ExprPtr over_year = OverYear(e, attr);
  const auto match = over_year == nullptr ? std::nullopt : MatchNumber(over_year, attr, Type::Integer(64), boundary);
  if (!match || match->step.number != "10" || match->from_boundary->op != ExprOp::kAttr) {
    return std::nullopt;
  }
  return BucketMatch{Step{Step::Unit::kDecade, ""}, MakeCall("year", {match->from_boundary})};
}

std::optional<BucketMatch> MatchCalendar(const ExprPtr& e, AttrId attr, const Type& type, AttrId boundary) {
  const ExprPtr start = MakeAttr(boundary);
  const auto calendar = [](Step::Unit unit) { return Step{unit, ""}; };
  if (IsCall(*e, "date_trunc", 2) && IsAttr(*e->args[1], attr)) {
    const auto unit = CalendarUnit(*e->args[0]);
    return unit ? std::optional(BucketMatch{calendar(*unit), start}) : std::nullopt;
  }
  if (IsYear(*e, attr)) {
    return BucketMatch{calendar(Step::Unit::kYear), MakeCall("year", {start})};
  }
  if (IsCall(*e, "strftime", 2) && IsAttr(*e->args[0], attr)) {
    const auto format = ConstantOf(*e->args[1]);
    const auto* text = format ? std::get_if<std::string>(&format->value) : nullptr;
    if (text != nullptr && (*text == "%Y" || *text == "%Y-%m" || *text == "%Y-%m-%d")) {
      const Step::Unit unit = *text == "%Y"      ? Step::Unit::kYear
                              : *text == "%Y-%m" ? Step::Unit::kMonth
                                                 : Step::Unit::kDay;
      return BucketMatch{calendar(unit), MakeCall("strftime", {start, e->args[1]})};
    }
  }
  if (e->op == ExprOp::kCast && e->type.kind == TypeKind::kDate && type.kind == TypeKind::kTimestamp &&
      IsAttr(*e->args[0], attr)) {
    return BucketMatch{calendar(Step::Unit::kDay), MakeCast(start, Type::Date())};
  }
  return MatchDecade(e, attr, boundary);
}

}  // namespace

namespace {

// A bucket with constant text around it: labels stay apart as their buckets do.
std::optional<BucketMatch> MatchLabel(const ExprPtr& expr, AttrId attr, const Type& type, AttrId boundary) {
  if (expr->op != ExprOp::kCall || (expr->function->duckdb != "||" && expr->function->duckdb != "concat")) {
    return std::nullopt;
  }
  std::optional<BucketMatch> found;
  std::vector<ExprPtr> args = expr->args;
  for (ExprPtr& arg : args) {
    if (ConstantOf(*arg)) {
      continue;
    }
    auto inner = MatchBucket(arg, attr, type, boundary);
    if (found || !inner) {
      return std::nullopt;
    }
    arg = inner->from_boundary;
    found = std::move(inner);
  }
  if (found) {
    found->from_boundary = MakeCall(expr->function->name, std::move(args), expr->position);
  }
  return found;
}

}  // namespace

std::optional<BucketMatch> MatchBucket(const ExprPtr& expr, AttrId attr, const Type& type, AttrId boundary) {
  if (auto label = MatchLabel(expr, attr, type, boundary)) {
    return label;
  }
  // A cast of the whole keeps buckets apart if it is to a type that holds every boundary.
  if (expr->op == ExprOp::kCast && expr->args[0]->op != ExprOp::kAttr) {
    auto inner = MatchBucket(expr->args[0], attr, type, boundary);
    const bool wide = expr->type.kind == TypeKind::kText || expr->type.kind == TypeKind::kDouble ||
                      (expr->type.kind == TypeKind::kInteger && expr->type.bits >= 32) ||
                      expr->type.kind == TypeKind::kDate || expr->type.kind == TypeKind::kTimestamp;
    const bool whole =
        type.kind != TypeKind::kInteger || expr->type.kind != TypeKind::kInteger || expr->type.bits >= type.bits;
    if (inner && wide && whole && (!type.IsNumeric() || type.kind == TypeKind::kInteger)) {
      inner->from_boundary = MakeCast(inner->from_boundary, expr->type);
      return inner;
    }
    return std::nullopt;
  }
  if (expr->op == ExprOp::kAttr && expr->attr == attr) {
    // The column itself is its own bucket where every value is a boundary.
    if (type.kind == TypeKind::kDate) {
      return BucketMatch{Step{Step::Unit::kDay, ""}, MakeAttr(boundary)};
    }
    if (type.kind == TypeKind::kInteger) {
      return BucketMatch{Step{Step::Unit::kNumber, "1"}, MakeAttr(boundary)};
    }
    return std::nullopt;
  }
  return type.IsNumeric() ? MatchNumber(expr, attr, type, boundary) : MatchCalendar(expr, attr, type, boundary);
}

Result<TruthSets> ConditionSets(const Expr& expr, AttrId attr, const ColumnDomain& domain) {
  if (domain.listed) {
    return OnListed(expr, attr, domain);
  }
  return Stepped(attr, domain).Run(expr);
}

Status CheckEvaluations(const Expr& expr, const ColumnDomain& domain) {
  const std::size_t nodes = limits::kPlanEvaluationsMax / (domain.values.size() + 1);
  return HasMoreNodes(expr, nodes) ? Refuse("P15", expr.position,
                                            "this expression is too large for a column with so many values; write a "
                                            "shorter list or fewer branches")
                                   : Status();
}

Result<ColumnDomain> DomainOfColumn(const Core& core, const std::vector<Asset>& assets, ColumnRef column) {
  const Asset& asset = assets[core.instances[column.instance].asset];
  return DomainOf(asset.Rule(column.column), asset.columns[column.column].type);
}

Result<std::pair<ColumnRef, AttrId>> OnlyColumn(const Expr& expr, const Core& core, const char* rule,
                                                const char* message) {
  std::set<AttrId> attrs;
  CollectAttrs(expr, attrs);
  if (attrs.size() != 1 || ContainsSubquery(expr) || !core.attrs.contains(*attrs.begin())) {
    return Refuse(rule, expr.position, message);
  }
  return std::pair(core.attrs.at(*attrs.begin()), *attrs.begin());
}

Result<ConditionBoxes> DimensionCondition(const ExprPtr& expr, const Core& core, const std::vector<Asset>& assets) {
  std::vector<ExprPtr> conjuncts;
  Conjuncts(expr, conjuncts);
  ConditionBoxes boxes;
  for (const ExprPtr& conjunct : conjuncts) {
    std::set<AttrId> attrs;
    CollectAttrs(*conjunct, attrs);
    for (const AttrId attr : attrs) {
      const auto found = core.attrs.find(attr);
      if (found != core.attrs.end() && !assets[core.instances[found->second.instance].asset].IsProtected()) {
        return Refuse(
            "P5", conjunct->position,
            "an own column may not stand inside an aggregate over protected rows; use it in WHERE or GROUP BY");
      }
    }
    GB_ASSIGN_OR_RETURN(const auto only, OnlyColumn(*conjunct, core, "P2",
                                                    "a condition is a conjunction of conditions on one protected "
                                                    "column each; write one query for each alternative"));
    const ColumnRef column = only.first;
    const ColumnRule& rule = assets[core.instances[column.instance].asset].Rule(column.column);
    if (rule.identity || (!rule.Allows(Use::kFilter) && !rule.Allows(Use::kDimension))) {
      return Refuse("P1", conjunct->position,
                    "this column may not be used in a condition; use one that its owner lists for conditions");
    }
    GB_ASSIGN_OR_RETURN(const ColumnDomain domain, DomainOfColumn(core, assets, column));
    GB_ASSIGN_OR_RETURN(const TruthSets sets, ConditionSets(*conjunct, only.second, domain));
    // Everything else: true so far, and not true here.
    const Box here{{column, sets.when_true.Not()}};
    if (Box rest = Intersect(boxes.when_true, here); !IsEmptyBox(rest)) {
      boxes.otherwise.push_back(std::move(rest));
    }
    boxes.when_true = Intersect(boxes.when_true, Box{{column, sets.when_true}});
  }
  return boxes;
}

}  // namespace glovebox::query
