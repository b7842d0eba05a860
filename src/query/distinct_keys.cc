// SPDX-License-Identifier: Apache-2.0
#include "query/distinct_keys.h"

#include <algorithm>

#include "query/flatten.h"

namespace glovebox::query {
namespace {

// Whether the attribute is a column of a table as it is, and one that identifies: everything that is no dimension of a
// protected table is left to the rules of joins.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
bool MayIdentify(const Rel& rel, AttrId attr, const std::vector<Asset>& assets) {
  const auto output = std::ranges::find(rel.output, attr, &Attr::id);
  if (output == rel.output.end()) {
    return false;
  }
  const auto position = static_cast<std::size_t>(output - rel.output.begin());
  if (rel.kind == RelKind::kScan) {
    const Asset& asset = assets[rel.table];
    const ColumnRule& rule = asset.Rule(rel.columns[position]);
    return !asset.IsProtected() || rule.identity || asset.IsUnitColumn(rel.columns[position]);
  }
  if (rel.kind == RelKind::kProject) {
    const Expr& expr = *rel.exprs[position];
    return expr.op == ExprOp::kAttr && MayIdentify(*rel.inputs[0], expr.attr, assets);
  }
  return std::ranges::any_of(rel.inputs, [&](const RelPtr& input) { return MayIdentify(*input, attr, assets); });
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
ExprPtr InExpr(const ExprPtr& expr, const std::vector<Asset>& assets) {
  if (expr == nullptr || !ContainsSubquery(*expr)) {
    return expr;
  }
  auto copy = std::make_shared<Expr>(*expr);
  for (ExprPtr& arg : copy->args) {
    arg = InExpr(arg, assets);
  }
  copy->rel = copy->rel == nullptr ? nullptr : GroupDistinctKeys(copy->rel, assets);
  return copy;
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
RelPtr GroupDistinctKeys(const RelPtr& rel, const std::vector<Asset>& assets) {
  auto copy = std::make_shared<Rel>(*rel);
  for (RelPtr& input : copy->inputs) {
    input = GroupDistinctKeys(input, assets);
  }
  copy->predicate = InExpr(copy->predicate, assets);
  for (ExprPtr& expr : copy->exprs) {
    expr = InExpr(expr, assets);
  }
  for (SortItem& item : copy->order) {
    item.expr = InExpr(item.expr, assets);
  }
  if (copy->kind == RelKind::kDistinct && HasProtectedRows(*copy->inputs[0], assets) &&
      (copy->output.size() != 1 || !MayIdentify(*copy->inputs[0], copy->output[0].id, assets))) {
    copy->kind = RelKind::kAggregate;
    for (const Attr& attr : copy->output) {
      copy->exprs.push_back(MakeAttr(attr.id, copy->position));
    }
  }
  return copy;
}

}  // namespace glovebox::query
