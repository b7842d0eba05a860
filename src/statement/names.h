// SPDX-License-Identifier: Apache-2.0
//
// Full names from names as they are written, with the default catalog and schema of the statement. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "statement/statement.h"

namespace glovebox::statement {

struct Defaults {
  std::string catalog;  // may be empty
  std::string schema;
};

// "catalog.schema.name", "catalog.schema" or "catalog", as the kind needs. Returns INVALID_PARAMETER_VALUE with the
// name's position if parts are missing and there is no default, or if there are too many.
Result<std::string> FullName(SecurableKind kind, const ObjectName& name, const Defaults& defaults);

// Whether SQL has a function of this name already.
bool IsBuiltIn(const std::string& name);

}  // namespace glovebox::statement
