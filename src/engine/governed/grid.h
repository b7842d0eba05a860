// SPDX-License-Identifier: Apache-2.0
//
// A grid: all cells of one governed query. What a release record remembers, and what the difference check compares. A
// cell is (group, aggregate, branch); its population is the grid's, restricted to the group's keys and to the branch.
//
// Contributions (PLANNER.md P10): a cell belongs to classes, and only cells of a common class are compared.
//   "units"            a unit contributes its presence: COUNT(DISTINCT unit), COUNT(*) over one row a unit
//   "rows:<table>"     the number of its rows
//   "<table>.<column>" the multiset of its values of a measure, whatever linear form was asked for
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "query/planner.h"
#include "query/population.h"

namespace glovebox::engine::governed {

// A group key without indexes into a core.
struct GridLeaf {
  query::Leaf::Kind kind = query::Leaf::Kind::kOwn;
  query::PopulationColumn column;                                           // not for kOwn
  std::vector<std::pair<std::optional<std::string>, query::Subset>> parts;  // kPartition: label as text
  query::Step step;                                                         // kBucket
  std::string sql;                                                          // the expression; kOwn: its text
  std::optional<query::Type> own_type;                                      // kOwn: of a plain column
};

struct GridBranch {
  std::vector<query::NamedBox> boxes;  // the branch's own conditions
  std::set<std::string> classes;
  bool none = false;    // adds nothing to the value: the complement of a FILTER, a missing ELSE
  bool counts = false;  // tells the number of its rows or units, by a constant that is not zero
};

struct GridCall {
  std::vector<GridBranch> branches;
  std::string kind;     // "count", "sum", "sum+count", "avg", "sample", "population" of a measure; "rows" otherwise
  std::string measure;  // "<table>.<column>" of the first branch that has one
};

// A value of a key as text; nothing is NULL.
using GroupKey = std::vector<std::optional<std::string>>;

struct GridGroup {
  GroupKey key;
  std::vector<std::vector<std::int64_t>> rows;  // [call][branch]
  std::vector<std::vector<std::string>>
      digests;                    // [call][branch]: of the cell's population and the versions of its tables
  std::vector<bool> few_missing;  // [call]: 1 to k-1 units have no value of the measure
  std::vector<bool> out;          // [call]: released
};

struct Grid {
  query::Population population;
  std::vector<GridLeaf> leaves;
  std::vector<GridCall> calls;
  std::vector<GridGroup> groups;
  bool one_row_per_unit = false;  // of the finest table
  bool stale = false;             // from history, over another version of some table

  // The class of COUNT(*).
  [[nodiscard]] std::string CountClass() const;
  // The population of a branch over all groups, and of one cell.
  [[nodiscard]] query::Population BranchPopulation(std::size_t call, std::size_t branch) const;
  Result<query::Population> CellPopulation(std::size_t call, std::size_t branch, const GroupKey& key,
                                           const query::AssetCatalog& assets) const;
  // Names a cell's population, with the versions of its tables.
  Result<std::string> CellDigest(std::size_t call, std::size_t branch, const GroupKey& key,
                                 const query::AssetCatalog& assets) const;
  // The canonical text of keys and branch population: equal for grids whose cells are the same or disjoint.
  [[nodiscard]] std::string Shape(std::size_t call, std::size_t branch, const query::AssetCatalog& assets) const;
};

// The grid of a planned query, without groups.
Grid GridOf(const query::GovernedQuery& query, const query::GovernedSql& sql, const std::vector<query::Asset>& assets);

json::Value GridToJson(const Grid& grid, const query::AssetCatalog& assets);
// Returns DATA_LOSS if the grid speaks of tables or values that are not there any more.
Result<Grid> GridFromJson(const json::Value& json, const query::AssetCatalog& assets);

// Whether calls of these kinds (GridCall::kind), over one measure and population, tell together how many rows have a
// value (P4).
bool TellNumberOfValues(const std::set<std::string>& kinds);

// Whether COUNT(*) of these rows is told by the calls of a class "units" or "rows:".
bool IsCountClass(const std::string& contribution);

}  // namespace glovebox::engine::governed
