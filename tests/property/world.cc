// SPDX-License-Identifier: Apache-2.0
#include "tests/property/world.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "tests/property/direct_engine.h"

namespace glovebox::property {
namespace {

std::string Text(std::size_t number) { return std::to_string(number); }

// SQL of a number below a thousand for the row `i` of a table, by seed and purpose.
class Dice {
 public:
  explicit Dice(std::size_t seed) : seed_(seed) {}
  [[nodiscard]] std::string For(std::size_t purpose) const {
    return "CAST(hash(i * 64 + " + Text(purpose + seed_ * 1'000'003) + ") % 1000 AS INTEGER)";
  }

 private:
  std::size_t seed_;
};

std::string Rule(const std::string& domain, const std::string& unit, const WorldTable& table,
                 const std::string& membership, const std::string& keys, const std::string& columns) {
  return R"({"version": 1, "unit": {"domain": ")" + domain + R"(", "columns": [")" + unit + R"("]}, "min_units": )" +
         std::to_string(table.min_units) + R"(, "membership": ")" + membership + R"(", "keys": )" + keys +
         ",\n \"columns\": {" + columns + "}}";
}

constexpr const char* kPid = R"("pid": {"identity": true, "uses": ["join"], "join_with": ["*.pid"]})";

WorldTable People(std::size_t persons, std::size_t rare, bool nulls, const std::string& membership, Choices& choices) {
  const Dice dice(choices.Below(50));
  WorldTable table{"people", "acme", false, static_cast<std::int64_t>(10 + choices.Below(3)), "pid", "", ""};
  const std::string null = nulls ? "CASE WHEN " + dice.For(1) + " >= 40 THEN " : "";
  const std::string end = nulls ? " END" : "";
  table.sql = "SELECT 'p' || i AS pid, 'h' || i // 2 AS home,\n  CASE WHEN " + dice.For(2) + " < " + Text(rare) +
              " THEN 'rare' WHEN " + dice.For(3) + " < 500 THEN 'a' ELSE 'b' END AS d0,\n  " + null +
              "['x', 'y', 'z'][1 + " + dice.For(4) + " % 3]" + end + " AS d1,\n  " + dice.For(5) +
              " % 60 + 10 AS age,\n  " + null + dice.For(6) + " % 90" + end + " AS v0, " + dice.For(7) +
              " % 50 AS v1,\n  'secret' || i AS secret, i AS row\nFROM range(" + Text(persons) + ") AS r(i)";
  const bool other_step = choices.OneIn(3);
  const bool sparse = choices.OneIn(4);
  const std::string step = other_step ? "5" : "10";
  table.rule = Rule("person", "pid", table, membership, R"([["pid"]])",
                    std::string(kPid) +
                        R"(, "home": {"identity": true, "uses": ["join"], "join_with": ["homes.home"]},
  "d0": {"uses": ["dimension", "filter"], "domain": ["a", "b", "rare"]},
  "d1": {"uses": [)" + (sparse ? R"("dimension")" : R"("dimension", "filter")") +
                        R"(], "domain": ["x", "y", "z"]},
  "age": {"uses": ["dimension", "filter"], "filter_step": )" +
                        step + R"(, "dimension_steps": [)" + step + R"(]},
  "v0": {"uses": ["measure"], "aggregates": ["sum", "avg", "count", "stddev"]},
  "v1": {"uses": ["measure"], "aggregates": [)" +
                        (sparse ? R"("avg")" : R"("sum", "avg")") + "]}");
  return table;
}

WorldTable Buys(std::size_t persons, std::size_t rare, const std::string& membership, Choices& choices) {
  const Dice dice(100 + choices.Below(50));
  WorldTable table{"buys", "acme", false, static_cast<std::int64_t>(10 + choices.Below(2)), "pid", "", ""};
  table.sql = "SELECT 'p' || " + dice.For(1) + " % " + Text(persons + persons / 4) + " AS pid,\n  CASE WHEN " +
              dice.For(2) + " < " + Text(rare / 2) + " THEN 'gem' WHEN " + dice.For(3) +
              " < 400 THEN 'hat' ELSE 'pen' END AS item,\n  " + dice.For(4) +
              " % 70 AS amt, 'secret' || i AS secret, i AS row\nFROM range(" + Text(2 * persons) + ") AS r(i)";
  table.rule = Rule("person", "pid", table, membership, "[]", std::string(kPid) + R"(,
  "item": {"uses": ["dimension", "filter"], "domain": ["hat", "pen", "gem"]},
  "amt": {"uses": ["measure"], "aggregates": ["sum", "avg", "count", "stddev"]})");
  table.rule.insert(table.rule.rfind('}'), R"-(, "per_unit": {"total(amt)": {"step": 20}, "rows": {}})-");
  return table;
}

WorldTable Homes(std::size_t persons, std::size_t rare, Choices& choices) {
  const Dice dice(200 + choices.Below(50));
  WorldTable table{"homes", "power", false, static_cast<std::int64_t>(10 + choices.Below(2)), "home", "", ""};
  table.sql = "SELECT 'h' || i AS home, CASE WHEN " + dice.For(1) + " < " + Text(rare) + " THEN 'boat' WHEN " +
              dice.For(2) + " < 500 THEN 'flat' ELSE 'house' END AS kind,\n  " + dice.For(3) +
              " % 100 AS kwh, 'secret' || i AS secret, i AS row\nFROM range(" + Text(persons / 2) + ") AS r(i)";
  table.rule = Rule("home", "home", table, "protected", R"([["home"]])",
                    R"("home": {"identity": true, "uses": ["join"], "join_with": ["people.home"]},
  "kind": {"uses": ["dimension", "filter"], "domain": ["flat", "house", "boat"]},
  "kwh": {"uses": ["measure"], "aggregates": ["sum", "avg"]})");
  return table;
}

// Some are strangers; `rare` of a thousand have a flag of their own.
WorldTable List(std::size_t persons, Choices& choices) {
  const Dice dice(300 + choices.Below(50));
  WorldTable table{"list", "runner", true, 10, "pid", "", ""};
  const std::size_t strangers = 20 + choices.Below(400);
  table.sql = "SELECT CASE WHEN " + dice.For(1) + " < " + Text(strangers) +
              " THEN 's' || i ELSE 'p' || i END AS pid, ['g', 'h'][1 + " + dice.For(2) + " % 2] AS grp,\n  " +
              dice.For(3) + " % 3 AS score, 'secret' || i AS secret, i AS row\nFROM range(" + Text(persons * 3 / 4) +
              ") AS r(i)";
  table.rule = Rule("customer", "pid", table, "protected", R"([["pid"]])",
                    R"("pid": {"uses": ["join"], "join_with": ["*.pid"]},
  "grp": {"uses": ["dimension", "filter"]}, "score": {"uses": ["dimension", "filter"]})");
  return table;
}

}  // namespace

const WorldTable& World::Table(const std::string& name) const {
  return *std::ranges::find(tables, name, &WorldTable::name);
}

std::string World::Show() const {
  std::string out;
  for (const WorldTable& table : tables) {
    out += "table " + table.name + " " + table.owner + (table.own ? " own" : "") + "\n" + table.sql + "\n----\n" +
           table.rule + "\n\n";
  }
  return out;
}

World MakeWorld(Choices choices) {
  World world;
  const std::size_t persons = std::vector<std::size_t>{120, 240, 400}[choices.Below(3)];
  // Of a thousand: about 6, 12 or 18 units.
  const std::size_t rare = (6 + 6 * choices.Below(3)) * 1000 / persons;
  const bool nulls = choices.OneIn(2);
  world.is_public = choices.OneIn(4);
  const std::string membership = world.is_public ? "public" : "protected";
  world.tables.push_back(People(persons, rare, nulls, membership, choices));
  world.tables.push_back(Buys(persons, rare, membership, choices));
  world.tables.push_back(Homes(persons, rare, choices));
  world.tables.push_back(List(persons, choices));
  return world;
}

World WithoutUnit(const World& world, const std::string& table, const std::string& unit) {
  World out = world;
  WorldTable& changed = *std::ranges::find(out.tables, table, &WorldTable::name);
  changed.sql = "SELECT * FROM (" + changed.sql + ") AS t WHERE " + changed.unit + " <> '" + unit + "'";
  return out;
}

scenarios::Workshop& TheWorkshop() {
  static const bool kInMemory = std::filesystem::is_directory("/dev/shm") && setenv("TMPDIR", "/dev/shm", 0) == 0;
  (void)kInMemory;  // elsewhere it takes longer, no more
  static scenarios::Workshop workshop(std::make_unique<DirectEngine>());
  return workshop;
}

scenarios::Room Furnish(const World& world) {
  scenarios::Room room(TheWorkshop());
  for (const WorldTable& table : world.tables) {
    const Status added = room.AddTable(
        table.name, table.owner, table.own ? engine::Role::kOwn : engine::Role::kProtected, table.sql, table.rule);
    if (!added.ok()) {
      throw Refuted{"the table " + table.name + " is not taken: " + std::string(added.message()) + "\n" + world.Show()};
    }
  }
  return room;
}

}  // namespace glovebox::property
