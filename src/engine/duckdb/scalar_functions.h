// SPDX-License-Identifier: Apache-2.0
//
// Scalar functions that SQL cannot have: those that hold a key, and the canonical form of a privacy unit.
//
//   gb_nfkc_trim_lower(text)              the canonical form (base/strings.h)
//   gb_unit_hash(part, ...)               HUGEINT: HMAC-SHA-256 under the unit key, cut to 128 bits, of the parts'
//                                         canonical forms, each with its length before it; NULL if a part is NULL or
//                                         empty
//   gb_unit_hash_exact(part, ...)         the same without canonicalising
//   gb_hmac_sha256('scope/key', text)     64 hexadecimal digits, lower case
//
// Keys are given here and never stand in a SQL text. All functions give NULL for NULL.
//
// Errors: a key name that is not in the keyring fails the statement. Threads: register before use; the keys are shared
// read-only by all threads of the database.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "crypto/hash.h"
#include "engine/duckdb/connection.h"

namespace glovebox::engine::duckdb {

// Named HMAC keys ("scope/key"). Each is absorbed into its HMAC state; the text is not kept.
class Keyring {
 public:
  void Add(const std::string& name, std::string_view key) { keys_.insert_or_assign(name, crypto::HmacKey(key)); }
  [[nodiscard]] const crypto::HmacKey* Find(const std::string& name) const {
    const auto found = keys_.find(name);
    return found == keys_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::string, crypto::HmacKey> keys_;
};

// Registers gb_nfkc_trim_lower and gb_hmac_sha256.
Status RegisterTextFunctions(Connection& connection, std::shared_ptr<const Keyring> keyring);
// Registers gb_unit_hash and gb_unit_hash_exact.
Status RegisterUnitHash(Connection& connection, std::string_view unit_secret);

}  // namespace glovebox::engine::duckdb
