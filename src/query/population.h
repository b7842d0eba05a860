// SPDX-License-Identifier: Apache-2.0
//
// A population: which rows of which tables, joined how. The rows of a core, of one of its groups, or of one branch of
// one group. It is what a release record remembers of a cell (PLANNER.md P10), so it is a value with a canonical text,
// and SQL is printed from it.
//
// Two populations are equal by structure if their canonical texts are equal. Names stand for tables, not indexes; joins
// are classes of equal columns; distinct units are named by what is in them; of several tables whose rows are the rows
// of the join, one is the finest. Conditions on own columns come as they were written: SettleConditions in the engine,
// which has the stored values, gives them one form, and UnnestUnits then does so for distinct units. Pure.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "query/core.h"

namespace glovebox::query {

// The assets of a run, by display name, and what their rules declare of their columns.
class AssetCatalog {
 public:
  explicit AssetCatalog(const std::vector<Asset>& assets);
  // Null if there is none.
  [[nodiscard]] const Asset* Find(const std::string& name) const;
  [[nodiscard]] const ColumnDomain* Domain(const std::string& asset, const std::string& column) const;

 private:
  std::map<std::string, const Asset*> by_name_;
  std::map<std::pair<std::string, std::string>, ColumnDomain> domains_;
};

struct Population;

struct PopulationTable {
  std::string alias;  // the asset's display name, or "distinct <asset> #<n>"
  std::string asset;
  std::shared_ptr<const Population> distinct;  // set: distinct units of this population, joined on `key`
  std::string key;                             // a column of `asset`
  bool left_joined = false;
};

// Columns are "alias" and "column".
using PopulationColumn = std::pair<std::string, std::string>;
// Of "alias.column": a column's name has no dot.
std::optional<PopulationColumn> SplitColumn(const std::string& text);
using NamedBox = std::map<PopulationColumn, Subset>;

// What is asked of some own columns. As it was written it is a conjunction; settled, it is the values that the columns
// have in the stored rows that fulfil it, each as a condition.
struct OwnRows {
  bool settled = false;
  std::set<std::string> conditions;
  friend auto operator<=>(const OwnRows&, const OwnRows&) = default;

  [[nodiscard]] std::string Sql() const;
};
using OwnConditions = std::map<std::set<PopulationColumn>, OwnRows>;  // by the columns that they are about

struct Population {
  std::vector<PopulationTable> tables;            // sorted by alias
  std::vector<std::set<PopulationColumn>> joins;  // sorted, disjoint classes of columns that are equal
  std::vector<NamedBox> boxes;                    // a union of disjoint boxes; sorted by text
  OwnConditions own;
  std::string finest;  // alias of the table whose rows are counted
  // Aliases of the protected tables that have a row for each row of the finest, itself among them, and no row twice: to
  // count its rows is to count theirs.
  std::set<std::string> counted;

  [[nodiscard]] json::Value ToJson(const AssetCatalog& assets) const;
  // The canonical text of ToJson.
  [[nodiscard]] std::string Text(const AssetCatalog& assets) const;
  [[nodiscard]] const PopulationTable* Table(const std::string& alias) const;
  // Of its tables, and of those of its distinct units.
  [[nodiscard]] std::set<std::string> AssetNames() const;
  // Null if the rule has changed and does not name the column any more.
  [[nodiscard]] const ColumnDomain* Domain(const PopulationColumn& column, const AssetCatalog& assets) const;
};

// Of instances any of which may be the finest (P5), the one that every spelling of the query chooses: one row a unit
// before many, a table before distinct units, then by alias. REQUIRES: there is one.
std::size_t FinestOf(const Core& core, const std::vector<Asset>& assets, const std::vector<std::size_t>& candidates);

// The rows of a core.
Population PopulationOf(const GovernedQuery& query, const std::vector<Asset>& assets);
// The same, restricted to a region of the core.
Population Restrict(const Population& population, const Region& region, const Core& core,
                    const std::vector<Asset>& assets);
// The distinct units of a table with one row a unit are its rows, and those of a table that is there anyway, on the
// same units, add nothing: the table stands in their place, and may be the finest.
void UnnestUnits(Population& population, const AssetCatalog& assets);
// Distinct units as joins with what is in them, for questions about units alone. They stay where a table inside is
// there anyway, and the units do not join the two.
void JoinUnits(Population& population);
// The same rows, counted by this table, which has one for each. Of a LEFT JOIN they are those that were matched: what
// has no value in the others.
Population RowsOf(Population population, const std::string& alias);
// The rows of both. Settled conditions on the same columns have the values that are in both.
void RestrictOwn(OwnConditions& own, const std::set<PopulationColumn>& columns, const OwnRows& rows);
// What lies in a box of both unions.
std::vector<NamedBox> IntersectBoxes(const std::vector<NamedBox>& a, const std::vector<NamedBox>& b);

json::Value ColumnsToJson(const std::set<PopulationColumn>& columns);
// Nothing if it does not read.
std::optional<std::set<PopulationColumn>> ColumnsFromJson(const json::Value& json);
Result<Population> PopulationFromJson(const json::Value& json, const AssetCatalog& assets);

// Whether what lies in a box of the one union lies in a box of the other, box by box.
bool AreWithin(const std::vector<NamedBox>& inner, const std::vector<NamedBox>& outer);
// Whether the rows of the one are rows of the other, as far as their conditions show. REQUIRES: the same tables and
// joins.
bool IsWithin(const Population& inner, const Population& outer);
// Whether no row of the finest table can be in both (decided by subsets of one table that both hold).
bool AreDisjoint(const Population& a, const Population& b);

// SQL. Tables appear under their aliases, quoted.
// " FROM ... WHERE ..." with the population's own conditions and its boxes.
std::string FromSql(const Population& population, const AssetCatalog& assets);
std::string BoxesSql(const std::vector<NamedBox>& boxes, const Population& population, const AssetCatalog& assets);
std::string ColumnSql(const std::string& alias, const std::string& column);
// The hidden column of privacy units.
std::string UnitSql(const std::string& alias);
inline constexpr const char* kUnitColumn = "__gb_unit";

// Names of a core's instances in its population. The same distinct units on the same key are one table.
std::string AliasOf(const Core& core, const std::vector<Asset>& assets, std::size_t instance);
PopulationColumn NameOf(const Core& core, const std::vector<Asset>& assets, ColumnRef column);

}  // namespace glovebox::query
