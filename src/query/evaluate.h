// SPDX-License-Identifier: Apache-2.0
//
// Evaluates an expression over one column for one constant: how conditions and group keys on listed domains become
// subsets and partitions without touching data. Only what is total and deterministic is evaluated; the rest is refused.
#pragma once

#include <map>

#include "base/result.h"
#include "query/expr.h"

namespace glovebox::query {

// `value` stands for attribute `attr`; no other attribute may occur. Returns QUERY_REFUSED (P3) if a function is not
// available here, or if types do not fit. SQL's three-valued logic; NULL is a Literal without a value.
Result<ast::Literal> Evaluate(const Expr& expr, AttrId attr, const ast::Literal& value);

// The same with a value for each attribute that may occur.
Result<ast::Literal> Evaluate(const Expr& expr, const std::map<AttrId, ast::Literal>& values);

// An expression without attributes.
Result<ast::Literal> EvaluateConstant(const Expr& expr);

// LIKE with %, _ and an escape character (0: none), over Unicode code points.
bool LikeMatches(std::string_view text, std::string_view pattern, char escape);

}  // namespace glovebox::query
