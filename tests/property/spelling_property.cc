// SPDX-License-Identifier: Apache-2.0
//
// A question is what it means: its spelling changes neither verdict nor population; what a rule does not name is as if
// it were nowhere; planning is a function, and nothing that the author wrote is in the SQL but values and the quoted
// names of output columns.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/errors.h"
#include "base/strings.h"
#include "query/planner.h"
#include "query/sql_front_end.h"
#include "tests/property/oracle.h"

namespace glovebox::property {
namespace {

using scenarios::Answer;
using scenarios::Room;

constexpr std::size_t kCaseNumbers = kWorldNumbers + kQuestionNumbers + 2 * kSpellingNumbers + 8;

// The populations of the cells that are out.
std::set<std::string> Digests(const json::Value& record) {
  std::set<std::string> out;
  for (const json::Value& grid : record.Get("grids")->as_array()) {
    for (const json::Value& group : grid.Get("groups")->as_array()) {
      constexpr std::size_t kDigests = 3;
      constexpr std::size_t kOut = 4;
      const json::Array& calls = group.as_array()[kDigests].as_array();
      for (std::size_t c = 0; c < calls.size(); ++c) {
        const bool is_out = group.as_array()[kOut].as_string()[c] == '1';
        for (const json::Value& digest : is_out ? calls[c].as_array() : json::Array{}) {
          out.insert(digest.as_string());
        }
      }
    }
  }
  return out;
}

std::vector<Row> SortedRows(const Answer& answer) {
  std::vector<Row> rows = scenarios::RowsOf(answer.outputs.at(0));
  scenarios::SortRows(rows);
  return rows;
}

void SpellingsAreOneQuestion(Choices choices) {
  const World world = MakeWorld(choices.Part(kWorldNumbers));
  Room room = Furnish(world);
  Choices part = choices.Part(kQuestionNumbers);
  const bool hostile = choices.OneIn(5);
  const Question question = hostile ? MakeHostileQuestion(world, part) : MakeQuestion(world, part);
  const std::string one = Write(question, MakeSpelling(choices.Part(kSpellingNumbers)));
  const std::string other = Write(question, MakeSpelling(choices.Part(kSpellingNumbers)));
  const auto refute = [&](const std::string& why) {
    throw Refuted{why + "\n" + one + "\n" + other + "\n\n" + world.Show()};
  };
  const Answer first = room.Ask(one);
  const Answer second = room.Ask(other);
  if (first.status.ok() != second.status.ok()) {
    refute("only one is refused: " + std::string(first.status.message()) + std::string(second.status.message()));
  }
  if (!first.status.ok()) {
    return;
  }
  if (!scenarios::SameRows(SortedRows(first), SortedRows(second))) {
    refute("the first releases\n" + scenarios::Show(SortedRows(first)) + "the second\n" +
           scenarios::Show(SortedRows(second)));
  }
  if (Digests(first.record) != Digests(second.record)) {
    refute("the second has other populations");
  }
}

TEST(Spelling, TwoSpellingsAreOneQuestion) { Check(40, kCaseNumbers, SpellingsAreOneQuestion); }

// The question with a column where none may be.
std::string WithColumn(const World& world, const std::string& column, Choices choices) {
  Question question = MakeQuestion(world, choices.Part(kQuestionNumbers));
  const Spelling spelling = MakeSpelling(choices.Part(kSpellingNumbers));
  const std::string letter(1, question.from[choices.Below(question.from.size())].alias);
  const std::string name = "$" + letter + "." + column;
  switch (choices.Below(9)) {
    case 0:
      question.keys.push_back(name);
      break;
    case 1:
      question.conditions.push_back(name + " = 'x'");
      break;
    case 2:
      question.calls.push_back({"COUNT(" + name + ")", "", "", ""});
      break;
    case 3:
      question.having = "MAX(" + column + ") > 'a'";
      break;
    case 4:
      question.calls.push_back({"COUNT(*) FILTER (WHERE " + name + " IS NULL)", "", "", ""});
      break;
    case 5:
      question.conditions.push_back(question.person + " IN (SELECT " + column + " FROM buys)");
      break;
    case 6:
      question.conditions.push_back(question.person + " IN (SELECT pid FROM buys WHERE " + column + " = 'x')");
      break;
    case 7:
      return Write(question, spelling) + "\nORDER BY " + column;
    default:
      return "SELECT COUNT(*) FROM people JOIN list USING (" + column + ")";
  }
  return Write(question, spelling);
}

void UnnamedIsNowhere(Choices choices) {
  const World world = MakeWorld(choices.Part(kWorldNumbers));
  Room room = Furnish(world);
  const auto verdict = [&](const std::string& column) {
    const std::string text = WithColumn(world, column, choices);
    const Answer answer = room.Ask(text, engine::RunMode::kPlanOnly);
    if (answer.status.ok()) {
      throw Refuted{"not refused: " + text + "\n\n" + world.Show()};
    }
    std::string said = std::string(WireName(answer.status.code())) + " " + answer.status.rule() + " at " +
                       std::to_string(answer.status.position().value_or(0)) + ": " +
                       std::string(answer.status.message());
    for (const std::string& name : {column, AsciiUpper(column)}) {
      for (std::size_t at = said.find(name); at != std::string::npos; at = said.find(name)) {
        said.replace(at, name.size(), "*");
      }
    }
    return said;
  };
  const std::string unnamed = verdict("secret");
  const std::string nowhere = verdict("nosuch");
  if (unnamed != nowhere) {
    throw Refuted{unnamed + "\n" + nowhere + "\n" + WithColumn(world, "secret", choices) + "\n\n" + world.Show()};
  }
}

TEST(Spelling, WhatNoRuleNamesIsNowhere) { Check(30, kCaseNumbers, UnnamedIsNowhere); }

Result<std::vector<query::Asset>> AssetsOf(const World& world) {
  std::vector<query::Asset> assets;
  for (const WorldTable& table : world.tables) {
    GB_ASSIGN_OR_RETURN(const engine::PreparedAsset prepared, TheWorkshop().Prepare(table.sql, table.rule));
    query::Asset asset;
    asset.name = {table.name};
    asset.owner = table.owner;
    asset.role = table.own ? query::AssetRole::kOwn : query::AssetRole::kProtected;
    GB_ASSIGN_OR_RETURN(asset.rule, query::ParseAnalysisRule(table.rule));
    asset.version = "1";
    asset.relation = "\"asset_" + std::to_string(assets.size()) + "\".\"data\"";
    for (const engine::Column& column : prepared.file.columns) {
      if (!column.name.starts_with("__gb_")) {
        asset.columns.push_back({column.name, query::ParseTypeName(column.type).value_or(query::Type::Text())});
      }
    }
    assets.push_back(std::move(asset));
  }
  return assets;
}

// All SQL of a plan.
Result<std::vector<std::string>> Print(const std::string& text, const std::vector<query::Asset>& assets) {
  GB_ASSIGN_OR_RETURN(const auto database, engine::duckdb::Database::Open({}));
  GB_ASSIGN_OR_RETURN(const auto connection, database->Connect());
  GB_ASSIGN_OR_RETURN(const std::vector<query::TranslatedStatement> statements, query::TranslateSql(text));
  GB_ASSIGN_OR_RETURN(const std::string tree_text, connection->ParseToJson(statements.at(0).sql));
  GB_ASSIGN_OR_RETURN(const json::Value tree, query::ParseDuckdbJson(tree_text));
  GB_ASSIGN_OR_RETURN(const query::ast::QueryPtr parsed, query::QueryFromDuckdbJson(tree, statements.at(0)));
  query::PlannerStatement statement;
  statement.query = parsed.get();
  GB_ASSIGN_OR_RETURN(const query::Plan plan, query::MakePlan({statement}, assets, {}));
  std::vector<std::string> out;
  const query::AssetCatalog catalog(assets);
  for (const query::GovernedSql& sql : plan.sql) {
    out.push_back(sql.groups);
    out.push_back(query::FromSql(sql.population, catalog));
    out.push_back(sql.population.Text(catalog));
    out.insert(out.end(), sql.values.begin(), sql.values.end());
  }
  for (const query::PlannedOutput& output : plan.outputs) {
    out.push_back(output.sql);
  }
  return out;
}

// `text` without the quoted names of output columns.
std::string WithoutOutputNames(std::string text, const Question& question) {
  for (std::size_t i = 0; i < question.keys.size() + question.calls.size(); ++i) {
    const std::string name =
        "\"zz\"\";-- " + std::string(i < question.keys.size() ? "k" : "a") + std::to_string(i) + "\"";
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name)) {
      text.erase(at, name.size());
    }
  }
  return text;
}

std::size_t plans_printed = 0;

void PlansAreFunctionsOfMeaning(Choices choices) {
  const World world = MakeWorld(choices.Part(kWorldNumbers));
  const Question question = MakeQuestion(world, choices.Part(kQuestionNumbers));
  Spelling spelling = MakeSpelling(choices.Part(kSpellingNumbers));
  spelling.names = 5;
  spelling.output = 1;
  spelling.space = choices.OneIn(2) ? 2 : 0;
  const std::string text = Write(question, spelling);
  const Result<std::vector<query::Asset>> assets = AssetsOf(world);
  if (!assets.ok()) {
    throw Refuted{std::string(assets.status().message()) + "\n" + world.Show()};
  }
  const Result<std::vector<std::string>> one = Print(text, *assets);
  const Result<std::vector<std::string>> two = Print(text, *assets);
  Room room = Furnish(world);
  const std::string certificate = room.Ask(text, engine::RunMode::kPlanOnly).certificate;
  if (one.ok() != two.ok() || (one.ok() && *one != *two) ||
      certificate != room.Ask(text, engine::RunMode::kPlanOnly).certificate) {
    throw Refuted{"two plans of " + text + "\n\n" + world.Show()};
  }
  if (!one.ok()) {
    return;
  }
  ++plans_printed;
  for (const std::string& sql : *one) {
    if (WithoutOutputNames(sql, question).find("zz") != std::string::npos) {
      throw Refuted{"the author's text is in " + sql + "\nof " + text};
    }
  }
}

TEST(Spelling, PlansRepeatAndQuoteNobody) {
  Check(40, kCaseNumbers, PlansAreFunctionsOfMeaning);
  EXPECT_GT(plans_printed, 10U);
}

}  // namespace
}  // namespace glovebox::property
