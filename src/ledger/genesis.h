// SPDX-License-Identifier: Apache-2.0
//
// Entry 0, `room.created`: the terms, the collaborators and all keys. Its hash is the room's identity, so whoever holds
// that hash holds the agreement.
//
//   data = {collaborators: [{party, statement_key, witness_key}], host, log_key, mode, terms}
//
// statement_key and witness_key are vkeys (algorithms 0x01 and 0x04); log_key is base64(algorithm || public key),
// because the log's key name is the origin, which is derived from this entry. All public keys differ: two names for one
// key would let one signature count twice. Errors: INVALID_PARAMETER_VALUE. Threads: plain values.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "ledger/entry.h"
#include "ledger/signer.h"

namespace glovebox::ledger {

// Which of the two ways of hosting is in force (README of the product); `verify` prints it.
enum class HostingMode { kHosted, kGated };

struct Collaborator {
  std::string party;  // its alias
  VerifierKey statement_key;
  VerifierKey witness_key;
};

struct Genesis {
  std::string host;  // of the origin: lower-case letters, digits, '.', '-', ':'
  HostingMode mode = HostingMode::kHosted;
  std::vector<Collaborator> collaborators;
  crypto::PublicKey log_key;
  json::Object terms;

  [[nodiscard]] json::Object ToData() const;
  [[nodiscard]] const Collaborator* Find(std::string_view party) const;
};

Status CheckGenesis(const Genesis& genesis);
Result<Genesis> ParseGenesis(const Entry& entry0);
std::string_view WireName(HostingMode mode);

}  // namespace glovebox::ledger
