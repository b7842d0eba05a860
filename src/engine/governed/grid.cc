// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/grid.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/strings.h"
#include "crypto/hash.h"
#include "query/flatten.h"
#include "query/literal.h"

namespace glovebox::engine::governed {
namespace {

using query::AssetCatalog;
using query::Distinct;
using query::GovernedAggregate;
using query::NamedBox;
using query::Population;

Status Unreadable() { return Status(ErrorCode::kDataLoss, "a release record does not read"); }

std::vector<NamedBox> BoxesOf(const query::Region& region, const query::GovernedQuery& query,
                              const Population& population, const std::vector<query::Asset>& assets) {
  Population free = population;
  free.boxes = {NamedBox{}};
  return query::Restrict(free, region, query.core, assets).boxes;
}

std::set<std::string> ClassesOf(const query::GovernedCall& call, const query::Branch& branch,
                                const query::GovernedQuery& query, const std::vector<query::Asset>& assets,
                                const std::string& rows) {
  if (call.distinct == Distinct::kUnits) {
    return {"units"};
  }
  if (call.distinct == Distinct::kColumn) {
    const auto name = query::NameOf(query.core, assets, call.distinct_column);
    return {"units", name.first + "." + name.second};
  }
  if (!branch.measure) {
    // The complement of a FILTER contributes what the aggregate's other branches do.
    std::set<std::string> classes;
    for (const query::Branch& other : call.branches) {
      if (other.measure && branch.none) {
        const auto name = query::NameOf(query.core, assets, *other.measure);
        classes.insert(name.first + "." + name.second);
      }
    }
    if (classes.empty() || !branch.none) {
      classes.insert(rows);
    }
    return classes;
  }
  const auto name = query::NameOf(query.core, assets, *branch.measure);
  std::set<std::string> classes{name.first + "." + name.second};
  // What tells the number of values is a count of rows as well.
  if (call.kind == GovernedAggregate::kCount || branch.offset.unscaled != 0) {
    classes.insert(rows);
  }
  return classes;
}

// SUM(... ELSE 0) says nothing about the rows of its ELSE; every other constant is a count of them.
bool CountsRows(const query::GovernedCall& call, const query::Branch& branch) {
  const bool zero = branch.offset.unscaled == 0 && call.kind == GovernedAggregate::kSum;
  return !branch.none && !branch.measure && !zero;
}

// What a call tells of a measure (P4, stored NULLs).
std::string KindOf(const query::GovernedCall& call) {
  const bool measure =
      std::ranges::any_of(call.branches, [](const query::Branch& branch) { return branch.measure.has_value(); });
  const bool offset = std::ranges::any_of(
      call.branches, [](const query::Branch& branch) { return branch.measure && branch.offset.unscaled != 0; });
  const bool constants =
      std::ranges::any_of(call.branches, [](const query::Branch& branch) { return !branch.none && !branch.measure; });
  if (!measure) {
    return "rows";
  }
  switch (call.kind) {
    case GovernedAggregate::kCountStar:
    case GovernedAggregate::kCount:
      return "count";
    case GovernedAggregate::kSum:
      return offset ? "sum+count" : "sum";
    case GovernedAggregate::kAvg:
      return constants ? "sum+count" : "avg";  // a divisor of rows and of values tells the number of values
    case GovernedAggregate::kStddevSample:
    case GovernedAggregate::kVarianceSample:
      return constants ? "sum+count" : "sample";
    default:
      return constants ? "sum+count" : "population";
  }
}

// As a value of the column comes back from the engine.
std::optional<std::string> LabelText(const query::ast::Literal& label) {
  if (query::IsNull(label)) {
    return std::nullopt;
  }
  const auto* number = std::get_if<double>(&label.value);
  return number != nullptr ? json::Write(*number) : query::LiteralText(label);
}

GridLeaf LeafOf(const query::Leaf& leaf, const query::GovernedQuery& query, const std::vector<query::Asset>& assets) {
  GridLeaf out;
  out.kind = leaf.kind;
  out.sql = query::LeafSql(leaf, query.core, assets);
  if (leaf.kind == query::Leaf::Kind::kOwn) {
    if (leaf.own->op == query::ExprOp::kAttr) {
      const query::ColumnRef column = query.core.attrs.at(leaf.own->attr);
      out.own_type = assets[query.core.instances[column.instance].asset].columns[column.column].type;
    }
    return out;
  }
  out.column = query::NameOf(query.core, assets, leaf.column);
  out.step = leaf.step;
  for (const auto& [label, subset] : leaf.parts) {
    out.parts.emplace_back(LabelText(label), subset);
  }
  return out;
}

// A date_trunc of a date may come back as a timestamp at midnight.
Result<query::ast::Literal> ParseKey(const std::string& text, const query::Type& type) {
  const bool midnight = type.kind == query::TypeKind::kDate && text.ends_with(" 00:00:00");
  const query::Type& read_as = type.IsNumeric() ? query::Type::Decimal(38, 6) : type;
  return query::ParseLiteral(midnight ? text.substr(0, 10) : text, read_as);
}

// As an author writes it, so that WHERE own = 3 is the group of GROUP BY own with the key 3.
query::ast::Literal OwnKey(const std::string& text, const std::optional<query::Type>& type) {
  Result<query::ast::Literal> value = query::ParseLiteral(text, type.value_or(query::Type::Text()));
  return value.ok() ? *value : query::ast::Literal{query::Type::Text(), text};
}

json::Value TextOrNull(const std::optional<std::string>& text) { return text ? json::Value(*text) : json::Value(); }

std::string Flags(const std::vector<bool>& flags) {
  std::string out;
  for (const bool flag : flags) {
    out += flag ? '1' : '0';
  }
  return out;
}

json::Value BoxesJson(const std::vector<NamedBox>& boxes, const Population& population, const AssetCatalog& assets) {
  Population holder = population;
  holder.boxes = boxes;
  return *holder.ToJson(assets).Get("boxes");
}

}  // namespace

bool TellNumberOfValues(const std::set<std::string>& kinds) {
  return kinds.contains("count") || kinds.contains("sum+count") || (kinds.contains("sum") && kinds.contains("avg")) ||
         (kinds.contains("sample") && kinds.contains("population"));
}

bool IsCountClass(const std::string& contribution) {
  return contribution == "units" || contribution.starts_with("rows:");
}

Grid GridOf(const query::GovernedQuery& query, const query::GovernedSql& sql, const std::vector<query::Asset>& assets) {
  Grid grid;
  grid.population = sql.population;
  const query::Instance& finest = query.core.instances[query.finest];
  grid.one_row_per_unit = finest.distinct != nullptr || assets[finest.asset].OneRowPerUnit();
  for (const query::Leaf& leaf : query.leaves) {
    grid.leaves.push_back(LeafOf(leaf, query, assets));
  }
  for (const query::GovernedCall& call : query.calls) {
    GridCall out;
    for (const query::Branch& branch : call.branches) {
      out.branches.push_back({BoxesOf(branch.region, query, sql.population, assets),
                              ClassesOf(call, branch, query, assets, grid.CountClass()), branch.none,
                              CountsRows(call, branch)});
    }
    out.kind = KindOf(call);
    for (const query::Branch& branch : call.branches) {
      if (branch.measure && out.measure.empty()) {
        const auto name = query::NameOf(query.core, assets, *branch.measure);
        out.measure = name.first + "." + name.second;
      }
    }
    grid.calls.push_back(std::move(out));
  }
  return grid;
}

std::string Grid::CountClass() const { return one_row_per_unit ? "units" : "rows:" + population.finest; }

Population Grid::BranchPopulation(std::size_t call, std::size_t branch) const {
  Population out = population;
  out.boxes = query::IntersectBoxes(population.boxes, calls[call].branches[branch].boxes);
  return out;
}

Result<Population> Grid::CellPopulation(std::size_t call, std::size_t branch, const GroupKey& key,
                                        const AssetCatalog& assets) const {
  Population out = BranchPopulation(call, branch);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const GridLeaf& leaf = leaves[i];
    if (leaf.kind == query::Leaf::Kind::kOwn) {
      out.own.push_back(
          query::OwnEqualsText(leaf.sql, key[i] ? OwnKey(*key[i], leaf.own_type) : query::ast::Literal{}));
      continue;
    }
    const query::ColumnDomain* domain = population.Domain(leaf.column, assets);
    if (domain == nullptr) {
      return Unreadable();
    }
    query::Subset subset = query::Subset::OnlyNull(*domain);
    if (leaf.kind == query::Leaf::Kind::kBucket && key[i]) {
      GB_ASSIGN_OR_RETURN(const query::ast::Literal value, ParseKey(*key[i], domain->type));
      const auto at = query::CoordinateOf(value, domain->type);
      if (!at) {
        return Unreadable();
      }
      subset = query::Subset::Range(*domain, *at, query::StepNext(*at, leaf.step, domain->type));
    }
    if (leaf.kind == query::Leaf::Kind::kPartition) {
      const auto part = std::ranges::find(leaf.parts, key[i], [](const auto& entry) { return entry.first; });
      if (part == leaf.parts.end()) {
        return Unreadable();
      }
      subset = part->second;
    }
    out.boxes = query::IntersectBoxes(out.boxes, {NamedBox{{leaf.column, subset}}});
  }
  std::ranges::sort(out.own);
  const auto same = std::ranges::unique(out.own);
  out.own.erase(same.begin(), same.end());
  return out;
}

Result<std::string> Grid::CellDigest(std::size_t call, std::size_t branch, const GroupKey& key,
                                     const AssetCatalog& assets) const {
  GB_ASSIGN_OR_RETURN(const Population cell, CellPopulation(call, branch, key, assets));
  std::string text = cell.Text(assets);
  for (const query::PopulationTable& table : cell.tables) {
    text += "|" + table.asset + "=" + assets.Find(table.asset)->version;
  }
  constexpr std::size_t kDigestBytes = 16;
  return HexEncode(crypto::ToString(crypto::Sha256::Of(text)).substr(0, kDigestBytes));
}

std::string Grid::Shape(std::size_t call, std::size_t branch, const AssetCatalog& assets) const {
  const std::string out = BranchPopulation(call, branch).Text(assets);
  std::vector<std::string> keys;
  for (const GridLeaf& leaf : leaves) {
    keys.push_back(leaf.sql);
  }
  std::ranges::sort(keys);
  return out + "|" + Join(keys, "|");
}

json::Value GridToJson(const Grid& grid, const AssetCatalog& assets) {
  json::Array leaves;
  for (const GridLeaf& leaf : grid.leaves) {
    json::Object out{{"kind", static_cast<int>(leaf.kind)}, {"sql", leaf.sql}};
    if (leaf.kind != query::Leaf::Kind::kOwn) {
      out.Set("table", leaf.column.first);
      out.Set("column", leaf.column.second);
    } else if (leaf.own_type) {
      out.Set("type", query::TypeName(*leaf.own_type));
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
                                         {"none", branch.none},
                                         {"counts", branch.counts}});
    }
    calls.emplace_back(json::Object{{"branches", std::move(branches)}, {"kind", call.kind}, {"measure", call.measure}});
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
    json::Array rows;
    for (const auto& of_call : group.rows) {
      json::Array branches;
      for (const std::int64_t count : of_call) {
        branches.emplace_back(count);
      }
      rows.emplace_back(std::move(branches));
    }
    json::Array digests;
    for (const auto& of_call : group.digests) {
      digests.emplace_back(json::Array(of_call.begin(), of_call.end()));
    }
    groups.emplace_back(
        json::Array{std::move(key), std::move(rows), std::move(digests), Flags(group.out), Flags(group.few_missing)});
  }
  return json::Object{{"population", grid.population.ToJson(assets)},
                      {"leaves", std::move(leaves)},
                      {"calls", std::move(calls)},
                      {"groups", std::move(groups)},
                      {"one_row_per_unit", grid.one_row_per_unit}};
}

namespace {

Result<GridLeaf> LeafFromJson(const json::Value& json, const Population& population, const AssetCatalog& assets) {
  GridLeaf leaf;
  const std::int64_t kind = json.GetInt("kind", -1);
  if (kind < 0 || kind > static_cast<int>(query::Leaf::Kind::kOwn)) {
    return Unreadable();
  }
  leaf.kind = static_cast<query::Leaf::Kind>(kind);
  leaf.sql = json.GetString("sql");
  leaf.own_type = query::ParseTypeName(json.GetString("type"));
  leaf.column = {json.GetString("table"), json.GetString("column")};
  const std::int64_t unit = json.GetInt("unit", 0);
  if (unit < 0 || unit > static_cast<int>(query::Step::Unit::kDecade)) {
    return Unreadable();
  }
  leaf.step = {static_cast<query::Step::Unit>(unit), json.GetString("number")};
  if (leaf.kind == query::Leaf::Kind::kPartition) {
    const query::ColumnDomain* domain = population.Domain(leaf.column, assets);
    const json::Value* parts = json.Get("parts");
    if (domain == nullptr || parts == nullptr || !parts->is_array()) {
      return Unreadable();
    }
    for (const json::Value& part : parts->as_array()) {
      if (!part.is_array() || part.as_array().size() != 2) {
        return Unreadable();
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
    return Unreadable();
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
  constexpr std::size_t kParts = 5;
  if (!json.is_array() || json.as_array().size() != kParts || !json.as_array()[0].is_array()) {
    return Unreadable();
  }
  const json::Array& parts = json.as_array();
  GridGroup group;
  for (const json::Value& part : parts[0].as_array()) {
    group.key.push_back(part.is_string() ? std::optional(part.as_string()) : std::nullopt);
  }
  const auto number = [](const json::Value& value) { return value.is_int() ? value.as_int() : std::int64_t{0}; };
  const auto text = [](const json::Value& value) { return value.is_string() ? value.as_string() : std::string(); };
  if (group.key.size() != grid.leaves.size() || !ReadTable(parts[1], grid, group.rows, number) ||
      !ReadTable(parts[2], grid, group.digests, text) || !ReadFlags(parts[3], grid, group.out) ||
      !ReadFlags(parts[4], grid, group.few_missing)) {
    return Unreadable();
  }
  return group;
}

}  // namespace

Result<Grid> GridFromJson(const json::Value& json, const AssetCatalog& assets) {
  const json::Value* population = json.Get("population");
  const json::Value* leaves = json.Get("leaves");
  const json::Value* calls = json.Get("calls");
  const json::Value* groups = json.Get("groups");
  if (population == nullptr || leaves == nullptr || calls == nullptr || groups == nullptr || !leaves->is_array() ||
      !calls->is_array() || !groups->is_array()) {
    return Unreadable();
  }
  Grid grid;
  GB_ASSIGN_OR_RETURN(grid.population, query::PopulationFromJson(*population, assets));
  grid.one_row_per_unit = json.GetBool("one_row_per_unit");
  for (const json::Value& leaf : leaves->as_array()) {
    GB_ASSIGN_OR_RETURN(GridLeaf read, LeafFromJson(leaf, grid.population, assets));
    grid.leaves.push_back(std::move(read));
  }
  for (const json::Value& call : calls->as_array()) {
    const json::Value* branches = call.Get("branches");
    if (branches == nullptr || !branches->is_array()) {
      return Unreadable();
    }
    GridCall out;
    out.kind = call.GetString("kind");
    out.measure = call.GetString("measure");
    for (const json::Value& branch : branches->as_array()) {
      GridBranch read;
      GB_ASSIGN_OR_RETURN(read.boxes, BoxesFromJson(branch.Get("boxes"), grid.population, assets));
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
  return grid;
}

}  // namespace glovebox::engine::governed
