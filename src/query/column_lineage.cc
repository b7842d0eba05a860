// SPDX-License-Identifier: Apache-2.0
#include "query/column_lineage.h"

#include <map>
#include <utility>

namespace glovebox::query {
namespace {

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
void AddLeaves(const Rel& rel, ColumnSources& out) {
  if (rel.kind == RelKind::kScan || rel.kind == RelKind::kGoverned) {
    out.insert(
        {rel.kind == RelKind::kScan ? ColumnSource::Kind::kOwnRows : ColumnSource::Kind::kGovernedRows, rel.table, 0});
  }
  for (const RelPtr& input : rel.inputs) {
    AddLeaves(*input, out);
  }
}

class Lineage {
 public:
  // NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
  void Add(const Rel& rel) {
    for (const RelPtr& input : rel.inputs) {
      Add(*input);
    }
    switch (rel.kind) {
      case RelKind::kScan:
      case RelKind::kGoverned:
        AddLeaf(rel);
        break;
      case RelKind::kValues:
        for (std::size_t i = 0; i < rel.output.size(); ++i) {
          for (const std::vector<ExprPtr>& row : rel.rows) {
            AddExpr(*row[i], of_[rel.output[i].id]);
          }
        }
        break;
      case RelKind::kProject:
        AddExprs(rel, rel.exprs);
        break;
      case RelKind::kAggregate:
        AddExprs(rel, rel.exprs);
        AddAggregates(rel);
        break;
      case RelKind::kWindow:
        AddWindows(rel);
        break;
      case RelKind::kSetOp:
        AddSetOp(rel);
        break;
      case RelKind::kOneRow:
      case RelKind::kFilter:
      case RelKind::kJoin:
      case RelKind::kDistinct:
      case RelKind::kSort:
      case RelKind::kLimit:
        break;  // their attributes are their inputs'
    }
  }

  [[nodiscard]] ColumnSources Of(AttrId attr) const {
    const auto found = of_.find(attr);
    return found == of_.end() ? ColumnSources() : found->second;
  }

 private:
  void AddLeaf(const Rel& rel) {
    const auto kind = rel.kind == RelKind::kScan ? ColumnSource::Kind::kOwnColumn : ColumnSource::Kind::kGovernedColumn;
    for (std::size_t i = 0; i < rel.output.size(); ++i) {
      of_[rel.output[i].id].insert({kind, rel.table, rel.columns[i]});
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
  void AddExprs(const Rel& rel, const std::vector<ExprPtr>& exprs) {
    for (std::size_t i = 0; i < exprs.size(); ++i) {
      AddExpr(*exprs[i], of_[rel.output[i].id]);
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
  void AddAggregates(const Rel& rel) {
    for (std::size_t i = 0; i < rel.calls.size(); ++i) {
      ColumnSources& out = of_[rel.output[rel.exprs.size() + i].id];
      AddAll(rel.calls[i].args, out);
      if (rel.calls[i].filter != nullptr) {
        AddExpr(*rel.calls[i].filter, out);
      }
      AddRows(*rel.inputs[0], out);
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
  void AddWindows(const Rel& rel) {
    const std::size_t first = rel.output.size() - rel.windows.size();
    for (std::size_t i = 0; i < rel.windows.size(); ++i) {
      ColumnSources& out = of_[rel.output[first + i].id];
      AddAll(rel.windows[i].args, out);
      AddAll(rel.windows[i].partition_by, out);
      for (const SortItem& item : rel.windows[i].order_by) {
        AddExpr(*item.expr, out);
      }
      AddRows(*rel.inputs[0], out);
    }
  }

  void AddSetOp(const Rel& rel) {
    for (std::size_t i = 0; i < rel.output.size(); ++i) {
      for (const RelPtr& input : rel.inputs) {
        const ColumnSources side = Of(input->output[i].id);
        of_[rel.output[i].id].insert(side.begin(), side.end());
      }
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
  void AddAll(const std::vector<ExprPtr>& exprs, ColumnSources& out) {
    for (const ExprPtr& expr : exprs) {
      AddExpr(*expr, out);
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
  void AddExpr(const Expr& expr, ColumnSources& out) {
    if (expr.op == ExprOp::kAttr) {
      const ColumnSources sources = Of(expr.attr);
      out.insert(sources.begin(), sources.end());
    }
    AddAll(expr.args, out);
    if (expr.rel != nullptr) {
      Add(*expr.rel);
      for (const Attr& attr : expr.rel->output) {
        const ColumnSources sources = Of(attr.id);
        out.insert(sources.begin(), sources.end());
      }
      AddRows(*expr.rel, out);
    }
  }

  static void AddRows(const Rel& rel, ColumnSources& out) { out.merge(RowsReadBy(rel)); }

  std::map<AttrId, ColumnSources> of_;
};

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
ColumnSources RowsReadBy(const Rel& rel) {
  ColumnSources out;
  AddLeaves(rel, out);
  std::vector<const Rel*> subqueries;
  ForEachExpr(rel, [&subqueries](const Expr& expr) { CollectRels(expr, subqueries); });
  for (const Rel* subquery : subqueries) {
    out.merge(RowsReadBy(*subquery));
  }
  return out;
}

std::vector<ColumnSources> LineageOf(const Rel& root) {
  Lineage lineage;
  lineage.Add(root);
  std::vector<ColumnSources> out;
  for (const Attr& attr : root.output) {
    out.push_back(lineage.Of(attr.id));
  }
  return out;
}

}  // namespace glovebox::query
