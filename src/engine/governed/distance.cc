// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/distance.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "base/limits.h"
#include "base/strings.h"
#include "engine/governed/dominance.h"
#include "query/literal.h"
#include "query/print_expr.h"

namespace glovebox::engine::governed {
namespace {

using query::ColumnSql;
using query::Population;
using query::UnitSql;
using Pair = std::pair<std::size_t, std::size_t>;

// How the units of two populations are compared: by the dense id of a table that both hold, or by the hash of two
// tables of one owner and one unit domain.
struct CommonUnit {
  std::string alias_a;
  std::string alias_b;
  const query::Asset* asset_a = nullptr;
  const query::Asset* asset_b = nullptr;
  std::int64_t min_units = 0;
};

// One for each kind of unit that both populations hold: the distance must be large in every one of them.
std::vector<CommonUnit> FindCommonUnits(const Population& a, const Population& b, const query::AssetCatalog& assets) {
  std::vector<CommonUnit> candidates;
  for (const query::PopulationTable& x : a.tables) {
    const query::Asset* of_x = assets.Find(x.asset);
    for (const query::PopulationTable& y : b.tables) {
      const query::Asset* of_y = assets.Find(y.asset);
      if (of_x != nullptr && of_y != nullptr && of_x->IsProtected() && of_y->IsProtected() &&
          of_x->owner == of_y->owner && of_x->rule.unit_domain == of_y->rule.unit_domain) {
        candidates.push_back(
            {x.alias, y.alias, of_x, of_y, std::max(MinimumUnits(x, assets), MinimumUnits(y, assets))});
      }
    }
  }
  std::ranges::stable_partition(candidates, [](const CommonUnit& one) { return one.asset_a == one.asset_b; });
  std::vector<CommonUnit> found;
  for (const CommonUnit& one : candidates) {
    const auto known = std::ranges::find_if(found, [&](const CommonUnit& other) {
      const bool in_a = HaveOneUnit(a, one.alias_a, other.alias_a, assets);
      const bool in_b = HaveOneUnit(b, one.alias_b, other.alias_b, assets);
      return one.asset_a == one.asset_b ? in_a && in_b : in_a || in_b;
    });
    if (known == found.end()) {
      found.push_back(one);
    } else {
      known->min_units = std::max(known->min_units, one.min_units);
    }
  }
  return found;
}

// What a unit of the table contributes to a count of units: its presence, or, if the count is of another owner's units,
// how many of those stand in its rows.
std::string PresenceSql(const Population& population, const std::string& contribution, const std::string& alias,
                        const std::string& filter, const query::AssetCatalog& assets) {
  const auto is_counted = [&](const query::PopulationTable& table) {
    const query::Asset* asset = assets.Find(table.asset);
    return asset != nullptr && asset->IsProtected() && UnitsClass(*asset) == contribution;
  };
  const query::PopulationTable* own = population.Table(alias);
  const auto counted = std::ranges::find_if(population.tables, is_counted);
  return (own != nullptr && is_counted(*own)) || counted == population.tables.end()
             ? "1"
             : "count(DISTINCT " + UnitSql(counted->alias) + ")" + filter;
}

// The window of the rows of one group, in a relation that has the grid's keys.
std::string OverGroup(const Grid& grid) {
  const std::vector<std::string> names = grid.KeyNames();
  return " OVER (" + (names.empty() ? "" : "PARTITION BY " + Join(names, ", ")) + ")";
}

std::string DoubleSql(double value) { return query::LiteralSql({query::Type::Double(), value}); }

// One side: a row for each (group, unit) that contributes, with its contribution f, f2 and the units of its group n.
std::string SideSql(const BranchAt& at, const std::string& contribution, const std::string& alias,
                    const std::string& units_relation, const query::AssetCatalog& assets) {
  const Population population = at.grid->BranchPopulation(at.call, at.branch);
  const std::string& valued = at.grid->Valued(at.call, at.branch, contribution);
  std::string column;
  std::string having;
  std::string filter;
  if (!valued.empty()) {
    const query::PopulationColumn measure = MeasureColumn(valued);
    column = ColumnSql(measure.first, measure.second);
    having = " HAVING count(" + column + ") > 0";
    filter = " FILTER (WHERE " + HasValueSql(valued) + ")";
  }
  std::string contributes = "count(*)" + filter + " AS f, 0 AS f2";
  if (IsUnitsClass(contribution)) {
    contributes = PresenceSql(population, contribution, alias, filter, assets) + " AS f, 0 AS f2";
  } else if (!IsCountClass(contribution)) {
    // The multiset of the values: their number and the sum of their hashes.
    contributes = "count(" + column + ") AS f, sum(CAST(hash(" + column + ") AS HUGEINT))" + filter + " AS f2";
  }
  const std::string inner = "SELECT " + at.grid->KeysSql() + UnitSql(alias) + " AS u, " + contributes +
                            query::FromSql(population, assets) + query::GroupBySql(at.grid->leaves.size() + 1) + having;
  std::string units = "(" + inner + ")";
  if (!units_relation.empty()) {
    units =
        "(SELECT s.* REPLACE (h.hash AS u) FROM (" + inner + ") AS s JOIN " + units_relation + " AS h ON h.id = s.u)";
  }
  return "SELECT *, count(*)" + OverGroup(*at.grid) + " AS n FROM " + units + " WHERE u IS NOT NULL";
}

// One side of a class of sums: a row for each (group, unit) with its total s, the sum t of all in its group, and the
// largest, x.
std::string SumsSql(const BranchAt& at, const std::string& contribution, const query::AssetCatalog& assets) {
  const Population population = at.grid->BranchPopulation(at.call, at.branch);
  const SummedMeasure measure = MeasureOf(population, contribution, assets);
  const std::string group = OverGroup(*at.grid);
  return "SELECT *, sum(abs(s))" + group + " AS t, max(abs(s))" + group + " AS x FROM (SELECT " + at.grid->KeysSql() +
         UnitSql(measure.alias) + " AS u, CAST(sum(" + ColumnSql(measure.alias, measure.column) + ") AS DOUBLE) AS s" +
         query::FromSql(population, assets) + query::GroupBySql(at.grid->leaves.size() + 1) +
         ") WHERE u IS NOT NULL AND s IS NOT NULL";
}

GroupKey KeyAt(const duckdb::ResultTable& table, std::size_t first, std::size_t count, std::size_t row) {
  GroupKey key;
  for (std::size_t i = first; i < first + count; ++i) {
    key.push_back(KeyText(table.columns[i], row));
  }
  return key;
}

class Comparison {
 public:
  Comparison(RunContext& run, BranchAt& a, BranchAt& b) : run_(run), a_(a), b_(b) {}

  Result<std::vector<Pair>> Run() {
    std::vector<std::string> common;
    std::ranges::set_intersection(a_.Classes(), b_.Classes(), std::back_inserter(common));
    // Cells of one shape are the same cell or have no row in common.
    one_shape_ = !b_.grid->stale && a_.shape == b_.shape;
    std::erase_if(common, [this](const std::string& one) { return one_shape_ && !AreOfTwoMeasures(one); });
    if (common.empty()) {
      return std::vector<Pair>{};
    }
    const std::vector<CommonUnit> units = FindCommonUnits(a_.grid->population, b_.grid->population, run_.catalog);
    std::set<Pair> close;
    for (const std::string& contribution : common) {
      if (IsSumClass(contribution)) {
        GB_RETURN_IF_ERROR(CompareSums(contribution, close));
        continue;
      }
      for (const CommonUnit& unit : units) {
        GB_ASSIGN_OR_RETURN(const bool open, IsOpen(contribution, unit));
        if (open) {
          GB_RETURN_IF_ERROR(Scan(contribution, unit, close));
        }
      }
    }
    return std::vector<Pair>(close.begin(), close.end());
  }

 private:
  [[nodiscard]] bool Same(std::size_t group_a, std::size_t group_b) const {
    return !b_.grid->stale && a_.Digest(group_a) == b_.Digest(group_b);
  }

  // Whether the cells count the values of two measures, and some row may have the one and not the other.
  [[nodiscard]] bool AreOfTwoMeasures(const std::string& contribution) const {
    const std::string& x = a_.grid->Valued(a_.call, a_.branch, contribution);
    const std::string& y = b_.grid->Valued(b_.call, b_.branch, contribution);
    return !x.empty() && !y.empty() && x != y && (a_.Branch().lacking || b_.Branch().lacking);
  }

  // Whether the pair may be told apart by this class at all.
  [[nodiscard]] bool IsAsked(const std::string& contribution, std::size_t group_a, std::size_t group_b) const {
    const bool same = Same(group_a, group_b);
    const bool fraction = a_.grid->IsFractionOf(contribution, a_.call, a_.branch, group_a) ||
                          b_.grid->IsFractionOf(contribution, b_.call, b_.branch, group_b);
    return a_.relevant[group_a] && b_.relevant[group_b] &&
           (same ? AreOfTwoMeasures(contribution) && !fraction : !one_shape_) && !a_.Digest(group_a).empty() &&
           !b_.Digest(group_b).empty() && a_.grid->IsOf(contribution, a_.call, a_.branch, group_a) &&
           b_.grid->IsOf(contribution, b_.call, b_.branch, group_b);
  }

  Result<bool> AreApart(std::size_t group_a, std::size_t group_b) {
    if (b_.grid->stale) {
      return false;
    }
    GB_ASSIGN_OR_RETURN(const Population* cell_a, a_.Cell(group_a, run_.catalog));
    GB_ASSIGN_OR_RETURN(const Population* cell_b, b_.Cell(group_b, run_.catalog));
    return query::AreDisjoint(*cell_a, *cell_b);
  }

  // Whether both cells count the same protected rows, and one of them own rows that match none beside: a LEFT JOIN, and
  // the inner join. They tell apart nothing but these own rows.
  Result<bool> CountTheSame(const std::string& contribution, std::size_t group_a, std::size_t group_b) {
    const auto left_of = [](const Grid& grid) {
      return std::ranges::find(grid.population.tables, true, &query::PopulationTable::left_joined);
    };
    const Grid& left = left_of(*a_.grid) != a_.grid->population.tables.end() ? *a_.grid : *b_.grid;
    const auto table = left_of(left);
    if (b_.grid->stale || table == left.population.tables.end() || !IsCountClass(contribution) ||
        !a_.grid->Valued(a_.call, a_.branch, contribution).empty() ||
        !b_.grid->Valued(b_.call, b_.branch, contribution).empty()) {
      return false;
    }
    GB_ASSIGN_OR_RETURN(const Population* cell_a, a_.Cell(group_a, run_.catalog));
    GB_ASSIGN_OR_RETURN(const Population* cell_b, b_.Cell(group_b, run_.catalog));
    return query::RowsOf(*cell_a, table->alias).Text(run_.catalog) ==
           query::RowsOf(*cell_b, table->alias).Text(run_.catalog);
  }

  // How many rows k-1 units can own, if a difference of row counts proves a distance: cells over the same rows of the
  // same joins.
  [[nodiscard]] std::optional<std::int64_t> RowsOfFew(const std::string& contribution, const CommonUnit& unit) const {
    const Population& x = a_.grid->population;
    const Population& y = b_.grid->population;
    const query::PopulationTable* table = x.Table(x.finest);
    if (b_.grid->stale || x.finest != y.finest || table == nullptr || x.joins != y.joins || !a_.grid->rows_are_single ||
        !b_.grid->rows_are_single || (IsUnitsClass(contribution) && !a_.grid->count_classes.contains(contribution)) ||
        !HaveOneUnit(x, unit.alias_a, x.finest, run_.catalog) ||
        !HaveOneUnit(y, unit.alias_b, y.finest, run_.catalog)) {
      return std::nullopt;
    }
    const bool same_tables = std::ranges::equal(x.tables, y.tables, [this](const auto& s, const auto& t) {
      return s.alias == t.alias && s.left_joined == t.left_joined &&
             (s.distinct == nullptr) == (t.distinct == nullptr) &&
             (s.distinct == nullptr || s.distinct->Text(run_.catalog) == t.distinct->Text(run_.catalog));
    });
    if (!same_tables || table->distinct != nullptr) {
      return std::nullopt;
    }
    // T(k) of the finest table; its k is at most the one asked for only if both are the same.
    const std::int64_t heaviest_rows = run_.StatisticsOf(table->asset).heaviest_rows;
    const bool proves = run_.catalog.Find(table->asset)->rule.min_units == unit.min_units && heaviest_rows > 0;
    return proves ? std::optional(heaviest_rows) : std::nullopt;
  }

  // Whether one scan is cheaper than to look at each pair.
  [[nodiscard]] bool ArePairsMany() const {
    return a_.grid->groups.size() * b_.grid->groups.size() > limits::kDifferencePairsByStructureMax;
  }

  // Whether some pair is left that structure and row counts do not decide.
  Result<bool> IsOpen(const std::string& contribution, const CommonUnit& unit) {
    if (ArePairsMany()) {
      return true;
    }
    const std::optional<std::int64_t> rows_of_few = RowsOfFew(contribution, unit);
    for (std::size_t i = 0; i < a_.grid->groups.size(); ++i) {
      for (std::size_t j = 0; j < b_.grid->groups.size(); ++j) {
        const bool far = rows_of_few && std::abs(a_.Rows(i) - b_.Rows(j)) > *rows_of_few;
        if (far || !IsAsked(contribution, i, j)) {
          continue;
        }
        if (Same(i, j)) {
          return true;
        }
        GB_ASSIGN_OR_RETURN(const bool apart, AreApart(i, j));
        if (!apart) {
          return true;
        }
      }
    }
    return false;
  }

  Status Scan(const std::string& contribution, const CommonUnit& unit, std::set<Pair>& close) {
    const bool by_hash = unit.asset_a != unit.asset_b;
    const std::string keys = KeysSql();
    const std::string distance =
        "any_value(a.n) + any_value(b.n) - count(*) - count(*) FILTER (WHERE a.f = b.f AND a.f2 = b.f2)";
    const std::string sql =
        "WITH a AS (" +
        SideSql(a_, contribution, unit.alias_a,
                by_hash ? run_.StatisticsOf(unit.asset_a->DisplayName()).units_relation : "", run_.catalog) +
        "), b AS (" +
        SideSql(b_, contribution, unit.alias_b,
                by_hash ? run_.StatisticsOf(unit.asset_b->DisplayName()).units_relation : "", run_.catalog) +
        ") SELECT " + keys + distance + " AS d FROM a JOIN b ON a.u = b.u" + (keys.empty() ? "" : " GROUP BY ALL") +
        " HAVING " + distance + " < " + std::to_string(unit.min_units);
    GB_ASSIGN_OR_RETURN(const std::vector<Found> pairs, Find(sql));
    for (const Found& pair : pairs) {
      if (!IsAsked(contribution, pair.a, pair.b)) {
        continue;
      }
      bool apart = Same(pair.a, pair.b) && pair.distance == 0;
      if (!Same(pair.a, pair.b)) {
        GB_ASSIGN_OR_RETURN(apart, AreApart(pair.a, pair.b));
      }
      if (!apart && pair.distance == 0) {
        GB_ASSIGN_OR_RETURN(apart, CountTheSame(contribution, pair.a, pair.b));
      }
      if (!apart) {
        close.emplace(pair.a, pair.b);
      }
    }
    return {};
  }

  // The keys of both sides.
  [[nodiscard]] std::string KeysSql() const {
    std::string keys;
    for (const auto& [side, grid] : {std::pair{"a.", a_.grid}, std::pair{"b.", b_.grid}}) {
      for (const std::string& name : grid->KeyNames()) {
        keys += side + name + ", ";
      }
    }
    return keys;
  }

  struct Found {
    std::size_t a;  // groups
    std::size_t b;
    std::int64_t distance;
  };

  // `sql` selects the keys of both sides and a distance.
  Result<std::vector<Found>> Find(const std::string& sql) {
    GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table, run_.connection.Query(sql));
    const auto index = [](const Grid& grid) {
      std::map<GroupKey, std::size_t> groups;
      for (std::size_t g = 0; g < grid.groups.size(); ++g) {
        groups.emplace(grid.groups[g].key, g);
      }
      return groups;
    };
    const auto groups_a = index(*a_.grid);
    const auto groups_b = index(*b_.grid);
    const std::size_t width_a = a_.grid->leaves.size();
    std::vector<Found> out;
    for (std::size_t row = 0; row < table.rows; ++row) {
      const auto i = groups_a.find(KeyAt(table, 0, width_a, row));
      const auto j = groups_b.find(KeyAt(table, width_a, b_.grid->leaves.size(), row));
      if (i != groups_a.end() && j != groups_b.end()) {
        out.push_back({i->second, j->second, table.columns.back().ints[row]});
      }
    }
    return out;
  }

  // The pairs of sums whose difference one unit may dominate. Nobody knows what older versions would add.
  Status CompareSums(const std::string& contribution, std::set<Pair>& close) {
    if (b_.grid->stale) {
      return {};
    }
    const std::int64_t percent = MeasureOf(a_.grid->population, contribution, run_.catalog).percent;
    const auto is_open = [&](std::size_t i, std::size_t j) {
      return IsAsked(contribution, i, j) && !Same(i, j) &&
             !privacy::IsDifferenceSafe(a_.Magnitude(i), b_.Magnitude(j), percent);
    };
    bool open = ArePairsMany();
    for (std::size_t i = 0; i < a_.grid->groups.size() && !open; ++i) {
      for (std::size_t j = 0; j < b_.grid->groups.size() && !open; ++j) {
        open = is_open(i, j);
      }
    }
    if (!open) {
      return {};
    }
    GB_ASSIGN_OR_RETURN(const std::vector<Found> pairs, Find(UnsafeSumsSql(contribution, percent)));
    std::size_t asked = 0;
    for (const auto& [i, j, distance] : pairs) {
      GB_ASSIGN_OR_RETURN(const bool apart, AreApart(i, j));
      if (apart || !is_open(i, j) || close.contains({i, j})) {
        continue;
      }
      GB_ASSIGN_OR_RETURN(const Population* cell_a, a_.Cell(i, run_.catalog));
      GB_ASSIGN_OR_RETURN(const Population* cell_b, b_.Cell(j, run_.catalog));
      bool dominated = ++asked > limits::kAuditPartsMax;
      if (!dominated) {
        GB_ASSIGN_OR_RETURN(dominated, IsDifferenceDominated(run_, *cell_a, *cell_b, contribution));
      }
      if (dominated) {
        close.emplace(i, j);
      }
    }
    return {};
  }

  // What bounds prove for whole cells (privacy/dominance.h), with what the two have in common: the pairs that are left.
  // Where no unit is in both, the difference is as safe as they are.
  [[nodiscard]] std::string UnsafeSumsSql(const std::string& contribution, std::int64_t percent) const {
    const std::string totals = "any_value(a.t) + any_value(b.t)";
    return "WITH a AS (" + SumsSql(a_, contribution, run_.catalog) + "), b AS (" +
           SumsSql(b_, contribution, run_.catalog) + ") SELECT " + KeysSql() +
           "count(*) AS d FROM a JOIN b ON a.u = b.u" + (KeysSql().empty() ? "" : " GROUP BY ALL") +
           " HAVING count(*) > 0 AND NOT coalesce((" + totals + ") * (1 - " + DoubleSql(privacy::kSumsRounding) +
           ") - sum(abs(a.s) + abs(b.s) - abs(a.s - b.s)) >= " + DoubleSql(privacy::SafeRatio(percent)) +
           " * (any_value(a.x) + any_value(b.x)), FALSE)";
  }

  RunContext& run_;
  BranchAt& a_;
  BranchAt& b_;
  bool one_shape_ = false;
};

}  // namespace

std::set<std::string> BranchAt::Classes() const {
  std::set<std::string> out;
  for (std::size_t g = 0; g < grid->groups.size(); ++g) {
    if (relevant[g] && (out.empty() || grid->groups[g].told[call])) {
      out.merge(grid->Classes(call, branch, g));
    }
  }
  return out;
}

Result<const Population*> BranchAt::Cell(std::size_t group, const query::AssetCatalog& assets) {
  cells.resize(grid->groups.size());
  if (!cells[group]) {
    GB_ASSIGN_OR_RETURN(cells[group], grid->CellPopulation(call, branch, grid->groups[group].key, assets));
  }
  return &*cells[group];
}

bool HaveOneUnit(const Population& population, const std::string& alias, const std::string& other,
                 const query::AssetCatalog& assets) {
  const auto asset_of = [&](const std::string& of) {
    const query::PopulationTable* table = population.Table(of);
    return table == nullptr ? nullptr : assets.Find(table->asset);
  };
  const auto unit_column = [&](const std::string& of) -> query::PopulationColumn {
    const query::Asset* asset = asset_of(of);
    return {of, asset != nullptr && asset->rule.unit_columns.size() == 1 ? asset->rule.unit_columns[0] : ""};
  };
  const query::PopulationColumn one = unit_column(alias);
  const query::PopulationColumn wanted = unit_column(other);
  const auto contains = [](const std::set<query::PopulationColumn>& columns, const query::PopulationColumn& column) {
    return std::ranges::any_of(columns, [&column](const query::PopulationColumn& known) {
      return known.first == column.first && EqualsIgnoreCase(known.second, column.second);
    });
  };
  if (alias == other) {
    return true;
  }
  // Of an exact unit there may be several in one that ignores case.
  const query::Asset* a = asset_of(alias);
  const query::Asset* b = asset_of(other);
  const bool same_form = a != nullptr && b != nullptr && a->rule.canonical == b->rule.canonical;
  return same_form && std::ranges::any_of(population.joins, [&](const auto& columns) {
           return contains(columns, one) && contains(columns, wanted);
         });
}

Result<std::vector<Pair>> ClosePairs(RunContext& run, BranchAt& a, BranchAt& b) { return Comparison(run, a, b).Run(); }

}  // namespace glovebox::engine::governed
