// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/json.h"
#include "base/result.h"
#include "base/strings.h"
#include "query/ast.h"
#include "query/duckdb_ast_reader.h"
#include "query/sql_tokens.h"
#include "query/type.h"

namespace glovebox::query {
namespace {

enum class Unit { kEither, kRows, kRange };

struct Boundary {
  std::string_view name;
  ast::FrameBound bound;
  Unit unit;
  bool offset;
};

constexpr std::array kBoundaries = {
    Boundary{"UNBOUNDED_PRECEDING", ast::FrameBound::kUnboundedPreceding, Unit::kEither, false},
    Boundary{"UNBOUNDED_FOLLOWING", ast::FrameBound::kUnboundedFollowing, Unit::kEither, false},
    Boundary{"CURRENT_ROW_RANGE", ast::FrameBound::kCurrentRow, Unit::kRange, false},
    Boundary{"CURRENT_ROW_ROWS", ast::FrameBound::kCurrentRow, Unit::kRows, false},
    Boundary{"EXPR_PRECEDING_ROWS", ast::FrameBound::kPreceding, Unit::kRows, true},
    Boundary{"EXPR_FOLLOWING_ROWS", ast::FrameBound::kFollowing, Unit::kRows, true},
    Boundary{"EXPR_PRECEDING_RANGE", ast::FrameBound::kPreceding, Unit::kRange, true},
    Boundary{"EXPR_FOLLOWING_RANGE", ast::FrameBound::kFollowing, Unit::kRange, true},
};

const Boundary* FindBoundary(std::string_view name) {
  for (const Boundary& boundary : kBoundaries) {
    if (boundary.name == name) {
      return &boundary;
    }
  }
  return nullptr;
}

// A frame's offset: a whole number, not negative.
std::optional<std::int64_t> OffsetOf(const Boundary& boundary, const ast::ExprPtr& expr) {
  if (!boundary.offset) {
    return expr == nullptr ? std::optional<std::int64_t>(0) : std::nullopt;
  }
  if (expr == nullptr || expr->kind != ast::ExprKind::kLiteral) {
    return std::nullopt;
  }
  const auto* value = std::get_if<std::int64_t>(&expr->literal.value);
  const bool number = expr->literal.type.kind == TypeKind::kInteger && value != nullptr && *value >= 0;
  return number ? std::optional(*value) : std::nullopt;
}

}  // namespace

Status DuckdbAstReader::ReadWindow(const json::Value& value, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(
      CheckMembers(value, expr.position,
                   {"class",          "type",     "alias",       "query_location", "function_name", "schema",
                    "catalog",        "children", "partitions",  "orders",         "start",         "end",
                    "start_expr",     "end_expr", "offset_expr", "default_expr",   "ignore_nulls",  "filter_expr",
                    "exclude_clause", "distinct", "arg_orders"}));
  const std::string schema = value.GetString("schema");
  if (!value.GetString("catalog").empty() || (!schema.empty() && schema != "main") ||
      !value.GetString("type").starts_with("WINDOW_")) {
    return SqlNotSupported(
        expr.position,
        "functions of a schema are not supported as window functions; the documentation lists those that are");
  }
  GB_ASSIGN_OR_RETURN(const json::Array* argument_orders, ReadArray(value.Get("arg_orders"), expr.position));
  if (!argument_orders->empty()) {
    return SqlNotSupported(expr.position,
                           "ORDER BY in the arguments of a window function is not supported; write it in OVER (...)");
  }
  if (value.GetString("exclude_clause") != "NO_OTHER") {
    return SqlNotSupported(expr.position, "EXCLUDE in a window's frame is not supported; subtract the row's own value");
  }
  expr.kind = ast::ExprKind::kWindow;
  expr.name = AsciiLower(value.GetString("function_name"));
  GB_ASSIGN_OR_RETURN(expr.children, ReadExprs(value.Get("children"), expr.position));
  if (expr.name == "count" && expr.children.empty()) {
    expr.name = "count_star";
  }
  for (const std::string_view argument : {"offset_expr", "default_expr"}) {  // of LAG and LEAD
    GB_ASSIGN_OR_RETURN(ast::ExprPtr read, ReadOptionalExpr(value.Get(argument), expr.position));
    if (read != nullptr) {
      expr.children.push_back(std::move(read));
    }
  }
  expr.distinct = value.GetBool("distinct");
  expr.ignore_nulls = value.GetBool("ignore_nulls");
  GB_ASSIGN_OR_RETURN(expr.filter, ReadOptionalExpr(value.Get("filter_expr"), expr.position));
  GB_ASSIGN_OR_RETURN(expr.partition_by, ReadExprs(value.Get("partitions"), expr.position));
  GB_ASSIGN_OR_RETURN(expr.order_by, ReadOrders(value.Get("orders"), expr.position));
  return ReadFrame(value, expr);
}

Status DuckdbAstReader::ReadFrame(const json::Value& value, ast::Expr& expr) {
  const Boundary* start = FindBoundary(value.GetString("start"));
  const Boundary* end = FindBoundary(value.GetString("end"));
  if (start == nullptr || end == nullptr) {
    return SqlNotSupported(expr.position, "this window frame is not supported; write ROWS or RANGE");
  }
  GB_ASSIGN_OR_RETURN(const ast::ExprPtr start_expr, ReadOptionalExpr(value.Get("start_expr"), expr.position));
  GB_ASSIGN_OR_RETURN(const ast::ExprPtr end_expr, ReadOptionalExpr(value.Get("end_expr"), expr.position));
  const auto start_offset = OffsetOf(*start, start_expr);
  const auto end_offset = OffsetOf(*end, end_expr);
  const bool mixed = start->unit != Unit::kEither && end->unit != Unit::kEither && start->unit != end->unit;
  if (!start_offset || !end_offset || mixed) {
    return SqlNotSupported(expr.position,
                           "the bounds of a window frame are constants: whole numbers that are not negative");
  }
  const bool usual = start->bound == ast::FrameBound::kUnboundedPreceding && end->name == "CURRENT_ROW_RANGE";
  if (!usual) {
    expr.frame = ast::WindowFrame{.rows = start->unit == Unit::kRows || end->unit == Unit::kRows,
                                  .start = start->bound,
                                  .end = end->bound,
                                  .start_offset = *start_offset,
                                  .end_offset = *end_offset};
  }
  return {};
}

}  // namespace glovebox::query
