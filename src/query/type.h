// SPDX-License-Identifier: Apache-2.0
//
// The types of the relational IR. A small, closed list: what is not here is not readable in a room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace glovebox::query {

// 128 bits: sums of 64-bit numbers and unscaled decimals.
__extension__ typedef __int128 Int128;  // NOLINT(modernize-use-using): __extension__ takes a declaration

enum class TypeKind {
  kNull,  // the type of a bare NULL
  kBoolean,
  kInteger,  // signed, `bits` wide: 8, 16, 32, 64, 128
  kDecimal,  // precision 1..38, scale 0..precision
  kDouble,   // REAL is read as DOUBLE
  kText,
  kDate,
  kTimestamp,  // microseconds without zone
  kInterval,   // only as a constant
};

struct Type {
  TypeKind kind = TypeKind::kNull;
  int bits = 0;
  int precision = 0;
  int scale = 0;

  friend bool operator==(const Type&, const Type&) = default;
  static Type Null() { return {}; }
  static Type Boolean() { return {.kind = TypeKind::kBoolean}; }
  static Type Integer(int bits = 64) { return {.kind = TypeKind::kInteger, .bits = bits}; }
  static Type Decimal(int precision, int scale) {
    return {.kind = TypeKind::kDecimal, .precision = precision, .scale = scale};
  }
  static Type Double() { return {.kind = TypeKind::kDouble}; }
  static Type Text() { return {.kind = TypeKind::kText}; }
  static Type Date() { return {.kind = TypeKind::kDate}; }
  static Type Timestamp() { return {.kind = TypeKind::kTimestamp}; }
  static Type Interval() { return {.kind = TypeKind::kInterval}; }

  [[nodiscard]] bool IsNumeric() const {
    return kind == TypeKind::kInteger || kind == TypeKind::kDecimal || kind == TypeKind::kDouble;
  }
};

// DuckDB's spelling, which is also ours in schemas and certificates: "BIGINT", "DECIMAL(10,2)", ...
std::string TypeName(const Type& type);
// Reads a spelling of DuckDB or Databricks (STRING, LONG, INT, ...). Nothing for types that a room does
// not have (TIMESTAMP WITH TIME ZONE, BLOB, nested types, ...).
std::optional<Type> ParseTypeName(std::string_view name);

}  // namespace glovebox::query
