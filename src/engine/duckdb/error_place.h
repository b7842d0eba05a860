// SPDX-License-Identifier: Apache-2.0
//
// Where something failed, read from DuckDB's message: a place in the author's text, or a line and column of a file.
//
// Who learns what: such a message quotes values, lines and our printed SQL. What comes out here are numbers, the name
// of a column that the reader found in the file, and words of ours or of a fixed list; for the owner of the data alone.
//
// Pure but for FirstReject, which asks the connection. Threads: no state.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/duckdb/connection.h"

namespace glovebox::engine::duckdb {

// The position that the failed cast carries (query::PlaceMark), if a cast failed and the message shows which.
std::optional<std::size_t> PlaceOfCast(std::string_view detail);

// The position of the last mark before what does not bind, in a text that carries the places of all (query::Places).
std::optional<std::size_t> PlaceOfTypes(std::string_view detail);

// " (line 3)" or " (line 3, column age)", or nothing. `path` is the file that was read.
std::string PlaceInFile(std::string_view detail, std::string_view path);

// The same for the first line that a CSV reader rejects, and why: the reader's own message names none if the lines have
// different numbers of columns. `reader` is a call of read_csv that stores rejects.
std::string FirstReject(Connection& connection, const std::string& reader);

}  // namespace glovebox::engine::duckdb
