// SPDX-License-Identifier: Apache-2.0
//
// What a worker finds when it tries to get out. Runs in the worker, inside the barriers.
#pragma once

#include "base/result.h"
#include "engine/worker/barrier.h"

namespace glovebox::engine::worker {

// The report, if no attempt succeeds that it says must fail; otherwise INTERNAL_ERROR.
Result<BarrierReport> TryToGetOut(const BarrierReport& report);

}  // namespace glovebox::engine::worker
