// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/job_database.h"

#include "query/population.h"
#include "query/type.h"

namespace glovebox::engine::worker {

Result<JobDatabase> JobDatabase::Open() {
  GB_ASSIGN_OR_RETURN(std::unique_ptr<duckdb::Database> database, duckdb::Database::Open({.threads = 1}));
  GB_ASSIGN_OR_RETURN(std::unique_ptr<duckdb::Connection> connection, database->Connect());
  return JobDatabase(std::move(database), std::move(connection));
}

Status JobDatabase::SetLimits(const JobLimits& limits) {
  return connection_->Execute("SET memory_limit = '" + std::to_string(limits.memory_bytes) +
                              "B'; SET threads = " + std::to_string(limits.threads) +
                              "; SET temp_directory = " + duckdb::QuoteLiteral(limits.spill_folder));
}

Status JobDatabase::AttachReadOnly(const std::string& path, const std::string& alias) {
  const std::string name = duckdb::QuoteIdentifier(alias);
  const auto [first, is_new] = alias_of_.emplace(path, name);
  if (is_new) {
    const Status attached =
        connection_->Execute("ATTACH " + duckdb::QuoteLiteral(path) + " AS " + name + " (READ_ONLY)");
    return attached.ok() ? Status() : Status(ErrorCode::kDataLoss, "a table's file cannot be opened");
  }
  // DuckDB opens a file once only; a second name is a database of views.
  GB_RETURN_IF_ERROR(connection_->Execute("ATTACH ':memory:' AS " + name));
  for (const char* table : {"data", "units"}) {
    GB_ASSIGN_OR_RETURN(
        const std::int64_t exists,
        connection_->QueryInt("SELECT count(*) FROM duckdb_tables() WHERE table_name = " + duckdb::QuoteLiteral(table) +
                              " AND '\"' || database_name || '\"' = " + duckdb::QuoteLiteral(first->second)));
    if (exists != 0) {
      GB_RETURN_IF_ERROR(connection_->Execute("CREATE VIEW " + name + "." + table + " AS SELECT * FROM " +
                                              first->second + "." + table));
    }
  }
  return {};
}

Status JobDatabase::AttachEmpty(const std::vector<Column>& columns, const std::string& alias) {
  const std::string name = duckdb::QuoteIdentifier(alias);
  std::string list;
  for (const Column& column : columns) {
    if (column.name.starts_with("__gb_")) {
      continue;  // the hidden unit is below
    }
    const auto type = query::ParseTypeName(column.type);
    if (!type) {
      return {ErrorCode::kInvalidParameterValue, "a column has a type that rooms do not have"};
    }
    list += duckdb::QuoteIdentifier(column.name) + " " + query::TypeName(*type) + ", ";
  }
  return connection_->Execute("ATTACH ':memory:' AS " + name + "; CREATE TABLE " + name + ".data (" + list +
                              query::kUnitColumn + " UINTEGER); CREATE TABLE " + name +
                              ".units (id UINTEGER, hash HUGEINT)");
}

Status JobDatabase::AttachNew(const std::string& path, const std::string& alias) {
  return connection_->Execute("ATTACH " + duckdb::QuoteLiteral(path) + " AS " + duckdb::QuoteIdentifier(alias));
}

Status JobDatabase::Close(const std::string& alias) {
  const std::string name = duckdb::QuoteIdentifier(alias);
  return connection_->Execute("CHECKPOINT " + name + "; DETACH " + name);
}

}  // namespace glovebox::engine::worker
