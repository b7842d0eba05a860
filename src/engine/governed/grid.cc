// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/grid.h"

#include <algorithm>
#include <string_view>

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

constexpr std::string_view kSumPrefix = "sum:";

Status Unreadable() { return Status(ErrorCode::kDataLoss, "a release record does not read"); }

std::vector<NamedBox> BoxesOf(const query::Region& region, const query::GovernedQuery& query,
                              const Population& population, const std::vector<query::Asset>& assets) {
  Population free = population;
  free.boxes = {NamedBox{}};
  return query::Restrict(free, region, query.core, assets).boxes;
}

// "<table>.<column>" of what a row of the branch needs a value of.
std::string ValuedOf(const query::GovernedCall& call, std::size_t branch, const query::GovernedQuery& query,
                     const std::vector<query::Asset>& assets) {
  const std::optional<query::ColumnRef> column = query::ValuedColumn(call, branch);
  if (!column) {
    return "";
  }
  const auto name = query::NameOf(query.core, assets, *column);
  return name.first + "." + name.second;
}

std::set<std::string> ClassesOf(const query::GovernedCall& call, const query::GovernedQuery& query,
                                const std::vector<query::Asset>& assets, const std::string& valued,
                                const std::string& kind, const std::string& rows) {
  std::set<std::string> classes;
  if (!valued.empty()) {
    classes.insert(valued);
  }
  if (call.distinct != Distinct::kNo) {
    classes.insert(UnitsClass(assets[query.core.instances[call.distinct_column.instance].asset]));
  } else if (valued.empty() || TellNumberOfValues({kind})) {
    classes.insert(rows);
  }
  return classes;
}

// SUM(... ELSE 0) says nothing about the rows of its ELSE; every other constant is a count of them.
bool CountsRows(const query::GovernedCall& call, const query::Branch& branch) {
  const bool zero = branch.offset.unscaled == 0 && call.kind == GovernedAggregate::kSum;
  return !branch.none && !branch.measure && call.distinct != Distinct::kColumn && !zero;
}

// What a call tells of a measure (P4, stored NULLs).
std::string KindOf(const query::GovernedCall& call) {
  const bool measure =
      std::ranges::any_of(call.branches, [](const query::Branch& branch) { return branch.measure.has_value(); });
  const bool offset = std::ranges::any_of(
      call.branches, [](const query::Branch& branch) { return branch.measure && branch.offset.unscaled != 0; });
  const bool constants =
      std::ranges::any_of(call.branches, [](const query::Branch& branch) { return !branch.none && !branch.measure; });
  if (call.distinct == Distinct::kColumn) {
    return "count";
  }
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
    std::set<query::AttrId> attrs;
    query::CollectAttrs(*leaf.own, attrs);
    for (const query::AttrId attr : attrs) {
      out.own_columns.insert(query::NameOf(query.core, assets, query.core.attrs.at(attr)));
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

// The own rows of one group; false if the key is none.
bool RestrictToKey(query::OwnConditions& own, const GridLeaf& leaf, const std::optional<std::string>& key) {
  if (leaf.own_rows.empty()) {
    const query::ast::Literal value = key ? OwnKey(*key, leaf.own_type) : query::ast::Literal{};
    query::RestrictOwn(own, leaf.own_columns, {false, {query::OwnEqualsText(leaf.sql, value)}});
    return true;
  }
  const auto rows = leaf.own_rows.find(key);
  if (rows != leaf.own_rows.end() && leaf.own_rows.size() > 1) {  // the only key stands for every row
    query::RestrictOwn(own, leaf.own_columns, {true, rows->second});
  }
  return rows != leaf.own_rows.end();
}

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

}  // namespace

bool TellNumberOfValues(const std::set<std::string>& kinds) {
  return std::ranges::any_of(kinds, [&kinds](const std::string& kind) { return TakesPart(kind, kinds); });
}

bool TakesPart(const std::string& kind, const std::set<std::string>& kinds) {
  // What stays the same if every row is there twice, and what changes, each in its own way.
  static const std::map<std::string, int> kMoments{{"avg", 0}, {"population", 0}, {"sum", 1}, {"sample", 2}};
  const auto mine = kMoments.find(kind);
  return kind == "count" || kind == "sum+count" || std::ranges::any_of(kMoments, [&](const auto& other) {
           return mine != kMoments.end() && other.second != mine->second && kinds.contains(other.first);
         });
}

bool IsUnitsClass(const std::string& contribution) { return contribution.starts_with("units:"); }

bool IsCountClass(const std::string& contribution) {
  return IsUnitsClass(contribution) || contribution.starts_with("rows:");
}

bool IsSumClass(const std::string& contribution) { return contribution.starts_with(kSumPrefix); }

std::string UnitsClass(const query::Asset& asset) { return "units:" + asset.owner + "/" + asset.rule.unit_domain; }

Grid GridOf(const query::GovernedQuery& query, const query::GovernedSql& sql, const std::vector<query::Asset>& assets,
            const std::string& count_class) {
  Grid grid;
  grid.population = sql.population;
  grid.count_class = count_class;
  grid.rows_are_single = query::ReachesAllUniquely(query.core, assets, query.finest);
  for (const query::Leaf& leaf : query.leaves) {
    grid.leaves.push_back(LeafOf(leaf, query, assets));
  }
  for (const query::GovernedCall& call : query.calls) {
    GridCall out;
    out.kind = KindOf(call);
    for (std::size_t b = 0; b < call.branches.size(); ++b) {
      const query::Branch& branch = call.branches[b];
      std::string valued = ValuedOf(call, b, query, assets);
      std::set<std::string> classes = ClassesOf(call, query, assets, valued, out.kind, grid.count_class);
      if (query::DominancePercent(query, call, branch, assets) > 0) {
        classes.insert(std::string(kSumPrefix) + valued);
      }
      out.branches.push_back({BoxesOf(branch.region, query, sql.population, assets), std::move(classes),
                              std::move(valued), branch.none, CountsRows(call, branch)});
    }
    grid.calls.push_back(std::move(out));
  }
  return grid;
}

std::int64_t Grid::Total(std::size_t call, std::size_t branch) const {
  if (!totals.empty()) {
    return totals[call][branch];
  }
  std::int64_t total = 0;
  for (const GridGroup& group : groups) {
    total += group.values[call][branch];
  }
  return total;
}

std::set<std::string> Grid::Classes(std::size_t call, std::size_t branch, std::size_t group) const {
  std::set<std::string> out = calls[call].branches[branch].classes;
  if (IsOf(count_class, call, branch, group)) {
    out.insert(count_class);
  }
  return out;
}

bool Grid::IsOf(const std::string& contribution, std::size_t call, std::size_t branch, std::size_t group) const {
  const GridBranch& of = calls[call].branches[branch];
  return of.classes.contains(contribution) ||
         (contribution == count_class && !of.valued.empty() && groups[group].told[call]);
}

const std::string& Grid::Valued(std::size_t call, std::size_t branch, const std::string& contribution) const {
  return IsCountClass(contribution) || IsSumClass(contribution) ? calls[call].branches[branch].valued : contribution;
}

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
      if (!RestrictToKey(out.own, leaf, key[i])) {
        return Unreadable();
      }
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
  return out;
}

Result<std::string> Grid::CellDigest(std::size_t call, std::size_t branch, const GroupKey& key,
                                     const AssetCatalog& assets) const {
  GB_ASSIGN_OR_RETURN(const Population cell, CellPopulation(call, branch, key, assets));
  if (cell.boxes.empty()) {
    return std::string();
  }
  std::string text = cell.Text(assets);
  for (const std::string& name : cell.AssetNames()) {
    text += "|" + name + "=" + assets.Find(name)->content;
  }
  constexpr std::size_t kDigestBytes = 16;
  return HexEncode(crypto::ToString(crypto::Sha256::Of(text)).substr(0, kDigestBytes));
}

std::vector<std::string> Grid::KeyNames() const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    out.push_back("k" + std::to_string(i));
  }
  return out;
}

std::string Grid::KeysSql() const {
  const std::vector<std::string> names = KeyNames();
  std::string out;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    out += leaves[i].sql + " AS " + names[i] + ", ";
  }
  return out;
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

namespace {

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
                      {"count_class", grid.count_class},
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
  if (leaf.kind == query::Leaf::Kind::kOwn && !ReadOwn(json, leaf)) {
    return Unreadable();
  }
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
    return Unreadable();
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
  const json::Value* totals = json.Get("totals");
  if (population == nullptr || leaves == nullptr || calls == nullptr || groups == nullptr || totals == nullptr ||
      !leaves->is_array() || !calls->is_array() || !groups->is_array()) {
    return Unreadable();
  }
  Grid grid;
  GB_ASSIGN_OR_RETURN(grid.population, query::PopulationFromJson(*population, assets));
  grid.count_class = json.GetString("count_class");
  grid.rows_are_single = json.GetBool("rows_are_single");
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
    for (const json::Value& branch : branches->as_array()) {
      GridBranch read;
      GB_ASSIGN_OR_RETURN(read.boxes, BoxesFromJson(branch.Get("boxes"), grid.population, assets));
      read.valued = branch.GetString("valued");
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
    return Unreadable();
  }
  return grid;
}

}  // namespace glovebox::engine::governed
