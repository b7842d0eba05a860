// SPDX-License-Identifier: Apache-2.0
#include "crypto/sodium_start.h"

#include <sodium.h>

#include "base/assert.h"

namespace glovebox::crypto {

void StartSodium() {
  static const int result = sodium_init();
  GB_ASSERT(result >= 0);
}

}  // namespace glovebox::crypto
