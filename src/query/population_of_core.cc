// SPDX-License-Identifier: Apache-2.0
//
// The population of a core: the names of its tables, and one form for what authors write in many ways.
#include <algorithm>
#include <compare>
#include <tuple>

#include "query/flatten.h"
#include "query/population.h"

namespace glovebox::query {
namespace {

NamedBox Named(const Box& box, const Core& core, const std::vector<Asset>& assets) {
  NamedBox out;
  for (const auto& [column, subset] : box) {
    if (!subset.IsEverything()) {
      out.emplace(NameOf(core, assets, column), subset);
    }
  }
  return out;
}

}  // namespace

namespace {

Population FromCore(const Core& core, std::size_t finest, const std::vector<Asset>& assets);

Population InnerOf(const Instance& instance, const std::vector<Asset>& assets) {
  return FromCore(*instance.distinct, instance.distinct_keys[0].instance, assets);
}

bool AreEqual(const std::vector<std::set<ColumnRef>>& classes, ColumnRef a, ColumnRef b) {
  return std::ranges::any_of(classes, [&](const auto& columns) { return columns.contains(a) && columns.contains(b); });
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
std::strong_ordering Compare(const Population& a, const Population& b) {
  const auto tables = std::lexicographical_compare_three_way(
      a.tables.begin(), a.tables.end(), b.tables.begin(), b.tables.end(),
      // NOLINTNEXTLINE(misc-no-recursion)
      [](const PopulationTable& x, const PopulationTable& y) {
        const auto names =
            std::tie(x.alias, x.asset, x.key, x.left_joined) <=> std::tie(y.alias, y.asset, y.key, y.left_joined);
        // Aliases say whether there are distinct units.
        return names != 0 || x.distinct == nullptr ? names : Compare(*x.distinct, *y.distinct);
      });
  return tables != 0 ? tables
                     : std::tie(a.joins, a.boxes, a.own, a.finest) <=> std::tie(b.joins, b.boxes, b.own, b.finest);
}

// The distinct units of one asset in a core, in the order of what is in them. Equal ones that are joined to the same
// columns are one: `firsts` has the first of each.
struct Siblings {
  std::vector<std::size_t> firsts;
  std::size_t index = 0;  // of the instance that was asked for, in `firsts`
};

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
Siblings SiblingsOf(const Core& core, const std::vector<Asset>& assets, std::size_t instance) {
  const std::size_t asset = core.instances[instance].asset;
  std::map<std::size_t, Population> inner;
  for (std::size_t i = 0; i < core.instances.size(); ++i) {
    if (core.instances[i].distinct != nullptr && core.instances[i].asset == asset) {
      inner.emplace(i, Population{});
    }
  }
  if (inner.size() == 1) {
    return {{instance}, 0};
  }
  for (auto& [i, population] : inner) {
    population = InnerOf(core.instances[i], assets);
  }
  const std::vector<std::set<ColumnRef>> classes = EqualityClasses(core);
  const auto one_key = [&](std::size_t a, std::size_t b) {
    return AreEqual(classes, {a, core.instances[a].distinct_keys[0].column},
                    {b, core.instances[b].distinct_keys[0].column});
  };
  Siblings out;
  std::size_t first = instance;
  for (const auto& [i, population] : inner) {
    const auto known = std::ranges::find_if(
        out.firsts, [&](std::size_t other) { return Compare(inner.at(other), population) == 0 && one_key(other, i); });
    if (known == out.firsts.end()) {
      out.firsts.push_back(i);
    } else if (i == instance) {
      first = *known;
    }
  }
  std::ranges::stable_sort(out.firsts,
                           [&](std::size_t a, std::size_t b) { return Compare(inner.at(a), inner.at(b)) < 0; });
  out.index = static_cast<std::size_t>(std::ranges::find(out.firsts, first) - out.firsts.begin());
  return out;
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
std::string AliasOf(const Core& core, const std::vector<Asset>& assets, std::size_t instance) {
  const std::string name = assets[core.instances[instance].asset].DisplayName();
  if (core.instances[instance].distinct == nullptr) {
    return name;
  }
  // The same table may be asked for twice: bought both.
  return "distinct " + name + " #" + std::to_string(SiblingsOf(core, assets, instance).index + 1);
}

std::size_t FinestOf(const Core& core, const std::vector<Asset>& assets, const std::vector<std::size_t>& candidates) {
  return *std::ranges::min_element(candidates, {}, [&](std::size_t i) {
    const Instance& instance = core.instances[i];
    const bool distinct = instance.distinct != nullptr;
    return std::tuple(!distinct && !assets[instance.asset].OneRowPerUnit(), distinct, AliasOf(core, assets, i));
  });
}

PopulationColumn NameOf(const Core& core, const std::vector<Asset>& assets, ColumnRef column) {
  return {AliasOf(core, assets, column.instance),
          assets[core.instances[column.instance].asset].columns[column.column].name};
}

namespace {

OwnConditions OwnOf(const Core& core, const std::vector<Asset>& assets) {
  OwnConditions out;
  for (const OwnCondition& condition : core.own) {
    std::set<AttrId> attrs;
    CollectAttrs(*condition.expr, attrs);
    std::set<PopulationColumn> columns;
    for (const AttrId attr : attrs) {
      columns.insert(NameOf(core, assets, core.attrs.at(attr)));
    }
    out[columns].conditions.insert(condition.text);
  }
  return out;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
Population FromCore(const Core& core, std::size_t finest, const std::vector<Asset>& assets) {
  Population out;
  for (std::size_t i = 0; i < core.instances.size(); ++i) {
    const Instance& instance = core.instances[i];
    PopulationTable table;
    table.alias = AliasOf(core, assets, i);
    if (out.Table(table.alias) != nullptr) {
      continue;
    }
    table.asset = assets[instance.asset].DisplayName();
    table.left_joined = instance.left_joined;
    if (instance.distinct != nullptr) {
      table.distinct = std::make_shared<const Population>(InnerOf(instance, assets));
      table.key = assets[instance.asset].columns[instance.distinct_keys[0].column].name;
    }
    out.tables.push_back(std::move(table));
  }
  for (const std::set<ColumnRef>& columns : EqualityClasses(core)) {
    std::set<PopulationColumn> names;
    for (const ColumnRef column : columns) {
      names.insert(NameOf(core, assets, column));
    }
    if (names.size() > 1) {
      out.joins.push_back(std::move(names));
    }
  }
  out.own = OwnOf(core, assets);
  out.boxes = IntersectBoxes({Named(core.conditions, core, assets)}, {NamedBox{}});
  std::ranges::sort(out.tables, {}, &PopulationTable::alias);
  std::ranges::sort(out.joins);
  out.finest = AliasOf(core, assets, finest);
  out.counted.insert(out.finest);
  const bool single = ReachesAllUniquely(core, assets, finest);
  for (std::size_t i = 0; i < core.instances.size() && single; ++i) {
    if (assets[core.instances[i].asset].IsProtected() && ReachesAllUniquely(core, assets, i)) {
      out.counted.insert(AliasOf(core, assets, i));
    }
  }
  return out;
}

}  // namespace

Population PopulationOf(const GovernedQuery& query, const std::vector<Asset>& assets) {
  return FromCore(query.core, query.finest, assets);
}

Population Restrict(const Population& population, const Region& region, const Core& core,
                    const std::vector<Asset>& assets) {
  Population out = population;
  std::vector<NamedBox> boxes;
  for (const Box& box : region) {
    boxes.push_back(Named(box, core, assets));
  }
  out.boxes = IntersectBoxes(population.boxes, boxes);
  return out;
}

}  // namespace glovebox::query
