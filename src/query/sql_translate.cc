// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "query/sql_front_end.h"
#include "query/sql_rewrite.h"
#include "query/sql_tokens.h"

namespace glovebox::query {
namespace {

constexpr std::size_t kShownWordBytesMax = 32;

// Words that belong to the name of a statement if they follow its first one.
constexpr auto kStatementWords = std::to_array<std::string_view>(
    {"ANALYZE",  "CATALOG", "DATABASE", "EXTENSION", "FROM",      "FUNCTION",  "GLOBAL",  "INDEX",  "INTO",
     "LOCAL",    "MACRO",   "OR",       "OVERWRITE", "POLICY",    "RECURSIVE", "REPLACE", "SCHEMA", "SECRET",
     "SEQUENCE", "TABLE",   "TABLES",   "TEMP",      "TEMPORARY", "TYPE",      "VIEW",    "VOLUME", "WIDGET"});

// "INSERT INTO": what a refusal names.
std::string StatementName(const TokenSpan& t) {
  std::string name;
  for (std::size_t i = 0; t.IsKind(i, TokenKind::kWord); ++i) {
    const std::string word = AsciiUpper(t.Text(i));
    const bool known = std::find(kStatementWords.begin(), kStatementWords.end(), word) != kStatementWords.end();
    if (i == 0 ? word.size() > kShownWordBytesMax : !known) {
      break;
    }
    name += (name.empty() ? "" : " ") + word;
  }
  return name;
}

bool StartsQuery(const TokenSpan& t, std::size_t i) {
  return t.IsWord(i, "SELECT") || t.IsWord(i, "WITH") || t.IsWord(i, "FROM") || t.IsWord(i, "VALUES") ||
         t.IsSymbol(i, "(");
}

Status RefuseStatement(const TokenSpan& t) {
  const std::string name = StatementName(t);
  if (name.empty()) {
    return SqlSyntaxError(t.Position(0), "a statement cannot start like this");
  }
  return SqlNotSupported(t.Position(0), name +
                                            " is not supported here; write a query, CREATE TABLE name AS query, or "
                                            "CREATE TEMPORARY VIEW name AS query");
}

struct Target {
  std::vector<std::string> parts;
  std::size_t next = 0;  // the token after the name
};

Result<Target> ReadTarget(const TokenSpan& t, std::size_t i, OutputParameters outputs) {
  if (t.IsWord(i, "IDENTIFIER") && t.IsSymbol(i + 1, "(")) {
    GB_ASSIGN_OR_RETURN(ConstantName name, ReadConstantName(t, i + 1, outputs));
    return Target{std::move(name.parts), i + 1 + name.tokens};
  }
  Target target;
  target.next = i;
  while (true) {
    if (!t.IsName(target.next)) {
      return SqlSyntaxError(t.Position(target.next), "a name is expected here");
    }
    target.parts.push_back(t.Name(target.next));
    if (target.parts.back().size() > limits::kNameBytesMax || target.parts.size() > 3) {
      return SqlNotSupported(t.Position(target.next),
                             "a name has at most three parts of " + std::to_string(limits::kNameBytesMax) + " bytes");
    }
    ++target.next;
    if (!t.IsSymbol(target.next, ".")) {
      return target;
    }
    ++target.next;
  }
}

// CREATE [OR REPLACE] TABLE name AS query, CREATE [OR REPLACE] [LOCAL] TEMP|TEMPORARY VIEW name AS query. Returns the
// token where the query starts.
Result<std::size_t> ReadCreate(const TokenSpan& t, TranslatedStatement& statement) {
  std::size_t i = 1;
  if (t.IsWord(i, "OR") && t.IsWord(i + 1, "REPLACE")) {
    i += 2;
  }
  if (t.IsWord(i, "TABLE")) {
    statement.kind = StatementKind::kOutputTable;
    i += 1;
  } else {
    i += t.IsWord(i, "LOCAL") ? 1U : 0U;
    if (!((t.IsWord(i, "TEMP") || t.IsWord(i, "TEMPORARY")) && t.IsWord(i + 1, "VIEW"))) {
      return RefuseStatement(t);
    }
    statement.kind = StatementKind::kTemporaryView;
    i += 2;
  }
  const bool table = statement.kind == StatementKind::kOutputTable;
  if (t.IsWord(i, "IF") && t.IsWord(i + 1, "NOT")) {
    return SqlNotSupported(t.Position(i), "IF NOT EXISTS is not supported; every run has an output schema of its own");
  }
  GB_ASSIGN_OR_RETURN(Target target, ReadTarget(t, i, table ? OutputParameters::kAllowed : OutputParameters::kRefused));
  i = target.next;
  statement.target = std::move(target.parts);
  if (t.IsSymbol(i, "(")) {
    return SqlNotSupported(t.Position(i), "a column list is not supported here; name the columns in the query with AS");
  }
  if (!t.IsWord(i, "AS")) {
    return SqlNotSupported(t.Position(i), std::string("after the name comes AS and a query; other clauses of CREATE ") +
                                              (table ? "TABLE" : "VIEW") + " are not supported");
  }
  if (!StartsQuery(t, i + 1)) {
    return SqlSyntaxError(t.Position(i + 1), "a query is expected after AS");
  }
  return i + 1;
}

Result<TranslatedStatement> TranslateStatement(const TokenSpan& t) {
  TranslatedStatement statement;
  statement.position = t.Position(0);
  std::size_t query = 0;
  if (t.IsWord(0, "CREATE")) {
    GB_ASSIGN_OR_RETURN(query, ReadCreate(t, statement));
  } else if (!StartsQuery(t, 0)) {
    return RefuseStatement(t);
  }
  GB_RETURN_IF_ERROR(RewriteQuery(t.From(query), statement));
  return statement;
}

}  // namespace

void PositionMap::Add(std::size_t translated, std::size_t original) { points_.emplace_back(translated, original); }

std::size_t PositionMap::ToOriginal(std::size_t translated) const {
  const auto after =
      std::upper_bound(points_.begin(), points_.end(), translated,
                       [](std::size_t value, const std::pair<std::size_t, std::size_t>& p) { return value < p.first; });
  if (after == points_.begin()) {
    return points_.empty() ? translated : points_.front().second;
  }
  const auto& [at, original] = *std::prev(after);
  const std::size_t position = original + (translated - at);
  return after == points_.end() ? position : std::min(position, after->second);
}

Result<std::vector<TranslatedStatement>> TranslateSql(std::string_view text) {
  GB_ASSIGN_OR_RETURN(const std::vector<Token> tokens, Tokenize(text));
  const TokenSpan all(text, tokens.data(), tokens.size());
  std::vector<TranslatedStatement> statements;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= tokens.size(); ++i) {
    if (i < tokens.size() && !all.IsSymbol(i, ";")) {
      continue;
    }
    if (i > begin) {
      if (statements.size() == limits::kSqlStatementsMax) {
        return SqlNotSupported(all.Position(begin),
                               "more than " + std::to_string(limits::kSqlStatementsMax) + " statements");
      }
      GB_ASSIGN_OR_RETURN(TranslatedStatement statement,
                          TranslateStatement(TokenSpan(text, tokens.data() + begin, i - begin)));
      statements.push_back(std::move(statement));
    }
    begin = i + 1;
  }
  return statements;
}

}  // namespace glovebox::query
