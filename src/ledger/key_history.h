// SPDX-License-Identifier: Apache-2.0
//
// Which keys spoke for whom, from which entry on: read from the log itself, starting at entry 0, never from a key
// server.
//
// key.enrolled adds a key: signed by a statement key of the same party, with a proof that the new key's owner has it:
//   data = {nonce, pop, role: "statement" | "witness", vkey}     subject = {kind: "key", id: "name+id"}
//   pop  = base64(signature of the new key over "cleanroom-enrol/v1\n" origin "\n" vkey "\n" nonce)
// It is valid for entries after its own: a history is asked as it stands before an entry, and then told of it. The keys
// of entry 0 need no such proof: each signs the origin itself, by the first statement and the first cosignature.
//
// Errors: INVALID_PARAMETER_VALUE. Threads: a plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "ledger/entry.h"
#include "ledger/genesis.h"
#include "ledger/signer.h"

namespace glovebox::ledger {

enum class KeyRole { kStatement, kWitness };

struct EnrolledKey {
  std::string party;
  KeyRole role = KeyRole::kStatement;
  VerifierKey key;
  std::uint64_t enrolled_at = 0;  // the entry that enrolled it
};

class KeyHistory {
 public:
  KeyHistory(const Genesis& genesis, std::string origin);

  // Whether a key.enrolled entry is well-formed, its key new and its proof of possession good.
  [[nodiscard]] Status CheckEnrolment(const Entry& entry) const;
  // REQUIRES: CheckEnrolment(entry) is OK.
  void Enrol(const Entry& entry);

  // The party's statement key of this "name+id", or nullptr.
  [[nodiscard]] const VerifierKey* FindStatementKey(std::string_view party, std::string_view name_and_id) const;
  // The party's statement key with this public key, or nullptr.
  [[nodiscard]] const VerifierKey* FindStatementKey(std::string_view party, const crypto::PublicKey& public_key) const;
  [[nodiscard]] const VerifierKey& log_key() const { return log_key_; }
  [[nodiscard]] const std::vector<EnrolledKey>& keys() const { return keys_; }
  // For the bundle: every key with its party, role and first index.
  [[nodiscard]] json::Value ToJson() const;
  // The quorum file of C2SP tlog-policy: the log's key, every witness, all parties needed.
  [[nodiscard]] std::string Policy() const;

 private:
  [[nodiscard]] Result<VerifierKey> ParseEnrolment(const Entry& entry, KeyRole& role) const;

  VerifierKey log_key_;
  std::vector<EnrolledKey> keys_;
};

// `data` of a key.enrolled entry for the key that `signer` holds.
Result<json::Object> MakeEnrolment(std::string_view origin, KeyRole role, const VerifierKey& key, const Signer& signer,
                                   Random& random);

}  // namespace glovebox::ledger
