// SPDX-License-Identifier: Apache-2.0
#include "cli/probe_room.h"

#include <array>

namespace glovebox::cli {
namespace {

struct ProbeTable {
  const char* name;
  const char* owner;
  engine::Role role;
  const char* select;  // the typed columns, over read_files
  const char* rule;
};

constexpr const char* kCrmRule = R"json({
  "version": 1,
  "unit": {"domain": "person", "columns": ["user_id"], "canonical": "nfkc_trim_lower"},
  "min_units": 50, "membership": "protected", "keys": [["user_id"]],
  "columns": {
    "user_id": {"identity": true, "uses": ["join"], "join_with": ["my.user_id", "tx.user_id"]},
    "email": {"identity": true, "uses": ["join"], "join_with": ["my.email"]},
    "region": {"uses": ["dimension", "filter"], "domain": ["NORTH", "SOUTH", "EAST", "WEST"]},
    "segment": {"uses": ["dimension", "filter"], "domain": ["budget", "standard", "premium", "private"]},
    "dx": {"uses": ["dimension", "filter"], "domain": ["none", "flu", "asthma", "diabetes", "rare"]},
    "age": {"uses": ["dimension", "filter", "measure"], "filter_step": 10, "dimension_steps": [10], "aggregates": ["avg"]},
    "created": {"uses": ["dimension", "filter"], "filter_step": "month", "dimension_steps": ["month", "quarter", "year"]},
    "income": {"uses": ["measure"], "aggregates": ["sum", "avg", "stddev", "count"]}
  }})json";

constexpr const char* kTxRule = R"json({
  "version": 1,
  "unit": {"domain": "person", "columns": ["user_id"], "canonical": "nfkc_trim_lower"},
  "min_units": 50, "membership": "protected",
  "columns": {
    "user_id": {"identity": true, "uses": ["join"], "join_with": ["my.user_id", "crm.user_id"]},
    "sku": {"uses": ["dimension", "filter"], "domain": [
      "sku00", "sku01", "sku02", "sku03", "sku04", "sku05", "sku06", "sku07", "sku08", "sku09",
      "sku10", "sku11", "sku12", "sku13", "sku14", "sku15", "sku16", "sku17", "sku18", "sku19",
      "sku20", "sku21", "sku22", "sku23", "sku24", "sku25", "sku26", "sku27", "sku28", "sku29",
      "sku30", "sku31", "sku32", "sku33", "sku34", "sku35", "sku36", "sku37", "sku38", "sku39"]},
    "ts": {"uses": ["dimension", "filter"], "filter_step": "day", "dimension_steps": ["day", "week", "month"]},
    "amt": {"uses": ["measure", "per_unit"], "aggregates": ["sum", "avg", "stddev", "count"]}
  },
  "per_unit": {"total(amt)": {"step": 50},
                      "rows" : {}
}
})json";

constexpr const char* kMyRule = R"json({
  "version": 1,
  "unit": {"domain": "customer", "columns": ["user_id"], "canonical": "nfkc_trim_lower"},
  "min_units": 10, "membership": "public", "keys": [["user_id"], ["email"]],
  "columns": {
    "row_no": {"uses": []},
    "user_id": {"uses": ["join"], "join_with": ["*.user_id"]},
    "email": {"uses": ["join"], "join_with": ["*.email"]},
    "grp": {"uses": ["dimension", "filter"]},
    "score": {"uses": ["dimension", "filter"]}
  }})json";

constexpr std::array<ProbeTable, 3> kTables{{
    {"crm", "provider", engine::Role::kProtected,
     "CAST(user_id AS VARCHAR) AS user_id, CAST(email AS VARCHAR) AS email, CAST(phone AS VARCHAR) AS phone, "
     "CAST(zip AS VARCHAR) AS zip, CAST(region AS VARCHAR) AS region, CAST(segment AS VARCHAR) AS segment, "
     "CAST(age AS INTEGER) AS age, CAST(dob AS DATE) AS dob, CAST(income AS INTEGER) AS income, "
     "CAST(dx AS VARCHAR) AS dx, CAST(created AS DATE) AS created",
     kCrmRule},
    {"tx", "provider", engine::Role::kProtected,
     "CAST(user_id AS VARCHAR) AS user_id, CAST(sku AS VARCHAR) AS sku, CAST(amt AS INTEGER) AS amt, "
     "CAST(ts AS TIMESTAMP) AS ts",
     kTxRule},
    {"my", "runner", engine::Role::kOwn,
     "CAST(row_no AS INTEGER) AS row_no, CAST(user_id AS VARCHAR) AS user_id, CAST(email AS VARCHAR) AS email, "
     "CAST(grp AS VARCHAR) AS grp, CAST(score AS INTEGER) AS score",
     kMyRule},
}};

Result<engine::RunAsset> PrepareTable(engine::Engine& engine, const ProbeTable& table, const engine::TableFile& file,
                                      const std::string& version, const std::string& target_path) {
  engine::PrepareRequest prepare;
  prepare.table = file;
  prepare.rule = table.rule;
  prepare.unit_secret = std::string(32, 'u');
  prepare.target_path = target_path;
  GB_ASSIGN_OR_RETURN(engine::PreparedAsset prepared, engine.Prepare(prepare));
  return engine::RunAsset{.name = {table.name},
                          .owner = table.owner,
                          .role = table.role,
                          .rule = table.rule,
                          .version = version,
                          .policy_digest = "",
                          .prepared = std::move(prepared)};
}

}  // namespace

Result<ProbeRoom> PrepareProbeRoom(engine::Engine& engine, const std::string& data_folder,
                                   const std::string& work_folder) {
  ProbeRoom room;
  for (const ProbeTable& table : kTables) {
    engine::SelectRequest select;
    select.sql = std::string("SELECT ") + table.select + " FROM read_files('/" + table.name +
                 ".csv', format => 'csv', header => true, all_varchar => true)";
    select.files.push_back({std::string("/") + table.name + ".csv", data_folder + "/" + table.name + ".csv"});
    select.target_path = work_folder + "/" + table.name + ".duckdb";
    GB_ASSIGN_OR_RETURN(engine::SelectResult loaded, engine.Select(select));
    GB_ASSIGN_OR_RETURN(engine::RunAsset asset, PrepareTable(engine, table, loaded.file, "1",
                                                             work_folder + "/" + table.name + ".prepared.duckdb"));
    room.assets.push_back(std::move(asset));
    if (table.role == engine::Role::kOwn) {
      room.own = std::move(loaded.file);
    }
  }
  return room;
}

Status ReplaceOwnTable(engine::Engine& engine, ProbeRoom& room, const std::string& sql,
                       const std::string& target_path) {
  for (std::size_t i = 0; i < kTables.size(); ++i) {
    if (kTables[i].role != engine::Role::kOwn) {
      continue;
    }
    engine::SelectRequest select;
    select.sql = sql;
    select.tables.push_back({{kTables[i].name}, room.own});
    select.target_path = target_path + ".duckdb";
    GB_ASSIGN_OR_RETURN(engine::SelectResult loaded, engine.Select(select));
    GB_ASSIGN_OR_RETURN(room.assets[i], PrepareTable(engine, kTables[i], loaded.file, room.assets[i].version + "+1",
                                                     target_path + ".prepared.duckdb"));
    room.own = std::move(loaded.file);
  }
  return {};
}

}  // namespace glovebox::cli
