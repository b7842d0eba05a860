// SPDX-License-Identifier: Apache-2.0
//
// Landlock: the process gives up every access to files but the named ones, and TCP. Internal to engine/worker.
// Threads: REQUIRES a process with a single thread; restricts it for good.
#pragma once

#include "base/result.h"
#include "engine/worker/barrier.h"

namespace glovebox::engine::worker {

// The ABI version that was applied; 0 if the kernel has no Landlock. An error if it has and refuses.
Result<int> ApplyLandlock(const Confinement& confinement);

}  // namespace glovebox::engine::worker
