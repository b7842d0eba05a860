// SPDX-License-Identifier: Apache-2.0
#include "api/router.h"

#include "api/catalog_apis.h"
#include "api/health_api.h"
#include "api/room_apis.h"
#include "api/sql_api.h"
#include "base/assert.h"

namespace glovebox::api {

http::Router MakeRouter(const Context& context, StatementRuns& runs, const std::string& scheme) {
  GB_ASSERT(context.metrics != nullptr);
  http::Router router;
  AddHealthApi(*context.metrics, router);
  AddDiscoveryApi(router, scheme);
  for (const auto add : {AddIdentityApi, AddTokensApi, AddCatalogApi, AddTablesApi, AddGrantsApi, AddFilesApi,
                         AddSecretsApi, AddRoomsApi, AddRoomAssetsApi, AddApprovalRulesApi, AddJobsApi, AddRoomRunsApi,
                         AddNativeRoomsApi, AddNativeOutputsApi, AddNativeLedgerApi}) {
    add(context, router);
  }
  AddSqlApi(context, runs, router);
  return router;
}

}  // namespace glovebox::api
