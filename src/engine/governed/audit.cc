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
  Population population;
  const std::string* base = nullptr;  // tables and joins
  std::string digest;
  std::set<std::string> classes;
  std::string valued;  // a measure: of its rows, only the number of those with a value follows, and few have none
};

bool IsInBox(const NamedBox& inner, const NamedBox& outer) {
  return std::ranges::all_of(outer, [&inner](const auto& entry) {
    const auto same = inner.find(entry.first);
    return same != inner.end() && same->second.And(entry.second) == same->second;
  });
}

bool IsIn(const OutCell& inner, const OutCell& outer) {
  return inner.base == outer.base && inner.population.own == outer.population.own && inner.digest != outer.digest &&
         std::ranges::all_of(inner.population.boxes, [&outer](const NamedBox& box) {
           return std::ranges::any_of(outer.population.boxes,
                                      [&box](const NamedBox& other) { return IsInBox(box, other); });
         });
}

bool AreDisjoint(const OutCell& a, const OutCell& b) {
  const bool one_branch = a.at.grid == b.at.grid && a.at.call == b.at.call && a.at.branch == b.at.branch;
  return one_branch ? a.at.group != b.at.group : query::AreDisjoint(a.population, b.population);
}

class Audit {
 public:
  explicit Audit(RunContext& run) : run_(run) {}

  Status Remember(const Grid& grid, std::size_t c, std::size_t g) {
    NoteKinds(grid, c, g);
    return Append(grid, c, g);
  }

  // Whether the cell may go out beside those that are; it is remembered if so.
  Result<bool> Admit(const Grid& grid, std::size_t c, std::size_t g) {
    const std::size_t before = out_.size();
    const std::vector<std::set<std::string>*> noted = NoteKinds(grid, c, g);
    GB_RETURN_IF_ERROR(Append(grid, c, g));  // its branches are known together
    for (std::size_t i = before; i < out_.size(); ++i) {
      for (const std::string& contribution : out_[i].classes) {
        GB_ASSIGN_OR_RETURN(const bool completes, Completes(out_[i], contribution));
        if (completes) {
          out_.erase(out_.begin() + static_cast<std::ptrdiff_t>(before), out_.end());
          for (std::set<std::string>* kinds : noted) {
            kinds->erase(grid.calls[c].kind);
          }
          return false;
        }
      }
    }
    return true;
  }

 private:
  // Tables and joins of a grid: one text for all its cells, and for other grids over the same.
  const std::string* BaseOf(const Grid& grid) {
    const auto [entry, added] = bases_.try_emplace(&grid, nullptr);
    if (added) {
      Population base = grid.population;
      base.boxes.clear();
      base.own.clear();
      entry->second = &*base_texts_.insert(base.Text(run_.catalog)).first;
    }
    return entry->second;
  }

  // What is told of each population's measures; returns the sets to which this call is new.
  std::vector<std::set<std::string>*> NoteKinds(const Grid& grid, std::size_t c, std::size_t g) {
    const GridCall& call = grid.calls[c];
    std::vector<std::set<std::string>*> noted;
    for (std::size_t b = 0; b < call.branches.size() && !call.measure.empty(); ++b) {
      std::set<std::string>& kinds = kinds_[{grid.groups[g].digests[c][b], call.measure}];
      if (kinds.insert(call.kind).second) {
        noted.push_back(&kinds);
      }
    }
    return noted;
  }

  Status Append(const Grid& grid, std::size_t c, std::size_t g) {
    const GridCall& call = grid.calls[c];
    for (std::size_t b = 0; b < call.branches.size(); ++b) {
      if (call.branches[b].none) {
        continue;
      }
      OutCell cell{.at = {&grid, c, b, g},
                   .population = {},
                   .base = BaseOf(grid),
                   .digest = grid.groups[g].digests[c][b],
                   .classes = call.branches[b].classes,
                   .valued = ""};
      GB_ASSIGN_OR_RETURN(cell.population, cell.at.Population(run_.catalog));
      if (cell.classes.contains(call.measure) && grid.groups[g].few_missing[c] &&
          TellNumberOfValues(kinds_[{cell.digest, call.measure}])) {
        cell.valued = call.measure;
        cell.classes.insert(grid.CountClass());
      }
      out_.push_back(std::move(cell));
    }
    return {};
  }

  // The cell as a total, and as the last part of every total that is out.
  Result<bool> Completes(const OutCell& cell, const std::string& contribution) const {
    std::set<std::size_t> done;
    for (std::size_t seed = 0; seed < out_.size(); ++seed) {
      if (done.contains(seed) || !out_[seed].classes.contains(contribution)) {
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

  // Disjoint cells of the total, in order from `first`, then from the beginning; disjoint from `also` as well.
  [[nodiscard]] std::vector<std::size_t> Family(const OutCell& total, const OutCell* also, std::size_t first,
                                                const std::string& contribution) const {
    std::vector<std::size_t> family;
    for (std::size_t i = 0; i < out_.size(); ++i) {
      const std::size_t at = (first + i) % out_.size();
      const OutCell& one = out_[at];
      if (one.classes.contains(contribution) && IsIn(one, total) && (also == nullptr || AreDisjoint(one, *also)) &&
          std::ranges::all_of(family, [&](std::size_t member) { return AreDisjoint(out_[member], one); })) {
        family.push_back(at);
      }
    }
    return family;
  }

  Result<bool> IsFew(const OutCell& total, const OutCell* also, const std::vector<std::size_t>& family,
                     const std::string& contribution) const {
    std::vector<const OutCell*> members;
    if (also != nullptr) {
      members.push_back(also);
    }
    for (const std::size_t member : family) {
      members.push_back(&out_[member]);
    }
    std::vector<CellAt> parts;
    std::int64_t rows = total.at.rows();
    for (const OutCell* member : members) {
      parts.push_back(member->at);
      rows -= member->at.rows();
    }
    if (rows == 0 && IsCountClass(contribution)) {
      return TellsMissing(total, members);
    }
    return IsRemainderFew(run_, total.at, parts, contribution);
  }

  // The parts are the whole total: where one side counts rows and the other values, the difference is those without.
  Result<bool> TellsMissing(const OutCell& total, const std::vector<const OutCell*>& members) const {
    std::set<std::string> measures{total.valued};
    for (const OutCell* member : members) {
      measures.insert(member->valued);
    }
    measures.erase("");
    for (const std::string& measure : measures) {
      std::vector<CellAt> differ;
      for (const OutCell* member : members) {
        if ((member->valued == measure) != (total.valued == measure)) {
          differ.push_back(member->at);
        }
      }
      if (differ.empty()) {
        continue;
      }
      GB_ASSIGN_OR_RETURN(const bool few, IsMissingFew(run_, total.at, differ, measure));
      if (few) {
        return true;
      }
    }
    return false;
  }

  RunContext& run_;
  std::vector<OutCell> out_;
  std::map<const Grid*, const std::string*> bases_;
  std::set<std::string> base_texts_;
  std::map<std::pair<std::string, std::string>, std::set<std::string>> kinds_;  // by digest and measure
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
