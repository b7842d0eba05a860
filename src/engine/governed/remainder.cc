// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/remainder.h"

#include <algorithm>

#include "engine/governed/distance.h"
#include "privacy/minimum_group.h"

namespace glovebox::engine::governed {
namespace {

using query::Population;

const AssetStatistics* StatisticsOf(const RunContext& run, const query::Asset* asset) {
  for (std::size_t i = 0; i < run.assets.size(); ++i) {
    if (&run.assets[i] == asset) {
      return &run.statistics[i];
    }
  }
  return nullptr;
}

// The protected tables of a population whose units have to be counted apart.
std::vector<const query::PopulationTable*> UnitTables(const RunContext& run, const Population& population) {
  std::vector<const query::PopulationTable*> out;
  const auto add = [&](const query::PopulationTable& table) {
    const query::Asset* asset = run.catalog.Find(table.asset);
    if (asset != nullptr && asset->IsProtected() && std::ranges::none_of(out, [&](const auto* known) {
          return HaveOneUnit(population, known->alias, table.alias, run.catalog);
        })) {
      out.push_back(&table);
    }
  };
  if (const query::PopulationTable* finest = population.Table(population.finest)) {
    add(*finest);
  }
  std::ranges::for_each(population.tables, add);
  return out;
}

// The largest minimum group of the tables that hold the same units.
std::int64_t MinimumOf(const RunContext& run, const Population& population, const query::PopulationTable& table) {
  std::int64_t k = 0;
  for (const query::PopulationTable& other : population.tables) {
    const query::Asset* asset = run.catalog.Find(other.asset);
    if (asset != nullptr && asset->IsProtected() && HaveOneUnit(population, table.alias, other.alias, run.catalog)) {
      k = std::max(k, asset->rule.min_units);
    }
  }
  return k;
}

// Row counts, where every row of the finest table contributes.
privacy::Units ByRows(const RunContext& run, const Population& population, const query::PopulationTable& table,
                      const std::string& contribution, std::int64_t rows, std::int64_t k) {
  const query::Asset* asset = run.catalog.Find(table.asset);
  const AssetStatistics* statistics = StatisticsOf(run, asset);
  if (table.alias != population.finest || statistics == nullptr ||
      (!IsCountClass(contribution) &&
       !statistics->columns_without_null.contains(contribution.substr(contribution.rfind('.') + 1)))) {
    return privacy::Units::kUndecided;
  }
  return privacy::DecideByRows(
      {.rows = rows,
       .min_units = k,
       .heaviest_rows = asset->rule.min_units == k ? std::optional(statistics->heaviest_rows) : std::nullopt,
       .one_row_per_unit = table.distinct != nullptr || statistics->one_row_per_unit});
}

// The conditions that one part adds to its tables.
std::string ConditionSql(const Population& part, const Population& total, const query::AssetCatalog& assets) {
  std::string out = query::BoxesSql(part.boxes, part, assets);
  for (const std::string& condition : part.own) {
    if (std::ranges::find(total.own, condition) == total.own.end()) {
      out += " AND " + condition;
    }
  }
  return "(" + out + ")";
}

// The rows that some part holds.
Result<std::string> PartsSql(const Population& total, const std::vector<CellAt>& parts,
                             const query::AssetCatalog& assets) {
  std::string out;
  for (const CellAt& one : parts) {
    GB_ASSIGN_OR_RETURN(const Population part, one.Population(assets));
    out += (out.empty() ? "(" : " OR ") + ConditionSql(part, total, assets);
  }
  return out + ")";
}

std::string MeasureSql(const std::string& measure) {
  const std::size_t dot = measure.rfind('.');
  return query::ColumnSql(measure.substr(0, dot), measure.substr(dot + 1));
}

// Units of the table in the rows of the population that fulfil the condition.
Result<privacy::Units> CountUnits(RunContext& run, const Population& population, const query::PopulationTable& table,
                                  std::int64_t k, const std::string& condition) {
  GB_ASSIGN_OR_RETURN(const std::string counter, run.Counter(k));
  GB_ASSIGN_OR_RETURN(
      const std::int64_t count,
      run.connection.QueryInt("SELECT " + counter + "(" + query::UnitSql(table.alias) + ") FILTER (WHERE " + condition +
                              ")" + query::FromSql(population, run.catalog)));
  return privacy::DecideByCount(count, k);
}

}  // namespace

Result<Population> CellAt::Population(const query::AssetCatalog& assets) const {
  return grid->CellPopulation(call, branch, grid->groups[group].key, assets);
}

Result<bool> IsRemainderFew(RunContext& run, const CellAt& total, const std::vector<CellAt>& parts,
                            const std::string& contribution) {
  std::int64_t rows = total.rows();
  for (const CellAt& part : parts) {
    rows -= part.rows();
  }
  if (rows <= 0) {
    return false;
  }
  GB_ASSIGN_OR_RETURN(const Population population, total.Population(run.catalog));
  std::string rest;  // of the total, as a FILTER
  for (const query::PopulationTable* table : UnitTables(run, population)) {
    const std::int64_t k = MinimumOf(run, population, *table);
    privacy::Units units = ByRows(run, population, *table, contribution, rows, k);
    if (units == privacy::Units::kUndecided) {
      if (rest.empty()) {
        GB_ASSIGN_OR_RETURN(rest, PartsSql(population, parts, run.catalog));
        rest += " IS NOT TRUE";
        rest += IsCountClass(contribution) ? "" : " AND " + MeasureSql(contribution) + " IS NOT NULL";
      }
      GB_ASSIGN_OR_RETURN(units, CountUnits(run, population, *table, k, rest));
    }
    if (units == privacy::Units::kFew) {
      return true;
    }
  }
  return false;
}

Result<bool> IsMissingFew(RunContext& run, const CellAt& total, const std::vector<CellAt>& parts,
                          const std::string& measure) {
  GB_ASSIGN_OR_RETURN(const Population population, total.Population(run.catalog));
  GB_ASSIGN_OR_RETURN(std::string missing, PartsSql(population, parts, run.catalog));
  missing += " AND " + MeasureSql(measure) + " IS NULL";
  for (const query::PopulationTable* table : UnitTables(run, population)) {
    const std::int64_t k = MinimumOf(run, population, *table);
    GB_ASSIGN_OR_RETURN(const privacy::Units units, CountUnits(run, population, *table, k, missing));
    if (units == privacy::Units::kFew) {
      return true;
    }
  }
  return false;
}

}  // namespace glovebox::engine::governed
