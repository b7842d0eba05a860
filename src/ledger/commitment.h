// SPDX-License-Identifier: Apache-2.0
//
// Salted commitments, for what an entry must bind and not every reader may see (in the manner of SD-JWT):
//
//   disclosure = base64url(JSON [salt, name, value])    salt: base64url of 128 random bits
//   commitment = base64url(SHA-256(disclosure))         goes into data.sd of the entry
//
// Who learns what: the commitment says nothing of a value, however few values are possible, as long as the salt is
// secret. The disclosure opens it; it goes to the entitled only, and deleting every copy erases the value.
// Errors: INVALID_PARAMETER_VALUE. Threads: plain functions.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/random.h"
#include "base/result.h"

namespace glovebox::ledger {

struct Commitment {
  std::string commitment;
  std::string opening;  // the disclosure
};

Commitment Commit(std::string_view name, const json::Value& value, Random& random);
// The same with a salt that the caller keeps beside the value, instead of the opening: one that NewSalt gave.
Commitment CommitWith(std::string_view salt, std::string_view name, const json::Value& value);
std::string NewSalt(Random& random);

struct OpenedValue {
  std::string name;
  json::Value value;
};

std::string CommitmentOf(std::string_view opening);
// Returns an error if the opening is malformed or not of this commitment.
Result<OpenedValue> OpenCommitment(std::string_view opening, std::string_view commitment);

}  // namespace glovebox::ledger
