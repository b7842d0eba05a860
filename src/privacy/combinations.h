// SPDX-License-Identifier: Apache-2.0
//
// What linear combinations of released cells tell (PLANNER.md P10, "beyond pairs").
//
// Definition: an atom is a set of rows that the same cells hold; a cell's value is the sum over its atoms. Whoever has
// the cells knows the sum over the atoms with any weights that are a linear combination of the cells' 0/1 vectors. A
// combination tells about the atoms that it weighs with something other than zero: it must not be that these together
// have 1 to k-1 units.
//
// How far this reaches: an atom of k or more units stands in no such combination, so the search first takes those that
// weigh no large atom, all of them and nothing else. The lightest vector of the space that is left is the minimum
// distance of a linear code, which is NP-hard in general (Vardy, "The intractability of computing the minimum distance
// of a code", 1997). Looked at are the vectors of reduced bases, the heaviest atoms as pivots first and then
// kCombinationOrders shuffles of them, and the sums of any two vectors of the first in which something cancels: every
// combination if the space has one or two dimensions, what information-set decoding finds in larger ones.
//
// Arithmetic is modulo the prime 2^61-1: dependencies of whole numbers stay dependencies. One that holds for the
// residues alone withholds too much, not too little.
//
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "privacy/difference_check.h"

namespace glovebox::privacy {

struct Atom {
  std::vector<CellIndex> cells{};  // that hold it, each once
  std::int64_t weight = 0;         // the more, the earlier it is a pivot: its units, or rows
  bool large = false;              // at least k units
};

struct Telling {
  std::vector<CellIndex> cells{};    // of the combination
  std::vector<std::size_t> atoms{};  // that it tells about
};

// The combinations of cells that weigh none of the atoms that were cancelled.
class Combinations {
 public:
  // Work beyond `steps_max` elementary operations is not done: IsExhausted.
  Combinations(std::size_t cells, std::size_t steps_max);

  // From now on only combinations that do not weigh the atom that these cells hold.
  void Cancel(const std::vector<CellIndex>& cells);
  // Whether every combination that is left weighs such an atom with zero.
  [[nodiscard]] bool IsCancelled(const std::vector<CellIndex>& cells) const { return WeightOf(cells).empty(); }
  // A combination of those that are left which tells. `is_few(atoms)`: whether atoms, by index, together have 1 to k-1
  // units; `is_ours(cell)`: a combination without such a cell is not looked for. REQUIRES: all large atoms were
  // cancelled.
  Result<std::optional<Telling>> Find(const std::vector<Atom>& atoms,
                                      const std::function<Result<bool>(const std::vector<std::size_t>&)>& is_few,
                                      const std::function<bool(CellIndex)>& is_ours) const;
  [[nodiscard]] bool IsExhausted() const { return steps_ > steps_max_; }

 private:
  // Sorted by parameter, without zeros.
  using Vector = std::vector<std::pair<std::size_t, std::uint64_t>>;
  // Atoms that every combination weighs alike, up to a factor.
  struct Bundle {
    std::vector<CellIndex> cells;  // of one of them
    std::vector<std::size_t> atoms;
    std::int64_t weight = 0;
  };
  struct Basis;
  // Tells whether a combination, by its weights of bundles and its factors of cells, tells.
  using Look = std::function<Result<std::optional<Telling>>(const Vector&, const Vector&)>;

  [[nodiscard]] Vector WeightOf(const std::vector<CellIndex>& cells) const;
  // Takes the weight's parameter `pivot` out of every cell, or makes the weight itself that parameter.
  enum class Keep { kNothing, kWeight };
  void Substitute(const Vector& weight, std::size_t pivot, Keep keep);
  [[nodiscard]] std::vector<Bundle> BundlesOf(const std::vector<Atom>& atoms) const;
  [[nodiscard]] Result<std::optional<Telling>> LookAtPairs(const Basis& basis, const Look& look) const;
  [[nodiscard]] Basis Reduce(const std::vector<Bundle>& bundles, const std::vector<std::size_t>& order) const;

  // A combination gives each cell the factor rows_[cell] * parameters, for any parameters.
  std::vector<Vector> rows_;
  std::vector<std::vector<CellIndex>> holders_;  // by parameter: cells that have it, and others that had
  mutable std::size_t steps_ = 0;
  std::size_t steps_max_;
};

}  // namespace glovebox::privacy
