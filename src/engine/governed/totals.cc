// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/totals.h"

#include <algorithm>
#include <map>

#include "engine/governed/distance.h"
#include "engine/governed/remainder.h"

namespace glovebox::engine::governed {
namespace {

// Leaves of `total` that `parts` has as well, by position; nothing if one is missing.
std::optional<std::vector<std::size_t>> CommonLeaves(const Grid& total, const Grid& parts) {
  std::vector<std::size_t> out;
  for (const GridLeaf& leaf : total.leaves) {
    const auto found = std::ranges::find(parts.leaves, leaf.sql, &GridLeaf::sql);
    if (found == parts.leaves.end()) {
      return std::nullopt;
    }
    out.push_back(static_cast<std::size_t>(found - parts.leaves.begin()));
  }
  return out;
}

// A grid of this run, whose cells can still be withheld, or of the history.
struct Side {
  Grid* grid = nullptr;
  std::size_t order = 0;                                    // history first, then the plan
  const std::vector<std::vector<bool>>* repeats = nullptr;  // null: history
  std::vector<std::vector<std::string>> texts = {};         // [call][branch]: of its population

  [[nodiscard]] bool MayWithhold(std::size_t call, std::size_t group) const {
    return repeats != nullptr && !(*repeats)[call][group];
  }
};

class Totals {
 public:
  Totals(RunContext& run, const Side& total, const Side& parts, const std::vector<Reading>& readings)
      : run_(run),
        total_side_(total),
        parts_side_(parts),
        readings_(readings),
        total_(*total.grid),
        parts_(*parts.grid) {}

  Status Run() {
    const auto common = CommonLeaves(total_, parts_);
    if (!common || total_.leaves.size() >= parts_.leaves.size()) {
      return {};
    }
    std::map<GroupKey, std::vector<std::size_t>> by_total;
    for (std::size_t g = 0; g < parts_.groups.size(); ++g) {
      GroupKey key;
      for (const std::size_t leaf : *common) {
        key.push_back(parts_.groups[g].key[leaf]);
      }
      by_total[key].push_back(g);
    }
    for (std::size_t c = 0; c < total_.calls.size(); ++c) {
      for (std::size_t a = 0; a < total_.calls[c].branches.size(); ++a) {
        for (std::size_t d = 0; d < parts_.calls.size(); ++d) {
          for (std::size_t b = 0; b < parts_.calls[d].branches.size(); ++b) {
            GB_RETURN_IF_ERROR(CheckCalls({c, a}, {d, b}, by_total));
          }
        }
      }
    }
    return {};
  }

 private:
  struct At {
    std::size_t call;
    std::size_t branch;
  };

  Status CheckCalls(At total, At parts, const std::map<GroupKey, std::vector<std::size_t>>& by_total) {
    // The same rows but for the keys.
    if (total_side_.texts[total.call][total.branch] != parts_side_.texts[parts.call][parts.branch]) {
      return {};
    }
    for (std::size_t t = 0; t < total_.groups.size(); ++t) {
      const auto found = by_total.find(total_.groups[t].key);
      if (found == by_total.end()) {
        continue;
      }
      for (const std::string& contribution : total_.Classes(total.call, total.branch, t)) {
        for (const Reading& reading : readings_) {
          // A further part that is withheld makes up for too few units, but perhaps not for one that dominates them.
          bool again =
              total_.groups[t].out[total.call] && total_.IsRead(reading, contribution, total.call, total.branch, t);
          while (again) {
            GB_ASSIGN_OR_RETURN(const bool withheld, CheckOne(t, total, parts, found->second, contribution, reading));
            again = withheld && IsSumClass(contribution) && total_.groups[t].out[total.call];
          }
        }
      }
    }
    return {};
  }

  // P4, stored NULLs: the parts add up to the total's sum, and with its average to its number of values.
  [[nodiscard]] bool TellNumber(std::size_t t, At total, At parts, const std::string& contribution) const {
    const GridBranch& branch = total_.calls[total.call].branches[total.branch];
    const GridBranch& part = parts_.calls[parts.call].branches[parts.branch];
    const std::string& kind = parts_.calls[parts.call].kind;
    return total_.groups[t].few_missing[total.call] && total_.calls[total.call].kind == "avg" &&
           (kind == "sum" || kind == "sum+count") && contribution == branch.valued && !branch.none && !part.none;
  }

  // Whether a cell was withheld.
  Result<bool> CheckOne(std::size_t t, At total, At parts, const std::vector<std::size_t>& groups,
                        const std::string& contribution, const Reading& reading) {
    std::vector<CellAt> released;
    std::optional<std::size_t> last;  // by its key: it has k units, so the rest together has as many
    for (const std::size_t g : groups) {
      if (parts_.groups[g].out[parts.call] && parts_.IsOf(contribution, parts.call, parts.branch, g) &&
          parts_.IsRead(reading, contribution, parts.call, parts.branch, g)) {
        released.push_back({&parts_, parts.call, parts.branch, g, reading});
        last = parts_side_.MayWithhold(parts.call, g) ? g : last;
      }
    }
    const bool total_may = total_side_.MayWithhold(total.call, t);
    if (released.empty() || (!total_may && !last)) {
      return false;
    }
    const CellAt cell{&total_, total.call, total.branch, t, reading};
    std::int64_t rows = cell.Rows(contribution);
    for (const CellAt& part : released) {
      rows -= part.Rows(contribution);
    }
    bool unsafe = rows == 0 && TellNumber(t, total, parts, contribution);
    if (!unsafe) {
      GB_ASSIGN_OR_RETURN(unsafe, IsRemainderUnsafe(run_, cell, rows, contribution, [&] { return released; }));
    }
    if (!unsafe) {
      return false;
    }
    if (total_may && (total_side_.order > parts_side_.order || !last)) {
      total_.groups[t].out[total.call] = false;
    } else if (last) {
      parts_.groups[*last].out[parts.call] = false;
    }
    return true;
  }

  RunContext& run_;
  const Side& total_side_;
  const Side& parts_side_;
  const std::vector<Reading>& readings_;
  Grid& total_;
  Grid& parts_;
};

}  // namespace

Status WithholdTotals(RunContext& run, std::vector<ExecutedQuery>& queries, const std::vector<Grid>& history,
                      const CellFlags& repeats) {
  std::vector<Grid> past;
  for (const Grid& grid : history) {
    if (!grid.stale) {
      past.push_back(grid);
    }
  }
  std::vector<Side> sides;
  for (Grid& grid : past) {
    sides.push_back({&grid, sides.size(), nullptr});
  }
  for (std::size_t q = 0; q < queries.size(); ++q) {
    sides.push_back({&queries[q].grid, sides.size(), &repeats[q]});
  }
  for (Side& side : sides) {
    for (std::size_t c = 0; c < side.grid->calls.size(); ++c) {
      side.texts.emplace_back();
      for (std::size_t b = 0; b < side.grid->calls[c].branches.size(); ++b) {
        side.texts.back().push_back(side.grid->BranchPopulation(c, b).Text(run.catalog));
      }
    }
  }
  const std::vector<Reading> readings = ReadingsOf(queries, history);
  for (const Side& total : sides) {
    for (const Side& parts : sides) {
      if (total.order != parts.order && (total.repeats != nullptr || parts.repeats != nullptr)) {
        GB_RETURN_IF_ERROR(Totals(run, total, parts, readings).Run());
      }
    }
  }
  return {};
}

}  // namespace glovebox::engine::governed
