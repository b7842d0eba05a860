// SPDX-License-Identifier: Apache-2.0
#include "engine/duckdb/connection.h"

#include <duckdb.h>

#include <charconv>

#include "engine/duckdb/read_result.h"

namespace glovebox::engine::duckdb {
namespace {

// The C API would stop reading there: what runs would not be what was printed.
constexpr const char* kNulByte = "the statement has a NUL byte";

// Owns a duckdb_result.
class OwnedResult {
 public:
  OwnedResult() = default;
  ~OwnedResult() { duckdb_destroy_result(&result_); }
  OwnedResult(const OwnedResult&) = delete;
  OwnedResult& operator=(const OwnedResult&) = delete;
  duckdb_result* get() { return &result_; }

 private:
  duckdb_result result_{};
};

class OwnedStatement {
 public:
  OwnedStatement() = default;
  ~OwnedStatement() { duckdb_destroy_prepare(&statement_); }
  OwnedStatement(const OwnedStatement&) = delete;
  OwnedStatement& operator=(const OwnedStatement&) = delete;
  duckdb_prepared_statement get() { return statement_; }
  duckdb_prepared_statement* out() { return &statement_; }

 private:
  duckdb_prepared_statement statement_ = nullptr;
};

class OwnedChunk {
 public:
  explicit OwnedChunk(duckdb_data_chunk chunk) : chunk_(chunk) {}
  ~OwnedChunk() { duckdb_destroy_data_chunk(&chunk_); }
  OwnedChunk(const OwnedChunk&) = delete;
  OwnedChunk& operator=(const OwnedChunk&) = delete;
  duckdb_data_chunk get() { return chunk_; }

 private:
  duckdb_data_chunk chunk_;
};

class OwnedConfig {
 public:
  OwnedConfig() { (void)duckdb_create_config(&config_); }
  ~OwnedConfig() { duckdb_destroy_config(&config_); }
  OwnedConfig(const OwnedConfig&) = delete;
  OwnedConfig& operator=(const OwnedConfig&) = delete;
  [[nodiscard]] bool Set(const char* name, const std::string& value) {
    return duckdb_set_config(config_, name, value.c_str()) == DuckDBSuccess;
  }
  duckdb_config get() { return config_; }

 private:
  duckdb_config config_ = nullptr;
};

// A failed preparation has a text only; its first words are the kind of the error.
duckdb_error_type KindOfPrepareError(const char* detail) {
  const std::string_view text = detail == nullptr ? "" : detail;
  if (text.starts_with("INTERRUPT Error")) {
    return DUCKDB_ERROR_INTERRUPT;
  }
  return text.starts_with("Out of Memory Error") ? DUCKDB_ERROR_OUT_OF_MEMORY : DUCKDB_ERROR_PARSER;
}

std::string ListLiteral(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    list += list.size() > 1 ? ", " : "";
    list += QuoteLiteral(text);
  }
  return list + "]";
}

}  // namespace

struct Database::Impl {
  duckdb_database database = nullptr;
};

struct Connection::Impl {
  duckdb_connection connection = nullptr;
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() { duckdb_close(&impl_->database); }

Result<std::unique_ptr<Database>> Database::Open(const DatabaseOptions& options) {
  OwnedConfig config;
  const bool configured =
      config.Set("threads", std::to_string(options.threads)) &&
      config.Set("memory_limit", std::to_string(options.memory_bytes) + "B") &&
      config.Set("temp_directory", options.temp_directory) && config.Set("autoinstall_known_extensions", "false") &&
      config.Set("autoload_known_extensions", "false") && config.Set("allow_community_extensions", "false") &&
      config.Set("allow_persistent_secrets", "false");
  if (!configured) {
    return Status(ErrorCode::kInternal, "the engine does not know one of its settings");
  }
  auto impl = std::make_unique<Impl>();
  char* error = nullptr;
  const std::string path = options.path.empty() ? ":memory:" : options.path;
  if (duckdb_open_ext(path.c_str(), &impl->database, config.get(), &error) != DuckDBSuccess) {
    duckdb_free(error);
    return Status(ErrorCode::kInternal, "the engine cannot open its database");
  }
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

Result<std::unique_ptr<Connection>> Database::Connect() {
  auto impl = std::make_unique<Connection::Impl>();
  if (duckdb_connect(impl_->database, &impl->connection) != DuckDBSuccess) {
    return Status(ErrorCode::kInternal, "the engine cannot open a connection");
  }
  return std::unique_ptr<Connection>(new Connection(std::move(impl)));
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() { duckdb_disconnect(&impl_->connection); }

void* Connection::NativeHandle() const { return impl_->connection; }
void Connection::Interrupt() { duckdb_interrupt(impl_->connection); }

Status Connection::Fail(int error_type, const char* detail) {
  last_error_detail_ = detail == nullptr ? "" : detail;
  switch (error_type) {
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      return {ErrorCode::kResourceExhausted, "the job needs more memory than it may have"};
    case DUCKDB_ERROR_INTERRUPT:
      return {ErrorCode::kDeadlineExceeded, "the job was ended before it was done"};
    default:
      return {ErrorCode::kRunFailed, "the engine could not execute a statement"};
  }
}

Status Connection::Execute(const std::string& sql) {
  if (sql.find('\0') != std::string::npos) {
    return Fail(DUCKDB_ERROR_PARSER, kNulByte);
  }
  OwnedResult result;
  if (duckdb_query(impl_->connection, sql.c_str(), result.get()) != DuckDBSuccess) {
    return Fail(duckdb_result_error_type(result.get()), duckdb_result_error(result.get()));
  }
  return {};
}

Result<ResultTable> Connection::Query(const std::string& sql, std::size_t rows_max) {
  return Query(sql, std::vector<std::string>{}, rows_max);
}

Result<ResultTable> Connection::Query(const std::string& sql, const std::vector<std::string>& parameters,
                                      std::size_t rows_max) {
  GB_ASSIGN_OR_RETURN(FirstRows first, Run(sql, parameters, rows_max, SIZE_MAX, Fetch::kMaterialised));
  if (first.more) {
    return Status(ErrorCode::kResourceExhausted,
                  "a result has more than " + std::to_string(rows_max) + " rows, which is the limit");
  }
  return std::move(first.table);
}

Result<FirstRows> Connection::QueryFirst(const std::string& sql, std::size_t rows_max, std::size_t text_bytes_max) {
  return Run(sql, {}, rows_max, text_bytes_max, Fetch::kStreaming);
}

Result<FirstRows> Connection::Run(const std::string& sql, const std::vector<std::string>& parameters,
                                  std::size_t rows_max, std::size_t text_bytes_max, Fetch fetch) {
  if (sql.find('\0') != std::string::npos) {
    return Fail(DUCKDB_ERROR_PARSER, kNulByte);
  }
  OwnedStatement statement;
  if (duckdb_prepare(impl_->connection, sql.c_str(), statement.out()) != DuckDBSuccess) {
    const char* const detail = duckdb_prepare_error(statement.get());
    return Fail(KindOfPrepareError(detail), detail);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (duckdb_bind_varchar_length(statement.get(), i + 1, parameters[i].data(), parameters[i].size()) !=
        DuckDBSuccess) {
      return Fail(DUCKDB_ERROR_PARAMETER_NOT_RESOLVED, duckdb_prepare_error(statement.get()));
    }
  }
  OwnedResult result;
  const duckdb_state executed = fetch == Fetch::kStreaming
                                    ? duckdb_execute_prepared_streaming(statement.get(), result.get())
                                    : duckdb_execute_prepared(statement.get(), result.get());
  if (executed != DuckDBSuccess) {
    return Fail(duckdb_result_error_type(result.get()), duckdb_result_error(result.get()));
  }
  FirstRows first;
  GB_RETURN_IF_ERROR(DescribeColumns(result.get(), first.table));
  std::size_t text_bytes = 0;
  while (!first.more) {
    OwnedChunk chunk(duckdb_fetch_chunk(*result.get()));
    if (chunk.get() == nullptr) {
      // A streamed statement may fail as late as here, and the end of its rows looks the same.
      const char* const detail = duckdb_result_error(result.get());
      if (detail != nullptr && *detail != '\0') {
        return Fail(duckdb_result_error_type(result.get()), detail);
      }
      break;
    }
    const std::size_t room = rows_max - first.table.rows;
    text_bytes += AppendChunk(chunk.get(), room, first.table);
    first.more = duckdb_data_chunk_get_size(chunk.get()) > room || text_bytes > text_bytes_max;
  }
  return first;
}

Result<std::int64_t> Connection::QueryInt(const std::string& sql) {
  GB_ASSIGN_OR_RETURN(const ResultTable table, Query(sql));
  if (table.rows == 1 && table.columns.size() == 1 && !table.columns[0].IsNull(0)) {
    const ResultColumn& column = table.columns[0];
    if (column.kind == ColumnKind::kInteger || column.kind == ColumnKind::kBoolean) {
      return column.ints[0];
    }
    if (column.kind == ColumnKind::kExact) {
      const std::string& text = column.texts[0];
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error == std::errc() && end == text.data() + text.size()) {
        return value;
      }
    }
  }
  return Status(ErrorCode::kRunFailed, "the engine gave something else than one integer");
}

Result<std::string> Connection::ParseToJson(std::string_view sql) {
  GB_ASSIGN_OR_RETURN(ResultTable table,
                      Query("SELECT CAST(json_serialize_sql($1::VARCHAR) AS VARCHAR)", {std::string(sql)}));
  if (table.rows != 1 || table.columns.size() != 1 || table.columns[0].kind != ColumnKind::kText ||
      table.columns[0].IsNull(0)) {
    return Status(ErrorCode::kInternal, "the engine's parser gave no tree");
  }
  return std::move(table.columns[0].texts[0]);
}

Status Connection::Lock(const Allowed& allowed) {
  GB_RETURN_IF_ERROR(Execute("SET allowed_paths = " + ListLiteral(allowed.files)));
  GB_RETURN_IF_ERROR(Execute("SET allowed_directories = " + ListLiteral(allowed.directories)));
  GB_RETURN_IF_ERROR(Execute("SET enable_external_access = false"));
  return Execute("SET lock_configuration = true");
}

std::string QuoteIdentifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    quoted.append(c == '"' ? 2 : 1, c);
  }
  return quoted + "\"";
}

std::string QuoteLiteral(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted.append(c == '\'' ? 2 : 1, c);
  }
  return quoted + "'";
}

}  // namespace glovebox::engine::duckdb
