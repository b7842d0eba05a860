// SPDX-License-Identifier: Apache-2.0
//
// The pages for authors and owners say what is so: every SQL block of docs/sql.md is released or refused as it says,
// and every rule of docs/rules.md is one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"
#include "query/analysis_rule.h"
#include "query/functions.h"
#include "tests/scenarios/runner/constructs.h"
#include "tests/scenarios/runner/room.h"

namespace glovebox::scenarios {
namespace {

struct Block {
  std::string label;  // "sql refused P2"
  std::string text;
};

std::vector<Block> BlocksOf(const std::string& page, std::string_view language) {
  std::vector<Block> blocks;
  bool inside = false;
  for (const std::string& line : Split(page, '\n')) {
    if (!line.starts_with("```")) {
      if (inside) {
        blocks.back().text += line + "\n";
      }
    } else if (!inside) {
      blocks.push_back({line.substr(3), ""});
      inside = true;
    } else {
      inside = false;
    }
  }
  std::erase_if(blocks, [&](const Block& block) { return !block.label.starts_with(language); });
  return blocks;
}

std::string Page(const std::string& path) {
  const Result<std::string> page = ReadFile(path, limits::kJsonBodyBytesMax);
  EXPECT_TRUE(page.ok()) << path;
  return page.ok() ? *page : "";
}

// What stands between the marks of a generated part.
std::string Generated(const std::string& page, const std::string& name) {
  const std::string begin = "<!-- " + name + " -->\n";
  const std::size_t at = page.find(begin);
  const std::size_t end = page.find("<!-- end -->", at);
  EXPECT_NE(end, std::string::npos) << name;
  return end == std::string::npos ? "" : page.substr(at + begin.size(), end - at - begin.size());
}

TEST(Documentation, SqlBlocksDoWhatTheySay) {
  Workshop workshop;
  Room room(workshop);
  room.keeps_history = false;
  const Status added = room.AddUsualTables();
  ASSERT_TRUE(added.ok()) << added.message();
  room.SetParameter({.name = "region", .type = "STRING", .value = "NORTH", .is_null = false});
  room.SetParameter({.name = "min_age", .type = "INT", .value = "30", .is_null = false});
  const std::vector<Block> blocks = BlocksOf(Page("docs/sql.md"), "sql");
  EXPECT_GT(blocks.size(), 15U);
  for (const Block& block : blocks) {
    SCOPED_TRACE(block.text);
    const Answer answer = room.Ask(block.text);
    const std::vector<std::string> label = Split(block.label, ' ');
    if (label.size() == 3 && label[1] == "refused") {
      EXPECT_EQ(answer.status.rule(), label[2]) << answer.status.message();
      continue;
    }
    EXPECT_EQ(block.label, "sql");
    ASSERT_TRUE(answer.status.ok()) << answer.status.message();
    EXPECT_FALSE(answer.outputs.back().rows.empty());
  }
}

TEST(Documentation, ConstructsAreThoseOfTheList) {
  const Result<std::vector<Construct>> constructs = ReadConstructs();
  ASSERT_TRUE(constructs.ok());
  EXPECT_EQ(Generated(Page("docs/sql.md"), "constructs"), ConstructsMarkdown(*constructs));
}

template <typename Function>
std::string NamesOf(std::span<const Function> functions) {
  std::vector<std::string> names;
  for (const Function& function : functions) {
    const bool keyring = function.name == "hmac_sha256" || function.name == "secret";  // not in rooms
    if (function.name != "count_star" && !keyring) {
      names.push_back("`" + std::string(function.name) + "`");
    }
  }
  return Join(names, " ");
}

TEST(Documentation, FunctionsAreThoseOfTheTable) {
  EXPECT_EQ(Generated(Page("docs/sql.md"), "functions"),
            "- Functions and operators: " + NamesOf(query::ScalarFunctions()) +
                "\n- Aggregates: " + NamesOf(query::AggregateFunctions()) +
                " `count_if`\n- Window functions: " + NamesOf(query::WindowFunctions()) + "\n");
}

TEST(Documentation, RulesAreRules) {
  const std::string page = Page("docs/rules.md");
  const std::vector<Block> blocks = BlocksOf(page, "json");
  EXPECT_EQ(blocks.size(), 3U);
  for (const Block& block : blocks) {
    const Result<query::AnalysisRule> rule = query::ParseAnalysisRule(block.text);
    ASSERT_TRUE(rule.ok()) << rule.status().message() << "\n" << block.text;
    // Each member that there is has a line.
    const Result<json::Value> whole = json::Parse(query::CanonicalText(*rule));
    ASSERT_TRUE(whole.ok());
    const auto documented = [&page](const json::Value& object) {
      for (const auto& [member, value] : object.as_object()) {
        EXPECT_NE(page.find("| `" + member + "` |"), std::string::npos) << member;
      }
    };
    documented(*whole);
    documented(*whole->Get("unit"));
    documented(whole->Get("columns")->as_object().begin()->second);
  }
}

}  // namespace
}  // namespace glovebox::scenarios
