// SPDX-License-Identifier: Apache-2.0
//
// The tokens of an author's SQL, as DuckDB's scanner cuts them, so that the translation pass can change some of them
// and hand the others on untouched. Comments and white space are not tokens.
//
// What a reviewer cannot see is refused here: control characters, white space beyond ASCII, invisible characters
// outside of quotes, and bidirectional controls anywhere.
//
// Errors: SQL_SYNTAX_ERROR and NOT_SUPPORTED (P15), with a byte offset into the text. Threads: no state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace glovebox::query {

enum class TokenKind {
  kWord,      // a name or a keyword without quotes
  kQuoted,    // "name"
  kBacktick,  // `name`
  kString,    // 'text', E'text', $$text$$, $tag$text$tag$
  kNumber,
  kParameter,  // :name or $name
  kSymbol,     // punctuation, or a run of operator characters
};

struct Token {
  TokenKind kind = TokenKind::kWord;
  std::size_t begin = 0;  // byte offsets into the text
  std::size_t end = 0;
};

// REQUIRES: nothing of `text`. Text beyond limits::kSqlTextBytesMax is refused.
Result<std::vector<Token>> Tokenize(std::string_view text);

// The name that a kWord, kQuoted, kBacktick or kParameter token stands for, without its quotes; case is kept.
std::string TokenName(std::string_view text, const Token& token);

// `name` as a quoted identifier of DuckDB.
std::string QuoteIdentifier(std::string_view name);

// Errors of the front end. `position` is an offset into the author's text.
Status SqlSyntaxError(std::size_t position, std::string message);
Status SqlNotSupported(std::size_t position, std::string message);  // rule P15

}  // namespace glovebox::query
