// SPDX-License-Identifier: Apache-2.0
//
// What the rest of the server sees of computing. Every call here is one job in one worker process: the server
// itself never parses an author's SQL and never opens a table. A worker has no network and no files but the job's
// inputs and its one output folder; its death, or a limit that it exceeds, is an error of the job and of nothing else.
//
// Kinds of jobs:
//   Select   one organisation's SQL over its own tables and uploaded files (statements, CREATE TABLE AS), or a table
//            through its row filter and masks: this one with the secrets of their functions.
//   Prepare  the governed scan of an asset: the owner's row filter and masks are applied once per (table version,
//            policies, rule), units are resolved, declared keys and domains are checked, with the secrets of their
//            functions. Or its columns alone, without reading a row.
//   Run      plans and, if asked, executes a notebook of a room over prepared assets.
//
// Who learns what: errors of Select and Prepare go to the table's owner. A refusal of Run depends on text, schemas,
// rules and own tables only and may be shown to the author; after execution has started its only error is RUN_FAILED.
//
// Threads: thread-safe; calls block until the job has ended, at most its timeout.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace glovebox::engine {

struct Column {
  std::string name;
  std::string type;  // as query::TypeName spells it
};

// A table file that a job wrote, and what is known of it. Immutable once written.
struct TableFile {
  std::string path;
  std::vector<Column> columns;
  std::int64_t rows = 0;
};

struct NamedTable {
  std::vector<std::string> name;  // catalog, schema, table: as the author may write it
  TableFile file;
};

// A file of a volume: what the author writes ("/Volumes/c/s/v/f.csv") and where it is.
struct NamedFile {
  std::string name;
  std::string path;
};

// CREATE FUNCTION name(parameters) RETURN body
struct Function {
  std::string name;  // catalog.schema.function
  std::vector<Column> parameters;
  std::string body;  // an expression
};

struct Secret {
  std::string scope;
  std::string key;
  std::string value;
};

struct Parameter {
  std::string name;
  std::string type;   // "" is STRING
  std::string value;  // text in the type's literal form
  bool is_null = false;
};

// What CAST does with a value that does not fit its type: an error for the author of a statement over his own data,
// NULL for a table's policies, whose reader does not own it. TRY_CAST always gives NULL.
enum class BadCast { kNull, kError };

struct SelectRequest {
  std::string sql;  // one query
  std::vector<Parameter> parameters;
  std::vector<NamedTable> tables;
  std::vector<NamedFile> files;
  std::vector<Function> functions;
  // Keys of hmac_sha256(secret('scope', 'key'), text). With none, no text may name a secret: an author's has none.
  std::vector<Secret> secrets;
  std::vector<std::string> default_namespace;  // catalog, schema for unqualified names; may be empty
  std::string target_path;                     // where to write a new table file; empty: rows come back
  std::int64_t row_limit = 0;                  // for rows that come back
  BadCast bad_cast = BadCast::kNull;
  std::string cancel_key = {};  // what Cancel names it by; empty: it cannot be cancelled
  // As in RunRequest.
  std::shared_ptr<const std::atomic<bool>> canceled = nullptr;
};

struct SelectResult {
  TableFile file;                              // path is empty if rows came back
  std::vector<std::vector<json::Value>> rows;  // strings, integers, doubles, booleans, null; dates and decimals as text
  bool truncated = false;
};

struct RowFilter {
  std::string function;
  std::vector<std::string> columns;
};

struct Mask {
  std::string column;
  std::string function;
  std::vector<std::string> using_columns;
};

struct PrepareRequest {
  TableFile table;
  std::vector<RowFilter> row_filters;
  std::vector<Mask> masks;
  std::vector<Function> functions;
  std::vector<Secret> secrets;
  std::string rule;         // analysis rule, JSON text; validated here against the table
  std::string unit_secret;  // key of the units' hash, 32 bytes; never leaves the owner's side
  // Empty: the columns alone, by the table's schema, policies and rule; no row is read and no secret is needed.
  std::string target_path;
};

// The result of Prepare. `statistics` stays on the owner's side: T(k), columns without NULL, values outside the domain.
struct PreparedAsset {
  TableFile file;  // only the columns that the rule names, masked, plus the hidden unit
  json::Value statistics;
};

enum class Role { kOwn, kProtected };

struct RunAsset {
  std::vector<std::string> name;  // alias.schema.table, as the notebook may write it
  std::string owner;              // collaborator alias
  Role role = Role::kProtected;   // own if every recipient is its owner
  std::string rule;               // JSON text
  std::string version;            // id of the table version
  std::string policy_digest;      // salted commitment of filter, masks and revocations
  PreparedAsset prepared;
};

// Names what a run reads of an asset: table version, policies and rule. A record names the contents of its tables, and
// populations of different contents are never equal.
std::string ContentOf(const RunAsset& asset);

struct Cell {
  std::string sql;
};

// kPlanOnly: by text, schemas and rules; no file is opened, and what the assets' files and statistics say is not looked
// at. kPlanAndCheck: what P9 asks of the runner's own tables as well; the others' stay closed.
enum class RunMode { kPlanOnly, kPlanAndCheck, kExecute };

struct RunRequest {
  RunMode mode = RunMode::kExecute;
  std::string runner{};  // collaborator alias; for the certificate
  std::vector<Cell> cells;
  std::vector<Parameter> parameters;
  std::vector<RunAsset> assets;
  std::vector<json::Value> history;  // `record`s of earlier releases of the room, oldest first
  // What those releases read and the cells cannot name, in the versions of then if they are still there: the difference
  // check looks at it, nothing else does. Where it is missing, cells over the same protected tables are withheld.
  std::vector<RunAsset> earlier_assets;
  std::string output_folder;         // one Parquet file per output table
  std::int64_t inline_rows_max = 0;  // rows of each result to hand back as well
  std::int64_t timeout_ms = 0;
  // May be null. Whoever sets it calls Cancel() then: a job that has not begun by that time does not begin.
  std::shared_ptr<const std::atomic<bool>> canceled = nullptr;
};

struct OutputTable {
  std::string name;  // the table's name; "result_<n>" for the n-th displayed query
  TableFile file;    // Parquet
  std::string sha256;
  std::vector<std::vector<json::Value>> rows;  // up to inline_rows_max, in order
};

struct RunResult {
  json::Value certificate;           // PLANNER.md P14: needs no data; may be shared with every collaborator
  json::Value record;                // the release record: for the owners only; goes into `history` of later runs
  std::vector<OutputTable> outputs;  // of a plan: names and columns alone
};

// Whether the planner refused: text, schemas, rules and own tables alone decided.
[[nodiscard]] bool IsPlannersRefusal(ErrorCode code);

// In a run's output folder: the record, written before anything is computed from what it releases. Where it is left
// behind by a run that failed, its cells count as released: the failure may have told about them.
inline constexpr const char* kRecordFileName = "record.json";
// Null if it is not there. Returns DATA_LOSS if it does not read.
Result<json::Value> ReadRecord(const std::string& output_folder);

class Engine {
 public:
  virtual ~Engine() = default;
  // UNAVAILABLE if this server does no job at all, and why.
  [[nodiscard]] virtual Status Ready() const { return {}; }
  // Returns SQL_*, NOT_SUPPORTED, INVALID_PARAMETER_VALUE for the author's mistakes.
  virtual Result<SelectResult> Select(const SelectRequest& request) = 0;
  // Checks that a function's body compiles over its parameters.
  virtual Status CheckFunction(const Function& function, const std::vector<Function>& others) = 0;
  // Returns INVALID_PARAMETER_VALUE if the rule does not fit the table (unknown column, key that is not unique, ...).
  virtual Result<PreparedAsset> Prepare(const PrepareRequest& request) = 0;
  // Returns a refusal (QUERY_REFUSED, SQL_*, NOT_SUPPORTED with rule and position) or RUN_FAILED.
  virtual Result<RunResult> Run(const RunRequest& request) = 0;
  // Kills the job that is under way, if there is one: a run's by its output folder, a query's by its cancel_key. It
  // then returns ABORTED.
  virtual void Cancel(const std::string& key) = 0;
};

}  // namespace glovebox::engine
