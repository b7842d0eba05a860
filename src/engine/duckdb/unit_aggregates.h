// SPDX-License-Identifier: Apache-2.0
//
// Counting privacy units inside DuckDB: a saturating exact distinct counter as an aggregate function.
//
//   gb_units_at_least_50(u UINTEGER)          min(50, number of distinct u)          -> UINTEGER
//   gb_units_at_least_50(u UINTEGER, x ANY)   the same over the rows where x is not NULL
//
// `u` is the dense id that Prepare gives every row (`__gb_unit`); NULL and 0 are no unit and are not counted. k is
// fixed by the registration and so part of the name: DuckDB would flatten a constant argument for every chunk of rows.
// FILTER, GROUP BY, grouping sets and windows work; an empty input gives 0. The result is exact below k and k above.
//
// Memory: a state is 32 bytes in DuckDB's table of groups and, from 7 to k-1 units, one heap table of at most 16 k
// bytes. DuckDB does not see that heap, so it is bounded here: beyond heap_bytes_max the query fails.
//
// Errors: INTERNAL_ERROR if the registration fails (the same k twice on one database).
// Threads: register before use; afterwards all connections of the database may use the function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/limits.h"
#include "base/result.h"
#include "engine/duckdb/connection.h"

namespace glovebox::engine::duckdb {

// REQUIRES: 1 <= k <= limits::kMinUnitsMax.
Status RegisterUnitsAtLeast(Connection& connection, std::uint32_t k,
                            std::size_t heap_bytes_max = limits::kUnitCounterHeapBytesMax);
// "gb_units_at_least_50"
std::string UnitsAtLeastName(std::uint32_t k);

}  // namespace glovebox::engine::duckdb
