// SPDX-License-Identifier: Apache-2.0
//
// Names as the catalogue stores them: NFC, checked, with a folded key by which they are unique and found. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/privileges.h"

namespace glovebox::catalog {

struct Name {
  std::string text;  // NFC, in the case in which it was given
  std::string key;   // folded
};

// Unity Catalog's rules for one part of a name.
Result<Name> CheckedName(std::string_view name, std::string_view what);
// For look-ups: the key under which a name is found, if there is any such name; never an error.
std::string NameKey(std::string_view name);
// Names of principals, which may have spaces and dots.
Result<Name> CheckedPrincipalName(std::string_view name);
// Names of columns are those of the table's file, byte for byte, so they are checked and not changed.
Result<Name> CheckedColumnName(std::string_view name);
Status CheckComment(std::string_view comment);

// The parts of "catalog.schema.table". Returns INVALID_PARAMETER_VALUE unless there are as many as the kind has.
Result<std::vector<std::string>> SplitFullName(SecurableKind kind, std::string_view full_name);

}  // namespace glovebox::catalog
