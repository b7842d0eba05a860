// SPDX-License-Identifier: Apache-2.0
#include "query/keys.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/limits.h"
#include "query/conditions.h"
#include "query/core_rules.h"
#include "query/evaluate.h"
#include "query/flatten.h"
#include "query/literal.h"
#include "query/population.h"
#include "query/refuse.h"

namespace glovebox::query {
namespace {

using Parts = std::vector<std::pair<ast::Literal, Subset>>;

// How long the expression's text may be, and in `made` how long all texts that its functions make for one row are
// together, as far as they matter.
// NOLINTNEXTLINE(misc-no-recursion): ends when `made` is too large
std::size_t LongestText(const Expr& expr, const std::function<bool(AttrId)>& is_text, std::size_t& made) {
  constexpr std::size_t kNumber = 40;  // a DECIMAL(38) with sign and point
  if (++made > limits::kOwnKeyCharactersMax) {
    return 0;
  }
  if (expr.op == ExprOp::kLiteral) {
    const auto* text = std::get_if<std::string>(&expr.literal.value);
    return text == nullptr ? kNumber : text->size();
  }
  if (expr.op == ExprOp::kAttr) {
    return is_text(expr.attr) ? limits::kDimensionCharactersMax : kNumber;
  }
  std::vector<std::size_t> lengths;
  for (const ExprPtr& arg : expr.args) {
    lengths.push_back(LongestText(*arg, is_text, made));
  }
  const std::size_t sum = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
  if (expr.op != ExprOp::kCall) {
    return lengths.empty() ? 0 : std::ranges::max(lengths);
  }
  const std::string_view name = expr.function->duckdb;
  std::size_t longest = sum;
  if (expr.function->is_operator && name != "||") {
    longest = kNumber;
  } else if (name == "concat_ws") {
    longest = sum + lengths.size() * lengths[0];
  } else if (name == "regexp_replace") {
    longest = (lengths[0] + 1) * (lengths[2] + 1);
  } else if (name == "strftime") {
    longest = sum * 12;  // a format of two characters makes 24 at most
  }
  made += longest;
  return longest;
}

bool SameLabel(const ast::Literal& a, const ast::Literal& b) { return (IsNull(a) && IsNull(b)) || a.value == b.value; }

// Parts in the order of their first value.
class PartList {
 public:
  void Add(const ast::Literal& label, const Subset& subset) {
    if (subset.IsEmpty()) {
      return;
    }
    const auto [known, added] = index_.emplace(LiteralSql(label), parts_.size());
    if (added) {
      parts_.emplace_back(label, subset);
    } else {
      parts_[known->second].second = parts_[known->second].second.Or(subset);
    }
  }
  [[nodiscard]] const Parts& parts() const { return parts_; }

 private:
  Parts parts_;
  std::map<std::string, std::size_t> index_;
};

// How many combinations the labels of the leaves have, and one of them.
std::size_t Combinations(const std::vector<const Leaf*>& leaves) {
  std::size_t out = 1;
  for (const Leaf* leaf : leaves) {
    out *= leaf->parts.size();
  }
  return out;
}

std::map<AttrId, ast::Literal> CombinationAt(const std::vector<const Leaf*>& leaves, std::size_t index) {
  std::map<AttrId, ast::Literal> out;
  for (const Leaf* leaf : leaves) {
    out.emplace(leaf->output, leaf->parts[index % leaf->parts.size()].first);
    index /= leaf->parts.size();
  }
  return out;
}

// SQL groups -0.0 with 0.0. Nothing for what is no number.
std::optional<ast::Literal> OneZero(std::optional<ast::Literal> label) {
  double* const number = label ? std::get_if<double>(&label->value) : nullptr;
  if (number == nullptr || !std::isfinite(*number)) {
    return std::nullopt;
  }
  *number = *number == 0 ? 0 : *number;
  return label;
}

// The labels in the one type that SQL gives a CASE with these results, so that two labels are equal here if and only if
// they are equal there. Returns a refusal if they have no common type.
Result<Parts> InOneType(const Parts& parts, std::size_t position) {
  const Status refusal =
      Refuse("P3", position, "the results of a group key are numbers, or all of one other type; write a CAST");
  std::optional<Type> type;
  for (const auto& [label, subset] : parts) {
    const Type& next = label.type;
    if (IsNull(label)) {
      continue;
    }
    if (next.kind == TypeKind::kInterval ||
        (type && type->kind != next.kind && !(type->IsNumeric() && next.IsNumeric()))) {
      return refusal;
    }
    const auto number = ToDecimal(label);
    if (next.kind == TypeKind::kDouble || (type && type->kind == TypeKind::kDouble)) {
      type = Type::Double();
    } else if (next.IsNumeric() && (!number || number->scale > 0 || (type && type->kind == TypeKind::kDecimal))) {
      type = Type::Decimal(38, std::max(number ? number->scale : 0, type ? type->scale : 0));
    } else {
      type = next;
    }
  }
  PartList out;
  for (const auto& [label, subset] : parts) {
    std::optional<ast::Literal> same = label;
    if (!IsNull(label) && type->kind == TypeKind::kDouble) {
      same = OneZero(ConvertLiteral(label, *type));
    } else if (!IsNull(label) && type->kind == TypeKind::kDecimal) {
      const auto number = ToDecimal(label);
      const auto exact = number ? AtScale(*number, type->scale) : std::nullopt;
      same = exact ? std::optional(ast::Literal{*type, DecimalText(*exact)}) : std::nullopt;
    }
    if (!same) {
      return refusal;
    }
    out.Add(*same, subset);
  }
  return out.parts();
}

// How a key over the column is written.
std::string KeyForm(const std::string& name, const ColumnDomain& domain) {
  if (domain.dimension_steps.empty()) {
    return "";
  }
  const std::string step = StepText(domain.dimension_steps[0]);
  return domain.type.IsNumeric() ? "; write " + name + " // " + step + " * " + step
                                 : "; write date_trunc('" + step + "', " + name + ")";
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
Result<ExprPtr> KeyBuilder::Add(const ExprPtr& expr) {
  std::set<AttrId> attrs;
  CollectAttrs(*expr, attrs);
  if (attrs.empty()) {
    return expr;
  }
  bool any_own = false;
  bool any_protected = false;
  for (const AttrId attr : attrs) {
    const auto found = core_.attrs.find(attr);
    if (found == core_.attrs.end()) {
      return Refuse("P6", expr->position, "a group key may not depend on an outer query");
    }
    const bool is_protected = assets_[core_.instances[found->second.instance].asset].IsProtected();
    any_protected = any_protected || is_protected;
    any_own = any_own || !is_protected;
  }
  if (!any_protected) {
    return Own(expr);
  }
  if (attrs.size() == 1 && !any_own) {
    return OverOne(expr, core_.attrs.at(*attrs.begin()), *attrs.begin());
  }
  return Combination(expr);
}

Result<ExprPtr> KeyBuilder::Own(const ExprPtr& expr) {
  GB_RETURN_IF_ERROR(CheckOwnColumns(*expr, core_, assets_));
  Leaf leaf;
  leaf.kind = Leaf::Kind::kOwn;
  leaf.own = expr;
  leaf.own_text = OwnText(*expr, core_, assets_);
  for (const Leaf& known : leaves_) {
    if (known.kind == Leaf::Kind::kOwn && known.own_text == leaf.own_text) {
      return MakeAttr(known.output, expr->position);
    }
  }
  // Beside protected rows a key is computed for the rows that are joined, and so is what it needs (P13).
  LongestText(
      *expr,
      [this](AttrId attr) {
        const ColumnRef column = core_.attrs.at(attr);
        return assets_[core_.instances[column.instance].asset].columns[column.column].type.kind == TypeKind::kText;
      },
      own_characters_);
  if (own_characters_ > limits::kOwnKeyCharactersMax) {
    return Refuse("P9", expr->position,
                  "the keys of own columns make more than " + std::to_string(limits::kOwnKeyCharactersMax) +
                      " characters for a row; compute them in a table of your own first, and group by its column");
  }
  leaf.output = new_attr_();
  leaves_.push_back(std::move(leaf));
  return MakeAttr(leaves_.back().output, expr->position);
}

Result<ExprPtr> KeyBuilder::OverOne(const ExprPtr& expr, ColumnRef column, AttrId attr) {
  const Instance& instance = core_.instances[column.instance];
  const ColumnRule& rule = assets_[instance.asset].Rule(column.column);
  if (rule.identity || IdentityColumns(core_, assets_).contains(column)) {
    return Refuse("P1", expr->position,
                  "an identity, or what is computed from one, is no group key; group by a dimension");
  }
  if (!rule.Allows(Use::kDimension) || instance.distinct != nullptr) {
    return Refuse("P1", expr->position,
                  "the owner's rule does not allow this column as a group key; use one that it lists as a dimension");
  }
  if (instance.left_joined) {
    return Refuse("P3", expr->position, "behind a LEFT JOIN only own dimensions are group keys");
  }
  GB_ASSIGN_OR_RETURN(const ColumnDomain domain, DomainOfColumn(core_, assets_, column));
  return domain.listed ? Listed(expr, column, attr, domain) : SteppedKey(expr, column, attr, domain);
}

Result<ExprPtr> KeyBuilder::Partition(const ExprPtr& expr, ColumnRef column,
                                      const std::vector<std::pair<ast::Literal, Subset>>& labels,
                                      const ColumnDomain& domain) {
  GB_ASSIGN_OR_RETURN(Parts parts, InOneType(labels, expr->position));
  Leaf leaf;
  leaf.kind = Leaf::Kind::kPartition;
  leaf.column = column;
  // Parts of a listed column come in the order of its values, NULL last.
  leaf.identity_partition = domain.listed && parts.size() == domain.values.size() + 1;
  for (std::size_t i = 0; i < parts.size() && leaf.identity_partition; ++i) {
    const auto& [label, subset] = parts[i];
    leaf.identity_partition = i == domain.values.size()
                                  ? IsNull(label) && subset == Subset::OnlyNull(domain)
                                  : SameLabel(label, domain.values[i]) && subset == Subset::Value(domain, i);
  }
  leaf.parts = std::move(parts);
  leaf.output = new_attr_();
  leaves_.push_back(std::move(leaf));
  return MakeAttr(leaves_.back().output, expr->position);
}

Result<ExprPtr> KeyBuilder::Listed(const ExprPtr& expr, ColumnRef column, AttrId attr, const ColumnDomain& domain) {
  GB_RETURN_IF_ERROR(CheckEvaluations(*expr, domain));
  PartList parts;
  for (std::size_t i = 0; i < domain.values.size(); ++i) {
    GB_ASSIGN_OR_RETURN(const ast::Literal label, Evaluate(*expr, attr, domain.values[i]));
    parts.Add(label, Subset::Value(domain, i));
  }
  GB_ASSIGN_OR_RETURN(const ast::Literal null_label, Evaluate(*expr, attr, ast::Literal{}));
  parts.Add(null_label, Subset::OnlyNull(domain));
  return Partition(expr, column, parts.parts(), domain);
}

Result<ExprPtr> KeyBuilder::SteppedKey(const ExprPtr& expr, ColumnRef column, AttrId attr, const ColumnDomain& domain) {
  const AttrId boundary = new_attr_();
  if (auto bucket = MatchBucket(expr, attr, domain.type, boundary)) {
    const bool allowed = std::ranges::any_of(domain.dimension_steps,
                                             [&bucket](const Step& step) { return IsMultipleOf(bucket->step, step); });
    if (!allowed) {
      return Refuse("P3", expr->position,
                    "the owner's rule does not allow this step for a group key" +
                        KeyForm(NameOf(core_, assets_, column).second, domain));
    }
    Leaf leaf;
    leaf.kind = Leaf::Kind::kBucket;
    leaf.column = column;
    leaf.step = bucket->step;
    leaf.output = boundary;
    leaves_.push_back(std::move(leaf));
    return bucket->from_boundary;
  }
  // CASE on boundaries of the step, or a condition itself.
  PartList parts;
  Subset rest = Subset::Everything(domain);
  if (expr->op == ExprOp::kCase) {
    for (std::size_t i = 0; i + 1 < expr->args.size(); i += 2) {
      GB_ASSIGN_OR_RETURN(const TruthSets sets, ConditionSets(*expr->args[i], attr, domain));
      Result<ast::Literal> label = EvaluateConstant(*expr->args[i + 1]);
      if (!label.ok()) {
        return Refuse("P3", expr->args[i + 1]->position,
                      "the results of a CASE that is a group key are constants; write one for each");
      }
      parts.Add(*label, rest.And(sets.when_true));
      rest = rest.And(sets.when_true.Not());
    }
    Result<ast::Literal> label = expr->has_else ? EvaluateConstant(*expr->args.back()) : ast::Literal{};
    if (!label.ok()) {
      return Refuse("P3", expr->position,
                    "the results of a CASE that is a group key are constants; write one for each");
    }
    parts.Add(*label, rest);
    return Partition(expr, column, parts.parts(), domain);
  }
  Result<TruthSets> sets = ConditionSets(*expr, attr, domain);
  if (!sets.ok()) {
    return Refuse("P3", expr->position,
                  "a stepped column is a group key if it is written as column // step * step, column - column % step, "
                  "floor(column / step) * step, date_trunc('unit', column), year(column), year(column) // 10 * 10, or "
                  "CASE on boundaries of the step");
  }
  parts.Add({Type::Boolean(), true}, sets->when_true);
  parts.Add({Type::Boolean(), false}, sets->when_false);
  parts.Add({}, sets->when_true.Or(sets->when_false).Not());
  return Partition(expr, column, parts.parts(), domain);
}

// NOLINTNEXTLINE(misc-no-recursion)
Result<ExprPtr> KeyBuilder::Combination(const ExprPtr& expr) {
  auto composed = std::make_shared<Expr>(*expr);
  const std::size_t before = leaves_.size();
  for (ExprPtr& arg : composed->args) {
    GB_ASSIGN_OR_RETURN(arg, Add(arg));
  }
  const ExprPtr result = composed;
  // The outermost combination decides: inner ones are part of it.
  std::set<AttrId> outputs;
  CollectAttrs(*result, outputs);
  if (leaves_.size() > before) {
    GB_RETURN_IF_ERROR(CheckInjective(result, expr));
  }
  return result;
}

std::optional<std::vector<const Leaf*>> KeyBuilder::ListedLeaves(const Expr& composed) const {
  std::set<AttrId> outputs;
  CollectAttrs(composed, outputs);
  std::vector<const Leaf*> used;
  for (const Leaf& leaf : leaves_) {
    if (!outputs.contains(leaf.output)) {
      continue;
    }
    used.push_back(&leaf);
    if (leaf.kind != Leaf::Kind::kPartition || Combinations(used) > limits::kPlanBoxesMax) {
      return std::nullopt;
    }
  }
  return used;
}

bool KeyBuilder::SharesNull(const Expr& key) const {
  const auto used = ListedLeaves(key);
  if (!used || used->size() < 2) {
    return false;
  }
  std::size_t nulls = 0;
  for (std::size_t n = 0; n < Combinations(*used); ++n) {
    const Result<ast::Literal> value = Evaluate(key, CombinationAt(*used, n));
    nulls += value.ok() && IsNull(*value) ? 1U : 0U;
  }
  return nulls > 1;
}

Status KeyBuilder::CheckInjective(const ExprPtr& composed, const ExprPtr& expr) const {
  const Status refusal = Refuse("P3", expr->position,
                                "a group key is a function of one dimension; a combination of several must keep every "
                                "combination of their values apart: group by the columns themselves");
  const auto used = ListedLeaves(*composed);
  if (!used) {
    return refusal;
  }
  std::vector<ast::Literal> seen;
  for (std::size_t n = 0; n < Combinations(*used); ++n) {
    const std::map<AttrId, ast::Literal> values = CombinationAt(*used, n);
    Result<ast::Literal> value = Evaluate(*composed, values);
    if (!value.ok()) {
      return refusal;
    }
    const bool any_null = std::ranges::any_of(values, [](const auto& entry) { return IsNull(entry.second); });
    if (any_null && IsNull(*value)) {
      continue;  // SharesNull
    }
    if (std::ranges::any_of(seen, [&value](const ast::Literal& other) { return SameLabel(other, *value); })) {
      return refusal;
    }
    seen.push_back(*value);
  }
  return {};
}

}  // namespace glovebox::query
