// SPDX-License-Identifier: Apache-2.0
//
// The relational IR: a small, closed set of operators over attributes. The analyzer builds it, the governor replaces
// every aggregate over protected rows by a governed result, and the printer turns what is left (own, constant and
// released relations only) into SQL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "query/expr.h"

namespace glovebox::query {

struct Attr {
  AttrId id{};
  std::string name;
};

enum class RelKind {
  kOneRow,     // no FROM: one row without columns
  kScan,       // an asset or own table: table, columns
  kValues,     // constants: rows
  kGoverned,   // what a governed aggregate released: governed, columns
  kFilter,     // predicate
  kProject,    // exprs, one per output attribute
  kJoin,       // join, predicate (null for CROSS)
  kAggregate,  // keys and calls; outputs are the keys' attributes, then the calls'
  kWindow,     // windows; outputs are the input's attributes, then the windows'
  kDistinct,   // of all columns
  kSetOp,      // set_op
  kSort,       // order
  kLimit,      // limit, offset
};

enum class RelJoin { kInner, kLeft, kRight, kFull, kCross, kSemi, kAnti };

struct AggregateCall {
  const AggregateFunction* function = nullptr;
  std::vector<ExprPtr> args{};  // COUNT(*) has none
  bool distinct = false;
  ExprPtr filter{};  // may be null
  std::size_t position = 0;
};

struct SortItem {
  ExprPtr expr;
  bool descending = false;
  ast::NullsOrder nulls = ast::NullsOrder::kDefault;
};

struct WindowCall {
  const WindowFunction* function = nullptr;
  std::vector<ExprPtr> args{};
  std::vector<ExprPtr> partition_by{};
  std::vector<SortItem> order_by{};
  std::optional<ast::WindowFrame> frame{};
  bool ignore_nulls = false;
  std::size_t position = 0;
};

struct Rel {
  RelKind kind = RelKind::kOneRow;
  std::size_t position = 0;
  std::vector<Attr> output;
  std::vector<RelPtr> inputs;

  std::size_t table = 0;             // kScan: index into the analyzer's tables; kGoverned: of the governed aggregate
  std::vector<std::size_t> columns;  // kScan, kGoverned: column of each output
  std::vector<std::vector<ExprPtr>> rows;  // kValues
  ExprPtr predicate;                       // kFilter, kJoin
  std::vector<ExprPtr> exprs;              // kProject; kAggregate: the keys
  std::vector<AggregateCall> calls;        // kAggregate
  std::vector<WindowCall> windows;         // kWindow
  RelJoin join = RelJoin::kInner;          // kJoin
  ast::SetOp set_op = ast::SetOp::kNone;   // kSetOp
  std::vector<SortItem> order;             // kSort
  std::optional<std::int64_t> limit;       // kLimit
  std::int64_t offset = 0;                 // kLimit
};

// Calls `visit` for every expression of the tree; it does not go into subqueries of an expression.
void ForEachExpr(const Rel& rel, const std::function<void(const Expr&)>& visit);

// The subqueries that stand in an expression; not those within them.
void CollectRels(const Expr& expr, std::vector<const Rel*>& out);

// Attributes that the tree uses but does not make: those of an outer query.
void CollectOuterAttrs(const Rel& rel, std::set<AttrId>& out);

}  // namespace glovebox::query
