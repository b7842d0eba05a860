// SPDX-License-Identifier: Apache-2.0
//
// Sets of rows that are nested: any two are disjoint, or one lies in the other. What linear combinations of their sizes
// or sums are made of (combinations.h) then follows from their sizes alone.
//
// Why: the sets that hold a row form a chain, so a row is told apart by the smallest of them. The rows of a set that
// lie in no set within it are an atom, there are no others, and since the largest sets within it are disjoint, its size
// is the set's less theirs.
//
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace glovebox::privacy {

// How one set of rows lies to another, as far as it is known without looking at rows.
enum class Placement { kDisjoint, kWithin, kAround, kUnknown };

// For each set its rows that lie in none of those within it; equal sets lie within each other in either order. Nothing
// if the sets are not nested, or their sizes contradict it. `placement(a, b)`, asked for a < b: how a lies to b.
[[nodiscard]] std::optional<std::vector<std::int64_t>> RowsBesideInner(
    const std::vector<std::int64_t>& rows, const std::function<Placement(std::size_t, std::size_t)>& placement);

}  // namespace glovebox::privacy
