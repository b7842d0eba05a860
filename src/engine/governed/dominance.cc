// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/dominance.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/strings.h"
#include "query/print_expr.h"

namespace glovebox::engine::governed {
namespace {

using privacy::Magnitude;
using query::Population;

constexpr std::size_t kMagnitudeColumns = 5;

// A branch adds up one measure.
std::optional<std::string> SumClassOf(const GridBranch& branch) {
  const auto found = std::ranges::find_if(branch.classes, IsSumClass);
  return found == branch.classes.end() ? std::nullopt : std::optional(*found);
}

bool HasSums(const Grid& grid) {
  return std::ranges::any_of(grid.calls, [](const GridCall& call) {
    return std::ranges::any_of(call.branches, [](const GridBranch& branch) { return SumClassOf(branch).has_value(); });
  });
}

// By group.
Result<std::vector<Magnitude>> MagnitudesOf(RunContext& run, const Grid& grid, std::size_t c, std::size_t b,
                                            const std::string& contribution) {
  const Population population = grid.BranchPopulation(c, b);
  const SummedMeasure measure = MeasureOf(population, contribution, run.catalog);
  const std::string column = query::ColumnSql(measure.alias, measure.column);
  const std::string units = "SELECT " + grid.KeysSql() + query::UnitSql(measure.alias) + " AS u, " +
                            UnitTotalsSql(column, "") + query::FromSql(population, run.catalog) +
                            query::GroupBySql(grid.leaves.size() + 1);
  GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table, run.connection.Query(MagnitudesSql(grid.KeyNames(), units)));
  std::map<GroupKey, Magnitude> by_key;
  for (std::size_t row = 0; row < table.rows; ++row) {
    GroupKey key;
    for (std::size_t i = 0; i < grid.leaves.size(); ++i) {
      key.push_back(KeyText(table.columns[i], row));
    }
    by_key.emplace(std::move(key), ReadMagnitude(table, row, grid.leaves.size()));
  }
  std::vector<Magnitude> out;
  for (const GridGroup& group : grid.groups) {
    const auto found = by_key.find(group.key);
    out.push_back(found == by_key.end() ? Magnitude{} : found->second);  // no unit has a value in it
  }
  return out;
}

}  // namespace

SummedMeasure MeasureOf(const Population& population, const std::string& contribution,
                        const query::AssetCatalog& assets) {
  const std::string valued = contribution.substr(contribution.find(':') + 1);
  const query::PopulationColumn column = MeasureColumn(valued);
  SummedMeasure out{column.first, column.second};
  const query::PopulationTable* table = population.Table(out.alias);
  const query::Asset* asset = table == nullptr ? nullptr : assets.Find(table->asset);
  out.percent = asset == nullptr ? 0 : asset->rule.dominance_percent;
  return out;
}

std::string UnitTotalsSql(const std::string& column, const std::string& filter) {
  return "CAST(sum(" + column + ")" + filter + " AS DOUBLE) AS s, sum(abs(CAST(" + column + " AS DOUBLE)))" + filter +
         " AS w";
}

std::string MagnitudesSql(const std::vector<std::string>& keys, const std::string& units) {
  return "SELECT " + Join(keys, ", ") + (keys.empty() ? "" : ", ") +
         "coalesce(sum(abs(s)), 0) AS t, coalesce(max(abs(s), 2)[1], 0) AS x1, coalesce(max(abs(s), 2)[2], 0) AS x2, "
         "coalesce(sum(w), 0) AS g, coalesce(max(w), 0) AS g1 FROM (" +
         units + ") WHERE u IS NOT NULL AND s IS NOT NULL" + (keys.empty() ? "" : " GROUP BY ALL");
}

Magnitude ReadMagnitude(const duckdb::ResultTable& table, std::size_t row, std::size_t first) {
  GB_ASSERT(table.columns.size() == first + kMagnitudeColumns);
  const auto at = [&](std::size_t column) { return table.columns[first + column].doubles[row]; };
  return {at(0), at(1), at(2), at(3), at(4)};
}

Status MeasureSums(RunContext& run, Grid& grid) {
  if (!HasSums(grid)) {
    return {};
  }
  std::map<std::pair<std::string, std::string>, std::vector<Magnitude>> known;  // by shape and class
  for (GridGroup& group : grid.groups) {
    group.magnitudes.clear();
    for (const GridCall& call : grid.calls) {
      group.magnitudes.emplace_back(call.branches.size());
    }
  }
  for (std::size_t c = 0; c < grid.calls.size(); ++c) {
    for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
      const std::optional<std::string> contribution = SumClassOf(grid.calls[c].branches[b]);
      if (!contribution) {
        continue;
      }
      const auto [entry, added] = known.try_emplace({grid.Shape(c, b, run.catalog), *contribution});
      if (added) {
        GB_ASSIGN_OR_RETURN(entry->second, MagnitudesOf(run, grid, c, b, *contribution));
      }
      for (std::size_t g = 0; g < grid.groups.size(); ++g) {
        grid.groups[g].magnitudes[c][b] = entry->second[g];
      }
    }
  }
  return {};
}

Status WithholdDominated(RunContext& run, ExecutedQuery& executed) {
  Grid& grid = executed.grid;
  GB_RETURN_IF_ERROR(MeasureSums(run, grid));
  for (std::size_t c = 0; c < grid.calls.size(); ++c) {
    for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
      const std::optional<std::string> contribution = SumClassOf(grid.calls[c].branches[b]);
      const std::int64_t percent =
          contribution ? MeasureOf(grid.population, *contribution, run.catalog).percent : std::int64_t{0};
      for (std::size_t g = 0; g < grid.groups.size() && percent > 0; ++g) {
        const bool dominated = privacy::IsDominated(grid.groups[g].magnitudes[c][b], percent);
        executed.call_ok[c][g] = executed.call_ok[c][g] && !dominated;
      }
    }
  }
  return {};
}

Status MeasureHistory(RunContext& run, const std::vector<ExecutedQuery>& queries, std::vector<Grid>& history) {
  if (std::ranges::none_of(queries, [](const ExecutedQuery& query) { return HasSums(query.grid); })) {
    return {};
  }
  for (Grid& grid : history) {
    if (!grid.stale) {
      GB_RETURN_IF_ERROR(MeasureSums(run, grid));
    }
  }
  return {};
}

Result<bool> IsDifferenceDominated(RunContext& run, const Population& a, const Population& b,
                                   const std::string& contribution) {
  const SummedMeasure measure = MeasureOf(a, contribution, run.catalog);
  const std::string column = query::ColumnSql(measure.alias, measure.column);
  const auto side = [&](const Population& population, const std::string& sign) {
    return "SELECT " + query::UnitSql(measure.alias) + " AS u, " + sign + "sum(" + column + ") AS v" +
           query::FromSql(population, run.catalog) + " GROUP BY u";
  };
  // What cancels out exactly does so before it becomes a double.
  const std::string units = "SELECT u, CAST(sum(v) AS DOUBLE) AS s, abs(CAST(sum(v) AS DOUBLE)) AS w FROM (" +
                            side(a, "") + " UNION ALL " + side(b, "-") + ") GROUP BY u";
  GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table, run.connection.Query(MagnitudesSql({}, units)));
  return privacy::IsDominated(ReadMagnitude(table, 0, 0), measure.percent);
}

}  // namespace glovebox::engine::governed
