// SPDX-License-Identifier: Apache-2.0
#include "query/governed_sql.h"

#include <algorithm>

#include "query/flatten.h"
#include "query/print_expr.h"

namespace glovebox::query {
namespace {

DecimalNumber Trimmed(DecimalNumber number) {
  while (number.scale > 0 && number.unscaled % 10 == 0) {
    number.unscaled /= 10;
    --number.scale;
  }
  return number;
}

bool IsZero(const DecimalNumber& number) { return number.unscaled == 0; }
bool IsOne(const DecimalNumber& number) { return Trimmed(number).unscaled == 1 && Trimmed(number).scale == 0; }

// A factor for arithmetic over exact integers, or a DOUBLE where it has digits behind the point.
std::string FactorSql(const DecimalNumber& number) {
  const DecimalNumber trimmed = Trimmed(number);
  const std::string text = DecimalText(trimmed);
  return trimmed.scale == 0 ? "CAST(" + text + " AS HUGEINT)" : "CAST('" + text + "' AS DOUBLE)";
}

// Doubles leave with 12 significant digits (P12); what is no number leaves as NULL.
std::string RoundedDouble(const std::string& value) {
  return "(CASE WHEN isfinite(" + value + ") THEN CAST(printf('%.11e', " + value + ") AS DOUBLE) END)";
}

const Type& TypeOf(const GovernedQuery& query, const std::vector<Asset>& assets, ColumnRef column) {
  return assets[query.core.instances[column.instance].asset].columns[column.column].type;
}

class SqlBuilder {
 public:
  SqlBuilder(const GovernedQuery& query, const std::vector<Asset>& assets) : query_(query), assets_(assets) {
    sql_.population = PopulationOf(query, assets);
    for (const Instance& instance : query.core.instances) {
      const Asset& asset = assets[instance.asset];
      round_to_ = std::max(round_to_, asset.IsProtected() ? asset.rule.round_to : 0);
    }
    sql_.regions = {Region{Box{}}};
    texts_ = {"TRUE"};
  }

  GovernedSql Build() {
    AddMoment(Moment::Kind::kRows, 0, std::nullopt);
    for (const GovernedCall& call : query_.calls) {
      std::vector<std::size_t> regions;
      for (const Branch& branch : call.branches) {
        regions.push_back(RegionIndex(branch.region));
        AddMoment(Moment::Kind::kRows, regions.back(), std::nullopt);
      }
      sql_.branch_regions.push_back(regions);
      AddMoments(call, regions);
    }
    for (std::size_t c = 0; c < query_.calls.size(); ++c) {
      sql_.values.push_back(Finished(query_.calls[c], Value(query_.calls[c], sql_.branch_regions[c])));
    }
    sql_.groups = Groups();
    return std::move(sql_);
  }

 private:
  std::size_t RegionIndex(const Region& region) {
    const Population restricted = Restrict(sql_.population, region, query_.core, assets_);
    const AssetCatalog catalog(assets_);
    const std::string text = IsWholeRegion(region) ? "TRUE" : BoxesSql(NamedBoxes(region), sql_.population, catalog);
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (texts_[i] == text) {
        return i;
      }
    }
    texts_.push_back(text);
    sql_.regions.push_back(region);
    return texts_.size() - 1;
  }

  [[nodiscard]] std::vector<NamedBox> NamedBoxes(const Region& region) const {
    Population free = sql_.population;  // only the region's own conditions: the core's stand in WHERE
    free.boxes = {NamedBox{}};
    return Restrict(free, region, query_.core, assets_).boxes;
  }

  void AddMoment(Moment::Kind kind, std::size_t region, std::optional<ColumnRef> column) {
    if (sql_.Find(kind, region, column) == nullptr) {
      sql_.moments.push_back({kind, region, column.value_or(ColumnRef{}), "m" + std::to_string(sql_.moments.size())});
    }
  }

  void AddMoments(const GovernedCall& call, const std::vector<std::size_t>& regions) {
    if (call.counts_own) {
      AddMoment(Moment::Kind::kOwnRows, 0, std::nullopt);
    }
    for (std::size_t b = 0; b < call.branches.size(); ++b) {
      const Branch& branch = call.branches[b];
      if (const auto valued = ValuedColumn(call, b)) {
        AddMoment(Moment::Kind::kNonNull, regions[b], valued);
      }
      if (call.distinct != Distinct::kNo && !branch.none) {
        AddMoment(KindOfDistinct(call), regions[b], call.distinct_column);
      }
      if (!branch.measure) {
        continue;
      }
      if (call.kind == GovernedAggregate::kCount) {
        continue;
      }
      if (IsSpread(call) && IsSingle(call)) {
        AddMoment(Moment::Kind::kVariance, regions[b], branch.measure);
        continue;
      }
      AddMoment(Moment::Kind::kSum, regions[b], branch.measure);
      if (IsSpread(call)) {
        AddMoment(Moment::Kind::kSumSquares, regions[b], branch.measure);
      }
    }
  }

  static Moment::Kind KindOfDistinct(const GovernedCall& call) {
    return call.distinct == Distinct::kUnits ? Moment::Kind::kUnits : Moment::Kind::kDistinct;
  }

  static bool IsSpread(const GovernedCall& call) {
    const AggregateKind kind = RuleKind(call.kind);
    return kind == AggregateKind::kStddev || kind == AggregateKind::kVariance;
  }

  // One branch with a measure, the others add nothing.
  static bool IsSingle(const GovernedCall& call) {
    return std::ranges::count_if(call.branches, [](const Branch& branch) { return !branch.none; }) == 1 &&
           std::ranges::any_of(call.branches, [](const Branch& branch) { return branch.measure.has_value(); });
  }

  // A moment in an expression. An owner may have everything rounded to a multiple (P12): what is rounded are the
  // moments, so that factors, summands and branches of the author's choice find no more than the rounded ones.
  [[nodiscard]] std::string Name(Moment::Kind kind, std::size_t region, std::optional<ColumnRef> column) const {
    const Moment* moment = sql_.Find(kind, region, column);
    GB_ASSERT(moment != nullptr);
    if (round_to_ == 0) {
      return moment->name;
    }
    const std::string multiple = std::to_string(round_to_);
    return "(round(CAST(" + moment->name + " AS DOUBLE) / " + multiple + ") * " + multiple + ")";
  }

  // Sum over the branches of scale^power * moment + ...
  [[nodiscard]] std::string Count(const GovernedCall& call, const std::vector<std::size_t>& regions) const {
    std::string out;
    for (std::size_t b = 0; b < call.branches.size(); ++b) {
      const Branch& branch = call.branches[b];
      if (branch.none) {
        continue;
      }
      out += (out.empty() ? "" : " + ") + (branch.measure ? Name(Moment::Kind::kNonNull, regions[b], branch.measure)
                                                          : Name(Moment::Kind::kRows, regions[b], std::nullopt));
    }
    return out.empty() ? "0" : "(" + out + ")";
  }

  [[nodiscard]] std::string Sum(const GovernedCall& call, const std::vector<std::size_t>& regions) const {
    std::string out;
    const auto add = [&out](const std::string& term) { out += (out.empty() ? "" : " + ") + term; };
    for (std::size_t b = 0; b < call.branches.size(); ++b) {
      const Branch& branch = call.branches[b];
      if (branch.none) {
        continue;
      }
      const std::string count = branch.measure ? Name(Moment::Kind::kNonNull, regions[b], branch.measure)
                                               : Name(Moment::Kind::kRows, regions[b], std::nullopt);
      if (branch.measure) {
        const std::string sum = "coalesce(" + Name(Moment::Kind::kSum, regions[b], branch.measure) + ", 0)";
        add(IsOne(branch.scale) ? sum : FactorSql(branch.scale) + " * " + sum);
      }
      if (!IsZero(branch.offset)) {
        add(FactorSql(branch.offset) + " * " + count);
      }
    }
    return out.empty() ? "CAST(0 AS HUGEINT)" : "(" + out + ")";
  }

  [[nodiscard]] std::string SumOfSquares(const GovernedCall& call, const std::vector<std::size_t>& regions) const {
    std::string out;
    const auto as_double = [](const DecimalNumber& number) {
      return "CAST('" + DecimalText(Trimmed(number)) + "' AS DOUBLE)";
    };
    for (std::size_t b = 0; b < call.branches.size(); ++b) {
      const Branch& branch = call.branches[b];
      if (branch.none) {
        continue;
      }
      const std::string a = as_double(branch.scale);
      const std::string o = as_double(branch.offset);
      std::string term = o + " * " + o + " * " +
                         (branch.measure ? Name(Moment::Kind::kNonNull, regions[b], branch.measure)
                                         : Name(Moment::Kind::kRows, regions[b], std::nullopt));
      if (branch.measure) {
        term += " + " + a + " * " + a + " * coalesce(" + Name(Moment::Kind::kSumSquares, regions[b], branch.measure) +
                ", 0) + 2 * " + a + " * " + o + " * CAST(coalesce(" +
                Name(Moment::Kind::kSum, regions[b], branch.measure) + ", 0) AS DOUBLE)";
      }
      out += (out.empty() ? "" : " + ") + term;
    }
    return out.empty() ? "0" : "(" + out + ")";
  }

  [[nodiscard]] std::string Spread(const GovernedCall& call, const std::vector<std::size_t>& regions) const {
    const std::string count = "CAST(" + Count(call, regions) + " AS DOUBLE)";
    const bool sample =
        call.kind == GovernedAggregate::kStddevSample || call.kind == GovernedAggregate::kVarianceSample;
    std::string variance;
    if (IsSingle(call)) {
      for (std::size_t b = 0; b < call.branches.size(); ++b) {
        if (call.branches[b].none) {
          continue;
        }
        const std::string scale = "CAST('" + DecimalText(Trimmed(call.branches[b].scale)) + "' AS DOUBLE)";
        variance = "(" + scale + " * " + scale + " * " +
                   Name(Moment::Kind::kVariance, regions[b], call.branches[b].measure) + ")";
      }
    } else {
      const std::string sum = "CAST(" + Sum(call, regions) + " AS DOUBLE)";
      variance = "CASE WHEN " + count + " > 0 THEN greatest(0, (" + SumOfSquares(call, regions) + " - " + sum + " * " +
                 sum + " / nullif(" + count + ", 0)) / nullif(" + count + ", 0)) END";
    }
    if (sample) {
      variance = "(" + variance + " * " + count + " / nullif(" + count + " - 1, 0))";
    }
    const bool root = RuleKind(call.kind) == AggregateKind::kStddev;
    return root ? "sqrt(" + variance + ")" : variance;
  }

  [[nodiscard]] std::string Value(const GovernedCall& call, const std::vector<std::size_t>& regions) const {
    if (call.counts_own) {
      return Name(Moment::Kind::kOwnRows, 0, std::nullopt);
    }
    if (call.distinct != Distinct::kNo) {
      // A FILTER that no row can pass leaves the complement alone.
      const auto counted = std::ranges::find(call.branches, false, &Branch::none);
      return counted == call.branches.end()
                 ? "0"
                 : Name(KindOfDistinct(call), regions[static_cast<std::size_t>(counted - call.branches.begin())],
                        call.distinct_column);
    }
    const std::string count = Count(call, regions);
    switch (call.kind) {
      case GovernedAggregate::kCountStar:
      case GovernedAggregate::kCount:
        return count;
      case GovernedAggregate::kSum:
        return "CASE WHEN " + count + " > 0 THEN " + Sum(call, regions) + " END";
      case GovernedAggregate::kAvg:
        return "(CAST(" + Sum(call, regions) + " AS DOUBLE) / nullif(" + count + ", 0))";
      default:
        return Spread(call, regions);
    }
  }

  // P12: doubles have 12 digits.
  [[nodiscard]] std::string Finished(const GovernedCall& call, const std::string& value) const {
    const std::string safe = "TRY(" + value + ")";
    if (RuleKind(call.kind) == AggregateKind::kCount) {
      return round_to_ == 0 ? safe : "CAST(" + safe + " AS BIGINT)";
    }
    if (call.kind == GovernedAggregate::kSum && round_to_ == 0 && IsExactSum(call)) {
      return safe;
    }
    return RoundedDouble("CAST(" + safe + " AS DOUBLE)");
  }

  [[nodiscard]] bool IsExactSum(const GovernedCall& call) const {
    return std::ranges::all_of(call.branches, [this](const Branch& branch) {
      const bool exact_measure = !branch.measure || TypeOf(query_, assets_, *branch.measure).kind != TypeKind::kDouble;
      return branch.none || (exact_measure && Trimmed(branch.scale).scale == 0 && Trimmed(branch.offset).scale == 0);
    });
  }

  [[nodiscard]] std::string MomentSql(const Moment& moment) const {
    const bool left = std::ranges::any_of(query_.core.instances, &Instance::left_joined);
    std::string condition = texts_[moment.region];
    if (left && moment.kind != Moment::Kind::kOwnRows) {
      const std::string matched = UnitSql(AliasOf(query_.core, assets_, query_.finest)) + " IS NOT NULL";
      condition = condition == "TRUE" ? matched : "(" + condition + ") AND " + matched;
    }
    const std::string filter = condition == "TRUE" ? "" : " FILTER (WHERE " + condition + ")";
    const auto column = [&]() {
      const PopulationColumn name = NameOf(query_.core, assets_, moment.column);
      return ColumnSql(name.first, name.second);
    };
    switch (moment.kind) {
      case Moment::Kind::kRows:
      case Moment::Kind::kOwnRows:
        return "count(*)" + filter;
      case Moment::Kind::kNonNull:
        return "count(" + column() + ")" + filter;
      case Moment::Kind::kSum:
        return "sum(" + column() + ")" + filter;
      case Moment::Kind::kVariance:
        return "var_pop(" + column() + ")" + filter;
      case Moment::Kind::kSumSquares:
        return "sum(CAST(" + column() + " AS DOUBLE) * CAST(" + column() + " AS DOUBLE))" + filter;
      case Moment::Kind::kUnits:
        return "count(DISTINCT " + UnitSql(AliasOf(query_.core, assets_, moment.column.instance)) + ")" + filter;
      case Moment::Kind::kDistinct:
        return "count(DISTINCT " + column() + ")" + filter;
    }
    return "";
  }

  [[nodiscard]] std::string Groups() const {
    std::string select;
    std::string order;
    for (std::size_t i = 0; i < query_.leaves.size(); ++i) {
      const std::string name = "k" + std::to_string(i);
      select += (i == 0 ? "" : ", ") + LeafSql(query_.leaves[i], query_.core, assets_) + " AS " + name;
      order += (i == 0 ? "" : ", ") + name + " NULLS LAST";
    }
    for (const Moment& moment : sql_.moments) {
      select += (select.empty() ? "" : ", ") + MomentSql(moment) + " AS " + moment.name;
    }
    const std::string inner =
        "SELECT " + select + FromSql(sql_.population, AssetCatalog(assets_)) + GroupBySql(query_.leaves.size());
    return "SELECT row_number() OVER (" + (order.empty() ? "" : "ORDER BY " + order) + ") - 1 AS gid, * FROM (" +
           inner + ")";
  }

  const GovernedQuery& query_;
  const std::vector<Asset>& assets_;
  GovernedSql sql_;
  std::vector<std::string> texts_;  // of the regions
  std::int64_t round_to_ = 0;
};

std::string BucketSql(const Leaf& leaf, const Type& type, const std::string& column) {
  if (leaf.step.unit == Step::Unit::kDecade) {
    // DuckDB's decades before year 0 end where they should begin: those years stay apart.
    return "CASE WHEN year(" + column + ") >= 0 THEN date_trunc('decade', " + column + ") ELSE date_trunc('year', " +
           column + ") END";
  }
  if (leaf.step.unit != Step::Unit::kNumber) {
    return "date_trunc('" + StepText(leaf.step) + "', " + column + ")";
  }
  const std::string& width = leaf.step.number;
  if (type.kind == TypeKind::kInteger && width.find('.') == std::string::npos) {
    // Floor, not truncation: [-10, 0) and [0, 10) are two buckets.
    const std::string wide = "CAST(" + column + (type.bits < 64 ? " AS BIGINT)" : " AS HUGEINT)");
    return "CAST(" + wide + " - ((" + wide + " % " + width + ") + " + width + ") % " + width + " AS BIGINT)";
  }
  // Binary fractions put 0.3 below 3 * 0.1: the boundary is an exact decimal, and corrected by comparing with it.
  const std::string boundary =
      "(CAST(floor(CAST(" + column + " AS DOUBLE) / CAST('" + width + "' AS DOUBLE)) AS BIGINT) * " + width + ")";
  return "CASE WHEN " + boundary + " > " + column + " THEN " + boundary + " - " + width + " WHEN " + boundary + " + " +
         width + " <= " + column + " THEN " + boundary + " + " + width + " ELSE " + boundary + " END";
}

}  // namespace

const Moment* GovernedSql::Find(Moment::Kind kind, std::size_t region, std::optional<ColumnRef> column) const {
  for (const Moment& moment : moments) {
    if (moment.kind == kind && moment.region == region && moment.column == column.value_or(ColumnRef{})) {
      return &moment;
    }
  }
  return nullptr;
}

std::optional<ColumnRef> ValuedColumn(const GovernedCall& call, std::size_t branch) {
  if (call.distinct == Distinct::kColumn) {
    return call.distinct_column;
  }
  if (call.branches[branch].measure || !call.branches[branch].none) {
    return call.branches[branch].measure;
  }
  const auto other = std::ranges::find_if(call.branches, [](const Branch& one) { return one.measure.has_value(); });
  return other == call.branches.end() ? std::nullopt : other->measure;
}

std::string LeafSql(const Leaf& leaf, const Core& core, const std::vector<Asset>& assets) {
  if (leaf.kind == Leaf::Kind::kOwn) {
    return leaf.own_text;
  }
  const PopulationColumn name = NameOf(core, assets, leaf.column);
  const std::string column = ColumnSql(name.first, name.second);
  const Asset& asset = assets[core.instances[leaf.column.instance].asset];
  const Type& type = asset.columns[leaf.column.column].type;
  if (leaf.kind == Leaf::Kind::kBucket) {
    return BucketSql(leaf, type, column);
  }
  if (leaf.identity_partition) {
    return column;
  }
  const Result<ColumnDomain> domain = DomainOf(asset.Rule(leaf.column.column), type);
  GB_ASSERT(domain.ok());  // the leaf was made from it
  std::string out = "CASE";
  for (const auto& [label, subset] : leaf.parts) {
    out += " WHEN " + subset.ToSql(*domain, column) + " THEN " + LiteralSql(label);
  }
  return out + " END";
}

GovernedSql PrintGoverned(const GovernedQuery& query, const std::vector<Asset>& assets) {
  return SqlBuilder(query, assets).Build();
}

std::string RegionSql(const GovernedQuery& query, const GovernedSql& sql, const std::vector<Asset>& assets,
                      std::size_t region) {
  if (IsWholeRegion(sql.regions[region])) {
    return "TRUE";
  }
  Population free = sql.population;
  free.boxes = {NamedBox{}};
  return BoxesSql(Restrict(free, sql.regions[region], query.core, assets).boxes, sql.population, AssetCatalog(assets));
}

std::string PrintCounts(const GovernedQuery& query, const GovernedSql& sql, const std::vector<Asset>& assets,
                        const std::vector<UnitCount>& counts, const std::vector<std::string>& counters,
                        const std::string& groups_table) {
  std::string keys;
  std::string on;
  for (std::size_t i = 0; i < query.leaves.size(); ++i) {
    const std::string name = "k" + std::to_string(i);
    keys += LeafSql(query.leaves[i], query.core, assets) + " AS " + name + ", ";
    on += (i == 0 ? "" : " AND ") + ("g." + name) + " IS NOT DISTINCT FROM e." + name;
  }
  std::string select;
  std::string outer;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const UnitCount& count = counts[i];
    std::string condition = RegionSql(query, sql, assets, count.region);
    if (count.rows != UnitCount::Rows::kAll) {
      const PopulationColumn name = NameOf(query.core, assets, *count.measure);
      condition = "(" + condition + ") AND " + ColumnSql(name.first, name.second) +
                  (count.rows == UnitCount::Rows::kWithValue ? " IS NOT NULL" : " IS NULL");
    }
    select += (i == 0 ? "" : ", ") + counters[i] + "(" + UnitSql(AliasOf(query.core, assets, count.instance)) + ")" +
              (condition == "TRUE" ? "" : " FILTER (WHERE " + condition + ")") + " AS u" + std::to_string(i);
    outer += ", e.u" + std::to_string(i);
  }
  const std::string inner =
      "SELECT " + keys + select + FromSql(sql.population, AssetCatalog(assets)) + GroupBySql(query.leaves.size());
  return "SELECT g.gid" + outer + " FROM " + groups_table + " AS g JOIN (" + inner + ") AS e ON " +
         (on.empty() ? "TRUE" : on) + " ORDER BY g.gid";
}

}  // namespace glovebox::query
