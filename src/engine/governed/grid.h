// SPDX-License-Identifier: Apache-2.0
//
// A grid: all cells of one governed query. What a release record remembers, and what the difference check compares. A
// cell is (group, aggregate, branch); its population is the grid's, restricted to the group's keys and to the branch.
//
// Contributions (PLANNER.md P10): a cell belongs to classes, and only cells of a common class are compared.
//   "units:<owner>/<domain>" a unit of that kind contributes its presence: COUNT(DISTINCT unit), or COUNT(*) if
//                            each has one row
//   "rows:<table>"           the number of its rows
//   "<table>.<column>"       the multiset of its values of a measure, whatever linear form was asked for
//   "sum:<table>.<column>"   the total of its values: sums and averages that the asset's rule tests for dominance (P12)
// What tells how many rows have a value of a measure (P4: COUNT(x), SUM(a * x + b), SUM beside AVG or a variance)
// counts those rows: it is of a count's class as well, over the rows of its population with a value
// (GridBranch::valued). So is an average or a variance alone: of whole numbers it is a fraction, and whoever tries
// denominators finds their number. PLANNER.md accepts that for the rows without a value, not for other populations.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "privacy/dominance.h"
#include "query/planner.h"
#include "query/population.h"

namespace glovebox::engine::governed {

struct RunContext;

// What the sums of cells of a count's class (totals and parts, linear combinations) are read from. A fraction beside
// counts of rows stands for its rows, beside counts of values for those with a value; no reading has all three, and
// none has fractions of two measures with a value each, as whoever tries denominators may compare them.
struct Reading {
  enum class Kind {
    kExact,   // counts, without fractions
    kRows,    // counts of rows, and fractions
    kValues,  // counts of values, and the fractions of one measure
  };
  Kind kind = Kind::kExact;
  std::string measure = {};  // GridBranch::valued
};

// A group key without indexes into a core.
struct GridLeaf {
  query::Leaf::Kind kind = query::Leaf::Kind::kOwn;
  query::PopulationColumn column;                                           // not for kOwn
  std::vector<std::pair<std::optional<std::string>, query::Subset>> parts;  // kPartition: label as text
  query::Step step;                                                         // kBucket
  std::string sql;                                                          // the expression; kOwn: its text
  std::optional<query::Type> own_type;                                      // kOwn: of a plain column
  // kOwn: the columns that it is about, and the stored values that each key stands for; empty if they are not settled.
  std::set<query::PopulationColumn> own_columns;
  std::map<std::optional<std::string>, std::set<std::string>> own_rows;
};

struct GridBranch {
  std::vector<query::NamedBox> boxes;  // the branch's own conditions
  std::set<std::string> classes;
  std::string valued;    // "<table>.<column>": only rows with a value of it contribute; empty: every row
  bool lacking = false;  // some row may have no such value
  bool none = false;     // adds nothing to the value: the complement of a FILTER, a missing ELSE
  bool counts = false;   // tells the number of its rows or units, by a constant that is not zero
};

struct GridCall {
  std::vector<GridBranch> branches;
  std::string kind;  // "count", "sum", "sum+count", "avg", "sample", "population" of a measure; "rows" otherwise
};

// A value of a key as text; nothing is NULL.
using GroupKey = std::vector<std::optional<std::string>>;

struct GridGroup {
  GroupKey key;
  std::vector<std::vector<std::int64_t>> rows;    // [call][branch]
  std::vector<std::vector<std::int64_t>> values;  // [call][branch]: rows that contribute: those with a value
  // [call][branch]: of the cell's population and the versions of its tables; empty if no row can be in it.
  std::vector<std::vector<std::string>> digests;
  std::vector<bool> few_missing;  // [call]: 1 to k-1 units have no value of the measure
  std::vector<bool> told;         // [call]: beside what is out, it tells the number of rows with a value
  std::vector<bool> out;          // [call]: released
  // [call][branch]: of the classes of sums, as MeasureSums found them; not remembered.
  std::vector<std::vector<privacy::Magnitude>> magnitudes;
};

struct Grid {
  query::Population population;
  std::vector<GridLeaf> leaves;
  std::vector<GridCall> calls;
  std::vector<GridGroup> groups;
  std::set<std::string> count_classes;            // of COUNT(*): one for each table that Population::counted names
  bool rows_are_single = false;                   // no join multiplies the rows of the finest table
  bool stale = false;                             // from history, over another version of some table
  std::vector<std::vector<std::int64_t>> totals;  // [call][branch], from history, where groups are left out; see Total

  // How many rows of the branch's population contribute, in all groups, whether they are out or not.
  [[nodiscard]] std::int64_t Total(std::size_t call, std::size_t branch) const;
  // The classes of one cell: those of its branch, and what is told besides.
  [[nodiscard]] std::set<std::string> Classes(std::size_t call, std::size_t branch, std::size_t group) const;
  [[nodiscard]] bool IsOf(const std::string& contribution, std::size_t call, std::size_t branch,
                          std::size_t group) const;
  // Whether the cell is of the classes of counts as a fraction only: nothing else tells its number of values.
  [[nodiscard]] bool IsFraction(std::size_t call, std::size_t branch, std::size_t group) const;
  [[nodiscard]] bool IsFractionOf(const std::string& contribution, std::size_t call, std::size_t branch,
                                  std::size_t group) const {
    return count_classes.contains(contribution) && IsFraction(call, branch, group);
  }
  // Whether the cell, as one of the class, takes part in a reading; other classes than those of counts have the first.
  [[nodiscard]] bool IsRead(const Reading& reading, const std::string& contribution, std::size_t call,
                            std::size_t branch, std::size_t group) const;
  // What a row needs a value of to contribute to a cell of this class; empty: every row contributes.
  [[nodiscard]] const std::string& Valued(std::size_t call, std::size_t branch, const std::string& contribution) const;
  // The population of a branch over all groups, and of one cell.
  [[nodiscard]] query::Population BranchPopulation(std::size_t call, std::size_t branch) const;
  Result<query::Population> CellPopulation(std::size_t call, std::size_t branch, const GroupKey& key,
                                           const query::AssetCatalog& assets) const;
  // Names a cell's population, with the versions of its tables; empty if no row can be in it.
  Result<std::string> CellDigest(std::size_t call, std::size_t branch, const GroupKey& key,
                                 const query::AssetCatalog& assets) const;
  // The keys as columns of a SELECT, each followed by ", ", and the names that they get there.
  [[nodiscard]] std::string KeysSql() const;
  [[nodiscard]] std::vector<std::string> KeyNames() const;
  // The canonical text of keys and branch population: equal for grids whose cells are the same or disjoint.
  [[nodiscard]] std::string Shape(std::size_t call, std::size_t branch, const query::AssetCatalog& assets) const;
};

// The grid of a planned query, without groups.
Grid GridOf(const RunContext& run, const query::GovernedQuery& query, const query::GovernedSql& sql);

// DATA_LOSS.
Status UnreadableRecord();
json::Value GridToJson(const Grid& grid, const query::AssetCatalog& assets);
// Returns DATA_LOSS if the grid speaks of tables or values that are not there any more.
Result<Grid> GridFromJson(const json::Value& json, const query::AssetCatalog& assets);

// Whether calls of these kinds (GridCall::kind), over one measure and population, tell together how many rows have a
// value (P4).
bool TellNumberOfValues(const std::set<std::string>& kinds);

// Whether a kind is one of those that tell it together with the others.
bool TakesPart(const std::string& kind, const std::set<std::string>& kinds);

// Whether the class is "units:..." or "rows:...".
bool IsCountClass(const std::string& contribution);
bool IsUnitsClass(const std::string& contribution);
// Whether it is "sum:...".
bool IsSumClass(const std::string& contribution);
// The class of presence of an asset's units.
std::string UnitsClass(const query::Asset& asset);

}  // namespace glovebox::engine::governed
