// SPDX-License-Identifier: Apache-2.0
//
// A governed query as SQL, in three parts that never meet the author's text:
//
//   groups      one row a group: gid, the leaves, row counts and moments (sums, counts) for every region and measure
//   counts      for what row counts cannot decide: distinct units per group, region and asset
//   released    the groups that stay, their values computed from the moments, NULL where a cell is withheld
//
// Row counts come first because they decide nearly everything without reading a unit column.
// Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "query/core.h"
#include "query/population.h"

namespace glovebox::query {

// A column of the groups table.
struct Moment {
  enum class Kind {
    kRows,     // rows of the region
    kNonNull,  // rows with a value of the measure
    kSum,
    kVariance,    // population variance
    kSumSquares,  // as DOUBLE
    kUnits,       // distinct units
    kDistinct,    // distinct values of an identity column
    kOwnRows,     // all rows, the unmatched of a LEFT JOIN included
  };
  Kind kind = Kind::kRows;
  std::size_t region = 0;
  ColumnRef column;  // of the measure or identity
  std::string name;  // of the column
};

struct GovernedSql {
  Population population;        // of the core
  std::vector<Region> regions;  // distinct; 0 is the whole
  std::vector<Moment> moments;
  std::vector<std::vector<std::size_t>> branch_regions;  // [call][branch]
  std::string groups;                                    // SELECT; columns gid, k0.., then the moments by name
  std::vector<std::string> values;                       // per call: an expression over the groups' columns

  [[nodiscard]] const Moment* Find(Moment::Kind kind, std::size_t region, std::optional<ColumnRef> column) const;
};

// What a row of the branch needs a value of to contribute: the measure, that of the other branches for the complement
// of a FILTER or a missing ELSE, the column of COUNT(DISTINCT identity). Nothing: every row contributes.
std::optional<ColumnRef> ValuedColumn(const GovernedCall& call, std::size_t branch);

GovernedSql PrintGoverned(const GovernedQuery& query, const std::vector<Asset>& assets);

// A count of units: in a region, of one asset's instance, with a value of the measure or without one.
struct UnitCount {
  enum class Rows { kAll, kWithValue, kWithoutValue };
  std::size_t region = 0;
  std::size_t instance = 0;
  Rows rows = Rows::kAll;
  std::optional<ColumnRef> measure{};
  friend bool operator==(const UnitCount&, const UnitCount&) = default;
};

// SELECT of gid and one saturated count for each entry; `counters[i]` is the aggregate function to call. `groups_table`
// is where the groups were put.
std::string PrintCounts(const GovernedQuery& query, const GovernedSql& sql, const std::vector<Asset>& assets,
                        const std::vector<UnitCount>& counts, const std::vector<std::string>& counters,
                        const std::string& groups_table);

// The conditions of a region, for FILTER.
std::string RegionSql(const GovernedQuery& query, const GovernedSql& sql, const std::vector<Asset>& assets,
                      std::size_t region);
// The expression of a leaf over the population's tables.
std::string LeafSql(const Leaf& leaf, const Core& core, const std::vector<Asset>& assets);

}  // namespace glovebox::query
