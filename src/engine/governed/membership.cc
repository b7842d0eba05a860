// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/membership.h"

#include <algorithm>
#include <map>
#include <set>

#include "query/own_membership.h"
#include "query/print_expr.h"

namespace glovebox::engine::governed {
namespace {

using query::QuoteName;

// Own dimensions that runs use, by the display name of their table.
using UsedDimensions = std::map<std::string, std::set<std::string>>;

// Adds what earlier runs have used of the versions that are there.
void AddEarlier(const RunContext& run, const std::vector<json::Value>& history, UsedDimensions& used) {
  for (const json::Value& record : history) {
    const json::Value* dimensions = record.Get("own_dimensions");
    if (dimensions == nullptr || !dimensions->is_array()) {
      continue;
    }
    for (const json::Value& entry : dimensions->as_array()) {
      const query::Asset* asset = run.catalog.Find(entry.GetString("asset"));
      const std::string column = entry.GetString("column");
      if (asset != nullptr && !asset->IsProtected() && asset->content == entry.GetString("content") &&
          std::ranges::find(asset->columns, column, &query::ColumnDef::name) != asset->columns.end()) {
        used[asset->DisplayName()].insert(column);
      }
    }
  }
}

std::string Names(const UsedDimensions& used) {
  std::string out;
  for (const auto& [table, columns] : used) {
    for (const std::string& column : columns) {
      out += (out.empty() ? "" : ", ") + (used.size() > 1 ? QuoteName(table) + "." : "") + QuoteName(column);
    }
  }
  return out;
}

// The own units of each combination of values; units of several tables are the same if their hashes are, and who is not
// in a table has no values there.
std::string SmallestCombination(const RunContext& run, const UsedDimensions& used) {
  std::string from;
  std::string keys;
  std::size_t number = 0;
  for (const auto& [table, columns] : used) {
    const auto asset = std::ranges::find(run.assets, table, &query::Asset::DisplayName);
    std::string list;
    for (const std::string& column : columns) {
      const std::string name = "d" + std::to_string(number++);
      list += ", d." + QuoteName(column) + " AS " + name;
      keys += ", " + name;
    }
    const std::string data = asset->relation + " AS d";
    const std::string unit = std::string("d.") + query::kUnitColumn;
    const std::string units =
        used.size() == 1
            ? "(SELECT DISTINCT " + unit + " AS u" + list + " FROM " + data + " WHERE " + unit + " IS NOT NULL)"
            : "(SELECT DISTINCT h.hash AS u, TRUE AS p" + std::to_string(number) + list + " FROM " + data + " JOIN " +
                  run.statistics[static_cast<std::size_t>(asset - run.assets.begin())].units_relation +
                  " AS h ON h.id = " + unit + ")";
    keys += used.size() == 1 ? "" : ", p" + std::to_string(number);
    from += from.empty() ? units + " AS t" : " FULL JOIN " + units + " AS t" + std::to_string(number) + " USING (u)";
  }
  return "SELECT coalesce(min(n), 0) FROM (SELECT count(DISTINCT u) AS n" + keys + " FROM " + from + " GROUP BY ALL)";
}

// What a group key column is in both of two relations.
std::string SameKeys(const std::vector<std::size_t>& leaves, const std::string& left, const std::string& right) {
  std::string out;
  for (const std::size_t leaf : leaves) {
    const std::string name = ".k" + std::to_string(leaf);
    out += (out.empty() ? "" : " AND ") + left;
    out += name + " IS NOT DISTINCT FROM ";
    out += right + name;
  }
  return out.empty() ? "TRUE" : out;
}

std::string KeyList(const std::vector<std::size_t>& leaves) {
  std::string out;
  for (const std::size_t leaf : leaves) {
    out += ", k" + std::to_string(leaf);
  }
  return out;
}

// The groups in which the units that match and those that do not are each at least k.
std::string GroupsWithBoth(const query::OwnMembership& own, const std::string& groups, std::int64_t k) {
  const std::string enough = " HAVING count(DISTINCT u) >= " + std::to_string(k);
  const auto grouped = [&](const std::string& from, const std::vector<std::size_t>& leaves) {
    const std::string keys = KeyList(leaves);
    return "(SELECT count(DISTINCT u) AS n" + keys + " FROM " + from + (keys.empty() ? "" : " GROUP BY ALL") + enough +
           ")";
  };
  const std::string strangers =
      "(SELECT t.* FROM t ANTI JOIN m ON m.u = t.u AND " + SameKeys(own.known_leaves, "m", "t") + ")";
  return "WITH m AS (" + own.matched + "), t AS (" + own.known + ") SELECT g.gid FROM " + groups + " AS g JOIN " +
         grouped("(SELECT * FROM m WHERE hit)", own.leaves) + " AS a ON " + SameKeys(own.leaves, "g", "a") + " JOIN " +
         grouped(strangers, own.known_leaves) + " AS b ON " + SameKeys(own.known_leaves, "g", "b");
}

}  // namespace

Status CheckOwnVersions(const RunContext& run, const std::vector<json::Value>& history, std::size_t& output) {
  for (std::size_t i = 0; i < run.plan.sql.size(); ++i) {
    for (const std::string& name : run.plan.sql[i].population.AssetNames()) {
      const query::Asset* asset = run.catalog.Find(name);
      const bool replaced = !asset->IsProtected() && std::ranges::any_of(history, [&](const json::Value& record) {
        const json::Value* tables = record.Get("tables");
        const json::Value* table = tables == nullptr ? nullptr : tables->Get(name);
        const std::string used = table == nullptr ? "" : table->GetString("content");
        return !used.empty() && used != asset->content;
      });
      if (replaced) {
        output = run.plan.governed.output_of[i];
        return Status(ErrorCode::kQueryRefused,
                      "'" + name +
                          "' has changed since a run of this room has used it, and new versions of own tables "
                          "are not accepted; publish the new table under another name")
            .WithRule("P9")
            .At(run.plan.governed.queries[i].position);
      }
    }
  }
  return {};
}

Status CheckOwnDimensions(RunContext& run, const std::vector<json::Value>& history, std::size_t& output) {
  UsedDimensions used;
  for (const auto& [asset, column] : run.plan.own_dimensions) {
    used[asset].insert(column);
  }
  if (used.empty()) {
    return {};
  }
  AddEarlier(run, history, used);
  const auto& queries = run.plan.governed.queries;
  const auto user = std::ranges::find_if(queries, [&run](const auto& query) { return query.core.HasOwn(run.assets); });
  const auto index = static_cast<std::size_t>(user - queries.begin());
  GB_ASSERT(index < queries.size());
  output = run.plan.governed.output_of[index];
  const std::size_t position = queries[index].position;
  std::int64_t k = 0;
  for (const query::Asset& asset : run.assets) {
    k = asset.IsProtected() ? std::max(k, asset.rule.min_units) : k;
  }
  const query::AnalysisRule& first = run.catalog.Find(used.begin()->first)->rule;
  const bool one_unit = std::ranges::all_of(used, [&](const auto& entry) {
    const query::AnalysisRule& rule = run.catalog.Find(entry.first)->rule;
    return rule.unit_domain == first.unit_domain && rule.canonical == first.canonical;
  });
  if (!one_unit) {
    return Status(ErrorCode::kQueryRefused,
                  "the own dimensions that this and earlier runs use belong to tables with different units: " +
                      Names(used) + "; declare one unit for these tables, or use the dimensions of one of them")
        .WithRule("P9")
        .At(position);
  }
  GB_ASSIGN_OR_RETURN(const std::int64_t smallest, run.connection.QueryInt(SmallestCombination(run, used)));
  if (smallest < k) {
    std::string tables;
    for (const auto& [name, columns] : used) {
      tables += (tables.empty() ? "'" : ", '") + name + "'";
    }
    return Status(ErrorCode::kQueryRefused,
                  "the own dimensions of " + tables +
                      " that this and earlier runs use have a combination of values with fewer than " +
                      std::to_string(k) + " own units: " + Names(used) +
                      "; leave out one that earlier runs have not used, or make its values coarser")
        .WithRule("P9")
        .At(position);
  }
  return {};
}

Status WithholdMembership(RunContext& run, ExecutedQuery& executed) {
  const query::GovernedQuery& query = run.plan.governed.queries[executed.index];
  const std::int64_t k = query::MembershipMinimum(query.core, run.assets);
  if (k == 0) {
    return {};
  }
  for (const query::OwnMembership& own : query::OwnMemberships(query, run.assets, UnitRelations(run))) {
    GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table,
                        run.connection.Query(GroupsWithBoth(own, executed.GroupsTable(), k)));
    std::vector<bool> enough(executed.groups, false);
    for (std::size_t row = 0; row < table.rows; ++row) {
      enough[static_cast<std::size_t>(table.columns[0].ints[row])] = true;
    }
    for (std::size_t g = 0; g < executed.groups; ++g) {
      executed.group_ok[g] = executed.group_ok[g] && enough[g];
      for (auto& call : executed.call_ok) {
        call[g] = call[g] && executed.group_ok[g];
      }
    }
  }
  return {};
}

}  // namespace glovebox::engine::governed
