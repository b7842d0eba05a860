// SPDX-License-Identifier: Apache-2.0
#include "query/sql_rewrite.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "query/sql_front_end.h"
#include "query/sql_tokens.h"

namespace glovebox::query {
namespace {

// Words after which an operand starts: none of them ends one.
constexpr auto kBeforeOperand = std::to_array<std::string_view>(
    {"ALL",     "AND",   "ANTI",     "ANY",    "AS",        "ASC",    "ASOF",    "BETWEEN", "BY",     "CASE",
     "CROSS",   "DESC",  "DISTINCT", "ELSE",   "ESCAPE",    "EXCEPT", "EXISTS",  "FILTER",  "FROM",   "FULL",
     "HAVING",  "ILIKE", "IN",       "INNER",  "INTERSECT", "IS",     "JOIN",    "LEFT",    "LIKE",   "LIMIT",
     "NATURAL", "NOT",   "OFFSET",   "ON",     "OR",        "OVER",   "QUALIFY", "RIGHT",   "SELECT", "SEMI",
     "THEN",    "UNION", "USING",    "VALUES", "WHEN",      "WHERE"});

// Words that go on with a query or an expression: none of them starts an operand.
constexpr auto kAfterOperand = std::to_array<std::string_view>(
    {"AND",    "ANTI", "AS",     "ASC",       "ASOF",  "BETWEEN", "COLLATE", "CROSS", "DESC",    "DIV",
     "ELSE",   "END",  "ESCAPE", "EXCEPT",    "FETCH", "FILTER",  "FROM",    "FULL",  "GROUP",   "HAVING",
     "ILIKE",  "IN",   "INNER",  "INTERSECT", "IS",    "JOIN",    "LIKE",    "LIMIT", "NATURAL", "NULLS",
     "OFFSET", "ON",   "OR",     "ORDER",     "OVER",  "QUALIFY", "THEN",    "UNION", "WHEN",    "WHERE"});

template <std::size_t kSize>
bool Contains(const std::array<std::string_view, kSize>& words, std::string_view text) {
  const std::string upper = AsciiUpper(text);
  return std::find(words.begin(), words.end(), upper) != words.end();
}

// Whether an infix operator can stand between the two tokens.
bool EndsOperand(const TokenSpan& t, std::size_t i) {
  if (i >= t.size()) {
    return false;
  }
  if (t.IsKind(i, TokenKind::kWord)) {
    return !Contains(kBeforeOperand, t.Text(i));
  }
  return !t.IsKind(i, TokenKind::kSymbol) || t.IsSymbol(i, ")") || t.IsSymbol(i, "]");
}

bool StartsOperand(const TokenSpan& t, std::size_t i) {
  if (i >= t.size()) {
    return false;
  }
  if (t.IsKind(i, TokenKind::kWord)) {
    return !Contains(kAfterOperand, t.Text(i));
  }
  if (t.IsKind(i, TokenKind::kSymbol)) {
    return t.IsSymbol(i, "(") || t.IsSymbol(i, "-") || t.IsSymbol(i, "+") || t.IsSymbol(i, "~");
  }
  return true;
}

bool StartsQuery(const TokenSpan& t, std::size_t i) {
  return t.IsWord(i, "SELECT") || t.IsWord(i, "WITH") || t.IsWord(i, "FROM") || t.IsWord(i, "VALUES") ||
         t.IsWord(i, "TABLE") || t.IsSymbol(i, "(");
}

// Brackets match, nest within bounds, and are round.
Status CheckBrackets(const TokenSpan& t) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < t.size(); ++i) {
    if (!t.IsKind(i, TokenKind::kSymbol)) {
      continue;
    }
    if (t.IsSymbol(i, "{") && t.IsSymbol(i + 1, "{")) {
      return SqlNotSupported(t.Position(i), "templates {{...}} are not supported; use a typed parameter, as in :name");
    }
    if (t.IsSymbol(i, "{") || t.IsSymbol(i, "}")) {
      return SqlNotSupported(t.Position(i), "struct and map values are not supported; use one column for each value");
    }
    if (t.IsSymbol(i, "[") || t.IsSymbol(i, "]")) {
      return SqlNotSupported(t.Position(i),
                             "lists and subscripts are not supported; use one row or one column for each value");
    }
    if (t.IsSymbol(i, "(")) {
      open.push_back(t.Position(i));
      if (open.size() > limits::kSqlNestingMax) {
        return SqlNotSupported(t.Position(i), "parentheses nest deeper than " + std::to_string(limits::kSqlNestingMax));
      }
    } else if (t.IsSymbol(i, ")")) {
      if (open.empty()) {
        return SqlSyntaxError(t.Position(i), "a closing parenthesis without an opening one");
      }
      open.pop_back();
    }
  }
  return open.empty() ? Status() : SqlSyntaxError(open.back(), "the parenthesis that opens here is not closed");
}

// Constructs whose meaning DuckDB's JSON does not carry, or that would be confused with a rewritten one.
Status CheckWord(const TokenSpan& t, std::size_t i) {
  const std::size_t at = t.Position(i);
  if (t.IsSymbol(i + 1, "(") && EqualsIgnoreCase(t.Name(i), "regexp_full_match")) {
    return SqlNotSupported(at, "regexp_full_match is not supported; write x RLIKE '^(...)$'");
  }
  if (i > 0 && t.IsSymbol(i - 1, ".")) {
    return {};
  }
  if (t.IsWord(i, "LATERAL")) {
    return SqlNotSupported(at, "LATERAL is not supported; write an ordinary join or a CTE");
  }
  if (t.IsWord(i, "RECURSIVE") && i > 0 && t.IsWord(i - 1, "WITH")) {
    return SqlNotSupported(at, "WITH RECURSIVE is not supported; write the steps that you need as one WITH each");
  }
  if (t.IsWord(i, "SIMILAR") && t.IsWord(i + 1, "TO")) {
    return SqlNotSupported(at, "SIMILAR TO is not supported; write LIKE, or RLIKE with a regular expression");
  }
  if (t.IsWord(i, "GLOB") && i > 0 && EndsOperand(t, i - 1) && StartsOperand(t, i + 1)) {
    return SqlNotSupported(at, "GLOB is not supported; write LIKE");
  }
  if (t.IsWord(i, "OF") && i > 0 && t.IsWord(i - 1, "AS") && StartsOperand(t, i + 1)) {
    return SqlNotSupported(at, "time travel (AS OF) is not supported; a run pins the versions of its tables");
  }
  return {};
}

Status CheckSymbol(const TokenSpan& t, std::size_t i) {
  const std::string_view symbol = t.Text(i);
  if (symbol.find('?') != std::string_view::npos) {
    return SqlNotSupported(t.Position(i), "parameters without a name are not supported; write :name");
  }
  if (symbol.find('#') != std::string_view::npos) {
    return SqlNotSupported(t.Position(i), "positional references (#1) are not supported; name the column");
  }
  if (symbol.find('~') == std::string_view::npos || symbol == "~~" || symbol == "!~~" || symbol == "~~*" ||
      symbol == "!~~*") {
    return {};
  }
  if (symbol == "~" && !(i > 0 && EndsOperand(t, i - 1))) {
    return {};
  }
  return SqlNotSupported(t.Position(i), "the operator " + std::string(symbol) +
                                            " is not supported; write LIKE, or RLIKE with a regular expression");
}

class Rewriter {
 public:
  Rewriter(const TokenSpan& tokens, TranslatedStatement& statement) : t_(tokens), out_(statement) {}

  Status Run() {
    GB_RETURN_IF_ERROR(CheckBrackets(t_));
    for (std::size_t i = 0; i < t_.size();) {
      GB_ASSIGN_OR_RETURN(const std::size_t used, Step(i));
      i += used;
    }
    return {};
  }

 private:
  // Writes what token i stands for; returns how many tokens that took.
  Result<std::size_t> Step(std::size_t i) {
    switch (t_.At(i).kind) {
      case TokenKind::kParameter:
        GB_RETURN_IF_ERROR(Parameter(i));
        return std::size_t{1};
      case TokenKind::kBacktick:
        Replace(i, i + 1, QuoteIdentifier(t_.Name(i)));
        return std::size_t{1};
      case TokenKind::kSymbol:
        GB_RETURN_IF_ERROR(CheckSymbol(t_, i));
        if (t_.IsSymbol(i, "<=>")) {
          Replace(i, i + 1, "IS NOT DISTINCT FROM");
        } else {
          Copy(i);
        }
        return std::size_t{1};
      case TokenKind::kWord:
        GB_RETURN_IF_ERROR(CheckWord(t_, i));
        return Word(i);
      case TokenKind::kQuoted:
        GB_RETURN_IF_ERROR(CheckWord(t_, i));
        break;
      default:
        break;
    }
    Copy(i);
    return std::size_t{1};
  }

  Result<std::size_t> Word(std::size_t i) {
    const bool infix = i > 0 && EndsOperand(t_, i - 1) && StartsOperand(t_, i + 1);
    const bool negated = i > 1 && t_.IsWord(i - 1, "NOT") && EndsOperand(t_, i - 2) && StartsOperand(t_, i + 1);
    if (t_.IsWord(i, "DIV") && infix) {
      Replace(i, i + 1, "//");
    } else if ((t_.IsWord(i, "RLIKE") || t_.IsWord(i, "REGEXP")) && (infix || negated)) {
      // The one infix form of a regular expression in DuckDB that has LIKE's precedence and a negation. An author's own
      // SIMILAR TO is refused, so the tree can tell.
      Replace(i, i + 1, "SIMILAR TO");
    } else if (t_.IsWord(i, "EXCEPT") && i > 0 && t_.IsSymbol(i - 1, "*") && t_.IsSymbol(i + 1, "(") &&
               !StartsQuery(t_, i + 2)) {
      Replace(i, i + 1, "EXCLUDE");
    } else if (t_.IsWord(i, "LEFT") && (t_.IsWord(i + 1, "SEMI") || t_.IsWord(i + 1, "ANTI")) &&
               t_.IsWord(i + 2, "JOIN")) {
      // SEMI JOIN and ANTI JOIN say the same.
    } else if (t_.IsWord(i, "IDENTIFIER") && t_.IsSymbol(i + 1, "(") && !(i > 0 && t_.IsSymbol(i - 1, "."))) {
      GB_ASSIGN_OR_RETURN(const ConstantName name, ReadConstantName(t_, i + 1, OutputParameters::kRefused));
      std::vector<std::string> quoted;
      for (const std::string& part : name.parts) {
        quoted.push_back(QuoteIdentifier(part));
      }
      Replace(i, i + 1 + name.tokens, Join(quoted, "."));
      return 1 + name.tokens;
    } else {
      Copy(i);
    }
    return std::size_t{1};
  }

  Status Parameter(std::size_t i) {
    const std::string name = t_.Name(i);
    if (std::find(out_.parameters.begin(), out_.parameters.end(), name) == out_.parameters.end()) {
      if (out_.parameters.size() == limits::kSqlParametersMax) {
        return SqlNotSupported(t_.Position(i),
                               "more than " + std::to_string(limits::kSqlParametersMax) + " parameters in a statement");
      }
      out_.parameters.push_back(name);
    }
    Replace(i, i + 1, "$" + name);
    return {};
  }

  void Copy(std::size_t i) {
    if (!out_.sql.empty() && (after_replaced_ || t_.At(i).begin > end_)) {
      out_.sql += ' ';
    }
    Point(t_.At(i).begin);
    out_.sql += t_.Text(i);
    end_ = t_.At(i).end;
    after_replaced_ = false;
  }

  // Spaces around what we write keep it apart from its neighbours.
  void Replace(std::size_t first, std::size_t last, std::string_view text) {
    if (!out_.sql.empty()) {
      out_.sql += ' ';
    }
    Point(t_.At(first).begin);
    out_.sql += text;
    end_ = t_.At(last - 1).end;
    after_replaced_ = true;
  }

  void Point(std::size_t original) { out_.positions.Add(out_.sql.size(), original); }

  const TokenSpan& t_;
  TranslatedStatement& out_;
  std::size_t end_ = 0;  // of the last token written, in the author's text
  bool after_replaced_ = false;
};

// A piece of an IDENTIFIER argument: text, or one of the two parameters.
struct NamePiece {
  std::string text;
  bool catalog = false;
  bool schema = false;
};

Result<NamePiece> ReadPiece(const TokenSpan& t, std::size_t i, OutputParameters outputs) {
  if (t.IsKind(i, TokenKind::kString) && t.Text(i).front() == '\'') {
    std::string text;
    const std::string_view all = t.Text(i);
    for (std::size_t k = 1; k + 1 < all.size(); ++k) {
      text += all[k];
      k += all[k] == '\'' ? 1U : 0U;
    }
    return NamePiece{.text = std::move(text)};
  }
  if (t.IsKind(i, TokenKind::kParameter)) {
    NamePiece piece;
    piece.catalog = t.Name(i) == "cr_output_catalog";
    piece.schema = t.Name(i) == "cr_output_schema";
    if (outputs == OutputParameters::kAllowed && (piece.catalog || piece.schema)) {
      return piece;
    }
    return SqlNotSupported(t.Position(i),
                           "a name cannot come from a parameter; only the target of CREATE TABLE may use "
                           ":cr_output_catalog and :cr_output_schema");
  }
  return SqlNotSupported(t.Position(i), "IDENTIFIER takes constant strings, joined with ||");
}

// The parts of a dotted name; an output parameter is a whole part.
struct NamePart {
  std::string text;
  bool catalog = false;
  bool schema = false;
};

Result<std::vector<NamePart>> SplitPieces(const std::vector<NamePiece>& pieces, std::size_t position) {
  std::vector<NamePart> parts(1);
  const auto whole = [&] { return parts.back().catalog || parts.back().schema; };
  for (const NamePiece& piece : pieces) {
    if (piece.catalog || piece.schema) {
      if (whole() || !parts.back().text.empty()) {
        return SqlNotSupported(position, "an output parameter must be a whole part of the name");
      }
      parts.back().catalog = piece.catalog;
      parts.back().schema = piece.schema;
      continue;
    }
    for (const char c : piece.text) {
      if (c == '.') {
        parts.emplace_back();
      } else if (whole()) {
        return SqlNotSupported(position, "an output parameter must be a whole part of the name");
      } else {
        parts.back().text += c;
      }
    }
  }
  return parts;
}

Status CheckNamePart(std::string_view part, std::size_t position) {
  const bool control =
      std::any_of(part.begin(), part.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7F; });
  if (part.empty() || part.size() > limits::kNameBytesMax || control) {
    return SqlSyntaxError(position, "a part of the name is empty, too long or has control characters");
  }
  return {};
}

}  // namespace

const Token& TokenSpan::At(std::size_t i) const {
  GB_ASSERT(i < size_);
  return tokens_[i];
}

std::string_view TokenSpan::Text(std::size_t i) const {
  const Token& token = At(i);
  return text_.substr(token.begin, token.end - token.begin);
}

std::size_t TokenSpan::Position(std::size_t i) const {
  if (size_ == 0) {
    return 0;
  }
  return i < size_ ? tokens_[i].begin : tokens_[size_ - 1].end;
}

bool TokenSpan::IsSymbol(std::size_t i, std::string_view symbol) const {
  return IsKind(i, TokenKind::kSymbol) && Text(i) == symbol;
}

bool TokenSpan::IsWord(std::size_t i, std::string_view upper_case_word) const {
  return IsKind(i, TokenKind::kWord) && EqualsIgnoreCase(Text(i), upper_case_word);
}

bool TokenSpan::IsName(std::size_t i) const {
  return IsKind(i, TokenKind::kWord) || IsKind(i, TokenKind::kQuoted) || IsKind(i, TokenKind::kBacktick);
}

Result<ConstantName> ReadConstantName(const TokenSpan& tokens, std::size_t open, OutputParameters outputs) {
  std::vector<NamePiece> pieces;
  std::size_t i = open + 1;
  while (true) {
    GB_ASSIGN_OR_RETURN(NamePiece piece, ReadPiece(tokens, i, outputs));
    pieces.push_back(std::move(piece));
    ++i;
    if (tokens.IsSymbol(i, ")")) {
      break;
    }
    if (!tokens.IsSymbol(i, "||")) {
      return SqlNotSupported(tokens.Position(i), "IDENTIFIER takes constant strings, joined with ||");
    }
    ++i;
  }
  const std::size_t position = tokens.Position(open);
  GB_ASSIGN_OR_RETURN(std::vector<NamePart> parts, SplitPieces(pieces, position));
  ConstantName name;
  name.tokens = i + 1 - open;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const std::size_t after = parts.size() - 1 - p;  // parts that follow
    if ((parts[p].catalog && !(p == 0 && after == 2 && parts[1].schema)) || (parts[p].schema && after != 1) ||
        (parts[p].schema && p == 1 && !parts[0].catalog)) {
      return SqlNotSupported(position,
                             "write the output table as IDENTIFIER(:cr_output_catalog || '.' || :cr_output_schema || "
                             "'.name')");
    }
    if (parts[p].catalog || parts[p].schema) {
      continue;
    }
    std::string& text = parts[p].text;
    if (text.size() > 2 && text.front() == '`' && text.back() == '`') {
      text = text.substr(1, text.size() - 2);
    }
    GB_RETURN_IF_ERROR(CheckNamePart(text, position));
    name.parts.push_back(std::move(text));
  }
  if (name.parts.size() > 3) {
    return SqlNotSupported(position, "a name has at most three parts: catalog, schema and table");
  }
  return name;
}

Status RewriteQuery(const TokenSpan& query, TranslatedStatement& statement) { return Rewriter(query, statement).Run(); }

}  // namespace glovebox::query
