// SPDX-License-Identifier: Apache-2.0
//
// An attacker who has every answer of a room and knows which rows each cell is about (PLANNER.md P10): no two released
// cells of one kind differ by 1 to k-1 units, no released total less released parts of it leaves so many, and no linear
// combination of released cells is about so many.
//
// How far it looks: pairs, whatever their questions; a total and the disjoint cells whose conditions contain its own,
// taken greedily in the order of release; combinations of counts of rows and of sums, as privacy/combinations.h finds
// them in cells that come from the raw tables here.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/limits.h"
#include "base/strings.h"
#include "privacy/combinations.h"
#include "tests/property/oracle.h"

namespace glovebox::property {
namespace {

using scenarios::Answer;
using scenarios::Room;

constexpr std::size_t kQuestions = 4;
constexpr std::size_t kCaseNumbers = kWorldNumbers + kQuestions * 3 * kQuestionNumbers;

struct Contribution {
  std::string person;
  std::string home;
  std::string value;
};

// A released cell, and what the attacker knows of it.
struct Cell {
  std::size_t question = 0;
  std::size_t call = 0;
  std::string kind;
  std::string base;             // tables and joins
  std::set<std::string> atoms;  // its conditions: the question's, its keys', its branch's
  std::map<std::string, Contribution> rows;
  std::string name;
};

class Attack {
 public:
  Attack(const World& world, Room& room) : world_(world), room_(room) {}

  void Ask(const Question& question) {
    questions_.push_back(question);
    const Answer answer = room_.Ask(Write(question));
    if (!answer.status.ok()) {
      return;
    }
    const std::map<Row, Row> released = ByKey(question, scenarios::RowsOf(answer.outputs.at(0)));
    for (std::size_t c = 0; c < question.calls.size(); ++c) {
      AddCells(c, released);
    }
  }

  void Check() {
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (cells_[i].kind == cells_[j].kind) {
          CheckPair(cells_[j], cells_[i]);
        }
      }
      CheckParts(cells_[i]);
    }
    std::map<std::string, std::vector<const Cell*>> by_kind;
    for (const Cell& cell : cells_) {
      if (!cell.kind.starts_with("units:")) {
        by_kind[cell.kind].push_back(&cell);
      }
    }
    for (const auto& [kind, cells] : by_kind) {
      CheckCombinations(cells);
    }
  }

  [[nodiscard]] std::size_t size() const { return cells_.size(); }

 private:
  void AddCells(std::size_t c, const std::map<Row, Row>& released) {
    const Question& question = questions_.back();
    const Call& call = question.calls[c];
    std::map<Row, std::map<std::string, Contribution>> rows;
    Question of = question;
    if (!call.condition.empty()) {
      of.conditions.push_back(call.condition);
    }
    if (!call.value.empty()) {
      of.conditions.push_back(call.value + " IS NOT NULL");
    }
    const bool counts = call.kind.starts_with("units:") || call.kind.starts_with("rows:");
    const std::string row = call.kind == "units:person" ? question.person : question.row;
    const std::string sql = SelectKeys(question, {row, question.person, question.home.empty() ? "''" : question.home,
                                                  counts ? "1" : call.value}) +
                            of.FromText();
    for (const auto& [key, contribution] : Contributions(question, sql)) {
      rows[key].insert(contribution);
    }
    Question base = question;
    base.conditions.clear();
    for (const auto& [key, values] : released) {
      if (values[c] == "NULL") {
        continue;
      }
      Cell cell{questions_.size() - 1, c, call.kind, base.FromText(), {}, rows[key], ""};
      cell.atoms.insert(question.conditions.begin(), question.conditions.end());
      for (std::size_t i = 0; i < key.size(); ++i) {
        cell.atoms.insert(question.keys[i] + (key[i] == "NULL" ? " IS NULL" : " = '" + key[i] + "'"));
      }
      if (!call.condition.empty()) {
        cell.atoms.insert(call.condition);
      }
      cell.name = call.text + " of (" + Join(key, ", ") + ") in question " + std::to_string(cell.question + 1);
      cells_.push_back(std::move(cell));
    }
  }

  std::vector<std::pair<Row, std::pair<std::string, Contribution>>> Contributions(const Question& question,
                                                                                  const std::string& sql) {
    std::vector<std::pair<Row, std::pair<std::string, Contribution>>> out;
    const auto keys = static_cast<std::ptrdiff_t>(question.keys.size());
    for (const Row& row : TrueRows(room_, sql)) {
      const auto at = row.begin() + keys;
      out.push_back({Row(row.begin(), at), {at[0], {at[1], at[2], at[3]}}});
    }
    return out;
  }

  // Units whose contributions to the two differ.
  static std::size_t Distance(const Cell& a, const Cell& b, std::string Contribution::* unit) {
    std::map<std::string, std::map<std::string, int>> more;  // [unit][value]
    for (const auto& [id, row] : a.rows) {
      if (!b.rows.contains(id)) {
        ++more[row.*unit][row.value];
      }
    }
    for (const auto& [id, row] : b.rows) {
      if (!a.rows.contains(id)) {
        --more[row.*unit][row.value];
      }
    }
    return static_cast<std::size_t>(std::ranges::count_if(more, [](const auto& entry) {
      return std::ranges::any_of(entry.second, [](const auto& value) { return value.second != 0; });
    }));
  }

  [[nodiscard]] bool IsFewOf(std::size_t units, std::int64_t min) const {
    return units > 0 && static_cast<std::int64_t>(units) < min;
  }

  void CheckPair(const Cell& a, const Cell& b) const {
    const Question& x = questions_[a.question];
    const Question& y = questions_[b.question];
    const std::size_t persons = Distance(a, b, &Contribution::person);
    if (IsFewOf(persons, std::min(x.persons_min, y.persons_min))) {
      Refute(a.name + "\nand " + b.name + "\ndiffer by " + std::to_string(persons) + " persons");
    }
    if (x.home.empty() || y.home.empty()) {
      return;
    }
    const std::size_t homes = Distance(a, b, &Contribution::home);
    if (IsFewOf(homes, std::min(x.homes_min, y.homes_min))) {
      Refute(a.name + "\nand " + b.name + "\ndiffer by " + std::to_string(homes) + " homes");
    }
  }

  // Whether two conditions exclude each other, as one reads them: "e = 'v'" and "e = 'w'" or "e <> 'v'".
  static bool Exclude(const std::string& a, const std::string& b) {
    const std::size_t equal = a.find(" = '");
    if (equal == std::string::npos || a.find(" OR ") != std::string::npos) {
      return false;
    }
    const std::string column = a.substr(0, equal);
    return (b.starts_with(column + " = '") && b.find(" OR ") == std::string::npos && a != b) ||
           b == column + " <> " + a.substr(equal + 3) || b == column + " IS NULL";
  }

  static bool AreApart(const Cell& a, const Cell& b) {
    return std::ranges::any_of(a.atoms, [&](const std::string& one) {
      return std::ranges::any_of(b.atoms,
                                 [&](const std::string& other) { return Exclude(one, other) || Exclude(other, one); });
    });
  }

  void CheckParts(const Cell& total) const {
    std::vector<const Cell*> parts;
    for (const Cell& cell : cells_) {
      if (&cell != &total && cell.kind == total.kind && cell.base == total.base && cell.atoms != total.atoms &&
          std::ranges::includes(cell.atoms, total.atoms)) {
        parts.push_back(&cell);
      }
    }
    for (const Cell* first : parts) {
      std::vector<const Cell*> family{first};
      for (const Cell* part : parts) {
        if (std::ranges::all_of(family, [&](const Cell* member) { return AreApart(*member, *part); })) {
          family.push_back(part);
        }
      }
      CheckFamily(total, family);
    }
  }

  void CheckFamily(const Cell& total, const std::vector<const Cell*>& family) const {
    std::set<std::string> persons;
    for (const auto& [id, row] : total.rows) {
      if (std::ranges::none_of(family, [&](const Cell* part) { return part->rows.contains(id); })) {
        persons.insert(row.person);
      }
    }
    if (IsFewOf(persons.size(), questions_[total.question].persons_min)) {
      std::string names;
      for (const Cell* part : family) {
        names += "\nless " + part->name;
      }
      Refute(total.name + names + "\nleaves " + std::to_string(persons.size()) + " persons");
    }
  }

  void CheckCombinations(const std::vector<const Cell*>& cells) const {
    std::map<std::string, std::pair<std::vector<privacy::CellIndex>, std::string>> rows;  // by id: cells and person
    std::int64_t min = questions_[cells.front()->question].persons_min;
    for (privacy::CellIndex i = 0; i < cells.size(); ++i) {
      min = std::min(min, questions_[cells[i]->question].persons_min);
      for (const auto& [id, row] : cells[i]->rows) {
        rows[id].first.push_back(i);
        rows[id].second = row.person;
      }
    }
    std::map<std::vector<privacy::CellIndex>, std::set<std::string>> persons;
    for (const auto& [id, row] : rows) {
      persons[row.first].insert(row.second);
    }
    privacy::Combinations combinations(cells.size(), limits::kAuditStepsMax);
    std::vector<privacy::Atom> atoms;
    std::vector<const std::set<std::string>*> of;
    for (const auto& [held_by, set] : persons) {
      atoms.push_back({held_by, static_cast<std::int64_t>(set.size()), static_cast<std::int64_t>(set.size()) >= min});
      of.push_back(&set);
      if (atoms.back().large) {
        combinations.Cancel(held_by);
      }
    }
    const auto is_few = [&](const std::vector<std::size_t>& which) -> Result<bool> {
      std::set<std::string> all;
      for (const std::size_t atom : which) {
        all.insert(of[atom]->begin(), of[atom]->end());
      }
      return IsFewOf(all.size(), min);
    };
    const auto telling = combinations.Find(atoms, is_few, [](privacy::CellIndex) { return true; });
    if (telling.ok() && *telling) {
      std::string names;
      for (const privacy::CellIndex cell : (*telling)->cells) {
        names += cells[cell]->name + "\n";
      }
      Refute(names + "tell together about few persons");
    }
  }

  [[noreturn]] void Refute(const std::string& why) const {
    std::string text;
    for (const Question& question : questions_) {
      text += "\n" + Write(question);
    }
    throw Refuted{why + "\n" + text + "\n\n" + world_.Show()};
  }

  const World& world_;
  Room& room_;
  std::vector<Question> questions_;
  std::vector<Cell> cells_;
};

// Questions that have much in common with the first: two of three choices.
Choices Like(Choices first, Choices change, Choices fresh) {
  std::vector<int> numbers;
  for (std::size_t i = 0; i < kQuestionNumbers; ++i) {
    constexpr std::size_t kAny = 1 << 16;
    const std::size_t old = first.Below(kAny);
    const std::size_t other = fresh.Below(kAny);
    numbers.push_back(static_cast<int>(change.OneIn(3) ? other : old));
  }
  return Choices(std::move(numbers));
}

std::size_t cells_attacked = 0;

void NoDifferenceTellsOfFew(Choices choices) {
  const World world = MakeWorld(choices.Part(kWorldNumbers));
  Room room = Furnish(world);
  Attack attack(world, room);
  const Choices first = choices.Part(kQuestionNumbers);
  attack.Ask(MakeQuestion(world, first));
  for (std::size_t i = 1; i < kQuestions; ++i) {
    const Choices change = choices.Part(kQuestionNumbers);
    const Choices fresh = choices.Part(kQuestionNumbers);
    attack.Ask(MakeQuestion(world, Like(first, change, fresh)));
  }
  attack.Check();
  cells_attacked += attack.size();
}

TEST(Differences, NoneTellsOfFewUnits) {
  Check(60, kCaseNumbers, NoDifferenceTellsOfFew);
  EXPECT_GT(cells_attacked, 100U);
}

}  // namespace
}  // namespace glovebox::property
