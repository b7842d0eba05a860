// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/query/ast_debug.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/ast.h"
#include "query/type.h"

namespace glovebox::query::ast {
namespace {

template <typename Enum, std::size_t kSize>
std::string_view NameOf(const std::array<std::string_view, kSize>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < kSize ? names[index] : "?";
}

constexpr std::array<std::string_view, 19> kExprNames = {
    "lit",         "param",   "col", "star", "call", "cmp",  "and",    "or",     "not",     "is_null",
    "is_not_null", "between", "in",  "like", "case", "cast", "scalar", "exists", "in_query"};
constexpr std::array<std::string_view, 10> kJoinNames = {"join", "left", "right", "full",       "cross",
                                                         "semi", "anti", "asof",  "positional", "lateral"};
constexpr std::array<std::string_view, 7> kSetNames = {"select",        "union",  "union_all", "intersect",
                                                       "intersect_all", "except", "except_all"};
constexpr std::array<std::string_view, 5> kBoundNames = {"unbounded_preceding", "preceding", "current", "following",
                                                         "unbounded_following"};

std::string Dotted(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : ".") + part;
  }
  return text;
}

std::string Names(std::string_view label, const std::vector<std::string>& names) {
  if (names.empty()) {
    return "";
  }
  std::string text = " " + std::string(label) + "[";
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : " ") + names[i];
  }
  return text + "]";
}

std::string Text(const Literal& literal) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const {
      std::array<char, 32> buffer{};
      const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
      return {buffer.data(), result.ptr};
    }
    std::string operator()(const std::string& value) const { return "'" + value + "'"; }
    std::string operator()(const Interval& value) const {
      return std::to_string(value.months) + "m" + std::to_string(value.days) + "d" + std::to_string(value.micros) +
             "us";
    }
  };
  return std::visit(Visitor(), literal.value) + ":" + TypeName(literal.type);
}

std::string List(std::string_view label, const std::vector<ExprPtr>& exprs) {
  if (exprs.empty()) {
    return "";
  }
  std::string text = " " + std::string(label) + "[";
  for (std::size_t i = 0; i < exprs.size(); ++i) {
    text += (i == 0 ? "" : " ") + DebugString(*exprs[i]);
  }
  return text + "]";
}

std::string Orders(const std::vector<OrderItem>& items) {
  std::string text;
  for (const OrderItem& item : items) {
    text += (text.empty() ? " order[" : " ") + DebugString(*item.expr) + (item.descending ? " desc" : "");
    if (item.nulls != NullsOrder::kDefault) {
      text += item.nulls == NullsOrder::kFirst ? " nulls_first" : " nulls_last";
    }
  }
  return text.empty() ? "" : text + "]";
}

std::string Optional(std::string_view label, const ExprPtr& expr) {
  return expr == nullptr ? "" : " " + std::string(label) + " " + DebugString(*expr);
}

std::string Frame(const WindowFrame& frame) {
  return std::string(frame.rows ? " rows[" : " range[") + std::string(NameOf(kBoundNames, frame.start)) + ":" +
         std::to_string(frame.start_offset) + " " + std::string(NameOf(kBoundNames, frame.end)) + ":" +
         std::to_string(frame.end_offset) + "]";
}

std::string SelectText(const Select& select) {
  std::string text;
  if (!select.distinct_on.empty()) {
    text += List("distinct_on", select.distinct_on);
  } else if (select.distinct) {
    text += " distinct";
  }
  text += " [";
  for (std::size_t i = 0; i < select.items.size(); ++i) {
    const SelectItem& item = select.items[i];
    text += (i == 0 ? "" : " ") + DebugString(*item.expr) + (item.alias.empty() ? "" : " as " + item.alias);
  }
  text += "]";
  if (select.from->kind != FromKind::kNothing) {
    text += " from " + DebugString(*select.from);
  }
  text += Optional("where", select.where);
  text += select.group_kind == GroupKind::kAll ? " group_all" : "";
  text += List("group", select.group_by);
  if (!select.grouping_sets.empty()) {
    text += " sets[";
    for (const auto& set : select.grouping_sets) {
      text += "(";
      for (const std::size_t index : set) {
        text += std::to_string(index) + ",";
      }
      text += ")";
    }
    text += "]";
  }
  text += Optional("having", select.having) + Optional("qualify", select.qualify);
  return text + (select.sample ? " sample" : "");
}

std::string ExprLabel(const Expr& expr) {
  if (expr.kind == ExprKind::kFunction || expr.kind == ExprKind::kComparison) {
    return expr.name;
  }
  if (expr.kind == ExprKind::kWindow) {
    return "over " + expr.name;
  }
  std::string const label = (expr.negated ? "not_" : "") + std::string(NameOf(kExprNames, expr.kind));
  return expr.kind == ExprKind::kLike && expr.case_insensitive ? label + "_nocase" : label;
}

}  // namespace

std::string DebugString(const Expr& expr) {
  if (expr.kind == ExprKind::kLiteral) {
    return Text(expr.literal);
  }
  if (expr.kind == ExprKind::kColumn) {
    return Dotted(expr.parts);
  }
  if (expr.kind == ExprKind::kParameter) {
    return ":" + expr.name;
  }
  if (expr.kind == ExprKind::kStar) {
    return (expr.name.empty() ? "*" : expr.name + ".*") + Names("except", expr.excluded);
  }
  std::string text = "(" + ExprLabel(expr) + (expr.distinct ? " distinct" : "");
  for (std::size_t i = 0; i < expr.children.size(); ++i) {
    const bool otherwise = expr.has_else && i + 1 == expr.children.size();
    text += (otherwise ? " else " : " ") + DebugString(*expr.children[i]);
  }
  if (expr.kind == ExprKind::kCast) {
    text += (expr.try_cast ? " try " : " ") + TypeName(expr.cast_type);
  }
  text += expr.query == nullptr ? "" : " " + DebugString(*expr.query);
  text += Optional("filter", expr.filter) + List("partition", expr.partition_by) + Orders(expr.order_by);
  text += expr.frame ? Frame(*expr.frame) : "";
  return text + (expr.ignore_nulls ? " ignore_nulls)" : ")");
}

std::string DebugString(const From& from) {
  std::string text;
  switch (from.kind) {
    case FromKind::kNothing:
      return "()";
    case FromKind::kTable:
      text = Dotted(from.parts);
      break;
    case FromKind::kSubquery:
      text = DebugString(*from.query);
      break;
    case FromKind::kValues:
      text = "(values";
      for (const auto& row : from.rows) {
        text += List("", row);
      }
      text += ")";
      break;
    case FromKind::kTableFunction:
      text = DebugString(*from.call) + Names("arguments", from.argument_names);
      break;
    case FromKind::kJoin:
      text = "(" + std::string(from.natural ? "natural_" : "") + std::string(NameOf(kJoinNames, from.join)) + " " +
             DebugString(*from.left) + " " + DebugString(*from.right) + Optional("on", from.on) +
             Names("using", from.using_columns) + ")";
      break;
  }
  return text + (from.alias.empty() ? "" : " as " + from.alias) + Names("columns", from.column_aliases);
}

std::string DebugString(const Query& query) {
  std::string text = "(";
  for (const CommonTable& table : query.with) {
    text += "with " + table.name + Names("columns", table.column_aliases) + " " + DebugString(*table.query) + " ";
  }
  text += NameOf(kSetNames, query.op);
  text += query.by_name ? "_by_name" : "";
  if (query.op == SetOp::kNone) {
    text += SelectText(query.select);
  } else {
    text += " " + DebugString(*query.left) + " " + DebugString(*query.right);
  }
  text += query.order_by_all ? " order_all" : "";
  text += Orders(query.order_by) + Optional("limit", query.limit) + Optional("offset", query.offset);
  return text + ")";
}

}  // namespace glovebox::query::ast
