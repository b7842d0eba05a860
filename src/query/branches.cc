// SPDX-License-Identifier: Apache-2.0
#include "query/branches.h"

#include <algorithm>

#include "base/limits.h"
#include "query/conditions.h"
#include "query/evaluate.h"
#include "query/flatten.h"
#include "query/refuse.h"

namespace glovebox::query {
namespace {

constexpr int kScaleMax = 12;  // digits behind the point of a factor or summand

std::optional<DecimalNumber> NumberOf(const Expr& expr) {
  std::set<AttrId> attrs;
  CollectAttrs(expr, attrs);
  if (!attrs.empty()) {
    return std::nullopt;
  }
  Result<ast::Literal> value = [&]() -> Result<ast::Literal> {
    if (expr.op == ExprOp::kCall && expr.function->duckdb == "-" && expr.args.size() == 1) {
      GB_ASSIGN_OR_RETURN(const ast::Literal inner, EvaluateConstant(*expr.args[0]));
      auto number = ToDecimal(inner);
      if (!number) {
        return Refuse("P4", expr.position, "no number");
      }
      number->unscaled = -number->unscaled;
      return ast::Literal{Type::Decimal(38, number->scale), DecimalText(*number)};
    }
    return EvaluateConstant(expr);
  }();
  if (!value.ok()) {
    return std::nullopt;
  }
  auto number = ToDecimal(*value);
  constexpr Int128 kUnscaledMax = static_cast<Int128>(1) << 62;
  if (!number || number->scale > kScaleMax || number->unscaled > kUnscaledMax || number->unscaled < -kUnscaledMax) {
    return std::nullopt;
  }
  return number;
}

DecimalNumber Multiply(const DecimalNumber& a, const DecimalNumber& b) {
  return {a.unscaled * b.unscaled, a.scale + b.scale};
}

DecimalNumber Add(DecimalNumber a, DecimalNumber b) {
  while (a.scale < b.scale) {
    a.unscaled *= 10;
    ++a.scale;
  }
  while (b.scale < a.scale) {
    b.unscaled *= 10;
    ++b.scale;
  }
  return {a.unscaled + b.unscaled, a.scale};
}

bool IsZero(const DecimalNumber& number) { return number.unscaled == 0; }

bool SameNumber(const DecimalNumber& a, const DecimalNumber& b) {
  DecimalNumber minus = b;
  minus.unscaled = -minus.unscaled;
  return IsZero(Add(a, minus));
}

bool TooBig(const DecimalNumber& number) {
  constexpr Int128 kUnscaledMax = static_cast<Int128>(1) << 62;
  return number.scale > kScaleMax || number.unscaled > kUnscaledMax || number.unscaled < -kUnscaledMax;
}

class BranchBuilder {
 public:
  BranchBuilder(const AggregateCall& call, const Core& core, const std::vector<Asset>& assets)
      : call_(call), core_(core), assets_(assets) {}

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
  Result<std::vector<Branch>> Expand(const ExprPtr& expr, const Region& region) const {
    if (const auto number = NumberOf(*expr)) {
      return std::vector<Branch>{{.region = region, .scale = {0, 0}, .offset = *number}};
    }
    switch (expr->op) {
      case ExprOp::kLiteral:
        if (IsNull(expr->literal)) {
          return std::vector<Branch>{{.region = region, .none = true}};
        }
        break;
      case ExprOp::kAttr:
        return Column(expr, region);
      case ExprOp::kCase:
        return Case(expr, region);
      case ExprOp::kCast:
        return Cast(expr, region);
      case ExprOp::kCall:
        return Arithmetic(expr, region);
      default:
        break;
    }
    return NoArgument(*expr);
  }

 private:
  // Which rule the argument breaks, from the columns that it uses.
  [[nodiscard]] Status NoArgument(const Expr& expr) const {
    std::set<AttrId> attrs;
    CollectAttrs(expr, attrs);
    const std::set<ColumnRef> identities = IdentityColumns(core_, assets_);
    for (const AttrId attr : attrs) {
      const auto found = core_.attrs.find(attr);
      if (found == core_.attrs.end()) {
        continue;
      }
      if (identities.contains(found->second)) {
        return Refuse("P1", expr.position, "an identity is only joined, or counted with COUNT(DISTINCT ...)");
      }
      if (!assets_[core_.instances[found->second.instance].asset].IsProtected()) {
        return Refuse("P5", expr.position,
                      "own columns may not weigh protected rows: they stand in WHERE and GROUP BY");
      }
    }
    return Refuse(
        "P4", expr.position,
        "write the argument as a measure, measure * constant + constant, a constant, or CASE on dimensions with these "
        "as results");
  }

  Result<std::vector<Branch>> Column(const ExprPtr& expr, const Region& region) const {
    const auto found = core_.attrs.find(expr->attr);
    if (found == core_.attrs.end()) {
      return Refuse("P6", expr->position, "an aggregate may not depend on an outer query");
    }
    const ColumnRef column = found->second;
    const Instance& instance = core_.instances[column.instance];
    const Asset& asset = assets_[instance.asset];
    const ColumnRule& rule = asset.Rule(column.column);
    if (!asset.IsProtected() || IdentityColumns(core_, assets_).contains(column)) {
      return NoArgument(*expr);
    }
    if (!rule.Allows(Use::kMeasure) || instance.distinct != nullptr) {
      return Refuse(rule.Allows(Use::kDimension) ? "P4" : "P1", expr->position,
                    "the owner's rule does not allow this column as a measure; use COUNT(*) or group by it");
    }
    const AggregateKind kind = RuleKind(*call_.function->governed);
    const bool spread = kind == AggregateKind::kStddev || kind == AggregateKind::kVariance;
    const bool allowed =
        rule.aggregates.contains(kind) || (spread && (rule.aggregates.contains(AggregateKind::kStddev) ||
                                                      rule.aggregates.contains(AggregateKind::kVariance)));
    if (!allowed) {
      return Refuse("P1", expr->position,
                    "the owner's rule does not allow this aggregate of this measure; use one that it lists");
    }
    if (!asset.columns[column.column].type.IsNumeric()) {
      return Refuse("P4", expr->position, "a measure is a number");
    }
    return std::vector<Branch>{{.region = region, .measure = column}};
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Result<std::vector<Branch>> Case(const ExprPtr& expr, const Region& region) const {
    std::vector<Branch> out;
    Region rest = region;
    const std::size_t pairs = expr->args.size() / 2;
    for (std::size_t i = 0; i < pairs; ++i) {
      GB_ASSIGN_OR_RETURN(const ConditionBoxes boxes, DimensionCondition(expr->args[2 * i], core_, assets_));
      GB_ASSIGN_OR_RETURN(std::vector<Branch> inner, Expand(expr->args[2 * i + 1], Intersect(rest, boxes.when_true)));
      out.insert(out.end(), inner.begin(), inner.end());
      Region next;
      for (const Box& box : boxes.otherwise) {
        const Region part = Intersect(rest, box);
        next.insert(next.end(), part.begin(), part.end());
      }
      rest = std::move(next);
      if (rest.size() > limits::kPlanBoxesMax || out.size() > limits::kPlanBoxesMax) {
        return Refuse("P15", expr->position, "this CASE has too many branches");
      }
    }
    if (!expr->has_else) {
      out.push_back({.region = rest, .none = true});
      return out;
    }
    GB_ASSIGN_OR_RETURN(std::vector<Branch> last, Expand(expr->args.back(), rest));
    out.insert(out.end(), last.begin(), last.end());
    return out;
  }

  // A cast keeps the value, or is refused.
  // NOLINTNEXTLINE(misc-no-recursion)
  Result<std::vector<Branch>> Cast(const ExprPtr& expr, const Region& region) const {
    GB_ASSIGN_OR_RETURN(std::vector<Branch> inner, Expand(expr->args[0], region));
    for (const Branch& branch : inner) {
      if (!branch.measure) {
        continue;
      }
      const Type& from = assets_[core_.instances[branch.measure->instance].asset].columns[branch.measure->column].type;
      const Type& to = expr->type;
      const bool exact = to.kind == TypeKind::kDouble ||
                         (from.kind == TypeKind::kInteger && to.kind == TypeKind::kInteger && to.bits >= from.bits) ||
                         (from.kind == TypeKind::kInteger && to.kind == TypeKind::kDecimal &&
                          to.precision - to.scale >= (from.bits <= 32 ? 10 : 19)) ||
                         (from.kind == TypeKind::kDecimal && to.kind == TypeKind::kDecimal && to.scale >= from.scale &&
                          to.precision - to.scale >= from.precision - from.scale);
      if (!exact) {
        return Refuse("P4", expr->position, "a cast of a measure must keep every value; cast the aggregate instead");
      }
    }
    return inner;
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Result<std::vector<Branch>> Arithmetic(const ExprPtr& expr, const Region& region) const {
    const std::string_view op = expr->function->duckdb;
    const bool linear = op == "+" || op == "-" || op == "*" || op == "/";
    if (!expr->function->is_operator || !linear) {
      return NoArgument(*expr);
    }
    DecimalNumber factor{1, 0};
    DecimalNumber summand{0, 0};
    ExprPtr inner = expr->args[0];
    if (expr->args.size() == 1) {
      factor = {op == "-" ? -1 : 1, 0};
    } else {
      auto constant = NumberOf(*expr->args[1]);
      bool constant_left = false;
      if (!constant && op != "/") {
        constant = NumberOf(*expr->args[0]);
        inner = expr->args[1];
        constant_left = true;
      }
      if (!constant) {
        return NoArgument(*expr);
      }
      if (op == "*") {
        factor = *constant;
      } else if (op == "/") {
        // Division by a power of ten is exact; others are left to the author, outside the aggregate.
        DecimalNumber divisor = *constant;
        int shift = 0;
        while (divisor.unscaled > 1 && divisor.unscaled % 10 == 0) {
          divisor.unscaled /= 10;
          ++shift;
        }
        if (divisor.unscaled != 1 || divisor.scale != 0) {
          return Refuse("P4", expr->position, "divide the aggregate instead of its argument");
        }
        factor = {1, shift};
      } else {
        summand = *constant;
        if (op == "-" && !constant_left) {
          summand.unscaled = -summand.unscaled;
        }
        factor = {op == "-" && constant_left ? -1 : 1, 0};
      }
    }
    GB_ASSIGN_OR_RETURN(std::vector<Branch> branches, Expand(inner, region));
    for (Branch& branch : branches) {
      branch.scale = Multiply(branch.scale, factor);
      branch.offset = glovebox::query::Add(Multiply(branch.offset, factor), summand);
      if (TooBig(branch.scale) || TooBig(branch.offset)) {
        return Refuse("P12", expr->position, "the constants of this argument are too large or too fine");
      }
      if (branch.measure && IsZero(branch.scale)) {
        return Refuse("P4", expr->position, "a measure times zero is no argument; leave it out");
      }
    }
    return branches;
  }

  const AggregateCall& call_;
  const Core& core_;
  const std::vector<Asset>& assets_;
};

// Branches with the same form are one: only their union is told.
std::vector<Branch> MergeBranches(std::vector<Branch> branches) {
  std::vector<Branch> out;
  for (Branch& branch : branches) {
    if (branch.region.empty()) {
      continue;  // no row can be in it, whatever the data
    }
    const auto same = std::ranges::find_if(out, [&branch](const Branch& other) {
      return other.none == branch.none && other.measure == branch.measure &&
             (branch.none || (SameNumber(other.scale, branch.scale) && SameNumber(other.offset, branch.offset)));
    });
    if (same == out.end()) {
      out.push_back(std::move(branch));
    } else {
      same->region.insert(same->region.end(), branch.region.begin(), branch.region.end());
    }
  }
  return out;
}

Result<GovernedCall> BuildDistinct(const AggregateCall& call, const Core& core, const std::vector<Asset>& assets,
                                   GovernedCall out) {
  const ExprPtr& arg = call.args[0];
  const auto found = arg->op == ExprOp::kAttr ? core.attrs.find(arg->attr) : core.attrs.end();
  if (*call.function->governed != GovernedAggregate::kCount || found == core.attrs.end() ||
      !IdentityColumns(core, assets).contains(found->second)) {
    return Refuse("P4", call.position, "DISTINCT inside an aggregate is COUNT(DISTINCT unit or identity) only");
  }
  // The column, or one that is equated with it, of a protected table.
  std::optional<ColumnRef> column;
  const auto consider = [&](ColumnRef candidate) {
    const Asset& asset = assets[core.instances[candidate.instance].asset];
    const bool known = column && assets[core.instances[column->instance].asset].IsUnitColumn(column->column);
    if (asset.IsProtected() && (!column || (!known && asset.IsUnitColumn(candidate.column)))) {
      column = candidate;
    }
  };
  consider(found->second);
  std::ranges::for_each(EqualTo(core, found->second), consider);
  if (!column || (core.instances[found->second.instance].left_joined != core.instances[column->instance].left_joined)) {
    return Refuse("P4", call.position, "COUNT(DISTINCT ...) counts units or identities of a protected table");
  }
  out.distinct_column = *column;
  const Instance& instance = core.instances[column->instance];
  out.distinct = assets[instance.asset].IsUnitColumn(column->column) ? Distinct::kUnits : Distinct::kColumn;
  return out;
}

// Rows that a LEFT JOIN leaves without a match have NULL everywhere on its right side. They are in no branch, so the
// argument must add nothing to the aggregate there.
Status CheckUnmatched(const std::vector<Branch>& branches, GovernedAggregate kind, std::size_t position) {
  for (const Branch& branch : branches) {
    const bool nothing = branch.none || branch.measure || (kind == GovernedAggregate::kSum && IsZero(branch.offset));
    const bool unmatched = std::ranges::any_of(branch.region, [](const Box& box) {
      return std::ranges::all_of(box, [](const auto& entry) { return entry.second.has_null(); });
    });
    if (unmatched && !nothing) {
      return Refuse("P4", position,
                    "rows of a LEFT JOIN without a match would count with this constant; aggregate the matched rows "
                    "with INNER JOIN, or write CASE without ELSE");
    }
  }
  return {};
}

}  // namespace

Result<GovernedCall> BuildCall(const AggregateCall& call, const Core& core, const std::vector<Asset>& assets) {
  if (!call.function->governed) {
    return Refuse("P4", call.position,
                  "aggregate '" + std::string(call.function->name) +
                      "' is not available on protected rows; COUNT, SUM, AVG, STDDEV and VARIANCE are");
  }
  GovernedCall out;
  out.kind = *call.function->governed;
  out.position = call.position;
  Region selected{Box{}};
  Region others;
  if (call.filter != nullptr) {
    GB_ASSIGN_OR_RETURN(ConditionBoxes boxes, DimensionCondition(call.filter, core, assets));
    selected = IsEmptyBox(boxes.when_true) ? Region{} : Region{boxes.when_true};
    others = std::move(boxes.otherwise);
  }
  const bool left = std::ranges::any_of(core.instances, &Instance::left_joined);
  if (call.distinct) {
    GB_ASSIGN_OR_RETURN(out, BuildDistinct(call, core, assets, out));
  }
  BranchBuilder const builder(call, core, assets);
  std::vector<Branch> branches;
  const auto is_identity = [&](const Expr& arg) {
    const auto found = arg.op == ExprOp::kAttr ? core.attrs.find(arg.attr) : core.attrs.end();
    return found != core.attrs.end() && IdentityColumns(core, assets).contains(found->second);
  };
  const bool counts_rows = out.kind == GovernedAggregate::kCountStar ||
                           (out.kind == GovernedAggregate::kCount && !call.args.empty() &&
                            (NumberOf(*call.args[0]) || (!call.distinct && is_identity(*call.args[0]))));
  if (out.distinct != Distinct::kNo) {
    branches.push_back({.region = selected, .scale = {0, 0}, .offset = {1, 0}});
  } else if (counts_rows) {
    // COUNT(identity) counts matched rows: a row without a unit takes part in nothing.
    const bool identity = !call.args.empty() && is_identity(*call.args[0]);
    if (identity) {
      const ColumnRef column = core.attrs.at(call.args[0]->attr);
      const Instance& instance = core.instances[column.instance];
      const Asset& asset = assets[instance.asset];
      if (asset.IsProtected() && !asset.IsUnitColumn(column.column)) {
        return Refuse("P4", call.position, "count the unit itself, COUNT(*), or COUNT(DISTINCT identity)");
      }
      out.counts_own = left && !asset.IsProtected();
    } else {
      out.counts_own = left;
    }
    if (out.counts_own && call.filter != nullptr) {
      return Refuse("P6", call.position, "a FILTER on the right side of a LEFT JOIN is not supported");
    }
    out.kind = GovernedAggregate::kCountStar;
    branches.push_back({.region = selected, .scale = {0, 0}, .offset = {1, 0}});
  } else {
    GB_ASSIGN_OR_RETURN(branches, builder.Expand(call.args[0], selected));
    if (left) {
      GB_RETURN_IF_ERROR(CheckUnmatched(branches, out.kind, call.position));
    }
  }
  if (!others.empty()) {
    branches.push_back({.region = std::move(others), .none = true});
  }
  out.branches = MergeBranches(std::move(branches));
  return out;
}

}  // namespace glovebox::query
