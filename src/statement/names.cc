// SPDX-License-Identifier: Apache-2.0
#include "statement/names.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/result.h"
#include "base/strings.h"
#include "catalog/privileges.h"
#include "query/functions.h"
#include "statement/statement.h"

namespace glovebox::statement {
namespace {

std::size_t PartsOf(SecurableKind kind) {
  switch (kind) {
    case SecurableKind::kMetastore:
      return 0;
    case SecurableKind::kCatalog:
    case SecurableKind::kCleanRoom:
      return 1;
    case SecurableKind::kSchema:
      return 2;
    default:
      return 3;
  }
}

}  // namespace

Result<std::string> FullName(SecurableKind kind, const ObjectName& name, const Defaults& defaults) {
  const std::size_t count = PartsOf(kind);
  if (name.parts.size() > count) {
    return Status(ErrorCode::kInvalidParameterValue, "The name of a " + AsciiLower(catalog::DisplayName(kind)) +
                                                         " has at most " + std::to_string(count) +
                                                         (count == 1 ? " part." : " parts."))
        .At(name.position);
  }
  if (kind == SecurableKind::kMetastore) {
    return std::string();
  }
  for (const std::string& part : name.parts) {
    if (kind != SecurableKind::kCleanRoom && part.find('.') != std::string::npos) {
      return Status(ErrorCode::kInvalidParameterValue, "A part of a name has no dot, also in backticks.")
          .At(name.position);
    }
  }
  // Missing parts come from the left; what is missing for a schema is its catalog.
  const std::array<std::string, 2> defaulted = {defaults.catalog, defaults.schema};
  const std::size_t missing = std::min(count - name.parts.size(), defaulted.size());
  std::vector<std::string> parts(defaulted.begin(), defaulted.begin() + static_cast<std::ptrdiff_t>(missing));
  if (std::ranges::any_of(parts, &std::string::empty)) {
    return Status(ErrorCode::kInvalidParameterValue,
                  count == 2 ? "The statement has no default catalog; write catalog.schema."
                             : "The statement has no default catalog and schema; write catalog.schema.name.")
        .At(name.position);
  }
  parts.insert(parts.end(), name.parts.begin(), name.parts.end());
  return Join(parts, ".");
}

bool IsBuiltIn(const std::string& name) {
  const std::string lower = AsciiLower(name);
  return query::FindScalarFunction(lower) != nullptr || query::FindAggregateFunction(lower) != nullptr ||
         query::FindWindowFunction(lower) != nullptr || query::IsKnownAggregateName(lower);
}

}  // namespace glovebox::statement
