// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/governed_run.h"

#include <algorithm>
#include <memory>

#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/strings.h"
#include "base/text_place.h"
#include "crypto/hash.h"
#include "engine/duckdb/scalar_functions.h"
#include "engine/governed/difference.h"
#include "engine/governed/dominance.h"
#include "engine/governed/executed_query.h"
#include "engine/governed/membership.h"
#include "engine/governed/outputs.h"
#include "engine/governed/own_subtraction.h"
#include "query/certificate.h"
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

// Whether the columns are those that the rule names, and of types that fit it. What Prepare wrote always is; a plan may
// be made over schemas that somebody else states. Units and keys may be of columns that nobody else sees.
Status CheckSchema(const query::Asset& asset) {
  std::vector<query::RuleColumn> columns;
  for (const query::ColumnDef& column : asset.columns) {
    if (!asset.rule.columns.contains(AsciiLower(column.name))) {
      return Status(ErrorCode::kInvalidParameterValue, "an asset has a column that its rule does not name");
    }
    columns.push_back({column.name, column.type});
  }
  std::vector<std::string> hidden = asset.rule.unit_columns;
  for (const std::vector<std::string>& key : asset.rule.keys) {
    hidden.insert(hidden.end(), key.begin(), key.end());
  }
  for (std::string& name : hidden) {
    if (!asset.rule.columns.contains(AsciiLower(name))) {
      columns.push_back({std::move(name), query::Type::Text()});
    }
  }
  return query::CheckRuleAgainst(asset.rule, columns);
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
    asset.rule_sha256 = crypto::ToHex(crypto::Sha256::Of(given.rule));
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
    GB_RETURN_IF_ERROR(CheckSchema(asset));
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
        if (column.GetBool("one_to_one_with_units")) {
          out.back().columns_of_units.insert(name);
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
      return Status(ErrorCode::kNotSupported, "the notebook has too many statements; write a second one")
          .WithRule("P15")
          .At(statement.position);
    }
    GB_ASSIGN_OR_RETURN(const std::string text, connection.ParseToJson(statement.sql));
    Result<json::Value> tree = query::ParseDuckdbJson(text);
    if (!tree.ok()) {
      return Status(tree.status()).At(statement.position);
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

// REQUIRES: CheckTypes passed.
Result<json::Value> Certify(RunContext& run, const RunRequest& request, const std::vector<query::Asset>& named) {
  json::Array cells;
  for (const Cell& cell : request.cells) {
    cells.emplace_back(cell.sql);
  }
  query::CertificateBasis basis;
  basis.runner = request.runner;
  basis.cells_sha256 = crypto::ToHex(crypto::Sha256::Of(json::WriteCanonical(cells)));
  GB_ASSIGN_OR_RETURN(const std::vector<OutputTable> outputs, DescribeOutputs(run));
  for (const OutputTable& output : outputs) {
    std::vector<std::string>& types = basis.types.emplace_back();
    for (const Column& column : output.file.columns) {
      types.push_back(column.type);
    }
  }
  json::Value certificate = query::MakeCertificate(run.plan, named, basis);
  const std::string digest = crypto::ToHex(crypto::Sha256::Of(json::WriteCanonical(certificate)));
  certificate.as_object().Set("plan", digest);
  return certificate;
}

json::Value MakeRecord(const RunContext& run, const std::string& plan, const std::vector<ExecutedQuery>& queries) {
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
                      {"plan", plan},
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

// Steps 3 to 9: everything here depends on protected rows.
Result<RunResult> Execute(RunContext& run, const RunRequest& request, const json::Value& certificate) {
  std::vector<ExecutedQuery> queries;
  for (std::size_t i = 0; i < run.plan.governed.queries.size(); ++i) {
    GB_ASSIGN_OR_RETURN(ExecutedQuery executed, ExecuteGroups(run, i));
    GB_RETURN_IF_ERROR(ApplyMinimumGroups(run, executed));
    GB_RETURN_IF_ERROR(WithholdMembership(run, executed));
    GB_RETURN_IF_ERROR(WithholdDominated(run, executed));
    queries.push_back(std::move(executed));
  }
  GB_ASSIGN_OR_RETURN(History history, ReadHistory(request.history, run));
  GB_RETURN_IF_ERROR(MeasureHistory(run, queries, history.grids));
  GB_RETURN_IF_ERROR(CheckDifferences(run, queries, history));
  GB_RETURN_IF_ERROR(WithholdSubtractions(run, queries, history));
  for (ExecutedQuery& query : queries) {
    LimitGroups(run, query);
  }
  RunResult result;
  result.certificate = certificate;
  result.record = MakeRecord(run, certificate.GetString("plan"), queries);
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
  // nfkc_trim_lower, over own and released rows; a run has no keys.
  GB_RETURN_IF_ERROR(duckdb::RegisterTextFunctions(connection, std::make_shared<const duckdb::Keyring>()));
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
  GB_ASSIGN_OR_RETURN(const query::Plan plan, PlanCells(statements, request, named, parameters));
  const std::vector<AssetStatistics> statistics = BuildStatistics(all);
  RunContext run{connection, assets, statistics, plan, query::AssetCatalog(assets)};
  std::size_t output = 0;  // that a refusal speaks of
  const auto located = [&](const Status& why) {
    return why.ok() ? why : Located(why, request.cells, plan.outputs[output].cell);
  };
  GB_RETURN_IF_ERROR(located(CheckTypes(run, output)));
  GB_ASSIGN_OR_RETURN(const json::Value certificate, Certify(run, request, named));
  if (request.mode != RunMode::kPlanOnly) {
    GB_RETURN_IF_ERROR(located(CheckOwnVersions(run, request.history, output)));
    GB_RETURN_IF_ERROR(located(CheckOwnDimensions(run, request.history, output)));
    GB_RETURN_IF_ERROR(CheckHistorySize(request.history));
  }
  if (request.mode != RunMode::kExecute) {
    RunResult result;
    result.certificate = certificate;
    GB_ASSIGN_OR_RETURN(result.outputs, DescribeOutputs(run));
    return result;
  }
  Result<RunResult> result = Execute(run, request, certificate);
  return result.ok() ? std::move(result) : Failed();
}

}  // namespace glovebox::engine::governed
