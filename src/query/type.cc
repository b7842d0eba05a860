// SPDX-License-Identifier: Apache-2.0
#include "query/type.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/strings.h"

namespace glovebox::query {
namespace {

constexpr int kDecimalPrecisionMax = 38;
// What DuckDB reads in DECIMAL without arguments.
constexpr int kDecimalPrecisionDefault = 18;
constexpr int kDecimalScaleDefault = 3;
constexpr std::size_t kTypeNameBytesMax = 64;

struct NamedType {
  std::string_view name;
  Type type;
};

// Spellings without arguments, upper case, words separated by one space.
constexpr std::array kNamedTypes = {
    NamedType{"BOOLEAN", {.kind = TypeKind::kBoolean}},
    NamedType{"BOOL", {.kind = TypeKind::kBoolean}},
    NamedType{"LOGICAL", {.kind = TypeKind::kBoolean}},
    NamedType{"TINYINT", {.kind = TypeKind::kInteger, .bits = 8}},
    NamedType{"INT1", {.kind = TypeKind::kInteger, .bits = 8}},
    NamedType{"BYTE", {.kind = TypeKind::kInteger, .bits = 8}},
    NamedType{"SMALLINT", {.kind = TypeKind::kInteger, .bits = 16}},
    NamedType{"INT2", {.kind = TypeKind::kInteger, .bits = 16}},
    NamedType{"SHORT", {.kind = TypeKind::kInteger, .bits = 16}},
    NamedType{"INTEGER", {.kind = TypeKind::kInteger, .bits = 32}},
    NamedType{"INT", {.kind = TypeKind::kInteger, .bits = 32}},
    NamedType{"INT4", {.kind = TypeKind::kInteger, .bits = 32}},
    NamedType{"SIGNED", {.kind = TypeKind::kInteger, .bits = 32}},
    NamedType{"BIGINT", {.kind = TypeKind::kInteger, .bits = 64}},
    NamedType{"INT8", {.kind = TypeKind::kInteger, .bits = 64}},
    NamedType{"LONG", {.kind = TypeKind::kInteger, .bits = 64}},
    NamedType{"HUGEINT", {.kind = TypeKind::kInteger, .bits = 128}},
    NamedType{"INT128", {.kind = TypeKind::kInteger, .bits = 128}},
    NamedType{"DOUBLE", {.kind = TypeKind::kDouble}},
    NamedType{"DOUBLE PRECISION", {.kind = TypeKind::kDouble}},
    NamedType{"FLOAT8", {.kind = TypeKind::kDouble}},
    NamedType{"FLOAT", {.kind = TypeKind::kDouble}},
    NamedType{"FLOAT4", {.kind = TypeKind::kDouble}},
    NamedType{"REAL", {.kind = TypeKind::kDouble}},
    NamedType{"VARCHAR", {.kind = TypeKind::kText}},
    NamedType{"STRING", {.kind = TypeKind::kText}},
    NamedType{"TEXT", {.kind = TypeKind::kText}},
    NamedType{"CHAR", {.kind = TypeKind::kText}},
    NamedType{"CHARACTER", {.kind = TypeKind::kText}},
    NamedType{"CHARACTER VARYING", {.kind = TypeKind::kText}},
    NamedType{"BPCHAR", {.kind = TypeKind::kText}},
    NamedType{"DATE", {.kind = TypeKind::kDate}},
    NamedType{"TIMESTAMP", {.kind = TypeKind::kTimestamp}},
    NamedType{"DATETIME", {.kind = TypeKind::kTimestamp}},
    NamedType{"TIMESTAMP_NTZ", {.kind = TypeKind::kTimestamp}},
    NamedType{"TIMESTAMP WITHOUT TIME ZONE", {.kind = TypeKind::kTimestamp}},
};

// "  decimal ( 10,2 )" -> {"DECIMAL", {10, 2}}; nothing if it is not a name with numbers in parentheses.
struct Spelling {
  std::string name;
  std::vector<int> arguments;
};

std::string CollapseSpaces(std::string_view text) {
  std::string out;
  for (const char c : TrimAscii(text)) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

std::optional<Spelling> Spell(std::string_view text) {
  if (text.size() > kTypeNameBytesMax) {
    return std::nullopt;
  }
  Spelling spelling;
  const std::size_t open = text.find('(');
  spelling.name = AsciiUpper(CollapseSpaces(text.substr(0, open)));
  if (open == std::string_view::npos) {
    return spelling;
  }
  const std::string_view rest = TrimAscii(text.substr(open));
  if (rest.back() != ')') {
    return std::nullopt;
  }
  for (const std::string& part : Split(rest.substr(1, rest.size() - 2), ',')) {
    const std::string_view digits = TrimAscii(part);
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0) {
      return std::nullopt;
    }
    spelling.arguments.push_back(value);
  }
  return spelling;
}

bool IsDecimalName(std::string_view name) { return name == "DECIMAL" || name == "NUMERIC" || name == "DEC"; }

bool TakesLength(std::string_view name) {
  return name == "VARCHAR" || name == "CHAR" || name == "CHARACTER" || name == "CHARACTER VARYING";
}

std::optional<Type> DecimalOf(const std::vector<int>& arguments) {
  if (arguments.size() > 2) {
    return std::nullopt;
  }
  int precision = kDecimalPrecisionDefault;
  int scale = kDecimalScaleDefault;
  if (!arguments.empty()) {
    precision = arguments[0];
    scale = arguments.size() == 2 ? arguments[1] : 0;
  }
  if (precision < 1 || precision > kDecimalPrecisionMax || scale > precision) {
    return std::nullopt;
  }
  return Type::Decimal(precision, scale);
}

std::string_view IntegerName(int bits) {
  switch (bits) {
    case 8:
      return "TINYINT";
    case 16:
      return "SMALLINT";
    case 32:
      return "INTEGER";
    case 128:
      return "HUGEINT";
    default:
      return "BIGINT";
  }
}

}  // namespace

std::string TypeName(const Type& type) {
  switch (type.kind) {
    case TypeKind::kNull:
      return "NULL";
    case TypeKind::kBoolean:
      return "BOOLEAN";
    case TypeKind::kInteger:
      return std::string(IntegerName(type.bits));
    case TypeKind::kDecimal:
      return "DECIMAL(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
    case TypeKind::kDouble:
      return "DOUBLE";
    case TypeKind::kText:
      return "VARCHAR";
    case TypeKind::kDate:
      return "DATE";
    case TypeKind::kTimestamp:
      return "TIMESTAMP";
    case TypeKind::kInterval:
      return "INTERVAL";
  }
  return "NULL";
}

std::optional<Type> ParseTypeName(std::string_view name) {
  const std::optional<Spelling> spelling = Spell(name);
  if (!spelling) {
    return std::nullopt;
  }
  if (IsDecimalName(spelling->name)) {
    return DecimalOf(spelling->arguments);
  }
  if (!spelling->arguments.empty()) {
    const bool length = spelling->arguments.size() == 1 && TakesLength(spelling->name);
    return length ? std::optional(Type::Text()) : std::nullopt;
  }
  for (const NamedType& known : kNamedTypes) {
    if (known.name == spelling->name) {
      return known.type;
    }
  }
  return std::nullopt;
}

}  // namespace glovebox::query
