// SPDX-License-Identifier: Apache-2.0
//
// A place in the tokens of a statement, with the small pieces of grammar that every statement is made of: words, names,
// strings, lists. Each Expect... returns SQL_SYNTAX_ERROR with the position of the token that does not fit.
//
// Threads: a value of one thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/sql_tokens.h"
#include "statement/statement.h"

namespace glovebox::statement {

class Cursor {
 public:
  // Returns NOT_SUPPORTED if there is more than one statement. A semicolon at the end is dropped.
  static Result<Cursor> Of(std::string_view text);

  [[nodiscard]] bool AtEnd() const { return at_ == tokens_.size(); }
  // Of the current token; the text's length at the end.
  [[nodiscard]] std::size_t position() const;
  // The current token as it is written, "" at the end.
  [[nodiscard]] std::string_view Peek() const;
  // Whether the next tokens are these keywords.
  [[nodiscard]] bool Looks(std::initializer_list<std::string_view> keywords) const;
  // Goes over the keywords, or the symbol, if they are there.
  bool Accept(std::initializer_list<std::string_view> keywords);
  bool AcceptSymbol(std::string_view symbol);

  Status Expect(std::initializer_list<std::string_view> keywords);
  Status ExpectSymbol(std::string_view symbol);
  Status ExpectEnd();
  // A plain word; upper case.
  Result<std::string> ExpectWord(std::string_view what);
  Result<std::string> ExpectIdentifier(std::string_view what);
  Result<std::string> ExpectString(std::string_view what);
  Result<std::string> ExpectNumber();
  // One to three parts.
  Result<ObjectName> ExpectName(std::string_view what);
  // `principal`, a plain word or a string.
  Result<std::string> ExpectPrincipal();
  // (a, b, c); may be empty.
  Result<std::vector<std::string>> ExpectColumns();
  // The type as the engine spells it. Returns NOT_SUPPORTED for types that tables here do not have.
  Result<std::string> ExpectType();

  // The rest of the text, which must not be empty.
  Result<Query> Rest(std::string_view what);
  // "expected X, found Y" at the current token.
  [[nodiscard]] Status Expected(std::string_view what) const;
  [[nodiscard]] Status NotSupported(std::string message) const;

 private:
  Cursor(std::string_view text, std::vector<query::Token> tokens) : text_(text), tokens_(std::move(tokens)) {}
  [[nodiscard]] std::string_view TextOf(std::size_t token) const;
  [[nodiscard]] bool IsWord(std::size_t token, std::string_view keyword) const;

  std::string_view text_;
  std::vector<query::Token> tokens_;
  std::size_t at_ = 0;
};

}  // namespace glovebox::statement
