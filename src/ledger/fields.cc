// SPDX-License-Identifier: Apache-2.0
#include "ledger/fields.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/encoding.h"
#include "base/errors.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "ledger/merkle.h"

namespace glovebox::ledger {
namespace {

constexpr std::int64_t kIntegerMax = (std::int64_t{1} << 53U) - 1;

Status Bad(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80U; });
}

Status CheckAtDepth(const json::Value& value, std::size_t depth);

Status CheckObject(const json::Object& object, std::size_t depth) {
  for (const auto& [key, member] : object) {
    if (!IsAscii(key)) {
      return Bad("a key in a ledger entry is not ASCII");
    }
    GB_RETURN_IF_ERROR(CheckAtDepth(member, depth + 1));
  }
  return {};
}

Status CheckAtDepth(const json::Value& value, std::size_t depth) {
  if (depth > limits::kLedgerJsonDepthMax) {
    return Bad("a ledger entry is nested too deeply");
  }
  if (value.is_double()) {
    return Bad("a number in a ledger entry is not an integer; write decimals as strings");
  }
  if (value.is_int() && (value.as_int() > kIntegerMax || value.as_int() < -kIntegerMax)) {
    return Bad("an integer in a ledger entry is beyond 2^53 - 1");
  }
  if (value.is_string() && !IsValidUtf8(value.as_string())) {
    return Bad("a string in a ledger entry is not UTF-8");
  }
  if (value.is_object()) {
    return CheckObject(value.as_object(), depth);
  }
  if (value.is_array()) {
    for (const json::Value& element : value.as_array()) {
      GB_RETURN_IF_ERROR(CheckAtDepth(element, depth + 1));
    }
  }
  return {};
}

}  // namespace

Result<std::string> StringField(const json::Value& object, std::string_view key) {
  const json::Value* member = object.Get(key);
  if (member == nullptr || !member->is_string()) {
    return Bad("the member '" + std::string(key) + "' is missing or no string");
  }
  return member->as_string();
}

Result<std::uint64_t> SizeField(const json::Value& object, std::string_view key) {
  const json::Value* member = object.Get(key);
  if (member == nullptr || !member->is_int() || member->as_int() < 0) {
    return Bad("the member '" + std::string(key) + "' is missing or no count");
  }
  return static_cast<std::uint64_t>(member->as_int());
}

Result<Hash> HashField(const json::Value& object, std::string_view key) {
  GB_ASSIGN_OR_RETURN(const std::string text, StringField(object, key));
  if (!IsDigest(text)) {
    return Bad("the member '" + std::string(key) + "' is no SHA-256 in hexadecimal");
  }
  GB_ASSIGN_OR_RETURN(const std::string bytes, HexDecode(text));
  return *HashFromBytes(bytes);
}

bool IsDigest(std::string_view text) {
  return text.size() == 2 * kHashBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Status CheckMembers(const json::Value& value, std::string_view what, std::initializer_list<std::string_view> members) {
  if (!value.is_object()) {
    return Bad(std::string(what) + " is no object");
  }
  for (const auto& [key, member] : value.as_object()) {
    if (std::find(members.begin(), members.end(), key) == members.end()) {
      return Bad(std::string(what) + " has a member that is not known");
    }
  }
  return {};
}

Status CheckLedgerJson(const json::Value& value) { return CheckAtDepth(value, 0); }

}  // namespace glovebox::ledger
