// SPDX-License-Identifier: Apache-2.0
//
// Constants for tests that put expressions together by hand.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "query/expr.h"

namespace glovebox::query {

inline ExprPtr MakeText(std::string text) { return MakeLiteral({.type = Type::Text(), .value = std::move(text)}); }
inline ExprPtr MakeInteger(std::int64_t value) { return MakeLiteral({.type = Type::Integer(64), .value = value}); }
inline ExprPtr MakeNull() { return MakeLiteral({}); }

}  // namespace glovebox::query
