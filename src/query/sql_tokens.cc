// SPDX-License-Identifier: Apache-2.0
#include "query/sql_tokens.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"

namespace glovebox::query {
namespace {

constexpr std::string_view kOperatorCharacters = "~!@#^&|?+-*/%<>=";
// A run that has one of these keeps a trailing + or -, as in PostgreSQL's scanner.
constexpr std::string_view kStickyOperatorCharacters = "~!@#^&|?%";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsHighByte(char c) { return static_cast<unsigned char>(c) >= 0x80U; }
bool StartsName(char c) { return IsAsciiLetter(c) || c == '_' || IsHighByte(c); }
bool ContinuesName(char c) { return StartsName(c) || IsDigit(c) || c == '$'; }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsOperator(char c) { return kOperatorCharacters.find(c) != std::string_view::npos; }

struct Range {
  char32_t first;
  char32_t last;
};

// They reorder what is displayed, so a reviewer would read another text than the one that runs.
constexpr std::array kBidirectional = {Range{0x202A, 0x202E}, Range{0x2066, 0x2069}};

// White space beyond ASCII and characters without a glyph.
constexpr std::array kInvisible = {
    Range{0x80, 0xA0},     Range{0xAD, 0xAD},     Range{0x34F, 0x34F},   Range{0x61C, 0x61C},     Range{0x115F, 0x1160},
    Range{0x1680, 0x1680}, Range{0x17B4, 0x17B5}, Range{0x180B, 0x180F}, Range{0x2000, 0x200F},   Range{0x2028, 0x202F},
    Range{0x205F, 0x206F}, Range{0x3000, 0x3000}, Range{0x3164, 0x3164}, Range{0xFE00, 0xFE0F},   Range{0xFEFF, 0xFEFF},
    Range{0xFFA0, 0xFFA0}, Range{0xFFF0, 0xFFFC}, Range{0xE000, 0xF8FF}, Range{0xE0000, 0x10FFFF}};

template <std::size_t kSize>
bool IsIn(const std::array<Range, kSize>& ranges, char32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [code](const Range& r) { return code >= r.first && code <= r.last; });
}

struct CodePoint {
  char32_t value;
  std::size_t size;
};

// REQUIRES: valid UTF-8 and at < text.size().
CodePoint Decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i])); };
  const char32_t lead = byte(0);
  if (lead < 0x80) {
    return {lead, 1};
  }
  if (lead < 0xE0) {
    return {((lead & 0x1FU) << 6U) | (byte(1) & 0x3FU), 2};
  }
  if (lead < 0xF0) {
    return {((lead & 0x0FU) << 12U) | ((byte(1) & 0x3FU) << 6U) | (byte(2) & 0x3FU), 3};
  }
  return {((lead & 0x07U) << 18U) | ((byte(1) & 0x3FU) << 12U) | ((byte(2) & 0x3FU) << 6U) | (byte(3) & 0x3FU), 4};
}

std::string HexCode(char32_t code) {
  std::array<char, 8> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<std::uint32_t>(code), 16);
  std::string const hex =
      AsciiUpper(std::string_view(digits.data(), static_cast<std::size_t>(result.ptr - digits.data())));
  return "U+" + std::string(hex.size() < 4 ? 4 - hex.size() : 0, '0') + hex;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> Run() {
    GB_RETURN_IF_ERROR(CheckCharacters());
    while (true) {
      GB_RETURN_IF_ERROR(SkipBlank());
      if (at_ == text_.size()) {
        return std::move(tokens_);
      }
      GB_RETURN_IF_ERROR(Next());
    }
  }

 private:
  [[nodiscard]] char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void Push(TokenKind kind, std::size_t end) {
    tokens_.push_back({kind, at_, end});
    at_ = end;
  }

  Status CheckCharacters() const {
    if (text_.size() > limits::kSqlTextBytesMax) {
      return SqlNotSupported(0, "the SQL text is longer than " + std::to_string(limits::kSqlTextBytesMax) + " bytes");
    }
    if (!IsValidUtf8(text_)) {
      return SqlSyntaxError(0, "the SQL text is not valid UTF-8");
    }
    for (std::size_t i = 0; i < text_.size();) {
      const CodePoint code = Decode(text_, i);
      if (code.value == 0 || IsIn(kBidirectional, code.value)) {
        return SqlSyntaxError(i, "the character " + HexCode(code.value) + " is not allowed in SQL text");
      }
      i += code.size;
    }
    return {};
  }

  Status SkipBlank() {
    while (at_ < text_.size()) {
      if (IsSpace(Peek())) {
        ++at_;
      } else if (Peek() == '-' && Peek(1) == '-') {
        while (at_ < text_.size() && Peek() != '\n' && Peek() != '\r') {
          ++at_;
        }
      } else if (Peek() == '/' && Peek(1) == '*') {
        GB_RETURN_IF_ERROR(SkipBlockComment());
      } else {
        break;
      }
    }
    return {};
  }

  Status SkipBlockComment() {
    const std::size_t start = at_;
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      if (Peek() == '/' && Peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (Peek() == '*' && Peek(1) == '/') {
        at_ += 2;
        if (--depth == 0) {
          return {};
        }
      } else {
        ++at_;
      }
    }
    return SqlSyntaxError(start, "the comment that starts here has no end (comments nest)");
  }

  Status Next() {
    const char c = Peek();
    if (StartsName(c)) {
      return Word();
    }
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) {
      return Number();
    }
    switch (c) {
      case '\'':
        return Quoted(TokenKind::kString, at_, '\'', /*backslash=*/false);
      case '"':
        return Quoted(TokenKind::kQuoted, at_, '"', /*backslash=*/false);
      case '`':
        return Quoted(TokenKind::kBacktick, at_, '`', /*backslash=*/false);
      case '$':
        return Dollar();
      case ':':
        return Colon();
      default:
        return Symbol();
    }
  }

  Status Word() {
    std::size_t end = at_;
    while (end < text_.size() && ContinuesName(text_[end])) {
      const CodePoint code = Decode(text_, end);
      if (IsIn(kInvisible, code.value)) {
        return SqlSyntaxError(end, "the invisible character " + HexCode(code.value) +
                                       " is not allowed here; use an ordinary space, or quote the name");
      }
      end += code.size;
    }
    const std::string prefix = AsciiLower(text_.substr(at_, end - at_));
    const char next = end < text_.size() ? text_[end] : '\0';
    if (next == '\'' && prefix == "e") {
      return Quoted(TokenKind::kString, end, '\'', /*backslash=*/true);
    }
    if (next == '\'' && (prefix == "x" || prefix == "b" || prefix == "n" || prefix == "r")) {
      return SqlNotSupported(at_, "strings with the prefix " + prefix + " are not supported; write an ordinary string");
    }
    if (prefix == "u" && next == '&' && end + 1 < text_.size() && (text_[end + 1] == '\'' || text_[end + 1] == '"')) {
      return SqlNotSupported(at_, "Unicode escapes (U&) are not supported; write the characters themselves");
    }
    Push(TokenKind::kWord, end);
    return {};
  }

  // `open` is the offset of the opening quote; the token starts at at_ (E'...').
  Status Quoted(TokenKind kind, std::size_t open, char quote, bool backslash) {
    for (std::size_t i = open + 1; i < text_.size(); ++i) {
      if (backslash && text_[i] == '\\') {
        ++i;
      } else if (text_[i] == quote) {
        if (i + 1 < text_.size() && text_[i + 1] == quote) {
          ++i;
          continue;
        }
        if (kind != TokenKind::kString && i == open + 1) {
          return SqlSyntaxError(at_, "a quoted name is empty");
        }
        Push(kind, i + 1);
        return {};
      }
    }
    return SqlSyntaxError(at_, kind == TokenKind::kString ? "the string that starts here has no end"
                                                          : "the quoted name that starts here has no end");
  }

  Status Number() {
    std::size_t end = at_;
    const auto digits = [&] {
      while (end < text_.size() && (IsDigit(text_[end]) || text_[end] == '_')) {
        ++end;
      }
    };
    digits();
    if (end < text_.size() && text_[end] == '.') {
      ++end;
      digits();
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      std::size_t exponent = end + 1;
      if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) {
        ++exponent;
      }
      if (exponent < text_.size() && IsDigit(text_[exponent])) {
        end = exponent;
        digits();
      }
    }
    if (end < text_.size() && (ContinuesName(text_[end]) || text_[end] == '.')) {
      return SqlSyntaxError(at_, "a number runs into what follows it");
    }
    GB_RETURN_IF_ERROR(CheckNumber(end));
    Push(TokenKind::kNumber, end);
    return {};
  }

  // DuckDB reads 1e400 as infinity.
  [[nodiscard]] Status CheckNumber(std::size_t end) const {
    std::string digits(text_.substr(at_, end - at_));
    digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
    double value = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (result.ec != std::errc()) {
      return Status(ErrorCode::kSqlType, "the number is out of the range of DOUBLE").At(at_);
    }
    return {};
  }

  // $name, $$text$$ or $tag$text$tag$.
  Status Dollar() {
    std::size_t end = at_ + 1;
    if (end < text_.size() && StartsName(text_[end])) {
      while (end < text_.size() && ContinuesName(text_[end]) && text_[end] != '$') {
        ++end;
      }
    }
    if (end < text_.size() && text_[end] == '$') {
      const std::string_view delimiter = text_.substr(at_, end + 1 - at_);
      const std::size_t close = text_.find(delimiter, end + 1);
      if (close == std::string_view::npos) {
        return SqlSyntaxError(at_, "the string that starts here has no end");
      }
      Push(TokenKind::kString, close + delimiter.size());
      return {};
    }
    return Parameter();
  }

  Status Colon() {
    const char next = Peek(1);
    if (next == ':' || next == '=') {
      Push(TokenKind::kSymbol, at_ + 2);
      return {};
    }
    if (StartsName(next)) {
      return Parameter();
    }
    Push(TokenKind::kSymbol, at_ + 1);
    return {};
  }

  Status Parameter() {
    std::size_t end = at_ + 1;
    if (end >= text_.size() || IsDigit(text_[end])) {
      return SqlNotSupported(at_, "parameters without a name are not supported; write :name");
    }
    while (end < text_.size() && (IsAsciiLetter(text_[end]) || IsDigit(text_[end]) || text_[end] == '_')) {
      ++end;
    }
    if (end == at_ + 1 || (end < text_.size() && ContinuesName(text_[end]))) {
      return SqlSyntaxError(at_, "a parameter's name has ASCII letters, digits and _ only, as in :name");
    }
    if (end - at_ > limits::kNameBytesMax) {
      return SqlNotSupported(at_, "the name of a parameter is too long");
    }
    Push(TokenKind::kParameter, end);
    return {};
  }

  Status Symbol() {
    if (!IsOperator(Peek())) {
      if (std::string_view(",()[]{}.;").find(Peek()) == std::string_view::npos) {
        return SqlSyntaxError(at_, "a character that SQL does not know");
      }
      Push(TokenKind::kSymbol, at_ + 1);
      return {};
    }
    std::size_t end = at_;
    bool sticky = false;
    while (end < text_.size() && IsOperator(text_[end]) && !StartsComment(end)) {
      sticky = sticky || kStickyOperatorCharacters.find(text_[end]) != std::string_view::npos;
      ++end;
    }
    while (!sticky && end > at_ + 1 && (text_[end - 1] == '+' || text_[end - 1] == '-')) {
      --end;
    }
    Push(TokenKind::kSymbol, end);
    return {};
  }

  [[nodiscard]] bool StartsComment(std::size_t at) const {
    const std::string_view two = text_.substr(at, 2);
    return two == "--" || two == "/*";
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view text) { return Scanner(text).Run(); }

std::string TokenName(std::string_view text, const Token& token) {
  const std::string_view all = text.substr(token.begin, token.end - token.begin);
  switch (token.kind) {
    case TokenKind::kParameter:
      return std::string(all.substr(1));
    case TokenKind::kQuoted:
    case TokenKind::kBacktick: {
      std::string name;
      for (std::size_t i = 1; i + 1 < all.size(); ++i) {
        name += all[i];
        i += all[i] == all.front() ? 1U : 0U;  // a doubled quote
      }
      return name;
    }
    default:
      return std::string(all);
  }
}

std::string QuoteIdentifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    quoted += c;
    if (c == '"') {
      quoted += '"';
    }
  }
  return quoted + "\"";
}

Status SqlSyntaxError(std::size_t position, std::string message) {
  return Status(ErrorCode::kSqlSyntax, std::move(message)).At(position);
}

Status SqlNotSupported(std::size_t position, std::string message) {
  return Status(ErrorCode::kNotSupported, std::move(message)).WithRule("P15").At(position);
}

}  // namespace glovebox::query
