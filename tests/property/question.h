// SPDX-License-Identifier: Apache-2.0
//
// Random questions to a World, as structure and as text in many spellings. What is asked of a table's columns is
// written "$p.age": p people, b buys, h homes, m the runner's list.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/property/world.h"

namespace glovebox::property {

struct Call {
  std::string text;       // COUNT(*) FILTER (WHERE $p.d0 = 'a')
  std::string condition;  // of the branch; empty: all rows
  std::string value;      // the measure, of which rows need a value; empty: every row has a part
  // Only cells of one kind are compared with each other: "rows:buys", "units:person", "people.v0".
  std::string kind;
};

struct Source {
  char alias = 'p';
  std::string table;
  std::string join;  // the column that it has in common with an earlier one; empty: the first
  char with = 'p';
  std::string query = {};  // in the table's place
};

struct Question {
  std::vector<Source> from;
  std::vector<std::string> keys;
  std::vector<std::string> conditions;  // and'ed
  std::vector<Call> calls;
  std::string having;
  std::size_t outer = 0;   // what is done with the released rows
  std::string other = {};  // a text that is not made of these parts

  std::string row;               // names a row of the finest table
  std::string person;            // the unit; empty: there is none
  std::string home;              // the unit of homes; empty: there is none
  std::int64_t persons_min = 0;  // the largest k of acme's tables in it
  std::int64_t homes_min = 0;
  std::string own_rows;               // SELECT own keys, units that match, units that do not; empty: no own table
  std::vector<std::size_t> own_keys;  // of the keys

  // Rows and conditions alone, spelt plainly.
  [[nodiscard]] std::string FromText() const;
};

// How a question is written. Everything is nought in the plainest one.
struct Spelling {
  std::size_t names = 0;
  std::size_t wrap = 0;
  std::size_t join = 0;
  std::size_t letters = 0;
  std::size_t order = 0;
  std::size_t parens = 0;
  std::size_t space = 0;
  std::size_t around = 0;
  std::size_t output = 0;  // odd names for the columns, and for whatever else has a name; "zz" is in each
};

inline constexpr std::size_t kQuestionNumbers = 24;
Question MakeQuestion(const World& world, Choices choices);
// One that must be refused.
Question MakeHostileQuestion(const World& world, Choices choices);

inline constexpr std::size_t kSpellingNumbers = 8;
Spelling MakeSpelling(Choices choices);
std::string Write(const Question& question, const Spelling& spelling = {});

// "$p.d0" with names in the place of letters, plainly: the oracle's SQL.
std::string Plain(const std::string& text);

}  // namespace glovebox::property
