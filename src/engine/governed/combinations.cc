// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/combinations.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/limits.h"
#include "engine/governed/atoms.h"
#include "engine/governed/nested_cells.h"
#include "engine/governed/remainder.h"
#include "engine/governed/unit_atoms.h"
#include "privacy/combinations.h"

namespace glovebox::engine::governed {
namespace {

using privacy::CellIndex;
using query::Population;

// What cells must have in common to be combined: the alias of the table whose rows they add up, and the contribution;
// or no alias and a class of units, whose number they tell, whatever tables these are in.
using Subject = std::pair<std::string, std::string>;

// The aliases of the tables whose rows the grid's cells add up, as far as they can be looked at.
std::set<std::string> CountedTables(const Grid& grid, const query::AssetCatalog& catalog) {
  const auto left = std::ranges::find(grid.population.tables, true, &query::PopulationTable::left_joined);
  std::set<std::string> out =
      left != grid.population.tables.end() ? std::set<std::string>{left->alias} : grid.population.counted;
  std::erase_if(out, [&](const std::string& alias) {
    const query::PopulationTable* table = grid.population.Table(alias);
    return !grid.rows_are_single || table == nullptr || table->distinct != nullptr ||
           !catalog.Find(table->asset)->IsProtected();
  });
  return out;
}

// What the cells of one branch are, seen from the rows of one table; nothing if it tells of no such rows.
std::optional<Subject> SubjectOf(const RunContext& run, const Grid& grid, std::size_t c, std::size_t b,
                                 const std::string& contribution, const query::PopulationTable& table) {
  const std::string rows = CountClass(run, table);
  if (!table.left_joined) {
    // The values of a measure belong to the rows of its own table.
    const bool of_table = IsCountClass(contribution) ? contribution == rows && grid.count_classes.contains(contribution)
                                                     : MeasureColumn(contribution).first == table.alias;
    return of_table ? std::optional(Subject(table.alias, contribution)) : std::nullopt;
  }
  // Rows that nothing was joined to have no value and fulfil no condition; what counts them as well speaks of own rows.
  const bool of_matched =
      grid.Valued(c, b, contribution).starts_with(table.alias + ".") ||
      std::ranges::all_of(grid.calls[c].branches[b].boxes, [&table](const query::NamedBox& box) {
        return std::ranges::any_of(box, [&table](const auto& entry) { return entry.first.first == table.alias; });
      });
  if (!of_matched && contribution != rows) {
    return std::nullopt;
  }
  return Subject(table.alias, grid.count_classes.contains(contribution) ? rows : contribution);
}

// The table with the units of a class; null if there is none.
const query::PopulationTable* TableOfUnits(const RunContext& run, const Grid& grid, const std::string& units_class) {
  for (const query::PopulationTable* table : UnitTables(run, grid.population)) {
    if (UnitsClass(*run.catalog.Find(table->asset)) == units_class) {
      return table;
    }
  }
  return nullptr;
}

// Whether a unit has at most one row in the population, so that disjoint rows are disjoint units.
bool HasSingleUnits(const RunContext& run, const Population& population) {
  return std::ranges::all_of(population.tables, [&run](const query::PopulationTable& table) {
    return table.distinct == nullptr &&
           (!run.catalog.Find(table.asset)->IsProtected() || run.StatisticsOf(table.asset).one_row_per_unit);
  });
}

// One for each table whose rows the branch tells of, and its units.
std::set<Subject> SubjectsOf(const RunContext& run, const Grid& grid, std::size_t c, std::size_t b,
                             const std::string& contribution) {
  std::set<Subject> out;
  if (grid.calls[c].branches[b].none || IsSumClass(contribution)) {  // a sum is its measure's cell
    return out;
  }
  for (const std::string& alias : CountedTables(grid, run.catalog)) {
    if (const auto subject = SubjectOf(run, grid, c, b, contribution, *grid.population.Table(alias))) {
      out.insert(*subject);
    }
  }
  if (IsUnitsClass(contribution) && TableOfUnits(run, grid, contribution) != nullptr) {
    out.insert(Subject("", contribution));
  }
  return out;
}

// The classes that a cell of the branch may be of.
std::set<std::string> ContributionsOf(const Grid& grid, std::size_t c, std::size_t b) {
  std::set<std::string> out = grid.calls[c].branches[b].classes;
  out.insert(grid.count_classes.begin(), grid.count_classes.end());
  return out;
}

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
  Audit(RunContext& run, std::vector<ExecutedQuery>& queries, const CellFlags& repeats, Subject subject,
        Reading reading)
      : run_(run), queries_(queries), repeats_(repeats), subject_(std::move(subject)), reading_(std::move(reading)) {}

  Status Read(const std::vector<Grid>& history) {
    for (const Grid& grid : history) {
      if (!grid.stale) {
        GB_RETURN_IF_ERROR(AddGrid(grid, std::nullopt));
      }
    }
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      GB_RETURN_IF_ERROR(AddGrid(queries_[q].grid, q));
    }
    return {};
  }

  // Withholds cells until no combination tells.
  Status Run() {
    KeepConnected();
    if (sides_.size() < 2 || ours_.empty()) {
      return {};
    }
    if (sides_.size() > limits::kAuditSidesMax) {
      WithholdAll();
      return {};
    }
    if (CountsUnits()) {
      if (!IsAuditedByRows() && !AreUnitsSafe()) {
        WithholdAll();
      }
      return {};
    }
    AtomScan scan(run_, sides_);
    if (scan.HasOneBase() && (AreSafeByRows(run_, sides_, audited_, scan.kinds()) || IsSafeBySample(scan))) {
      return {};
    }
    Result<std::vector<AtomRows>> atoms = scan.ScanAll();
    for (std::size_t kind = 0; kind < scan.kinds().size() && atoms.ok(); ++kind) {
      if (!IsSafe(scan, *atoms, kind)) {
        atoms = Status(ErrorCode::kResourceExhausted, "");
      }
    }
    if (!atoms.ok()) {
      WithholdAll();  // what cannot be looked at is not released
    }
    return {};
  }

 private:
  [[nodiscard]] bool CountsUnits() const { return subject_.first.empty(); }
  // The sides are of the rows of one table, each unit's only one: another audit has them.
  [[nodiscard]] bool IsAuditedByRows() const {
    return std::ranges::all_of(sides_, [this](const Side& side) {
      const std::string& alias = side.population.finest;
      return alias == sides_.front().population.finest && CountedTables(*side.grid, run_.catalog).contains(alias) &&
             CountClass(run_, *side.grid->population.Table(alias)) == subject_.second;
    });
  }

  Status AddGrid(const Grid& grid, std::optional<std::size_t> query) {
    for (std::size_t c = 0; c < grid.calls.size(); ++c) {
      for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
        for (const std::string& contribution : ContributionsOf(grid, c, b)) {
          if (SubjectsOf(run_, grid, c, b, contribution).contains(subject_)) {
            GB_RETURN_IF_ERROR(AddSide(grid, c, b, contribution, query));
          }
        }
      }
    }
    return {};
  }

  Status AddSide(const Grid& grid, std::size_t c, std::size_t b, const std::string& contribution,
                 std::optional<std::size_t> query) {
    // What every row has a value of tells no row apart.
    const std::string valued = grid.calls[c].branches[b].lacking ? grid.Valued(c, b, contribution) : "";
    const bool by_rows = reading_.kind == Reading::Kind::kRows;
    const std::string alias = CountsUnits() ? TableOfUnits(run_, grid, contribution)->alias : subject_.first;
    Side side{&grid, c, b, query::RowsOf(grid.BranchPopulation(c, b), alias), by_rows ? "" : valued};
    bool is_new = false;
    for (std::size_t g = 0; g < grid.groups.size(); ++g) {
      const std::string& digest = grid.groups[g].digests[c][b];
      const CellAt cell{&grid, c, b, g, reading_};
      if (!grid.groups[g].out[c] || digest.empty() || !grid.IsOf(contribution, c, b, g) ||
          !IsRead(grid, contribution, c, b, g)) {
        continue;
      }
      const std::int64_t rows = cell.Rows(contribution);
      const auto [entry, added] = cells_.try_emplace({digest, side.valued}, cells_.size());
      if (added) {
        GB_ASSIGN_OR_RETURN(Population population, cell.Population(run_.catalog));
        audited_.push_back({query::RowsOf(std::move(population), alias), side.valued, rows});
      }
      is_new = is_new || added;
      side.cells.emplace(grid.groups[g].key, entry->second);
      side.rows += rows;
      Note(entry->second, query ? std::optional(RunCell{*query, c, g}) : std::nullopt);
    }
    // The grid's total is of those with a value.
    side.complete = side.valued == valued && grid.Total(c, b) == side.rows;
    if (is_new) {
      sides_.push_back(std::move(side));
    }
    return {};
  }

  // Beside counts of rows, what a LEFT JOIN has of values stands for the rows that were matched, as the grid does not
  // know whether all of these have a value.
  [[nodiscard]] bool IsRead(const Grid& grid, const std::string& contribution, std::size_t c, std::size_t b,
                            std::size_t g) const {
    return grid.IsRead(reading_, contribution, c, b, g) ||
           (reading_.kind == Reading::Kind::kRows && IsCountClass(contribution) &&
            grid.population.Table(subject_.first)->left_joined);
  }

  // Who gives the cell: the history, an earlier run's cell that is repeated, or this run alone.
  void Note(CellIndex cell, const std::optional<RunCell>& from) {
    if (!from || repeats_[from->query][from->call][from->group]) {
      given_.insert(cell);
      ours_.erase(cell);
    } else if (!given_.contains(cell)) {
      ours_[cell].insert(*from);
    }
  }

  // Sides that cells of this run may overlap with, or that overlap with those.
  void KeepConnected() {
    std::vector<bool> connected(sides_.size());
    std::vector<std::size_t> todo;
    for (std::size_t s = 0; s < sides_.size(); ++s) {
      connected[s] = std::ranges::any_of(sides_[s].cells, [this](const auto& entry) { return IsOurs(entry.second); });
      if (connected[s]) {
        todo.push_back(s);
      }
    }
    while (!todo.empty()) {
      const std::size_t one = todo.back();
      todo.pop_back();
      for (std::size_t s = 0; s < sides_.size(); ++s) {
        if (!connected[s] && MayShare(sides_[one].population, sides_[s].population)) {
          connected[s] = true;
          todo.push_back(s);
        }
      }
    }
    std::vector<Side> kept;
    for (std::size_t s = 0; s < sides_.size(); ++s) {
      if (connected[s]) {
        kept.push_back(std::move(sides_[s]));
      }
    }
    sides_ = std::move(kept);
  }

  // Whether rows, or units, may be in both.
  [[nodiscard]] bool MayShare(const Population& a, const Population& b) const {
    return (CountsUnits() && !(HasSingleUnits(run_, a) && HasSingleUnits(run_, b))) || !query::AreDisjoint(a, b);
  }

  [[nodiscard]] bool IsOurs(CellIndex cell) const { return ours_.contains(cell); }

  [[nodiscard]] privacy::Combinations Cancelled(const std::vector<AtomRows>& atoms, std::size_t kind) const {
    privacy::Combinations out(cells_.size(), limits::kAuditStepsMax);
    for (const AtomRows& atom : atoms) {
      if (atom.large[kind]) {
        out.Cancel(atom.cells);
      }
    }
    return out;
  }

  static bool WeighNothing(const privacy::Combinations& combinations, const std::vector<AtomRows>& atoms) {
    return !combinations.IsExhausted() && std::ranges::all_of(atoms, [&combinations](const AtomRows& atom) {
      return combinations.IsCancelled(atom.cells);
    });
  }

  // Withholds cells until no combination tells about units of the kind. False if it cannot be decided.
  bool IsSafe(AtomScan& scan, std::vector<AtomRows>& atoms, std::size_t kind) {
    if (WeighNothing(Cancelled(atoms, kind), atoms)) {
      return true;
    }
    if (!scan.CountExactly(atoms, kind).ok()) {
      return false;
    }
    return WithholdTelling(atoms, kind, [&](const std::vector<std::size_t>& which) -> Result<bool> {
      const std::int64_t units = scan.CountUnits(atoms, which, kind);
      return units > 0 && units < scan.kinds()[kind].min_units;
    });
  }

  // The same for counts of units. What weighs no large atom has none of this run's cells most of the time, and then the
  // small atoms, which may be many, are not looked at.
  bool AreUnitsSafe() {
    UnitScan scan(run_, sides_);
    if (!scan.Scan().ok()) {
      return false;
    }
    Result<std::vector<AtomRows>> atoms = scan.Large();
    if (!atoms.ok()) {
      return false;
    }
    const privacy::Combinations left = Cancelled(*atoms, 0);
    if (std::ranges::all_of(ours_, [&left](const auto& entry) { return left.IsCancelled({entry.first}); }) &&
        !left.IsExhausted()) {
      return true;
    }
    const Result<std::vector<AtomRows>> small = scan.Small();
    if (!small.ok()) {
      return false;
    }
    atoms->insert(atoms->end(), small->begin(), small->end());
    return WithholdTelling(*atoms, 0, [&](const std::vector<std::size_t>& which) -> Result<bool> {
      std::int64_t units = 0;
      for (const std::size_t atom : which) {
        units += (*atoms)[atom].units[0];
      }
      return units > 0 && units < scan.min_units();
    });
  }

  // False if it cannot be decided.
  bool WithholdTelling(std::vector<AtomRows>& atoms, std::size_t kind,
                       const std::function<Result<bool>(const std::vector<std::size_t>&)>& is_few) {
    while (!ours_.empty()) {
      const privacy::Combinations combinations = Cancelled(atoms, kind);
      const auto telling =
          combinations.Find(AtomsOf(atoms, kind), is_few, [this](CellIndex cell) { return IsOurs(cell); });
      if (combinations.IsExhausted() || !telling.ok()) {
        return false;
      }
      if (!*telling) {
        return true;
      }
      Withhold((*telling)->cells, atoms);
    }
    return true;
  }

  static std::vector<privacy::Atom> AtomsOf(const std::vector<AtomRows>& atoms, std::size_t kind) {
    std::vector<privacy::Atom> out;
    for (const AtomRows& atom : atoms) {
      out.push_back({atom.cells, atom.units[kind], atom.large[kind]});
    }
    return out;
  }

  // Whether a sample shows that there is nothing to find: every combination that weighs none of its large atoms weighs
  // no other atom that can be there.
  bool IsSafeBySample(AtomScan& scan) {
    const Result<std::vector<AtomRows>> atoms = scan.ScanFirst(limits::kAuditSampleRows);
    for (std::size_t kind = 0; kind < scan.kinds().size() && atoms.ok(); ++kind) {
      if (!IsAllCancelled(Cancelled(*atoms, kind))) {
        return false;
      }
    }
    return atoms.ok();
  }

  // Whether the combinations weigh no tuple of cells that may hold a row together, one or none of each side.
  bool IsAllCancelled(const privacy::Combinations& combinations) {
    Tuples tuples{combinations, {}};
    return AreCancelled(tuples) && !combinations.IsExhausted();
  }

  struct Tuples {
    const privacy::Combinations& combinations;
    std::vector<std::optional<CellIndex>> one;  // by side, as far as it is chosen
    std::size_t visited = 0;
  };

  // NOLINTNEXTLINE(misc-no-recursion): as deep as there are sides
  bool AreCancelled(Tuples& tuples) {
    const std::size_t side = tuples.one.size();
    if (++tuples.visited > limits::kAuditTuplesMax) {
      return false;
    }
    if (side == sides_.size()) {
      std::vector<CellIndex> cells;
      for (const auto& cell : tuples.one) {
        if (cell && std::ranges::find(cells, *cell) == cells.end()) {
          cells.push_back(*cell);
        }
      }
      return tuples.combinations.IsCancelled(cells);
    }
    tuples.one.emplace_back();
    bool cancelled = std::ranges::any_of(tuples.one, [&](const auto& cell) { return cell && MustHold(side, *cell); }) ||
                     AreCancelled(tuples);
    for (auto entry = sides_[side].cells.begin(); entry != sides_[side].cells.end() && cancelled; ++entry) {
      tuples.one.back() = entry->second;
      cancelled = !MayHold(tuples, entry->second) || AreCancelled(tuples);
    }
    tuples.one.pop_back();
    return cancelled;
  }

  // Whether a row of the cell is in some cell of the side.
  [[nodiscard]] bool MustHold(std::size_t side, CellIndex cell) const {
    const Side& of = sides_[side];
    return of.complete && (of.valued.empty() || of.valued == audited_[cell].valued) &&
           query::IsWithin(audited_[cell].population, of.population);
  }

  // Whether a row of the last cell may be in all those chosen before it, and in none of the sides without one.
  bool MayHold(Tuples& tuples, CellIndex cell) const {
    for (std::size_t side = 0; side + 1 < tuples.one.size(); ++side) {
      ++tuples.visited;
      const bool apart = tuples.one[side]
                             ? query::AreDisjoint(audited_[*tuples.one[side]].population, audited_[cell].population)
                             : MustHold(side, cell);
      if (apart) {
        return false;
      }
    }
    return true;
  }

  // The last of these cells that this run gives.
  void Withhold(const std::vector<CellIndex>& cells, std::vector<AtomRows>& atoms) {
    std::set<RunCell> candidates;
    for (const CellIndex cell : cells) {
      if (const auto found = ours_.find(cell); found != ours_.end()) {
        candidates.insert(found->second.begin(), found->second.end());
      }
    }
    GB_ASSERT(!candidates.empty());
    const RunCell last = *candidates.rbegin();
    queries_[last.query].grid.groups[last.group].out[last.call] = false;
    for (auto entry = ours_.begin(); entry != ours_.end();) {
      entry->second.erase(last);
      if (!entry->second.empty()) {
        ++entry;
        continue;
      }
      for (AtomRows& atom : atoms) {
        std::erase(atom.cells, entry->first);
      }
      entry = ours_.erase(entry);
    }
  }

  void WithholdAll() {
    for (const auto& [cell, of] : ours_) {
      for (const RunCell& one : of) {
        queries_[one.query].grid.groups[one.group].out[one.call] = false;
      }
    }
  }

  RunContext& run_;
  std::vector<ExecutedQuery>& queries_;
  const CellFlags& repeats_;
  Subject subject_;
  Reading reading_;
  std::vector<Side> sides_;
  std::map<std::pair<std::string, std::string>, CellIndex> cells_;  // by digest and what its rows need a value of
  std::vector<AuditedCell> audited_;                                // by cell
  std::map<CellIndex, std::set<RunCell>> ours_;                     // cells that only this run gives
  std::set<CellIndex> given_;
};

bool IsSomeOut(const Grid& grid, std::size_t c, std::size_t b, const std::string& contribution) {
  for (std::size_t g = 0; g < grid.groups.size(); ++g) {
    if (grid.groups[g].out[c] && grid.IsOf(contribution, c, b, g)) {
      return true;
    }
  }
  return false;
}

// The subjects of the run's cells.
std::set<Subject> SubjectsOfRun(const RunContext& run, const std::vector<ExecutedQuery>& queries) {
  std::set<Subject> out;
  for (const ExecutedQuery& query : queries) {
    const Grid& grid = query.grid;
    for (std::size_t c = 0; c < grid.calls.size(); ++c) {
      for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
        for (const std::string& contribution : ContributionsOf(grid, c, b)) {
          if (IsSomeOut(grid, c, b, contribution)) {
            out.merge(SubjectsOf(run, grid, c, b, contribution));
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
  const std::vector<Reading> readings = ReadingsOf(queries, history);
  for (const Subject& subject : SubjectsOfRun(run, queries)) {
    for (const Reading& reading : readings) {
      const bool of_rows = !subject.first.empty() && IsCountClass(subject.second);
      if (reading.kind == Reading::Kind::kExact || of_rows) {
        Audit audit(run, queries, repeats, subject, reading);
        GB_RETURN_IF_ERROR(audit.Read(history));
        GB_RETURN_IF_ERROR(audit.Run());
      }
    }
  }
  return {};
}

}  // namespace glovebox::engine::governed
