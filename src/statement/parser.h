// SPDX-License-Identifier: Apache-2.0
//
// One SQL statement in Databricks' form. What is not a query is parsed here in full; a query is only recognised by how
// it begins. Pure: no names are looked up.
//
// Errors: SQL_SYNTAX_ERROR, and NOT_SUPPORTED for what is known and refused, with a position and what to write instead.
// REQUIRES: nothing of `text`; it is hostile. Threads: no state.
#pragma once

#include <string_view>

#include "base/result.h"
#include "statement/statement.h"

namespace glovebox::statement {

Result<Statement> Parse(std::string_view text);

}  // namespace glovebox::statement
