// SPDX-License-Identifier: Apache-2.0
//
// Expressions as DuckDB text. What can raise an error is wrapped so that it gives NULL (PLANNER.md P11), but for casts
// of an owner's own query that are to fail: these carry the place in his text, which DuckDB's message quotes. With
// Places::kAll everything that can have wrong types carries it: a text to learn the place of a failure from, and of no
// other use.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "query/expr.h"

namespace glovebox::query {

using AttrNames = std::function<std::string(AttrId)>;
// Prints a subquery; nullptr where there are none.
using RelPrinter = std::function<std::string(const Rel&)>;

enum class Places { kFailingCasts, kAll };

std::string PrintExpr(const Expr& expr, const AttrNames& names, const RelPrinter& rels = nullptr,
                      Places places = Places::kFailingCasts);
// /*17*/, right behind CAST( where a value that does not fit is an error; with Places::kAll before names and operators.
std::string PlaceMark(std::size_t position);
// "name", with quotes doubled.
std::string QuoteName(std::string_view name);
// Groups by the first so many columns of the select list; nothing for none. GROUP BY ALL is not the same: for DuckDB a
// column with TRY(...) in it is no key.
std::string GroupBySql(std::size_t keys);

}  // namespace glovebox::query
