// SPDX-License-Identifier: Apache-2.0
//
// Expressions as DuckDB text. What can raise an error is wrapped so that it gives NULL (PLANNER.md P11).
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "query/expr.h"

namespace glovebox::query {

using AttrNames = std::function<std::string(AttrId)>;
// Prints a subquery; nullptr where there are none.
using RelPrinter = std::function<std::string(const Rel&)>;

std::string PrintExpr(const Expr& expr, const AttrNames& names, const RelPrinter& rels = nullptr);
// "name", with quotes doubled.
std::string QuoteName(std::string_view name);

}  // namespace glovebox::query
