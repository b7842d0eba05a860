// SPDX-License-Identifier: Apache-2.0
//
// Inside of the analyzer: scopes and the resolution of one query block. Not for other folders.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "query/analyzer.h"

namespace glovebox::query {

// A column that an expression can name.
struct ScopeColumn {
  std::vector<std::string> qualifiers{};  // lower case, the innermost last; an alias is one part
  std::string name;                       // as it is spelt
  ExprPtr expr;
  bool qualified_only = false;  // the right side of USING
};

struct Scope {
  std::vector<ScopeColumn> columns{};
  const Scope* outer = nullptr;
};

// What the aggregates of one query block have become so far.
struct AggregateState {
  std::vector<ExprPtr> keys;
  std::vector<Attr> key_attrs;
  std::vector<AggregateCall> calls;
  std::vector<Attr> call_attrs;
};

struct WindowState {
  std::vector<WindowCall> calls;
  std::vector<Attr> attrs;
};

struct Aliases {
  const Aliases* outer = nullptr;
  std::map<std::string, const ast::Expr*> by_name;  // lower case
};

// Where an expression stands.
struct ExprContext {
  const Scope* scope = nullptr;
  AggregateState* aggregates = nullptr;  // set: after grouping
  WindowState* windows = nullptr;        // set: windows may stand here
  const Aliases* aliases = nullptr;      // names of the select list, used where no column has the name
  bool inside_alias = false;
};

// Names that WITH makes readable, innermost first.
struct CommonTables {
  const CommonTables* outer = nullptr;
  const ast::CommonTable* table = nullptr;
};

class AnalyzerImpl {
 public:
  AnalyzerImpl(Analyzer& analyzer, const Scope* outer, const CommonTables* common, std::size_t depth)
      : a_(analyzer), outer_(outer), common_(common), depth_(depth) {}

  Result<RelPtr> Query(const ast::Query& query);
  Result<ExprPtr> Resolve(const ast::Expr& expr, const ExprContext& context);
  AttrId NewAttr() { return AttrId{a_.next_attr_++}; }
  AttrId NewAttr(const Type& type);

 private:
  // Query blocks (analyzer_query.cc)
  Result<RelPtr> QueryBody(const ast::Query& query);
  Result<RelPtr> SetOperation(const ast::Query& query);
  Result<RelPtr> SelectBlock(const ast::Query& query);
  Result<RelPtr> SortSetOperation(const ast::Query& query, RelPtr rel);
  Result<RelPtr> Limit(const ast::Query& query, RelPtr rel);
  struct Block;
  Status ResolveGroups(const ast::Select& select, Block& block);
  Result<const ast::Expr*> GroupExpression(const ast::Select& select, const Block& block, const ast::Expr& expr);
  Status ResolveItems(const ast::Select& select, Block& block);
  Status ResolveOrder(const ast::Query& query, Block& block);
  Result<RelPtr> Assemble(const ast::Query& query, Block& block, RelPtr from);
  Status ExpandStar(const ast::Expr& star, const Scope& scope, std::vector<std::pair<std::string, ExprPtr>>& out);
  Result<bool> IsAggregateBlock(const ast::Query& query) const;

  // FROM (analyzer_from.cc)
  Result<RelPtr> FromClause(const ast::From& from, Scope& scope);
  Result<RelPtr> Table(const ast::From& from, Scope& scope);
  Result<RelPtr> Values(const ast::From& from, Scope& scope);
  Result<RelPtr> TableFunction(const ast::From& from, Scope& scope);
  Result<RelPtr> JoinClause(const ast::From& from, Scope& scope);
  Status JoinUsing(const ast::From& from, Scope& left, Scope& right, RelJoin join, std::vector<ExprPtr>& equalities);
  Result<RelPtr> Subquery(const ast::Query& query, const std::string& alias, const std::vector<std::string>& columns,
                          const CommonTables* common, std::size_t position, Scope& scope);
  RelPtr Scan(std::size_t table, const std::vector<ColumnDef>& columns, const std::vector<std::string>& qualifiers,
              std::size_t position, Scope& scope);

  // Expressions (analyzer_expr.cc)
  Result<ExprPtr> ResolveAfterGrouping(const ast::Expr& expr, const ExprContext& context);
  Result<ExprPtr> ResolvePlain(const ast::Expr& expr, const ExprContext& context);
  Result<ExprPtr> Column(const ast::Expr& expr, const ExprContext& context);
  Result<ExprPtr> Parameter(const ast::Expr& expr);
  Result<ExprPtr> Function(const ast::Expr& expr, const ExprContext& context);
  Result<ExprPtr> OwnersFunction(const ast::Expr& expr, const FunctionDef& function, const ExprContext& context);
  Result<ExprPtr> Aggregate(const ast::Expr& expr, const ExprContext& context);
  Result<ExprPtr> Window(const ast::Expr& expr, const ExprContext& context);
  Result<ExprPtr> SubqueryExpr(const ast::Expr& expr, const ExprContext& context);
  Result<std::vector<ExprPtr>> ResolveAll(const std::vector<ast::ExprPtr>& exprs, const ExprContext& context);
  Result<std::vector<SortItem>> ResolveSort(const std::vector<ast::OrderItem>& items, const ExprContext& context);
  Status CountNode(std::size_t position);

  Analyzer& a_;
  const Scope* outer_;
  const CommonTables* common_;
  std::size_t depth_;
  std::optional<std::size_t> call_position_;  // inside a function's body: where the author calls it
};

// Whether an aggregate stands in the expression, subqueries aside.
bool ContainsAggregate(const ast::Expr& expr);
bool ContainsWindow(const ast::Expr& expr);

Status UnknownName(std::string_view what, const std::vector<std::string>& parts, std::size_t position);
std::string DottedLower(const std::vector<std::string>& parts);

}  // namespace glovebox::query
