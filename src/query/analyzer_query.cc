// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/strings.h"
#include "query/analyzer_impl.h"
#include "query/literal.h"

namespace glovebox::query {
namespace {

RelPtr Filter(RelPtr input, ExprPtr predicate) {
  auto rel = std::make_shared<Rel>();
  rel->kind = RelKind::kFilter;
  rel->position = predicate->position;
  rel->output = input->output;
  rel->inputs = {std::move(input)};
  rel->predicate = std::move(predicate);
  return rel;
}

RelPtr Sort(RelPtr input, std::vector<SortItem> order, std::size_t position) {
  auto rel = std::make_shared<Rel>();
  rel->kind = RelKind::kSort;
  rel->position = position;
  rel->output = input->output;
  rel->inputs = {std::move(input)};
  rel->order = std::move(order);
  return rel;
}

std::string ItemName(const ast::SelectItem& item) {
  if (!item.alias.empty()) {
    return item.alias;
  }
  if (item.expr->kind == ast::ExprKind::kColumn) {
    return item.expr->parts.back();
  }
  if (!item.expr->name.empty() && item.expr->kind == ast::ExprKind::kFunction) {
    return item.expr->name.substr(item.expr->name.rfind('.') + 1);
  }
  return "expr";
}

Result<std::int64_t> ConstantCount(const ast::Expr& expr, const char* clause) {
  const auto* value = std::get_if<std::int64_t>(&expr.literal.value);
  if (expr.kind != ast::ExprKind::kLiteral || value == nullptr || *value < 0) {
    return Status(ErrorCode::kNotSupported,
                  std::string(clause) + " takes a constant that is not negative; write a number")
        .WithRule("P15")
        .At(expr.position);
  }
  return *value;
}

std::optional<std::size_t> Ordinal(const ast::Expr& expr, std::size_t count) {
  const auto* value = std::get_if<std::int64_t>(&expr.literal.value);
  if (expr.kind != ast::ExprKind::kLiteral || value == nullptr || *value < 1 ||
      static_cast<std::uint64_t>(*value) > count) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(*value - 1);
}

}  // namespace

// One SELECT block while it is put together.
struct AnalyzerImpl::Block {
  Scope scope;
  Aliases aliases;
  std::vector<ExprPtr> group_keys;  // before grouping
  AggregateState aggregates;
  WindowState windows;
  bool grouped = false;
  std::vector<std::pair<std::string, ExprPtr>> items;
  std::vector<const ast::Expr*> item_sources;  // the author's expression of an item; null for one that '*' gave
  ExprPtr having;
  ExprPtr qualify;
  std::vector<SortItem> order;  // over attributes of the projection
  std::vector<Attr> projected;
  std::vector<std::pair<Attr, ExprPtr>> hidden;  // sort keys that are not in the output

  ExprContext Context() {
    ExprContext context;
    context.scope = &scope;
    context.aliases = &aliases;
    context.aggregates = grouped ? &aggregates : nullptr;
    context.windows = &windows;
    return context;
  }
};

Result<RelPtr> AnalyzerImpl::Query(const ast::Query& query) {
  // Each CTE sees those before it; the query sees them all.
  std::vector<CommonTables> chain(query.with.size());
  const CommonTables* innermost = common_;
  for (std::size_t i = 0; i < query.with.size(); ++i) {
    chain[i] = {innermost, &query.with[i]};
    innermost = &chain[i];
  }
  AnalyzerImpl body(a_, outer_, innermost, depth_);
  return body.QueryBody(query);
}

Result<RelPtr> AnalyzerImpl::QueryBody(const ast::Query& query) {
  GB_RETURN_IF_ERROR(CountNode(query.position));
  GB_ASSIGN_OR_RETURN(RelPtr rel, query.op == ast::SetOp::kNone ? SelectBlock(query) : SetOperation(query));
  return Limit(query, std::move(rel));
}

Result<RelPtr> AnalyzerImpl::Limit(const ast::Query& query, RelPtr rel) {
  const ast::Expr* const first = query.limit != nullptr ? query.limit.get() : query.offset.get();
  if (first == nullptr) {
    return rel;
  }
  auto limited = std::make_shared<Rel>();
  limited->kind = RelKind::kLimit;
  limited->position = first->position;
  limited->output = rel->output;
  limited->inputs = {std::move(rel)};
  if (query.limit != nullptr) {
    GB_ASSIGN_OR_RETURN(limited->limit, ConstantCount(*query.limit, "LIMIT"));
  }
  if (query.offset != nullptr) {
    GB_ASSIGN_OR_RETURN(limited->offset, ConstantCount(*query.offset, "OFFSET"));
  }
  return RelPtr(std::move(limited));
}

Result<RelPtr> AnalyzerImpl::SetOperation(const ast::Query& query) {
  if (depth_ > limits::kSqlNestingMax) {
    return Status(ErrorCode::kNotSupported, "set operations are nested too deeply; write several cells")
        .WithRule("P15")
        .At(query.position);
  }
  if (query.by_name) {
    return Status(ErrorCode::kNotSupported, "UNION BY NAME is not supported; list the columns in the same order")
        .WithRule("P15")
        .At(query.position);
  }
  AnalyzerImpl left_impl(a_, outer_, common_, depth_ + 1);
  GB_ASSIGN_OR_RETURN(RelPtr left, left_impl.Query(*query.left));
  AnalyzerImpl right_impl(a_, outer_, common_, depth_ + 1);
  GB_ASSIGN_OR_RETURN(RelPtr right, right_impl.Query(*query.right));
  if (left->output.size() != right->output.size()) {
    return Status(ErrorCode::kSqlType,
                  "both sides of a set operation have the same number of columns; add NULL where one is missing")
        .At(query.position);
  }
  auto rel = std::make_shared<Rel>();
  rel->kind = RelKind::kSetOp;
  rel->position = query.position;
  rel->set_op = query.op;
  for (const Attr& attr : left->output) {
    rel->output.push_back({NewAttr(), attr.name});
  }
  rel->inputs = {std::move(left), std::move(right)};
  return SortSetOperation(query, std::move(rel));
}

Result<RelPtr> AnalyzerImpl::SortSetOperation(const ast::Query& query, RelPtr rel) {
  std::vector<SortItem> order;
  Scope scope;
  for (const Attr& attr : rel->output) {
    scope.columns.push_back({.name = attr.name, .expr = MakeAttr(attr.id)});
  }
  for (const ast::OrderItem& item : query.order_by) {
    ExprPtr expr;
    if (const auto ordinal = Ordinal(*item.expr, rel->output.size())) {
      expr = MakeAttr(rel->output[*ordinal].id);
    } else {
      ExprContext context;
      context.scope = &scope;
      GB_ASSIGN_OR_RETURN(expr, Resolve(*item.expr, context));
    }
    order.push_back({std::move(expr), item.descending, item.nulls});
  }
  if (query.order_by_all) {
    for (const Attr& attr : rel->output) {
      order.push_back({MakeAttr(attr.id), false, ast::NullsOrder::kDefault});
    }
  }
  return order.empty() ? rel : Sort(std::move(rel), std::move(order), query.position);
}

Result<bool> AnalyzerImpl::IsAggregateBlock(const ast::Query& query) const {
  const ast::Select& select = query.select;
  bool aggregate = select.group_kind != ast::GroupKind::kNone || select.having != nullptr;
  for (const ast::SelectItem& item : select.items) {
    aggregate = aggregate || ContainsAggregate(*item.expr);
  }
  for (const ast::OrderItem& item : query.order_by) {
    aggregate = aggregate || ContainsAggregate(*item.expr);
  }
  if (!select.grouping_sets.empty()) {
    return Status(ErrorCode::kNotSupported,
                  "GROUPING SETS, ROLLUP and CUBE are not supported; use UNION ALL of queries")
        .WithRule("P10")
        .At(select.grouping_position);
  }
  return aggregate || (select.qualify != nullptr && ContainsAggregate(*select.qualify));
}

Result<RelPtr> AnalyzerImpl::SelectBlock(const ast::Query& query) {
  const ast::Select& select = query.select;
  if (select.sample) {
    return Status(ErrorCode::kNotSupported, "samples are not supported; LIMIT applies to released results")
        .WithRule("P8")
        .At(select.sample);
  }
  if (!select.distinct_on.empty()) {
    return Status(ErrorCode::kNotSupported, "DISTINCT ON is not supported; use GROUP BY")
        .WithRule("P8")
        .At(query.position);
  }
  Block block;
  block.scope.outer = outer_;
  GB_ASSIGN_OR_RETURN(RelPtr rel, FromClause(*select.from, block.scope));
  for (const ast::SelectItem& item : select.items) {
    if (!item.alias.empty()) {
      block.aliases.by_name.emplace(AsciiLower(item.alias), item.expr.get());
    }
  }
  if (select.where != nullptr) {
    ExprContext context = block.Context();
    context.windows = nullptr;
    GB_ASSIGN_OR_RETURN(ExprPtr where, Resolve(*select.where, context));
    rel = Filter(std::move(rel), std::move(where));
  }
  GB_ASSIGN_OR_RETURN(block.grouped, IsAggregateBlock(query));
  if (block.grouped) {
    GB_RETURN_IF_ERROR(ResolveGroups(select, block));
  }
  GB_RETURN_IF_ERROR(ResolveItems(select, block));
  if (select.having != nullptr) {
    ExprContext context = block.Context();
    context.windows = nullptr;
    GB_ASSIGN_OR_RETURN(block.having, Resolve(*select.having, context));
  }
  if (select.qualify != nullptr) {
    GB_ASSIGN_OR_RETURN(block.qualify, Resolve(*select.qualify, block.Context()));
  }
  GB_RETURN_IF_ERROR(ResolveOrder(query, block));
  return Assemble(query, block, std::move(rel));
}

// GROUP BY takes an expression, the position of an item, or (where no column has the name) an item's alias.
Result<const ast::Expr*> AnalyzerImpl::GroupExpression(const ast::Select& select, const Block& block,
                                                       const ast::Expr& expr) {
  if (expr.kind == ast::ExprKind::kLiteral) {
    const auto ordinal = Ordinal(expr, select.items.size());
    if (!ordinal || select.items[*ordinal].expr->kind == ast::ExprKind::kStar) {
      return Status(ErrorCode::kSqlType, "GROUP BY takes expressions, or positions in the select list")
          .At(expr.position);
    }
    return select.items[*ordinal].expr.get();
  }
  if (expr.kind == ast::ExprKind::kColumn && expr.parts.size() == 1) {
    const bool is_column = std::ranges::any_of(block.scope.columns, [&expr](const ScopeColumn& column) {
      return EqualsIgnoreCase(column.name, expr.parts[0]);
    });
    const auto alias = block.aliases.by_name.find(AsciiLower(expr.parts[0]));
    if (!is_column && alias != block.aliases.by_name.end()) {
      return alias->second;
    }
  }
  return &expr;
}

Status AnalyzerImpl::ResolveGroups(const ast::Select& select, Block& block) {
  ExprContext context = block.Context();
  context.aggregates = nullptr;
  context.windows = nullptr;
  std::vector<const ast::Expr*> keys;
  for (const ast::ExprPtr& expr : select.group_by) {
    GB_ASSIGN_OR_RETURN(const ast::Expr* key, GroupExpression(select, block, *expr));
    keys.push_back(key);
  }
  if (select.group_kind == ast::GroupKind::kAll) {
    for (const ast::SelectItem& item : select.items) {
      if (item.expr->kind != ast::ExprKind::kStar && !ContainsAggregate(*item.expr) && !ContainsWindow(*item.expr)) {
        keys.push_back(item.expr.get());
      }
    }
  }
  for (const ast::Expr* key : keys) {
    if (ContainsAggregate(*key)) {
      return Status(ErrorCode::kSqlType, "a group key has no aggregates; group a derived table").At(key->position);
    }
    GB_ASSIGN_OR_RETURN(ExprPtr resolved, Resolve(*key, context));
    if (std::ranges::any_of(block.aggregates.keys,
                            [&resolved](const ExprPtr& known) { return SameExpr(*known, *resolved); })) {
      continue;
    }
    const Type* type = resolved->op == ExprOp::kAttr ? a_.AttrType(resolved->attr) : nullptr;
    const AttrId attr = type != nullptr ? NewAttr(Type(*type)) : NewAttr();
    block.aggregates.keys.push_back(std::move(resolved));
    block.aggregates.key_attrs.push_back({attr, key->kind == ast::ExprKind::kColumn ? key->parts.back() : "key"});
  }
  return {};
}

Status AnalyzerImpl::ExpandStar(const ast::Expr& star, const Scope& scope,
                                std::vector<std::pair<std::string, ExprPtr>>& out) {
  std::vector<std::string> excluded = star.excluded;
  std::size_t matched = 0;
  for (const ScopeColumn& column : scope.columns) {
    const bool wanted = star.name.empty()
                            ? !column.qualified_only
                            : !column.qualifiers.empty() && EqualsIgnoreCase(column.qualifiers.back(), star.name);
    if (!wanted) {
      continue;
    }
    ++matched;
    const auto is_it = [&column](const std::string& name) { return EqualsIgnoreCase(name, column.name); };
    if (std::ranges::any_of(star.excluded, is_it)) {
      std::erase_if(excluded, is_it);
      continue;
    }
    out.emplace_back(column.name, column.expr);
  }
  if (matched == 0) {
    return UnknownName("table", {star.name.empty() ? "*" : star.name}, star.position);
  }
  if (!excluded.empty()) {
    return UnknownName("column", {excluded.front()}, star.position);
  }
  return {};
}

Status AnalyzerImpl::ResolveItems(const ast::Select& select, Block& block) {
  for (const ast::SelectItem& item : select.items) {
    if (item.expr->kind != ast::ExprKind::kStar) {
      GB_ASSIGN_OR_RETURN(ExprPtr expr, Resolve(*item.expr, block.Context()));
      block.items.emplace_back(ItemName(item), std::move(expr));
      block.item_sources.push_back(item.expr.get());
      continue;
    }
    if (block.grouped) {
      return Status(ErrorCode::kSqlType, "'*' may not stand beside aggregates; list the group keys")
          .At(item.expr->position);
    }
    GB_RETURN_IF_ERROR(ExpandStar(*item.expr, block.scope, block.items));
    block.item_sources.resize(block.items.size(), nullptr);
  }
  if (block.items.empty() || block.items.size() > limits::kSqlColumnsMax) {
    return Status(ErrorCode::kSqlType, "the select list has no column, or too many");
  }
  for (const auto& [name, expr] : block.items) {
    const Type* type = expr->op == ExprOp::kAttr ? a_.AttrType(expr->attr) : nullptr;
    block.projected.push_back({type != nullptr ? NewAttr(Type(*type)) : NewAttr(), name});
  }
  return {};
}

// ORDER BY names an output column, a position, or any expression of the block; the last kind is projected as a hidden
// column and dropped after sorting.
Status AnalyzerImpl::ResolveOrder(const ast::Query& query, Block& block) {
  if (query.order_by_all) {
    for (const Attr& attr : block.projected) {
      block.order.push_back({MakeAttr(attr.id), false, ast::NullsOrder::kDefault});
    }
  }
  for (const ast::OrderItem& item : query.order_by) {
    std::optional<std::size_t> output = Ordinal(*item.expr, block.projected.size());
    if (item.expr->kind == ast::ExprKind::kColumn && item.expr->parts.size() == 1) {
      for (std::size_t i = 0; i < block.projected.size() && !output; ++i) {
        if (EqualsIgnoreCase(block.projected[i].name, item.expr->parts[0])) {
          output = i;
        }
      }
    }
    if (!output) {
      GB_ASSIGN_OR_RETURN(ExprPtr expr, Resolve(*item.expr, block.Context()));
      for (std::size_t i = 0; i < block.items.size() && !output; ++i) {
        if (SameExpr(*block.items[i].second, *expr)) {
          output = i;
        }
      }
      if (!output && query.select.distinct) {
        return Status(ErrorCode::kSqlType, "with DISTINCT, ORDER BY takes columns of the select list")
            .At(item.expr->position);
      }
      if (!output) {
        const Attr attr{NewAttr(), "sort_key"};
        block.order.push_back({MakeAttr(attr.id), item.descending, item.nulls});
        block.hidden.emplace_back(attr, std::move(expr));
        continue;
      }
    }
    block.order.push_back({MakeAttr(block.projected[*output].id), item.descending, item.nulls});
  }
  return {};
}

Result<RelPtr> AnalyzerImpl::Assemble(const ast::Query& query, Block& block, RelPtr rel) {
  if (block.grouped) {
    auto grouped = std::make_shared<Rel>();
    grouped->kind = RelKind::kAggregate;
    grouped->position = query.position;
    grouped->inputs = {std::move(rel)};
    grouped->exprs = block.aggregates.keys;
    grouped->calls = block.aggregates.calls;
    grouped->output = block.aggregates.key_attrs;
    grouped->output.insert(grouped->output.end(), block.aggregates.call_attrs.begin(),
                           block.aggregates.call_attrs.end());
    rel = std::move(grouped);
  }
  if (block.having != nullptr) {
    rel = Filter(std::move(rel), block.having);
  }
  if (!block.windows.calls.empty()) {
    auto window = std::make_shared<Rel>();
    window->kind = RelKind::kWindow;
    window->position = block.windows.calls.front().position;
    window->output = rel->output;
    window->output.insert(window->output.end(), block.windows.attrs.begin(), block.windows.attrs.end());
    window->inputs = {std::move(rel)};
    window->windows = block.windows.calls;
    rel = std::move(window);
  }
  if (block.qualify != nullptr) {
    rel = Filter(std::move(rel), block.qualify);
  }
  const auto project = [&query](RelPtr input, std::vector<Attr> output, std::vector<ExprPtr> exprs) {
    auto node = std::make_shared<Rel>();
    node->kind = RelKind::kProject;
    node->position = query.position;
    node->output = std::move(output);
    node->exprs = std::move(exprs);
    node->inputs = {std::move(input)};
    return RelPtr(std::move(node));
  };
  std::vector<Attr> output = block.projected;
  std::vector<ExprPtr> exprs;
  for (const auto& [name, expr] : block.items) {
    exprs.push_back(expr);
  }
  for (const auto& [attr, expr] : block.hidden) {
    output.push_back(attr);
    exprs.push_back(expr);
  }
  rel = project(std::move(rel), std::move(output), std::move(exprs));
  if (query.select.distinct) {
    auto distinct = std::make_shared<Rel>();
    distinct->kind = RelKind::kDistinct;
    distinct->position = query.position;
    distinct->output = rel->output;
    distinct->inputs = {std::move(rel)};
    rel = std::move(distinct);
  }
  if (!block.order.empty()) {
    rel = Sort(std::move(rel), block.order, query.order_by.empty() ? query.position : query.order_by[0].expr->position);
  }
  if (!block.hidden.empty()) {
    std::vector<Attr> kept;
    std::vector<ExprPtr> kept_exprs;
    for (const Attr& attr : block.projected) {
      kept.push_back({NewAttr(), attr.name});
      kept_exprs.push_back(MakeAttr(attr.id));
    }
    rel = project(std::move(rel), std::move(kept), std::move(kept_exprs));
  }
  return rel;
}

}  // namespace glovebox::query
