// SPDX-License-Identifier: Apache-2.0
//
// Endpoints of clean rooms: Databricks' paths for rooms, assets, reviews, auto-approval rules and jobs, and the native
// API under /api/glovebox/v1 for what Databricks has not (joining, analysis rules, output contracts, plans, output
// reviews, exports, ledger, evidence).
//
// Each function adds its routes. REQUIRES: `context.rooms` and `context.catalog` are there (asserted).
// Who learns what: what a side may not see is not in the values that the services give, so it cannot be written here.
// Threads: call from one thread, before the server starts.
#pragma once

#include "api/context.h"
#include "http/router.h"

namespace glovebox::api {

void AddRoomsApi(const Context& context, http::Router& router);          // rooms, output catalogs
void AddRoomAssetsApi(const Context& context, http::Router& router);     // assets, reviews, revisions
void AddApprovalRulesApi(const Context& context, http::Router& router);  // auto-approval rules
void AddJobsApi(const Context& context, http::Router& router);           // one-time runs of notebooks
void AddRoomRunsApi(const Context& context, http::Router& router);       // the runs of a room, for all sides
void AddNativeRoomsApi(const Context& context, http::Router& router);    // joining, rules, contracts, plans
void AddNativeOutputsApi(const Context& context, http::Router& router);  // outputs, reviews, exports
void AddNativeLedgerApi(const Context& context, http::Router& router);   // checkpoint, entries, evidence

}  // namespace glovebox::api
