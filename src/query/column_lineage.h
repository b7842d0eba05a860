// SPDX-License-Identifier: Apache-2.0
//
// Where the values of an output's columns come from: keys and aggregates of governed queries, columns of own tables. A
// column without any source is made of constants and parameters alone.
//
// Lineage is of values. Which rows an output has depends on everything that it reads (RowsReadBy); where a value is a
// number or an order of rows (COUNT(*), EXISTS, windows), the rows themselves are a source. It may name a source too
// many (a CASE names all its branches) and never one too few. Pure.
#pragma once

#include <compare>
#include <cstddef>
#include <set>
#include <vector>

#include "query/plan.h"

namespace glovebox::query {

struct ColumnSource {
  enum class Kind {
    kGovernedColumn,  // `column` of governed query `table`: its keys, then its aggregates
    kGovernedRows,    // the rows that governed query `table` releases
    kOwnColumn,       // `column` of own asset `table`
    kOwnRows,         // the rows of own asset `table`
  };
  Kind kind = Kind::kGovernedColumn;
  std::size_t table = 0;
  std::size_t column = 0;
  friend auto operator<=>(const ColumnSource&, const ColumnSource&) = default;
};
using ColumnSources = std::set<ColumnSource>;

// Of each column of the output. REQUIRES: `root` is governed: kScan leaves are own assets.
std::vector<ColumnSources> LineageOf(const Rel& root);

// The governed queries and own assets that the rows of the relation depend on, subqueries included. REQUIRES: the same.
ColumnSources RowsReadBy(const Rel& rel);

}  // namespace glovebox::query
