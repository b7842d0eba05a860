// SPDX-License-Identifier: Apache-2.0
#include "api/type_json.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "base/strings.h"

namespace glovebox::api {
namespace {

struct Spelling {
  std::string_view own;   // as the engine spells it, or as Databricks' users do
  std::string_view name;  // type_name
  std::string_view text;  // type_text
  std::string_view json;  // in type_json
};

constexpr std::array kSpellings = {
    Spelling{"BOOLEAN", "BOOLEAN", "boolean", "boolean"},
    Spelling{"TINYINT", "BYTE", "tinyint", "byte"},
    Spelling{"SMALLINT", "SHORT", "smallint", "short"},
    Spelling{"INTEGER", "INT", "int", "integer"},
    Spelling{"INT", "INT", "int", "integer"},
    Spelling{"BIGINT", "LONG", "bigint", "long"},
    Spelling{"LONG", "LONG", "bigint", "long"},
    Spelling{"DOUBLE", "DOUBLE", "double", "double"},
    Spelling{"FLOAT", "FLOAT", "float", "float"},
    Spelling{"VARCHAR", "STRING", "string", "string"},
    Spelling{"STRING", "STRING", "string", "string"},
    Spelling{"DATE", "DATE", "date", "date"},
    Spelling{"TIMESTAMP", "TIMESTAMP_NTZ", "timestamp_ntz", "timestamp_ntz"},
    Spelling{"HUGEINT", "DECIMAL", "decimal(38,0)", "decimal(38,0)"},
    Spelling{"BLOB", "BINARY", "binary", "binary"},
    Spelling{"NULL", "NULL", "void", "void"},
};

struct ParsedType {
  std::string name;
  std::string text;
  std::string json;
  std::int64_t precision = 0;
  std::int64_t scale = 0;
};

// The numbers of "DECIMAL(p,s)"; (0, 0) if they cannot be read.
std::pair<std::int64_t, std::int64_t> DecimalArguments(std::string_view type) {
  std::array<std::int64_t, 2> values{};
  const std::size_t open = type.find('(');
  const std::size_t close = type.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return {0, 0};
  }
  const std::vector<std::string> parts = Split(type.substr(open + 1, close - open - 1), ',');
  for (std::size_t i = 0; i < parts.size() && i < values.size(); ++i) {
    const std::string_view digits = TrimAscii(parts[i]);
    std::from_chars(digits.data(), digits.data() + digits.size(), values.at(i));
  }
  return {values[0], values[1]};
}

ParsedType Parsed(std::string_view type) {
  const std::string upper = AsciiUpper(TrimAscii(type));
  if (upper.starts_with("DECIMAL")) {
    const auto [precision, scale] = DecimalArguments(upper);
    const std::string text = "decimal(" + std::to_string(precision) + "," + std::to_string(scale) + ")";
    return {"DECIMAL", text, text, precision, scale};
  }
  for (const Spelling& spelling : kSpellings) {
    if (upper == spelling.own) {
      ParsedType parsed{std::string(spelling.name), std::string(spelling.text), std::string(spelling.json)};
      if (parsed.name == "DECIMAL") {
        std::tie(parsed.precision, parsed.scale) = DecimalArguments(parsed.text);
      }
      return parsed;
    }
  }
  const std::string lower = AsciiLower(type);
  return {"USER_DEFINED_TYPE", lower, lower};
}

json::Object Common(const std::string& name, const ParsedType& type, std::size_t position) {
  json::Object object{{"name", name}, {"type_text", type.text}, {"type_name", type.name}};
  if (type.precision > 0) {
    object.Set("type_precision", type.precision);
    object.Set("type_scale", type.scale);
  }
  object.Set("position", static_cast<std::int64_t>(position));
  return object;
}

}  // namespace

json::Object ColumnInfoJson(const std::string& name, std::string_view type, std::size_t position) {
  const ParsedType parsed = Parsed(type);
  json::Object object = Common(name, parsed, position);
  object.Set("type_json",
             json::Write(json::Object{
                 {"name", name}, {"type", parsed.json}, {"nullable", true}, {"metadata", json::Object{}}}));
  object.Set("nullable", true);
  return object;
}

json::Object ResultColumnJson(const std::string& name, std::string_view type, std::size_t position) {
  ParsedType parsed = Parsed(type);
  parsed.text = AsciiUpper(parsed.text);
  if (parsed.name == "TIMESTAMP_NTZ") {
    parsed.name = "TIMESTAMP";  // the closed list of that API has no other
  }
  return Common(name, parsed, position);
}

std::string TypeNameOf(std::string_view type) { return Parsed(type).name; }

std::string TypeTextOf(std::string_view type) { return Parsed(type).text; }

}  // namespace glovebox::api
