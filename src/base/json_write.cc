// SPDX-License-Identifier: Apache-2.0
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/strings.h"

namespace glovebox::json {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
enum class Form { kPlain, kCanonical };

void AppendInt(std::int64_t number, std::string& out) {
  std::array<char, 24> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  GB_ASSERT(error == std::errc());
  out.append(buffer.data(), end);
}

// ECMAScript's Number::toString (ECMA-262, 6.1.6.1.20) of a finite number that is not zero: the shortest digits
// that read back as the same number, plain between 1e-6 and 1e21.
void AppendEcmaScript(double number, std::string& out) {
  std::array<char, 32> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(number), std::chars_format::scientific);
  GB_ASSERT(error == std::errc());
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t e = text.find('e');
  const char* const exponent_begin = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  int exponent = 0;
  std::from_chars(exponent_begin, end, exponent);
  std::string digits(text.substr(0, 1));
  digits += e > 1 ? text.substr(2, e - 2) : std::string_view();
  const int count = static_cast<int>(digits.size());

  out += number < 0 ? "-" : "";
  if (exponent >= 0 && exponent < 21) {
    if (count <= exponent + 1) {
      out += digits;
      out.append(static_cast<std::size_t>(exponent) + 1 - static_cast<std::size_t>(count), '0');
    } else {
      out.append(digits, 0, static_cast<std::size_t>(exponent) + 1);
      out += '.';
      out.append(digits, static_cast<std::size_t>(exponent) + 1);
    }
  } else if (exponent < 0 && exponent >= -6) {
    out += "0.";
    out.append(static_cast<std::size_t>(-exponent - 1), '0');
    out += digits;
  } else {
    out += digits[0];
    out += count > 1 ? "." : "";
    out.append(digits, 1);
    out += exponent < 0 ? "e" : "e+";
    AppendInt(exponent, out);
  }
}

void AppendDouble(double number, Form form, std::string& out) {
  GB_ASSERT(form == Form::kPlain || std::isfinite(number));
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  const std::size_t begin = out.size();
  if (number == 0) {
    out += form == Form::kPlain && std::signbit(number) ? "-0" : "0";
  } else {
    AppendEcmaScript(number, out);
  }
  if (form == Form::kPlain && out.find_first_of(".e", begin) == std::string::npos) {
    out += ".0";
  }
}

// Bytes compare like code points; UTF-16 code units too, except that the surrogates of what lies above U+FFFF come
// before U+E000 to U+FFFF. In UTF-8 these begin with F0 and more, and with EE and EF.
bool LessInUtf16(std::string_view a, std::string_view b) {
  const auto [at_a, at_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at_a == a.end() || at_b == b.end()) {
    return at_a == a.end() && at_b != b.end();
  }
  const auto unit_a = static_cast<unsigned char>(*at_a);
  const auto unit_b = static_cast<unsigned char>(*at_b);
  if (unit_a >= 0xEE && unit_b >= 0xEE && (unit_a >= 0xF0) != (unit_b >= 0xF0)) {
    return unit_a >= 0xF0;
  }
  return unit_a < unit_b;
}

void AppendValue(const Value& value, Form form, std::string& out);

void AppendMember(const Member& member, Form form, std::string& out) {
  AppendQuoted(member.first, out);
  out += ':';
  AppendValue(member.second, form, out);
  out += ',';
}

void AppendObject(const Object& object, Form form, std::string& out) {
  out += '{';
  if (form == Form::kPlain) {
    for (const Member& member : object) {
      AppendMember(member, form, out);
    }
  } else {
    std::vector<const Member*> members;
    members.reserve(object.size());
    for (const Member& member : object) {
      members.push_back(&member);
    }
    std::sort(members.begin(), members.end(),
              [](const Member* a, const Member* b) { return LessInUtf16(a->first, b->first); });
    for (const Member* member : members) {
      AppendMember(*member, form, out);
    }
  }
  if (object.empty()) {
    out += '}';
  } else {
    out.back() = '}';
  }
}

void AppendArray(const Array& array, Form form, std::string& out) {
  out += '[';
  for (const Value& item : array) {
    AppendValue(item, form, out);
    out += ',';
  }
  if (array.empty()) {
    out += ']';
  } else {
    out.back() = ']';
  }
}

void AppendValue(const Value& value, Form form, std::string& out) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_int()) {
    AppendInt(value.as_int(), out);
  } else if (value.is_double()) {
    AppendDouble(value.as_double(), form, out);
  } else if (value.is_string()) {
    AppendQuoted(value.as_string(), out);
  } else if (value.is_array()) {
    AppendArray(value.as_array(), form, out);
  } else {
    AppendObject(value.as_object(), form, out);
  }
}

void AppendEscape(char c, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kLetters = "btnvfr";  // of 0x08 to 0x0D; JSON has no \v
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (c >= '\b' && c <= '\r' && c != '\v') {
    out += '\\';
    out += kLetters[static_cast<std::size_t>(c - '\b')];
  } else {
    out += "\\u00";
    out += kHex[static_cast<unsigned char>(c) >> 4U];
    out += kHex[static_cast<unsigned char>(c) & 15U];
  }
}

// Appends one code point, or the replacement character for a byte that begins none; returns the bytes it took.
std::size_t AppendCodePoint(std::string_view text, std::string& out) {
  utf8proc_int32_t code_point = -1;
  const utf8proc_ssize_t length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                                   static_cast<utf8proc_ssize_t>(text.size()), &code_point);
  if (length <= 0) {
    out += kReplacement;
    return 1;
  }
  out += text.substr(0, static_cast<std::size_t>(length));
  return static_cast<std::size_t>(length);
}

}  // namespace

void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  std::size_t plain = 0;  // begin of what was not copied yet
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x80) {
      out += text.substr(plain, i - plain);
      i += AppendCodePoint(text.substr(i), out);
      plain = i;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') {
      out += text.substr(plain, i - plain);
      AppendEscape(c, out);
      plain = ++i;
    } else {
      ++i;
    }
  }
  out += text.substr(plain);
  out += '"';
}

std::string Write(const Value& value) {
  std::string out;
  AppendValue(value, Form::kPlain, out);
  return out;
}

std::string WriteCanonical(const Value& value) {
  std::string out;
  AppendValue(value, Form::kCanonical, out);
  return out;
}

}  // namespace glovebox::json
