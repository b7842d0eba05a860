// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/remainder.h"

#include <algorithm>

#include "base/limits.h"
#include "engine/governed/distance.h"
#include "engine/governed/dominance.h"

namespace glovebox::engine::governed {
namespace {

using query::Population;

// The conditions that one part adds to its tables.
std::string ConditionSql(const Population& part, const Population& total, const query::AssetCatalog& assets) {
  std::string out = query::BoxesSql(part.boxes, part, assets);
  for (const auto& [columns, rows] : part.own) {
    const auto same = total.own.find(columns);
    if (same == total.own.end() || same->second != rows) {
      out += " AND " + rows.Sql();
    }
  }
  return "(" + out + ")";
}

// The rows of the total that contribute either to it or to some part.
Result<std::string> DifferenceSql(const CellAt& total, const Population& population, const std::vector<CellAt>& parts,
                                  const std::string& contribution, const query::AssetCatalog& assets) {
  std::string held;
  for (const CellAt& one : parts) {
    GB_ASSIGN_OR_RETURN(const Population part, one.Population(assets));
    held += (held.empty() ? "" : " OR ") + ConditionSql(part, population, assets) + " AND " +
            HasValueSql(one.Valued(contribution));
  }
  return "(" + HasValueSql(total.Valued(contribution)) + ") <> coalesce(" + (held.empty() ? "FALSE" : held) +
         ", FALSE)";
}

// Units of the table that are not in exactly one part: those that the parts leave out, and those that are in several.
// What counts presence adds up over other parts than rows do.
Result<privacy::Units> CountUneven(RunContext& run, const Population& population, const query::PopulationTable& table,
                                   std::int64_t k, const std::vector<CellAt>& parts, const std::string& contribution) {
  std::string times;
  for (const CellAt& one : parts) {
    GB_ASSIGN_OR_RETURN(const Population part, one.Population(run.catalog));
    times += (times.empty() ? "" : " + ") + ("max(CASE WHEN " + ConditionSql(part, population, run.catalog) + " AND ") +
             HasValueSql(one.Valued(contribution)) + " THEN 1 ELSE 0 END)";
  }
  GB_ASSIGN_OR_RETURN(const std::int64_t count,
                      run.connection.QueryInt("SELECT count(*) FROM (SELECT " + query::UnitSql(table.alias) +
                                              " AS u, " + times + " AS n" + query::FromSql(population, run.catalog) +
                                              " GROUP BY u) WHERE u IS NOT NULL AND n <> 1"));
  return privacy::DecideByCount(std::min(count, k), k);
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

// Whether one unit dominates what is left of a sum.
Result<bool> IsRemainderDominated(RunContext& run, const CellAt& total, const std::vector<CellAt>& parts,
                                  const std::string& contribution) {
  const auto magnitude = [](const CellAt& cell) {
    return cell.grid->groups[cell.group].magnitudes[cell.call][cell.branch];
  };
  GB_ASSIGN_OR_RETURN(const Population population, total.Population(run.catalog));
  const SummedMeasure measure = MeasureOf(population, contribution, run.catalog);
  double gross = 0;
  for (const CellAt& part : parts) {
    gross += magnitude(part).gross;
  }
  if (privacy::IsRemainderSafe(magnitude(total), gross, measure.percent)) {
    return false;
  }
  if (parts.size() > limits::kAuditPartsMax) {
    return true;
  }
  GB_ASSIGN_OR_RETURN(const std::string rest, DifferenceSql(total, population, parts, contribution, run.catalog));
  const std::string units =
      "SELECT " + query::UnitSql(measure.alias) + " AS u, " +
      UnitTotalsSql(query::ColumnSql(measure.alias, measure.column), " FILTER (WHERE " + rest + ")") +
      query::FromSql(population, run.catalog) + " GROUP BY u";
  GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table, run.connection.Query(MagnitudesSql({}, units)));
  return privacy::IsDominated(ReadMagnitude(table, 0, 0), measure.percent);
}

}  // namespace

privacy::Units UnitsByRows(const RunContext& run, const Population& population, const query::PopulationTable& table,
                           std::int64_t rows, std::int64_t k) {
  if (table.alias != population.finest) {
    return privacy::Units::kUndecided;
  }
  const AssetStatistics& statistics = run.StatisticsOf(table.asset);
  return privacy::DecideByRows({.rows = rows,
                                .min_units = k,
                                .heaviest_rows = run.catalog.Find(table.asset)->rule.min_units == k
                                                     ? std::optional(statistics.heaviest_rows)
                                                     : std::nullopt,
                                .one_row_per_unit = statistics.one_row_per_unit});
}

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

std::int64_t MinimumOf(const RunContext& run, const Population& population, const query::PopulationTable& table) {
  std::int64_t k = 0;
  for (const query::PopulationTable& other : population.tables) {
    const query::Asset* asset = run.catalog.Find(other.asset);
    if (asset != nullptr && asset->IsProtected() && HaveOneUnit(population, table.alias, other.alias, run.catalog)) {
      k = std::max(k, MinimumUnits(other, run.catalog));
    }
  }
  return k;
}

std::string CellAt::Valued(const std::string& contribution) const {
  return reading.kind == Reading::Kind::kRows ? "" : grid->Valued(call, branch, contribution);
}

std::int64_t CellAt::Rows(const std::string& contribution) const {
  const GridGroup& of = grid->groups[group];
  return Valued(contribution).empty() ? of.rows[call][branch] : of.values[call][branch];
}

Result<Population> CellAt::Population(const query::AssetCatalog& assets) const {
  return grid->CellPopulation(call, branch, grid->groups[group].key, assets);
}

Result<bool> IsRemainderUnsafe(RunContext& run, const CellAt& total, std::int64_t rows, const std::string& contribution,
                               const std::function<std::vector<CellAt>()>& parts) {
  if (IsSumClass(contribution)) {
    return rows <= 0 ? Result<bool>(false) : IsRemainderDominated(run, total, parts(), contribution);
  }
  std::vector<CellAt> cells;
  const bool uneven = IsUnitsClass(contribution) && !total.grid->count_classes.contains(contribution);
  if (rows <= 0 && !uneven) {
    // Nothing is left, unless a part counts rows that the total does not.
    const std::string valued = total.Valued(contribution);
    cells = valued.empty() ? std::vector<CellAt>{} : parts();
    if (std::ranges::all_of(cells, [&](const CellAt& part) { return part.Valued(contribution) == valued; })) {
      return false;
    }
  }
  GB_ASSIGN_OR_RETURN(const Population population, total.Population(run.catalog));
  std::string rest;  // of the total, as a FILTER
  for (const query::PopulationTable* table : UnitTables(run, population)) {
    const std::int64_t k = MinimumOf(run, population, *table);
    privacy::Units units =
        total.grid->rows_are_single ? UnitsByRows(run, population, *table, rows, k) : privacy::Units::kUndecided;
    if (units != privacy::Units::kEnough) {
      if (rest.empty()) {
        cells = cells.empty() ? parts() : std::move(cells);
        if (cells.size() > limits::kAuditPartsMax) {
          return true;
        }
        if (uneven) {
          GB_ASSIGN_OR_RETURN(units, CountUneven(run, population, *table, k, cells, contribution));
          if (units == privacy::Units::kFew) {
            return true;
          }
          continue;
        }
        GB_ASSIGN_OR_RETURN(rest, DifferenceSql(total, population, cells, contribution, run.catalog));
      }
      GB_ASSIGN_OR_RETURN(units, CountUnits(run, population, *table, k, rest));
    }
    if (units == privacy::Units::kFew) {
      return true;
    }
  }
  return false;
}

}  // namespace glovebox::engine::governed
