// SPDX-License-Identifier: Apache-2.0
//
// GB_ASSERT states an invariant of our own code and stays on in release builds: a server that no
// longer knows whether a cell may be released must stop, not guess. It is never used on input; bad
// input is a Status.
#pragma once

namespace glovebox {

// Prints the failed condition and its place to stderr, without any value, and aborts.
[[noreturn]] void AssertionFailed(const char* condition, const char* file, int line);

}  // namespace glovebox

#define GB_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::glovebox::AssertionFailed(#condition, __FILE__, __LINE__))
