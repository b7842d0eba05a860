// SPDX-License-Identifier: Apache-2.0
#include "query/evaluate.h"

#include <algorithm>
#include <functional>
#include <map>

#include "base/strings.h"
#include "query/literal.h"

namespace glovebox::query {
namespace {

using ast::Literal;

Status NotHere(const Expr& expr, const std::string& what) {
  return Status(ErrorCode::kQueryRefused,
                what +
                    " is not available on a protected column; compare it with constants, or use =, IN, LIKE, CASE, "
                    "upper, lower, trim, substr, left, right, concat or length")
      .WithRule("P3")
      .At(expr.position);
}

constexpr std::size_t kTextBytesMax = 64U << 10U;  // for each of the values of a domain

Literal Text(std::string text) { return {Type::Text(), std::move(text)}; }
Literal Flag(bool flag) { return {Type::Boolean(), flag}; }
Literal Null() { return {}; }

// Byte offsets of the code points, and the end.
std::vector<std::size_t> CodePoints(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
      starts.push_back(i);
    }
  }
  starts.push_back(text.size());
  return starts;
}

std::string Slice(std::string_view text, std::int64_t from, std::int64_t to) {
  const std::vector<std::size_t> starts = CodePoints(text);
  const auto count = static_cast<std::int64_t>(starts.size()) - 1;
  from = std::clamp<std::int64_t>(from, 0, count);
  to = std::clamp<std::int64_t>(to, from, count);
  return std::string(text.substr(starts[static_cast<std::size_t>(from)],
                                 starts[static_cast<std::size_t>(to)] - starts[static_cast<std::size_t>(from)]));
}

bool IsText(const Literal& literal) {
  return literal.type.kind == TypeKind::kText && std::holds_alternative<std::string>(literal.value);
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80U; });
}

std::optional<bool> Truth(const Literal& literal) {
  const auto* flag = std::get_if<bool>(&literal.value);
  return flag != nullptr ? std::optional(*flag) : std::nullopt;
}

std::int64_t Length(std::string_view text) { return static_cast<std::int64_t>(CodePoints(text).size()) - 1; }

class Evaluator {
 public:
  explicit Evaluator(std::function<const Literal*(AttrId)> lookup) : lookup_(std::move(lookup)) {}

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kSqlNestingMax
  Result<Literal> Run(const Expr& expr) const {
    switch (expr.op) {
      case ExprOp::kLiteral:
        if (expr.literal.type.kind == TypeKind::kInterval) {
          return NotHere(expr, "an interval");
        }
        return expr.literal;
      case ExprOp::kAttr: {
        const Literal* value = lookup_(expr.attr);
        if (value == nullptr) {
          return NotHere(expr, "another column");
        }
        return *value;
      }
      case ExprOp::kCase:
        return Case(expr);
      case ExprOp::kAnd:
      case ExprOp::kOr:
        return Connective(expr);
      case ExprOp::kIn:
        return In(expr);
      case ExprOp::kScalarSubquery:
      case ExprOp::kExists:
      case ExprOp::kInSubquery:
        return NotHere(expr, "a subquery");
      default:
        break;
    }
    std::vector<Literal> args;
    for (const ExprPtr& arg : expr.args) {
      GB_ASSIGN_OR_RETURN(Literal value, Run(*arg));
      args.push_back(std::move(value));
    }
    switch (expr.op) {
      case ExprOp::kIsNull:
        return Flag(IsNull(args[0]));
      case ExprOp::kNot: {
        const auto truth = Truth(args[0]);
        return truth ? Flag(!*truth) : Null();
      }
      case ExprOp::kCompare:
        return Compare(expr, expr.compare, args[0], args[1]);
      case ExprOp::kLike:
        return Like(expr, args);
      case ExprOp::kCast:
        return Cast(expr, args[0]);
      default:
        return Call(expr, args);
    }
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion)
  Result<Literal> Case(const Expr& expr) const {
    const std::size_t pairs = expr.args.size() / 2;
    for (std::size_t i = 0; i < pairs; ++i) {
      GB_ASSIGN_OR_RETURN(const Literal when, Run(*expr.args[2 * i]));
      if (Truth(when).value_or(false)) {
        return Run(*expr.args[2 * i + 1]);
      }
    }
    return expr.has_else ? Run(*expr.args.back()) : Null();
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Result<Literal> Connective(const Expr& expr) const {
    const bool decisive = expr.op == ExprOp::kOr;
    bool unknown = false;
    bool decided = false;
    for (const ExprPtr& arg : expr.args) {
      GB_ASSIGN_OR_RETURN(const Literal value, Run(*arg));
      const auto truth = Truth(value);
      unknown = unknown || !truth;
      decided = decided || (truth && *truth == decisive);
    }
    return decided ? Flag(decisive) : unknown ? Null() : Flag(!decisive);
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Result<Literal> In(const Expr& expr) const {
    GB_ASSIGN_OR_RETURN(const Literal value, Run(*expr.args[0]));
    bool unknown = IsNull(value);
    bool found = false;
    for (std::size_t i = 1; i < expr.args.size(); ++i) {
      GB_ASSIGN_OR_RETURN(const Literal item, Run(*expr.args[i]));
      GB_ASSIGN_OR_RETURN(const Literal same, Compare(expr, CompareOp::kEq, value, item));
      unknown = unknown || IsNull(same);
      found = found || Truth(same).value_or(false);
    }
    return found ? Flag(true) : unknown ? Null() : Flag(false);
  }

  static Result<Literal> Compare(const Expr& expr, CompareOp op, const Literal& a, const Literal& b) {
    if (op == CompareOp::kDistinct || op == CompareOp::kNotDistinct) {
      if (IsNull(a) || IsNull(b)) {
        return Flag((IsNull(a) && IsNull(b)) == (op == CompareOp::kNotDistinct));
      }
    } else if (IsNull(a) || IsNull(b)) {
      return Null();
    }
    // A text constant beside a date or a number is read as one, as SQL does.
    const auto converted_b =
        a.type.kind != b.type.kind && b.type.kind == TypeKind::kText ? ConvertLiteral(b, a.type) : b;
    const auto converted_a =
        a.type.kind != b.type.kind && a.type.kind == TypeKind::kText ? ConvertLiteral(a, b.type) : a;
    const auto order = converted_a && converted_b ? CompareLiterals(*converted_a, *converted_b) : std::nullopt;
    if (!order) {
      return NotHere(expr, "a comparison of these types");
    }
    switch (op) {
      case CompareOp::kEq:
      case CompareOp::kNotDistinct:
        return Flag(*order == 0);
      case CompareOp::kNe:
      case CompareOp::kDistinct:
        return Flag(*order != 0);
      case CompareOp::kLt:
        return Flag(*order < 0);
      case CompareOp::kLe:
        return Flag(*order <= 0);
      case CompareOp::kGt:
        return Flag(*order > 0);
      case CompareOp::kGe:
        return Flag(*order >= 0);
    }
    return Null();
  }

  static Result<Literal> Like(const Expr& expr, const std::vector<Literal>& args) {
    if (std::ranges::any_of(args, IsNull)) {
      return Null();
    }
    if (!std::ranges::all_of(args, [](const Literal& arg) { return arg.type.kind == TypeKind::kText; })) {
      return NotHere(expr, "LIKE on a column that is no text");
    }
    std::string text = std::get<std::string>(args[0].value);
    std::string pattern = std::get<std::string>(args[1].value);
    char escape = 0;
    if (args.size() > 2) {
      const std::string& written = std::get<std::string>(args[2].value);
      if (written.size() > 1) {
        return NotHere(expr, "an escape of more than one character");
      }
      escape = written.empty() ? '\0' : written[0];
    }
    if (expr.case_insensitive) {
      if (!IsAscii(text) || !IsAscii(pattern)) {
        return NotHere(expr, "ILIKE beyond ASCII");
      }
      text = AsciiLower(text);
      pattern = AsciiLower(pattern);
    }
    return Flag(LikeMatches(text, pattern, escape));
  }

  static Result<Literal> Cast(const Expr& expr, const Literal& value) {
    if (IsNull(value)) {
      return Null();
    }
    if (expr.type.kind == TypeKind::kText) {
      return Text(LiteralText(value));
    }
    const auto converted = ConvertLiteral(value, expr.type);
    if (!converted) {
      return NotHere(expr, "this cast");
    }
    return *converted;
  }

  // What is made of text is bounded as it is printed: a refusal here, where nothing is cut off.
  static Result<Literal> Call(const Expr& expr, const std::vector<Literal>& args) {
    GB_ASSIGN_OR_RETURN(Literal value, AnyCall(expr, args));
    const auto* text = std::get_if<std::string>(&value.value);
    return text != nullptr && text->size() > kTextBytesMax ? NotHere(expr, "a text of this length")
                                                           : Result<Literal>(std::move(value));
  }

  static Result<Literal> AnyCall(const Expr& expr, const std::vector<Literal>& args) {
    const std::string_view name = expr.function->duckdb;
    if (name == "coalesce") {
      const auto found = std::ranges::find_if(args, [](const Literal& arg) { return !IsNull(arg); });
      return found == args.end() ? Null() : *found;
    }
    if (name == "concat") {
      std::string out;
      for (const Literal& arg : args) {
        out += IsNull(arg) ? "" : LiteralText(arg);
      }
      return Text(out);
    }
    if (std::ranges::any_of(args, IsNull)) {
      return Null();
    }
    if (name == "nullif") {
      GB_ASSIGN_OR_RETURN(const Literal same, Compare(expr, CompareOp::kEq, args[0], args[1]));
      return Truth(same).value_or(false) ? Null() : args[0];
    }
    if (const auto number = Arithmetic(name, args)) {
      return *number;
    }
    if (name == "||") {
      return Text(LiteralText(args[0]) + LiteralText(args[1]));
    }
    return TextFunction(expr, name, args);
  }

  // +, - and * of exact numbers; nothing for anything else, and for what has too many digits.
  static std::optional<Literal> Arithmetic(std::string_view name, const std::vector<Literal>& args) {
    constexpr Int128 kLargest = Int128{1} << 62;
    if ((name != "+" && name != "-" && name != "*") || std::ranges::any_of(args, [](const Literal& arg) {
          return arg.type.kind == TypeKind::kDouble || !ToDecimal(arg).has_value();
        })) {
      return std::nullopt;
    }
    DecimalNumber const a = args.size() == 1 ? DecimalNumber{} : *ToDecimal(args[0]);
    DecimalNumber const b = *ToDecimal(args.back());
    const auto small = [](const DecimalNumber& n) { return n.unscaled < kLargest && n.unscaled > -kLargest; };
    DecimalNumber out;
    if (name == "*") {
      out = {small(a) && small(b) ? a.unscaled * b.unscaled : kLargest * kLargest, a.scale + b.scale};
    } else {
      const int scale = std::max(a.scale, b.scale);
      const auto x = AtScale(a, scale);
      const auto y = AtScale(b, scale);
      if (!x || !y || !small(*x) || !small(*y)) {
        return std::nullopt;
      }
      out = {name == "+" ? x->unscaled + y->unscaled : x->unscaled - y->unscaled, scale};
    }
    if (!small(out)) {
      return std::nullopt;
    }
    if (out.scale == 0) {
      return Literal{Type::Integer(64), static_cast<std::int64_t>(out.unscaled)};
    }
    return Literal{Type::Decimal(38, out.scale), DecimalText(out)};
  }

  static Result<Literal> TextFunction(const Expr& expr, std::string_view name, const std::vector<Literal>& args) {
    const Status refusal = NotHere(expr, "function '" + std::string(expr.function->name) + "' with these arguments");
    if (args.empty() || !IsText(args[0])) {
      return refusal;
    }
    const std::string& text = std::get<std::string>(args[0].value);
    const bool second_is_text = args.size() > 1 && IsText(args[1]);
    const std::string second = second_is_text ? std::get<std::string>(args[1].value) : "";
    const auto number = [&args](std::size_t i) -> std::optional<std::int64_t> {
      const auto* value = i < args.size() ? std::get_if<std::int64_t>(&args[i].value) : nullptr;
      return value != nullptr ? std::optional(*value) : std::nullopt;
    };
    if ((name == "upper" || name == "lower") && IsAscii(text)) {
      return Text(name == "upper" ? AsciiUpper(text) : AsciiLower(text));
    }
    if (args.size() == 1 && (name == "trim" || name == "ltrim" || name == "rtrim")) {
      const std::size_t first = name == "rtrim" ? 0 : std::min(text.find_first_not_of(' '), text.size());
      std::size_t last = text.size();
      while (name != "ltrim" && last > first && text[last - 1] == ' ') {
        --last;
      }
      return Text(text.substr(first, last - first));
    }
    if (name == "length") {
      return Literal{Type::Integer(64), Length(text)};
    }
    if (name == "substr" && number(1) && *number(1) >= 1 && (args.size() == 2 || (number(2) && *number(2) >= 0))) {
      const std::int64_t from = *number(1) - 1;
      return Text(Slice(text, from, args.size() == 2 ? Length(text) : from + std::min(*number(2), Length(text))));
    }
    if ((name == "left" || name == "right") && number(1) && *number(1) >= 0) {
      const std::int64_t size = Length(text);
      return Text(name == "left" ? Slice(text, 0, *number(1)) : Slice(text, size - std::min(size, *number(1)), size));
    }
    if (name == "starts_with" && second_is_text) {
      return Flag(text.starts_with(second));
    }
    if (name == "suffix" && second_is_text) {
      return Flag(text.ends_with(second));
    }
    if (name == "contains" && second_is_text) {
      return Flag(text.find(second) != std::string::npos);
    }
    return refusal;
  }

  std::function<const Literal*(AttrId)> lookup_;
};

}  // namespace

Result<Literal> Evaluate(const Expr& expr, AttrId attr, const Literal& value) {
  return Evaluator([attr, &value](AttrId wanted) { return wanted == attr ? &value : nullptr; }).Run(expr);
}

Result<Literal> Evaluate(const Expr& expr, const std::map<AttrId, Literal>& values) {
  return Evaluator([&values](AttrId wanted) -> const Literal* {
           const auto found = values.find(wanted);
           return found == values.end() ? nullptr : &found->second;
         })
      .Run(expr);
}

Result<Literal> EvaluateConstant(const Expr& expr) {
  return Evaluator([](AttrId) { return nullptr; }).Run(expr);
}

bool LikeMatches(std::string_view text, std::string_view pattern, char escape) {
  // Two pointers with one point of return: linear in practice, quadratic at worst, never exponential.
  const auto next = [](std::string_view s, std::size_t i) {
    ++i;
    while (i < s.size() && (static_cast<unsigned char>(s[i]) & 0xC0U) == 0x80U) {
      ++i;
    }
    return i;
  };
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star_p = std::string_view::npos;
  std::size_t star_t = 0;
  while (t < text.size()) {
    bool step = false;
    if (p < pattern.size()) {
      const bool escaped = escape != 0 && pattern[p] == escape && p + 1 < pattern.size();
      if (!escaped && pattern[p] == '%') {
        star_p = ++p;
        star_t = t;
        continue;
      }
      const std::size_t literal = escaped ? p + 1 : p;
      const std::size_t literal_end = next(pattern, literal);
      const std::size_t text_end = next(text, t);
      if ((!escaped && pattern[p] == '_') ||
          pattern.substr(literal, literal_end - literal) == text.substr(t, text_end - t)) {
        p = literal_end;
        t = text_end;
        step = true;
      }
    }
    if (!step) {
      if (star_p == std::string_view::npos) {
        return false;
      }
      p = star_p;
      star_t = next(text, star_t);
      t = star_t;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') {
    ++p;
  }
  return p == pattern.size();
}

}  // namespace glovebox::query
