// SPDX-License-Identifier: Apache-2.0
#include "query/plan.h"

namespace glovebox::query {
namespace {

void CollectUsed(const Rel& rel, std::set<AttrId>& used, std::set<AttrId>& made) {
  for (const Attr& attr : rel.output) {
    made.insert(attr.id);
  }
  const auto use = [&used](const ExprPtr& expr) {
    if (expr != nullptr) {
      CollectAttrs(*expr, used);
    }
  };
  use(rel.predicate);
  for (const ExprPtr& expr : rel.exprs) {
    use(expr);
  }
  for (const auto& row : rel.rows) {
    for (const ExprPtr& expr : row) {
      use(expr);
    }
  }
  for (const AggregateCall& call : rel.calls) {
    use(call.filter);
    for (const ExprPtr& expr : call.args) {
      use(expr);
    }
  }
  for (const WindowCall& window : rel.windows) {
    for (const ExprPtr& expr : window.args) {
      use(expr);
    }
    for (const ExprPtr& expr : window.partition_by) {
      use(expr);
    }
    for (const SortItem& item : window.order_by) {
      use(item.expr);
    }
  }
  for (const SortItem& item : rel.order) {
    use(item.expr);
  }
  for (const RelPtr& input : rel.inputs) {
    CollectUsed(*input, used, made);
  }
}

}  // namespace

void CollectOuterAttrs(const Rel& rel, std::set<AttrId>& out) {
  std::set<AttrId> used;
  std::set<AttrId> made;
  CollectUsed(rel, used, made);
  for (const AttrId attr : used) {
    if (!made.contains(attr)) {
      out.insert(attr);
    }
  }
}

}  // namespace glovebox::query
