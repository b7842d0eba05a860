// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/runner/room.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/strings.h"
#include "engine/process_engine.h"

namespace glovebox::scenarios {
namespace {

constexpr std::int64_t kTimeoutMs = 60'000;
constexpr std::int64_t kInlineRows = 10'000;

// The tables of a room are plain names: a.b.c in a rule's join_with, "a.b.c" here.
std::vector<std::string> NameParts(const std::string& name) { return Split(name, '.'); }

}  // namespace

Workshop::Workshop(std::unique_ptr<engine::Engine> engine) : engine_(std::move(engine)) {
  std::string pattern = (std::filesystem::temp_directory_path() / "glovebox-scenarios-XXXXXX").string();
  folder_ = mkdtemp(pattern.data()) != nullptr ? pattern : "";
  if (engine_ == nullptr) {
    engine_ = std::make_unique<engine::ProcessEngine>(engine::ProcessEngineOptions{});
  }
}

Workshop::~Workshop() {
  engine_.reset();
  if (!folder_.empty()) {
    (void)RemoveTree(folder_);
  }
}

Result<engine::TableFile> Workshop::Load(const std::string& sql) {
  const auto known = tables_.find(sql);
  if (known != tables_.end()) {
    return known->second;
  }
  engine::TableFile file;
  file.path = folder_ + "/table_" + std::to_string(tables_.size()) + ".db";
  GB_ASSIGN_OR_RETURN(auto database, engine::duckdb::Database::Open({.path = file.path}));
  GB_ASSIGN_OR_RETURN(auto connection, database->Connect());
  if (!connection->Execute("CREATE TABLE data AS " + sql + "; CHECKPOINT").ok()) {
    return Status(ErrorCode::kInvalidParameterValue, connection->last_error_detail());
  }
  GB_ASSIGN_OR_RETURN(const engine::duckdb::ResultTable columns, connection->Query("DESCRIBE data"));
  for (std::size_t row = 0; row < columns.rows; ++row) {
    file.columns.push_back({columns.columns[0].texts[row], columns.columns[1].texts[row]});
  }
  tables_.emplace(sql, file);
  return file;
}

Result<engine::PreparedAsset> Workshop::Prepare(const std::string& sql, const std::string& rule) {
  const std::string key = sql + "\n" + rule;
  const auto known = prepared_.find(key);
  if (known != prepared_.end()) {
    return known->second;
  }
  engine::PrepareRequest request;
  GB_ASSIGN_OR_RETURN(request.table, Load(sql));
  request.rule = rule;
  request.unit_secret = std::string(32, 's');
  request.target_path = folder_ + "/prepared_" + std::to_string(prepared_.size()) + ".db";
  GB_ASSIGN_OR_RETURN(engine::PreparedAsset prepared, engine_->Prepare(request));
  prepared_.emplace(key, prepared);
  return prepared;
}

Room::Room(Workshop& workshop) : workshop_(workshop) {
  auto database = engine::duckdb::Database::Open({});
  if (database.ok()) {
    database_ = std::move(*database);
    auto connection = database_->Connect();
    open_ = connection.ok() ? std::move(*connection) : nullptr;
  }
}

Status Room::AddTable(const std::string& name, const std::string& owner, engine::Role role, const std::string& sql,
                      const std::string& rule) {
  GB_ASSIGN_OR_RETURN(engine::PreparedAsset prepared, workshop_.Prepare(sql, rule));
  engine::RunAsset asset{.name = NameParts(name),
                         .owner = owner,
                         .role = role,
                         .rule = rule,
                         .version = std::to_string(++versions_),
                         .policy_digest = "",
                         .prepared = std::move(prepared)};
  const auto old = std::ranges::find(assets_, asset.name, &engine::RunAsset::name);
  if (old != assets_.end()) {
    *old = std::move(asset);
  } else {
    assets_.push_back(std::move(asset));
  }
  if (open_ == nullptr || !open_
                               ->Execute("CREATE OR REPLACE TABLE " +
                                         engine::duckdb::QuoteIdentifier(NameParts(name).back()) + " AS " + sql)
                               .ok()) {
    return {ErrorCode::kInternal, open_ == nullptr ? "no database" : open_->last_error_detail()};
  }
  return {};
}

Status Room::AddTable(const Record& record) {
  if (record.directive != "table" || record.words.size() < 2) {
    return {ErrorCode::kInvalidParameterValue, "line " + std::to_string(record.line) + " is no table"};
  }
  const bool own = record.words.size() > 2 && record.words[2] == "own";
  return AddTable(record.words[0], record.words[1], own ? engine::Role::kOwn : engine::Role::kProtected,
                  record.BodyText(), record.ExpectedText());
}

Status Room::AddUsualTables() {
  GB_ASSIGN_OR_RETURN(const ScenarioFile file, ReadScenario("tests/scenarios/data/room.tables"));
  for (const Record& record : file.records) {
    GB_RETURN_IF_ERROR(AddTable(record));
  }
  return {};
}

Status Room::Withdraw(const std::string& name) {
  const auto found = std::ranges::find(assets_, NameParts(name), &engine::RunAsset::name);
  if (found == assets_.end()) {
    return {ErrorCode::kNotFound, "there is no table " + name};
  }
  if (found->role == engine::Role::kOwn) {
    withdrawn_.push_back(*found);  // what own tables were stays for the difference check
  }
  assets_.erase(found);
  return {};
}

void Room::SetParameter(engine::Parameter parameter) {
  std::erase_if(parameters_, [&](const engine::Parameter& known) { return known.name == parameter.name; });
  parameters_.push_back(std::move(parameter));
}

Answer Room::Ask(const std::string& sql, engine::RunMode mode) {
  engine::RunRequest request;
  request.mode = mode;
  request.cells.push_back({sql});
  request.parameters = parameters_;
  request.assets = assets_;
  request.earlier_assets = withdrawn_;
  request.history = keeps_history ? history_ : std::vector<json::Value>{};
  request.inline_rows_max = kInlineRows;
  request.timeout_ms = kTimeoutMs;
  request.output_folder = workshop_.folder() + "/run";
  Answer answer;
  answer.status = MakeDirectories(request.output_folder);
  if (!answer.status.ok()) {
    return answer;
  }
  Result<engine::RunResult> result = workshop_.engine().Run(request);
  if (const Result<json::Value> left = engine::ReadRecord(request.output_folder);
      keeps_history && left.ok() && !left->is_null()) {
    history_.push_back(*left);  // of a run that failed
  }
  answer.status = result.ok() ? RemoveTree(request.output_folder) : result.status();
  if (!result.ok()) {
    (void)RemoveTree(request.output_folder);
    return answer;
  }
  answer.certificate = json::WriteCanonical(result->certificate);
  answer.outputs = std::move(result->outputs);
  answer.record = std::move(result->record);
  if (keeps_history && mode == engine::RunMode::kExecute) {
    history_.push_back(answer.record);
  }
  return answer;
}

Result<engine::duckdb::ResultTable> Room::AskOpenly(const std::string& sql) {
  Result<engine::duckdb::ResultTable> table = open_->Query(sql);
  return table.ok() ? std::move(table) : Status(ErrorCode::kInternal, open_->last_error_detail());
}

}  // namespace glovebox::scenarios
