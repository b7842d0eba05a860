// SPDX-License-Identifier: Apache-2.0
//
// Cells of which any two are disjoint or one lies in the other (privacy/nesting.h), as their populations show: whether
// linear combinations of them can tell is then decided by the cells' numbers of rows, without looking at a row.
#pragma once

#include <vector>

#include "engine/governed/atoms.h"

namespace glovebox::engine::governed {

// Whether the cells are nested, and what each has beside those within it is nothing, or rows enough to prove k units of
// every kind: no combination tells then. False says nothing. REQUIRES: the sides have the same tables and joins, no
// join multiplies their rows; `cells` has what they index.
[[nodiscard]] bool AreSafeByRows(const RunContext& run, const std::vector<Side>& sides,
                                 const std::vector<AuditedCell>& cells, const std::vector<UnitKind>& kinds);

}  // namespace glovebox::engine::governed
