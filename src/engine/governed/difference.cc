// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/difference.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/governed/audit.h"
#include "engine/governed/combinations.h"
#include "engine/governed/distance.h"
#include "engine/governed/totals.h"
#include "privacy/difference_check.h"

namespace glovebox::engine::governed {
namespace {

// What is out of one population: by digest.
struct OutThere {
  std::int64_t rows = 0;
  std::set<std::pair<std::string, std::string>> classes;  // and what a row needs a value of
  std::map<std::string, std::set<std::string>> kinds;     // of a measure
  bool few_missing = false;
  bool counted = false;  // a count of these rows or units, whatever else is out
};

class Check {
 public:
  Check(RunContext& run, std::vector<ExecutedQuery>& queries, const History& history)
      : run_(run), queries_(queries), history_(history.grids), past_(history) {}

  Status Run() {
    for (ExecutedQuery& query : queries_) {
      GB_RETURN_IF_ERROR(Number(query));
    }
    for (const Grid& grid : history_) {
      if (!grid.stale) {
        Remember(grid, [&grid](std::size_t c, std::size_t g) { return grid.groups[g].out[c]; }, history_out_);
      }
    }
    WithholdContradictions();
    WithholdMissing();
    NoteTold();
    GB_RETURN_IF_ERROR(CompareAll());
    const std::vector<bool> released = privacy::DecideReleases(small_, close_, same_);
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      for (std::size_t c = 0; c < queries_[q].grid.calls.size(); ++c) {
        for (std::size_t g = 0; g < queries_[q].groups; ++g) {
          queries_[q].grid.groups[g].out[c] = released[CellAt(q, c, g)];
        }
      }
    }
    CellFlags repeats(queries_.size());
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      for (std::size_t c = 0; c < queries_[q].grid.calls.size(); ++c) {
        repeats[q].emplace_back();
        for (std::size_t g = 0; g < queries_[q].groups; ++g) {
          repeats[q].back().push_back(same_[CellAt(q, c, g)]);
        }
      }
    }
    GB_RETURN_IF_ERROR(WithholdTotals(run_, queries_, history_, repeats));
    GB_RETURN_IF_ERROR(WithholdFamilies(run_, queries_, history_, repeats));
    return WithholdCombinations(run_, queries_, history_, repeats);
  }

 private:
  [[nodiscard]] std::size_t CellAt(std::size_t q, std::size_t c, std::size_t g) const {
    return first_cell_[q] + c * queries_[q].groups + g;
  }

  // Gives the cells of a query their digests and their places.
  Status Number(ExecutedQuery& query) {
    first_cell_.push_back(small_.size());
    for (GridGroup& group : query.grid.groups) {
      for (std::size_t c = 0; c < query.grid.calls.size(); ++c) {
        group.digests.emplace_back();
        for (std::size_t b = 0; b < query.grid.calls[c].branches.size(); ++b) {
          GB_ASSIGN_OR_RETURN(std::string digest, query.grid.CellDigest(c, b, group.key, run_.catalog));
          group.digests.back().push_back(std::move(digest));
        }
      }
    }
    const std::set<std::string> names = query.grid.population.AssetNames();
    const bool sealed = std::ranges::any_of(names, [this](const std::string& name) {
      const query::Asset* asset = run_.catalog.Find(name);
      return asset->IsProtected() && past_.sealed_owners.contains(asset->owner);
    });
    for (std::size_t c = 0; c < query.grid.calls.size(); ++c) {
      for (std::size_t g = 0; g < query.groups; ++g) {
        small_.push_back(sealed || !query.call_ok[c][g]);
      }
    }
    return {};
  }

  template <typename IsOut>
  static void Remember(const Grid& grid, const IsOut& is_out, std::map<std::string, OutThere>& out) {
    for (std::size_t g = 0; g < grid.groups.size(); ++g) {
      for (std::size_t c = 0; c < grid.calls.size(); ++c) {
        if (!is_out(c, g)) {
          continue;
        }
        for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
          const GridBranch& branch = grid.calls[c].branches[b];
          if (grid.groups[g].digests[c][b].empty()) {
            continue;
          }
          OutThere& there = out[grid.groups[g].digests[c][b]];
          there.rows = grid.groups[g].rows[c][b];
          there.classes.merge(ClassesOf(grid, c, b, g));
          there.counted = there.counted || branch.counts;
          if (!branch.valued.empty()) {
            there.kinds[branch.valued].insert(grid.calls[c].kind);
            there.few_missing = there.few_missing || grid.groups[g].few_missing[c];
          }
        }
      }
    }
  }

  // The classes of a cell, and what its rows need a value of.
  static std::set<std::pair<std::string, std::string>> ClassesOf(const Grid& grid, std::size_t c, std::size_t b,
                                                                 std::size_t g) {
    std::set<std::pair<std::string, std::string>> out;
    for (const std::string& contribution : grid.Classes(c, b, g)) {
      out.emplace(contribution, grid.Valued(c, b, contribution));
    }
    return out;
  }

  // One population has one number of rows, always: a cell with another one is not what it says.
  void WithholdContradictions() {
    std::map<std::string, std::int64_t> known;
    for (const auto& [digest, there] : history_out_) {
      known.emplace(digest, there.rows);
    }
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      const Grid& grid = queries_[q].grid;
      for (std::size_t c = 0; c < grid.calls.size(); ++c) {
        for (std::size_t g = 0; g < queries_[q].groups; ++g) {
          for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
            const std::string& digest = grid.groups[g].digests[c][b];
            const std::int64_t rows = grid.groups[g].rows[c][b];
            if (!digest.empty() && known.emplace(digest, rows).first->second != rows) {
              small_[CellAt(q, c, g)] = true;
            }
          }
        }
      }
    }
  }

  // P4, stored NULLs: what tells how many rows have no value is withheld beside a count of the same rows; within the
  // run all of it, over the history what comes later.
  void WithholdMissing() {
    std::map<std::string, OutThere> here;
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      Remember(queries_[q].grid, [&](std::size_t c, std::size_t g) { return !small_[CellAt(q, c, g)]; }, here);
    }
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      const Grid& grid = queries_[q].grid;
      for (std::size_t c = 0; c < grid.calls.size(); ++c) {
        for (std::size_t g = 0; g < queries_[q].groups; ++g) {
          for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
            const bool tells = (grid.calls[c].branches[b].counts && CountTells(grid.groups[g].digests[c][b])) ||
                               MeasureTells(q, c, b, g, here);
            small_[CellAt(q, c, g)] = small_[CellAt(q, c, g)] || tells;
          }
        }
      }
    }
  }

  // A count that comes after what tells the number of values.
  [[nodiscard]] bool CountTells(const std::string& digest) const {
    const auto before = history_out_.find(digest);
    return before != history_out_.end() && before->second.few_missing && !before->second.counted &&
           std::ranges::any_of(before->second.kinds,
                               [](const auto& entry) { return TellNumberOfValues(entry.second); });
  }

  // An aggregate of a measure beside a count of the same rows.
  bool MeasureTells(std::size_t q, std::size_t c, std::size_t b, std::size_t g,
                    const std::map<std::string, OutThere>& here) const {
    const GridCall& call = queries_[q].grid.calls[c];
    const std::string& valued = call.branches[b].valued;
    const std::string& digest = queries_[q].grid.groups[g].digests[c][b];
    if (valued.empty() || digest.empty()) {
      return false;
    }
    const auto before = history_out_.find(digest);
    const bool counted = before != history_out_.end() && before->second.counted;
    if (!queries_[q].grid.groups[g].few_missing[c] || (!counted && !CountStands(q, g, digest))) {
      return false;
    }
    std::set<std::string> kinds;
    const auto add = [&](const OutThere& there) {
      if (const auto entry = there.kinds.find(valued); entry != there.kinds.end()) {
        kinds.insert(entry->second.begin(), entry->second.end());
      }
    };
    if (const auto now = here.find(digest); now != here.end()) {
      add(now->second);
    }
    if (before != history_out_.end()) {
      add(before->second);
    }
    return TakesPart(call.kind, kinds);
  }

  // Calls that tell together how many rows have a value count those rows (P4, P10): from the call on that completes
  // them.
  void NoteTold() {
    std::map<std::pair<std::string, std::string>, std::set<std::string>> known;  // by digest and measure
    for (const auto& [digest, there] : history_out_) {
      for (const auto& [measure, kinds] : there.kinds) {
        known[{digest, measure}] = kinds;
      }
    }
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      Grid& grid = queries_[q].grid;
      for (std::size_t c = 0; c < grid.calls.size(); ++c) {
        for (std::size_t g = 0; g < queries_[q].groups; ++g) {
          for (std::size_t b = 0; b < grid.calls[c].branches.size() && !small_[CellAt(q, c, g)]; ++b) {
            const std::string& valued = grid.calls[c].branches[b].valued;
            if (!valued.empty()) {
              std::set<std::string>& kinds = known[{grid.groups[g].digests[c][b], valued}];
              grid.groups[g].told[c] =
                  grid.groups[g].told[c] || TakesPart(grid.calls[c].kind, kinds) || TellNumberOfValues(kinds);
              kinds.insert(grid.calls[c].kind);
            }
          }
        }
      }
    }
  }

  // Whether a COUNT(*) or COUNT(DISTINCT unit) of this population is among the run's cells.
  [[nodiscard]] bool CountStands(std::size_t q, std::size_t g, const std::string& digest) const {
    for (std::size_t other = 0; other < queries_.size(); ++other) {
      const Grid& grid = queries_[other].grid;
      for (std::size_t c = 0; c < grid.calls.size(); ++c) {
        const std::size_t first = other == q ? g : 0;
        const std::size_t last = other == q ? g + 1 : queries_[other].groups;
        for (std::size_t i = first; i < last; ++i) {
          for (std::size_t b = 0; b < grid.calls[c].branches.size() && !small_[CellAt(other, c, i)]; ++b) {
            if (grid.calls[c].branches[b].counts && grid.groups[i].digests[c][b] == digest) {
              return true;
            }
          }
        }
      }
    }
    return false;
  }

  // The branches of a grid's calls; `is_relevant(call, group)`.
  template <typename IsRelevant>
  [[nodiscard]] std::vector<BranchAt> BranchesOf(const Grid& grid, const IsRelevant& is_relevant) const {
    std::vector<BranchAt> out;
    for (std::size_t c = 0; c < grid.calls.size(); ++c) {
      std::vector<bool> relevant;
      for (std::size_t g = 0; g < grid.groups.size(); ++g) {
        relevant.push_back(is_relevant(c, g));
      }
      for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
        out.push_back({&grid, c, b, relevant, grid.Shape(c, b, run_.catalog)});
      }
    }
    return out;
  }

  // Whether the cell says how many rows have a value.
  [[nodiscard]] static bool CountsValues(const Grid& grid, std::size_t c, std::size_t b, std::size_t g) {
    return !grid.IsFraction(c, b, g) && std::ranges::any_of(grid.Classes(c, b, g), IsCountClass);
  }

  // Whether the same cells are out already: then nothing new is told.
  [[nodiscard]] bool IsOutAlready(const Grid& grid, std::size_t c, std::size_t g) const {
    for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
      if (grid.groups[g].digests[c][b].empty()) {
        continue;
      }
      const auto there = history_out_.find(grid.groups[g].digests[c][b]);
      if (there == history_out_.end() || !std::ranges::includes(there->second.classes, ClassesOf(grid, c, b, g))) {
        return false;
      }
      // A fraction told the number of values before; this cell says it.
      const std::string& valued = grid.calls[c].branches[b].valued;
      const auto kinds = there->second.kinds.find(valued);
      if (!valued.empty() && CountsValues(grid, c, b, g) &&
          (kinds == there->second.kinds.end() || !TellNumberOfValues(kinds->second))) {
        return false;
      }
    }
    return !grid.calls[c].branches.empty();
  }

  Status CompareAll() {
    close_.resize(small_.size());
    same_.assign(small_.size(), false);
    std::vector<std::vector<BranchAt>> here;
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      here.push_back(
          BranchesOf(queries_[q].grid, [&](std::size_t c, std::size_t g) { return !small_[CellAt(q, c, g)]; }));
      for (std::size_t c = 0; c < queries_[q].grid.calls.size(); ++c) {
        for (std::size_t g = 0; g < queries_[q].groups; ++g) {
          same_[CellAt(q, c, g)] = IsOutAlready(queries_[q].grid, c, g);
        }
      }
    }
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      for (BranchAt& branch : here[q]) {
        GB_RETURN_IF_ERROR(CompareToRun(q, branch, here));
      }
    }
    for (const Grid& grid : history_) {
      for (BranchAt& there : BranchesOf(grid, [&](std::size_t c, std::size_t g) { return grid.groups[g].out[c]; })) {
        GB_RETURN_IF_ERROR(CompareToHistory(there, here));
      }
    }
    return {};
  }

  // With the calls before its own.
  Status CompareToRun(std::size_t q, BranchAt& branch, std::vector<std::vector<BranchAt>>& here) {
    for (std::size_t earlier = 0; earlier <= q; ++earlier) {
      for (BranchAt& other : here[earlier]) {
        if (earlier == q && other.call >= branch.call) {
          break;
        }
        GB_ASSIGN_OR_RETURN(const auto pairs, ClosePairs(run_, branch, other));
        for (const auto& [mine, theirs] : pairs) {
          close_[CellAt(q, branch.call, mine)].to_run.push_back(CellAt(earlier, other.call, theirs));
        }
      }
    }
    return {};
  }

  Status CompareToHistory(BranchAt& there, std::vector<std::vector<BranchAt>>& here) {
    for (std::size_t q = 0; q < here.size(); ++q) {
      for (BranchAt& branch : here[q]) {
        GB_ASSIGN_OR_RETURN(const auto pairs, ClosePairs(run_, branch, there));
        for (const auto& [mine, theirs] : pairs) {
          close_[CellAt(q, branch.call, mine)].to_history = true;
        }
      }
    }
    return {};
  }

  RunContext& run_;
  std::vector<ExecutedQuery>& queries_;
  const std::vector<Grid>& history_;
  const History& past_;
  std::map<std::string, OutThere> history_out_;
  std::vector<std::size_t> first_cell_;  // by query
  std::vector<bool> small_;
  std::vector<bool> same_;
  std::vector<privacy::CloseCells> close_;
};

// Whether all columns that the grid speaks of are still there: a rule may have dropped some.
bool Binds(const Grid& grid, RunContext& run) {
  std::string columns = "1";
  for (const GridLeaf& leaf : grid.leaves) {
    columns += ", " + leaf.sql;
  }
  for (const GridCall& call : grid.calls) {
    for (const GridBranch& branch : call.branches) {
      columns += ", " + HasValueSql(branch.valued);
    }
  }
  return run.connection.Query("SELECT " + columns + query::FromSql(grid.population, run.catalog) + " LIMIT 0").ok();
}

}  // namespace

Result<History> ReadHistory(const std::vector<json::Value>& records, RunContext& run) {
  const query::AssetCatalog& assets = run.catalog;
  History out;
  for (const json::Value& record : records) {
    const json::Value* grids = record.Get("grids");
    const json::Value* tables = record.Get("tables");
    if (grids == nullptr || !grids->is_array() || tables == nullptr || !tables->is_object()) {
      return UnreadableRecord();
    }
    for (const json::Value& json : grids->as_array()) {
      Result<Grid> grid = GridFromJson(json, assets);
      bool comparable = grid.ok();
      for (const std::string& name : comparable ? grid->population.AssetNames() : std::set<std::string>{}) {
        const query::Asset* asset = assets.Find(name);
        const json::Value* then = tables->Get(name);
        const bool same = then != nullptr && then->GetString("content") == asset->content;
        grid->stale = grid->stale || !same;
        comparable = comparable && (same || asset->IsProtected());
      }
      comparable = comparable && (!grid->stale || Binds(*grid, run));
      if (comparable) {
        out.grids.push_back(std::move(*grid));
        continue;
      }
      for (const auto& [name, table] : tables->as_object()) {
        if (!table.GetBool("own")) {
          out.sealed_owners.insert(table.GetString("owner"));
        }
      }
    }
  }
  return out;
}

Status CheckDifferences(RunContext& run, std::vector<ExecutedQuery>& queries, const History& history) {
  return Check(run, queries, history).Run();
}

}  // namespace glovebox::engine::governed
