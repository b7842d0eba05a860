// SPDX-License-Identifier: Apache-2.0
#include "statement/cursor.h"

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "query/sql_tokens.h"
#include "query/type.h"
#include "statement/statement.h"

namespace glovebox::statement {
namespace {

using query::Token;
using query::TokenKind;

constexpr std::size_t kNamePartsMax = 3;
constexpr std::size_t kShownBytesMax = 40;

Status SyntaxError(std::size_t position, std::string message) {
  return Status(ErrorCode::kSqlSyntax, std::move(message)).At(position);
}

// The content of 'text' or "text". `quoted` has its quotes.
std::string Unquoted(std::string_view quoted) {
  const char quote = quoted.front();
  std::string content;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    content += quoted[i];
    if (quoted[i] == quote) {
      ++i;  // a doubled quote stands for one
    }
  }
  return content;
}

}  // namespace

Result<Cursor> Cursor::Of(std::string_view text) {
  GB_ASSIGN_OR_RETURN(std::vector<Token> tokens, query::Tokenize(text));
  const auto is_semicolon = [&](const Token& token) {
    return token.kind == TokenKind::kSymbol && text.substr(token.begin, token.end - token.begin) == ";";
  };
  while (!tokens.empty() && is_semicolon(tokens.back())) {
    text = text.substr(0, tokens.back().begin);
    tokens.pop_back();
  }
  for (const Token& token : tokens) {
    if (is_semicolon(token)) {
      return Status(ErrorCode::kNotSupported, "There is more than one statement; send them one at a time.")
          .At(token.begin);
    }
  }
  if (tokens.empty()) {
    return SyntaxError(0, "The statement is empty.");
  }
  return Cursor(text, std::move(tokens));
}

std::string_view Cursor::TextOf(std::size_t token) const {
  return token < tokens_.size() ? text_.substr(tokens_[token].begin, tokens_[token].end - tokens_[token].begin)
                                : std::string_view();
}

bool Cursor::IsWord(std::size_t token, std::string_view keyword) const {
  return token < tokens_.size() && tokens_[token].kind == TokenKind::kWord && EqualsIgnoreCase(TextOf(token), keyword);
}

std::size_t Cursor::position() const { return AtEnd() ? text_.size() : tokens_[at_].begin; }

std::string_view Cursor::Peek() const { return TextOf(at_); }

bool Cursor::Looks(std::initializer_list<std::string_view> keywords) const {
  std::size_t token = at_;
  for (const std::string_view keyword : keywords) {
    if (!IsWord(token++, keyword)) {
      return false;
    }
  }
  return true;
}

bool Cursor::Accept(std::initializer_list<std::string_view> keywords) {
  if (!Looks(keywords)) {
    return false;
  }
  at_ += keywords.size();
  return true;
}

bool Cursor::AcceptSymbol(std::string_view symbol) {
  if (AtEnd() || tokens_[at_].kind != TokenKind::kSymbol || Peek() != symbol) {
    return false;
  }
  ++at_;
  return true;
}

Status Cursor::Expected(std::string_view what) const {
  std::string found = "the end of the statement";
  if (!AtEnd()) {
    // Strings may be long or hold what an author would not want repeated.
    const bool is_string = tokens_[at_].kind == TokenKind::kString;
    found = is_string ? "a string" : "'" + std::string(Peek().substr(0, kShownBytesMax)) + "'";
    if (!IsValidUtf8(found)) {
      found = "another name";
    }
  }
  return SyntaxError(position(), "Expected " + std::string(what) + ", found " + found + ".");
}

Status Cursor::NotSupported(std::string message) const {
  return Status(ErrorCode::kNotSupported, std::move(message)).At(position());
}

Status Cursor::Expect(std::initializer_list<std::string_view> keywords) {
  for (const std::string_view keyword : keywords) {
    if (!IsWord(at_, keyword)) {
      return Expected(keyword);
    }
    ++at_;
  }
  return Status();
}

Status Cursor::ExpectSymbol(std::string_view symbol) {
  return AcceptSymbol(symbol) ? Status() : Expected("'" + std::string(symbol) + "'");
}

Status Cursor::ExpectEnd() { return AtEnd() ? Status() : Expected("the end of the statement"); }

Result<std::string> Cursor::ExpectWord(std::string_view what) {
  if (AtEnd() || tokens_[at_].kind != TokenKind::kWord) {
    return Expected(what);
  }
  return AsciiUpper(TextOf(at_++));
}

Result<std::string> Cursor::ExpectIdentifier(std::string_view what) {
  if (!AtEnd() && tokens_[at_].kind == TokenKind::kQuoted) {
    return SyntaxError(position(), "Names are quoted with backticks: `name`.");
  }
  if (AtEnd() || (tokens_[at_].kind != TokenKind::kWord && tokens_[at_].kind != TokenKind::kBacktick)) {
    return Expected(what);
  }
  std::string name = query::TokenName(text_, tokens_[at_]);
  if (name.empty() || name.size() > limits::kNameBytesMax) {
    return SyntaxError(position(), "A name has 1 to " + std::to_string(limits::kNameBytesMax) + " bytes.");
  }
  ++at_;
  return name;
}

Result<std::string> Cursor::ExpectString(std::string_view what) {
  const bool is_quoted =
      !AtEnd() && (tokens_[at_].kind == TokenKind::kString || tokens_[at_].kind == TokenKind::kQuoted);
  if (!is_quoted || (Peek().front() != '\'' && Peek().front() != '"')) {
    return Expected(std::string(what) + " in single quotes");
  }
  return Unquoted(TextOf(at_++));
}

Result<std::string> Cursor::ExpectNumber() {
  if (AtEnd() || tokens_[at_].kind != TokenKind::kNumber) {
    return Expected("a number");
  }
  return std::string(TextOf(at_++));
}

Result<ObjectName> Cursor::ExpectName(std::string_view what) {
  ObjectName name;
  name.position = position();
  do {
    if (name.parts.size() == kNamePartsMax) {
      return SyntaxError(name.position, "A name has at most three parts: catalog.schema.name.");
    }
    GB_ASSIGN_OR_RETURN(std::string part, ExpectIdentifier(what));
    name.parts.push_back(std::move(part));
  } while (AcceptSymbol("."));
  return name;
}

Result<std::string> Cursor::ExpectPrincipal() {
  if (!AtEnd() && tokens_[at_].kind == TokenKind::kString) {
    return ExpectString("a principal");
  }
  return ExpectIdentifier("a principal (`name` in backticks)");
}

Result<std::vector<std::string>> Cursor::ExpectColumns() {
  GB_RETURN_IF_ERROR(ExpectSymbol("("));
  std::vector<std::string> columns;
  if (AcceptSymbol(")")) {
    return columns;
  }
  do {
    if (columns.size() == limits::kSqlColumnsMax) {
      return NotSupported("The list has more than " + std::to_string(limits::kSqlColumnsMax) + " columns.");
    }
    GB_ASSIGN_OR_RETURN(std::string column, ExpectIdentifier("a column's name"));
    columns.push_back(std::move(column));
  } while (AcceptSymbol(","));
  GB_RETURN_IF_ERROR(ExpectSymbol(")"));
  return columns;
}

Result<std::string> Cursor::ExpectType() {
  const std::size_t start = position();
  GB_ASSIGN_OR_RETURN(std::string type, ExpectWord("a type"));
  if (AcceptSymbol("(")) {
    GB_ASSIGN_OR_RETURN(const std::string precision, ExpectNumber());
    type += "(" + precision;
    if (AcceptSymbol(",")) {
      GB_ASSIGN_OR_RETURN(const std::string scale, ExpectNumber());
      type += "," + scale;
    }
    GB_RETURN_IF_ERROR(ExpectSymbol(")"));
    type += ")";
  }
  if (type == "DECIMAL" || type == "DEC" || type == "NUMERIC") {
    type = "DECIMAL(10,0)";  // what Databricks means by it
  }
  const auto known = query::ParseTypeName(type);
  const bool is_nested = !AtEnd() && (Peek() == "<" || Peek() == "[");
  if (!known.has_value() || is_nested) {
    return Status(ErrorCode::kNotSupported,
                  "The type " + type.substr(0, kShownBytesMax) +
                      " is not supported. Use BOOLEAN, TINYINT to BIGINT, DECIMAL(p,s), DOUBLE, STRING, DATE or "
                      "TIMESTAMP (without zone).")
        .At(start);
  }
  return query::TypeName(*known);
}

Result<Query> Cursor::Rest(std::string_view what) {
  if (AtEnd()) {
    return Expected(what);
  }
  Query rest;
  rest.position = position();
  rest.sql = std::string(text_.substr(rest.position, tokens_.back().end - rest.position));
  at_ = tokens_.size();
  return rest;
}

}  // namespace glovebox::statement
