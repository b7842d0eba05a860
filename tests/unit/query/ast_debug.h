// SPDX-License-Identifier: Apache-2.0
//
// A tree as one line of text, for tests: (select [a (count_star) as n] from t). Literals are shown, so it
// is not for logs.
#pragma once

#include <string>

#include "query/ast.h"

namespace glovebox::query::ast {

std::string DebugString(const Query& query);
std::string DebugString(const Expr& expr);
std::string DebugString(const From& from);

}  // namespace glovebox::query::ast
