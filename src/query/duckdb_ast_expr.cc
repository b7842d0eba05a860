// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "query/ast.h"
#include "query/duckdb_ast_reader.h"
#include "query/sql_tokens.h"
#include "query/type.h"

namespace glovebox::query {
namespace {

using ast::ExprKind;

// Operators that stay functions with their symbol as name.
constexpr auto kOperators =
    std::to_array<std::string_view>({"+", "-", "*", "/", "//", "%", "||", "^", "**", "<<", ">>", "&", "|", "@", "~"});

struct LikeForm {
  std::string_view name;
  bool negated;
  bool case_insensitive;
  std::size_t children;
};

constexpr std::array kLikeForms = {
    LikeForm{"~~", false, false, 2},          LikeForm{"!~~", true, false, 2},
    LikeForm{"~~*", false, true, 2},          LikeForm{"!~~*", true, true, 2},
    LikeForm{"like_escape", false, false, 3}, LikeForm{"not_like_escape", true, false, 3},
    LikeForm{"ilike_escape", false, true, 3}, LikeForm{"not_ilike_escape", true, true, 3},
};

// Functions that the parser makes of special syntax, for values that the tree does not have.
struct Refused {
  std::string_view name;
  std::string_view message;
};

constexpr std::array kRefusedFunctions = {
    Refused{"struct_pack", "struct values are not supported; use one column for each value"},
    Refused{"struct_extract", "struct values are not supported; use one column for each value"},
    Refused{"row", "row values (a, b) are not supported; compare the columns one by one"},
    Refused{"map", "map values are not supported; use one row or one column for each value"},
    Refused{"list_value", "lists are not supported; use one row or one column for each value"},
    Refused{"array_value", "lists are not supported; use one row or one column for each value"},
    Refused{"list_apply", "list comprehensions are not supported; write a CASE, or a query over rows"},
    Refused{"list_filter", "list comprehensions are not supported; write a CASE, or a query over rows"},
    Refused{"unnest", "unnest is not supported, nor are lists; use one row for each value"},
    Refused{"timezone", "AT TIME ZONE is not supported; timestamps are UTC, without a zone"},
};

struct Comparison {
  std::string_view type;
  std::string_view name;
};

constexpr std::array kComparisons = {
    Comparison{"COMPARE_EQUAL", "="},
    Comparison{"COMPARE_NOTEQUAL", "<>"},
    Comparison{"COMPARE_LESSTHAN", "<"},
    Comparison{"COMPARE_LESSTHANOREQUALTO", "<="},
    Comparison{"COMPARE_GREATERTHAN", ">"},
    Comparison{"COMPARE_GREATERTHANOREQUALTO", ">="},
    Comparison{"COMPARE_DISTINCT_FROM", "is distinct from"},
    Comparison{"COMPARE_NOT_DISTINCT_FROM", "is not distinct from"},
};

bool IsFunctionName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || static_cast<unsigned char>(c) >= 0x80U;
  });
}

// "catalog.schema." or "schema.", lower case; empty for a bare name, which DuckDB also gives the schema main.
std::string FunctionContainer(const json::Value& value) {
  const std::string catalog = AsciiLower(value.GetString("catalog"));
  const std::string schema = AsciiLower(value.GetString("schema"));
  if (!catalog.empty()) {
    return catalog + "." + schema + ".";
  }
  return schema.empty() || schema == "main" ? std::string() : schema + ".";
}

}  // namespace

Result<ast::ExprPtr> DuckdbAstReader::ReadExpr(const json::Value* value, std::size_t fallback) {
  if (value == nullptr || !value->is_object()) {
    return Unexpected(fallback);
  }
  const Descent descent(*this);
  auto expr = std::make_unique<ast::Expr>();
  expr->position = PositionOf(*value, fallback);
  GB_RETURN_IF_ERROR(CountNode(expr->position));
  GB_RETURN_IF_ERROR(ReadExprByClass(*value, *expr));
  if (!HasPosition(*value) && !expr->children.empty()) {
    expr->position = expr->children.front()->position;  // the parser gives none to casts, COALESCE and others
  }
  return expr;
}

Status DuckdbAstReader::ReadExprByClass(const json::Value& value, ast::Expr& expr) {
  using Reader = Status (DuckdbAstReader::*)(const json::Value&, ast::Expr&);
  struct Entry {
    std::string_view name;
    Reader reader;
  };
  static constexpr std::array kReaders = {
      Entry{"COLUMN_REF", &DuckdbAstReader::ReadColumn},
      Entry{"CONSTANT", &DuckdbAstReader::ReadConstant},
      Entry{"FUNCTION", &DuckdbAstReader::ReadFunction},
      Entry{"COMPARISON", &DuckdbAstReader::ReadComparison},
      Entry{"CONJUNCTION", &DuckdbAstReader::ReadConjunction},
      Entry{"OPERATOR", &DuckdbAstReader::ReadOperator},
      Entry{"BETWEEN", &DuckdbAstReader::ReadBetween},
      Entry{"CASE", &DuckdbAstReader::ReadCase},
      Entry{"CAST", &DuckdbAstReader::ReadCast},
      Entry{"SUBQUERY", &DuckdbAstReader::ReadSubquery},
      Entry{"PARAMETER", &DuckdbAstReader::ReadParameter},
      Entry{"WINDOW", &DuckdbAstReader::ReadWindow},
  };
  const std::string name = value.GetString("class");
  for (const Entry& entry : kReaders) {
    if (entry.name == name) {
      return (this->*entry.reader)(value, expr);
    }
  }
  if (name == "STAR") {
    return SqlNotSupported(expr.position, value.GetBool("columns")
                                              ? "COLUMNS(...) is not supported; list the columns"
                                              : "* can stand in the SELECT list and in COUNT(*) only");
  }
  if (name == "LAMBDA") {
    return SqlNotSupported(expr.position, "lambda functions are not supported; write the expression itself, or a CASE");
  }
  if (name == "POSITIONAL_REFERENCE") {
    return SqlNotSupported(expr.position,
                           "positional references (#1) and ARRAY(query) are not supported; name the column, and use "
                           "one row for each value");
  }
  if (name == "COLLATE") {
    return SqlNotSupported(PositionOfWord({"collate"}, expr.position),
                           "COLLATE is not supported; text compares byte by byte: compare lower(column)");
  }
  if (name == "DEFAULT") {
    return SqlNotSupported(expr.position, "DEFAULT is not supported in a query; write the value");
  }
  return SqlNotSupported(expr.position, "this kind of expression is not supported");
}

Result<ast::ExprPtr> DuckdbAstReader::ReadOptionalExpr(const json::Value* value, std::size_t fallback) {
  if (value == nullptr) {
    return ast::ExprPtr();
  }
  // Where no alias can be, one would be an argument's name or a typing mistake that the grammar let through.
  if (!value->GetString("alias").empty()) {
    return SqlNotSupported(PositionOf(*value, fallback),
                           "a name is not expected here; leave out what stands before := or =>");
  }
  return ReadExpr(value, fallback);
}

Result<std::vector<ast::ExprPtr>> DuckdbAstReader::ReadExprs(const json::Value* value, std::size_t fallback) {
  GB_ASSIGN_OR_RETURN(const json::Array* array, ReadArray(value, fallback));
  if (array->size() > limits::kSqlListMax) {
    return SqlNotSupported(fallback, "a list of more than " + std::to_string(limits::kSqlListMax) + " expressions");
  }
  std::vector<ast::ExprPtr> exprs;
  for (const json::Value& element : *array) {
    if (!element.is_object()) {
      return Unexpected(fallback);
    }
    if (!element.GetString("alias").empty()) {
      return SqlNotSupported(PositionOf(element, fallback),
                             "named arguments are not supported here; give them by their place");
    }
    GB_ASSIGN_OR_RETURN(ast::ExprPtr expr, ReadExpr(&element, fallback));
    exprs.push_back(std::move(expr));
  }
  return exprs;
}

Result<std::vector<ast::OrderItem>> DuckdbAstReader::ReadOrders(const json::Value* value, std::size_t fallback) {
  GB_ASSIGN_OR_RETURN(const json::Array* array, ReadArray(value, fallback));
  if (array->size() > limits::kSqlListMax) {
    return SqlNotSupported(fallback, "ORDER BY of more than " + std::to_string(limits::kSqlListMax) + " expressions");
  }
  std::vector<ast::OrderItem> items;
  for (const json::Value& order : *array) {
    GB_RETURN_IF_ERROR(CheckMembers(order, fallback, {"type", "null_order", "expression"}));
    const std::string type = order.GetString("type");
    const std::string nulls = order.GetString("null_order");
    const bool ascending = type == "ORDER_DEFAULT" || type == "ASCENDING";
    ast::OrderItem item;
    item.descending = type == "DESCENDING";
    if (nulls == "NULLS FIRST" || nulls == "NULLS LAST") {
      item.nulls = nulls == "NULLS FIRST" ? ast::NullsOrder::kFirst : ast::NullsOrder::kLast;
    } else if (nulls != "ORDER_DEFAULT") {
      return Unexpected(fallback);
    }
    if (!ascending && !item.descending) {
      return Unexpected(fallback);
    }
    if (order.Get("expression") == nullptr) {
      return Unexpected(fallback);
    }
    GB_ASSIGN_OR_RETURN(item.expr, ReadOptionalExpr(order.Get("expression"), fallback));
    items.push_back(std::move(item));
  }
  return items;
}

Result<ast::ExprPtr> DuckdbAstReader::ReadStar(const json::Value& value, std::size_t fallback) {
  auto star = std::make_unique<ast::Expr>();
  star->kind = ExprKind::kStar;
  star->position = PositionOf(value, fallback);
  GB_RETURN_IF_ERROR(CountNode(star->position));
  GB_RETURN_IF_ERROR(CheckMembers(value, star->position,
                                  {"class", "type", "alias", "query_location", "relation_name", "exclude_list",
                                   "replace_list", "columns", "expr", "qualified_exclude_list", "rename_list"}));
  if (value.GetBool("columns") || value.Get("expr") != nullptr) {
    return SqlNotSupported(star->position, "COLUMNS(...) is not supported; list the columns");
  }
  GB_ASSIGN_OR_RETURN(const json::Array* replaced, ReadArray(value.Get("replace_list"), star->position));
  GB_ASSIGN_OR_RETURN(const json::Array* renamed, ReadArray(value.Get("rename_list"), star->position));
  GB_ASSIGN_OR_RETURN(const json::Array* qualified, ReadArray(value.Get("qualified_exclude_list"), star->position));
  if (!replaced->empty() || !renamed->empty()) {
    return SqlNotSupported(star->position, "* REPLACE and * RENAME are not supported; list the columns");
  }
  if (!qualified->empty()) {
    return SqlNotSupported(star->position, "* EXCLUDE takes names without a table; write t.* EXCLUDE (name)");
  }
  if (!value.GetString("alias").empty()) {
    return SqlNotSupported(star->position, "* cannot have an alias; list the columns");
  }
  star->name = value.GetString("relation_name");
  GB_ASSIGN_OR_RETURN(star->excluded, ReadNames(value.Get("exclude_list"), star->position));
  std::sort(star->excluded.begin(), star->excluded.end());  // a hash set's order to the parser
  return star;
}

Status DuckdbAstReader::ReadColumn(const json::Value& value, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(CheckMembers(value, expr.position, {"class", "type", "alias", "query_location", "column_names"}));
  expr.kind = ExprKind::kColumn;
  GB_ASSIGN_OR_RETURN(expr.parts, ReadNames(value.Get("column_names"), expr.position));
  if (expr.parts.empty()) {
    return Unexpected(expr.position);
  }
  if (expr.parts.size() > 4) {
    return SqlNotSupported(expr.position, "a column's name has at most four parts; struct fields are not supported");
  }
  return {};
}

Status DuckdbAstReader::ReadArguments(const json::Value& value, ast::Expr& expr) {
  GB_ASSIGN_OR_RETURN(expr.children, ReadExprs(value.Get("children"), expr.position));
  GB_ASSIGN_OR_RETURN(expr.filter, ReadOptionalExpr(value.Get("filter"), expr.position));
  if (const json::Value* order = value.Get("order_bys"); order != nullptr) {
    GB_RETURN_IF_ERROR(CheckMembers(*order, expr.position, {"type", "orders"}));
    GB_ASSIGN_OR_RETURN(expr.order_by, ReadOrders(order->Get("orders"), expr.position));
  }
  expr.distinct = value.GetBool("distinct");
  return {};
}

Status DuckdbAstReader::ReadFunction(const json::Value& value, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(CheckMembers(value, expr.position,
                                  {"class", "type", "alias", "query_location", "function_name", "schema", "children",
                                   "filter", "order_bys", "distinct", "is_operator", "export_state", "catalog"}));
  if (value.GetBool("export_state")) {
    return SqlNotSupported(expr.position, "EXPORT_STATE is not supported; write the aggregate without it");
  }
  expr.kind = ExprKind::kFunction;
  expr.name = AsciiLower(value.GetString("function_name"));
  if (const std::string container = FunctionContainer(value); !container.empty()) {
    // An owner's function by its longer name; the analyzer knows which there are.
    if (value.GetBool("is_operator") || !IsFunctionName(expr.name)) {
      return SqlNotSupported(expr.position, "this operator is not supported; the documentation lists those that are");
    }
    expr.name = container + expr.name;
    return ReadArguments(value, expr);
  }
  const auto* refused = std::find_if(kRefusedFunctions.begin(), kRefusedFunctions.end(),
                                     [&](const Refused& r) { return r.name == expr.name; });
  if (refused != kRefusedFunctions.end()) {
    return SqlNotSupported(expr.position, std::string(refused->message));
  }
  GB_RETURN_IF_ERROR(ReadArguments(value, expr));
  const bool plain = !expr.distinct && expr.filter == nullptr && expr.order_by.empty();
  const auto* like =
      std::find_if(kLikeForms.begin(), kLikeForms.end(), [&](const LikeForm& form) { return form.name == expr.name; });
  if (like != kLikeForms.end() && plain && expr.children.size() == like->children) {
    expr.kind = ExprKind::kLike;
    expr.name.clear();
    expr.negated = like->negated;
    expr.case_insensitive = like->case_insensitive;
    return {};
  }
  if (expr.name == "regexp_full_match") {
    expr.name = "regexp_matches";  // RLIKE, see sql_rewrite.cc
    return {};
  }
  const bool is_operator = std::find(kOperators.begin(), kOperators.end(), expr.name) != kOperators.end();
  if (is_operator ? !plain || expr.children.empty() || expr.children.size() > 2
                  : value.GetBool("is_operator") || !IsFunctionName(expr.name)) {
    return SqlNotSupported(expr.position, "this operator is not supported; the documentation lists those that are");
  }
  return FoldInterval(expr);
}

Status DuckdbAstReader::ReadComparison(const json::Value& value, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(CheckMembers(value, expr.position, {"class", "type", "alias", "query_location", "left", "right"}));
  const std::string type = value.GetString("type");
  const auto* known = std::find_if(kComparisons.begin(), kComparisons.end(),
                                   [&](const Comparison& comparison) { return comparison.type == type; });
  if (known == kComparisons.end()) {
    return SqlNotSupported(expr.position, "this comparison is not supported");
  }
  expr.kind = ExprKind::kComparison;
  expr.name = known->name;
  for (const std::string_view side : {"left", "right"}) {
    GB_ASSIGN_OR_RETURN(ast::ExprPtr child, ReadExpr(value.Get(side), expr.position));
    expr.children.push_back(std::move(child));
  }
  return {};
}

Status DuckdbAstReader::ReadConjunction(const json::Value& value, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(CheckMembers(value, expr.position, {"class", "type", "alias", "query_location", "children"}));
  const std::string type = value.GetString("type");
  if (type != "CONJUNCTION_AND" && type != "CONJUNCTION_OR") {
    return Unexpected(expr.position);
  }
  expr.kind = type == "CONJUNCTION_AND" ? ExprKind::kAnd : ExprKind::kOr;
  GB_ASSIGN_OR_RETURN(expr.children, ReadExprs(value.Get("children"), expr.position));
  return expr.children.size() < 2 ? Unexpected(expr.position) : Status();
}

Status DuckdbAstReader::ReadOperator(const json::Value& value, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(CheckMembers(value, expr.position, {"class", "type", "alias", "query_location", "children"}));
  const std::string type = value.GetString("type");
  if (type == "ARRAY_EXTRACT" || type == "ARRAY_SLICE" || type == "ARRAY_CONSTRUCTOR") {
    return SqlNotSupported(expr.position,
                           "lists and subscripts are not supported; use one row or one column for each value");
  }
  if (type == "STRUCT_EXTRACT") {
    return SqlNotSupported(expr.position, "struct values are not supported; use one column for each value");
  }
  if (type == "OPERATOR_TRY") {
    return SqlNotSupported(PositionOfWord({"try"}, expr.position), "TRY(...) is not supported; write TRY_CAST");
  }
  GB_ASSIGN_OR_RETURN(expr.children, ReadExprs(value.Get("children"), expr.position));
  const std::size_t count = expr.children.size();
  if (type == "OPERATOR_NOT" && count == 1) {
    const ExprKind kind = expr.children.front()->kind;
    if (kind == ExprKind::kExists || kind == ExprKind::kInSubquery) {
      ast::ExprPtr child = std::move(expr.children.front());  // NOT EXISTS, NOT IN (SELECT ...)
      child->negated = !child->negated;
      expr = std::move(*child);
      return {};
    }
    expr.kind = ExprKind::kNot;
  } else if (type == "OPERATOR_IS_NULL" && count == 1) {
    expr.kind = ExprKind::kIsNull;
  } else if (type == "OPERATOR_IS_NOT_NULL" && count == 1) {
    expr.kind = ExprKind::kIsNotNull;
  } else if ((type == "COMPARE_IN" || type == "COMPARE_NOT_IN") && count >= 2) {
    expr.kind = ExprKind::kIn;
    expr.negated = type == "COMPARE_NOT_IN";
  } else if (type == "OPERATOR_COALESCE" && count >= 1) {
    expr.kind = ExprKind::kFunction;
    expr.name = "coalesce";
  } else if (type == "GROUPING_FUNCTION" && count >= 1) {
    expr.kind = ExprKind::kFunction;
    expr.name = "grouping";
  } else {
    return SqlNotSupported(expr.position, "this operator is not supported; the documentation lists those that are");
  }
  return {};
}

Status DuckdbAstReader::ReadBetween(const json::Value& value, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(
      CheckMembers(value, expr.position, {"class", "type", "alias", "query_location", "input", "lower", "upper"}));
  if (value.GetString("type") != "COMPARE_BETWEEN") {
    return Unexpected(expr.position);
  }
  expr.kind = ExprKind::kBetween;
  for (const std::string_view part : {"input", "lower", "upper"}) {
    GB_ASSIGN_OR_RETURN(ast::ExprPtr child, ReadExpr(value.Get(part), expr.position));
    expr.children.push_back(std::move(child));
  }
  return {};
}

Status DuckdbAstReader::ReadCase(const json::Value& value, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(
      CheckMembers(value, expr.position, {"class", "type", "alias", "query_location", "case_checks", "else_expr"}));
  GB_ASSIGN_OR_RETURN(const json::Array* checks, ReadArray(value.Get("case_checks"), expr.position));
  if (checks->empty()) {
    return Unexpected(expr.position);
  }
  if (checks->size() > limits::kSqlListMax) {
    return SqlNotSupported(expr.position, "CASE with more than " + std::to_string(limits::kSqlListMax) +
                                              " branches; join a table of VALUES instead");
  }
  expr.kind = ExprKind::kCase;
  for (const json::Value& check : *checks) {
    GB_RETURN_IF_ERROR(CheckMembers(check, expr.position, {"when_expr", "then_expr"}));
    for (const std::string_view part : {"when_expr", "then_expr"}) {
      GB_ASSIGN_OR_RETURN(ast::ExprPtr child, ReadExpr(check.Get(part), expr.position));
      expr.children.push_back(std::move(child));
    }
  }
  GB_ASSIGN_OR_RETURN(ast::ExprPtr otherwise, ReadExpr(value.Get("else_expr"), expr.position));
  // A missing ELSE is ELSE NULL to the parser, and to us.
  const bool null = otherwise->kind == ExprKind::kLiteral &&
                    std::holds_alternative<std::monostate>(otherwise->literal.value) &&
                    otherwise->literal.type.kind == TypeKind::kNull;
  if (!null) {
    expr.has_else = true;
    expr.children.push_back(std::move(otherwise));
  }
  return {};
}

Status DuckdbAstReader::ReadCast(const json::Value& value, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(CheckMembers(value, expr.position,
                                  {"class", "type", "alias", "query_location", "child", "cast_type", "try_cast"}));
  expr.kind = ExprKind::kCast;
  expr.try_cast = value.GetBool("try_cast");
  GB_ASSIGN_OR_RETURN(ast::ExprPtr child, ReadExpr(value.Get("child"), expr.position));
  const std::size_t position = child->position;
  expr.children.push_back(std::move(child));
  GB_ASSIGN_OR_RETURN(expr.cast_type, ReadType(value.Get("cast_type"), PositionOf(value, position)));
  return FoldCast(expr);
}

Status DuckdbAstReader::ReadSubquery(const json::Value& value, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(CheckMembers(
      value, expr.position,
      {"class", "type", "alias", "query_location", "subquery_type", "subquery", "child", "comparison_type"}));
  const std::string type = value.GetString("subquery_type");
  const std::string comparison = value.GetString("comparison_type");
  const json::Value* child = value.Get("child");
  if (type == "ANY" && comparison == "COMPARE_EQUAL") {
    expr.kind = ExprKind::kInSubquery;
    GB_ASSIGN_OR_RETURN(ast::ExprPtr operand, ReadExpr(child, expr.position));
    expr.children.push_back(std::move(operand));
  } else if (type == "ANY") {
    return SqlNotSupported(expr.position, "ANY and ALL are supported as = ANY and <> ALL only; write IN or NOT IN");
  } else if (child != nullptr || (type != "EXISTS" && type != "SCALAR")) {
    return SqlNotSupported(expr.position, "this kind of subquery is not supported");
  } else {
    expr.kind = type == "EXISTS" ? ExprKind::kExists : ExprKind::kScalarSubquery;
  }
  GB_ASSIGN_OR_RETURN(expr.query, ReadWrappedQuery(value.Get("subquery"), expr.position));
  return {};
}

Status DuckdbAstReader::ReadParameter(const json::Value& value, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(CheckMembers(value, expr.position, {"class", "type", "alias", "query_location", "identifier"}));
  expr.kind = ExprKind::kParameter;
  expr.name = value.GetString("identifier");
  const auto& known = statement_.parameters;
  return std::find(known.begin(), known.end(), expr.name) == known.end() ? Unexpected(expr.position) : Status();
}

}  // namespace glovebox::query
