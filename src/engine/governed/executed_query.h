// SPDX-License-Identifier: Apache-2.0
//
// A governed query after its groups were computed: what the decisions need, in host memory. Values stay in DuckDB.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/duckdb/connection.h"
#include "engine/engine.h"
#include "engine/governed/grid.h"
#include "privacy/minimum_group.h"
#include "query/planner.h"

namespace glovebox::engine::governed {

// What Prepare found out about an asset.
struct AssetStatistics {
  std::int64_t heaviest_rows = 0;  // T(k) for the rule's own k
  bool one_row_per_unit = false;
  std::string units_relation;  // id and hash of its units
  std::set<std::string> columns_without_null = {};
  // Identities that, where they have a value, are one to one with units: to count them is to count units.
  std::set<std::string> columns_of_units = {};
};

struct RunContext {
  duckdb::Connection& connection;
  const std::vector<query::Asset>& assets;
  const std::vector<AssetStatistics>& statistics;  // by asset
  const query::Plan& plan;
  query::AssetCatalog catalog;

  // By display name. REQUIRES: the run has the asset.
  [[nodiscard]] const AssetStatistics& StatisticsOf(const std::string& asset) const;
  // A function that counts units up to k; registered on first use.
  Result<std::string> Counter(std::int64_t min_units);
  std::map<std::int64_t, std::string> counters = {};
};

// By asset: AssetStatistics::units_relation.
std::vector<std::string> UnitRelations(const RunContext& run);

struct ExecutedQuery {
  std::size_t index = 0;  // of the governed query in the plan
  std::size_t groups = 0;
  Grid grid;                                                // groups with keys and rows; `out` is filled at the end
  std::vector<std::vector<std::int64_t>> region_rows;       // [region][group]
  std::map<std::size_t, std::vector<std::int64_t>> values;  // by moment index: rows with a value, [group]
  std::vector<bool> group_ok;                               // [group]: minimum group and membership
  std::vector<std::vector<bool>> call_ok;                   // [call][group]

  // By group. REQUIRES: the column is a ValuedColumn of a branch over the region.
  [[nodiscard]] const std::vector<std::int64_t>& RowsWithValue(const query::GovernedSql& sql, std::size_t region,
                                                               query::ColumnRef column) const;
  [[nodiscard]] std::string GroupsTable() const { return "groups_" + std::to_string(index); }
};

// The class (grid.h) of the number of a table's rows: of presence, if a unit has at most one, by a declared key or by
// what is stored.
std::string CountClass(const RunContext& run, const query::PopulationTable& table);
// Of the tables that Population::counted names.
std::set<std::string> CountClasses(const RunContext& run, const query::Population& population);
// Those that tell more than the first, as some cell that is out is a fraction, and the first.
std::vector<Reading> ReadingsOf(const std::vector<ExecutedQuery>& queries, const std::vector<Grid>& history);
// The table's alias and the column that GridBranch::valued names.
query::PopulationColumn MeasureColumn(const std::string& valued);
// Whether a row has a value of it; TRUE if it names nothing.
std::string HasValueSql(const std::string& valued);
// Whether some row of the population may have no value of the measure ("<table>.<column>").
bool MayBeNull(const RunContext& run, const query::Population& population, const std::string& valued);

// A value of a key: equal texts are what SQL groups together, given that CheckTypes accepted the key (outputs.h).
std::optional<std::string> KeyText(const duckdb::ResultColumn& column, std::size_t row);

// Step 3. Returns RESOURCE_EXHAUSTED if there are more groups than limits::kRunGroupsMax.
Result<ExecutedQuery> ExecuteGroups(RunContext& run, std::size_t index);

// Step 4: fills group_ok and call_ok.
Status ApplyMinimumGroups(RunContext& run, ExecutedQuery& executed);

// P12, largest number of rows: of the groups that are out, only the first in the order of the keys stay. The last step:
// a group that is withheld takes no other one's place, whatever it is withheld for.
void LimitGroups(const RunContext& run, ExecutedQuery& executed);

// The instances whose units are counted apart: those of one owner that are joined on their units are counted once.
struct CountedInstance {
  std::size_t instance = 0;
  std::int64_t min_units = 0;
};
std::vector<CountedInstance> CountedInstances(const query::GovernedQuery& query,
                                              const std::vector<query::Asset>& assets);

// The minimum group of a table's units: its asset's, and those of the protected tables inside its distinct units.
std::int64_t MinimumUnits(const query::PopulationTable& table, const query::AssetCatalog& assets);

}  // namespace glovebox::engine::governed
