// SPDX-License-Identifier: Apache-2.0
//
// Expressions of the relational IR: resolved, immutable, shared. Every column is an attribute with an id that is
// unique in the plan, so that no two things can be confused by their names.
//
// Immutable nodes are held by shared_ptr: inlining a projection into a condition shares the subtree.
// Threads: immutable, so safe to read from any.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "query/ast.h"
#include "query/functions.h"
#include "query/type.h"

namespace glovebox::query {

enum class AttrId : int {};

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;
struct Rel;
using RelPtr = std::shared_ptr<const Rel>;

enum class ExprOp {
  kLiteral,         // literal
  kAttr,            // attr
  kCall,            // function, args
  kCompare,         // compare, two args
  kAnd,             // args
  kOr,              // args
  kNot,             // one arg
  kIsNull,          // one arg
  kIn,              // args: value, then the list
  kLike,            // args: value, pattern [, escape]; case_insensitive
  kCase,            // args: when, then, ..., [else]; has_else
  kCast,            // one arg; type; fails
  kScalarSubquery,  // rel
  kExists,          // rel
  kInSubquery,      // one arg; rel
};

// What a cast does with a value that does not fit its type. TRY_CAST gives NULL whatever is said.
enum class BadCast { kNull, kError };

enum class CompareOp { kEq, kNe, kLt, kLe, kGt, kGe, kDistinct, kNotDistinct };

struct Expr {
  ExprOp op = ExprOp::kLiteral;
  std::size_t position = 0;  // in the author's text
  ast::Literal literal;
  AttrId attr{};
  const ScalarFunction* function = nullptr;
  CompareOp compare = CompareOp::kEq;
  std::vector<ExprPtr> args;
  bool has_else = false;
  bool case_insensitive = false;
  Type type;           // kCast
  bool fails = false;  // kCast: a value that does not fit is an error at `position`; otherwise it becomes NULL
  RelPtr rel;
};

ExprPtr MakeLiteral(ast::Literal literal, std::size_t position = 0);
ExprPtr MakeAttr(AttrId attr, std::size_t position = 0);
ExprPtr MakeCall(std::string_view function, std::vector<ExprPtr> args, std::size_t position = 0);
ExprPtr MakeCompare(CompareOp op, ExprPtr left, ExprPtr right, std::size_t position = 0);
ExprPtr MakeNary(ExprOp op, std::vector<ExprPtr> args, std::size_t position = 0);  // kAnd, kOr, kNot, kIsNull, kIn
ExprPtr MakeCase(std::vector<ExprPtr> args, bool has_else, std::size_t position = 0);
ExprPtr MakeCast(ExprPtr arg, Type type, std::size_t position = 0, BadCast bad_cast = BadCast::kNull);

// Same structure, positions aside. Subqueries are equal only to themselves.
bool SameExpr(const Expr& a, const Expr& b);

// The attributes that occur, those inside subqueries (correlated ones) included.
void CollectAttrs(const Expr& expr, std::set<AttrId>& out);
bool ContainsSubquery(const Expr& expr);
// Whether the expression has more nodes than this, shared ones counted wherever they stand: what is named once and used
// twice, level by level, doubles.
bool HasMoreNodes(const Expr& expr, std::size_t nodes);

// Replaces attributes; `replacement` gives nullptr for those that stay. Subqueries keep their inside: a caller that
// substitutes must refuse them first, or treat them itself.
ExprPtr Substitute(const ExprPtr& expr, const std::function<ExprPtr(AttrId)>& replacement);

// Splits nested ANDs.
void Conjuncts(const ExprPtr& expr, std::vector<ExprPtr>& out);

}  // namespace glovebox::query
