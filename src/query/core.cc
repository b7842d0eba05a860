// SPDX-License-Identifier: Apache-2.0
#include "query/core.h"

#include <algorithm>

#include "base/strings.h"
#include "query/functions.h"

namespace glovebox::query {

std::string Asset::DisplayName() const { return Join(name, "."); }

const ColumnRule& Asset::Rule(std::size_t column) const {
  static const ColumnRule kNothing;
  const auto found = rule.columns.find(AsciiLower(columns[column].name));
  return found == rule.columns.end() ? kNothing : found->second;
}

bool Asset::ContainsKey(const std::set<std::string>& wanted) const {
  return std::ranges::any_of(rule.keys, [&wanted](const std::vector<std::string>& key) {
    return std::ranges::all_of(key,
                               [&wanted](const std::string& column) { return wanted.contains(AsciiLower(column)); });
  });
}

bool Asset::IsUnitColumn(std::size_t column) const {
  return rule.unit_columns.size() == 1 && EqualsIgnoreCase(rule.unit_columns[0], columns[column].name);
}

bool Asset::OneRowPerUnit() const {
  std::set<std::string> unit;
  for (const std::string& column : rule.unit_columns) {
    unit.insert(AsciiLower(column));
  }
  return ContainsKey(unit);
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
bool Core::HasOwn(const std::vector<Asset>& assets) const {
  return std::ranges::any_of(instances, [&assets](const Instance& instance) {
    return instance.distinct == nullptr ? !assets[instance.asset].IsProtected() : instance.distinct->HasOwn(assets);
  });
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
std::int64_t MinimumUnits(const Instance& instance, const std::vector<Asset>& assets) {
  const Asset& asset = assets[instance.asset];
  std::int64_t largest = asset.IsProtected() ? asset.rule.min_units : 0;
  if (instance.distinct != nullptr) {
    for (const Instance& inner : instance.distinct->instances) {
      largest = std::max(largest, MinimumUnits(inner, assets));
    }
  }
  return largest;
}

std::int64_t DominancePercent(const GovernedQuery& query, const GovernedCall& call, const Branch& branch,
                              const std::vector<Asset>& assets) {
  if (!branch.measure || branch.none || RuleKind(call.kind) == AggregateKind::kCount) {
    return 0;
  }
  const Asset& asset = assets[query.core.instances[branch.measure->instance].asset];
  return asset.IsProtected() ? asset.rule.dominance_percent : 0;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
std::int64_t RowsMax(const Core& core, const std::vector<Asset>& assets) {
  std::int64_t smallest = 0;
  const auto add = [&smallest](std::int64_t rows) {
    smallest = smallest == 0 || (rows > 0 && rows < smallest) ? rows : smallest;
  };
  for (const Instance& instance : core.instances) {
    add(assets[instance.asset].IsProtected() ? assets[instance.asset].rule.rows_max : 0);
    add(instance.distinct == nullptr ? 0 : RowsMax(*instance.distinct, assets));
  }
  return smallest;
}

std::vector<std::set<ColumnRef>> EqualityClasses(const Core& core) {
  std::vector<std::set<ColumnRef>> classes;
  for (const Equality& join : core.joins) {
    std::set<ColumnRef> merged{join.left, join.right};
    std::erase_if(classes, [&](const std::set<ColumnRef>& known) {
      if (!known.contains(join.left) && !known.contains(join.right)) {
        return false;
      }
      merged.insert(known.begin(), known.end());
      return true;
    });
    classes.push_back(std::move(merged));
  }
  std::ranges::sort(classes);
  return classes;
}

std::set<ColumnRef> EqualTo(const Core& core, ColumnRef column) {
  const std::vector<std::set<ColumnRef>> classes = EqualityClasses(core);
  const auto found = std::ranges::find_if(classes, [&](const auto& columns) { return columns.contains(column); });
  return found == classes.end() ? std::set{column} : *found;
}

bool IsWholeRegion(const Region& region) { return region.size() == 1 && region[0].empty(); }

Box Intersect(const Box& a, const Box& b) {
  Box out = a;
  for (const auto& [column, subset] : b) {
    const auto [entry, added] = out.emplace(column, subset);
    if (!added) {
      entry->second = entry->second.And(subset);
    }
  }
  return out;
}

bool IsEmptyBox(const Box& box) {
  return std::ranges::any_of(box, [](const auto& entry) { return entry.second.IsEmpty(); });
}

Region Intersect(const Region& a, const Box& b) {
  Region out;
  for (const Box& box : a) {
    Box both = Intersect(box, b);
    if (!IsEmptyBox(both)) {
      out.push_back(std::move(both));
    }
  }
  return out;
}

bool AreDisjoint(const Box& a, const Box& b) { return IsEmptyBox(Intersect(a, b)); }

}  // namespace glovebox::query
