// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/own_subtraction.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/limits.h"
#include "query/own_membership.h"
#include "query/print_expr.h"

namespace glovebox::engine::governed {
namespace {

using query::Population;

// What a group selects of an own table, and everything else that it is about but conditions on protected columns.
struct OwnSet {
  std::string base;
  std::string sql;
};

bool IsOver(const std::set<query::PopulationColumn>& columns, const std::string& alias) {
  return std::ranges::all_of(columns, [&alias](const auto& column) { return column.first == alias; });
}

// The units that meet: EXISTS, IN and DISTINCT are joins here, and who is unmatched in a LEFT JOIN meets nobody.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
Population UnitsThatMeet(const Population& population) {
  Population out = population;
  query::JoinUnits(out);
  out.finest.clear();
  out.boxes = {query::NamedBox{}};
  for (query::PopulationTable& table : out.tables) {
    table.left_joined = false;
    if (table.distinct != nullptr) {
      table.distinct = std::make_shared<const Population>(UnitsThatMeet(*table.distinct));
    }
  }
  return out;
}

Result<OwnSet> SetOf(const Grid& grid, std::size_t group, const std::string& alias, const query::AssetCatalog& assets) {
  GB_ASSIGN_OR_RETURN(const Population cell, grid.CellPopulation(0, 0, grid.groups[group].key, assets));
  Population base = UnitsThatMeet(cell);
  OwnSet out;
  std::erase_if(base.own, [&](const auto& entry) {
    if (!IsOver(entry.first, alias)) {
      return false;
    }
    out.sql += (out.sql.empty() ? "(" : " AND (") + entry.second.Sql() + ")";
    return true;
  });
  out.sql = out.sql.empty() ? "TRUE" : out.sql;
  out.base = base.Text(assets);
  return out;
}

bool IsOut(const GridGroup& group) { return std::ranges::find(group.out, true) != group.out.end(); }

// Own units with the same place in every set.
struct Atom {
  std::vector<bool> in;  // by set
  std::int64_t units = 0;
  std::int64_t matched = 0;
};

class Sets {
 public:
  Sets(std::vector<Atom> atoms, std::int64_t k) : atoms_(std::move(atoms)), k_(k) {}

  void Add(std::size_t set) { out_.insert(set); }

  // Whether the set may be out beside those that are.
  [[nodiscard]] bool Admits(std::size_t set) const {
    if (out_.contains(set)) {
      return true;
    }
    return std::ranges::none_of(out_, [&](std::size_t other) {
      return (IsIn(other, set) && TellsFew(set, {other})) ||
             (IsIn(set, other) && (TellsFew(other, {set}) || std::ranges::any_of(out_, [&](std::size_t beside) {
                                     return IsIn(beside, other) && AreDisjoint(beside, set) &&
                                            TellsFew(other, {set, beside});
                                   })));
    });
  }

 private:
  [[nodiscard]] bool IsIn(std::size_t inner, std::size_t outer) const {
    return inner != outer &&
           std::ranges::all_of(atoms_, [&](const Atom& atom) { return !atom.in[inner] || atom.in[outer]; });
  }
  [[nodiscard]] bool AreDisjoint(std::size_t a, std::size_t b) const {
    return std::ranges::none_of(atoms_, [&](const Atom& atom) { return atom.in[a] && atom.in[b]; });
  }

  // What is left of the total without these parts and, as long as they are disjoint, the others that are out.
  [[nodiscard]] bool TellsFew(std::size_t total, std::vector<std::size_t> parts) const {
    for (const std::size_t other : out_) {
      if (IsIn(other, total) &&
          std::ranges::all_of(parts, [&](std::size_t part) { return AreDisjoint(part, other); })) {
        parts.push_back(other);
      }
    }
    std::int64_t units = 0;
    std::int64_t matched = 0;
    for (const Atom& atom : atoms_) {
      if (atom.in[total] && std::ranges::none_of(parts, [&](std::size_t part) { return atom.in[part]; })) {
        units += atom.units;
        matched += atom.matched;
      }
    }
    return units > 0 && (matched < k_ || units - matched < k_);
  }

  std::vector<Atom> atoms_;
  std::int64_t k_;
  std::set<std::size_t> out_;
};

class Subtraction {
 public:
  Subtraction(RunContext& run, std::vector<ExecutedQuery>& queries, const History& history)
      : run_(run), queries_(queries), history_(history) {}

  Status Check(std::size_t q) {
    const query::GovernedQuery& query = run_.plan.governed.queries[queries_[q].index];
    const std::int64_t k = query::MembershipMinimum(query.core, run_.assets);
    for (const query::PopulationTable& table : UnitsThatMeet(queries_[q].grid.population).tables) {
      const query::Asset* asset = run_.catalog.Find(table.asset);
      if (k > 0 && table.distinct == nullptr && !asset->IsProtected()) {
        GB_RETURN_IF_ERROR(CheckTable(q, table.alias, k));
      }
    }
    return {};
  }

 private:
  // What is out of other grids over the table: by base.
  Result<std::map<std::string, std::set<std::string>>> OutBefore(std::size_t q, const std::string& alias) const {
    std::vector<const Grid*> grids;
    for (const Grid& grid : history_.grids) {
      if (!grid.stale) {
        grids.push_back(&grid);
      }
    }
    for (std::size_t before = 0; before < q; ++before) {
      grids.push_back(&queries_[before].grid);
    }
    std::map<std::string, std::set<std::string>> out;
    for (const Grid* grid : grids) {
      const bool is_there = UnitsThatMeet(grid->population).Table(alias) != nullptr;
      for (std::size_t g = 0; g < grid->groups.size() && is_there; ++g) {
        if (IsOut(grid->groups[g])) {
          GB_ASSIGN_OR_RETURN(const OwnSet set, SetOf(*grid, g, alias, run_.catalog));
          out[set.base].insert(set.sql);
        }
      }
    }
    return out;
  }

  Status CheckTable(std::size_t q, const std::string& alias, std::int64_t k) {
    GB_ASSIGN_OR_RETURN(const auto before, OutBefore(q, alias));
    Grid& grid = queries_[q].grid;
    std::map<std::string, std::vector<std::pair<std::size_t, std::string>>> now;  // by base: group and set
    for (std::size_t g = 0; g < grid.groups.size() && !before.empty(); ++g) {
      if (IsOut(grid.groups[g])) {
        GB_ASSIGN_OR_RETURN(const OwnSet set, SetOf(grid, g, alias, run_.catalog));
        if (before.contains(set.base)) {  // groups of one query are disjoint or the same
          now[set.base].emplace_back(g, set.sql);
        }
      }
    }
    for (const auto& [base, groups] : now) {
      std::vector<std::string> sets(before.at(base).begin(), before.at(base).end());
      const std::size_t earlier = sets.size();
      for (const auto& [g, sql] : groups) {
        if (std::ranges::find(sets, sql) == sets.end()) {
          sets.push_back(sql);
        }
      }
      if (sets.size() == earlier) {
        continue;
      }
      std::vector<Atom> atoms;
      const bool many = sets.size() > limits::kOwnSetsMax;  // nobody can tell what they would add
      if (!many) {
        GB_ASSIGN_OR_RETURN(atoms, AtomsOf(q, alias, sets));
      }
      Sets known(std::move(atoms), k);
      for (std::size_t i = 0; i < earlier; ++i) {
        known.Add(i);
      }
      for (const auto& [g, sql] : groups) {
        const auto set = static_cast<std::size_t>(std::ranges::find(sets, sql) - sets.begin());
        if (many || !known.Admits(set)) {
          grid.groups[g].out.assign(grid.calls.size(), false);
        } else {
          known.Add(set);
        }
      }
    }
    return {};
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
  [[nodiscard]] query::Core WithoutConditionsOn(const query::Core& core, const std::string& alias) const {
    query::Core out = core;
    std::erase_if(out.own, [&](const query::OwnCondition& condition) {
      std::set<query::AttrId> attrs;
      query::CollectAttrs(*condition.expr, attrs);
      return std::ranges::all_of(attrs, [&](query::AttrId attr) {
        return query::AliasOf(out, run_.assets, out.attrs.at(attr).instance) == alias;
      });
    });
    for (query::Instance& instance : out.instances) {
      if (instance.distinct != nullptr) {
        instance.distinct = std::make_shared<const query::Core>(WithoutConditionsOn(*instance.distinct, alias));
      }
    }
    return out;
  }

  Result<std::vector<Atom>> AtomsOf(std::size_t q, const std::string& alias, const std::vector<std::string>& sets) {
    query::GovernedQuery all = run_.plan.governed.queries[queries_[q].index];
    all.leaves.clear();
    all.core = WithoutConditionsOn(all.core, alias);
    const std::vector<query::OwnMembership> tables = query::OwnMemberships(all, run_.assets, UnitRelations(run_));
    const auto own = std::ranges::find(tables, alias, &query::OwnMembership::asset);
    const query::Asset* asset = run_.catalog.Find(alias);
    std::vector<Atom> out;
    if (own == tables.end() || asset == nullptr) {
      return out;
    }
    std::string flags;
    std::string names;
    for (std::size_t i = 0; i < sets.size(); ++i) {
      flags += ", (" + sets[i] + ") IS TRUE AS x" + std::to_string(i);
      names += ", x" + std::to_string(i);
    }
    GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table,
                        run_.connection.Query("SELECT count(*), count(m.u)" + names + " FROM (SELECT DISTINCT " +
                                              query::UnitSql(alias) + " AS u" + flags + " FROM " + asset->relation +
                                              " AS " + query::QuoteName(alias) + ") AS s JOIN (" + own->known +
                                              ") AS t ON t.u = s.u LEFT JOIN (SELECT DISTINCT u FROM (" + own->matched +
                                              ")) AS m ON m.u = s.u GROUP BY ALL"));
    for (std::size_t row = 0; row < table.rows; ++row) {
      Atom atom{.in = {}, .units = table.columns[0].ints[row], .matched = table.columns[1].ints[row]};
      for (std::size_t i = 0; i < sets.size(); ++i) {
        atom.in.push_back(KeyText(table.columns[i + 2], row) == "true");
      }
      out.push_back(std::move(atom));
    }
    return out;
  }

  RunContext& run_;
  std::vector<ExecutedQuery>& queries_;
  const History& history_;
};

}  // namespace

Status WithholdSubtractions(RunContext& run, std::vector<ExecutedQuery>& queries, const History& history) {
  Subtraction subtraction(run, queries, history);
  for (std::size_t q = 0; q < queries.size(); ++q) {
    GB_RETURN_IF_ERROR(subtraction.Check(q));
  }
  return {};
}

}  // namespace glovebox::engine::governed
