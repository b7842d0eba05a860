// SPDX-License-Identifier: Apache-2.0
//
// Grids of queries over two protected assets and an own one, without rows.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/duckdb/connection.h"
#include "engine/governed/executed_query.h"
#include "query/sql_front_end.h"

namespace glovebox::engine::governed {

inline query::Asset MakeAsset(const std::string& name, query::AssetRole role, const std::string& rule,
                              std::vector<query::ColumnDef> columns) {
  query::Asset asset;
  asset.name = {name};
  asset.owner = role == query::AssetRole::kOwn ? "runner" : "acme";
  asset.role = role;
  const auto parsed = query::ParseAnalysisRule(rule);
  EXPECT_TRUE(parsed.ok()) << parsed.status().message();
  asset.rule = parsed.ok() ? *parsed : query::AnalysisRule{};
  asset.columns = std::move(columns);
  asset.version = "1";
  asset.content = "1";
  asset.relation = "\"" + name + "\".\"data\"";
  return asset;
}

inline std::vector<query::Asset> Room() {
  using query::Type;
  return {
      MakeAsset("crm", query::AssetRole::kProtected,
                R"({"version": 1, "unit": {"domain": "person", "columns": ["id"]}, "min_units": 20, "keys": [["id"]],
                        "columns": {"id": {"identity": true, "uses": ["join"], "join_with": ["*.id"]},
                          "mail": {"identity": true, "uses": ["join"], "join_with": ["*.mail"]},
                          "region": {"uses": ["dimension", "filter"], "domain": ["NORTH", "SOUTH"]},
                          "age": {"uses": ["dimension", "filter"], "filter_step": 10, "dimension_steps": [10]},
                          "x": {"uses": ["measure"], "aggregates": ["sum", "avg", "count", "stddev"]}}})",
                {{"id", Type::Text()},
                 {"mail", Type::Text()},
                 {"region", Type::Text()},
                 {"age", Type::Integer(32)},
                 {"x", Type::Integer(32)}}),
      MakeAsset("tx", query::AssetRole::kProtected,
                R"({"version": 1, "unit": {"domain": "person", "columns": ["id"]}, "min_units": 20,
                        "columns": {"id": {"identity": true, "uses": ["join"], "join_with": ["*.id"]},
                          "amt": {"uses": ["measure"], "aggregates": ["sum", "avg"]}}})",
                {{"id", Type::Text()}, {"amt", Type::Integer(32)}}),
      MakeAsset("tags", query::AssetRole::kProtected,
                R"({"version": 1, "unit": {"domain": "person", "columns": ["id"]}, "min_units": 20,
                        "columns": {"id": {"identity": true, "uses": ["join"], "join_with": ["*.id"]}}})",
                {{"id", Type::Text()}}),
      MakeAsset("my", query::AssetRole::kOwn,
                R"({"version": 1, "unit": {"domain": "customer", "columns": ["id"]}, "min_units": 10, "keys": [["id"]],
                        "columns": {"id": {"uses": ["join"], "join_with": ["*.id"]},
                          "grp": {"uses": ["dimension", "filter"]}}})",
                {{"id", Type::Text()}, {"grp", Type::Text()}})};
}

class GridTest : public ::testing::Test {
 protected:
  GridTest()
      : assets_(Room()),
        catalog_(assets_),
        statistics_(assets_.size(), {.heaviest_rows = kHeaviest, .one_row_per_unit = false, .units_relation = ""}) {}

  void SetUp() override {
    auto database = duckdb::Database::Open({.threads = 1});
    ASSERT_TRUE(database.ok());
    database_ = std::move(database).value();
    auto connection = database_->Connect();
    ASSERT_TRUE(connection.ok());
    connection_ = std::move(connection).value();
  }

  // Of tables whose units may have kHeaviest rows.
  RunContext Run() { return {*connection_, assets_, statistics_, no_plan_, catalog_}; }

  Result<Grid> Plan(std::string_view sql) {
    GB_ASSIGN_OR_RETURN(const std::vector<query::TranslatedStatement> statements, query::TranslateSql(sql));
    GB_ASSIGN_OR_RETURN(const std::string text, connection_->ParseToJson(statements.at(0).sql));
    GB_ASSIGN_OR_RETURN(const json::Value tree, query::ParseDuckdbJson(text));
    GB_ASSIGN_OR_RETURN(const query::ast::QueryPtr query, query::QueryFromDuckdbJson(tree, statements[0]));
    query::PlannerStatement statement;
    statement.query = query.get();
    GB_ASSIGN_OR_RETURN(const query::Plan plan, query::MakePlan({statement}, assets_, {}));
    return GridOf(Run(), plan.governed.queries.at(0), plan.sql.at(0));
  }

  // The grid of a query with a group of each key; every cell is out.
  Grid GridWith(std::string_view sql, const std::vector<GroupKey>& keys) {
    Result<Grid> grid = Plan(sql);
    EXPECT_TRUE(grid.ok()) << grid.status().message();
    if (!grid.ok()) {
      return {};
    }
    for (const GroupKey& key : keys) {
      GridGroup group;
      group.key = key;
      for (std::size_t c = 0; c < grid->calls.size(); ++c) {
        const std::size_t branches = grid->calls[c].branches.size();
        group.rows.emplace_back(branches, static_cast<std::int64_t>(100 + c));
        group.values.emplace_back(branches, static_cast<std::int64_t>(50 + c));
        group.digests.emplace_back();
        for (std::size_t b = 0; b < branches; ++b) {
          const Result<std::string> digest = grid->CellDigest(c, b, key, catalog_);
          EXPECT_TRUE(digest.ok());
          group.digests.back().push_back(digest.ok() ? *digest : "");
        }
        group.out.push_back(true);
        group.told.push_back(c == 1);
        group.few_missing.push_back(c == 0);
      }
      grid->groups.push_back(std::move(group));
    }
    return std::move(grid).value();
  }

  static constexpr std::int64_t kHeaviest = 100;  // rows that fewer than k units may have

  std::vector<query::Asset> assets_;
  query::AssetCatalog catalog_;
  std::vector<AssetStatistics> statistics_;
  query::Plan no_plan_;
  std::unique_ptr<duckdb::Database> database_;
  std::unique_ptr<duckdb::Connection> connection_;
};

}  // namespace glovebox::engine::governed
