// SPDX-License-Identifier: Apache-2.0
#include "query/plan.h"

namespace glovebox::query {

void ForEachExpr(const Rel& rel, const std::function<void(const Expr&)>& visit) {
  const auto one = [&visit](const ExprPtr& expr) {
    if (expr != nullptr) {
      visit(*expr);
    }
  };
  const auto all = [&one](const std::vector<ExprPtr>& exprs) {
    for (const ExprPtr& expr : exprs) {
      one(expr);
    }
  };
  const auto sorted = [&one](const std::vector<SortItem>& items) {
    for (const SortItem& item : items) {
      one(item.expr);
    }
  };
  one(rel.predicate);
  all(rel.exprs);
  for (const auto& row : rel.rows) {
    all(row);
  }
  for (const AggregateCall& call : rel.calls) {
    one(call.filter);
    all(call.args);
  }
  for (const WindowCall& window : rel.windows) {
    all(window.args);
    all(window.partition_by);
    sorted(window.order_by);
  }
  sorted(rel.order);
  for (const RelPtr& input : rel.inputs) {
    ForEachExpr(*input, visit);
  }
}

void CollectRels(const Expr& expr, std::vector<const Rel*>& out) {
  if (expr.rel != nullptr) {
    out.push_back(expr.rel.get());
  }
  for (const ExprPtr& arg : expr.args) {
    CollectRels(*arg, out);
  }
}

namespace {

void CollectMade(const Rel& rel, std::set<AttrId>& made) {
  for (const Attr& attr : rel.output) {
    made.insert(attr.id);
  }
  for (const RelPtr& input : rel.inputs) {
    CollectMade(*input, made);
  }
}

}  // namespace

void CollectOuterAttrs(const Rel& rel, std::set<AttrId>& out) {
  std::set<AttrId> used;
  std::set<AttrId> made;
  ForEachExpr(rel, [&used](const Expr& expr) { CollectAttrs(expr, used); });
  CollectMade(rel, made);
  for (const AttrId attr : used) {
    if (!made.contains(attr)) {
      out.insert(attr);
    }
  }
}

}  // namespace glovebox::query
