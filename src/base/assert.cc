// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace glovebox {

void AssertionFailed(const char* condition, const char* file, int line) {
  static_cast<void>(std::fprintf(stderr, "assertion failed: %s at %s:%d\n", condition, file, line));
  std::abort();
}

}  // namespace glovebox
