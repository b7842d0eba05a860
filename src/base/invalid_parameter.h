// SPDX-License-Identifier: Apache-2.0
//
// The most common error: an argument is malformed, missing or out of its range. The message says which, and what to
// give instead; it goes to the caller.
#pragma once

#include <string>
#include <utility>

#include "base/errors.h"
#include "base/result.h"

namespace glovebox {

inline Status InvalidParameter(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }

}  // namespace glovebox
