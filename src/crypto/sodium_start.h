// SPDX-License-Identifier: Apache-2.0
//
// libsodium wants one call before all others; every function of this folder that uses it makes it first.
// Threads: may be called from any.
#pragma once

namespace glovebox::crypto {

void StartSodium();

}  // namespace glovebox::crypto
