// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_connection.h"

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/result.h"
#include "store/database.h"

namespace glovebox::store {
namespace {

Status FromSqlite(int extended_code) {
  switch (extended_code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
      return Status(ErrorCode::kAlreadyExists, "An object of this name or id exists.");
    default:
      break;
  }
  log::Error("metadata database",
             {{"sqlite_code", std::int64_t{extended_code}}, {"meaning", std::string(sqlite3_errstr(extended_code))}});
  switch (extended_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Status(ErrorCode::kUnavailable, "The metadata database is locked by another process; retry later.");
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return Status(ErrorCode::kUnavailable, "The metadata database cannot be read or written; see the server's log.");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Status(ErrorCode::kDataLoss, "The metadata database is damaged; restore it from a backup.");
    default:
      return Status(ErrorCode::kInternal, "The metadata database refused a statement; see the server's log.");
  }
}

int BindOne(sqlite3_stmt* statement, int position, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return sqlite3_bind_int64(statement, position, *number);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return sqlite3_bind_double(statement, position, *number);
  }
  // The parameters outlive the statement's execution, and bindings are cleared after it.
  if (const auto* text = std::get_if<std::string>(&value)) {
    return sqlite3_bind_text64(statement, position, text->data(), text->size(), nullptr, SQLITE_UTF8);
  }
  if (const auto* blob = std::get_if<Blob>(&value)) {
    return blob->bytes.empty()
               ? sqlite3_bind_zeroblob(statement, position, 0)
               : sqlite3_bind_blob64(statement, position, blob->bytes.data(), blob->bytes.size(), nullptr);
  }
  return sqlite3_bind_null(statement, position);
}

Value ReadColumn(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
      return Blob{size == 0 ? std::string() : std::string(bytes, size)};
    }
    default:
      return std::monostate{};
  }
}

Row ReadRow(sqlite3_stmt* statement) {
  const int count = sqlite3_column_count(statement);
  std::vector<Value> values;
  values.reserve(static_cast<std::size_t>(count));
  for (int column = 0; column < count; ++column) {
    values.push_back(ReadColumn(statement, column));
  }
  return Row(std::move(values));
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(handle));
  if (code != SQLITE_OK) {
    return FromSqlite(code);
  }
  sqlite3_busy_timeout(handle, limits::kStoreBusyTimeoutMs);
  // Double quotes are identifiers only, and what a damaged file says in its schema is not trusted.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  for (const std::string_view pragma :
       {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON"}) {
    GB_RETURN_IF_ERROR(connection->Simple(pragma));
  }
  return connection;
}

SqliteConnection::~SqliteConnection() {
  DropStatements();
  sqlite3_close_v2(handle_);
}

void SqliteConnection::DropStatements() {
  for (const auto& [sql, statement] : statements_) {
    sqlite3_finalize(statement);
  }
  statements_.clear();
}

Status SqliteConnection::LastError() const { return FromSqlite(sqlite3_extended_errcode(handle_)); }

Result<sqlite3_stmt*> SqliteConnection::Prepare(std::string_view sql) {
  std::string key(sql);
  if (const auto found = statements_.find(key); found != statements_.end()) {
    return found->second;
  }
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  if (sqlite3_prepare_v3(handle_, key.c_str(), static_cast<int>(key.size() + 1), SQLITE_PREPARE_PERSISTENT, &statement,
                         &tail) != SQLITE_OK) {
    return LastError();
  }
  if (statement == nullptr || *tail != '\0') {
    sqlite3_finalize(statement);
    return Status(ErrorCode::kInternal, "The metadata database takes one statement at a time.");
  }
  if (statements_.size() >= limits::kStoreStatementsCachedMax) {
    DropStatements();
  }
  statements_.emplace(std::move(key), statement);
  return statement;
}

Result<std::vector<Row>> SqliteConnection::Run(std::string_view sql, const std::vector<Value>& parameters,
                                               Access access, std::int64_t* changes) {
  GB_ASSIGN_OR_RETURN(sqlite3_stmt * statement, Prepare(sql));
  if (access == Access::kRead && sqlite3_stmt_readonly(statement) == 0) {
    return Status(ErrorCode::kInternal, "A read transaction cannot write.");
  }
  if (static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)) != parameters.size()) {
    return Status(ErrorCode::kInternal, "A statement of the metadata database has the wrong number of parameters.");
  }
  int code = SQLITE_OK;
  for (std::size_t i = 0; i < parameters.size() && code == SQLITE_OK; ++i) {
    code = BindOne(statement, static_cast<int>(i) + 1, parameters[i]);
  }
  std::vector<Row> rows;
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
      rows.push_back(ReadRow(statement));
    }
  }
  Status status = code == SQLITE_DONE ? Status() : FromSqlite(code);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (!status.ok()) {
    return status;
  }
  if (changes != nullptr) {
    *changes = sqlite3_changes64(handle_);
  }
  return rows;
}

Status SqliteConnection::Simple(std::string_view sql) {
  auto rows = Run(sql, {}, Access::kWrite, nullptr);
  return rows.ok() ? Status() : rows.status();
}

}  // namespace glovebox::store
