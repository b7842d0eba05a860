// SPDX-License-Identifier: Apache-2.0
//
// For operators and their tools: whether the server lives, whether it takes work, and a few counters in Prometheus'
// text form. No token is needed. How much others do is nobody's business, so the counters have an address of their own,
// if any: where a request comes from would say nothing behind a reverse proxy on the same machine.
// Threads: call from one thread, before the server starts.
#pragma once

#include "api/context.h"
#include "api/metrics.h"
#include "http/router.h"

namespace glovebox::api {

// `metrics` outlives the server.
void AddHealthApi(const Metrics& metrics, http::Router& router);
// For a server of its own. `context` has `metrics` and `rooms`, which outlive it.
void AddMetricsApi(const Context& context, http::Router& router);

}  // namespace glovebox::api
