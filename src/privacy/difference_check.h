// SPDX-License-Identifier: Apache-2.0
//
// Which cells of a run are withheld because they are too close to a cell that is out already (PLANNER.md P10).
//
// Definition: D(A, B) is the number of privacy units whose contributions to A and to B differ. A cell A with D(A, B) <
// k for an earlier released cell B of another population is withheld: the difference of the two would tell about fewer
// than k units. D = 0 counts as close: that a difference is nothing is an answer as well.
//
// Order: cells are decided in the order of the plan, never of the data. A cell that is withheld is not out, so later
// cells are not compared with it.
//
// Pure: distances come in as arguments; who computes them is the engine's business.
#pragma once

#include <cstddef>
#include <set>
#include <utility>
#include <vector>

namespace glovebox::privacy {

// A cell of the run, by its place in the plan.
using CellIndex = std::size_t;

struct CloseCells {
  std::vector<CellIndex> to_run{};  // earlier cells of this run with D < k
  bool to_history = false;          // some cell of the room's history is as close
};

// `small[i]`: cell i is withheld anyway (minimum group, missing values). `close[i]`: what cell i is too close to.
// `same[i]`: the same cell is out already, so releasing it again tells nothing new. Returns which cells are released.
std::vector<bool> DecideReleases(const std::vector<bool>& small, const std::vector<CloseCells>& close,
                                 const std::vector<bool>& same);

}  // namespace glovebox::privacy
