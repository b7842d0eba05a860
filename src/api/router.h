// SPDX-License-Identifier: Apache-2.0
//
// All endpoints of the server in one router. Threads: call from one thread, before the server starts.
#pragma once

#include <string>

#include "api/context.h"
#include "api/metrics.h"
#include "api/statement_runs.h"
#include "http/router.h"

namespace glovebox::api {

// `scheme` is "http" or "https". What `context` points to, and `runs`, outlive the router. REQUIRES: nothing in
// `context` is missing.
http::Router MakeRouter(const Context& context, StatementRuns& runs, const std::string& scheme);

}  // namespace glovebox::api
