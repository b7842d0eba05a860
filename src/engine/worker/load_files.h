// SPDX-License-Identifier: Apache-2.0
//
// Files of volumes, read into temporary tables: read_files('path', format => 'csv', ...). Runs in a worker only.
//
// Invariant: nothing is lost in silence. Rows are neither skipped nor padded, comments and delimiters are not guessed;
// a file that does not fit what was said of it is an error. Text becomes NFC, REAL becomes DOUBLE, unsigned integers
// become the next signed type, UUID and ENUM become text. Everything else that a room does not have (TIMESTAMP WITH
// TIME ZONE, BLOB, TIME, nested types) is refused by the column's name.
//
// Options: format (csv, tsv, json, parquet; else the file's ending decides); for CSV: header (true), sep or delimiter
// or delim (","), quote, escape, nullvalue or nullstr, dateformat, timestampformat, skiprows or skip, encoding,
// inferschema (true) or all_varchar (false).
//
// Errors: RESOURCE_DOES_NOT_EXIST, NOT_SUPPORTED, INVALID_PARAMETER_VALUE with the position of the call. No message
// quotes a value of the file; line and column are given where DuckDB knows them. Threads: those of the connection.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/duckdb/connection.h"
#include "engine/engine.h"
#include "query/own_query.h"

namespace glovebox::engine::worker {

// One temporary table for each call, in order.
Result<std::vector<query::FileTable>> LoadFiles(duckdb::Connection& connection,
                                                const std::vector<query::FileCall>& calls,
                                                const std::vector<NamedFile>& files);

}  // namespace glovebox::engine::worker
