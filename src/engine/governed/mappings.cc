// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/mappings.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "query/literal.h"
#include "query/print_expr.h"

namespace glovebox::engine::governed {
namespace {

using query::NamedBox;
using query::Population;
using query::PopulationColumn;
using query::Subset;

struct Mapping {
  std::string alias;
  const query::Asset* asset = nullptr;
  std::string key;             // its column
  PopulationColumn dimension;  // of a protected table
  const query::ColumnDomain* domain = nullptr;
};

bool Touches(const std::set<PopulationColumn>& columns, const std::string& alias) {
  return std::ranges::any_of(columns, [&alias](const PopulationColumn& column) { return column.first == alias; });
}

// Nothing if the table is none.
std::optional<Mapping> MappingOf(const Population& population, const query::PopulationTable& table,
                                 const query::AssetCatalog& assets) {
  Mapping out{.alias = table.alias, .asset = assets.Find(table.asset), .key = "", .dimension = {}};
  if (out.asset == nullptr || out.asset->IsProtected() || table.distinct != nullptr || table.left_joined) {
    return std::nullopt;
  }
  std::size_t dimensions = 0;
  for (const std::set<PopulationColumn>& columns : population.joins) {
    if (!Touches(columns, table.alias)) {
      continue;
    }
    for (const PopulationColumn& column : columns) {
      const query::PopulationTable* other = population.Table(column.first);
      const query::Asset* asset = other == nullptr ? nullptr : assets.Find(other->asset);
      if (column.first == table.alias) {
        if (!out.key.empty()) {
          return std::nullopt;
        }
        out.key = column.second;
      } else if (asset != nullptr && asset->IsProtected() && other->distinct == nullptr && !other->left_joined) {
        ++dimensions;
        out.dimension = column;
        out.domain = population.Domain(column, assets);
      }
    }
  }
  const bool maps =
      dimensions == 1 && out.domain != nullptr && out.domain->listed && out.asset->ContainsKey({AsciiLower(out.key)});
  return maps ? std::optional(out) : std::nullopt;
}

// The dimension's values that the table has a row for, with what `keys` are in it, if `condition` holds. Both are
// computed for every row of the table, whichever values there are: what fails, fails whatever protected rows hold.
Result<duckdb::ResultTable> MappedValues(RunContext& run, const Mapping& mapping, const std::string& condition,
                                         const std::vector<std::string>& keys) {
  std::string rows =
      "(" + condition + ") IS TRUE AS here, " + query::ColumnSql(mapping.alias, mapping.key) + " AS value";
  std::string select = "CAST(v.i AS BIGINT)";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string name = "k" + std::to_string(i);
    rows += ", " + keys[i] + " AS " + name;
    select += ", m." + name;
  }
  // A table of its own: a query over the values alone would compute what it needs.
  GB_RETURN_IF_ERROR(run.connection.Execute("CREATE TEMP TABLE mapping AS SELECT " + rows + " FROM " +
                                            mapping.asset->relation + " AS " + query::QuoteName(mapping.alias)));
  std::string values;
  for (std::size_t i = 0; i < mapping.domain->values.size(); ++i) {
    values += (i == 0 ? "(" : ", (") + std::to_string(i) + ", " + query::LiteralSql(mapping.domain->values[i]) + ")";
  }
  GB_ASSIGN_OR_RETURN(duckdb::ResultTable out,
                      run.connection.Query("SELECT " + select + " FROM (VALUES " + values +
                                           ") AS v(i, value) JOIN mapping AS m ON v.value = m.value WHERE m.here"));
  GB_RETURN_IF_ERROR(run.connection.Execute("DROP TABLE mapping"));
  return out;
}

// The table goes out of tables, joins and conditions; returns the conditions.
std::string TakeOut(Population& population, const std::string& alias) {
  std::erase_if(population.tables, [&](const auto& table) { return table.alias == alias; });
  for (auto& columns : population.joins) {
    std::erase_if(columns, [&](const PopulationColumn& column) { return column.first == alias; });
  }
  std::erase_if(population.joins, [](const auto& columns) { return columns.size() < 2; });
  std::ranges::sort(population.joins);
  std::string condition = "TRUE";
  std::erase_if(population.own, [&](const auto& entry) {
    if (!Touches(entry.first, alias)) {
      return false;
    }
    condition += " AND " + entry.second.Sql();
    return true;
  });
  return condition;
}

// A key of the table becomes one of the dimension.
void Relabel(GridLeaf& leaf, const Mapping& mapping, const duckdb::ResultTable& values, std::size_t column) {
  std::map<std::optional<std::string>, Subset> parts;
  for (std::size_t row = 0; row < values.rows; ++row) {
    const Subset value = Subset::Value(*mapping.domain, static_cast<std::size_t>(values.columns[0].ints[row]));
    const auto [entry, added] = parts.emplace(KeyText(values.columns[column], row), value);
    entry->second = entry->second.Or(value);
  }
  GridLeaf out;
  out.kind = query::Leaf::Kind::kPartition;
  out.column = mapping.dimension;
  out.parts.assign(parts.begin(), parts.end());
  out.sql = "CASE";
  for (const auto& [label, subset] : parts) {
    out.sql += " WHEN " +
               subset.ToSql(*mapping.domain, query::ColumnSql(mapping.dimension.first, mapping.dimension.second)) +
               " THEN " + (label ? query::LiteralSql({query::Type::Text(), *label}) : "NULL");
  }
  out.sql = parts.empty() ? "NULL" : out.sql + " END";
  leaf = std::move(out);
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
Status Settle(RunContext& run, Population& population, std::vector<GridLeaf>& leaves) {
  for (query::PopulationTable& table : population.tables) {
    if (table.distinct != nullptr) {
      Population inner = *table.distinct;
      std::vector<GridLeaf> none;
      GB_RETURN_IF_ERROR(Settle(run, inner, none));
      table.distinct = std::make_shared<const Population>(std::move(inner));
    }
  }
  std::vector<Mapping> mappings;
  for (const query::PopulationTable& table : population.tables) {
    if (auto mapping = MappingOf(population, table, run.catalog)) {
      mappings.push_back(std::move(*mapping));
    }
  }
  for (const Mapping& mapping : mappings) {
    const std::string condition = TakeOut(population, mapping.alias);
    std::vector<GridLeaf*> keys;
    std::vector<std::string> expressions;
    for (GridLeaf& leaf : leaves) {
      if (Touches(leaf.own_columns, mapping.alias)) {
        keys.push_back(&leaf);
        expressions.push_back(leaf.sql);
      }
    }
    GB_ASSIGN_OR_RETURN(const duckdb::ResultTable values, MappedValues(run, mapping, condition, expressions));
    Subset there = Subset::Nothing(*mapping.domain);
    for (std::size_t row = 0; row < values.rows; ++row) {
      there = there.Or(Subset::Value(*mapping.domain, static_cast<std::size_t>(values.columns[0].ints[row])));
    }
    population.boxes = query::IntersectBoxes(population.boxes, {NamedBox{{mapping.dimension, there}}});
    for (std::size_t i = 0; i < keys.size(); ++i) {
      Relabel(*keys[i], mapping, values, i + 1);
    }
  }
  return {};
}

}  // namespace

Status SettleMappings(RunContext& run, Grid& grid) { return Settle(run, grid.population, grid.leaves); }

}  // namespace glovebox::engine::governed
