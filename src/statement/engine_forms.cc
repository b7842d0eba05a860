// SPDX-License-Identifier: Apache-2.0
#include "statement/engine_forms.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/strings.h"
#include "catalog/catalog.h"
#include "catalog/functions.h"
#include "catalog/tables.h"
#include "engine/engine.h"
#include "query/sql_rewrite.h"
#include "query/sql_tokens.h"

namespace glovebox::statement {
namespace {

// The content of a plain string. Names of secrets have no quotes in them.
std::optional<std::string> PlainString(const query::TokenSpan& text, std::size_t at) {
  const std::string_view quoted = text.Text(at);
  if (!text.IsKind(at, query::TokenKind::kString) || quoted.front() != '\'') {
    return std::nullopt;
  }
  return std::string(quoted.substr(1, quoted.size() - 2));
}

// secret('scope', 'key')
std::optional<SecretName> CallAt(const query::TokenSpan& text, std::size_t at) {
  if (!text.IsName(at) || !EqualsIgnoreCase(text.Name(at), "secret") || !text.IsSymbol(at + 1, "(") ||
      !text.IsSymbol(at + 3, ",") || !text.IsSymbol(at + 5, ")")) {
    return std::nullopt;
  }
  std::optional<std::string> scope = PlainString(text, at + 2);
  std::optional<std::string> key = PlainString(text, at + 4);
  if (!scope.has_value() || !key.has_value()) {
    return std::nullopt;
  }
  return SecretName{.scope = *std::move(scope), .key = *std::move(key)};
}

}  // namespace

engine::Function ToEngine(const catalog::Function& function) {
  engine::Function result;
  result.name = function.info.full_name;
  result.body = function.body;
  for (const catalog::FunctionParameter& parameter : function.parameters) {
    result.parameters.push_back({parameter.name, parameter.type});
  }
  return result;
}

engine::TableFile ToEngine(const catalog::Table& table) {
  engine::TableFile file;
  file.path = table.current.path;
  file.rows = table.current.rows;
  for (const catalog::TableColumn& column : table.columns) {
    file.columns.push_back({column.name, column.type});
  }
  return file;
}

std::set<SecretName> SecretsNamedIn(const std::vector<catalog::Function>& functions) {
  std::set<SecretName> names;
  for (const catalog::Function& function : functions) {
    const auto tokens = query::Tokenize(function.body);
    if (!tokens.ok()) {
      continue;
    }
    const query::TokenSpan text(function.body, tokens->data(), tokens->size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (std::optional<SecretName> name = CallAt(text, i); name.has_value()) {
        names.insert(*std::move(name));
      }
    }
  }
  return names;
}

Result<std::vector<engine::Secret>> SecretsOf(const catalog::Catalog& catalog, const OrganisationId& organisation,
                                              const catalog::GovernedTable& table) {
  std::vector<engine::Secret> secrets;
  for (const SecretName& name : SecretsNamedIn(table.functions)) {
    auto value = catalog.secrets.GetForWorker(organisation, table.owner, name.scope, name.key);
    if (value.ok()) {
      secrets.push_back({name.scope, name.key, *std::move(value)});
    } else if (value.status().code() != ErrorCode::kNotFound && value.status().code() != ErrorCode::kPermissionDenied) {
      return value.status();
    }
  }
  return secrets;
}

}  // namespace glovebox::statement
