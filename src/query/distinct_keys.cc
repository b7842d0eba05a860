// SPDX-License-Identifier: Apache-2.0
#include "query/distinct_keys.h"

#include "query/flatten.h"

namespace glovebox::query {
namespace {

// Whether the rows are told apart by an identity: the rules of joins decide about them.
bool IsOverIdentity(const Rel& rel, const std::vector<Asset>& assets) {
  const Result<Flat> flat = Flatten(*rel.inputs[0], assets);
  if (!flat.ok() || rel.output.size() != 1) {
    return false;
  }
  const Result<ExprPtr> key = flat->Inline(MakeAttr(rel.output[0].id));
  if (!key.ok() || (*key)->op != ExprOp::kAttr) {
    return false;
  }
  const auto column = flat->core.attrs.find((*key)->attr);
  return column != flat->core.attrs.end() && IdentityColumns(flat->core, assets).contains(column->second);
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
      !IsOverIdentity(*copy, assets)) {
    copy->kind = RelKind::kAggregate;
    for (const Attr& attr : copy->output) {
      copy->exprs.push_back(MakeAttr(attr.id, copy->position));
    }
  }
  return copy;
}

}  // namespace glovebox::query
