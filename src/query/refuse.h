// SPDX-License-Identifier: Apache-2.0
//
// A refusal of the planner: the rule, the position, and what to write instead (PLANNER.md P13).
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "base/result.h"

namespace glovebox::query {

inline Status Refuse(const char* rule, std::size_t position, std::string message) {
  return Status(ErrorCode::kQueryRefused, std::move(message)).WithRule(rule).At(position);
}

}  // namespace glovebox::query
