// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "base/json.h"

namespace glovebox::json {
namespace {

Status Missing(std::string_view what, std::string_view key) {
  return Status(ErrorCode::kInvalidParameterValue, fmt::format("{}: '{}' is missing", what, key));
}

Status Unlike(std::string_view what, std::string_view key, std::string_view kind) {
  return Status(ErrorCode::kInvalidParameterValue, fmt::format("{}: '{}' must be {}", what, key, kind));
}

// Clients of Databricks write int64 as a number or, where JavaScript must read it, as its digits.
Result<std::int64_t> ToInt64(const Value& value, std::string_view what, std::string_view key) {
  if (value.is_int()) {
    return value.as_int();
  }
  std::int64_t number = 0;
  if (value.is_string()) {
    const std::string& text = value.as_string();
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && stop == end) {
      return number;
    }
  }
  return Unlike(what, key, "an integer");
}

}  // namespace

Result<ObjectReader> ObjectReader::Of(const Value& value, std::string_view what) {
  if (!value.is_object()) {
    return Status(ErrorCode::kInvalidParameterValue, fmt::format("{} must be a JSON object", what));
  }
  return ObjectReader(&value.as_object(), what);
}

const Value* ObjectReader::Find(std::string_view key) const {
  const Value* value = object_->Find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<std::string> ObjectReader::RequiredString(std::string_view key) const {
  return Find(key) == nullptr ? Missing(what_, key) : OptionalString(key);
}

Result<std::string> ObjectReader::OptionalString(std::string_view key, std::string_view fallback) const {
  const Value* value = Find(key);
  if (value == nullptr) {
    return std::string(fallback);
  }
  if (!value->is_string()) {
    return Unlike(what_, key, "a string");
  }
  return value->as_string();
}

Result<std::int64_t> ObjectReader::OptionalInt(std::string_view key, std::int64_t fallback) const {
  const Value* value = Find(key);
  return value == nullptr ? fallback : ToInt64(*value, what_, key);
}

Result<std::int64_t> ObjectReader::RequiredInt(std::string_view key) const {
  const Value* value = Find(key);
  return value == nullptr ? Missing(what_, key) : ToInt64(*value, what_, key);
}

Result<bool> ObjectReader::OptionalBool(std::string_view key, bool fallback) const {
  const Value* value = Find(key);
  if (value == nullptr) {
    return fallback;
  }
  if (!value->is_bool()) {
    return Unlike(what_, key, "true or false");
  }
  return value->as_bool();
}

Result<std::vector<std::string>> ObjectReader::OptionalStrings(std::string_view key) const {
  std::vector<std::string> strings;
  const Value* value = Find(key);
  if (value == nullptr) {
    return strings;
  }
  if (!value->is_array()) {
    return Unlike(what_, key, "an array of strings");
  }
  for (const Value& item : value->as_array()) {
    if (!item.is_string()) {
      return Unlike(what_, key, "an array of strings");
    }
    strings.push_back(item.as_string());
  }
  return strings;
}

}  // namespace glovebox::json
