// SPDX-License-Identifier: Apache-2.0
//
// SHOW and DESCRIBE: what the catalogue knows, as rows, with Databricks' names of columns. Only what the caller may
// know is in them. Threads: no state.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "catalog/catalog.h"
#include "statement/executor.h"
#include "statement/names.h"

namespace glovebox::statement {

Result<StatementResult> ShowObjects(const catalog::Catalog& catalog, const catalog::Caller& caller, const Show& show,
                                    const Defaults& defaults, std::int64_t row_limit);
Result<StatementResult> ShowPrivileges(const catalog::Catalog& catalog, const catalog::Caller& caller,
                                       const ShowGrants& show, const Defaults& defaults);
Result<StatementResult> ShowColumns(const catalog::Catalog& catalog, const catalog::Caller& caller,
                                    const DescribeTable& describe, const Defaults& defaults);

}  // namespace glovebox::statement
