// SPDX-License-Identifier: Apache-2.0
#include "statement/engine_forms.h"

#include <cstddef>
#include <map>
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

constexpr std::string_view kSecretFunction = "secret";

// The content of a plain string. Names of secrets have no quotes in them.
std::optional<std::string> PlainString(const query::TokenSpan& text, std::size_t at) {
  const std::string_view quoted = text.Text(at);
  if (!text.IsKind(at, query::TokenKind::kString) || quoted.front() != '\'') {
    return std::nullopt;
  }
  return std::string(quoted.substr(1, quoted.size() - 2));
}

// secret('scope', 'key'), where secret( stands at `at`.
std::optional<SecretName> CallAt(const query::TokenSpan& text, std::size_t at) {
  if (!text.IsSymbol(at + 3, ",") || !text.IsSymbol(at + 5, ")")) {
    return std::nullopt;
  }
  std::optional<std::string> scope = PlainString(text, at + 2);
  std::optional<std::string> key = PlainString(text, at + 4);
  if (!scope.has_value() || !key.has_value()) {
    return std::nullopt;
  }
  return SecretName{.scope = *std::move(scope), .key = *std::move(key)};
}

struct SecretCalls {
  std::set<SecretName> names;
  bool all_are_plain = true;
};

SecretCalls SecretCallsIn(const std::string& body) {
  SecretCalls calls;
  const auto tokens = query::Tokenize(body);
  if (!tokens.ok()) {
    calls.all_are_plain = false;
    return calls;
  }
  const query::TokenSpan text(body, tokens->data(), tokens->size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.IsWord(i, "IDENTIFIER") && text.IsSymbol(i + 1, "(")) {
      const auto name = query::ReadConstantName(text, i + 1, query::OutputParameters::kRefused);
      calls.all_are_plain &= name.ok() && !EqualsIgnoreCase(name->parts.back(), kSecretFunction);
    } else if (text.IsName(i) && EqualsIgnoreCase(text.Name(i), kSecretFunction) && text.IsSymbol(i + 1, "(")) {
      std::optional<SecretName> name = CallAt(text, i);
      calls.all_are_plain &= name.has_value();
      if (name.has_value()) {
        calls.names.insert(*std::move(name));
      }
    }
  }
  return calls;
}

// The value if all of them may read it.
Result<std::optional<std::string>> ReadByAll(const catalog::Catalog& catalog, const OrganisationId& organisation,
                                             const SecretName& name, const std::set<PrincipalId>& principals) {
  std::optional<std::string> read;
  for (const PrincipalId& principal : principals) {
    auto value = catalog.secrets.GetForWorker(organisation, principal, name.scope, name.key);
    if (!value.ok()) {
      const ErrorCode code = value.status().code();
      const bool is_refused = code == ErrorCode::kNotFound || code == ErrorCode::kPermissionDenied;
      return is_refused ? Result<std::optional<std::string>>(std::nullopt) : value.status();
    }
    read = *std::move(value);
  }
  return read;
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
    names.merge(SecretCallsIn(function.body).names);
  }
  return names;
}

Result<std::vector<engine::Secret>> SecretsOf(const catalog::Catalog& catalog, const OrganisationId& organisation,
                                              const catalog::GovernedTable& table) {
  std::map<SecretName, std::set<PrincipalId>> readers;
  for (const catalog::Function& function : table.functions) {
    const SecretCalls calls = SecretCallsIn(function.body);
    if (!calls.all_are_plain) {
      return std::vector<engine::Secret>();
    }
    for (const SecretName& name : calls.names) {
      readers[name].insert({table.owner, function.info.owner_id, function.author});
    }
  }
  std::vector<engine::Secret> secrets;
  for (const auto& [name, principals] : readers) {
    GB_ASSIGN_OR_RETURN(std::optional<std::string> value, ReadByAll(catalog, organisation, name, principals));
    if (value.has_value()) {
      secrets.push_back({name.scope, name.key, *std::move(value)});
    }
  }
  return secrets;
}

}  // namespace glovebox::statement
