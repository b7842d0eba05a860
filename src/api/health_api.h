// SPDX-License-Identifier: Apache-2.0
//
// For operators and their tools: whether the server lives, whether it takes work, and a few counters in Prometheus'
// text form. No token is needed. Counters are for this machine only (404 for others): how much others do is nobody's
// business. Threads: call from one thread, before the server starts.
#pragma once

#include "api/metrics.h"
#include "http/router.h"

namespace glovebox::api {

// `metrics` outlives the server.
void AddHealthApi(const Metrics& metrics, http::Router& router);

}  // namespace glovebox::api
