// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/limits.h"
#include "base/strings.h"
#include "query/analyzer_impl.h"
#include "query/literal.h"

namespace glovebox::query {
namespace {

CompareOp CompareOpOf(const std::string& symbol) {
  if (symbol == "=") return CompareOp::kEq;
  if (symbol == "<>") return CompareOp::kNe;
  if (symbol == "<") return CompareOp::kLt;
  if (symbol == "<=") return CompareOp::kLe;
  if (symbol == ">") return CompareOp::kGt;
  if (symbol == ">=") return CompareOp::kGe;
  if (symbol == "is distinct from") return CompareOp::kDistinct;
  GB_ASSERT(symbol == "is not distinct from");
  return CompareOp::kNotDistinct;
}

bool AnyOf(const ast::Expr& expr, bool (*test)(const ast::Expr&)) {
  const auto in = [test](const ast::ExprPtr& child) { return child != nullptr && test(*child); };
  return std::ranges::any_of(expr.children, in) || in(expr.filter) || std::ranges::any_of(expr.partition_by, in) ||
         std::ranges::any_of(expr.order_by, [&in](const ast::OrderItem& item) { return in(item.expr); });
}

// COUNT_IF(condition) is COUNT(*) FILTER (WHERE condition).
bool IsCountIf(const ast::Expr& expr) { return expr.name == "count_if" || expr.name == "countif"; }

Status WrongArguments(const ast::Expr& expr) {
  return Status(ErrorCode::kSqlType,
                "function '" + expr.name + "' does not take this number of arguments; the documentation shows how many")
      .WithRule("P11")
      .At(expr.position);
}

// What to write instead of a function that is not in the table.
std::string Instead(const std::string& name) {
  constexpr std::array<std::string_view, 9> kClocks{
      "now",       "today",          "current_date",     "current_time", "current_timestamp",
      "localtime", "localtimestamp", "get_current_time", "getdate"};
  return std::ranges::find(kClocks, name) != kClocks.end() ? "a run reads no clock: give the time as a parameter"
                                                           : "the documentation lists those that are";
}

// Null if the expression is none.
const std::string* ConstantText(const Expr& expr) {
  return expr.op == ExprOp::kLiteral ? std::get_if<std::string>(&expr.literal.value) : nullptr;
}

// Any other is an error of the engine that TRY does not catch.
Status CheckEscape(const std::vector<ExprPtr>& args) {
  if (args.size() < 3) {
    return {};
  }
  const std::string* text = ConstantText(*args[2]);
  if (text != nullptr && text->size() <= 1) {
    return {};
  }
  return Status(ErrorCode::kNotSupported, "ESCAPE takes a constant of one ASCII character; write LIKE ... ESCAPE '!'")
      .WithRule("P11")
      .At(args[2]->position);
}

// The engine tries every place for each % of a pattern that it cannot split into texts: what LIKE needs for a row would
// grow with the power of their number, and the time of a run tell of single rows (P13).
Status CheckLike(const std::vector<ExprPtr>& args, bool case_insensitive) {
  if (args[1]->op != ExprOp::kLiteral) {
    return Status(ErrorCode::kNotSupported,
                  "the pattern of LIKE is a constant text; write starts_with, ends_with or contains")
        .WithRule("P2")
        .At(args[1]->position);
  }
  const std::string* pattern = ConstantText(*args[1]);
  const bool split =
      pattern == nullptr || (!case_insensitive && args.size() == 2 && pattern->find('_') == std::string::npos);
  std::size_t tries = 0;
  for (std::size_t i = 0; !split && i < pattern->size(); ++i) {
    const bool first = (*pattern)[i] == '%' && (i == 0 || (*pattern)[i - 1] != '%');
    tries += first && pattern->find_first_not_of('%', i) != std::string::npos ? 1U : 0U;
  }
  if (tries <= 1) {
    return {};
  }
  return Status(ErrorCode::kNotSupported,
                "a pattern of ILIKE, with _ or with ESCAPE, has one % before its end; write RLIKE with a regular "
                "expression")
      .WithRule("P2")
      .At(args[1]->position);
}

// What matches a byte instead of a character leaves texts that are none, and a run that stores one fails: whether it
// does would depend on who is in the room.
Status CheckPattern(std::string_view function, const std::vector<ExprPtr>& args) {
  if (function != "regexp_extract" && function != "regexp_replace") {
    return {};
  }
  const std::string* pattern = ConstantText(*args[1]);
  if (pattern != nullptr && pattern->find("\\C") == std::string::npos) {
    return {};
  }
  return Status(ErrorCode::kNotSupported,
                "the pattern is a constant text without \\C, which matches a byte; write . for a character")
      .WithRule("P11")
      .At(args[1]->position);
}

}  // namespace

bool ContainsAggregate(const ast::Expr& expr) {
  if (expr.kind == ast::ExprKind::kFunction &&
      (FindAggregateFunction(expr.name) != nullptr || IsKnownAggregateName(expr.name) || IsCountIf(expr))) {
    return true;
  }
  return AnyOf(expr, &ContainsAggregate);
}

bool ContainsWindow(const ast::Expr& expr) {
  return expr.kind == ast::ExprKind::kWindow || AnyOf(expr, &ContainsWindow);
}

std::string DottedLower(const std::vector<std::string>& parts) { return AsciiLower(Join(parts, ".")); }

Status UnknownName(std::string_view what, const std::vector<std::string>& parts, std::size_t position) {
  return Status(ErrorCode::kSqlUnknownName, "there is no " + std::string(what) + " '" + Join(parts, ".") + "' here")
      .WithRule("P1")
      .At(position);
}

Status AnalyzerImpl::CountNode(std::size_t position) {
  if (++a_.nodes_ > limits::kSqlExpressionNodesMax) {
    return Status(ErrorCode::kQueryRefused,
                  "the query is too large once its views and CTEs are inlined; use fewer of them")
        .WithRule("P15")
        .At(position);
  }
  return {};
}

Result<ExprPtr> AnalyzerImpl::Resolve(const ast::Expr& expr, const ExprContext& context) {
  GB_RETURN_IF_ERROR(CountNode(expr.position));
  if (context.aggregates != nullptr) {
    return ResolveAfterGrouping(expr, context);
  }
  return ResolvePlain(expr, context);
}

// After grouping an expression is made of group keys, aggregates, constants and functions of these.
Result<ExprPtr> AnalyzerImpl::ResolveAfterGrouping(const ast::Expr& expr, const ExprContext& context) {
  const AggregateState& state = *context.aggregates;
  if (!ContainsAggregate(expr) && !ContainsWindow(expr)) {
    std::set<AttrId> inner;
    for (const ScopeColumn& column : context.scope->columns) {
      CollectAttrs(*column.expr, inner);
    }
    const auto reads_rows = [&inner](const Expr& resolved) {
      std::set<AttrId> used;
      CollectAttrs(resolved, used);
      return std::ranges::any_of(used, [&inner](AttrId attr) { return inner.contains(attr); });
    };
    ExprContext before = context;
    before.aggregates = nullptr;
    before.windows = nullptr;
    Result<ExprPtr> plain = ResolvePlain(expr, before);
    if (plain.ok()) {
      for (std::size_t i = 0; i < state.keys.size(); ++i) {
        if (SameExpr(**plain, *state.keys[i])) {
          return MakeAttr(state.key_attrs[i].id, expr.position);
        }
      }
      if (!reads_rows(**plain)) {
        return plain;
      }
    }
    if (expr.kind == ast::ExprKind::kColumn) {
      GB_ASSIGN_OR_RETURN(ExprPtr column, Column(expr, context));  // perhaps an alias that holds an aggregate
      if (!reads_rows(*column)) {
        return column;
      }
      return Status(ErrorCode::kSqlType, "column '" + expr.parts.back() +
                                             "' is neither a group key nor inside an aggregate; add it to GROUP BY")
          .At(expr.position);
    }
  }
  return ResolvePlain(expr, context);
}

Result<std::vector<ExprPtr>> AnalyzerImpl::ResolveAll(const std::vector<ast::ExprPtr>& exprs,
                                                      const ExprContext& context) {
  std::vector<ExprPtr> out;
  for (const ast::ExprPtr& expr : exprs) {
    GB_ASSIGN_OR_RETURN(ExprPtr resolved, Resolve(*expr, context));
    out.push_back(std::move(resolved));
  }
  return out;
}

Result<ExprPtr> AnalyzerImpl::ResolvePlain(const ast::Expr& expr, const ExprContext& context) {
  using K = ast::ExprKind;
  switch (expr.kind) {
    case K::kLiteral:
      return MakeLiteral(expr.literal, expr.position);
    case K::kParameter:
      return Parameter(expr);
    case K::kColumn:
      return Column(expr, context);
    case K::kStar:
      return Status(ErrorCode::kNotSupported, "'*' may only stand in a select list").WithRule("P15").At(expr.position);
    case K::kFunction:
      return Function(expr, context);
    case K::kWindow:
      return Window(expr, context);
    case K::kScalarSubquery:
    case K::kExists:
    case K::kInSubquery:
      return SubqueryExpr(expr, context);
    default:
      break;
  }
  GB_ASSIGN_OR_RETURN(std::vector<ExprPtr> args, ResolveAll(expr.children, context));
  const std::size_t at = expr.position;
  const auto negate = [&](ExprPtr inner) {
    return expr.negated ? MakeNary(ExprOp::kNot, {std::move(inner)}, at) : std::move(inner);
  };
  switch (expr.kind) {
    case K::kComparison:
      return MakeCompare(CompareOpOf(expr.name), args[0], args[1], at);
    case K::kAnd:
      return MakeNary(ExprOp::kAnd, std::move(args), at);
    case K::kOr:
      return MakeNary(ExprOp::kOr, std::move(args), at);
    case K::kNot:
      return MakeNary(ExprOp::kNot, std::move(args), at);
    case K::kIsNull:
      return MakeNary(ExprOp::kIsNull, std::move(args), at);
    case K::kIsNotNull:
      return MakeNary(ExprOp::kNot, {MakeNary(ExprOp::kIsNull, std::move(args), at)}, at);
    case K::kBetween:
      return negate(MakeNary(
          ExprOp::kAnd,
          {MakeCompare(CompareOp::kGe, args[0], args[1], at), MakeCompare(CompareOp::kLe, args[0], args[2], at)}, at));
    case K::kIn:
      return negate(MakeNary(ExprOp::kIn, std::move(args), at));
    case K::kLike: {
      GB_RETURN_IF_ERROR(CheckEscape(args));
      GB_RETURN_IF_ERROR(CheckLike(args, expr.case_insensitive));
      auto like = std::make_shared<Expr>();
      like->op = ExprOp::kLike;
      like->position = at;
      like->args = std::move(args);
      like->case_insensitive = expr.case_insensitive;
      return negate(ExprPtr(std::move(like)));
    }
    case K::kCase:
      return MakeCase(std::move(args), expr.has_else, at);
    case K::kCast:
      return MakeCast(args[0], expr.cast_type, call_position_.value_or(at),
                      expr.try_cast ? BadCast::kNull : a_.input_.bad_cast);
    default:
      return Status(ErrorCode::kNotSupported,
                    "this expression is not supported; the documentation lists those that are")
          .WithRule("P15")
          .At(at);
  }
}

Result<ExprPtr> AnalyzerImpl::Column(const ast::Expr& expr, const ExprContext& context) {
  std::vector<std::string> qualifiers;
  for (std::size_t i = 0; i + 1 < expr.parts.size(); ++i) {
    qualifiers.push_back(AsciiLower(expr.parts[i]));
  }
  for (const Scope* scope = context.scope; scope != nullptr; scope = scope->outer) {
    const ScopeColumn* found = nullptr;
    for (const ScopeColumn& column : scope->columns) {
      if (!EqualsIgnoreCase(column.name, expr.parts.back()) || (qualifiers.empty() && column.qualified_only) ||
          qualifiers.size() > column.qualifiers.size() ||
          !std::equal(qualifiers.rbegin(), qualifiers.rend(), column.qualifiers.rbegin())) {
        continue;
      }
      if (found != nullptr && !SameExpr(*found->expr, *column.expr)) {
        return Status(ErrorCode::kSqlUnknownName,
                      "column '" + Join(expr.parts, ".") + "' is ambiguous; write it with its table")
            .At(expr.position);
      }
      found = &column;
    }
    if (found != nullptr) {
      return found->expr->op == ExprOp::kAttr ? MakeAttr(found->expr->attr, expr.position) : found->expr;
    }
    if (scope == context.scope && qualifiers.empty() && !context.inside_alias) {
      for (const Aliases* aliases = context.aliases; aliases != nullptr; aliases = aliases->outer) {
        const auto alias = aliases->by_name.find(AsciiLower(expr.parts.back()));
        if (alias != aliases->by_name.end()) {
          ExprContext inside = context;
          inside.inside_alias = true;
          return Resolve(*alias->second, inside);
        }
      }
    }
  }
  return UnknownName("column", expr.parts, expr.position);
}

Result<ExprPtr> AnalyzerImpl::Parameter(const ast::Expr& expr) {
  for (std::size_t i = 0; i < a_.input_.parameters.size(); ++i) {
    const ParameterDef& parameter = a_.input_.parameters[i];
    if (!EqualsIgnoreCase(parameter.name, expr.name)) {
      continue;
    }
    a_.used_parameters_.insert(i);
    if (parameter.is_null) {
      return MakeLiteral({.type = Type::Null(), .value = {}}, expr.position);
    }
    Result<ast::Literal> literal = ParseLiteral(parameter.text, parameter.type);
    if (!literal.ok()) {
      return Status(ErrorCode::kInvalidParameterValue,
                    "the value of parameter '" + parameter.name + "' is no " + TypeName(parameter.type));
    }
    return MakeLiteral(*literal, expr.position);
  }
  return Status(ErrorCode::kInvalidParameterValue,
                "parameter '" + expr.name + "' has no value; declare it, and give one to the run")
      .At(expr.position);
}

Result<ExprPtr> AnalyzerImpl::Function(const ast::Expr& expr, const ExprContext& context) {
  if (FindAggregateFunction(expr.name) != nullptr || IsCountIf(expr)) {
    return Aggregate(expr, context);
  }
  if (IsKnownAggregateName(expr.name)) {
    return Status(ErrorCode::kNotSupported,
                  "aggregate '" + expr.name + "' is not available in a room; the documentation lists those that are")
        .WithRule("P4")
        .At(expr.position);
  }
  for (const FunctionDef& function : a_.input_.functions) {
    // catalog.schema.function, of which the author may leave out parts from the left.
    const std::string name = AsciiLower(function.name);
    if (name == expr.name || name.ends_with("." + expr.name)) {
      return OwnersFunction(expr, function, context);
    }
  }
  const ScalarFunction* function = FindScalarFunction(expr.name);
  const bool needs_keys = expr.name == "secret" || expr.name == "hmac_sha256";
  if (function == nullptr || (needs_keys && a_.input_.secrets == Secrets::kForbidden)) {
    return Status(ErrorCode::kNotSupported, "function '" + expr.name + "' is not available here; " + Instead(expr.name))
        .WithRule("P11")
        .At(expr.position);
  }
  if (expr.distinct || expr.filter != nullptr || !expr.order_by.empty()) {
    return Status(ErrorCode::kSqlType,
                  "'" + expr.name + "' is no aggregate: DISTINCT, FILTER and ORDER BY do not apply")
        .At(expr.position);
  }
  if (expr.children.size() < function->args_min || expr.children.size() > function->args_max) {
    return WrongArguments(expr);
  }
  GB_ASSIGN_OR_RETURN(std::vector<ExprPtr> args, ResolveAll(expr.children, context));
  GB_RETURN_IF_ERROR(CheckPattern(function->duckdb, args));
  if (function->duckdb == "regexp_replace") {
    // It stands in the result once for each match.
    const std::string* replacement = ConstantText(*args[2]);
    if (replacement == nullptr || replacement->size() > limits::kReplacementBytesMax) {
      return Status(ErrorCode::kNotSupported, "the replacement of regexp_replace is a constant text of at most " +
                                                  std::to_string(limits::kReplacementBytesMax) +
                                                  " bytes; write it as one")
          .WithRule("P11")
          .At(args[2]->position);
    }
  }
  return MakeCall(function->name, std::move(args), expr.position);
}

// The body is resolved over the function's parameters, which are replaced by the arguments.
Result<ExprPtr> AnalyzerImpl::OwnersFunction(const ast::Expr& expr, const FunctionDef& function,
                                             const ExprContext& context) {
  if (expr.children.size() != function.parameters.size()) {
    return WrongArguments(expr);
  }
  if (depth_ > limits::kSqlNestingMax) {
    return Status(ErrorCode::kNotSupported, "functions call each other too deeply").WithRule("P15").At(expr.position);
  }
  GB_ASSIGN_OR_RETURN(std::vector<ExprPtr> args, ResolveAll(expr.children, context));
  Scope parameters;
  for (std::size_t i = 0; i < args.size(); ++i) {
    parameters.columns.push_back({.name = function.parameters[i].name, .expr = args[i]});
  }
  AnalyzerImpl inner(a_, nullptr, nullptr, depth_ + 1);
  inner.call_position_ = call_position_.value_or(expr.position);
  ExprContext body;
  body.scope = &parameters;
  Result<ExprPtr> value = inner.Resolve(*function.body, body);
  // Positions in the body mean nothing to who calls it.
  return value.ok() ? std::move(value) : Result<ExprPtr>(Status(value.status()).At(expr.position));
}

Result<ExprPtr> AnalyzerImpl::Aggregate(const ast::Expr& expr, const ExprContext& context) {
  if (context.aggregates == nullptr) {
    return Status(ErrorCode::kSqlType,
                  "an aggregate may not stand here: it belongs into the select list or HAVING of a query with groups")
        .WithRule("P4")
        .At(expr.position);
  }
  const bool count_if = IsCountIf(expr);
  const AggregateFunction* function = FindAggregateFunction(count_if ? "count_star" : expr.name);
  const std::size_t extra = count_if ? 1 : 0;
  if (expr.children.size() < function->args_min + extra || expr.children.size() > function->args_max + extra ||
      (count_if && (expr.filter != nullptr || expr.distinct))) {
    return WrongArguments(expr);
  }
  if (!expr.order_by.empty()) {
    return Status(ErrorCode::kNotSupported, "ORDER BY inside an aggregate is not supported; leave it out")
        .WithRule("P4")
        .At(expr.position);
  }
  ExprContext inside = context;
  inside.aggregates = nullptr;
  inside.windows = nullptr;
  AggregateCall call{.function = function, .distinct = expr.distinct, .position = expr.position};
  GB_ASSIGN_OR_RETURN(call.args, ResolveAll(expr.children, inside));
  if (count_if) {
    call.filter = call.args[0];
    call.args.clear();
  }
  if (expr.filter != nullptr) {
    GB_ASSIGN_OR_RETURN(call.filter, Resolve(*expr.filter, inside));
  }
  AggregateState& state = *context.aggregates;
  const auto same = [](const ExprPtr& x, const ExprPtr& y) {
    return (x == nullptr && y == nullptr) || (x != nullptr && y != nullptr && SameExpr(*x, *y));
  };
  for (std::size_t i = 0; i < state.calls.size(); ++i) {
    const AggregateCall& known = state.calls[i];
    if (known.function == function && known.distinct == call.distinct && same(known.filter, call.filter) &&
        std::ranges::equal(known.args, call.args, same)) {
      return MakeAttr(state.call_attrs[i].id, expr.position);
    }
  }
  state.calls.push_back(std::move(call));
  state.call_attrs.push_back({NewAttr(), expr.name});
  return MakeAttr(state.call_attrs.back().id, expr.position);
}

Result<std::vector<SortItem>> AnalyzerImpl::ResolveSort(const std::vector<ast::OrderItem>& items,
                                                        const ExprContext& context) {
  std::vector<SortItem> out;
  for (const ast::OrderItem& item : items) {
    GB_ASSIGN_OR_RETURN(ExprPtr expr, Resolve(*item.expr, context));
    out.push_back({std::move(expr), item.descending, item.nulls});
  }
  return out;
}

Result<ExprPtr> AnalyzerImpl::Window(const ast::Expr& expr, const ExprContext& context) {
  if (context.windows == nullptr) {
    return Status(ErrorCode::kSqlType,
                  "a window function may not stand here: it belongs into the select list, QUALIFY or ORDER BY")
        .WithRule("P8")
        .At(expr.position);
  }
  const WindowFunction* function = FindWindowFunction(expr.name);
  if (function == nullptr) {
    return Status(ErrorCode::kNotSupported,
                  "window function '" + expr.name + "' is not available; the documentation lists those that are")
        .WithRule("P11")
        .At(expr.position);
  }
  if (expr.children.size() < function->args_min || expr.children.size() > function->args_max) {
    return WrongArguments(expr);
  }
  if (expr.distinct || expr.filter != nullptr) {
    return Status(ErrorCode::kNotSupported,
                  "DISTINCT and FILTER are not supported in a window; put a CASE into the argument")
        .WithRule("P15")
        .At(expr.position);
  }
  ExprContext inside = context;
  inside.windows = nullptr;
  WindowCall call{.function = function, .position = expr.position};
  GB_ASSIGN_OR_RETURN(call.args, ResolveAll(expr.children, inside));
  GB_ASSIGN_OR_RETURN(call.partition_by, ResolveAll(expr.partition_by, inside));
  GB_ASSIGN_OR_RETURN(call.order_by, ResolveSort(expr.order_by, inside));
  call.frame = expr.frame;
  call.ignore_nulls = expr.ignore_nulls;
  context.windows->calls.push_back(std::move(call));
  context.windows->attrs.push_back({NewAttr(), expr.name});
  return MakeAttr(context.windows->attrs.back().id, expr.position);
}

Result<ExprPtr> AnalyzerImpl::SubqueryExpr(const ast::Expr& expr, const ExprContext& context) {
  if (depth_ > limits::kSqlNestingMax) {
    return Status(ErrorCode::kNotSupported, "subqueries are nested too deeply; use WITH to give parts a name")
        .WithRule("P15")
        .At(expr.position);
  }
  AnalyzerImpl inner(a_, context.scope, common_, depth_ + 1);
  GB_ASSIGN_OR_RETURN(RelPtr rel, inner.Query(*expr.query));
  auto node = std::make_shared<Expr>();
  node->position = expr.position;
  node->op = expr.kind == ast::ExprKind::kExists       ? ExprOp::kExists
             : expr.kind == ast::ExprKind::kInSubquery ? ExprOp::kInSubquery
                                                       : ExprOp::kScalarSubquery;
  if (node->op != ExprOp::kExists && rel->output.size() != 1) {
    return Status(ErrorCode::kSqlType, "a subquery that is used as a value has one column; select one")
        .At(expr.position);
  }
  GB_ASSIGN_OR_RETURN(node->args, ResolveAll(expr.children, context));
  node->rel = std::move(rel);
  return expr.negated ? MakeNary(ExprOp::kNot, {ExprPtr(std::move(node))}, expr.position) : ExprPtr(std::move(node));
}

}  // namespace glovebox::query
