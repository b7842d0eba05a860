// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/totals.h"

#include <algorithm>
#include <map>

#include "query/print_expr.h"

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

class Totals {
 public:
  Totals(RunContext& run, ExecutedQuery& total, ExecutedQuery& parts) : run_(run), total_(total), parts_(parts) {}

  Status Run() {
    const auto common = CommonLeaves(total_.grid, parts_.grid);
    if (!common || total_.grid.leaves.size() >= parts_.grid.leaves.size()) {
      return {};
    }
    std::map<GroupKey, std::vector<std::size_t>> by_total;
    for (std::size_t g = 0; g < parts_.groups; ++g) {
      GroupKey key;
      for (const std::size_t leaf : *common) {
        key.push_back(parts_.grid.groups[g].key[leaf]);
      }
      by_total[key].push_back(g);
    }
    for (std::size_t c = 0; c < total_.grid.calls.size(); ++c) {
      for (std::size_t d = 0; d < parts_.grid.calls.size(); ++d) {
        for (std::size_t a = 0; a < total_.grid.calls[c].branches.size(); ++a) {
          for (std::size_t b = 0; b < parts_.grid.calls[d].branches.size(); ++b) {
            if (!Corresponds(c, a, d, b)) {
              continue;
            }
            for (std::size_t t = 0; t < total_.groups; ++t) {
              const auto found = by_total.find(total_.grid.groups[t].key);
              if (total_.grid.groups[t].out[c] && found != by_total.end()) {
                GB_RETURN_IF_ERROR(CheckOne(t, c, d, b, found->second));
              }
            }
          }
        }
      }
    }
    return {};
  }

 private:
  // The same rows but for the keys, and a class in common.
  [[nodiscard]] bool Corresponds(std::size_t c, std::size_t a, std::size_t d, std::size_t b) const {
    const auto& x = total_.grid.calls[c].branches[a].classes;
    const auto& y = parts_.grid.calls[d].branches[b].classes;
    const bool common = std::ranges::any_of(x, [&y](const std::string& name) { return y.contains(name); });
    return common && total_.grid.BranchPopulation(c, a).Text(run_.catalog) ==
                         parts_.grid.BranchPopulation(d, b).Text(run_.catalog);
  }

  // 1 to k-1 units in the withheld parts together?
  Result<bool> IsFew(const std::vector<std::size_t>& withheld, std::size_t d, std::size_t b) {
    std::int64_t rows = 0;
    std::string list;
    for (const std::size_t g : withheld) {
      rows += parts_.grid.groups[g].rows[d][b];
      list += (list.empty() ? "" : ", ") + std::to_string(g);
    }
    const query::GovernedQuery& query = run_.plan.governed.queries[parts_.index];
    const std::int64_t k = LargestMinimum(query.core, run_.assets);
    const std::size_t asset = query.core.instances[query.finest].asset;
    const bool single = parts_.grid.one_row_per_unit;
    const bool same_k = run_.assets[asset].rule.min_units == k;
    const privacy::Units by_rows = privacy::DecideByRows(
        {rows, k, same_k ? std::optional(run_.statistics[asset].heaviest_rows) : std::nullopt, single});
    if (by_rows != privacy::Units::kUndecided) {
      return by_rows == privacy::Units::kFew;
    }
    std::string on;
    for (std::size_t i = 0; i < parts_.grid.leaves.size(); ++i) {
      on += (i == 0 ? "" : " AND ") + parts_.grid.leaves[i].sql + " IS NOT DISTINCT FROM g.k" + std::to_string(i);
    }
    GB_ASSIGN_OR_RETURN(const std::string counter, run_.Counter(k));
    const std::string from = query::FromSql(parts_.grid.BranchPopulation(d, b), run_.catalog);
    const bool has_where = from.find(" WHERE ") != std::string::npos;
    GB_ASSIGN_OR_RETURN(
        const std::int64_t units,
        run_.connection.QueryInt("SELECT " + counter + "(" + query::UnitSql(parts_.grid.population.finest) + ")" + from +
                                 (has_where ? " AND " : " WHERE ") + "EXISTS (SELECT 1 FROM " + parts_.GroupsTable() +
                                 " AS g WHERE g.gid IN (" + list + ") AND " + on + ")"));
    return privacy::DecideByCount(units, k) == privacy::Units::kFew;
  }

  Status CheckOne(std::size_t t, std::size_t c, std::size_t d, std::size_t b, const std::vector<std::size_t>& groups) {
    std::vector<std::size_t> withheld;
    std::vector<std::size_t> released;
    for (const std::size_t g : groups) {
      (parts_.grid.groups[g].out[d] ? released : withheld).push_back(g);
    }
    GB_ASSIGN_OR_RETURN(const bool few, IsFew(withheld, d, b));
    if (!few || released.empty()) {
      return {};
    }
    if (total_.index > parts_.index) {
      total_.grid.groups[t].out[c] = false;
      return {};
    }
    // The last part by its key: it has k units, so the withheld ones together have as many.
    parts_.grid.groups[released.back()].out[d] = false;
    return {};
  }

  RunContext& run_;
  ExecutedQuery& total_;
  ExecutedQuery& parts_;
};

}  // namespace

Status WithholdTotals(RunContext& run, std::vector<ExecutedQuery>& queries) {
  for (ExecutedQuery& total : queries) {
    for (ExecutedQuery& parts : queries) {
      if (&total != &parts) {
        GB_RETURN_IF_ERROR(Totals(run, total, parts).Run());
      }
    }
  }
  return {};
}

}  // namespace glovebox::engine::governed
