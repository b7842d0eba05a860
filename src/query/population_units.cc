// SPDX-License-Identifier: Apache-2.0
//
// Distinct units that are a table.
#include <algorithm>
#include <iterator>
#include <tuple>

#include "base/assert.h"
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

// The table of the distinct units' key; null if it stands inside further distinct units.
const PopulationTable* KeyTable(const PopulationTable& units) {
  const auto found = std::ranges::find_if(units.distinct->tables, [&units](const PopulationTable& table) {
    return table.asset == units.asset && table.distinct == nullptr;
  });
  return found == units.distinct->tables.end() ? nullptr : &*found;
}

// With what the joins make equal to it.
std::set<PopulationColumn> ClassOf(const Population& population, const PopulationColumn& column) {
  const auto found =
      std::ranges::find_if(population.joins, [&](const auto& columns) { return columns.contains(column); });
  return found == population.joins.end() ? std::set{column} : *found;
}

// Whether the tables inside are others than those beside, or joined with themselves by the units.
bool AreJoined(const Population& population, const PopulationTable& units) {
  const PopulationTable* table = units.distinct == nullptr ? nullptr : KeyTable(units);
  if (table == nullptr) {
    return false;
  }
  const std::set<PopulationColumn> outer = ClassOf(population, {units.alias, units.key});
  const std::set<PopulationColumn> inner = ClassOf(*units.distinct, {table->alias, units.key});
  return std::ranges::all_of(units.distinct->tables, [&](const PopulationTable& one) {
    return population.Table(one.alias) == nullptr || std::ranges::any_of(inner, [&](const PopulationColumn& column) {
             return column.first == one.alias && outer.contains(column);
           });
  });
}

void AddJoin(Population& population, std::set<PopulationColumn> columns) {
  std::erase_if(population.joins, [&columns](const std::set<PopulationColumn>& known) {
    const bool meets = std::ranges::any_of(known, [&](const auto& column) { return columns.contains(column); });
    if (meets) {
      columns.insert(known.begin(), known.end());
    }
    return meets;
  });
  population.joins.push_back(std::move(columns));
}

// Puts the tables in the place of their distinct units.
void PutTables(Population& population, PopulationTable units) {
  std::erase_if(population.tables, [&units](const PopulationTable& table) { return table.alias == units.alias; });
  const Population& inner = *units.distinct;
  const PopulationTable* key = KeyTable(units);
  GB_ASSERT(key != nullptr);
  const std::string alias = key->alias;
  for (const PopulationTable& table : inner.tables) {
    if (population.Table(table.alias) == nullptr) {
      population.tables.push_back(table);
    }
  }
  std::ranges::sort(population.tables, {}, &PopulationTable::alias);
  for (std::set<PopulationColumn>& columns : population.joins) {
    if (columns.erase({units.alias, units.key}) > 0) {
      columns.insert({alias, units.key});
    }
  }
  for (const std::set<PopulationColumn>& columns : inner.joins) {
    AddJoin(population, columns);
  }
  std::erase_if(population.joins, [](const auto& columns) { return columns.size() < 2; });
  std::ranges::sort(population.joins);
  for (const auto& [columns, rows] : inner.own) {
    RestrictOwn(population.own, columns, rows);
  }
  population.boxes = IntersectBoxes(population.boxes, inner.boxes);
  population.finest = population.finest == units.alias ? alias : population.finest;
  if (population.counted.erase(units.alias) > 0) {
    population.counted.insert(alias);
  }
}

// Puts what is fit for it in the place of distinct units, from the innermost on.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
template <typename IsFit>
void Unnest(Population& population, const IsFit& is_fit) {
  for (PopulationTable& table : population.tables) {
    if (table.distinct != nullptr) {
      Population inner = *table.distinct;
      Unnest(inner, is_fit);
      table.distinct = std::make_shared<const Population>(std::move(inner));
    }
  }
  const auto next = [&] {
    return std::ranges::find_if(population.tables,
                                [&](const PopulationTable& table) { return is_fit(population, table); });
  };
  for (auto units = next(); units != population.tables.end(); units = next()) {
    PutTables(population, *units);
  }
}

// Of the protected tables whose rows are the rows of the join, the one that FinestOf would choose: the spelling decides
// which of them were tables, and which distinct units. Behind a LEFT JOIN there is no choice.
void ChooseFinest(Population& population, const AssetCatalog& assets) {
  const auto rank = [&assets](const PopulationTable& table) {
    const bool distinct = table.distinct != nullptr;
    return std::tuple(!distinct && !assets.Find(table.asset)->OneRowPerUnit(), distinct, table.alias);
  };
  const PopulationTable* best = nullptr;
  for (const PopulationTable& table : population.tables) {
    if (table.left_joined) {
      return;
    }
    if (population.counted.contains(table.alias) && assets.Find(table.asset)->IsProtected() &&
        (best == nullptr || rank(table) < rank(*best))) {
      best = &table;
    }
  }
  population.finest = best == nullptr ? population.finest : best->alias;
}

}  // namespace

void UnnestUnits(Population& population, const AssetCatalog& assets) {
  Unnest(population,
         [&assets](const Population& beside, const PopulationTable& units) { return IsTable(beside, units, assets); });
  ChooseFinest(population, assets);
}

void JoinUnits(Population& population) { Unnest(population, AreJoined); }

}  // namespace glovebox::query
