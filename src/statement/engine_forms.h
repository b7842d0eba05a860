// SPDX-License-Identifier: Apache-2.0
//
// The engine's forms of what the catalogue has: tables, functions, and the secrets that functions name.
//
// Who learns what: SecretsOf() reads values of secrets; they go into a job of the engine and nowhere else. Whoever
// reads the table through its policies, its owner must be able to read them, and so must the owner and the author of
// every function that names one: neither a table nor a function that changes hands lends the new owner's secrets to
// what somebody else wrote. Threads: no state.
#pragma once

#include <compare>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "engine/engine.h"

namespace glovebox::statement {

engine::Function ToEngine(const catalog::Function& function);
engine::TableFile ToEngine(const catalog::Table& table);

struct SecretName {
  std::string scope;
  std::string key;
  friend auto operator<=>(const SecretName&, const SecretName&) = default;
};

// The calls secret('scope', 'key') in functions' bodies, as they are written. A name in another form of string is not
// found, and its function does not work.
std::set<SecretName> SecretsNamedIn(const std::vector<catalog::Function>& functions);

// The secrets that the table's functions name, as far as all who must be able to read them are. None at all if a
// function calls secret() in another form, since it could mean one that only another function may use.
Result<std::vector<engine::Secret>> SecretsOf(const catalog::Catalog& catalog, const OrganisationId& organisation,
                                              const catalog::GovernedTable& table);

}  // namespace glovebox::statement
