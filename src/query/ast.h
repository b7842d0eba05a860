// SPDX-License-Identifier: Apache-2.0
//
// What a SQL front end hands to the analyzer: an unresolved tree, with nothing of DuckDB's parser in
// it. The list of node kinds is closed. A construct that has no node here is refused by name where
// the front end meets it (PLANNER.md P15), with its position.
//
// Positions are byte offsets into the text that the author wrote, not into the translated one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "query/type.h"

namespace glovebox::query::ast {

struct Query;
struct Expr;
using ExprPtr = std::unique_ptr<Expr>;
using QueryPtr = std::unique_ptr<Query>;

struct Interval {
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::int64_t micros = 0;
  bool operator==(const Interval&) const = default;
};

// A constant as it was written. Decimals and integers beyond int64 keep their digits as text
// ("-12.50") with the type beside them; dates are days and timestamps microseconds since 1970-01-01.
struct Literal {
  Type type;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Interval> value;
  bool operator==(const Literal&) const = default;
};

enum class ExprKind {
  kLiteral,    // literal
  kParameter,  // name: `:name` or `$name`
  kColumn,     // parts: [column], [table, column], [schema, table, column], [catalog, schema, table, column]
  kStar,      // name: optional table qualifier; excluded: names after EXCLUDE/EXCEPT. REPLACE and COLUMNS() are refused
  kFunction,  // name (lower case; an operator has its symbol: "+", "||", "//"), children; aggregate parts below
  kComparison,  // name: "=", "<>", "<", "<=", ">", ">=", "is distinct from", "is not distinct from"; 2 children
  kAnd,         // children
  kOr,          // children
  kNot,         // 1 child
  kIsNull,      // 1 child
  kIsNotNull,   // 1 child
  kBetween,     // 3 children: value, low, high (closed, as SQL has it)
  kIn,          // value, then the list; negated
  kLike,        // value, pattern [, escape]; negated; case_insensitive for ILIKE. RLIKE/regexp is a function
  kCase,        // children: when1, then1, when2, then2, ...; the last one is ELSE if has_else. CASE x WHEN v is x = v
  kCast,        // 1 child; cast_type; try_cast
  kScalarSubquery,  // query
  kExists,          // query; negated
  kInSubquery,      // 1 child and query; negated
  kWindow,          // name, children (arguments), window parts below
};

enum class NullsOrder { kDefault, kFirst, kLast };

struct OrderItem {
  ExprPtr expr;
  bool descending = false;
  NullsOrder nulls = NullsOrder::kDefault;
};

enum class FrameBound { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };

struct WindowFrame {
  bool rows = false;  // ROWS, else RANGE
  FrameBound start = FrameBound::kUnboundedPreceding;
  FrameBound end = FrameBound::kCurrentRow;
  std::int64_t start_offset = 0;  // constants only
  std::int64_t end_offset = 0;
};

struct Expr {
  ExprKind kind = ExprKind::kLiteral;
  std::size_t position = 0;
  Literal literal;
  std::string name;
  std::vector<std::string> parts;
  std::vector<std::string> excluded;
  std::vector<ExprPtr> children;
  bool negated = false;
  bool case_insensitive = false;
  bool has_else = false;
  bool try_cast = false;
  Type cast_type;
  QueryPtr query;

  // Functions that are, or look like, aggregates: COUNT(*) is "count_star" with no children.
  bool distinct = false;
  ExprPtr filter;                   // FILTER (WHERE ...)
  std::vector<OrderItem> order_by;  // inside the call; also a window's ORDER BY
  // Windows.
  std::vector<ExprPtr> partition_by;
  std::optional<WindowFrame> frame;
  bool ignore_nulls = false;
};

enum class FromKind { kTable, kSubquery, kValues, kTableFunction, kJoin, kNothing };
enum class JoinKind { kInner, kLeft, kRight, kFull, kCross, kSemi, kAnti, kAsof, kPositional };

struct From;
using FromPtr = std::unique_ptr<From>;

struct From {
  FromKind kind = FromKind::kNothing;
  std::size_t position = 0;
  std::vector<std::string> parts;  // kTable: [table], [schema, table], [catalog, schema, table]
  std::string alias;               // empty if none
  std::vector<std::string> column_aliases;
  QueryPtr query;                          // kSubquery
  std::vector<std::vector<ExprPtr>> rows;  // kValues
  ExprPtr call;  // kTableFunction: a kFunction (read_files, range, ...); named arguments below
  std::vector<std::string> argument_names;  // kTableFunction: per child of `call`, "" if positional
  // kJoin
  JoinKind join = JoinKind::kInner;
  FromPtr left;
  FromPtr right;
  ExprPtr on;  // null for USING, CROSS and NATURAL
  std::vector<std::string> using_columns;
  bool natural = false;
};

enum class GroupKind { kNone, kList, kAll };

struct SelectItem {
  ExprPtr expr;
  std::string alias;  // empty if none
};

struct Select {
  bool distinct = false;
  std::vector<ExprPtr> distinct_on;
  std::vector<SelectItem> items;
  FromPtr from;  // never null; kNothing if there is none
  ExprPtr where;
  GroupKind group_kind = GroupKind::kNone;
  std::vector<ExprPtr> group_by;                        // positions (GROUP BY 1) stay integer literals
  std::vector<std::vector<std::size_t>> grouping_sets;  // indices into group_by; empty for a plain GROUP BY
  std::size_t grouping_position = 0;
  ExprPtr having;
  ExprPtr qualify;
  std::optional<std::size_t> sample;  // where a SAMPLE clause or TABLESAMPLE is
};

enum class SetOp { kNone, kUnion, kUnionAll, kIntersect, kIntersectAll, kExcept, kExceptAll };

struct CommonTable {
  std::string name;
  std::size_t position = 0;
  std::vector<std::string> column_aliases;
  QueryPtr query;
};

// SELECT, VALUES or a set operation, with the clauses that follow it.
struct Query {
  std::size_t position = 0;
  std::vector<CommonTable> with;  // WITH RECURSIVE is refused
  SetOp op = SetOp::kNone;
  bool by_name = false;  // UNION BY NAME
  Select select;         // op == kNone
  QueryPtr left;         // otherwise
  QueryPtr right;
  std::vector<OrderItem> order_by;
  bool order_by_all = false;
  ExprPtr limit;
  ExprPtr offset;
};

}  // namespace glovebox::query::ast
