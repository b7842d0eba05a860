// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include "base/errors.h"
#include "base/json.h"
#include "base/result.h"
#include "base/strings.h"
#include "query/ast.h"
#include "query/duckdb_ast_reader.h"
#include "query/literal.h"
#include "query/sql_interval.h"
#include "query/sql_tokens.h"
#include "query/type.h"

namespace glovebox::query {
namespace {

__extension__ using Uint128 = unsigned __int128;
constexpr Int128 kInt128Max = static_cast<Int128>(~Uint128{0} >> 1U);

struct IntervalFunction {
  std::string_view name;
  std::string_view unit;
  std::int64_t factor;
};

// What the parser makes of INTERVAL 3 DAY.
constexpr std::array kIntervalFunctions = {
    IntervalFunction{"to_years", "year", 1},
    IntervalFunction{"to_quarters", "quarter", 1},
    IntervalFunction{"to_months", "month", 1},
    IntervalFunction{"to_weeks", "week", 1},
    IntervalFunction{"to_days", "day", 1},
    IntervalFunction{"to_hours", "hour", 1},
    IntervalFunction{"to_minutes", "minute", 1},
    IntervalFunction{"to_seconds", "second", 1},
    IntervalFunction{"to_milliseconds", "millisecond", 1},
    IntervalFunction{"to_microseconds", "microsecond", 1},
    IntervalFunction{"to_decades", "year", 10},
    IntervalFunction{"to_centuries", "year", 100},
    IntervalFunction{"to_millennia", "year", 1'000},
};

std::optional<Type> SimpleType(std::string_view id) {
  // The parser's ids are DuckDB's spellings; DECIMAL carries its numbers elsewhere.
  return id == "DECIMAL" ? std::nullopt : ParseTypeName(id);
}

std::string UnsupportedTypeMessage(std::string_view id) {
  if (id.starts_with("TIMESTAMP") || id.starts_with("TIME")) {
    return "the type " + std::string(id) + " is not supported; use TIMESTAMP (UTC, microseconds) or DATE";
  }
  if (id.starts_with('U') && id.find("INT") != std::string_view::npos) {
    return "unsigned integers are not supported; use BIGINT";
  }
  if (id == "INTERVAL") {
    return "INTERVAL is supported as a constant only, as in INTERVAL '3 days'";
  }
  return "this type is not supported; a room has BOOLEAN, integers, DECIMAL, DOUBLE, VARCHAR, DATE and TIMESTAMP";
}

// The whole number that the interval's argument is, under the parser's casts.
std::optional<std::int64_t> WholeNumber(const ast::Expr* expr) {
  while (expr->kind == ast::ExprKind::kCast ||
         (expr->kind == ast::ExprKind::kFunction && expr->name == "trunc" && expr->children.size() == 1)) {
    expr = expr->children.front().get();
  }
  if (expr->kind != ast::ExprKind::kLiteral) {
    return std::nullopt;
  }
  std::optional<ast::Literal> literal = expr->literal;
  if (literal->type.kind == TypeKind::kText && !IsNull(*literal)) {
    Result<ast::Literal> read = ParseLiteral(std::get<std::string>(literal->value), Type::Integer());
    literal = read.ok() ? std::optional(std::move(read).value()) : std::nullopt;
  }
  if (!literal || literal->type.kind != TypeKind::kInteger) {
    return std::nullopt;
  }
  const auto* value = std::get_if<std::int64_t>(&literal->value);
  const bool fits = value != nullptr && std::abs(*value) <= std::numeric_limits<std::int32_t>::max();
  return fits ? std::optional(*value) : std::nullopt;
}

// One half of a number of 128 bits: an integer, or a string if it is beyond int64.
std::optional<std::uint64_t> Half(const json::Value* value) {
  if (value != nullptr && value->is_int()) {
    return static_cast<std::uint64_t>(value->as_int());
  }
  if (value == nullptr || !value->is_string()) {
    return std::nullopt;
  }
  const std::string& text = value->as_string();
  std::uint64_t half = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), half);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(half) : std::nullopt;
}

}  // namespace

Status DuckdbAstReader::ReadConstant(const json::Value& node, ast::Expr& expr) {
  GB_RETURN_IF_ERROR(CheckMembers(node, expr.position, {"class", "type", "alias", "query_location", "value"}));
  const json::Value* constant = node.Get("value");
  if (constant == nullptr) {
    return Unexpected(expr.position);
  }
  GB_RETURN_IF_ERROR(CheckMembers(*constant, expr.position, {"type", "is_null", "value"}));
  const json::Value* type = constant->Get("type");
  expr.kind = ast::ExprKind::kLiteral;
  if (type != nullptr && type->GetString("id") == "NULL") {
    expr.literal = {Type::Null(), std::monostate()};
    return {};
  }
  GB_ASSIGN_OR_RETURN(expr.literal.type, ReadType(type, expr.position));
  const json::Value* value = constant->Get("value");
  if (constant->GetBool("is_null")) {
    expr.literal.value = std::monostate();
    return {};
  }
  if (value == nullptr) {
    return Unexpected(expr.position);
  }
  const Type& read = expr.literal.type;
  if (read.kind == TypeKind::kBoolean && value->is_bool()) {
    expr.literal.value = value->as_bool();
  } else if (read.kind == TypeKind::kInteger && value->is_int()) {
    expr.literal.value = value->as_int();
  } else if (read.kind == TypeKind::kDecimal && value->is_int()) {
    expr.literal.value = DecimalText({.unscaled = value->as_int(), .scale = read.scale});
  } else if ((read.kind == TypeKind::kInteger || read.kind == TypeKind::kDecimal) && value->is_object()) {
    return ReadWideInteger(*value, read.kind == TypeKind::kDecimal ? read.scale : 0, expr);
  } else if (read.kind == TypeKind::kDouble && value->is_number() && std::isfinite(value->as_double())) {
    expr.literal.value = value->as_double();
  } else if (read.kind == TypeKind::kText && value->is_string()) {
    if (value->as_string().find('\0') != std::string::npos) {
      return SqlNotSupported(expr.position, "a string cannot have NUL characters");
    }
    expr.literal.value = value->as_string();
  } else {
    return SqlNotSupported(expr.position, "this kind of constant is not supported");
  }
  return {};
}

Status DuckdbAstReader::ReadWideInteger(const json::Value& value, int scale, ast::Expr& expr) {
  const std::optional<std::uint64_t> upper = Half(value.Get("upper"));
  const std::optional<std::uint64_t> lower = Half(value.Get("lower"));
  if (!upper || !lower) {
    return Unexpected(expr.position);
  }
  const auto number = static_cast<Int128>((static_cast<Uint128>(*upper) << 64U) | *lower);
  if (number < -kInt128Max || number > kInt128Max) {
    return SqlNotSupported(expr.position, "a number has at most 38 digits");
  }
  expr.literal.value = DecimalText({.unscaled = number, .scale = scale});
  return {};
}

Result<Type> DuckdbAstReader::ReadType(const json::Value* value, std::size_t position) {
  if (value == nullptr) {
    return Unexpected(position);
  }
  GB_RETURN_IF_ERROR(CheckMembers(*value, position, {"id", "type_info"}));
  const std::string id = value->GetString("id");
  const json::Value* info = value->Get("type_info");
  if (id == "DECIMAL" && info != nullptr) {
    const auto read = ParseTypeName("DECIMAL(" + std::to_string(info->GetInt("width")) + "," +
                                    std::to_string(info->GetInt("scale")) + ")");
    return read ? Result<Type>(*read) : Unexpected(position);
  }
  if (id == "INTERVAL" && info == nullptr) {
    return Type::Interval();
  }
  if (id == "UNBOUND" && info != nullptr) {  // a name that DuckDB's grammar does not know; some are Databricks'
    GB_ASSIGN_OR_RETURN(const json::Array* modifiers, ReadArray(info->Get("user_type_modifiers"), position));
    const auto read = ParseTypeName(info->GetString("name"));
    if (read && modifiers->empty() && info->GetString("schema").empty() && info->GetString("catalog").empty()) {
      return *read;
    }
    return SqlNotSupported(position, UnsupportedTypeMessage(""));
  }
  const auto read = SimpleType(id);
  if (!read || info != nullptr) {
    return SqlNotSupported(position, UnsupportedTypeMessage(id));
  }
  return *read;
}

// DATE '2026-01-31' reaches us as a cast of text; so do TRUE and INTERVAL '3 days'.
Status DuckdbAstReader::FoldCast(ast::Expr& cast) {
  const ast::Expr& child = *cast.children.front();
  const std::size_t position = child.position;
  const TypeKind kind = cast.cast_type.kind;
  const bool text = child.kind == ast::ExprKind::kLiteral && child.literal.type.kind == TypeKind::kText &&
                    std::holds_alternative<std::string>(child.literal.value);
  if (!text) {
    return kind == TypeKind::kInterval ? SqlNotSupported(position, UnsupportedTypeMessage("INTERVAL")) : Status();
  }
  const std::string written = std::get<std::string>(child.literal.value);
  std::optional<ast::Literal> folded;
  if (kind == TypeKind::kBoolean) {
    const bool is_true = EqualsIgnoreCase(written, "t") || EqualsIgnoreCase(written, "true");
    const bool is_false = EqualsIgnoreCase(written, "f") || EqualsIgnoreCase(written, "false");
    if (!is_true && !is_false) {
      return {};
    }
    folded = ast::Literal{Type::Boolean(), is_true};
  } else if (kind == TypeKind::kInterval) {
    if (const auto interval = ParseIntervalText(written)) {
      folded = ast::Literal{Type::Interval(), *interval};
    }
  } else if (kind == TypeKind::kDate || kind == TypeKind::kTimestamp) {
    if (Result<ast::Literal> read = ParseLiteral(written, cast.cast_type); read.ok()) {
      folded = std::move(read).value();
    }
  } else {
    return {};
  }
  if (!folded) {
    if (cast.try_cast && kind != TypeKind::kInterval) {
      return {};
    }
    const std::string_view form = kind == TypeKind::kInterval ? "INTERVAL '3 days'"
                                  : kind == TypeKind::kDate   ? "DATE '2026-01-31'"
                                                              : "TIMESTAMP '2026-01-31 23:59:59'";
    return Status(ErrorCode::kSqlType, "this constant is no " + TypeName(cast.cast_type) + "; the form is " +
                                           std::string(form) + ", without a time zone")
        .At(position);
  }
  cast = ast::Expr();
  cast.kind = ast::ExprKind::kLiteral;
  cast.position = position;
  cast.literal = *std::move(folded);
  return {};
}

Status DuckdbAstReader::FoldInterval(ast::Expr& call) {
  const auto* known = std::find_if(kIntervalFunctions.begin(), kIntervalFunctions.end(),
                                   [&](const IntervalFunction& f) { return f.name == call.name; });
  if (known == kIntervalFunctions.end()) {
    return {};
  }
  std::optional<ast::Interval> interval;
  if (call.children.size() == 1) {
    if (const auto count = WholeNumber(call.children.front().get())) {
      interval = IntervalOf(*count * known->factor, known->unit);
    }
  }
  if (!interval || interval->months > std::numeric_limits<std::int32_t>::max() ||
      interval->days > std::numeric_limits<std::int32_t>::max()) {
    return SqlNotSupported(call.position, "INTERVAL takes a whole number that is a constant, as in INTERVAL 3 DAY");
  }
  const std::size_t position = call.position;
  call = ast::Expr();
  call.kind = ast::ExprKind::kLiteral;
  call.position = position;
  call.literal = {Type::Interval(), *interval};
  return {};
}

}  // namespace glovebox::query
