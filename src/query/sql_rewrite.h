// SPDX-License-Identifier: Apache-2.0
//
// Inside of the translation pass (sql_front_end.h): the tokens of one statement, and the rewriting of a query from what
// Databricks' users type into DuckDB's grammar. The author's text is not changed but for the constructs named in
// sql_front_end.h; comments become a space.
//
// Threads: no state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/sql_front_end.h"
#include "query/sql_tokens.h"

namespace glovebox::query {

// Some of the tokens of a text. Indices run from 0 to size(); what lies beyond is no token and answers false.
class TokenSpan {
 public:
  TokenSpan(std::string_view text, const Token* tokens, std::size_t size) : text_(text), tokens_(tokens), size_(size) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Token& At(std::size_t i) const;  // REQUIRES: i < size()
  [[nodiscard]] std::string_view Text(std::size_t i) const;
  [[nodiscard]] std::string Name(std::size_t i) const { return TokenName(text_, At(i)); }
  // The offset of token i in the text, or of the end of the last token.
  [[nodiscard]] std::size_t Position(std::size_t i) const;

  [[nodiscard]] bool IsKind(std::size_t i, TokenKind kind) const { return i < size_ && tokens_[i].kind == kind; }
  [[nodiscard]] bool IsSymbol(std::size_t i, std::string_view symbol) const;
  [[nodiscard]] bool IsWord(std::size_t i, std::string_view upper_case_word) const;
  [[nodiscard]] bool IsName(std::size_t i) const;  // a word, or a name in quotes or backticks
  [[nodiscard]] TokenSpan From(std::size_t i) const { return {text_, tokens_ + i, size_ - i}; }

 private:
  std::string_view text_;
  const Token* tokens_;
  std::size_t size_;
};

// IDENTIFIER('a.b' || :p) from its opening parenthesis on: a constant name. Each part is text; the parameters
// cr_output_catalog and cr_output_schema are allowed where `outputs` says so, and then vanish from the parts:
// "the output schema" is where a bare name of an output table lives.
enum class OutputParameters { kRefused, kAllowed };
struct ConstantName {
  std::vector<std::string> parts;
  std::size_t tokens = 0;  // consumed, both parentheses included
};
Result<ConstantName> ReadConstantName(const TokenSpan& tokens, std::size_t open, OutputParameters outputs);

// Fills `sql`, `positions` and `parameters` of the statement. Brackets must match and nest at most
// limits::kSqlNestingMax deep.
Status RewriteQuery(const TokenSpan& query, TranslatedStatement& statement);

}  // namespace glovebox::query
