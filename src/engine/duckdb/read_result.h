// SPDX-License-Identifier: Apache-2.0
//
// Copies DuckDB's results into ResultTable. Internal to engine/duckdb. The pointers are a duckdb_result* and a
// duckdb_data_chunk; the C API's header stays out of ours.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "engine/duckdb/connection.h"

namespace glovebox::engine::duckdb {

// Fills names, types and kinds. Returns NOT_SUPPORTED, naming the type, for one that a room does not have.
Status DescribeColumns(void* result, ResultTable& table);
// Appends the chunk's first rows, at most rows_max; returns how many bytes of text they have. REQUIRES: the table was
// described from the result that the chunk is of.
std::size_t AppendChunk(void* chunk, std::size_t rows_max, ResultTable& table);

}  // namespace glovebox::engine::duckdb
