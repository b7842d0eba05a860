// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/grid.h"

#include <algorithm>
#include <string_view>

#include "base/encoding.h"
#include "base/strings.h"
#include "crypto/hash.h"
#include "engine/governed/executed_query.h"
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

bool IsFractionKind(std::string_view kind) { return kind == "avg" || kind == "sample" || kind == "population"; }

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
                                const std::string& kind, const std::set<std::string>& rows) {
  std::set<std::string> classes;
  if (!valued.empty()) {
    classes.insert(valued);
  }
  if (call.distinct != Distinct::kNo) {
    // What is equated with the column has as many.
    for (const query::ColumnRef column : query::EqualTo(query.core, call.distinct_column)) {
      const query::Asset& asset = assets[query.core.instances[column.instance].asset];
      if (asset.IsProtected()) {
        classes.insert(UnitsClass(asset));
      }
    }
  } else if (valued.empty() || TellNumberOfValues({kind}) || IsFractionKind(kind)) {
    classes.insert(rows.begin(), rows.end());
  }
  return classes;
}

// SUM(... ELSE 0) says nothing about the rows of its ELSE; every other constant is a count of them.
bool CountsRows(const query::GovernedCall& call, const query::Branch& branch) {
  const bool zero = branch.offset.unscaled == 0 && call.kind == GovernedAggregate::kSum;
  return !branch.none && !branch.measure && call.distinct != Distinct::kColumn && !zero;
}

bool AreOfOneForm(const query::Branch& a, const query::Branch& b) {
  const auto are_equal = [](const query::DecimalNumber& x, const query::DecimalNumber& y) {
    return x.unscaled == y.unscaled && x.scale == y.scale;
  };
  return a.measure == b.measure && are_equal(a.scale, b.scale) && are_equal(a.offset, b.offset);
}

// What a call tells of a measure (P4, stored NULLs).
std::string KindOf(const query::GovernedCall& call) {
  const bool measure =
      std::ranges::any_of(call.branches, [](const query::Branch& branch) { return branch.measure.has_value(); });
  const bool offset = std::ranges::any_of(
      call.branches, [](const query::Branch& branch) { return branch.measure && branch.offset.unscaled != 0; });
  // Values of different forms are added up and divided together: what the forms differ by tells how many there are.
  bool mixed = false;
  const query::Branch* first = nullptr;
  for (const query::Branch& branch : call.branches) {
    if (branch.none) {
      continue;
    }
    first = first == nullptr ? &branch : first;
    mixed = mixed || !branch.measure || !AreOfOneForm(branch, *first);
  }
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
      return mixed ? "sum+count" : "avg";
    case GovernedAggregate::kStddevSample:
    case GovernedAggregate::kVarianceSample:
      return mixed ? "sum+count" : "sample";
    default:
      return mixed ? "sum+count" : "population";
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

Status UnreadableRecord() { return Status(ErrorCode::kDataLoss, "a release record does not read"); }

Grid GridOf(const RunContext& run, const query::GovernedQuery& query, const query::GovernedSql& sql) {
  const std::vector<query::Asset>& assets = run.assets;
  Grid grid;
  grid.population = sql.population;
  grid.count_classes = CountClasses(run, sql.population);
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
      std::set<std::string> classes = ClassesOf(call, query, assets, valued, out.kind, grid.count_classes);
      if (query::DominancePercent(query, call, branch, assets) > 0) {
        classes.insert(std::string(kSumPrefix) + valued);
      }
      const bool lacking = !valued.empty() && MayBeNull(run, sql.population, valued);
      out.branches.push_back({BoxesOf(branch.region, query, sql.population, assets), std::move(classes),
                              std::move(valued), lacking, branch.none, CountsRows(call, branch)});
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
  if (!calls[call].branches[branch].valued.empty() && groups[group].told[call]) {
    out.insert(count_classes.begin(), count_classes.end());
  }
  return out;
}

bool Grid::IsOf(const std::string& contribution, std::size_t call, std::size_t branch, std::size_t group) const {
  const GridBranch& of = calls[call].branches[branch];
  return of.classes.contains(contribution) ||
         (count_classes.contains(contribution) && !of.valued.empty() && groups[group].told[call]);
}

bool Grid::IsFraction(std::size_t call, std::size_t branch, std::size_t group) const {
  return IsFractionKind(calls[call].kind) && calls[call].branches[branch].lacking && !groups[group].told[call];
}

bool Grid::IsRead(const Reading& reading, const std::string& contribution, std::size_t call, std::size_t branch,
                  std::size_t group) const {
  const bool fraction = IsFractionOf(contribution, call, branch, group);
  const bool valued = calls[call].branches[branch].lacking;
  switch (reading.kind) {
    case Reading::Kind::kExact:
      return !fraction;
    case Reading::Kind::kRows:
      // The rows that a LEFT JOIN has are not those that an average is of. Where every row has a value, to count values
      // is to count rows.
      return IsCountClass(contribution) &&
             (fraction ? std::ranges::none_of(population.tables, &query::PopulationTable::left_joined)
                       : !valued || groups[group].rows[call][branch] == groups[group].values[call][branch]);
    default:
      return IsCountClass(contribution) && valued &&
             (!fraction || calls[call].branches[branch].valued == reading.measure);
  }
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
        return UnreadableRecord();
      }
      continue;
    }
    const query::ColumnDomain* domain = population.Domain(leaf.column, assets);
    if (domain == nullptr) {
      return UnreadableRecord();
    }
    query::Subset subset = query::Subset::OnlyNull(*domain);
    if (leaf.kind == query::Leaf::Kind::kBucket && key[i]) {
      GB_ASSIGN_OR_RETURN(const query::ast::Literal value, ParseKey(*key[i], domain->type));
      const auto at = query::CoordinateOf(value, domain->type);
      if (!at) {
        return UnreadableRecord();
      }
      subset = query::Subset::Range(*domain, *at, query::StepNext(*at, leaf.step, domain->type));
    }
    if (leaf.kind == query::Leaf::Kind::kPartition) {
      const auto part = std::ranges::find(leaf.parts, key[i], [](const auto& entry) { return entry.first; });
      if (part == leaf.parts.end()) {
        return UnreadableRecord();
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

}  // namespace glovebox::engine::governed
