// SPDX-License-Identifier: Apache-2.0
//
// Constants: reading them from text, comparing them, printing them. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "query/ast.h"
#include "query/type.h"

namespace glovebox::query {

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back.
std::int64_t DaysFromCivil(std::int64_t year, unsigned month, unsigned day);
struct Civil {
  std::int64_t year = 0;
  unsigned month = 0;
  unsigned day = 0;
};
Civil CivilFromDays(std::int64_t days);

// Reads the literal form of a type: 12, -1.50, true, 2026-01-31, 2026-01-31 12:00:00[.123456]; text is taken as it is.
Result<ast::Literal> ParseLiteral(std::string_view text, const Type& type);
// The literal form; dates as YYYY-MM-DD, timestamps as YYYY-MM-DD HH:MM:SS[.ffffff]. REQUIRES: not NULL, no interval.
std::string LiteralText(const ast::Literal& literal);
// SQL text for DuckDB, typed: DATE '2026-01-31', 'it''s', (12); a text with a NUL is joined around chr(0).
std::string LiteralSql(const ast::Literal& literal);

[[nodiscard]] bool IsNull(const ast::Literal& literal);
// Exact order of two constants of comparable kinds (numbers with numbers, text with text, dates with timestamps);
// nothing if they are not comparable or one is NULL.
std::optional<std::strong_ordering> CompareLiterals(const ast::Literal& a, const ast::Literal& b);
// Converts to the type if that loses nothing; a text constant beside a date is read as a date.
std::optional<ast::Literal> ConvertLiteral(const ast::Literal& literal, const Type& type);

// A number as an exact decimal: unscaled * 10^-scale. Nothing for doubles that are no short decimal and out of range.
struct DecimalNumber {
  Int128 unscaled = 0;
  int scale = 0;
};
std::optional<DecimalNumber> ToDecimal(const ast::Literal& literal);
std::optional<DecimalNumber> ParseDecimal(std::string_view text);
std::string DecimalText(const DecimalNumber& number);
// The same number with exactly this many digits behind the point; nothing if it has more, or too many in all.
std::optional<DecimalNumber> AtScale(DecimalNumber number, int scale);

}  // namespace glovebox::query
