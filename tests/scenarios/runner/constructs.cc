// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/runner/constructs.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/strings.h"

namespace glovebox::scenarios {
namespace {

const std::map<std::string, ConstructList>& Lists() {
  static const std::map<std::string, ConstructList> kLists{{"handled", ConstructList::kHandled},
                                                           {"refused", ConstructList::kRefused},
                                                           {"free", ConstructList::kFree},
                                                           {"unwritten", ConstructList::kUnwritten}};
  return kLists;
}

constexpr auto kEnumerations = std::to_array<std::string_view>(
    {"StatementType",  "QueryNodeType",     "TableReferenceType", "ExpressionClass",    "ExpressionType",
     "JoinType",       "JoinRefType",       "SetOperationType",   "ResultModifierType", "SubqueryType",
     "CTEMaterialize", "AggregateHandling", "SampleMethod",       "OrderType",          "OrderByNullType",
     "WindowBoundary", "WindowExcludeMode", "OrdinalityType",     "ShowType",           "LogicalTypeId"});

// Members of the parser's JSON that hold values of one enumeration only; "type" is told by what is beside it.
constexpr auto kMembers = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"class", "ExpressionClass"},
    {"join_type", "JoinType"},
    {"ref_type", "JoinRefType"},
    {"setop_type", "SetOperationType"},
    {"subquery_type", "SubqueryType"},
    {"materialized", "CTEMaterialize"},
    {"aggregate_handling", "AggregateHandling"},
    {"method", "SampleMethod"},
    {"null_order", "OrderByNullType"},
    {"start", "WindowBoundary"},
    {"end", "WindowBoundary"},
    {"exclude_clause", "WindowExcludeMode"},
    {"with_ordinality", "OrdinalityType"},
    {"show_type", "ShowType"},
    {"id", "LogicalTypeId"},
});

std::string_view EnumerationOf(const json::Object& node, std::string_view member, std::string_view value) {
  if (member == "type") {
    if (node.Find("class") != nullptr) {
      return "ExpressionType";
    }
    if (node.Find("null_order") != nullptr) {
      return "OrderType";
    }
    if (value.ends_with("_MODIFIER")) {
      return "ResultModifierType";
    }
    if (node.Find("modifiers") != nullptr) {
      return "QueryNodeType";
    }
    return node.Find("query_location") != nullptr ? "TableReferenceType" : "";
  }
  const auto* found = std::ranges::find(kMembers, member, &std::pair<std::string_view, std::string_view>::first);
  return found == kMembers.end() ? "" : found->second;
}

std::string NameOf(std::string_view enumeration, std::string value) {
  std::ranges::replace(value, ' ', '_');
  return std::string(enumeration) + "." + value;
}

bool IsName(const std::string& word) {
  return std::ranges::any_of(
      kEnumerations, [&](std::string_view enumeration) { return word.starts_with(std::string(enumeration) + "."); });
}

}  // namespace

bool IsConstruct(const Record& record) { return Lists().contains(record.directive); }

Construct ReadConstruct(const Record& record) {
  Construct construct;
  construct.list = Lists().at(record.directive);
  std::vector<std::string> title;
  for (const std::string& word : record.words) {
    if (IsName(word)) {
      construct.names.push_back(word);
    } else if (construct.rule.empty()) {
      construct.rule = word;
    } else {
      title.push_back(word);
    }
  }
  construct.title = Join(title, " ");
  construct.examples = record.Statements();
  if (construct.list == ConstructList::kRefused) {
    construct.says = record.ExpectedText();
  } else {
    construct.refused = record.expected;
  }
  return construct;
}

Result<std::vector<Construct>> ReadConstructs() {
  GB_ASSIGN_OR_RETURN(const ScenarioFile file, ReadScenario("tests/scenarios/constructs.test"));
  std::vector<Construct> constructs;
  for (const Record& record : file.records) {
    if (IsConstruct(record)) {
      constructs.push_back(ReadConstruct(record));
    }
  }
  return constructs;
}

// duckdb::EnumUtil::ToChars<E>(E) is the table behind the JSON. DuckDB's C interface has no such list, and its C++
// headers are not at hand, so we take the function by its symbol. All these enumerations are of one byte; what is no
// value of one throws.
std::vector<std::string> NamesOfLibrary() {
  std::vector<std::string> names;
  for (const std::string_view enumeration : kEnumerations) {
    const std::string symbol =
        "_ZN6duckdb8EnumUtil7ToCharsINS_" + std::to_string(enumeration.size()) + std::string(enumeration) + "EEEPKcT_";
    auto* to_chars = reinterpret_cast<const char* (*)(std::uint8_t)>(dlsym(RTLD_DEFAULT, symbol.c_str()));
    if (to_chars == nullptr) {
      names.push_back(symbol + " is not there");
      continue;
    }
    for (unsigned value = 0; value <= UINT8_MAX; ++value) {
      try {
        names.push_back(NameOf(enumeration, to_chars(static_cast<std::uint8_t>(value))));
      } catch (...) {
        continue;  // no value of the enumeration
      }
    }
  }
  return names;
}

std::vector<std::string> NamesIn(const json::Value& tree) {
  std::vector<std::string> names;
  if (tree.is_array()) {
    for (const json::Value& element : tree.as_array()) {
      std::ranges::move(NamesIn(element), std::back_inserter(names));
    }
  }
  if (tree.is_object()) {
    for (const auto& [member, value] : tree.as_object()) {
      const std::string text = value.is_string() ? value.as_string() : "";
      if (const std::string_view enumeration = EnumerationOf(tree.as_object(), member, text);
          !text.empty() && !enumeration.empty()) {
        names.push_back(NameOf(enumeration, text));
      }
      std::ranges::move(NamesIn(value), std::back_inserter(names));
    }
  }
  return names;
}

json::Value WithName(const json::Value& tree, const std::string& name) {
  const std::size_t dot = name.find('.');
  if (tree.is_array()) {
    json::Array out;
    for (const json::Value& element : tree.as_array()) {
      out.push_back(WithName(element, name));
    }
    return out;
  }
  if (!tree.is_object()) {
    return tree;
  }
  json::Object out;
  for (const auto& [member, value] : tree.as_object()) {
    const bool here =
        value.is_string() && EnumerationOf(tree.as_object(), member, value.as_string()) == name.substr(0, dot);
    out.Set(member, here ? json::Value(name.substr(dot + 1)) : WithName(value, name));
  }
  return out;
}

std::string ConstructsMarkdown(const std::vector<Construct>& constructs) {
  std::string out = "| Construct | Over shared data | The refusal says |\n|---|---|---|\n";
  for (const Construct& construct : constructs) {
    const std::string by = construct.rule == "-" ? "" : " (" + construct.rule + ")";
    switch (construct.list) {
      case ConstructList::kHandled:
        out += "| " + construct.title + " | handled" + by + " | |\n";
        break;
      case ConstructList::kRefused:
        out += "| " + construct.title + " | refused" + by + " | " + construct.says + " |\n";
        break;
      case ConstructList::kFree:
        out += "| " + construct.title + " | after release" + by + " | |\n";
        break;
      case ConstructList::kUnwritten:
        break;
    }
  }
  return out;
}

}  // namespace glovebox::scenarios
