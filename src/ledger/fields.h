// SPDX-License-Identifier: Apache-2.0
//
// Reading of the ledger's own JSON: objects with exactly the members that are named. Errors are
// INVALID_PARAMETER_VALUE and name the member, never its value.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "ledger/merkle.h"

namespace glovebox::ledger {

// The member of this object as a string. Returns an error if it is absent or of another kind.
Result<std::string> StringField(const json::Value& object, std::string_view key);
Result<std::uint64_t> SizeField(const json::Value& object, std::string_view key);
// A hash in lower-case hexadecimal.
Result<Hash> HashField(const json::Value& object, std::string_view key);
// Whether the text is a SHA-256 in lower-case hexadecimal.
bool IsDigest(std::string_view text);
// Returns an error if `value` is no object or has a member that is not named.
Status CheckMembers(const json::Value& value, std::string_view what, std::initializer_list<std::string_view> members);
// The rules for what the ledger holds: integers within 2^53 - 1, ASCII keys, UTF-8, bounded depth.
Status CheckLedgerJson(const json::Value& value);

}  // namespace glovebox::ledger
