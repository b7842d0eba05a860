// SPDX-License-Identifier: Apache-2.0
#include "query/population.h"

#include <algorithm>
#include <compare>
#include <tuple>

#include "base/strings.h"
#include "query/flatten.h"
#include "query/print_expr.h"

namespace glovebox::query {
namespace {

NamedBox Intersect(const NamedBox& a, const NamedBox& b) {
  NamedBox out = a;
  for (const auto& [column, subset] : b) {
    const auto [entry, added] = out.emplace(column, subset);
    if (!added) {
      entry->second = entry->second.And(subset);
    }
  }
  return out;
}

bool IsEmpty(const NamedBox& box) {
  return std::ranges::any_of(box, [](const auto& entry) { return entry.second.IsEmpty(); });
}

// What a box says of a column whose domain is gone reads as nothing.
const ColumnDomain& DomainOrNone(const Population& population, const PopulationColumn& column,
                                 const AssetCatalog& assets) {
  static const ColumnDomain kNone;
  const ColumnDomain* domain = population.Domain(column, assets);
  return domain != nullptr ? *domain : kNone;
}

json::Value BoxJson(const NamedBox& box, const Population& population, const AssetCatalog& assets) {
  json::Object out;
  for (const auto& [column, subset] : box) {
    out.Set(column.first + "." + column.second, subset.ToJson(DomainOrNone(population, column, assets)));
  }
  return out;
}

Status Unreadable() { return Status(ErrorCode::kDataLoss, "a population of the release record does not read"); }

std::optional<OwnRows> OwnRowsFromJson(const json::Value& json) {
  OwnRows rows{.settled = json.GetBool("settled"), .conditions = {}};
  const json::Value* conditions = json.Get("conditions");
  if (conditions == nullptr || !conditions->is_array()) {
    return std::nullopt;
  }
  for (const json::Value& condition : conditions->as_array()) {
    if (!condition.is_string()) {
      return std::nullopt;
    }
    rows.conditions.insert(condition.as_string());
  }
  return rows;
}

std::string TableSql(const PopulationTable& table, const AssetCatalog& assets) {
  if (table.distinct == nullptr) {
    const Asset* asset = assets.Find(table.asset);
    return (asset == nullptr ? "" : asset->relation) + " AS " + QuoteName(table.alias);
  }
  // One row a unit: the key column is the unit's.
  return "(SELECT DISTINCT " + ColumnSql(table.asset, table.key) + ", " + UnitSql(table.asset) +
         FromSql(*table.distinct, assets) + ") AS " + QuoteName(table.alias);
}

std::string BoxSql(const NamedBox& box, const Population& population, const AssetCatalog& assets) {
  std::string out;
  for (const auto& [column, subset] : box) {
    out += (out.empty() ? "" : " AND ") +
           subset.ToSql(DomainOrNone(population, column, assets), ColumnSql(column.first, column.second));
  }
  return out.empty() ? "TRUE" : out;
}

void And(std::string& where, const std::string& condition) {
  if (condition != "TRUE") {
    where += (where.empty() ? " WHERE " : " AND ") + condition;
  }
}

}  // namespace

std::optional<PopulationColumn> SplitColumn(const std::string& text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string::npos) {
    return std::nullopt;
  }
  return PopulationColumn{text.substr(0, dot), text.substr(dot + 1)};
}

AssetCatalog::AssetCatalog(const std::vector<Asset>& assets) {
  for (const Asset& asset : assets) {
    const std::string name = asset.DisplayName();
    by_name_.emplace(name, &asset);
    for (std::size_t i = 0; i < asset.columns.size(); ++i) {
      if (Result<ColumnDomain> domain = DomainOf(asset.Rule(i), asset.columns[i].type); domain.ok()) {
        domains_.emplace(std::pair(name, asset.columns[i].name), std::move(*domain));
      }
    }
  }
}

const Asset* AssetCatalog::Find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const ColumnDomain* AssetCatalog::Domain(const std::string& asset, const std::string& column) const {
  const auto found = domains_.find({asset, column});
  return found == domains_.end() ? nullptr : &found->second;
}

std::vector<NamedBox> IntersectBoxes(const std::vector<NamedBox>& a, const std::vector<NamedBox>& b) {
  std::vector<NamedBox> out;
  for (const NamedBox& x : a) {
    for (const NamedBox& y : b) {
      NamedBox both = Intersect(x, y);
      if (!IsEmpty(both)) {
        out.push_back(std::move(both));
      }
    }
  }
  return out;
}

void RestrictOwn(OwnConditions& own, const std::set<PopulationColumn>& columns, const OwnRows& rows) {
  const auto [entry, added] = own.emplace(columns, rows);
  OwnRows& known = entry->second;
  if (added) {
    return;
  }
  if (known.settled && rows.settled) {
    std::erase_if(known.conditions, [&rows](const auto& one) { return !rows.conditions.contains(one); });
  } else if (!known.settled && !rows.settled) {
    known.conditions.insert(rows.conditions.begin(), rows.conditions.end());
  } else {
    known = {false, {known.Sql(), rows.Sql()}};
  }
}

std::string ColumnSql(const std::string& alias, const std::string& column) {
  return QuoteName(alias) + "." + QuoteName(column);
}

std::string UnitSql(const std::string& alias) { return ColumnSql(alias, kUnitColumn); }

const PopulationTable* Population::Table(const std::string& alias) const {
  const auto found = std::ranges::find(tables, alias, &PopulationTable::alias);
  return found == tables.end() ? nullptr : &*found;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
std::set<std::string> Population::AssetNames() const {
  std::set<std::string> names;
  for (const PopulationTable& table : tables) {
    names.insert(table.asset);
    if (table.distinct != nullptr) {
      names.merge(table.distinct->AssetNames());
    }
  }
  return names;
}

const ColumnDomain* Population::Domain(const PopulationColumn& column, const AssetCatalog& assets) const {
  const PopulationTable* table = Table(column.first);
  return table == nullptr ? nullptr : assets.Domain(table->asset, column.second);
}

json::Value Population::ToJson(const AssetCatalog& assets) const {
  json::Array table_list;
  for (const PopulationTable& table : tables) {
    json::Object entry;
    entry.Set("alias", table.alias);
    entry.Set("asset", table.asset);
    if (table.distinct != nullptr) {
      entry.Set("distinct", table.distinct->ToJson(assets));
      entry.Set("key", table.key);
    }
    if (table.left_joined) {
      entry.Set("left_joined", true);
    }
    table_list.emplace_back(std::move(entry));
  }
  json::Array join_list;
  for (const std::set<PopulationColumn>& columns : joins) {
    join_list.push_back(ColumnsToJson(columns));
  }
  std::vector<std::pair<std::string, json::Value>> sorted;
  for (const NamedBox& box : boxes) {
    json::Value value = BoxJson(box, *this, assets);
    sorted.emplace_back(json::WriteCanonical(value), std::move(value));
  }
  std::ranges::sort(sorted, {}, [](const auto& entry) { return entry.first; });
  json::Array box_list;
  for (auto& [text, value] : sorted) {
    box_list.push_back(std::move(value));
  }
  json::Array own_list;
  for (const auto& [columns, rows] : own) {
    own_list.emplace_back(json::Object{{"columns", ColumnsToJson(columns)},
                                       {"settled", rows.settled},
                                       {"conditions", json::Array(rows.conditions.begin(), rows.conditions.end())}});
  }
  return json::Object{{"tables", std::move(table_list)},
                      {"joins", std::move(join_list)},
                      {"boxes", std::move(box_list)},
                      {"own", std::move(own_list)},
                      {"finest", finest},
                      {"counted", json::Array(counted.begin(), counted.end())}};
}

std::string Population::Text(const AssetCatalog& assets) const { return json::WriteCanonical(ToJson(assets)); }

Population RowsOf(Population population, const std::string& alias) {
  for (PopulationTable& table : population.tables) {
    table.left_joined = false;
  }
  population.finest = alias;
  population.counted = {alias};
  return population;
}

json::Value ColumnsToJson(const std::set<PopulationColumn>& columns) {
  json::Array out;
  for (const auto& [alias, column] : columns) {
    out.emplace_back(alias + "." + column);
  }
  return out;
}

std::optional<std::set<PopulationColumn>> ColumnsFromJson(const json::Value& json) {
  if (!json.is_array()) {
    return std::nullopt;
  }
  std::set<PopulationColumn> out;
  for (const json::Value& entry : json.as_array()) {
    const auto column = SplitColumn(entry.is_string() ? entry.as_string() : "");
    if (!column) {
      return std::nullopt;
    }
    out.insert(*column);
  }
  return out;
}

Result<Population> PopulationFromJson(const json::Value& json, const AssetCatalog& assets) {
  const auto list = [&json](std::string_view key) -> const json::Array* {
    const json::Value* value = json.Get(key);
    return value != nullptr && value->is_array() ? &value->as_array() : nullptr;
  };
  const json::Array* tables = list("tables");
  const json::Array* joins = list("joins");
  const json::Array* boxes = list("boxes");
  const json::Array* own = list("own");
  const json::Array* counted = list("counted");
  if (tables == nullptr || joins == nullptr || boxes == nullptr || own == nullptr || counted == nullptr) {
    return Unreadable();
  }
  Population out;
  out.finest = json.GetString("finest");
  for (const json::Value& alias : *counted) {
    out.counted.insert(alias.is_string() ? alias.as_string() : "");
  }
  for (const json::Value& entry : *tables) {
    PopulationTable table;
    table.alias = entry.GetString("alias");
    table.asset = entry.GetString("asset");
    table.key = entry.GetString("key");
    table.left_joined = entry.GetBool("left_joined");
    if (assets.Find(table.asset) == nullptr) {
      return Unreadable();
    }
    if (const json::Value* distinct = entry.Get("distinct")) {
      GB_ASSIGN_OR_RETURN(Population inner, PopulationFromJson(*distinct, assets));
      table.distinct = std::make_shared<const Population>(std::move(inner));
    }
    out.tables.push_back(std::move(table));
  }
  for (const json::Value& entry : *joins) {
    auto columns = ColumnsFromJson(entry);
    if (!columns || columns->empty()) {
      return Unreadable();
    }
    out.joins.push_back(std::move(*columns));
  }
  for (const json::Value& entry : *boxes) {
    if (!entry.is_object()) {
      return Unreadable();
    }
    NamedBox box;
    for (const auto& [name, subset_json] : entry.as_object()) {
      const auto column = SplitColumn(name);
      if (!column) {
        return Unreadable();
      }
      GB_ASSIGN_OR_RETURN(Subset subset, SubsetFromJson(subset_json, DomainOrNone(out, *column, assets)));
      box.emplace(*column, std::move(subset));
    }
    out.boxes.push_back(std::move(box));
  }
  for (const json::Value& entry : *own) {
    const json::Value* of = entry.Get("columns");
    auto columns = of == nullptr ? std::nullopt : ColumnsFromJson(*of);
    auto rows = OwnRowsFromJson(entry);
    if (!columns || !rows) {
      return Unreadable();
    }
    out.own.emplace(std::move(*columns), std::move(*rows));
  }
  return out;
}

bool AreWithin(const std::vector<NamedBox>& inner, const std::vector<NamedBox>& outer) {
  const auto is_in = [](const NamedBox& one, const NamedBox& other) {
    return std::ranges::all_of(other, [&one](const auto& entry) {
      const auto same = one.find(entry.first);
      return same != one.end() && same->second.And(entry.second) == same->second;
    });
  };
  return std::ranges::all_of(inner, [&](const NamedBox& one) {
    return std::ranges::any_of(outer, [&](const NamedBox& other) { return is_in(one, other); });
  });
}

bool IsWithin(const Population& inner, const Population& outer) {
  return (outer.own.empty() || outer.own == inner.own) && AreWithin(inner.boxes, outer.boxes);
}

bool AreDisjoint(const Population& a, const Population& b) {
  if (a.finest != b.finest) {
    return false;
  }
  // Only columns of tables that stand for the same rows in both can tell: plain assets, not distinct units. Another
  // table than the finest is found through the joins.
  const bool same_joins = a.joins == b.joins;
  const auto plain = [same_joins](const Population& population, const std::string& alias) {
    const PopulationTable* table = population.Table(alias);
    return table != nullptr && table->distinct == nullptr && (same_joins || alias == population.finest);
  };
  return std::ranges::all_of(a.boxes, [&](const NamedBox& x) {
    return std::ranges::all_of(b.boxes, [&](const NamedBox& y) {
      return std::ranges::any_of(x, [&](const auto& entry) {
        const auto other = y.find(entry.first);
        return other != y.end() && plain(a, entry.first.first) && plain(b, entry.first.first) &&
               !entry.second.Overlaps(other->second);
      });
    });
  });
}

std::string BoxesSql(const std::vector<NamedBox>& boxes, const Population& population, const AssetCatalog& assets) {
  std::string out;
  for (const NamedBox& box : boxes) {
    const std::string sql = BoxSql(box, population, assets);
    if (sql == "TRUE") {
      return sql;
    }
    out += (out.empty() ? "(" : " OR (") + sql + ")";
  }
  return out.empty() ? "FALSE" : boxes.size() == 1 ? out : "(" + out + ")";
}

std::string OwnRows::Sql() const {
  std::string out;
  for (const std::string& condition : conditions) {
    out += (out.empty() ? "" : settled ? " OR " : " AND ") + condition;
  }
  return out.empty() ? "FALSE" : settled ? "(" + out + ")" : out;
}

std::string FromSql(const Population& population, const AssetCatalog& assets) {
  std::string from;
  std::string where;
  std::string on;
  const PopulationTable* left = nullptr;
  for (const PopulationTable& table : population.tables) {
    if (table.left_joined) {
      left = &table;
      continue;
    }
    from += (from.empty() ? " FROM " : " CROSS JOIN ") + TableSql(table, assets);
  }
  const auto is_left = [left](const PopulationColumn& column) {
    return left != nullptr && column.first == left->alias;
  };
  for (const std::set<PopulationColumn>& columns : population.joins) {
    const auto first = std::ranges::find_if_not(columns, is_left);
    for (const PopulationColumn& column : columns) {
      if (first == columns.end() || column == *first) {
        continue;
      }
      const std::string condition =
          ColumnSql(first->first, first->second) + " = " + ColumnSql(column.first, column.second);
      if (is_left(column)) {
        on += condition + " AND ";
      } else {
        And(where, condition);
      }
    }
  }
  const std::string boxes = BoxesSql(population.boxes, population, assets);
  if (left != nullptr) {
    // Conditions on the right side belong to the join; the unmatched stay.
    from += " LEFT JOIN " + TableSql(*left, assets) + " ON " + on + boxes;
  } else {
    And(where, boxes);
  }
  for (const auto& [columns, rows] : population.own) {
    And(where, rows.Sql());
  }
  return from + where;
}

}  // namespace glovebox::query
