// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/limits.h"
#include "engine/duckdb/error_place.h"
#include "engine/duckdb/scalar_functions.h"
#include "engine/worker/author_sql.h"
#include "engine/worker/job_database.h"
#include "engine/worker/jobs.h"
#include "engine/worker/load_files.h"

namespace glovebox::engine::worker {
namespace {

constexpr const char* kTarget = "gb_target";

std::string Alias(std::size_t table) { return "gb_table_" + std::to_string(table); }

Result<std::vector<query::OwnTable>> OwnTables(const std::vector<NamedTable>& tables) {
  std::vector<query::OwnTable> own;
  for (const NamedTable& table : tables) {
    GB_ASSIGN_OR_RETURN(std::vector<query::ColumnDef> columns, ReadColumns(table.file.columns));
    own.push_back({.name = table.name,
                   .columns = std::move(columns),
                   .relation = duckdb::QuoteIdentifier(Alias(own.size())) + ".data"});
  }
  return own;
}

// Opens the tables that the compiled text reads. A relation's name is ours and occurs in it for no other reason that
// would do more harm than a file opened in vain.
Status AttachTables(const SelectRequest& request, const std::vector<query::OwnTable>& own, const std::string& sql,
                    JobDatabase& database) {
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (sql.find(own[i].relation) != std::string::npos) {
      GB_RETURN_IF_ERROR(database.AttachReadOnly(request.tables[i].file.path, Alias(i)));
    }
  }
  return {};
}

Status AddSecrets(const SelectRequest& request, duckdb::Connection& connection) {
  auto keyring = std::make_shared<duckdb::Keyring>();
  for (const Secret& secret : request.secrets) {
    keyring->Add(secret.scope + "/" + secret.key, secret.value);
  }
  return duckdb::RegisterTextFunctions(connection, std::move(keyring));
}

Result<SelectResult> WriteTable(const query::CompiledQuery& compiled, const std::string& path, JobDatabase& database) {
  SelectResult result;
  GB_RETURN_IF_ERROR(
      database.connection().Execute("CREATE TABLE " + std::string(kTarget) + ".data AS " + compiled.sql));
  GB_ASSIGN_OR_RETURN(result.file.rows,
                      database.connection().QueryInt("SELECT count(*) FROM " + std::string(kTarget) + ".data"));
  GB_RETURN_IF_ERROR(database.Close(kTarget));
  result.file.path = path;
  result.file.columns = WriteColumns(compiled.columns);
  return result;
}

Result<SelectResult> ReadRows(const query::CompiledQuery& compiled, std::int64_t row_limit, JobDatabase& database) {
  const std::size_t cells_rows_max = limits::kResultCellsMax / std::max<std::size_t>(compiled.columns.size(), 1);
  const auto rows_max =
      static_cast<std::size_t>(std::clamp<std::int64_t>(row_limit, 0, static_cast<std::int64_t>(cells_rows_max)));
  GB_ASSIGN_OR_RETURN(const duckdb::FirstRows first,
                      database.connection().QueryFirst(compiled.sql, rows_max, limits::kResultTextBytesMax));
  SelectResult result;
  result.file.columns = WriteColumns(compiled.columns);
  result.truncated = first.more;
  std::size_t text_bytes = 0;
  for (std::size_t row = 0; row < first.table.rows; ++row) {
    std::vector<json::Value> cells;
    cells.reserve(first.table.columns.size());
    for (const duckdb::ResultColumn& column : first.table.columns) {
      cells.push_back(duckdb::CellToJson(column, row));
      text_bytes += cells.back().is_string() ? cells.back().as_string().size() : 0;
    }
    if (text_bytes > limits::kResultTextBytesMax) {
      result.truncated = true;
      break;
    }
    result.rows.push_back(std::move(cells));
  }
  result.file.rows = static_cast<std::int64_t>(result.rows.size());
  return result;
}

// The types that the engine finds. What rooms do not have is converted where nothing is lost, and refused otherwise.
Status BindTypes(query::CompiledQuery& compiled, duckdb::Connection& connection) {
  const auto described = connection.Query("DESCRIBE " + compiled.sql, limits::kSqlColumnsMax);
  if (!described.ok()) {
    return {ErrorCode::kSqlType, "an expression has types that do not fit together, or a function got the wrong type"};
  }
  std::string items;
  for (std::size_t row = 0; row < described->rows; ++row) {
    const std::string& name = described->columns[0].texts[row];
    const std::string& type = described->columns[1].texts[row];
    const bool wide = type == "HUGEINT" || type == "UHUGEINT" || type == "UBIGINT";
    const std::string target = wide ? "DECIMAL(38,0)" : type == "\"NULL\"" || type == "NULL" ? "VARCHAR" : type;
    const auto known = query::ParseTypeName(target);
    if (!known) {
      return {ErrorCode::kSqlType, "column " + name + " has the type " + type + ", which is not supported; cast it"};
    }
    compiled.columns[row].type = *known;
    items += (items.empty() ? "" : ", ") + ("CAST(" + duckdb::QuoteIdentifier(name) + " AS " + query::TypeName(*known) +
                                            ") AS " + duckdb::QuoteIdentifier(name));
  }
  compiled.sql = "SELECT " + items + " FROM (" + compiled.sql + ")";
  return {};
}

// A statement that fails while it runs, fails on the owner's own data; what DuckDB says would quote it all the same.
Status ExplainToOwner(const Status& status, const std::string& detail) {
  if (status.code() != ErrorCode::kRunFailed) {
    return status;
  }
  if (const auto place = duckdb::PlaceOfCast(detail); place.has_value()) {
    return Status(
               ErrorCode::kInvalidParameterValue,
               "a value cannot be cast to the type that stands here; correct it, or write TRY_CAST, which gives NULL")
        .At(place);
  }
  return {ErrorCode::kInvalidParameterValue,
          "the query failed on its data: a value does not fit a type or range; TRY_CAST gives NULL there"};
}

query::OwnQueryOptions OptionsOf(const SelectRequest& request) {
  return {.secrets = request.secrets.empty() ? query::Secrets::kForbidden : query::Secrets::kAsHmacKey,
          .bad_cast = request.bad_cast == BadCast::kError ? query::BadCast::kError : query::BadCast::kNull};
}

}  // namespace

Result<SelectResult> RunSelectJob(const SelectRequest& request, JobDatabase& database) {
  duckdb::Connection& connection = database.connection();
  GB_ASSIGN_OR_RETURN(const query::ast::QueryPtr tree, ParseOneQuery(connection, request.sql));
  GB_ASSIGN_OR_RETURN(const ParsedFunctions functions, ParseFunctions(connection, request.functions));
  GB_ASSIGN_OR_RETURN(const std::vector<query::ParameterDef> parameters, ReadParameters(request.parameters));
  GB_ASSIGN_OR_RETURN(const std::vector<query::FileCall> calls, query::FindFileCalls(*tree));
  GB_ASSIGN_OR_RETURN(const std::vector<query::FileTable> files, LoadFiles(connection, calls, request.files));
  GB_ASSIGN_OR_RETURN(const std::vector<query::OwnTable> own, OwnTables(request.tables));
  GB_ASSIGN_OR_RETURN(query::CompiledQuery compiled,
                      query::CompileOwnQuery(*tree, own, files, functions.definitions, parameters,
                                             {.default_parts = request.default_namespace}, OptionsOf(request)));
  GB_RETURN_IF_ERROR(AttachTables(request, own, compiled.sql, database));
  GB_RETURN_IF_ERROR(AddSecrets(request, connection));
  GB_ASSIGN_OR_RETURN(compiled.columns, DescribeQuery(connection, compiled.sql));
  if (!request.target_path.empty()) {
    GB_RETURN_IF_ERROR(database.AttachNew(request.target_path, kTarget));
  }
  GB_RETURN_IF_ERROR(connection.Lock({}));
  GB_RETURN_IF_ERROR(BindTypes(compiled, connection));
  Result<SelectResult> result = request.target_path.empty() ? ReadRows(compiled, request.row_limit, database)
                                                            : WriteTable(compiled, request.target_path, database);
  return result.ok() ? std::move(result)
                     : Result<SelectResult>(ExplainToOwner(result.status(), connection.last_error_detail()));
}

Status RunCheckFunctionJob(const FunctionCheck& check, JobDatabase& database) {
  std::vector<Function> all = check.others;
  all.push_back(check.function);
  GB_ASSIGN_OR_RETURN(const ParsedFunctions functions, ParseFunctions(database.connection(), all));
  const query::FunctionDef& function = functions.definitions.back();
  return AtBody(
      query::CompileCall(function, function.parameters, functions.definitions, query::Secrets::kAsHmacKey).status());
}

}  // namespace glovebox::engine::worker
