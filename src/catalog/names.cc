// SPDX-License-Identifier: Apache-2.0
#include "catalog/names.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/invalid_parameter.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "catalog/privileges.h"

namespace glovebox::catalog {
namespace {

Result<Name> Fold(std::string_view name, std::string_view what) {
  GB_ASSIGN_OR_RETURN(std::string text, ToNfc(name));
  GB_ASSIGN_OR_RETURN(std::string key, NfkcTrimLower(name));
  if (key.empty()) {
    return InvalidParameter("The " + std::string(what) + " is empty.");
  }
  return Name{std::move(text), std::move(key)};
}

}  // namespace

Result<Name> CheckedName(std::string_view name, std::string_view what) {
  GB_RETURN_IF_ERROR(CheckSecurableName(name, what));
  return Fold(name, what);
}

std::string NameKey(std::string_view name) {
  auto key = NfkcTrimLower(name);
  return key.ok() ? std::move(key).value() : std::string();
}

Result<Name> CheckedPrincipalName(std::string_view name) {
  if (name.empty() || name.size() > limits::kNameBytesMax) {
    return InvalidParameter("The principal's name must have 1 to " + std::to_string(limits::kNameBytesMax) + " bytes.");
  }
  if (std::any_of(name.begin(), name.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f || c == '`'; })) {
    return InvalidParameter("The principal's name contains a control character or a backtick.");
  }
  return Fold(name, "principal's name");
}

Result<Name> CheckedColumnName(std::string_view name) {
  if (name.size() > limits::kNameBytesMax) {
    return InvalidParameter("A column's name is longer than " + std::to_string(limits::kNameBytesMax) + " bytes.");
  }
  if (std::any_of(name.begin(), name.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; })) {
    return InvalidParameter("A column's name contains a control character.");
  }
  GB_ASSIGN_OR_RETURN(Name checked, Fold(name, "column's name"));
  checked.text = std::string(name);
  return checked;
}

Status CheckComment(std::string_view comment) {
  if (comment.size() > limits::kCommentBytesMax) {
    return InvalidParameter("The comment is longer than " + std::to_string(limits::kCommentBytesMax) + " bytes.");
  }
  if (!IsValidUtf8(comment)) {
    return InvalidParameter("The comment is not valid UTF-8.");
  }
  return Status();
}

Result<std::vector<std::string>> SplitFullName(SecurableKind kind, std::string_view full_name) {
  std::size_t count = 1;
  const char* form = "name";
  if (kind == SecurableKind::kCleanRoom || kind == SecurableKind::kMetastore) {
    return std::vector<std::string>{std::string(full_name)};
  }
  if (kind == SecurableKind::kSchema) {
    count = 2;
    form = "catalog.schema";
  } else if (kind != SecurableKind::kCatalog) {
    count = 3;
    form = "catalog.schema.name";
  }
  std::vector<std::string> parts = Split(full_name, '.');
  const bool has_empty = std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty(); });
  if (parts.size() != count || has_empty) {
    return InvalidParameter("The name of a " + AsciiLower(DisplayName(kind)) + " has the form " + form + ".");
  }
  return parts;
}

}  // namespace glovebox::catalog
