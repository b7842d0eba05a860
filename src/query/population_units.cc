// SPDX-License-Identifier: Apache-2.0
//
// Distinct units that are a table.
#include <algorithm>
#include <iterator>

#include "query/population.h"

namespace glovebox::query {
namespace {

bool AreEqual(const Population& population, const PopulationColumn& a, const PopulationColumn& b) {
  return std::ranges::any_of(population.joins,
                             [&](const auto& columns) { return columns.contains(a) && columns.contains(b); });
}

// Distinct units of one table alone, whatever conditions on it.
bool IsOfOneTable(const PopulationTable& table) {
  return table.distinct != nullptr && table.distinct->tables.size() == 1 &&
         table.distinct->tables[0].distinct == nullptr && table.distinct->own.empty();
}

// Whether the distinct units are the rows of their table, or add nothing to it.
bool IsTable(const Population& population, const PopulationTable& units, const AssetCatalog& assets) {
  const Asset* asset = assets.Find(units.asset);
  if (asset == nullptr || !IsOfOneTable(units)) {
    return false;
  }
  bool is_there = false;
  for (const PopulationTable& other : population.tables) {
    const bool rival =
        other.alias != units.alias && other.asset == units.asset && (other.distinct == nullptr || IsOfOneTable(other));
    if (rival && (other.left_joined || !AreEqual(population, {units.alias, units.key}, {other.alias, units.key}))) {
      return false;
    }
    is_there = is_there || (rival && other.distinct == nullptr);
  }
  const std::vector<NamedBox>& boxes = units.distinct->boxes;
  return asset->OneRowPerUnit() || (is_there && boxes.size() == 1 && boxes[0].empty());
}

// Puts the table in the place of its distinct units.
void PutTable(Population& population, PopulationTable units) {
  std::erase_if(population.tables, [&units](const PopulationTable& table) { return table.alias == units.alias; });
  const PopulationTable table = units.distinct->tables[0];
  if (population.Table(table.alias) == nullptr) {
    population.tables.push_back(table);
    std::ranges::sort(population.tables, {}, &PopulationTable::alias);
  }
  for (std::set<PopulationColumn>& columns : population.joins) {
    if (columns.erase({units.alias, units.key}) > 0) {
      columns.insert({table.alias, units.key});
    }
  }
  std::erase_if(population.joins, [](const auto& columns) { return columns.size() < 2; });
  std::ranges::sort(population.joins);
  population.boxes = IntersectBoxes(population.boxes, units.distinct->boxes);
  population.finest = population.finest == units.alias ? table.alias : population.finest;
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
void UnnestUnits(Population& population, const AssetCatalog& assets) {
  for (PopulationTable& table : population.tables) {
    if (table.distinct != nullptr) {
      Population inner = *table.distinct;
      UnnestUnits(inner, assets);
      table.distinct = std::make_shared<const Population>(std::move(inner));
    }
  }
  const auto next = [&] {
    return std::ranges::find_if(population.tables,
                                [&](const PopulationTable& table) { return IsTable(population, table, assets); });
  };
  for (auto units = next(); units != population.tables.end(); units = next()) {
    PutTable(population, *units);
  }
}

}  // namespace glovebox::query
