// SPDX-License-Identifier: Apache-2.0
//
// Databricks' SQL Statement Execution: statements in, results inline as arrays of text. There is one warehouse, the
// server itself. A statement that fails is an answer of status 200 whose state is FAILED, as clients expect; the error
// there has our code and the place in the text. Threads: call from one thread, before the server starts.
#pragma once

#include "api/context.h"
#include "api/statement_runs.h"
#include "http/router.h"

namespace glovebox::api {

// `runs` outlives the server.
void AddSqlApi(const Context& context, StatementRuns& runs, http::Router& router);

}  // namespace glovebox::api
