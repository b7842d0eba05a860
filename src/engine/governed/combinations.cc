// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/combinations.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/limits.h"
#include "engine/governed/atoms.h"
#include "privacy/combinations.h"
#include "privacy/minimum_group.h"

namespace glovebox::engine::governed {
namespace {

using privacy::CellIndex;
using query::Population;

// What cells must have in common to be combined: the alias of the table whose rows they add up, and the contribution.
using Subject = std::pair<std::string, std::string>;

// A cell of the run that may be withheld.
struct RunCell {
  std::size_t query = 0;
  std::size_t call = 0;
  std::size_t group = 0;
  friend auto operator<=>(const RunCell&, const RunCell&) = default;
};

// All cells of one subject that are out, or would be.
class Audit {
 public:
  Audit(RunContext& run, std::vector<ExecutedQuery>& queries, const std::vector<Grid>& history,
        const CellFlags& repeats, Subject subject)
      : run_(run), queries_(queries), repeats_(repeats), subject_(std::move(subject)) {
    for (const Grid& grid : history) {
      if (!grid.stale) {
        AddGrid(grid, std::nullopt);
      }
    }
    for (std::size_t q = 0; q < queries.size(); ++q) {
      AddGrid(queries[q].grid, q);
    }
  }

  // Withholds the last cell of a combination that tells. False if there is none left.
  Result<bool> Step() {
    if (sides_.size() < 2 || ours_.empty()) {
      return false;
    }
    if (sides_.size() > limits::kAuditSidesMax) {
      return WithholdAll();
    }
    AtomScan scan(run_, sides_);
    GB_ASSIGN_OR_RETURN(const bool safe, IsSafeBySample(scan));
    if (safe) {
      return false;
    }
    GB_ASSIGN_OR_RETURN(const std::vector<AtomRows> atoms, scan.Scan(0));
    std::size_t counted = 0;
    for (std::size_t kind = 0; kind < scan.kinds().size(); ++kind) {
      privacy::Combinations combinations = Cancelled(atoms, kind);
      const auto is_few = [&](const std::vector<std::size_t>& which) {
        return IsFew(scan, atoms, which, kind, counted);
      };
      const auto is_ours = [this](CellIndex cell) { return ours_.contains(cell); };
      GB_ASSIGN_OR_RETURN(const auto telling, combinations.Find(AtomsOf(atoms, kind), is_few, is_ours));
      if (telling) {
        Withhold(telling->cells);
        return true;
      }
      if (combinations.IsExhausted()) {
        return WithholdAll();
      }
    }
    return false;
  }

 private:
  void AddGrid(const Grid& grid, std::optional<std::size_t> query) {
    const query::PopulationTable* finest = grid.population.Table(grid.population.finest);
    if (!grid.rows_are_single || finest == nullptr || finest->distinct != nullptr || finest->left_joined ||
        finest->alias != subject_.first || !run_.catalog.Find(finest->asset)->IsProtected()) {
      return;
    }
    for (std::size_t c = 0; c < grid.calls.size(); ++c) {
      for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
        if (!grid.calls[c].branches[b].none) {
          AddSide(grid, c, b, query);
        }
      }
    }
  }

  void AddSide(const Grid& grid, std::size_t c, std::size_t b, std::optional<std::size_t> query) {
    const bool other_units = IsUnitsClass(subject_.second) && grid.count_class != subject_.second;
    Side side{&grid, c, b, grid.BranchPopulation(c, b), Valued(grid, c, b)};
    bool is_new = false;
    for (std::size_t g = 0; g < grid.groups.size() && !other_units; ++g) {
      const std::string& digest = grid.groups[g].digests[c][b];
      if (!grid.groups[g].out[c] || digest.empty() || !grid.IsOf(subject_.second, c, b, g)) {
        continue;
      }
      const auto [entry, added] = cells_.try_emplace({digest, side.valued}, cells_.size());
      if (added) {
        populations_.emplace_back(grid.CellPopulation(c, b, grid.groups[g].key, run_.catalog));
        valued_.push_back(side.valued);
      }
      is_new = is_new || added;
      side.cells.emplace(grid.groups[g].key, entry->second);
      rows_out_[{&grid, c, b}] += grid.groups[g].values[c][b];
      const bool may_withhold = query && !repeats_[*query][c][g];
      if (may_withhold && !given_.contains(entry->second)) {
        ours_[entry->second].insert({*query, c, g});
      } else if (!may_withhold) {
        given_.insert(entry->second);
        ours_.erase(entry->second);
      }
    }
    if (is_new) {
      sides_.push_back(std::move(side));
    }
  }

  // What a row needs a value of; nothing if every row has one.
  [[nodiscard]] std::string Valued(const Grid& grid, std::size_t c, std::size_t b) const {
    const std::string& valued = grid.Valued(c, b, subject_.second);
    const std::size_t dot = valued.rfind('.');
    const query::PopulationTable* table = valued.empty() ? nullptr : grid.population.Table(valued.substr(0, dot));
    for (std::size_t i = 0; i < run_.assets.size() && table != nullptr; ++i) {
      if (run_.assets[i].DisplayName() == table->asset &&
          run_.statistics[i].columns_without_null.contains(valued.substr(dot + 1))) {
        return "";
      }
    }
    return valued;
  }

  [[nodiscard]] privacy::Combinations Cancelled(const std::vector<AtomRows>& atoms, std::size_t kind) const {
    privacy::Combinations out(cells_.size(), limits::kAuditStepsMax);
    for (const AtomRows& atom : atoms) {
      if (atom.large[kind]) {
        out.Cancel(atom.cells);
      }
    }
    return out;
  }

  static std::vector<privacy::Atom> AtomsOf(const std::vector<AtomRows>& atoms, std::size_t kind) {
    std::vector<privacy::Atom> out;
    for (const AtomRows& atom : atoms) {
      out.push_back({atom.cells, atom.units[kind], atom.large[kind]});
    }
    return out;
  }

  static Result<bool> IsFew(AtomScan& scan, const std::vector<AtomRows>& atoms, const std::vector<std::size_t>& which,
                            std::size_t kind, std::size_t& counted) {
    const UnitKind& units = scan.kinds()[kind];
    std::int64_t rows = 0;
    std::int64_t at_most = 0;
    for (const std::size_t atom : which) {
      rows += atoms[atom].rows;
      at_most += atoms[atom].units[kind];
    }
    if (at_most < units.min_units) {
      return at_most > 0;
    }
    const auto heaviest = units.heaviest_rows > 0 ? std::optional(units.heaviest_rows) : std::nullopt;
    const privacy::Units decided = privacy::DecideByRows({.rows = rows,
                                                          .min_units = units.min_units,
                                                          .heaviest_rows = heaviest,
                                                          .one_row_per_unit = units.one_row_per_unit});
    if (decided != privacy::Units::kUndecided) {
      return decided == privacy::Units::kFew;
    }
    if (++counted > limits::kAuditExactMax) {
      return true;
    }
    GB_ASSIGN_OR_RETURN(const std::int64_t count, scan.CountUnits(atoms, which, kind));
    return privacy::DecideByCount(std::min(count, units.min_units), units.min_units) == privacy::Units::kFew;
  }

  // Whether a sample shows that there is nothing to find: every combination that weighs none of its large atoms weighs
  // no other atom that can be there.
  Result<bool> IsSafeBySample(AtomScan& scan) {
    if (!scan.HasOneBase()) {
      return false;
    }
    GB_ASSIGN_OR_RETURN(const std::vector<AtomRows> atoms, scan.Scan(limits::kAuditSampleRows));
    for (std::size_t kind = 0; kind < scan.kinds().size(); ++kind) {
      const privacy::Combinations combinations = Cancelled(atoms, kind);
      GB_ASSIGN_OR_RETURN(const bool cancelled, AreAllCancelled(combinations));
      if (!cancelled) {
        return false;
      }
    }
    return true;
  }

  // Tuples of cells that may hold a row together, one or none of each side.
  Result<bool> AreAllCancelled(const privacy::Combinations& combinations) {
    std::vector<bool> complete;
    for (const Side& side : sides_) {
      complete.push_back(IsComplete(side));
    }
    std::size_t tuples = 0;
    std::vector<CellIndex> tuple;
    return AreCancelled(combinations, complete, 0, tuple, tuples);
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as there are sides
  Result<bool> AreCancelled(const privacy::Combinations& combinations, const std::vector<bool>& complete,
                            std::size_t side, std::vector<CellIndex>& tuple, std::size_t& tuples) {
    if (++tuples > limits::kAuditTuplesMax) {
      return false;
    }
    if (side == sides_.size()) {
      std::vector<CellIndex> cells = tuple;
      std::ranges::sort(cells);
      const auto [end, last] = std::ranges::unique(cells);
      cells.erase(end, last);
      return combinations.IsCancelled(cells);
    }
    bool may_be_none = true;
    for (const CellIndex cell : tuple) {
      GB_RETURN_IF_ERROR(populations_[cell].status());
      const bool has_value = sides_[side].valued.empty() || sides_[side].valued == valued_[cell];
      may_be_none =
          may_be_none && !(complete[side] && has_value && Holds(sides_[side].population, *populations_[cell]));
    }
    if (may_be_none) {
      GB_ASSIGN_OR_RETURN(const bool cancelled, AreCancelled(combinations, complete, side + 1, tuple, tuples));
      if (!cancelled) {
        return false;
      }
    }
    for (const auto& [key, cell] : sides_[side].cells) {
      GB_RETURN_IF_ERROR(populations_[cell].status());
      const bool apart = std::ranges::any_of(tuple, [&](CellIndex other) {
        ++tuples;
        return query::AreDisjoint(*populations_[other], *populations_[cell]);
      });
      if (apart) {
        continue;
      }
      tuple.push_back(cell);
      GB_ASSIGN_OR_RETURN(const bool cancelled, AreCancelled(combinations, complete, side + 1, tuple, tuples));
      tuple.pop_back();
      if (!cancelled) {
        return false;
      }
    }
    return true;
  }

  // Whether what lies in the cell lies in the population as well.
  static bool Holds(const Population& population, const Population& cell) {
    return (population.own.empty() || population.own == cell.own) && query::AreWithin(cell.boxes, population.boxes);
  }

  // Whether the side's cells together are all rows of its population. Of an earlier release only what was out is known.
  [[nodiscard]] bool IsComplete(const Side& side) const {
    if (side.grid->leaves.empty()) {
      return true;
    }
    const auto is_it = [&side](const ExecutedQuery& query) { return &query.grid == side.grid; };
    std::int64_t all = 0;
    if (std::ranges::any_of(queries_, is_it)) {
      for (const GridGroup& group : side.grid->groups) {
        all += group.values[side.call][side.branch];
      }
      return all == rows_out_.at({side.grid, side.call, side.branch});
    }
    const std::string text = side.population.Text(run_.catalog);
    return std::ranges::any_of(sides_, [&](const Side& other) {
      return other.grid->leaves.empty() && other.valued == side.valued && other.population.Text(run_.catalog) == text &&
             rows_out_.at({other.grid, other.call, other.branch}) == rows_out_.at({side.grid, side.call, side.branch});
    });
  }

  void Withhold(const std::vector<CellIndex>& cells) {
    std::set<RunCell> candidates;
    for (const CellIndex cell : cells) {
      if (const auto found = ours_.find(cell); found != ours_.end()) {
        candidates.insert(found->second.begin(), found->second.end());
      }
    }
    GB_ASSERT(!candidates.empty());
    const RunCell& last = *candidates.rbegin();
    queries_[last.query].grid.groups[last.group].out[last.call] = false;
  }

  bool WithholdAll() {
    for (const auto& [cell, of] : ours_) {
      for (const RunCell& one : of) {
        queries_[one.query].grid.groups[one.group].out[one.call] = false;
      }
    }
    return false;
  }

  RunContext& run_;
  std::vector<ExecutedQuery>& queries_;
  const CellFlags& repeats_;
  Subject subject_;
  std::vector<Side> sides_;
  std::map<std::pair<std::string, std::string>, CellIndex> cells_;  // by digest and what its rows need a value of
  std::vector<Result<Population>> populations_;                     // by cell
  std::vector<std::string> valued_;                                 // by cell
  std::map<CellIndex, std::set<RunCell>> ours_;                     // cells that only this run gives
  std::set<CellIndex> given_;
  std::map<std::tuple<const Grid*, std::size_t, std::size_t>, std::int64_t> rows_out_;
};

// The subjects of the run's cells.
std::set<Subject> SubjectsOf(const std::vector<ExecutedQuery>& queries) {
  std::set<Subject> out;
  for (const ExecutedQuery& query : queries) {
    const Grid& grid = query.grid;
    for (std::size_t c = 0; c < grid.calls.size(); ++c) {
      for (std::size_t g = 0; g < grid.groups.size(); ++g) {
        for (std::size_t b = 0; b < grid.calls[c].branches.size() && grid.groups[g].out[c]; ++b) {
          for (const std::string& contribution : grid.Classes(c, b, g)) {
            if (!IsSumClass(contribution)) {  // the same cells as their measure's
              out.emplace(grid.population.finest, contribution);
            }
          }
        }
      }
    }
  }
  return out;
}

}  // namespace

Status WithholdCombinations(RunContext& run, std::vector<ExecutedQuery>& queries, const std::vector<Grid>& history,
                            const CellFlags& repeats) {
  for (const Subject& subject : SubjectsOf(queries)) {
    for (bool again = true; again;) {
      GB_ASSIGN_OR_RETURN(again, Audit(run, queries, history, repeats, subject).Step());
    }
  }
  return {};
}

}  // namespace glovebox::engine::governed
