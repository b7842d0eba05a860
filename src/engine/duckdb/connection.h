// SPDX-License-Identifier: Apache-2.0
//
// The embedded DuckDB, as the rest of the engine sees it: a database, connections, results as plain columns.
//
// Protocol: Open, load and attach what the job may see, Lock, then run only SQL that was printed from our own IR.
// Lock cannot be undone: no file but the allowed ones, no extension, no setting afterwards. It is one barrier of
// several; the process is confined as well (engine/worker/barrier.h).
//
// Who learns what: DuckDB's messages quote values ("Could not convert string '4111...'"), so no Status carries one.
// An error is RUN_FAILED, RESOURCE_EXHAUSTED (memory) or DEADLINE_EXCEEDED (interrupted) with a fixed text. The
// original stays in last_error_detail(), which is for tests and for messages to the one owner of all the data that the
// connection sees; it never goes into a log.
//
// Units: dates are days, timestamps microseconds since 1970-01-01. HUGEINT, UBIGINT and DECIMAL are exact text.
// Threads: a Database may be shared; a Connection belongs to one thread, but Interrupt may come from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"

namespace glovebox::engine::duckdb {

enum class ColumnKind {
  kBoolean,    // ints: 0 or 1
  kInteger,    // ints; TINYINT to BIGINT and UTINYINT to UINTEGER
  kExact,      // texts; HUGEINT, UBIGINT, UHUGEINT, DECIMAL: canonical decimal digits, "-12.50"
  kDouble,     // doubles; FLOAT and DOUBLE
  kText,       // texts; VARCHAR
  kDate,       // ints
  kTimestamp,  // ints
  kNull,       // the type of a bare NULL; every row is NULL
};

// One column of a result. The vector that `kind` names has an entry for every row, an empty one where the row is NULL.
struct ResultColumn {
  std::string name;
  std::string type;  // DuckDB's spelling: "BIGINT", "DECIMAL(38,0)"
  ColumnKind kind = ColumnKind::kNull;
  std::vector<std::uint8_t> is_null;
  std::vector<std::int64_t> ints;
  std::vector<double> doubles;
  std::vector<std::string> texts;

  [[nodiscard]] bool IsNull(std::size_t row) const { return is_null[row] != 0; }
};

struct ResultTable {
  std::vector<ResultColumn> columns;
  std::size_t rows = 0;
};

// A cell as JSON: null, boolean, integer, double or text; dates and timestamps as "2026-11-22" and
// "2026-11-22 23:45:00[.123456]", exact numbers as text. NaN and infinities are null.
json::Value CellToJson(const ResultColumn& column, std::size_t row);

struct DatabaseOptions {
  std::string path = {};  // empty: in memory
  std::size_t threads = limits::kRunThreads;
  std::size_t memory_bytes = limits::kRunMemoryBytesMax;
  std::string temp_directory = {};  // empty: nothing is spilled to disk
};

// The beginning of a result.
struct FirstRows {
  ResultTable table;
  bool more = false;  // there are rows after these
};

class Connection;

class Database {
 public:
  static Result<std::unique_ptr<Database>> Open(const DatabaseOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  Result<std::unique_ptr<Connection>> Connect();

 private:
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What may still be opened by SQL after Lock. Attached databases stay usable.
struct Allowed {
  std::vector<std::string> files;
  std::vector<std::string> directories;
};

// REQUIRES: the Database outlives it.
class Connection {
 public:
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // One or several statements without a result that matters.
  Status Execute(const std::string& sql);
  // One statement. Returns RESOURCE_EXHAUSTED if there are more than rows_max rows, NOT_SUPPORTED for a column type
  // that ColumnKind has not.
  Result<ResultTable> Query(const std::string& sql, std::size_t rows_max = limits::kRunGroupsMax);
  // The same with text parameters $1, $2, ...
  Result<ResultTable> Query(const std::string& sql, const std::vector<std::string>& parameters,
                            std::size_t rows_max = limits::kRunGroupsMax);
  // The first rows_max rows of a result that may be of any size, or fewer as soon as they have more than text_bytes_max
  // of text; the rest is not computed further than DuckDB's buffers.
  Result<FirstRows> QueryFirst(const std::string& sql, std::size_t rows_max, std::size_t text_bytes_max = SIZE_MAX);
  // The one integer (or boolean) of a result with one row and one column; an error if it is something else or NULL.
  Result<std::int64_t> QueryInt(const std::string& sql);
  // DuckDB's parser alone: json_serialize_sql of `sql`, which is passed as a value and executes nothing. What DuckDB
  // says about a text that does not parse is part of the JSON ("error": true).
  Result<std::string> ParseToJson(std::string_view sql);

  // No external access but `allowed`, no extensions, no settings, for all connections of the database, for good.
  Status Lock(const Allowed& allowed);
  // Ends the statement that runs, which then returns DEADLINE_EXCEEDED. Thread-safe.
  void Interrupt();

  [[nodiscard]] const std::string& last_error_detail() const { return last_error_detail_; }
  // duckdb_connection, for what registers functions.
  [[nodiscard]] void* NativeHandle() const;

 private:
  friend class Database;
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  enum class Fetch { kMaterialised, kStreaming };
  Result<FirstRows> Run(const std::string& sql, const std::vector<std::string>& parameters, std::size_t rows_max,
                        std::size_t text_bytes_max, Fetch fetch);
  Status Fail(int error_type, const char* detail);

  std::unique_ptr<Impl> impl_;
  std::string last_error_detail_;
};

// "na""me" and 'te''xt'. For names and paths of ours; both refuse nothing.
std::string QuoteIdentifier(std::string_view name);
std::string QuoteLiteral(std::string_view text);

}  // namespace glovebox::engine::duckdb
