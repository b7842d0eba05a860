// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/governed_run.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/strings.h"
#include "base/text_place.h"
#include "crypto/hash.h"
#include "engine/governed/difference.h"
#include "engine/governed/executed_query.h"
#include "engine/governed/membership.h"
#include "engine/governed/outputs.h"
#include "engine/governed/own_subtraction.h"
#include "query/planner.h"
#include "query/sql_front_end.h"

namespace glovebox::engine::governed {
namespace {

// The one error after execution has started (P13).
Status Failed() { return Status(ErrorCode::kRunFailed, "the run failed"); }

struct ParsedCell {
  query::TranslatedStatement statement;
  query::ast::QueryPtr query;
  std::size_t cell = 0;
};

// A refusal that says where it stands: authors see cells and lines, not offsets.
Status Located(const Status& why, const std::vector<Cell>& cells, std::size_t cell) {
  std::vector<std::string> place;
  if (!why.rule().empty()) {
    place.push_back("rule " + why.rule());
  }
  if (cells.size() > 1) {
    place.push_back("SQL cell " + std::to_string(cell + 1));
  }
  if (why.position()) {
    place.push_back(PlaceInText(cells[cell].sql, *why.position()));
  }
  const std::string suffix = place.empty() ? "" : " (" + Join(place, ", ") + ")";
  return Status(why.code(), why.message() + suffix).WithRule(why.rule()).At(why.position());
}

// The assets of the cells, then those of earlier releases: the planner sees the first alone.
std::vector<const RunAsset*> AllAssets(const RunRequest& request) {
  std::vector<const RunAsset*> all;
  for (const std::vector<RunAsset>* assets : {&request.assets, &request.earlier_assets}) {
    for (const RunAsset& asset : *assets) {
      all.push_back(&asset);
    }
  }
  return all;
}

Result<std::vector<query::Asset>> BuildAssets(const std::vector<const RunAsset*>& all) {
  std::vector<query::Asset> assets;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const RunAsset& given = *all[i];
    query::Asset asset;
    asset.name = given.name;
    asset.owner = given.owner;
    asset.role = given.role == Role::kOwn ? query::AssetRole::kOwn : query::AssetRole::kProtected;
    GB_ASSIGN_OR_RETURN(asset.rule, query::ParseAnalysisRule(given.rule));
    asset.version = given.version;
    asset.content = ContentOf(given);
    asset.policy_digest = given.policy_digest;
    asset.relation = "\"asset_" + std::to_string(i) + "\".\"data\"";
    for (const Column& column : given.prepared.file.columns) {
      if (column.name.starts_with("__gb_")) {
        continue;  // no name in any query reaches it
      }
      const auto type = query::ParseTypeName(column.type);
      if (!type) {
        return Status(ErrorCode::kInternal, "a prepared asset has a type that rooms do not have");
      }
      asset.columns.push_back({column.name, *type});
    }
    assets.push_back(std::move(asset));
  }
  return assets;
}

std::vector<AssetStatistics> BuildStatistics(const std::vector<const RunAsset*>& all) {
  std::vector<AssetStatistics> out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const json::Value& statistics = all[i]->prepared.statistics;
    out.push_back({statistics.GetInt("heaviest_rows_below_k"), statistics.GetBool("one_row_per_unit"),
                   "\"asset_" + std::to_string(i) + "\".\"units\""});
    const json::Value* columns = statistics.Get("columns");
    if (columns != nullptr && columns->is_object()) {
      for (const auto& [name, column] : columns->as_object()) {
        if (!column.GetBool("has_null", true)) {
          out.back().columns_without_null.insert(name);
        }
      }
    }
  }
  return out;
}

Result<std::vector<query::ParameterDef>> BuildParameters(const RunRequest& request) {
  if (request.parameters.size() > limits::kSqlParametersMax) {
    return Status(ErrorCode::kInvalidParameterValue, "there are too many parameters");
  }
  std::vector<query::ParameterDef> out;
  for (const Parameter& parameter : request.parameters) {
    const auto type = parameter.type.empty() ? query::Type::Text() : query::ParseTypeName(parameter.type);
    if (!type) {
      return Status(ErrorCode::kInvalidParameterValue, "parameter '" + parameter.name + "' has an unknown type");
    }
    out.push_back({parameter.name, *type, parameter.value, parameter.is_null});
  }
  return out;
}

Status ParseCell(duckdb::Connection& connection, const Cell& cell, std::size_t index, std::vector<ParsedCell>& out) {
  GB_ASSIGN_OR_RETURN(std::vector<query::TranslatedStatement> statements, query::TranslateSql(cell.sql));
  for (query::TranslatedStatement& statement : statements) {
    if (out.size() >= limits::kSqlStatementsMax) {
      return Status(ErrorCode::kNotSupported, "the notebook has too many statements").WithRule("P15");
    }
    GB_ASSIGN_OR_RETURN(const std::string text, connection.ParseToJson(statement.sql));
    Result<json::Value> tree = query::ParseDuckdbJson(text);
    if (!tree.ok()) {
      return Status(ErrorCode::kNotSupported, "the statement is nested too deeply").WithRule("P15");
    }
    ParsedCell parsed;
    GB_ASSIGN_OR_RETURN(parsed.query, query::QueryFromDuckdbJson(*tree, statement));
    parsed.statement = std::move(statement);
    parsed.cell = index;
    out.push_back(std::move(parsed));
  }
  return {};
}

Result<std::vector<ParsedCell>> Parse(duckdb::Connection& connection, const std::vector<Cell>& cells) {
  std::vector<ParsedCell> out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (const Status parsed = ParseCell(connection, cells[i], i, out); !parsed.ok()) {
      return Located(parsed, cells, i);
    }
  }
  return out;
}

// The plan of all cells. A refusal says which cell brings it in.
Result<query::Plan> PlanCells(const std::vector<query::PlannerStatement>& statements, const RunRequest& request,
                              const std::vector<query::Asset>& assets,
                              const std::vector<query::ParameterDef>& parameters) {
  std::size_t refused = 0;
  Result<query::Plan> plan = query::MakePlan(statements, assets, parameters, &refused);
  return plan.ok() || refused >= statements.size()
             ? std::move(plan)
             : Result<query::Plan>(Located(plan.status(), request.cells, statements[refused].cell));
}

json::Value MakeRecord(const RunContext& run, const std::vector<ExecutedQuery>& queries) {
  json::Object tables;
  for (const ExecutedQuery& query : queries) {
    for (const std::string& name : query.grid.population.AssetNames()) {
      const query::Asset* asset = run.catalog.Find(name);
      tables.Set(name,
                 json::Object{{"content", asset->content}, {"owner", asset->owner}, {"own", !asset->IsProtected()}});
    }
  }
  json::Array own;
  for (const auto& [asset, column] : run.plan.own_dimensions) {
    own.emplace_back(json::Object{{"asset", asset}, {"column", column}, {"content", run.catalog.Find(asset)->content}});
  }
  json::Array grids;
  for (const ExecutedQuery& query : queries) {
    grids.push_back(GridToJson(query.grid, run.catalog));
  }
  return json::Object{{"version", 1},
                      {"plan", crypto::ToHex(crypto::Sha256::Of(run.plan.plan_digest_text))},
                      {"tables", std::move(tables)},
                      {"own_dimensions", std::move(own)},
                      {"grids", std::move(grids)}};
}

// Of what was released before, which recipients know.
Status CheckHistorySize(const std::vector<json::Value>& history) {
  std::size_t cells = 0;
  for (const json::Value& record : history) {
    const json::Value* grids = record.Get("grids");
    for (const json::Value& grid : grids != nullptr && grids->is_array() ? grids->as_array() : json::Array{}) {
      const json::Value* groups = grid.Get("groups");
      const json::Value* calls = grid.Get("calls");
      if (groups != nullptr && groups->is_array() && calls != nullptr && calls->is_array()) {
        cells += groups->as_array().size() * calls->as_array().size();
      }
    }
  }
  return cells <= limits::kHistoryCellsMax
             ? Status()
             : Status(ErrorCode::kQueryRefused,
                      "the room has released as many values as the difference check can remember; use another room")
                   .WithRule("P10");
}

// Steps 3 to 8: everything here depends on protected rows.
Result<RunResult> Execute(RunContext& run, const RunRequest& request) {
  std::vector<ExecutedQuery> queries;
  for (std::size_t i = 0; i < run.plan.governed.queries.size(); ++i) {
    GB_ASSIGN_OR_RETURN(ExecutedQuery executed, ExecuteGroups(run, i));
    GB_RETURN_IF_ERROR(ApplyMinimumGroups(run, executed));
    GB_RETURN_IF_ERROR(WithholdMembership(run, executed));
    queries.push_back(std::move(executed));
  }
  GB_ASSIGN_OR_RETURN(const History history, ReadHistory(request.history, run));
  GB_RETURN_IF_ERROR(CheckDifferences(run, queries, history));
  GB_RETURN_IF_ERROR(WithholdSubtractions(run, queries, history));
  RunResult result;
  result.record = MakeRecord(run, queries);
  if (!request.output_folder.empty()) {
    // From here on a failure, its time or its place may tell something about what is released.
    GB_RETURN_IF_ERROR(
        WriteFileDurably(request.output_folder + "/" + kRecordFileName, json::WriteCanonical(result.record)));
  }
  for (const ExecutedQuery& query : queries) {
    GB_RETURN_IF_ERROR(FillReleased(run, query));
  }
  GB_ASSIGN_OR_RETURN(result.outputs, WriteOutputs(run, request));
  return result;
}

}  // namespace

Result<RunResult> RunGoverned(duckdb::Connection& connection, const RunRequest& request) {
  const std::vector<const RunAsset*> all = AllAssets(request);
  GB_ASSIGN_OR_RETURN(const std::vector<query::Asset> assets, BuildAssets(all));
  const std::vector<query::Asset> named(assets.begin(),
                                        assets.begin() + static_cast<std::ptrdiff_t>(request.assets.size()));
  GB_ASSIGN_OR_RETURN(const std::vector<query::ParameterDef> parameters, BuildParameters(request));
  GB_ASSIGN_OR_RETURN(const std::vector<ParsedCell> cells, Parse(connection, request.cells));
  std::vector<query::PlannerStatement> statements;
  for (const ParsedCell& cell : cells) {
    statements.push_back(
        {cell.statement.kind, cell.statement.target, cell.query.get(), cell.cell, cell.statement.position});
  }
  GB_ASSIGN_OR_RETURN(query::Plan plan, PlanCells(statements, request, named, parameters));
  plan.certificate.as_object().Set("plan", crypto::ToHex(crypto::Sha256::Of(plan.plan_digest_text)));
  const std::vector<AssetStatistics> statistics = BuildStatistics(all);
  RunContext run{connection, assets, statistics, plan, query::AssetCatalog(assets)};
  GB_RETURN_IF_ERROR(CheckOwnVersions(run, request.history));
  GB_RETURN_IF_ERROR(CheckOwnDimensions(run, request.history));
  GB_RETURN_IF_ERROR(CheckTypes(run));
  GB_RETURN_IF_ERROR(CheckHistorySize(request.history));
  if (request.mode == RunMode::kPlanOnly) {
    RunResult result;
    result.certificate = plan.certificate;
    GB_ASSIGN_OR_RETURN(result.outputs, DescribeOutputs(run));
    return result;
  }
  Result<RunResult> result = Execute(run, request);
  if (!result.ok()) {
    return Failed();
  }
  result->certificate = plan.certificate;
  return result;
}

}  // namespace glovebox::engine::governed
