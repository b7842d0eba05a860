// SPDX-License-Identifier: Apache-2.0
#include "query/certificate.h"

#include <algorithm>

#include "base/strings.h"
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

json::Value LeafJson(const Leaf& leaf, const GovernedQuery& query, const std::vector<Asset>& assets) {
  json::Object out;
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
  out.Set("mechanism", "minimum group for every branch, difference check");
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
  json::Array rules{"P1", "P2", "P3", "P4", "P5", "P6", "P8", "P10", "P12"};
  if (query.core.HasOwn(assets)) {
    rules.emplace_back("P9");
  }
  out.Set("rules", std::move(rules));
  return out;
}

// Which governed queries an output reads.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the plan
void CollectSources(const Rel& rel, json::Array& released, json::Array& own, const std::vector<Asset>& assets) {
  if (rel.kind == RelKind::kGoverned) {
    released.emplace_back(static_cast<std::int64_t>(rel.table));
  }
  if (rel.kind == RelKind::kScan) {
    own.emplace_back(assets[rel.table].DisplayName());
  }
  for (const RelPtr& input : rel.inputs) {
    CollectSources(*input, released, own, assets);
  }
}

}  // namespace

json::Value MakeCertificate(const Plan& plan, const std::vector<Asset>& assets) {
  json::Array inputs;
  for (const Asset& asset : assets) {
    inputs.emplace_back(json::Object{{"asset", asset.DisplayName()},
                                     {"owner", asset.owner},
                                     {"role", asset.IsProtected() ? "protected" : "own"},
                                     {"version", asset.version},
                                     {"policy", asset.policy_digest},
                                     {"rule", CanonicalText(asset.rule)}});
  }
  json::Array queries;
  for (std::size_t i = 0; i < plan.governed.queries.size(); ++i) {
    queries.push_back(QueryJson(plan, i, assets));
  }
  json::Array outputs;
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    json::Array released;
    json::Array own;
    CollectSources(*plan.governed.outputs[i], released, own, assets);
    json::Array columns(plan.outputs[i].columns.begin(), plan.outputs[i].columns.end());
    outputs.emplace_back(json::Object{{"name", plan.outputs[i].name},
                                      {"columns", std::move(columns)},
                                      {"released", std::move(released)},
                                      {"own", std::move(own)},
                                      {"sql", plan.outputs[i].sql}});
  }
  json::Array own_dimensions;
  for (const auto& [asset, column] : plan.own_dimensions) {
    own_dimensions.emplace_back(asset + "." + column);
  }
  return json::Object{{"version", 1},
                      {"inputs", std::move(inputs)},
                      {"governed", std::move(queries)},
                      {"outputs", std::move(outputs)},
                      {"own_dimensions", std::move(own_dimensions)},
                      {"note", "some cells may be withheld"}};
}

}  // namespace glovebox::query
