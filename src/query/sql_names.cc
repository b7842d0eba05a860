// SPDX-License-Identifier: Apache-2.0
#include "query/sql_names.h"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/strings.h"
#include "query/sql_rewrite.h"
#include "query/sql_tokens.h"

namespace glovebox::query {

std::set<std::string> DottedNames(std::string_view text) {
  std::set<std::string> names;
  const Result<std::vector<Token>> tokens = Tokenize(text);
  if (!tokens.ok()) {
    return names;
  }
  const TokenSpan span(text, tokens->data(), tokens->size());
  for (std::size_t i = 0; i < span.size(); ++i) {
    if (span.IsKind(i, TokenKind::kString)) {
      const std::string_view quoted = span.Text(i);
      names.insert(AsciiLower(quoted.size() < 2 ? quoted : quoted.substr(1, quoted.size() - 2)));
      continue;
    }
    if (span.IsWord(i, "IDENTIFIER") && span.IsSymbol(i + 1, "(")) {
      if (const auto constant = ReadConstantName(span, i + 1, OutputParameters::kRefused); constant.ok()) {
        names.insert(AsciiLower(Join(constant->parts, ".")));
      }
      continue;
    }
    if (!span.IsName(i)) {
      continue;
    }
    std::string name = span.Name(i);
    while (span.IsSymbol(i + 1, ".") && span.IsName(i + 2)) {
      i += 2;
      name += "." + span.Name(i);
    }
    names.insert(AsciiLower(name));
  }
  return names;
}

}  // namespace glovebox::query
