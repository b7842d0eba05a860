// SPDX-License-Identifier: Apache-2.0
#include "query/literal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdio>

#include "base/strings.h"

namespace glovebox::query {
namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr int kDecimalDigitsMax = 38;

std::ptrdiff_t DigitCount(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::int64_t> Digits(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || text.front() == '-') {
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> ParseDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
    return std::nullopt;
  }
  const auto year = Digits(text.substr(0, 4));
  const auto month = Digits(text.substr(5, 2));
  const auto day = Digits(text.substr(8, 2));
  if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31) {
    return std::nullopt;
  }
  const std::int64_t days = DaysFromCivil(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day));
  const Civil back = CivilFromDays(days);
  if (back.month != static_cast<unsigned>(*month) || back.day != static_cast<unsigned>(*day)) {
    return std::nullopt;  // 31 February
  }
  return days;
}

std::optional<std::int64_t> ParseTimeMicros(std::string_view text) {
  if (text.size() < 5 || text[2] != ':') {
    return std::nullopt;
  }
  const auto hour = Digits(text.substr(0, 2));
  const auto minute = Digits(text.substr(3, 2));
  std::optional<std::int64_t> second = 0;
  std::int64_t micros = 0;
  if (text.size() > 5) {
    if (text.size() < 8 || text[5] != ':') {
      return std::nullopt;
    }
    second = Digits(text.substr(6, 2));
    if (text.size() > 8) {
      const std::string_view fraction = text.substr(9);
      const auto value = Digits(fraction);
      if (text[8] != '.' || !value || fraction.size() > 6) {
        return std::nullopt;
      }
      micros = *value;
      for (std::size_t i = fraction.size(); i < 6; ++i) {
        micros *= 10;
      }
    }
  }
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  return ((*hour * 60 + *minute) * 60 + *second) * 1'000'000 + micros;
}

std::optional<std::int64_t> ParseTimestamp(std::string_view text) {
  if (text.size() < 10) {
    return std::nullopt;
  }
  const auto days = ParseDate(text.substr(0, 10));
  if (!days) {
    return std::nullopt;
  }
  if (text.size() == 10) {
    return *days * kMicrosPerDay;
  }
  if (text[10] != ' ' && text[10] != 'T') {
    return std::nullopt;
  }
  const auto time = ParseTimeMicros(text.substr(11));
  return time ? std::optional(*days * kMicrosPerDay + *time) : std::nullopt;
}

std::string DateText(std::int64_t days) {
  const Civil civil = CivilFromDays(days);
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04lld-%02u-%02u", static_cast<long long>(civil.year), civil.month,
                civil.day);
  return buffer.data();
}

std::string TimestampText(std::int64_t micros) {
  std::int64_t days = micros / kMicrosPerDay;
  std::int64_t rest = micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  std::array<char, 48> buffer{};
  const std::int64_t seconds = rest / 1'000'000;
  std::snprintf(buffer.data(), buffer.size(), " %02d:%02d:%02d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  std::string text = DateText(days) + buffer.data();
  if (const std::int64_t fraction = rest % 1'000'000; fraction != 0) {
    std::snprintf(buffer.data(), buffer.size(), ".%06d", static_cast<int>(fraction));
    text += buffer.data();
  }
  return text;
}

std::string DoubleText(double value) {
  std::array<char, 64> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc() ? std::string(buffer.data(), end) : "0";
}

// A NUL would end the statement.
std::string TextSql(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\0') {
      quoted += "' || chr(0) || '";
    } else {
      quoted.append(c == '\'' ? 2 : 1, c);
    }
  }
  quoted += "'";
  return text.find('\0') == std::string_view::npos ? quoted : "(" + quoted + ")";
}

Int128 Power10(int exponent) {
  Int128 value = 1;
  for (int i = 0; i < exponent; ++i) {
    value *= 10;
  }
  return value;
}

}  // namespace

// Howard Hinnant's days_from_civil and its inverse (public domain algorithms, "chrono-Compatible Low-Level Date
// Algorithms").
std::int64_t DaysFromCivil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (std::int64_t{month} + (month > 2 ? -3 : 9)) + 2) / 5 + std::int64_t{day} - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

Civil CivilFromDays(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  Civil civil;
  civil.day = static_cast<unsigned>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  civil.month = static_cast<unsigned>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  civil.year = year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0);
  return civil;
}

bool IsNull(const ast::Literal& literal) { return std::holds_alternative<std::monostate>(literal.value); }

Result<ast::Literal> ParseLiteral(std::string_view text, const Type& type) {
  const Status wrong(ErrorCode::kInvalidParameterValue, "the text is no " + TypeName(type));
  switch (type.kind) {
    case TypeKind::kText:
      if (!IsValidUtf8(text)) {
        return wrong;
      }
      return ast::Literal{type, std::string(text)};
    case TypeKind::kBoolean:
      if (EqualsIgnoreCase(text, "true") || EqualsIgnoreCase(text, "false")) {
        return ast::Literal{type, EqualsIgnoreCase(text, "true")};
      }
      return wrong;
    case TypeKind::kInteger: {
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
        return wrong;
      }
      if (type.bits < 64 &&
          (value < -(std::int64_t{1} << (type.bits - 1)) || value >= (std::int64_t{1} << (type.bits - 1)))) {
        return wrong;
      }
      return ast::Literal{type, value};
    }
    case TypeKind::kDecimal: {
      const auto number = ParseDecimal(text);
      if (!number) {
        return wrong;
      }
      return ast::Literal{type, DecimalText(*number)};
    }
    case TypeKind::kDouble: {
      double value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size() || text.empty() || !std::isfinite(value)) {
        return wrong;
      }
      value = value == 0 ? 0 : value;  // SQL holds -0 equal to it
      return ast::Literal{type, value};
    }
    case TypeKind::kDate:
      if (const auto days = ParseDate(text)) {
        return ast::Literal{type, *days};
      }
      return wrong;
    case TypeKind::kTimestamp:
      if (const auto micros = ParseTimestamp(text)) {
        return ast::Literal{type, *micros};
      }
      return wrong;
    default:
      return wrong;
  }
}

std::string LiteralText(const ast::Literal& literal) {
  if (const auto* text = std::get_if<std::string>(&literal.value)) {
    return *text;
  }
  if (const auto* flag = std::get_if<bool>(&literal.value)) {
    return *flag ? "true" : "false";
  }
  if (const auto* number = std::get_if<double>(&literal.value)) {
    return DoubleText(*number);
  }
  const auto* integer = std::get_if<std::int64_t>(&literal.value);
  GB_ASSERT(integer != nullptr);
  if (literal.type.kind == TypeKind::kDate) {
    return DateText(*integer);
  }
  if (literal.type.kind == TypeKind::kTimestamp) {
    return TimestampText(*integer);
  }
  return std::to_string(*integer);
}

std::string LiteralSql(const ast::Literal& literal) {
  if (IsNull(literal)) {
    return "NULL";
  }
  if (const auto* interval = std::get_if<ast::Interval>(&literal.value)) {
    return "(to_months(CAST(" + std::to_string(interval->months) + " AS INTEGER)) + to_days(CAST(" +
           std::to_string(interval->days) + " AS INTEGER)) + to_microseconds(" + std::to_string(interval->micros) +
           "))";
  }
  const std::string text = LiteralText(literal);
  switch (literal.type.kind) {
    case TypeKind::kText:
      return TextSql(text);
    case TypeKind::kDate:
      return "DATE '" + text + "'";
    case TypeKind::kTimestamp:
      return "TIMESTAMP '" + text + "'";
    case TypeKind::kDouble:
      return "CAST('" + text + "' AS DOUBLE)";
    case TypeKind::kDecimal:
      // DuckDB reads a number of more digits, the one before the point included, as a DOUBLE.
      if (DigitCount(text) > kDecimalDigitsMax) {
        return "CAST('" + text + "' AS DECIMAL(" + std::to_string(kDecimalDigitsMax) + ", " +
               std::to_string(text.size() - text.find('.') - 1) + "))";
      }
      return "(" + text + ")";
    case TypeKind::kInteger:
      return "(" + text + ")";
    default:
      return text;
  }
}

std::optional<DecimalNumber> ParseDecimal(std::string_view text) {
  DecimalNumber number;
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  int digits = 0;
  bool point = false;
  bool any = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    any = true;
    if (digits > 0 || c != '0') {
      if (++digits > kDecimalDigitsMax) {
        return std::nullopt;
      }
    }
    number.unscaled = number.unscaled * 10 + (c - '0');
    number.scale += point ? 1 : 0;
    if (number.scale > kDecimalDigitsMax) {
      return std::nullopt;
    }
  }
  if (!any) {
    return std::nullopt;
  }
  number.unscaled = negative ? -number.unscaled : number.unscaled;
  return number;
}

std::string DecimalText(const DecimalNumber& number) {
  Int128 value = number.unscaled < 0 ? -number.unscaled : number.unscaled;
  std::string digits;
  while (value > 0 || static_cast<int>(digits.size()) <= number.scale) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  }
  if (number.scale > 0) {
    digits.insert(digits.end() - number.scale, '.');
  }
  return (number.unscaled < 0 ? "-" : "") + digits;
}

std::optional<DecimalNumber> AtScale(DecimalNumber number, int scale) {
  const Int128 largest = Power10(kDecimalDigitsMax) - 1;
  for (; number.scale < scale; ++number.scale) {
    if (number.unscaled > largest / 10 || number.unscaled < -largest / 10) {
      return std::nullopt;
    }
    number.unscaled *= 10;
  }
  for (; number.scale > scale; --number.scale) {
    if (number.unscaled % 10 != 0) {
      return std::nullopt;
    }
    number.unscaled /= 10;
  }
  return number;
}

std::optional<DecimalNumber> ToDecimal(const ast::Literal& literal) {
  if (!literal.type.IsNumeric() || IsNull(literal)) {
    return std::nullopt;
  }
  if (const auto* integer = std::get_if<std::int64_t>(&literal.value)) {
    return DecimalNumber{*integer, 0};
  }
  if (const auto* text = std::get_if<std::string>(&literal.value)) {
    return ParseDecimal(*text);
  }
  if (const auto* number = std::get_if<double>(&literal.value)) {
    return ParseDecimal(DoubleText(*number));
  }
  return std::nullopt;
}

std::optional<std::strong_ordering> CompareLiterals(const ast::Literal& a, const ast::Literal& b) {
  if (IsNull(a) || IsNull(b)) {
    return std::nullopt;
  }
  if (a.type.IsNumeric() && b.type.IsNumeric()) {
    auto x = ToDecimal(a);
    auto y = ToDecimal(b);
    if (!x || !y) {
      return std::nullopt;
    }
    const int scale = std::max(x->scale, y->scale);
    x = AtScale(*x, scale);
    y = AtScale(*y, scale);
    return x && y ? std::optional(x->unscaled <=> y->unscaled) : std::nullopt;
  }
  if (a.type.kind == TypeKind::kText && b.type.kind == TypeKind::kText) {
    return std::get<std::string>(a.value).compare(std::get<std::string>(b.value)) <=> 0;
  }
  if (a.type.kind == TypeKind::kBoolean && b.type.kind == TypeKind::kBoolean) {
    return static_cast<int>(std::get<bool>(a.value)) <=> static_cast<int>(std::get<bool>(b.value));
  }
  const auto micros = [](const ast::Literal& literal) -> std::optional<std::int64_t> {
    const auto* value = std::get_if<std::int64_t>(&literal.value);
    if (value == nullptr) {
      return std::nullopt;
    }
    if (literal.type.kind == TypeKind::kDate) {
      return *value * kMicrosPerDay;
    }
    return literal.type.kind == TypeKind::kTimestamp ? std::optional(*value) : std::nullopt;
  };
  const auto x = micros(a);
  const auto y = micros(b);
  return x && y ? std::optional(*x <=> *y) : std::nullopt;
}

std::optional<ast::Literal> ConvertLiteral(const ast::Literal& literal, const Type& type) {
  if (IsNull(literal) || literal.type == type) {
    return literal;
  }
  if (literal.type.kind == TypeKind::kText) {
    Result<ast::Literal> parsed = ParseLiteral(std::get<std::string>(literal.value), type);
    return parsed.ok() ? std::optional(*parsed) : std::nullopt;
  }
  if (literal.type.kind == TypeKind::kDate && type.kind == TypeKind::kTimestamp) {
    return ast::Literal{type, std::get<std::int64_t>(literal.value) * kMicrosPerDay};
  }
  if (literal.type.kind == TypeKind::kTimestamp && type.kind == TypeKind::kDate) {
    const std::int64_t micros = std::get<std::int64_t>(literal.value);
    if (micros % kMicrosPerDay != 0) {
      return std::nullopt;
    }
    return ast::Literal{type, micros / kMicrosPerDay};
  }
  if (literal.type.IsNumeric() && type.IsNumeric()) {
    auto number = ToDecimal(literal);
    if (!number) {
      return std::nullopt;
    }
    while (number->scale > 0 && number->unscaled % 10 == 0) {
      number->unscaled /= 10;
      --number->scale;
    }
    Result<ast::Literal> parsed = ParseLiteral(DecimalText(*number), type);
    return parsed.ok() ? std::optional(*parsed) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace glovebox::query
