// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/own_conditions.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "query/literal.h"
#include "query/print_expr.h"

namespace glovebox::engine::governed {
namespace {

using query::OwnRows;
using query::Population;
using query::PopulationColumn;
using Label = std::optional<std::string>;

// Which stored values of some columns an expression gives each of its results.
struct Selection {
  std::set<PopulationColumn> columns;
  std::map<Label, std::set<std::string>> conditions;
};

// A row of stored values, each as a condition, and the result of the expression.
struct StoredRow {
  std::vector<std::string> values;
  Label label;
};

// "column" = value; nothing for a value without a literal that equals it.
std::optional<std::string> ValueCondition(const PopulationColumn& column, const query::Type& type,
                                          const json::Value& cell) {
  const std::string name = query::ColumnSql(column.first, column.second);
  if (cell.is_null()) {
    return type.kind == query::TypeKind::kDouble ? std::nullopt : std::optional(name + " IS NULL");
  }
  const std::string text = cell.is_string() ? cell.as_string() : json::Write(cell);
  const Result<query::ast::Literal> value = query::ParseLiteral(text, type);
  return value.ok() ? std::optional(name + " = " + query::LiteralSql(*value)) : std::nullopt;
}

// The rows without the column at `position`, if it does not take part in the result.
std::optional<std::vector<StoredRow>> WithoutColumn(const std::vector<StoredRow>& rows, std::size_t position) {
  std::map<std::vector<std::string>, Label> seen;
  for (const StoredRow& row : rows) {
    std::vector<std::string> values = row.values;
    values.erase(values.begin() + static_cast<std::ptrdiff_t>(position));
    const auto [entry, added] = seen.emplace(std::move(values), row.label);
    if (!added && entry->second != row.label) {
      return std::nullopt;
    }
  }
  std::vector<StoredRow> out;
  for (auto& [values, label] : seen) {
    out.push_back({values, label});
  }
  return out;
}

Selection SelectionOf(std::vector<PopulationColumn> columns, std::vector<StoredRow> rows) {
  for (std::size_t i = columns.size(); i-- > 0;) {
    if (auto fewer = WithoutColumn(rows, i)) {
      rows = std::move(*fewer);
      columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  Selection out{.columns = {columns.begin(), columns.end()}, .conditions = {}};
  for (const StoredRow& row : rows) {
    std::string condition;
    for (const std::string& value : row.values) {
      condition += (condition.empty() ? "(" : " AND ") + value;
    }
    std::set<std::string>& of_label = out.conditions[row.label];
    if (!condition.empty()) {
      of_label.insert(condition + ")");
    }
  }
  return out;
}

// Whether each stored value, as an author may tell it apart by its text, fulfils one of the conditions, and each
// condition one value: a settled selection is read as the rows that its conditions hold for.
Result<bool> TellApart(RunContext& run, const query::Asset& asset, const PopulationColumn& column,
                       const std::set<std::string>& conditions) {
  const std::string name = query::ColumnSql(column.first, column.second);
  std::string times;  // a list: the depth of a sum would grow with the number of its terms
  for (const std::string& condition : conditions) {
    times += (times.empty() ? "" : ", ") + ("CASE WHEN " + condition + " THEN 1 ELSE 0 END");
  }
  GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table,
                      run.connection.Query("SELECT count(*), count(*) FILTER (WHERE list_sum([" + times +
                                           "]) <> 1) FROM (SELECT DISTINCT " + name + ", CAST(" + name +
                                           " AS VARCHAR) AS written FROM " + asset.relation + " AS " +
                                           query::QuoteName(column.first) + ") AS " + query::QuoteName(column.first)));
  return table.columns[0].ints[0] == static_cast<std::int64_t>(conditions.size()) && table.columns[1].ints[0] == 0;
}

// Nothing if the values of the columns, which are of one table (P9), cannot be listed.
Result<std::optional<Selection>> Select(RunContext& run, const Population& population,
                                        const std::set<PopulationColumn>& columns, const std::string& expression) {
  const std::string alias = columns.empty() ? "" : columns.begin()->first;
  const query::PopulationTable* table = population.Table(alias);
  const query::Asset* asset = table == nullptr ? nullptr : run.catalog.Find(table->asset);
  if (asset == nullptr || asset->IsProtected() || table->distinct != nullptr) {
    return std::optional<Selection>();
  }
  std::vector<const query::ColumnDef*> definitions;
  std::string select;
  for (const PopulationColumn& column : columns) {
    const auto definition = std::ranges::find(asset->columns, column.second, &query::ColumnDef::name);
    if (definition == asset->columns.end()) {
      return std::optional<Selection>();
    }
    definitions.push_back(&*definition);
    select += query::ColumnSql(column.first, column.second) + ", ";
  }
  GB_ASSIGN_OR_RETURN(
      const duckdb::ResultTable stored,
      run.connection.Query("SELECT DISTINCT " + select + expression + " FROM " + asset->relation + " AS " +
                           query::QuoteName(alias) + " LIMIT " + std::to_string(limits::kOwnValuesMax + 1)));
  if (stored.rows > limits::kOwnValuesMax) {
    return std::optional<Selection>();
  }
  std::vector<StoredRow> rows;
  std::map<PopulationColumn, std::set<std::string>> values;
  for (std::size_t r = 0; r < stored.rows; ++r) {
    StoredRow row;
    std::size_t c = 0;
    for (const PopulationColumn& column : columns) {
      auto condition = ValueCondition(column, definitions[c]->type, duckdb::CellToJson(stored.columns[c], r));
      if (!condition) {
        return std::optional<Selection>();
      }
      values[column].insert(*condition);
      row.values.push_back(std::move(*condition));
      ++c;
    }
    row.label = KeyText(stored.columns[c], r);
    rows.push_back(std::move(row));
  }
  for (const auto& [column, conditions] : values) {
    GB_ASSIGN_OR_RETURN(const bool tell_apart, TellApart(run, *asset, column, conditions));
    if (!tell_apart) {
      return std::optional<Selection>();
    }
  }
  return std::optional(SelectionOf({columns.begin(), columns.end()}, std::move(rows)));
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
Status SettleConditions(RunContext& run, Population& population) {
  for (query::PopulationTable& table : population.tables) {
    if (table.distinct != nullptr) {
      Population inner = *table.distinct;
      GB_RETURN_IF_ERROR(SettleConditions(run, inner));
      table.distinct = std::make_shared<const Population>(std::move(inner));
    }
  }
  for (const auto& [columns, rows] : std::exchange(population.own, {})) {
    GB_ASSIGN_OR_RETURN(auto selection, Select(run, population, columns, "(" + rows.Sql() + ") IS TRUE"));
    if (!selection) {
      population.own.emplace(columns, rows);
      continue;
    }
    if (!selection->conditions.contains("false")) {
      continue;  // no stored row is left out
    }
    query::RestrictOwn(population.own, selection->columns, {true, selection->conditions["true"]});
  }
  return {};
}

Status SettleKeys(RunContext& run, Grid& grid) {
  for (GridLeaf& leaf : grid.leaves) {
    if (leaf.kind != query::Leaf::Kind::kOwn) {
      continue;
    }
    GB_ASSIGN_OR_RETURN(auto selection, Select(run, grid.population, leaf.own_columns, leaf.sql));
    if (selection) {
      leaf.own_columns = std::move(selection->columns);
      leaf.own_rows = std::move(selection->conditions);
    }
  }
  return {};
}

}  // namespace glovebox::engine::governed
