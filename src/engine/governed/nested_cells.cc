// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/nested_cells.h"

#include <algorithm>
#include <map>

#include "base/limits.h"
#include "engine/governed/remainder.h"
#include "privacy/nesting.h"

namespace glovebox::engine::governed {
namespace {

using privacy::CellIndex;
using privacy::Placement;
using query::Population;

Placement Place(const Population& a, const Population& b) {
  if (query::AreDisjoint(a, b)) {
    return Placement::kDisjoint;
  }
  if (query::IsWithin(a, b)) {
    return Placement::kWithin;
  }
  return query::IsWithin(b, a) ? Placement::kAround : Placement::kUnknown;
}

// Whether Side::rows and AuditedCell::rows are numbers of what the cells add up, and the same for all sides.
bool AreComparable(const std::vector<Side>& sides) {
  return std::ranges::all_of(sides, [&sides](const Side& side) {
    // Of a LEFT JOIN the grid counts own rows that nothing was joined to as well.
    return side.valued == sides.front().valued &&
           std::ranges::none_of(side.grid->population.tables, &query::PopulationTable::left_joined);
  });
}

}  // namespace

bool AreSafeByRows(const RunContext& run, const std::vector<Side>& sides, const std::vector<AuditedCell>& cells,
                   const std::vector<UnitKind>& kinds) {
  const Population& base = sides.front().population;
  const bool rows_tell =
      std::ranges::all_of(kinds, [&base](const UnitKind& kind) { return kind.alias == base.finest; });
  if (!rows_tell || !AreComparable(sides)) {
    return false;
  }
  std::vector<CellIndex> indexes;
  std::vector<std::int64_t> rows;
  std::map<CellIndex, const Side*> side_of;
  std::size_t boxes = 0;
  for (const Side& side : sides) {
    for (const auto& [key, cell] : side.cells) {
      if (side_of.emplace(cell, &side).second) {
        indexes.push_back(cell);
        rows.push_back(cells[cell].rows);
        boxes += cells[cell].population.boxes.size();
      }
    }
  }
  if (boxes > limits::kAuditNestedMax) {
    return false;
  }
  const auto left = privacy::RowsBesideInner(rows, [&](std::size_t a, std::size_t b) {
    // The groups of one branch have no row in common.
    return side_of[indexes[a]] == side_of[indexes[b]]
               ? Placement::kDisjoint
               : Place(cells[indexes[a]].population, cells[indexes[b]].population);
  });
  return left && std::ranges::all_of(*left, [&](std::int64_t number) {
           return number == 0 || std::ranges::all_of(kinds, [&](const UnitKind& kind) {
                    return UnitsByRows(run, base, *base.Table(kind.alias), number, kind.min_units) ==
                           privacy::Units::kEnough;
                  });
         });
}

}  // namespace glovebox::engine::governed
