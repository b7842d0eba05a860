// SPDX-License-Identifier: Apache-2.0
//
// A population: which rows of which tables, joined how. The rows of a core, of one of its groups, or of one branch of
// one group. It is what a release record remembers of a cell (PLANNER.md P10), so it is a value with a canonical text,
// and SQL is printed from it.
//
// Two populations are equal by structure if their canonical texts are equal. Names stand for tables, not indexes, so
// the text does not depend on how a query was written. Pure.
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
using NamedBox = std::map<PopulationColumn, Subset>;

struct Population {
  std::vector<PopulationTable> tables;                               // sorted by alias
  std::vector<std::pair<PopulationColumn, PopulationColumn>> joins;  // sorted, each with the smaller side first
  std::vector<NamedBox> boxes;                                       // a union of disjoint boxes; sorted by text
  std::vector<std::string> own;                                      // conditions on own columns; sorted
  std::string finest;                                                // alias of the table whose rows are counted

  [[nodiscard]] json::Value ToJson(const AssetCatalog& assets) const;
  // The canonical text of ToJson.
  [[nodiscard]] std::string Text(const AssetCatalog& assets) const;
  [[nodiscard]] const PopulationTable* Table(const std::string& alias) const;
  // Of its tables, and of those of its distinct units.
  [[nodiscard]] std::set<std::string> AssetNames() const;
  // Null if the rule has changed and does not name the column any more.
  [[nodiscard]] const ColumnDomain* Domain(const PopulationColumn& column, const AssetCatalog& assets) const;
};

// The rows of a core.
Population PopulationOf(const GovernedQuery& query, const std::vector<Asset>& assets);
// The same, restricted to a region of the core.
Population Restrict(const Population& population, const Region& region, const Core& core,
                    const std::vector<Asset>& assets);
// What lies in a box of both unions.
std::vector<NamedBox> IntersectBoxes(const std::vector<NamedBox>& a, const std::vector<NamedBox>& b);

Result<Population> PopulationFromJson(const json::Value& json, const AssetCatalog& assets);

// Whether no row of the finest table can be in both (decided by subsets of one table that both hold).
bool AreDisjoint(const Population& a, const Population& b);

// SQL. Tables appear under their aliases, quoted.
// " FROM ... WHERE ..." with the population's own conditions and, if `with_boxes`, its boxes.
std::string FromSql(const Population& population, const AssetCatalog& assets, bool with_boxes = true);
std::string BoxesSql(const std::vector<NamedBox>& boxes, const Population& population, const AssetCatalog& assets);
std::string ColumnSql(const std::string& alias, const std::string& column);
// The hidden column of privacy units.
std::string UnitSql(const std::string& alias);
inline constexpr const char* kUnitColumn = "__gb_unit";

// Names of a core's instances in its population.
std::string AliasOf(const Core& core, const std::vector<Asset>& assets, std::size_t instance);
PopulationColumn NameOf(const Core& core, const std::vector<Asset>& assets, ColumnRef column);

}  // namespace glovebox::query
