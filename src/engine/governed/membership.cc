// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/membership.h"

#include <algorithm>
#include <set>

#include "query/flatten.h"
#include "query/print_expr.h"

namespace glovebox::engine::governed {
namespace {

using query::ColumnSql;
using query::Population;
using query::UnitSql;

// The same population without any condition on protected columns, inside EXISTS and IN as well.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
Population WithoutProtectedConditions(const Population& population) {
  Population out = population;
  out.boxes = {query::NamedBox{}};
  for (query::PopulationTable& table : out.tables) {
    table.left_joined = false;
    if (table.distinct != nullptr) {
      table.distinct = std::make_shared<const Population>(WithoutProtectedConditions(*table.distinct));
    }
  }
  return out;
}

// The columns that joins make equal, class by class.
std::vector<std::set<query::PopulationColumn>> EqualColumns(const Population& population) {
  std::vector<std::set<query::PopulationColumn>> classes;
  for (const auto& [left, right] : population.joins) {
    std::set<query::PopulationColumn> merged{left, right};
    std::erase_if(classes, [&](const std::set<query::PopulationColumn>& known) {
      if (!known.contains(left) && !known.contains(right)) {
        return false;
      }
      merged.insert(known.begin(), known.end());
      return true;
    });
    classes.push_back(std::move(merged));
  }
  return classes;
}

// What everybody may know: the own tables of a population, joined with the protected ones whose membership is public.
Population KnownOnly(const Population& population, const query::AssetCatalog& assets) {
  Population out = population;
  out.boxes = {query::NamedBox{}};
  out.joins.clear();
  const auto is_own = [&](const std::string& alias) {
    const query::PopulationTable* table = population.Table(alias);
    return table != nullptr && table->distinct == nullptr && !assets.Find(table->asset)->IsProtected();
  };
  const auto is_known = [&](const std::string& alias) {
    const query::PopulationTable* table = population.Table(alias);
    return is_own(alias) || (table != nullptr && table->distinct == nullptr &&
                             assets.Find(table->asset)->rule.membership == query::Membership::kPublic);
  };
  std::set<std::string> joined;
  for (const std::set<query::PopulationColumn>& columns : EqualColumns(population)) {
    const query::PopulationColumn* before = nullptr;
    for (const query::PopulationColumn& column : columns) {
      if (!is_known(column.first)) {
        continue;
      }
      if (before != nullptr) {
        out.joins.emplace_back(*before, column);
        joined.insert({before->first, column.first});
      }
      before = &column;
    }
  }
  std::erase_if(out.tables, [&](const query::PopulationTable& table) {
    return !is_own(table.alias) && (!is_known(table.alias) || !joined.contains(table.alias));
  });
  return out;
}

// The own table that is joined to protected rows by an identity; nothing if own tables only map dimensions.
std::optional<std::size_t> JoinedOwn(const query::Core& core, const std::vector<query::Asset>& assets) {
  for (std::size_t i = 0; i < core.instances.size(); ++i) {
    const query::Instance& instance = core.instances[i];
    if (instance.distinct == nullptr && !assets[instance.asset].IsProtected() &&
        !query::IsDimensionMapping(core, assets, i)) {
      return i;
    }
  }
  return std::nullopt;
}

std::int64_t ProtectedMembershipMinimum(const query::Core& core, const std::vector<query::Asset>& assets) {
  std::int64_t largest = 0;
  for (const query::Instance& instance : core.instances) {
    const query::Asset& asset = assets[instance.asset];
    if (asset.IsProtected() && asset.rule.membership == query::Membership::kProtected) {
      largest = std::max(largest, asset.rule.min_units);
    }
  }
  return largest;
}

}  // namespace

Status CheckOwnVersions(const RunContext& run, const std::vector<json::Value>& history) {
  for (const query::GovernedSql& sql : run.plan.sql) {
    for (const std::string& name : sql.population.AssetNames()) {
      const query::Asset* asset = run.catalog.Find(name);
      const bool replaced = !asset->IsProtected() && std::ranges::any_of(history, [&](const json::Value& record) {
        const json::Value* versions = record.Get("versions");
        const std::string used = versions == nullptr ? "" : versions->GetString(name);
        return !used.empty() && used != asset->version;
      });
      if (replaced) {
        return Status(ErrorCode::kQueryRefused,
                      "'" + name +
                          "' has changed since a run of this room has used it, and new versions of own tables "
                          "are not accepted; publish the new table under another name")
            .WithRule("P9");
      }
    }
  }
  return {};
}

Status CheckOwnDimensions(RunContext& run, const std::vector<json::Value>& history) {
  std::map<std::string, std::set<std::string>> used;
  for (const auto& [asset, column] : run.plan.own_dimensions) {
    used[asset].insert(column);
  }
  if (used.empty()) {
    return {};
  }
  for (const json::Value& record : history) {
    const json::Value* dimensions = record.Get("own_dimensions");
    if (dimensions == nullptr || !dimensions->is_array()) {
      continue;
    }
    for (const json::Value& entry : dimensions->as_array()) {
      const query::Asset* asset = run.catalog.Find(entry.GetString("asset"));
      if (asset != nullptr && used.contains(asset->DisplayName()) && asset->version == entry.GetString("version")) {
        used[asset->DisplayName()].insert(entry.GetString("column"));
      }
    }
  }
  std::int64_t k = 0;
  for (const query::Asset& asset : run.assets) {
    k = asset.IsProtected() ? std::max(k, asset.rule.min_units) : k;
  }
  for (const auto& [name, columns] : used) {
    std::string list;
    for (const std::string& column : columns) {
      list += (list.empty() ? "" : ", ") + query::QuoteName(column);
    }
    GB_ASSIGN_OR_RETURN(const std::int64_t smallest,
                        run.connection.QueryInt("SELECT coalesce(min(n), 0) FROM (SELECT count(DISTINCT " +
                                                query::QuoteName(query::kUnitColumn) + ") AS n FROM " +
                                                run.catalog.Find(name)->relation + " GROUP BY " + list + ")"));
    if (smallest < k) {
      return Status(ErrorCode::kQueryRefused, "the own dimensions of '" + name +
                                                  "' that this and earlier runs use have a combination of values with "
                                                  "fewer than " +
                                                  std::to_string(k) + " own units: " + list)
          .WithRule("P9");
    }
  }
  return {};
}

Status WithholdMembership(RunContext& run, ExecutedQuery& executed) {
  const query::GovernedQuery& query = run.plan.governed.queries[executed.index];
  const std::int64_t k = ProtectedMembershipMinimum(query.core, run.assets);
  const auto own = JoinedOwn(query.core, run.assets);
  if (!own || k == 0) {
    return {};
  }
  const Population& population = run.plan.sql[executed.index].population;
  std::string leaves;
  std::string names;
  std::string on = "m.u = t.u";
  std::string to_group;
  for (std::size_t i = 0; i < query.leaves.size(); ++i) {
    if (query.leaves[i].kind != query::Leaf::Kind::kOwn) {
      continue;
    }
    const std::string name = "k" + std::to_string(i);
    leaves += ", " + executed.grid.leaves[i].sql + " AS " + name;
    names += ", t." + name;
    on += " AND m." + name + " IS NOT DISTINCT FROM t." + name;
    to_group += (to_group.empty() ? "" : " AND ") + ("g." + name) + " IS NOT DISTINCT FROM c." + name;
  }
  const std::string unit = UnitSql(query::AliasOf(query.core, run.assets, *own)) + " AS u" + leaves;
  const std::string sql =
      "SELECT g.gid, c.matched, c.unmatched FROM (SELECT count(m.u) AS matched, count(*) - count(m.u) AS unmatched" +
      names + " FROM (SELECT DISTINCT " + unit + query::FromSql(KnownOnly(population, run.catalog), run.catalog) +
      ") AS t LEFT JOIN (SELECT DISTINCT " + unit +
      query::FromSql(WithoutProtectedConditions(population), run.catalog) + ") AS m ON " + on +
      (names.empty() ? "" : " GROUP BY ALL") + ") AS c JOIN " + executed.GroupsTable() + " AS g ON " +
      (to_group.empty() ? "TRUE" : to_group) + " ORDER BY g.gid";
  GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table, run.connection.Query(sql));
  std::vector<bool> enough(executed.groups, false);
  for (std::size_t row = 0; row < table.rows; ++row) {
    const auto group = static_cast<std::size_t>(table.columns[0].ints[row]);
    enough[group] = table.columns[1].ints[row] >= k && table.columns[2].ints[row] >= k;
  }
  for (std::size_t g = 0; g < executed.groups; ++g) {
    executed.group_ok[g] = executed.group_ok[g] && enough[g];
    for (auto& call : executed.call_ok) {
      call[g] = call[g] && executed.group_ok[g];
    }
  }
  return {};
}

}  // namespace glovebox::engine::governed
