// SPDX-License-Identifier: Apache-2.0
//
// Small text helpers. ASCII functions leave other bytes alone; Unicode ones say so in their names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace glovebox {

std::string AsciiLower(std::string_view text);
std::string AsciiUpper(std::string_view text);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
std::string_view TrimAscii(std::string_view text);
std::vector<std::string> Split(std::string_view text, char separator);  // keeps empty parts
std::string Join(const std::vector<std::string>& parts, std::string_view separator);

bool IsValidUtf8(std::string_view text);
// Unicode normal forms and simple lower case (utf8proc). REQUIRES: valid UTF-8, else returns INVALID_PARAMETER_VALUE.
Result<std::string> ToNfc(std::string_view text);
// The canonical form of a privacy unit's part: NFKC, trimmed of Unicode white space, lower case.
Result<std::string> NfkcTrimLower(std::string_view text);

// Unity Catalog's rules for one part of a name: 1 to 255 bytes, no '.', '/', space, control characters or DEL.
// `what` names it in the error.
Status CheckSecurableName(std::string_view name, std::string_view what);
// A name that may stand in a URL path and on a file system: no / ? # % \ or control characters, not "." or "..".
Status CheckPathSafeName(std::string_view name, std::string_view what);

}  // namespace glovebox
