// SPDX-License-Identifier: Apache-2.0
//
// Databricks' endpoints for everything that belongs to one organisation: identity, the tree of securables, grants,
// files, secrets, SQL statements. Rooms, jobs and the native API are beside this.
//
// Each function adds its routes. REQUIRES: the services in `context` that the group works with are there (asserted).
// Who learns what: an endpoint sees the caller's organisation only; what he may not know is 404, what he may not do
// 403. Threads: call from one thread, before the server starts.
#pragma once

#include <string>

#include "api/context.h"
#include "http/router.h"

namespace glovebox::api {

// What a client asks before it signs in: where the server's OAuth endpoints are (they say that there is no OAuth).
// `scheme` is "http" or "https". No token is needed.
void AddDiscoveryApi(http::Router& router, const std::string& scheme);
// SCIM 2.0: the caller, users, groups, service principals; personal access tokens.
void AddIdentityApi(const Context& context, http::Router& router);
void AddTokensApi(const Context& context, http::Router& router);
// Metastore, catalogs, schemas, volumes.
void AddCatalogApi(const Context& context, http::Router& router);
// Tables, which are created by SQL, and functions.
void AddTablesApi(const Context& context, http::Router& router);
void AddGrantsApi(const Context& context, http::Router& router);
// Files and directories of volumes, streamed both ways.
void AddFilesApi(const Context& context, http::Router& router);
// Secrets go in and are used by governance functions; no endpoint hands a value out.
void AddSecretsApi(const Context& context, http::Router& router);

}  // namespace glovebox::api
