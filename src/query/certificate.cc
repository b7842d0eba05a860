// SPDX-License-Identifier: Apache-2.0
#include "query/certificate.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/strings.h"
#include "query/column_lineage.h"
#include "query/planner.h"

namespace glovebox::query {
namespace {

std::string AggregateName(const GovernedCall& call) {
  if (call.distinct != Distinct::kNo) {
    return call.distinct == Distinct::kUnits ? "count of distinct units" : "count of distinct identities";
  }
  switch (call.kind) {
    case GovernedAggregate::kCountStar:
      return call.counts_own ? "count of own rows" : "count of rows";
    case GovernedAggregate::kCount:
      return "count of values";
    case GovernedAggregate::kSum:
      return "sum";
    case GovernedAggregate::kAvg:
      return "average";
    case GovernedAggregate::kStddevSample:
      return "sample standard deviation";
    case GovernedAggregate::kStddevPopulation:
      return "population standard deviation";
    case GovernedAggregate::kVarianceSample:
      return "sample variance";
    case GovernedAggregate::kVariancePopulation:
      return "population variance";
  }
  return "";
}

enum class Released { kQuery, kKey, kAggregate };

// The rules that let it out, in their order.
json::Array RulesOf(const GovernedQuery& query, const std::vector<Asset>& assets, Released what) {
  json::Array out{"P1"};
  switch (what) {
    case Released::kQuery:
      out.insert(out.end(), {"P2", "P3", "P4", "P5", "P6", "P8"});
      break;
    case Released::kKey:
      out.insert(out.end(), {"P3", "P8"});
      break;
    case Released::kAggregate:
      out.insert(out.end(), {"P4", "P5", "P8"});
      break;
  }
  if (query.core.HasOwn(assets)) {
    out.emplace_back("P9");
  }
  out.emplace_back("P10");
  if (what != Released::kKey) {
    out.emplace_back("P12");
  }
  return out;
}

json::Value LeafJson(const Leaf& leaf, const GovernedQuery& query, const std::vector<Asset>& assets) {
  json::Object out{{"mechanism", "absent below the minimum group and where all aggregates are withheld"},
                   {"rules", RulesOf(query, assets, Released::kKey)}};
  if (leaf.kind == Leaf::Kind::kOwn) {
    out.Set("own_dimension", leaf.own_text);
    return out;
  }
  const PopulationColumn name = NameOf(query.core, assets, leaf.column);
  out.Set("dimension", name.first + "." + name.second);
  if (leaf.kind == Leaf::Kind::kBucket) {
    out.Set("step", StepText(leaf.step));
    return out;
  }
  if (!leaf.identity_partition) {
    json::Array parts;
    const Asset& asset = assets[query.core.instances[leaf.column.instance].asset];
    const Result<ColumnDomain> domain =
        DomainOf(asset.Rule(leaf.column.column), asset.columns[leaf.column.column].type);
    for (const auto& [label, subset] : leaf.parts) {
      parts.emplace_back(json::Object{{"label", IsNull(label) ? json::Value() : json::Value(LiteralText(label))},
                                      {"values", domain.ok() ? subset.ToJson(*domain) : json::Value()}});
    }
    out.Set("parts", std::move(parts));
  }
  return out;
}

json::Value CallJson(const GovernedCall& call, const GovernedQuery& query, const GovernedSql& sql,
                     const std::vector<Asset>& assets, std::size_t index) {
  json::Object out{{"aggregate", AggregateName(call)}};
  if (call.distinct == Distinct::kColumn) {
    const PopulationColumn name = NameOf(query.core, assets, call.distinct_column);
    out.Set("identity", name.first + "." + name.second);
  }
  json::Array branches;
  for (std::size_t b = 0; b < call.branches.size(); ++b) {
    const Branch& branch = call.branches[b];
    json::Object entry{{"rows", RegionSql(query, sql, assets, sql.branch_regions[index][b])}};
    if (branch.none) {
      entry.Set("contributes", "nothing");
    } else if (branch.measure) {
      const PopulationColumn name = NameOf(query.core, assets, *branch.measure);
      entry.Set("measure", name.first + "." + name.second);
      entry.Set("scale", DecimalText(branch.scale));
      entry.Set("offset", DecimalText(branch.offset));
    } else {
      entry.Set("constant", DecimalText(branch.offset));
    }
    branches.emplace_back(std::move(entry));
  }
  out.Set("branches", std::move(branches));
  std::int64_t percent = 0;  // the measures are of one table
  for (const Branch& branch : call.branches) {
    percent = std::max(percent, DominancePercent(query, call, branch, assets));
  }
  const std::string dominance = percent > 0 ? "dominance test at " + std::to_string(percent) + " %, " : "";
  out.Set("mechanism", "minimum group for every branch, " + dominance + "difference check");
  out.Set("rules", RulesOf(query, assets, Released::kAggregate));
  return out;
}

json::Value QueryJson(const Plan& plan, std::size_t index, const std::vector<Asset>& assets) {
  const GovernedQuery& query = plan.governed.queries[index];
  const GovernedSql& sql = plan.sql[index];
  json::Object out;
  out.Set("population", sql.population.ToJson(AssetCatalog(assets)));
  json::Object minimum;
  for (const std::string& name : sql.population.AssetNames()) {
    const auto asset = std::ranges::find(assets, name, &Asset::DisplayName);
    if (asset->IsProtected()) {
      minimum.Set(name, asset->rule.min_units);
    }
  }
  out.Set("minimum_units", std::move(minimum));
  if (const std::int64_t rows = RowsMax(query.core, assets); rows > 0) {
    out.Set("rows_max", rows);
  }
  json::Array keys;
  for (const Leaf& leaf : query.leaves) {
    keys.push_back(LeafJson(leaf, query, assets));
  }
  out.Set("group_by", std::move(keys));
  json::Array calls;
  for (std::size_t c = 0; c < query.calls.size(); ++c) {
    calls.push_back(CallJson(query.calls[c], query, sql, assets, c));
  }
  out.Set("aggregates", std::move(calls));
  out.Set("rules", RulesOf(query, assets, Released::kQuery));
  return out;
}

// "asset.column" of columns of a core's instances.
json::Array NamesOf(const std::set<ColumnRef>& columns, const Core& core, const std::vector<Asset>& assets) {
  std::set<std::string> names;
  for (const ColumnRef& column : columns) {
    const Asset& asset = assets[core.instances[column.instance].asset];
    names.insert(asset.DisplayName() + "." + asset.columns[column.column].name);
  }
  return {names.begin(), names.end()};
}

std::set<ColumnRef> ColumnsOf(const Leaf& leaf, const Core& core) {
  if (leaf.kind != Leaf::Kind::kOwn) {
    return {leaf.column};
  }
  std::set<AttrId> attrs;
  CollectAttrs(*leaf.own, attrs);
  std::set<ColumnRef> out;
  for (const AttrId attr : attrs) {
    out.insert(core.attrs.at(attr));
  }
  return out;
}

// What its value is computed from, and what its branches are chosen by.
std::set<ColumnRef> ColumnsOf(const GovernedCall& call) {
  std::set<ColumnRef> out;
  if (call.distinct == Distinct::kColumn) {
    out.insert(call.distinct_column);
  }
  for (const Branch& branch : call.branches) {
    if (branch.measure) {
      out.insert(*branch.measure);
    }
    for (const Box& box : branch.region) {
      for (const auto& [column, subset] : box) {
        out.insert(column);
      }
    }
  }
  return out;
}

json::Value SourceJson(const ColumnSource& source, const Plan& plan, const std::vector<Asset>& assets) {
  using Kind = ColumnSource::Kind;
  if (source.kind == Kind::kOwnRows) {
    return json::Object{{"own_rows", assets[source.table].DisplayName()}};
  }
  if (source.kind == Kind::kOwnColumn) {
    const Asset& asset = assets[source.table];
    return json::Object{{"own_column", asset.DisplayName() + "." + asset.columns[source.column].name}};
  }
  json::Object out{{"governed", static_cast<std::int64_t>(source.table)}};
  if (source.kind == Kind::kGovernedRows) {
    out.Set("rows", true);
    return out;
  }
  const GovernedQuery& query = plan.governed.queries[source.table];
  const std::size_t keys = query.leaves.size();
  const bool is_key = source.column < keys;
  const std::size_t index = is_key ? source.column : source.column - keys;
  out.Set(is_key ? "group_by" : "aggregate", static_cast<std::int64_t>(index));
  out.Set("columns", NamesOf(is_key ? ColumnsOf(query.leaves[index], query.core) : ColumnsOf(query.calls[index]),
                             query.core, assets));
  return out;
}

json::Value ColumnJson(const std::string& name, const std::string& type, const ColumnSources& sources, const Plan& plan,
                       const std::vector<Asset>& assets) {
  json::Array from;
  for (const ColumnSource& source : sources) {
    from.push_back(SourceJson(source, plan, assets));
  }
  return json::Object{{"name", name}, {"type", type}, {"from", std::move(from)}};
}

json::Value OutputJson(const Plan& plan, std::size_t index, const std::vector<Asset>& assets,
                       const std::vector<std::string>& types) {
  const PlannedOutput& output = plan.outputs[index];
  const Rel& root = *plan.governed.outputs[index];
  const std::vector<ColumnSources> lineage = LineageOf(root);
  GB_ASSERT(types.size() == output.columns.size() && lineage.size() == output.columns.size());
  json::Array columns;
  for (std::size_t c = 0; c < output.columns.size(); ++c) {
    columns.push_back(ColumnJson(output.columns[c], types[c], lineage[c], plan, assets));
  }
  json::Array released;
  json::Array own;
  for (const ColumnSource& source : RowsReadBy(root)) {
    if (source.kind == ColumnSource::Kind::kGovernedRows) {
      released.emplace_back(static_cast<std::int64_t>(source.table));
    } else {
      own.emplace_back(assets[source.table].DisplayName());
    }
  }
  return json::Object{{"name", output.name},
                      {"columns", std::move(columns)},
                      {"released", std::move(released)},
                      {"own", std::move(own)},
                      {"sql", output.sql}};
}

json::Value InputJson(const Asset& asset) {
  json::Array columns;
  for (const ColumnDef& column : asset.columns) {
    columns.emplace_back(json::Object{{"name", column.name}, {"type", TypeName(column.type)}});
  }
  return json::Object{{"asset", asset.DisplayName()},
                      {"owner", asset.owner},
                      {"role", asset.IsProtected() ? "protected" : "own"},
                      {"version", asset.version},
                      {"policy", asset.policy_digest},
                      {"rule_sha256", asset.rule_sha256},
                      {"columns", std::move(columns)}};
}

json::Value ParameterJson(const ParameterDef& parameter) {
  return json::Object{{"name", parameter.name},
                      {"type", TypeName(parameter.type)},
                      {"value", parameter.is_null ? json::Value() : json::Value(parameter.text)}};
}

}  // namespace

json::Value MakeCertificate(const Plan& plan, const std::vector<Asset>& assets, const CertificateBasis& basis) {
  GB_ASSERT(basis.types.size() == plan.outputs.size());
  json::Array parameters;
  for (const ParameterDef& parameter : plan.parameters) {
    parameters.push_back(ParameterJson(parameter));
  }
  json::Array inputs;
  for (const Asset& asset : assets) {
    inputs.push_back(InputJson(asset));
  }
  json::Array queries;
  for (std::size_t i = 0; i < plan.governed.queries.size(); ++i) {
    queries.push_back(QueryJson(plan, i, assets));
  }
  json::Array outputs;
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    outputs.push_back(OutputJson(plan, i, assets, basis.types[i]));
  }
  json::Array own_dimensions;
  for (const auto& [asset, column] : plan.own_dimensions) {
    own_dimensions.emplace_back(asset + "." + column);
  }
  return json::Object{{"version", 1},
                      {"runner", basis.runner},
                      {"cells_sha256", basis.cells_sha256},
                      {"parameters", std::move(parameters)},
                      {"inputs", std::move(inputs)},
                      {"governed", std::move(queries)},
                      {"outputs", std::move(outputs)},
                      {"own_dimensions", std::move(own_dimensions)},
                      {"note", "some cells may be withheld"}};
}

}  // namespace glovebox::query
