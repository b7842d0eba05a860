// SPDX-License-Identifier: Apache-2.0
//
// Released tables and the author's outputs over them (steps 8 and 9 of a governed run).
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/governed/executed_query.h"

namespace glovebox::engine::governed {

// Binds every output over empty released tables, which stay. Returns SQL_TYPE_ERROR if one does not bind, with the
// place of what does not, as near as DuckDB says it: that depends on schemas alone. `output` is then the output.
Status CheckTypes(RunContext& run, std::size_t& output);

// Names and columns of the outputs. REQUIRES: CheckTypes passed.
Result<std::vector<OutputTable>> DescribeOutputs(RunContext& run);

// Puts the groups that stay into the released table, with NULL for cells that are withheld.
Status FillReleased(RunContext& run, const ExecutedQuery& query);

// Computes the outputs: one Parquet file each in the request's folder (none if it names no folder), and the first rows.
Result<std::vector<OutputTable>> WriteOutputs(RunContext& run, const RunRequest& request);

}  // namespace glovebox::engine::governed
