// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "base/limits.h"

namespace glovebox {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool IsAsciiSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsAsciiControl(char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

const utf8proc_uint8_t* Bytes(std::string_view text) { return reinterpret_cast<const utf8proc_uint8_t*>(text.data()); }

Status NotUtf8() { return Status(ErrorCode::kInvalidParameterValue, "the text is not valid UTF-8"); }

// The next code point of `text`, which is cut; negative if it is not UTF-8.
utf8proc_int32_t NextCodePoint(std::string_view& text) {
  utf8proc_int32_t code_point = -1;
  const utf8proc_ssize_t length =
      utf8proc_iterate(Bytes(text), static_cast<utf8proc_ssize_t>(text.size()), &code_point);
  if (length <= 0) {
    return -1;
  }
  text.remove_prefix(static_cast<std::size_t>(length));
  return code_point;
}

Result<std::string> Normalise(std::string_view text, int options) {
  if (text.empty()) {
    return std::string();
  }
  utf8proc_uint8_t* raw = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(Bytes(text), static_cast<utf8proc_ssize_t>(text.size()), &raw,
                   static_cast<utf8proc_option_t>(options | UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, Free> owned(raw);
  if (length < 0) {
    return NotUtf8();
  }
  return std::string(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(length));
}

// Unicode's property White_Space.
bool IsSpace(utf8proc_int32_t code_point) {
  if ((code_point >= 0x09 && code_point <= 0x0D) || code_point == 0x85) {
    return true;
  }
  const utf8proc_category_t category = utf8proc_category(code_point);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

// Lower case, without white space at both ends. REQUIRES: valid UTF-8.
std::string LowerAndTrim(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  std::size_t trimmed_size = 0;
  while (!text.empty()) {
    const utf8proc_int32_t code_point = NextCodePoint(text);
    const bool is_space = IsSpace(code_point);
    if (is_space && lower.empty()) {
      continue;
    }
    std::array<utf8proc_uint8_t, 4> bytes{};
    const utf8proc_ssize_t length = utf8proc_encode_char(utf8proc_tolower(code_point), bytes.data());
    lower.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
    trimmed_size = is_space ? trimmed_size : lower.size();
  }
  lower.resize(trimmed_size);
  return lower;
}

Status CheckName(std::string_view name, std::string_view what, std::string_view forbidden) {
  if (name.empty() || name.size() > limits::kNameBytesMax) {
    return Status(ErrorCode::kInvalidParameterValue,
                  fmt::format("{} must have 1 to {} bytes", what, limits::kNameBytesMax));
  }
  if (!IsValidUtf8(name)) {
    return Status(ErrorCode::kInvalidParameterValue, fmt::format("{} is not valid UTF-8", what));
  }
  if (std::any_of(name.begin(), name.end(), IsAsciiControl)) {
    return Status(ErrorCode::kInvalidParameterValue, fmt::format("{} must not contain control characters", what));
  }
  const std::size_t at = name.find_first_of(forbidden);
  if (at != std::string_view::npos) {
    return Status(ErrorCode::kInvalidParameterValue, fmt::format("{} must not contain '{}'", what, name[at]));
  }
  return Status();
}

}  // namespace

std::string AsciiLower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

std::string AsciiUpper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), Upper);
  return upper;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view TrimAscii(std::string_view text) {
  while (!text.empty() && IsAsciiSpace(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && IsAsciiSpace(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t end = text.find(separator); end != std::string_view::npos; end = text.find(separator)) {
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.emplace_back(text);
  return parts;
}

std::string Join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    joined += i == 0 ? std::string_view() : separator;
    joined += parts[i];
  }
  return joined;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      text.remove_prefix(1);
    } else if (NextCodePoint(text) < 0) {
      return false;
    }
  }
  return true;
}

Result<std::string> ToNfc(std::string_view text) { return Normalise(text, 0); }

Result<std::string> NfkcTrimLower(std::string_view text) {
  GB_ASSIGN_OR_RETURN(const std::string compatible, Normalise(text, UTF8PROC_COMPAT));
  // Some letters compose only in lower case (J with caron), so without the second pass equal words would differ.
  return Normalise(LowerAndTrim(compatible), UTF8PROC_COMPAT);
}

Status CheckSecurableName(std::string_view name, std::string_view what) { return CheckName(name, what, "./ "); }

Status CheckPathSafeName(std::string_view name, std::string_view what) {
  GB_RETURN_IF_ERROR(CheckName(name, what, "/?#%\\"));
  if (name == "." || name == "..") {
    return Status(ErrorCode::kInvalidParameterValue, fmt::format("{} must not be '.' or '..'", what));
  }
  return Status();
}

}  // namespace glovebox
