// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/audit.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/limits.h"
#include "engine/governed/remainder.h"

namespace glovebox::engine::governed {
namespace {

using query::NamedBox;
using query::Population;

// One branch of a cell that is out, or would be.
struct OutCell {
  CellAt at;
  Population population;
  const std::string* base = nullptr;  // tables and joins
  std::string digest;

  [[nodiscard]] const std::set<std::string>& classes() const {
    return at.grid->calls[at.call].branches[at.branch].classes;
  }
};

bool IsInBox(const NamedBox& inner, const NamedBox& outer) {
  return std::ranges::all_of(outer, [&inner](const auto& entry) {
    const auto same = inner.find(entry.first);
    return same != inner.end() && same->second.And(entry.second) == same->second;
  });
}

bool IsIn(const OutCell& inner, const OutCell& outer) {
  return *inner.base == *outer.base && inner.population.own == outer.population.own && inner.digest != outer.digest &&
         std::ranges::all_of(inner.population.boxes, [&outer](const NamedBox& box) {
           return std::ranges::any_of(outer.population.boxes,
                                      [&box](const NamedBox& other) { return IsInBox(box, other); });
         });
}

class Audit {
 public:
  explicit Audit(RunContext& run) : run_(run) {}

  Status Remember(const Grid& grid, std::size_t c, std::size_t g) {
    GB_ASSIGN_OR_RETURN(std::vector<OutCell> cells, CellsOf(grid, c, g));
    std::ranges::move(cells, std::back_inserter(out_));
    return {};
  }

  // Whether the cell may go out beside those that are; it is remembered if so.
  Result<bool> Admit(const Grid& grid, std::size_t c, std::size_t g) {
    GB_ASSIGN_OR_RETURN(std::vector<OutCell> cells, CellsOf(grid, c, g));
    for (const OutCell& cell : cells) {
      for (const std::string& contribution : cell.classes()) {
        GB_ASSIGN_OR_RETURN(const bool completes, Completes(cell, contribution));
        if (completes) {
          return false;
        }
      }
    }
    std::ranges::move(cells, std::back_inserter(out_));
    return true;
  }

 private:
  // Tables and joins of a grid: the same text for all its cells.
  const std::string& BaseOf(const Grid& grid) {
    const auto [entry, added] = bases_.try_emplace(&grid);
    if (added) {
      Population base = grid.population;
      base.boxes.clear();
      base.own.clear();
      entry->second = base.Text(run_.catalog);
    }
    return entry->second;
  }

  Result<std::vector<OutCell>> CellsOf(const Grid& grid, std::size_t c, std::size_t g) {
    std::vector<OutCell> out;
    const std::string& base = BaseOf(grid);
    for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
      if (grid.calls[c].branches[b].none) {
        continue;
      }
      OutCell cell{.at = {&grid, c, b, g}, .population = {}, .base = &base, .digest = grid.groups[g].digests[c][b]};
      GB_ASSIGN_OR_RETURN(cell.population, cell.at.Population(run_.catalog));
      out.push_back(std::move(cell));
    }
    return out;
  }

  // The cell as a total, and as the last part of every total that is out.
  Result<bool> Completes(const OutCell& cell, const std::string& contribution) const {
    std::set<std::size_t> done;
    for (std::size_t seed = 0; seed < out_.size(); ++seed) {
      if (done.contains(seed) || !Counts(out_[seed], contribution)) {
        continue;
      }
      if (IsIn(out_[seed], cell)) {
        const std::vector<std::size_t> family = Family(cell, nullptr, seed, contribution);
        done.insert(family.begin(), family.end());
        GB_ASSIGN_OR_RETURN(const bool few, IsFew(cell, nullptr, family, contribution));
        if (few) {
          return true;
        }
      } else if (IsIn(cell, out_[seed])) {
        const std::vector<std::size_t> family = Family(out_[seed], &cell, 0, contribution);
        GB_ASSIGN_OR_RETURN(const bool few, IsFew(out_[seed], &cell, family, contribution));
        if (few) {
          return true;
        }
      }
    }
    return false;
  }

  static bool Counts(const OutCell& cell, const std::string& contribution) {
    return cell.classes().contains(contribution);
  }

  // Disjoint cells of the total, in order from `first`, then from the beginning; disjoint from `also` as well.
  [[nodiscard]] std::vector<std::size_t> Family(const OutCell& total, const OutCell* also, std::size_t first,
                                                const std::string& contribution) const {
    std::vector<std::size_t> family;
    for (std::size_t i = 0; i < out_.size(); ++i) {
      const std::size_t at = (first + i) % out_.size();
      const OutCell& one = out_[at];
      if (Counts(one, contribution) && IsIn(one, total) &&
          (also == nullptr || query::AreDisjoint(one.population, also->population)) &&
          std::ranges::all_of(family, [&](std::size_t member) {
            return query::AreDisjoint(out_[member].population, one.population);
          })) {
        family.push_back(at);
      }
    }
    return family;
  }

  Result<bool> IsFew(const OutCell& total, const OutCell* also, const std::vector<std::size_t>& family,
                     const std::string& contribution) const {
    std::vector<CellAt> parts;
    if (also != nullptr) {
      parts.push_back(also->at);
    }
    for (const std::size_t member : family) {
      parts.push_back(out_[member].at);
    }
    return IsRemainderFew(run_, total.at, parts, contribution);
  }

  RunContext& run_;
  std::vector<OutCell> out_;
  std::map<const Grid*, std::string> bases_;
};

std::size_t CellsOut(const Grid& grid) {
  std::size_t count = 0;
  for (const GridGroup& group : grid.groups) {
    count += static_cast<std::size_t>(std::ranges::count(group.out, true));
  }
  return count;
}

}  // namespace

Status WithholdFamilies(RunContext& run, std::vector<ExecutedQuery>& queries, const std::vector<Grid>& history,
                        const CellFlags& repeats) {
  std::size_t cells = 0;
  for (const Grid& grid : history) {
    cells += grid.stale ? 0 : CellsOut(grid);
  }
  for (const ExecutedQuery& query : queries) {
    cells += CellsOut(query.grid);
  }
  if (cells > limits::kAuditCellsMax) {
    return {};
  }
  Audit audit(run);
  for (const Grid& grid : history) {
    for (std::size_t g = 0; g < grid.groups.size() && !grid.stale; ++g) {
      for (std::size_t c = 0; c < grid.calls.size(); ++c) {
        if (grid.groups[g].out[c]) {
          GB_RETURN_IF_ERROR(audit.Remember(grid, c, g));
        }
      }
    }
  }
  for (std::size_t q = 0; q < queries.size(); ++q) {
    Grid& grid = queries[q].grid;
    for (std::size_t c = 0; c < grid.calls.size(); ++c) {
      for (std::size_t g = 0; g < grid.groups.size(); ++g) {
        if (!grid.groups[g].out[c] || repeats[q][c][g]) {
          continue;
        }
        GB_ASSIGN_OR_RETURN(const bool admitted, audit.Admit(grid, c, g));
        grid.groups[g].out[c] = admitted;
      }
    }
  }
  return {};
}

}  // namespace glovebox::engine::governed
