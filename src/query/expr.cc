// SPDX-License-Identifier: Apache-2.0
#include "query/expr.h"

#include <algorithm>
#include <utility>

#include "query/plan.h"

namespace glovebox::query {
namespace {

std::shared_ptr<Expr> Node(ExprOp op, std::size_t position) {
  auto node = std::make_shared<Expr>();
  node->op = op;
  node->position = position;
  return node;
}

}  // namespace

ExprPtr MakeLiteral(ast::Literal literal, std::size_t position) {
  auto node = Node(ExprOp::kLiteral, position);
  node->literal = std::move(literal);
  return node;
}

ExprPtr MakeAttr(AttrId attr, std::size_t position) {
  auto node = Node(ExprOp::kAttr, position);
  node->attr = attr;
  return node;
}

ExprPtr MakeCall(std::string_view function, std::vector<ExprPtr> args, std::size_t position) {
  auto node = Node(ExprOp::kCall, position);
  node->function = FindScalarFunction(function);
  GB_ASSERT(node->function != nullptr);
  node->args = std::move(args);
  return node;
}

ExprPtr MakeCompare(CompareOp op, ExprPtr left, ExprPtr right, std::size_t position) {
  auto node = Node(ExprOp::kCompare, position);
  node->compare = op;
  node->args = {std::move(left), std::move(right)};
  return node;
}

ExprPtr MakeNary(ExprOp op, std::vector<ExprPtr> args, std::size_t position) {
  auto node = Node(op, position);
  node->args = std::move(args);
  return node;
}

ExprPtr MakeCase(std::vector<ExprPtr> args, bool has_else, std::size_t position) {
  auto node = Node(ExprOp::kCase, position);
  node->args = std::move(args);
  node->has_else = has_else;
  return node;
}

ExprPtr MakeCast(ExprPtr arg, Type type, std::size_t position, BadCast bad_cast) {
  auto node = Node(ExprOp::kCast, position);
  node->args = {std::move(arg)};
  node->type = type;
  node->fails = bad_cast == BadCast::kError;
  return node;
}

bool SameExpr(const Expr& a, const Expr& b) {
  if (&a == &b) {
    return true;
  }
  if (a.op != b.op || a.function != b.function || a.compare != b.compare || a.has_else != b.has_else ||
      a.case_insensitive != b.case_insensitive || a.type != b.type || a.fails != b.fails || a.rel != b.rel ||
      a.args.size() != b.args.size()) {
    return false;
  }
  if (a.op == ExprOp::kLiteral && !(a.literal == b.literal)) {
    return false;
  }
  if (a.op == ExprOp::kAttr && a.attr != b.attr) {
    return false;
  }
  for (std::size_t i = 0; i < a.args.size(); ++i) {
    if (!SameExpr(*a.args[i], *b.args[i])) {
      return false;
    }
  }
  return true;
}

namespace {

// Takes the nodes of the expression from those that are left; false if they do not suffice.
// NOLINTNEXTLINE(misc-no-recursion): as deep as expressions are
bool TakeNodes(const Expr& expr, std::size_t& left) {
  if (left == 0) {
    return false;
  }
  --left;
  return std::ranges::all_of(expr.args, [&left](const ExprPtr& arg) { return TakeNodes(*arg, left); });
}

}  // namespace

bool HasMoreNodes(const Expr& expr, std::size_t nodes) { return !TakeNodes(expr, nodes); }

void CollectAttrs(const Expr& expr, std::set<AttrId>& out) {
  if (expr.op == ExprOp::kAttr) {
    out.insert(expr.attr);
  }
  for (const ExprPtr& arg : expr.args) {
    CollectAttrs(*arg, out);
  }
  if (expr.rel != nullptr) {
    CollectOuterAttrs(*expr.rel, out);
  }
}

bool ContainsSubquery(const Expr& expr) {
  if (expr.rel != nullptr) {
    return true;
  }
  for (const ExprPtr& arg : expr.args) {
    if (ContainsSubquery(*arg)) {
      return true;
    }
  }
  return false;
}

ExprPtr Substitute(const ExprPtr& expr, const std::function<ExprPtr(AttrId)>& replacement) {
  if (expr->op == ExprOp::kAttr) {
    ExprPtr const other = replacement(expr->attr);
    return other != nullptr ? other : expr;
  }
  if (expr->args.empty()) {
    return expr;
  }
  auto copy = std::make_shared<Expr>(*expr);
  for (ExprPtr& arg : copy->args) {
    arg = Substitute(arg, replacement);
  }
  return copy;
}

void Conjuncts(const ExprPtr& expr, std::vector<ExprPtr>& out) {
  if (expr->op == ExprOp::kAnd) {
    for (const ExprPtr& arg : expr->args) {
      Conjuncts(arg, out);
    }
    return;
  }
  out.push_back(expr);
}

}  // namespace glovebox::query
