// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/runner/rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/strings.h"

namespace glovebox::scenarios {
namespace {

std::string CellText(const json::Value& value) {
  return value.is_null() ? "NULL" : value.is_string() ? value.as_string() : json::Write(value);
}

std::optional<double> NumberIn(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// Doubles leave with 12 digits, and a midnight may be a date.
bool SameCell(const std::string& a, const std::string& b) {
  constexpr double kRelative = 1e-10;
  constexpr std::string_view kMidnight = " 00:00:00";
  const auto date = [&](const std::string& text) {
    return text.ends_with(kMidnight) ? text.substr(0, text.size() - kMidnight.size()) : text;
  };
  const auto x = NumberIn(a);
  const auto y = NumberIn(b);
  if (x && y) {
    return *x == *y || std::abs(*x - *y) <= kRelative * std::max(std::abs(*x), std::abs(*y));
  }
  return date(a) == date(b);
}

}  // namespace

std::vector<Row> RowsOf(const engine::OutputTable& output) {
  std::vector<Row> rows;
  for (const auto& cells : output.rows) {
    Row row;
    std::ranges::transform(cells, std::back_inserter(row), CellText);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> RowsOf(const engine::duckdb::ResultTable& table) {
  std::vector<Row> rows(table.rows);
  for (const engine::duckdb::ResultColumn& column : table.columns) {
    for (std::size_t row = 0; row < table.rows; ++row) {
      rows[row].push_back(CellText(engine::duckdb::CellToJson(column, row)));
    }
  }
  return rows;
}

std::string Show(const std::vector<Row>& rows) {
  constexpr std::size_t kShown = 20;
  std::string out;
  for (std::size_t i = 0; i < rows.size() && i < kShown; ++i) {
    out += Join(rows[i], " | ") + "\n";
  }
  return out + (rows.size() > kShown ? "... " + std::to_string(rows.size()) + " rows\n" : "");
}

bool SameRows(const std::vector<Row>& a, const std::vector<Row>& b) {
  return std::ranges::equal(a, b, [](const Row& x, const Row& y) { return std::ranges::equal(x, y, SameCell); });
}

void SortRows(std::vector<Row>& rows) { std::ranges::sort(rows); }

}  // namespace glovebox::scenarios
