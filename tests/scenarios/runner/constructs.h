// SPDX-License-Identifier: Apache-2.0
//
// The list of the parser's constructs (PLANNER.md P15): tests/scenarios/constructs.test says what its records mean.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tests/scenarios/runner/scenario_file.h"

namespace glovebox::scenarios {

enum class ConstructList { kHandled, kRefused, kFree, kUnwritten };

struct Construct {
  ConstructList list = ConstructList::kHandled;
  std::string rule;                   // "-" if none
  std::string title;                  // empty for kUnwritten
  std::vector<std::string> names;     // "JoinType.LEFT"
  std::vector<std::string> examples;  // statements before ----
  std::vector<std::string> refused;   // kHandled, kFree: statements that `rule` refuses
  std::string says;                   // kRefused: what each refusal says
};

bool IsConstruct(const Record& record);
Construct ReadConstruct(const Record& record);
Result<std::vector<Construct>> ReadConstructs();

// All values of the enumerations whose values the list names, as the library that we are linked to knows them.
std::vector<std::string> NamesOfLibrary();
// The names that stand in an answer of json_serialize_sql; those of statements are not in it.
std::vector<std::string> NamesIn(const json::Value& tree);
// The tree with `name` in all places that hold a value of its enumeration.
json::Value WithName(const json::Value& tree, const std::string& name);

// The table of docs/sql.md.
std::string ConstructsMarkdown(const std::vector<Construct>& constructs);

}  // namespace glovebox::scenarios
