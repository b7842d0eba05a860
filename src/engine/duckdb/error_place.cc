// SPDX-License-Identifier: Apache-2.0
#include "engine/duckdb/error_place.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/limits.h"

namespace glovebox::engine::duckdb {
namespace {

constexpr std::string_view kMark = "/*";
constexpr std::string_view kCast = "CAST(/*";  // TRY_CAST has no mark behind it

struct Reason {
  std::string_view duckdb;
  std::string_view words;
};
constexpr std::array kReasons = {
    Reason{"CAST", "a value does not fit"},
    Reason{"MISSING COLUMNS", "columns are missing"},
    Reason{"TOO MANY COLUMNS", "there are too many columns"},
    Reason{"UNQUOTED VALUE", "a quote is not closed, or a value goes on behind it"},
    Reason{"LINE SIZE OVER MAXIMUM", "the line is too long"},
    Reason{"INVALID ENCODING", "the text is not in this encoding"},
};

std::optional<std::size_t> NumberAt(std::string_view text, std::size_t at) {
  std::size_t number = 0;
  const char* const begin = text.data() + std::min(at, text.size());
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  return error == std::errc() && end != begin ? std::optional(number) : std::nullopt;
}

std::size_t CodePoints(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// The message ends with the line of our text and, below it, a mark under the expression that failed.
struct Excerpt {
  std::string_view line;
  std::size_t caret = 0;  // in code points of the line
};

std::optional<Excerpt> ExcerptOf(std::string_view detail) {
  const std::size_t begin = detail.rfind("\nLINE ");
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = detail.substr(begin + 1);
  const std::string_view line = rest.substr(0, rest.find('\n'));
  const std::string_view below = line.size() < rest.size() ? rest.substr(line.size() + 1) : "";
  const std::size_t caret = below.find('^');
  return caret == std::string_view::npos ? std::nullopt : std::optional(Excerpt{line, caret});
}

std::string Place(std::size_t line, const std::string& column, std::string_view why) {
  return " (line " + std::to_string(line) +
         (column.empty() || column.size() > limits::kNameBytesMax ? "" : ", column " + column) +
         (why.empty() ? "" : ": " + std::string(why)) + ")";
}

}  // namespace

std::optional<std::size_t> PlaceOfCast(std::string_view detail) {
  const std::optional<Excerpt> excerpt = ExcerptOf(detail);
  if (!excerpt || !detail.starts_with("Conversion Error")) {
    return std::nullopt;
  }
  const std::string_view line = excerpt->line;
  for (std::size_t at = line.find(kCast); at != std::string_view::npos; at = line.find(kCast, at + 1)) {
    if (CodePoints(line.substr(0, at)) == excerpt->caret) {
      return NumberAt(line, at + kCast.size());
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> PlaceOfTypes(std::string_view detail) {
  const std::optional<Excerpt> excerpt = ExcerptOf(detail);
  if (!excerpt) {
    return std::nullopt;
  }
  const std::string_view line = excerpt->line;
  std::optional<std::size_t> place;
  for (std::size_t at = line.find(kMark); at != std::string_view::npos; at = line.find(kMark, at + 1)) {
    if (CodePoints(line.substr(0, at)) > excerpt->caret) {
      break;
    }
    const std::optional<std::size_t> number = NumberAt(line, at + kMark.size());
    place = number ? number : place;
  }
  return place;
}

std::string PlaceInFile(std::string_view detail, std::string_view path) {
  constexpr std::string_view kCsv = "CSV Error on Line: ";
  if (const std::size_t csv = detail.find(kCsv); csv != std::string_view::npos) {
    const auto line = NumberAt(detail, csv + kCsv.size());
    return line.has_value() ? Place(*line, "", "") : "";
  }
  // Malformed JSON in file "...", at byte 7 in line 3: ...
  const std::size_t named = detail.find(path);
  constexpr std::string_view kJson = " in line ";
  const std::size_t json = named == std::string_view::npos ? named : detail.find(kJson, named + path.size());
  const auto line = json == std::string_view::npos ? std::nullopt : NumberAt(detail, json + kJson.size());
  return line.has_value() ? Place(*line, "", "") : "";
}

std::string FirstReject(Connection& connection, const std::string& reader) {
  if (!connection.Execute("SELECT count(COLUMNS(*)) FROM " + reader).ok()) {
    return "";
  }
  const auto rejects = connection.Query(
      "SELECT CAST(line AS BIGINT), coalesce(column_name, ''), CAST(error_type AS VARCHAR) FROM reject_errors LIMIT 1");
  if (!rejects.ok() || rejects->rows != 1 || rejects->columns[0].IsNull(0) || rejects->columns[2].IsNull(0)) {
    return "";
  }
  const auto* const reason = std::find_if(kReasons.begin(), kReasons.end(), [&](const Reason& known) {
    return known.duckdb == rejects->columns[2].texts[0];
  });
  return Place(static_cast<std::size_t>(rejects->columns[0].ints[0]), rejects->columns[1].texts[0],
               reason == kReasons.end() ? "" : reason->words);
}

}  // namespace glovebox::engine::duckdb
