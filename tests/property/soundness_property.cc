// SPDX-License-Identifier: Apache-2.0
//
// What is released has enough units and is true; what must not be asked is refused; and what is refused, with which
// words, does not depend on any protected row.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/strings.h"
#include "tests/property/oracle.h"

namespace glovebox::property {
namespace {

using scenarios::Answer;
using scenarios::Room;

constexpr std::size_t kQuestions = 4;
constexpr std::size_t kCaseNumbers = kWorldNumbers + kQuestions * (kQuestionNumbers + kSpellingNumbers) + 4;

[[noreturn]] void Refute(const World& world, const Question& question, const std::string& why) {
  throw Refuted{why + "\n" + Write(question) + "\n\n" + world.Show()};
}

// Every protected asset has its k in every group, and an own table has its k on both sides (P8, P9).
void CheckGroups(const World& world, Room& room, const Question& question, const std::map<Row, Row>& released) {
  std::vector<std::string> counts{"COUNT(DISTINCT " + question.person + ")"};
  if (!question.home.empty()) {
    counts.push_back("COUNT(DISTINCT " + question.home + ")");
  }
  const std::map<Row, Row> units = TrueValues(room, question, counts);
  for (const auto& [key, row] : released) {
    const auto found = units.find(key);
    if (found == units.end() || IsBelow(found->second[0], question.persons_min) ||
        (found->second.size() > 1 && IsBelow(found->second[1], question.homes_min))) {
      Refute(world, question,
             "released with " + (found == units.end() ? "no row" : Join(found->second, " and ")) +
                 " units: " + Join(key, " | "));
    }
  }
  if (question.own_rows.empty() || world.is_public) {
    return;
  }
  std::map<Row, Row> own;
  for (const Row& row : TrueRows(room, question.own_rows)) {
    own.emplace(Row(row.begin(), row.end() - 2), Row(row.end() - 2, row.end()));
  }
  for (const auto& [key, row] : released) {
    Row own_key;
    for (const std::size_t at : question.own_keys) {
      own_key.push_back(key[at]);
    }
    const Row& sides = own.at(own_key);
    if (IsBelow(sides[0], question.persons_min) || IsBelow(sides[1], question.persons_min)) {
      Refute(world, question, "released where own units match and do not: " + Join(sides, " and "));
    }
  }
}

// A cell that is not NULL is what DuckDB says, and its branches have enough units with a value (P4).
void CheckValues(const World& world, Room& room, const Question& question, const std::map<Row, Row>& released) {
  std::vector<std::string> items;
  for (const Call& call : question.calls) {
    const std::string inside = call.condition.empty() ? "TRUE" : "(" + call.condition + ")";
    const std::string value = call.value.empty() ? "" : " AND " + call.value + " IS NOT NULL";
    const std::string units = "COUNT(DISTINCT " + question.person + ") FILTER (WHERE ";
    items.push_back(call.text);
    items.push_back(units + inside + value + ")");
    items.push_back(units + inside + " IS NOT TRUE)");
  }
  const std::map<Row, Row> truth = TrueValues(room, question, items);
  for (const auto& [key, row] : released) {
    const Row& real = truth.at(key);
    for (std::size_t c = 0; c < question.calls.size(); ++c) {
      if (row[c] == "NULL") {
        continue;
      }
      const std::string where = question.calls[c].text + " of " + Join(key, " | ") + ": " + row[c];
      if (!scenarios::SameRows({{row[c]}}, {{real[3 * c]}})) {
        Refute(world, question, where + " is " + real[3 * c]);
      }
      if (IsFew(real[3 * c + 1], question.persons_min) || IsFew(real[3 * c + 2], question.persons_min)) {
        Refute(world, question,
               where + " has " + real[3 * c + 1] + " units in its branch and " + real[3 * c + 2] + " outside");
      }
    }
  }
}

void ReleasedIsLargeAndTrue(Choices choices) {
  const World world = MakeWorld(choices.Part(kWorldNumbers));
  Room room = Furnish(world);
  room.keeps_history = choices.OneIn(2);
  for (std::size_t i = 0; i < kQuestions; ++i) {
    const Question question = MakeQuestion(world, choices.Part(kQuestionNumbers));
    const Spelling spelling = MakeSpelling(choices.Part(kSpellingNumbers));
    const Answer answer = room.Ask(Write(question, spelling));
    if (!answer.status.ok()) {
      if (answer.status.code() != ErrorCode::kQueryRefused) {
        Refute(world, question,
               std::string(WireName(answer.status.code())) + ": " + std::string(answer.status.message()) + "\n" +
                   Write(question, spelling));
      }
      continue;
    }
    const std::map<Row, Row> released = ByKey(question, scenarios::RowsOf(answer.outputs.at(0)));
    CheckGroups(world, room, question, released);
    CheckValues(world, room, question, released);
  }
}

TEST(Soundness, WhatIsReleasedIsLargeAndTrue) { Check(40, kCaseNumbers, ReleasedIsLargeAndTrue); }

void HostileIsRefused(Choices choices) {
  const World world = MakeWorld(Choices({}));
  Room room = Furnish(world);
  for (std::size_t i = 0; i < kQuestions; ++i) {
    const Question question = MakeHostileQuestion(world, choices.Part(kQuestionNumbers));
    const Spelling spelling = MakeSpelling(choices.Part(kSpellingNumbers));
    const Answer answer = room.Ask(Write(question, spelling));
    if (answer.status.ok()) {
      Refute(world, question, "not refused: " + Write(question, spelling));
    }
    if (answer.status.code() == ErrorCode::kRunFailed || answer.status.code() == ErrorCode::kInternal) {
      Refute(world, question, "not refused but failed: " + Write(question, spelling));
    }
  }
}

TEST(Soundness, WhatMustNotBeAskedIsRefused) { Check(100, kCaseNumbers, HostileIsRefused); }

std::string Verdict(const Answer& answer) {
  return answer.status.ok()
             ? "accepted: " + answer.certificate
             : std::string(WireName(answer.status.code())) + " " + answer.status.rule() + " at " +
                   std::to_string(answer.status.position().value_or(0)) + ": " + std::string(answer.status.message());
}

// The neighbour test: one unit less of a protected table changes no verdict, in a whole history.
void VerdictsDependOnNoUnit(Choices choices) {
  const World world = MakeWorld(choices.Part(kWorldNumbers));
  const WorldTable& table = world.tables[choices.Below(3)];
  const World neighbour =
      WithoutUnit(world, table.name, (table.unit == "pid" ? "p" : "h") + std::to_string(choices.Below(60)));
  Room here = Furnish(world);
  Room there = Furnish(neighbour);
  for (std::size_t i = 0; i < kQuestions; ++i) {
    const bool hostile = choices.OneIn(3);
    Choices part = choices.Part(kQuestionNumbers);
    const Question question = hostile ? MakeHostileQuestion(world, part) : MakeQuestion(world, part);
    const std::string text = Write(question, MakeSpelling(choices.Part(kSpellingNumbers)));
    const std::string mine = Verdict(here.Ask(text));
    const std::string theirs = Verdict(there.Ask(text));
    if (mine != theirs) {
      Refute(world, question,
             "with all of " + table.name + ": " + mine + "\nwith one unit less: " + theirs + "\n" + text);
    }
  }
}

TEST(Soundness, VerdictsDependOnNoProtectedUnit) { Check(20, kCaseNumbers, VerdictsDependOnNoUnit); }

}  // namespace
}  // namespace glovebox::property
