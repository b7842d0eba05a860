// SPDX-License-Identifier: Apache-2.0
//
// Inside of QueryFromDuckdbJson (sql_front_end.h): reads what DuckDB's parser says about one statement, by allow-list.
// A node of an unknown class, an unknown value of a known member and an unknown member are all refused: a construct of
// a newer parser must not be dropped in silence.
//
// Threads: one reader a statement, used by one thread.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "query/ast.h"
#include "query/sql_front_end.h"

namespace glovebox::query {

class DuckdbAstReader {
 public:
  explicit DuckdbAstReader(const TranslatedStatement& statement) : statement_(statement) {}

  Result<ast::QueryPtr> ReadStatement(const json::Value& tree);

 private:
  // Counts nesting for as long as it lives.
  class Descent {
   public:
    explicit Descent(DuckdbAstReader& reader) : reader_(reader) { ++reader_.depth_; }
    ~Descent() { --reader_.depth_; }
    Descent(const Descent&) = delete;
    Descent& operator=(const Descent&) = delete;

   private:
    DuckdbAstReader& reader_;
  };

  // duckdb_ast.cc. `fallback` is the position to give to what the parser gives none.
  [[nodiscard]] Status ParserError(const json::Value& tree) const;
  Result<ast::QueryPtr> ReadWrappedQuery(const json::Value* value, std::size_t fallback);  // {"node": ...}
  Result<ast::QueryPtr> ReadQuery(const json::Value* node, std::size_t fallback);
  Status ReadSetOperation(const json::Value& node, ast::Query& query);
  Status ReadSelect(const json::Value& node, std::size_t fallback, ast::Query& query);
  Status ReadSelectItems(const json::Value& node, std::size_t fallback, ast::Select& select);
  Status ReadGroups(const json::Value& node, std::size_t fallback, ast::Select& select);
  Status ReadGroupingSets(const json::Value& node, std::size_t fallback, ast::Select& select);
  Status ReadCommonTables(const json::Value& node, std::size_t fallback, ast::Query& query);
  Status ReadModifiers(const json::Value& node, std::size_t fallback, ast::Query& query);
  Status ReadDistinct(const json::Value& modifier, std::size_t fallback, ast::Query& query);
  Status ReadQueryOrder(const json::Value& modifier, std::size_t fallback, ast::Query& query);
  Status ReadLimit(const json::Value& modifier, std::size_t fallback, ast::Query& query);

  // duckdb_ast_from.cc
  Result<ast::FromPtr> ReadFrom(const json::Value* value, std::size_t fallback, ast::Select& select);
  Status ReadBaseTable(const json::Value& value, ast::From& from);
  Status ReadSubqueryFrom(const json::Value& value, ast::From& from);
  Status ReadValues(const json::Value& value, ast::From& from);
  Status ReadTableFunction(const json::Value& value, ast::From& from);
  Status ReadJoin(const json::Value& value, ast::From& from, ast::Select& select);

  // duckdb_ast_expr.cc
  Result<ast::ExprPtr> ReadExpr(const json::Value* value, std::size_t fallback);
  Status ReadExprByClass(const json::Value& value, ast::Expr& expr);
  Result<ast::ExprPtr> ReadOptionalExpr(const json::Value* value, std::size_t fallback);  // null for null
  Result<std::vector<ast::ExprPtr>> ReadExprs(const json::Value* value, std::size_t fallback);
  Result<std::vector<ast::OrderItem>> ReadOrders(const json::Value* value, std::size_t fallback);
  Result<ast::ExprPtr> ReadStar(const json::Value& value, std::size_t fallback);
  Status ReadColumn(const json::Value& value, ast::Expr& expr);
  Status ReadFunction(const json::Value& value, ast::Expr& expr);
  Status ReadArguments(const json::Value& value, ast::Expr& expr);
  Status ReadComparison(const json::Value& value, ast::Expr& expr);
  Status ReadConjunction(const json::Value& value, ast::Expr& expr);
  Status ReadOperator(const json::Value& value, ast::Expr& expr);
  Status ReadBetween(const json::Value& value, ast::Expr& expr);
  Status ReadCase(const json::Value& value, ast::Expr& expr);
  Status ReadCast(const json::Value& value, ast::Expr& expr);
  Status ReadSubquery(const json::Value& value, ast::Expr& expr);
  Status ReadParameter(const json::Value& value, ast::Expr& expr);

  // duckdb_ast_window.cc
  Status ReadWindow(const json::Value& value, ast::Expr& expr);
  Status ReadFrame(const json::Value& value, ast::Expr& expr);

  // duckdb_ast_constant.cc
  Status ReadConstant(const json::Value& value, ast::Expr& expr);
  static Status ReadWideInteger(const json::Value& value, int scale, ast::Expr& expr);
  Result<Type> ReadType(const json::Value* value, std::size_t position);
  static Status FoldCast(ast::Expr& cast);
  static Status FoldInterval(ast::Expr& call);

  // Helpers.
  [[nodiscard]] bool HasPosition(const json::Value& node) const;
  [[nodiscard]] std::size_t PositionOf(const json::Value& node, std::size_t fallback) const;
  // Of the first of these keywords (lower case) from `fallback` on, for constructs to which the parser gives none.
  [[nodiscard]] std::size_t PositionOfWord(std::initializer_list<std::string_view> words, std::size_t fallback) const;
  static Status CheckMembers(const json::Value& node, std::size_t position,
                             std::initializer_list<std::string_view> allowed);
  static Result<std::vector<std::string>> ReadNames(const json::Value* value, std::size_t position);
  static Result<const json::Array*> ReadArray(const json::Value* value, std::size_t position);
  Status CountNode(std::size_t position);
  static Status Unexpected(std::size_t position);  // JSON of a shape that the parser does not write

  const TranslatedStatement& statement_;
  std::size_t depth_ = 0;
  std::size_t nodes_ = 0;
  std::size_t joins_ = 0;
};

}  // namespace glovebox::query
