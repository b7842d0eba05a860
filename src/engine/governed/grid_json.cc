// SPDX-License-Identifier: Apache-2.0
//
// How a release record keeps a grid.
#include <algorithm>
#include <string>
#include <utility>

#include "engine/governed/grid.h"

namespace glovebox::engine::governed {
namespace {

using query::AssetCatalog;
using query::NamedBox;
using query::Population;

json::Value TextOrNull(const std::optional<std::string>& text) { return text ? json::Value(*text) : json::Value(); }

std::string Flags(const std::vector<bool>& flags) {
  std::string out;
  for (const bool flag : flags) {
    out += flag ? '1' : '0';
  }
  return out;
}

// [call][branch]
template <typename T>
json::Value TableJson(const std::vector<std::vector<T>>& table) {
  json::Array out;
  for (const std::vector<T>& of_call : table) {
    out.emplace_back(json::Array(of_call.begin(), of_call.end()));
  }
  return out;
}

json::Value BoxesJson(const std::vector<NamedBox>& boxes, const Population& population, const AssetCatalog& assets) {
  Population holder = population;
  holder.boxes = boxes;
  return *holder.ToJson(assets).Get("boxes");
}

void SetOwn(json::Object& out, const GridLeaf& leaf) {
  if (leaf.own_type) {
    out.Set("type", query::TypeName(*leaf.own_type));
  }
  json::Array rows;
  for (const auto& [key, conditions] : leaf.own_rows) {
    rows.emplace_back(json::Array{TextOrNull(key), json::Array(conditions.begin(), conditions.end())});
  }
  out.Set("own_columns", query::ColumnsToJson(leaf.own_columns));
  out.Set("own_rows", std::move(rows));
}

}  // namespace

json::Value GridToJson(const Grid& grid, const AssetCatalog& assets) {
  json::Array leaves;
  for (const GridLeaf& leaf : grid.leaves) {
    json::Object out{{"kind", static_cast<int>(leaf.kind)}, {"sql", leaf.sql}};
    if (leaf.kind != query::Leaf::Kind::kOwn) {
      out.Set("table", leaf.column.first);
      out.Set("column", leaf.column.second);
    } else {
      SetOwn(out, leaf);
    }
    if (leaf.kind == query::Leaf::Kind::kBucket) {
      out.Set("unit", static_cast<int>(leaf.step.unit));
      out.Set("number", leaf.step.number);
    }
    if (leaf.kind == query::Leaf::Kind::kPartition) {
      const query::ColumnDomain* domain = grid.population.Domain(leaf.column, assets);
      GB_ASSERT(domain != nullptr);  // the leaf was made from it
      json::Array parts;
      for (const auto& [label, subset] : leaf.parts) {
        parts.emplace_back(json::Array{TextOrNull(label), subset.ToJson(*domain)});
      }
      out.Set("parts", std::move(parts));
    }
    leaves.emplace_back(std::move(out));
  }
  json::Array calls;
  for (const GridCall& call : grid.calls) {
    json::Array branches;
    for (const GridBranch& branch : call.branches) {
      branches.emplace_back(json::Object{{"boxes", BoxesJson(branch.boxes, grid.population, assets)},
                                         {"classes", json::Array(branch.classes.begin(), branch.classes.end())},
                                         {"valued", branch.valued},
                                         {"lacking", branch.lacking},
                                         {"none", branch.none},
                                         {"counts", branch.counts}});
    }
    calls.emplace_back(json::Object{{"branches", std::move(branches)}, {"kind", call.kind}});
  }
  std::vector<std::vector<std::int64_t>> totals;
  for (std::size_t c = 0; c < grid.calls.size(); ++c) {
    totals.emplace_back();
    for (std::size_t b = 0; b < grid.calls[c].branches.size(); ++b) {
      totals.back().push_back(grid.Total(c, b));
    }
  }
  json::Array groups;
  for (const GridGroup& group : grid.groups) {
    if (std::ranges::none_of(group.out, [](bool out) { return out; })) {
      continue;  // nothing of it is out
    }
    json::Array key;
    for (const auto& part : group.key) {
      key.push_back(TextOrNull(part));
    }
    groups.emplace_back(json::Array{std::move(key), TableJson(group.rows), TableJson(group.values),
                                    TableJson(group.digests), Flags(group.out), Flags(group.few_missing),
                                    Flags(group.told)});
  }
  return json::Object{{"population", grid.population.ToJson(assets)},
                      {"leaves", std::move(leaves)},
                      {"calls", std::move(calls)},
                      {"groups", std::move(groups)},
                      {"totals", TableJson(totals)},
                      {"count_classes", json::Array(grid.count_classes.begin(), grid.count_classes.end())},
                      {"rows_are_single", grid.rows_are_single}};
}

namespace {

bool ReadOwn(const json::Value& json, GridLeaf& leaf) {
  const json::Value* columns = json.Get("own_columns");
  const json::Value* rows = json.Get("own_rows");
  auto read = columns == nullptr ? std::nullopt : query::ColumnsFromJson(*columns);
  if (!read || rows == nullptr || !rows->is_array()) {
    return false;
  }
  leaf.own_columns = std::move(*read);
  for (const json::Value& row : rows->as_array()) {
    if (!row.is_array() || row.as_array().size() != 2 || !row.as_array()[1].is_array()) {
      return false;
    }
    const json::Value& key = row.as_array()[0];
    std::set<std::string>& conditions = leaf.own_rows[key.is_string() ? std::optional(key.as_string()) : std::nullopt];
    for (const json::Value& condition : row.as_array()[1].as_array()) {
      conditions.insert(condition.is_string() ? condition.as_string() : "FALSE");
    }
  }
  return true;
}

Result<GridLeaf> LeafFromJson(const json::Value& json, const Population& population, const AssetCatalog& assets) {
  GridLeaf leaf;
  const std::int64_t kind = json.GetInt("kind", -1);
  if (kind < 0 || kind > static_cast<int>(query::Leaf::Kind::kOwn)) {
    return UnreadableRecord();
  }
  leaf.kind = static_cast<query::Leaf::Kind>(kind);
  leaf.sql = json.GetString("sql");
  leaf.own_type = query::ParseTypeName(json.GetString("type"));
  leaf.column = {json.GetString("table"), json.GetString("column")};
  const std::int64_t unit = json.GetInt("unit", 0);
  if (unit < 0 || unit > static_cast<int>(query::Step::Unit::kDecade)) {
    return UnreadableRecord();
  }
  leaf.step = {static_cast<query::Step::Unit>(unit), json.GetString("number")};
  if (leaf.kind == query::Leaf::Kind::kOwn && !ReadOwn(json, leaf)) {
    return UnreadableRecord();
  }
  if (leaf.kind == query::Leaf::Kind::kPartition) {
    const query::ColumnDomain* domain = population.Domain(leaf.column, assets);
    const json::Value* parts = json.Get("parts");
    if (domain == nullptr || parts == nullptr || !parts->is_array()) {
      return UnreadableRecord();
    }
    for (const json::Value& part : parts->as_array()) {
      if (!part.is_array() || part.as_array().size() != 2) {
        return UnreadableRecord();
      }
      const json::Value& label = part.as_array()[0];
      GB_ASSIGN_OR_RETURN(query::Subset subset, query::SubsetFromJson(part.as_array()[1], *domain));
      leaf.parts.emplace_back(label.is_string() ? std::optional(label.as_string()) : std::nullopt, std::move(subset));
    }
  }
  return leaf;
}

Result<std::vector<NamedBox>> BoxesFromJson(const json::Value* boxes, const Population& population,
                                            const AssetCatalog& assets) {
  if (boxes == nullptr) {
    return UnreadableRecord();
  }
  json::Value holder = population.ToJson(assets);
  holder.as_object().Set("boxes", *boxes);
  GB_ASSIGN_OR_RETURN(Population read, query::PopulationFromJson(holder, assets));
  return std::move(read.boxes);
}

// A list of lists, one for each call, with one entry for each branch.
template <typename T, typename Read>
bool ReadTable(const json::Value& json, const Grid& grid, std::vector<std::vector<T>>& out, const Read& read) {
  if (!json.is_array() || json.as_array().size() != grid.calls.size()) {
    return false;
  }
  for (std::size_t c = 0; c < grid.calls.size(); ++c) {
    const json::Value& call = json.as_array()[c];
    if (!call.is_array() || call.as_array().size() != grid.calls[c].branches.size()) {
      return false;
    }
    out.emplace_back();
    for (const json::Value& entry : call.as_array()) {
      out.back().push_back(read(entry));
    }
  }
  return true;
}

std::int64_t Number(const json::Value& value) { return value.is_int() ? value.as_int() : 0; }

bool ReadFlags(const json::Value& json, const Grid& grid, std::vector<bool>& out) {
  if (!json.is_string() || json.as_string().size() != grid.calls.size()) {
    return false;
  }
  for (const char flag : json.as_string()) {
    out.push_back(flag == '1');
  }
  return true;
}

Result<GridGroup> GroupFromJson(const json::Value& json, const Grid& grid) {
  constexpr std::size_t kParts = 7;
  if (!json.is_array() || json.as_array().size() != kParts || !json.as_array()[0].is_array()) {
    return UnreadableRecord();
  }
  const json::Array& parts = json.as_array();
  GridGroup group;
  for (const json::Value& part : parts[0].as_array()) {
    group.key.push_back(part.is_string() ? std::optional(part.as_string()) : std::nullopt);
  }
  const auto text = [](const json::Value& value) { return value.is_string() ? value.as_string() : std::string(); };
  if (group.key.size() != grid.leaves.size() || !ReadTable(parts[1], grid, group.rows, Number) ||
      !ReadTable(parts[2], grid, group.values, Number) || !ReadTable(parts[3], grid, group.digests, text) ||
      !ReadFlags(parts[4], grid, group.out) || !ReadFlags(parts[5], grid, group.few_missing) ||
      !ReadFlags(parts[6], grid, group.told)) {
    return UnreadableRecord();
  }
  return group;
}

}  // namespace

Result<Grid> GridFromJson(const json::Value& json, const AssetCatalog& assets) {
  const json::Value* population = json.Get("population");
  const json::Value* leaves = json.Get("leaves");
  const json::Value* calls = json.Get("calls");
  const json::Value* groups = json.Get("groups");
  const json::Value* totals = json.Get("totals");
  const json::Value* count_classes = json.Get("count_classes");
  if (population == nullptr || leaves == nullptr || calls == nullptr || groups == nullptr || totals == nullptr ||
      count_classes == nullptr || !count_classes->is_array() || !leaves->is_array() || !calls->is_array() ||
      !groups->is_array()) {
    return UnreadableRecord();
  }
  Grid grid;
  GB_ASSIGN_OR_RETURN(grid.population, query::PopulationFromJson(*population, assets));
  for (const json::Value& name : count_classes->as_array()) {
    grid.count_classes.insert(name.is_string() ? name.as_string() : "");
  }
  grid.rows_are_single = json.GetBool("rows_are_single");
  for (const json::Value& leaf : leaves->as_array()) {
    GB_ASSIGN_OR_RETURN(GridLeaf read, LeafFromJson(leaf, grid.population, assets));
    grid.leaves.push_back(std::move(read));
  }
  for (const json::Value& call : calls->as_array()) {
    const json::Value* branches = call.Get("branches");
    if (branches == nullptr || !branches->is_array()) {
      return UnreadableRecord();
    }
    GridCall out;
    out.kind = call.GetString("kind");
    for (const json::Value& branch : branches->as_array()) {
      GridBranch read;
      GB_ASSIGN_OR_RETURN(read.boxes, BoxesFromJson(branch.Get("boxes"), grid.population, assets));
      read.valued = branch.GetString("valued");
      read.lacking = branch.GetBool("lacking");
      read.none = branch.GetBool("none");
      read.counts = branch.GetBool("counts");
      const json::Value* classes = branch.Get("classes");
      for (const json::Value& name : classes != nullptr && classes->is_array() ? classes->as_array() : json::Array{}) {
        read.classes.insert(name.is_string() ? name.as_string() : "");
      }
      out.branches.push_back(std::move(read));
    }
    grid.calls.push_back(std::move(out));
  }
  for (const json::Value& group : groups->as_array()) {
    GB_ASSIGN_OR_RETURN(GridGroup read, GroupFromJson(group, grid));
    grid.groups.push_back(std::move(read));
  }
  if (!ReadTable(*totals, grid, grid.totals, Number)) {
    return UnreadableRecord();
  }
  return grid;
}

}  // namespace glovebox::engine::governed
