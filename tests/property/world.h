// SPDX-License-Identifier: Apache-2.0
//
// A small random room. acme owns people (a row a person) and buys (many rows a person), power owns homes (two persons
// share one), the runner owns list. Values that few units have are frequent: they are what a leak tells about.
//
// In each table there is a column `secret` that no rule names; `row` is the row's number, not named either: what the
// oracle counts with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/property/choices.h"
#include "tests/scenarios/runner/room.h"

namespace glovebox::property {

struct WorldTable {
  std::string name;
  std::string owner;
  bool own = false;
  std::int64_t min_units = 0;
  std::string unit;  // column
  std::string sql;
  std::string rule;
};

struct World {
  std::vector<WorldTable> tables;  // people, buys, homes, list
  bool is_public = false;          // membership of acme's tables

  [[nodiscard]] const WorldTable& Table(const std::string& name) const;
  // Records of a scenario file.
  [[nodiscard]] std::string Show() const;
};

inline constexpr std::size_t kWorldNumbers = 16;
World MakeWorld(Choices choices);

// The same rows but for those of one unit of a protected table.
World WithoutUnit(const World& world, const std::string& table, const std::string& unit);

// Kept for all cases: tables are prepared once.
scenarios::Workshop& TheWorkshop();
// Throws Refuted if the engine does not take the tables.
scenarios::Room Furnish(const World& world);

}  // namespace glovebox::property
