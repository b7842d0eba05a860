// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/query/small_room.h"

#include <gtest/gtest.h>

#include "tests/unit/query/recorded_trees.h"

namespace glovebox::query {
namespace {

Asset MakeAsset(const std::string& name, const std::string& owner, AssetRole role, const std::string& rule,
                std::vector<ColumnDef> columns) {
  Asset asset;
  asset.name = {name};
  asset.owner = owner;
  asset.role = role;
  const auto parsed = ParseAnalysisRule(rule);
  EXPECT_TRUE(parsed.ok()) << parsed.status().message();
  asset.rule = parsed.ok() ? *parsed : AnalysisRule{};
  std::vector<RuleColumn> rule_columns;
  for (const ColumnDef& column : columns) {
    rule_columns.push_back({column.name, column.type});
  }
  const Status fits = CheckRuleAgainst(asset.rule, rule_columns);
  EXPECT_TRUE(fits.ok()) << fits.message();
  asset.columns = std::move(columns);
  asset.version = "1";
  asset.relation = "\"" + name + "\".\"data\"";
  return asset;
}

}  // namespace

std::vector<Asset> SmallRoom() {
  return {
      MakeAsset("crm", "acme", AssetRole::kProtected,
                R"({"version":1,"unit":{"domain":"person","columns":["user_id"]},"min_units":20,
                    "keys":[["user_id"],["email"]],"columns":{
                    "user_id":{"identity":true,"uses":["join"],"join_with":["*.user_id"]},
                    "email":{"identity":true,"uses":["join"],"join_with":["my.email"]},
                    "home":{"identity":true,"uses":["join"],"join_with":["homes.home"]},
                    "region":{"uses":["dimension","filter"],"domain":["NORTH","SOUTH","EAST","WEST"]},
                    "seg":{"uses":["dimension","filter"],"domain":["a","b"]},
                    "age":{"uses":["dimension","filter"],"filter_step":10,"dimension_steps":[10]},
                    "day":{"uses":["dimension","filter"],"filter_step":"month","dimension_steps":["week","month"]},
                    "income":{"uses":["measure"],"aggregates":["sum","avg","stddev","count"]}}})",
                {{"user_id", Type::Text()},
                 {"email", Type::Text()},
                 {"home", Type::Text()},
                 {"region", Type::Text()},
                 {"seg", Type::Text()},
                 {"age", Type::Integer(32)},
                 {"day", Type::Date()},
                 {"income", Type::Integer(32)}}),
      MakeAsset("tx", "acme", AssetRole::kProtected,
                R"({"version":1,"unit":{"domain":"person","columns":["user_id"]},"min_units":30,"columns":{
                    "user_id":{"identity":true,"uses":["join"],"join_with":["*.user_id"]},
                    "sku":{"uses":["dimension","filter"],"domain":["x","y"]},
                    "amt":{"uses":["measure"],"aggregates":["sum"]}}})",
                {{"user_id", Type::Text()}, {"sku", Type::Text()}, {"amt", Type::Decimal(10, 2)}}),
      MakeAsset("homes", "power", AssetRole::kProtected,
                R"({"version":1,"unit":{"domain":"home","columns":["home"]},"min_units":15,"keys":[["home"]],"columns":{
                    "home":{"identity":true,"uses":["join"],"join_with":["crm.home"]},
                    "kind":{"uses":["dimension","filter"],"domain":["flat","house"]}}})",
                {{"home", Type::Text()}, {"kind", Type::Text()}}),
      MakeAsset("my", "runner", AssetRole::kOwn,
                R"({"version":1,"unit":{"domain":"customer","columns":["user_id"]},"min_units":10,
                    "keys":[["user_id"],["email"]],"columns":{
                    "no":{"uses":[]},"user_id":{"uses":["join"],"join_with":["*.user_id"]},
                    "email":{"uses":["join"],"join_with":["*.email"]},
                    "grp":{"uses":["dimension","filter"]},"score":{"uses":["dimension","filter"]}}})",
                {{"no", Type::Integer(32)},
                 {"user_id", Type::Text()},
                 {"email", Type::Text()},
                 {"grp", Type::Text()},
                 {"score", Type::Integer(32)}}),
  };
}

Result<Plan> PlanOf(std::string_view sql, const std::vector<Asset>& assets,
                    const std::vector<ParameterDef>& parameters) {
  GB_ASSIGN_OR_RETURN(const ast::QueryPtr query, ParseRecorded(sql));
  PlannerStatement statement;
  statement.query = query.get();
  return MakePlan({statement}, assets, parameters);
}

std::string Verdict(std::string_view sql) {
  const Result<Plan> plan = PlanOf(sql, SmallRoom());
  if (plan.ok()) {
    return "ok";
  }
  return plan.status().rule().empty() ? std::string(WireName(plan.status().code())) : plan.status().rule();
}

std::string PopulationText(std::string_view sql) {
  const std::vector<Asset> assets = SmallRoom();
  const Result<Plan> plan = PlanOf(sql, assets);
  EXPECT_TRUE(plan.ok()) << sql << ": " << plan.status().message();
  return plan.ok() && !plan->sql.empty() ? plan->sql[0].population.Text(AssetCatalog(assets)) : "";
}

}  // namespace glovebox::query
