// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/audit.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
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
  std::size_t base = 0;
  query::OwnConditions own;
  std::vector<NamedBox> boxes;
  std::string digest;
  std::set<std::string> classes;
  std::string valued;  // GridBranch::valued

  [[nodiscard]] bool IsOfOneBranchWith(const OutCell& other) const {
    return at.grid == other.at.grid && at.call == other.at.call && at.branch == other.at.branch;
  }
};

// What has the same tables and joins: only such cells are compared.
struct Base {
  std::set<std::string> plain;               // aliases whose columns tell disjoint rows apart
  std::vector<std::size_t> cells;            // in the order in which they went out
  std::vector<std::vector<std::size_t>> by;  // the same by branch: cells of one have no row in common
};

// Disjoint cells within a total.
struct Family {
  std::vector<std::vector<std::size_t>> members;  // by branch
  std::int64_t rows = 0;
  std::size_t looked_at = 0;  // of the base's cells

  [[nodiscard]] bool Contains(std::size_t cell) const {
    return std::ranges::any_of(members, [cell](const auto& of) { return std::ranges::binary_search(of, cell); });
  }
  void AddTo(std::set<std::size_t>& cells) const {
    for (const std::vector<std::size_t>& of : members) {
      cells.insert(of.begin(), of.end());
    }
  }
};

// Whether what the inner one asks of own columns is as narrow: settled conditions are sets of stored values.
bool IsInOwn(const query::OwnConditions& inner, const query::OwnConditions& outer) {
  return std::ranges::all_of(outer, [&inner](const auto& entry) {
    const auto same = inner.find(entry.first);
    return same != inner.end() &&
           (same->second == entry.second || (same->second.settled && entry.second.settled &&
                                             std::ranges::includes(entry.second.conditions, same->second.conditions)));
  });
}

bool AreDisjointOwn(const query::OwnConditions& a, const query::OwnConditions& b) {
  return std::ranges::any_of(a, [&b](const auto& entry) {
    const auto other = b.find(entry.first);
    return other != b.end() && entry.second.settled && other->second.settled &&
           std::ranges::none_of(entry.second.conditions, [&other](const std::string& value) {
             return other->second.conditions.contains(value);
           });
  });
}

class Audit {
 public:
  Audit(RunContext& run, Reading reading) : run_(run), reading_(std::move(reading)) {}

  Status Remember(const Grid& grid, std::size_t c, std::size_t g) { return Append(grid, c, g); }

  // Whether the cell may go out beside those that are; it is remembered if so.
  Result<bool> Admit(const Grid& grid, std::size_t c, std::size_t g) {
    const std::size_t before = out_.size();
    GB_RETURN_IF_ERROR(Append(grid, c, g));  // its branches are known together
    bool completes = IsExhausted();
    for (std::size_t i = before; i < out_.size() && !completes; ++i) {
      for (const std::string& contribution : out_[i].classes) {
        GB_ASSIGN_OR_RETURN(const bool few, Completes(i, contribution));
        completes = completes || few || IsExhausted();
      }
    }
    if (completes) {
      Forget(before);
    }
    return !completes;
  }

 private:
  [[nodiscard]] bool IsExhausted() const {
    return steps_ > limits::kAuditStepsMax || out_.size() > limits::kAuditCellsMax;
  }

  std::size_t BaseOf(const Grid& grid) {
    const auto [entry, added] = bases_of_.try_emplace(&grid, 0);
    if (added) {
      Population rows = grid.population;
      rows.boxes.clear();
      rows.own.clear();
      const auto [text, is_new] = base_texts_.emplace(rows.Text(run_.catalog), bases_.size());
      if (is_new) {
        bases_.emplace_back();
        for (const query::PopulationTable& table : rows.tables) {
          if (table.distinct == nullptr) {
            bases_.back().plain.insert(table.alias);
          }
        }
      }
      entry->second = text->second;
    }
    return entry->second;
  }

  Status Append(const Grid& grid, std::size_t c, std::size_t g) {
    const GridCall& call = grid.calls[c];
    for (std::size_t b = 0; b < call.branches.size() && out_.size() <= limits::kAuditCellsMax; ++b) {
      if (call.branches[b].none || grid.groups[g].digests[c][b].empty()) {
        continue;
      }
      OutCell cell;
      cell.at = {&grid, c, b, g, reading_};
      cell.classes = grid.Classes(c, b, g);
      std::erase_if(cell.classes, [&](const std::string& name) { return !grid.IsRead(reading_, name, c, b, g); });
      if (cell.classes.empty()) {
        continue;
      }
      cell.base = BaseOf(grid);
      cell.digest = grid.groups[g].digests[c][b];
      cell.valued = reading_.kind == Reading::Kind::kRows ? "" : call.branches[b].valued;
      // Many calls over one population are one cell.
      const std::vector<std::size_t>& known_cells = by_digest_[cell.digest];
      const auto known = std::ranges::find_if(known_cells, [&](std::size_t other) {
        return out_[other].valued == cell.valued && std::ranges::includes(out_[other].classes, cell.classes);
      });
      if (known != known_cells.end()) {
        continue;
      }
      GB_ASSIGN_OR_RETURN(Population population, cell.at.Population(run_.catalog));
      cell.own = std::move(population.own);
      cell.boxes = std::move(population.boxes);
      Add(std::move(cell));
    }
    return {};
  }

  void Add(OutCell cell) {
    const std::size_t index = out_.size();
    by_digest_[cell.digest].push_back(index);
    Base& base = bases_[cell.base];
    base.cells.push_back(index);
    const auto branch = std::ranges::find_if(
        base.by, [&](const auto& cells) { return !cells.empty() && out_[cells.front()].IsOfOneBranchWith(cell); });
    if (branch == base.by.end()) {
      base.by.push_back({index});
    } else {
      branch->push_back(index);
    }
    out_.push_back(std::move(cell));
  }

  // Takes back the cells from `first` on.
  void Forget(std::size_t first) {
    const auto is_late = [first](std::size_t cell) { return cell >= first; };
    for (std::size_t i = first; i < out_.size(); ++i) {
      std::erase_if(by_digest_[out_[i].digest], is_late);
      Base& base = bases_[out_[i].base];
      std::erase_if(base.cells, is_late);
      for (std::vector<std::size_t>& cells : base.by) {
        std::erase_if(cells, is_late);
      }
      std::erase_if(base.by, [](const auto& cells) { return cells.empty(); });
    }
    std::erase_if(families_, [&](auto& entry) {
      const std::size_t total = entry.first.first;
      return total >= first || entry.second.looked_at > bases_[out_[total].base].cells.size();
    });
    out_.erase(out_.begin() + static_cast<std::ptrdiff_t>(first), out_.end());
  }

  [[nodiscard]] bool IsIn(const OutCell& inner, const OutCell& outer) {
    ++steps_;
    return IsInOwn(inner.own, outer.own) && inner.digest != outer.digest && query::AreWithin(inner.boxes, outer.boxes);
  }

  [[nodiscard]] bool AreDisjoint(const OutCell& a, const OutCell& b) {
    ++steps_;
    return AreDisjointOwn(a.own, b.own) || std::ranges::all_of(a.boxes, [&](const NamedBox& x) {
             return std::ranges::all_of(b.boxes, [&](const NamedBox& y) {
               return std::ranges::any_of(x, [&](const auto& entry) {
                 const auto other = y.find(entry.first);
                 return other != y.end() && bases_[a.base].plain.contains(entry.first.first) &&
                        !entry.second.Overlaps(other->second);
               });
             });
           });
  }

  // The cell as a total, and as the last part of every total that is out.
  Result<bool> Completes(std::size_t cell, const std::string& contribution) {
    std::set<std::size_t> done;
    for (std::size_t branch = 0; branch < bases_[out_[cell].base].by.size() && !IsExhausted(); ++branch) {
      const std::vector<std::size_t>& others = bases_[out_[cell].base].by[branch];
      if (out_[others.front()].IsOfOneBranchWith(out_[cell])) {
        continue;
      }
      for (const std::size_t other : others) {
        if (done.contains(other) || !out_[other].classes.contains(contribution)) {
          continue;
        }
        if (IsIn(out_[other], out_[cell])) {
          Family family;
          Extend(family, cell, contribution, {other});
          family.AddTo(done);
          GB_ASSIGN_OR_RETURN(const bool few, IsFew(cell, family, contribution));
          if (few) {
            return true;
          }
        } else if (IsIn(out_[cell], out_[other])) {
          GB_ASSIGN_OR_RETURN(const bool few, IsLastPart(cell, other, contribution));
          if (few) {
            return true;
          }
        }
      }
    }
    return false;
  }

  Result<bool> IsLastPart(std::size_t cell, std::size_t total, const std::string& contribution) {
    Family& usual = families_[{total, contribution}];
    Extend(usual, total, contribution, {});
    Family other;
    const bool is_member = usual.Contains(cell);
    if (!is_member) {
      Extend(other, total, contribution, {cell});
    }
    const Family& with = is_member ? usual : other;
    GB_ASSIGN_OR_RETURN(const bool few, IsFew(total, with, contribution));
    const std::vector<std::size_t>& cells = bases_[out_[total].base].cells;
    if (few || cells.size() > limits::kAuditSeedsMax) {
      return few;
    }
    // An earlier cell may stand in the way of the parts: each cell gets its turn beside this one.
    std::set<std::size_t> done{cell, total};
    with.AddTo(done);
    for (const std::size_t seed : cells) {
      if (done.contains(seed) || !out_[seed].classes.contains(contribution) || !IsIn(out_[seed], out_[total]) ||
          !AreDisjoint(out_[seed], out_[cell])) {
        continue;
      }
      Family family;
      Extend(family, total, contribution, {cell, seed});
      family.AddTo(done);
      GB_ASSIGN_OR_RETURN(const bool found, IsFew(total, family, contribution));
      if (found) {
        return true;
      }
    }
    return false;
  }

  // Adds what lies in the total and has no row in common with the members: `first`, which are disjoint, and then those
  // that were not looked at before.
  void Extend(Family& family, std::size_t total, const std::string& contribution,
              const std::vector<std::size_t>& first) {
    const std::vector<std::size_t>& cells = bases_[out_[total].base].cells;
    for (const std::size_t one : first) {
      Join(family, one, contribution);
    }
    for (; family.looked_at < cells.size() && !IsExhausted(); ++family.looked_at) {
      const std::size_t one = cells[family.looked_at];
      if (std::ranges::find(first, one) != first.end() || !out_[one].classes.contains(contribution) ||
          !IsIn(out_[one], out_[total])) {
        continue;
      }
      const bool fits = std::ranges::all_of(family.members, [&](const std::vector<std::size_t>& members) {
        return out_[members.front()].IsOfOneBranchWith(out_[one])
                   ? !std::ranges::binary_search(members, one)
                   : std::ranges::all_of(members,
                                         [&](std::size_t member) { return AreDisjoint(out_[member], out_[one]); });
      });
      if (fits) {
        Join(family, one, contribution);
      }
    }
  }

  void Join(Family& family, std::size_t cell, const std::string& contribution) {
    family.rows += out_[cell].at.Rows(contribution);
    const auto branch = std::ranges::find_if(family.members, [&](const std::vector<std::size_t>& members) {
      return out_[members.front()].IsOfOneBranchWith(out_[cell]);
    });
    if (branch == family.members.end()) {
      family.members.push_back({cell});
    } else {
      branch->insert(std::ranges::upper_bound(*branch, cell), cell);
    }
  }

  Result<bool> IsFew(std::size_t total, const Family& family, const std::string& contribution) {
    const std::int64_t rows = out_[total].at.Rows(contribution) - family.rows;
    return IsRemainderUnsafe(run_, out_[total].at, rows, contribution, [&] { return CellsOf(family); });
  }

  [[nodiscard]] std::vector<CellAt> CellsOf(const Family& family) const {
    std::vector<CellAt> out;
    for (const std::vector<std::size_t>& members : family.members) {
      for (const std::size_t member : members) {
        out.push_back(out_[member].at);
      }
    }
    return out;
  }

  RunContext& run_;
  Reading reading_;
  std::size_t steps_ = 0;  // comparisons
  std::vector<OutCell> out_;
  std::vector<Base> bases_;
  std::map<std::string, std::size_t> base_texts_;
  std::map<const Grid*, std::size_t> bases_of_;
  std::map<std::string, std::vector<std::size_t>> by_digest_;
  std::map<std::pair<std::size_t, std::string>, Family> families_;  // by total and class
};

}  // namespace

Status WithholdFamilies(RunContext& run, std::vector<ExecutedQuery>& queries, const std::vector<Grid>& history,
                        const CellFlags& repeats) {
  for (const Reading& reading : ReadingsOf(queries, history)) {
    Audit audit(run, reading);
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
  }
  return {};
}

}  // namespace glovebox::engine::governed
