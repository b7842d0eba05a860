// SPDX-License-Identifier: Apache-2.0
#include "ledger/key_history.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/errors.h"
#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "ledger/entry.h"
#include "ledger/fields.h"
#include "ledger/genesis.h"
#include "ledger/signer.h"
#include "ledger/statement.h"

namespace glovebox::ledger {
namespace {

Status Bad(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }

std::string_view WireName(KeyRole role) { return role == KeyRole::kStatement ? "statement" : "witness"; }

KeyAlgorithm AlgorithmOf(KeyRole role) {
  return role == KeyRole::kStatement ? KeyAlgorithm::kEd25519Note : KeyAlgorithm::kEd25519Cosignature;
}

std::string PossessionMessage(std::string_view origin, std::string_view vkey, std::string_view nonce) {
  std::string message = "cleanroom-enrol/v1\n";
  message += origin;
  message += "\n";
  message += vkey;
  message += "\n";
  message += nonce;
  return message;
}

}  // namespace

KeyHistory::KeyHistory(const Genesis& genesis, std::string origin)
    : log_key_{std::move(origin), KeyAlgorithm::kEd25519Note, genesis.log_key} {
  for (const Collaborator& collaborator : genesis.collaborators) {
    keys_.push_back({collaborator.party, KeyRole::kStatement, collaborator.statement_key, 0});
    keys_.push_back({collaborator.party, KeyRole::kWitness, collaborator.witness_key, 0});
  }
}

Result<VerifierKey> KeyHistory::ParseEnrolment(const Entry& entry, KeyRole& role) const {
  const json::Value data = entry.data;
  GB_RETURN_IF_ERROR(CheckMembers(data, "'data' of key.enrolled", {"nonce", "pop", "role", "vkey"}));
  GB_ASSIGN_OR_RETURN(const std::string role_name, StringField(data, "role"));
  if (role_name != WireName(KeyRole::kStatement) && role_name != WireName(KeyRole::kWitness)) {
    return Bad("the role of an enrolled key is neither statement nor witness");
  }
  role = role_name == WireName(KeyRole::kStatement) ? KeyRole::kStatement : KeyRole::kWitness;
  GB_ASSIGN_OR_RETURN(const std::string vkey, StringField(data, "vkey"));
  GB_ASSIGN_OR_RETURN(const std::string nonce, StringField(data, "nonce"));
  GB_ASSIGN_OR_RETURN(const std::string pop, StringField(data, "pop"));
  GB_ASSIGN_OR_RETURN(VerifierKey key, ParseVerifierKey(vkey));
  GB_ASSIGN_OR_RETURN(const std::string signature, Base64Decode(pop));
  if (key.algorithm != AlgorithmOf(role)) {
    return Bad("the algorithm of an enrolled key does not fit its role");
  }
  if (!key.public_key.Verify(PossessionMessage(log_key_.name, vkey, nonce), signature)) {
    return Bad("an enrolled key has no proof of possession");
  }
  return key;
}

Status KeyHistory::CheckEnrolment(const Entry& entry) const {
  KeyRole role = KeyRole::kStatement;
  GB_ASSIGN_OR_RETURN(const VerifierKey key, ParseEnrolment(entry, role));
  if (entry.subject.id != key.NameAndId()) {
    return Bad("the subject of key.enrolled is not the key");
  }
  if (key.public_key == log_key_.public_key || key.name == log_key_.name) {
    return Bad("an enrolled key is the log's");
  }
  for (const EnrolledKey& known : keys_) {
    if (known.key.public_key == key.public_key || known.key.name == key.name) {
      return Bad("an enrolled key, or its name, is enrolled already");
    }
  }
  return {};
}

void KeyHistory::Enrol(const Entry& entry) {
  KeyRole role = KeyRole::kStatement;
  Result<VerifierKey> key = ParseEnrolment(entry, role);
  GB_ASSERT(key.ok());
  keys_.push_back({entry.actor.party, role, std::move(key).value(), entry.seq});
}

const VerifierKey* KeyHistory::FindStatementKey(std::string_view party, std::string_view name_and_id) const {
  for (const EnrolledKey& known : keys_) {
    if (known.party == party && known.role == KeyRole::kStatement && known.key.NameAndId() == name_and_id) {
      return &known.key;
    }
  }
  return nullptr;
}

const VerifierKey* KeyHistory::FindStatementKey(std::string_view party, const crypto::PublicKey& public_key) const {
  for (const EnrolledKey& known : keys_) {
    if (known.party == party && known.role == KeyRole::kStatement && known.key.public_key == public_key) {
      return &known.key;
    }
  }
  return nullptr;
}

json::Value KeyHistory::ToJson() const {
  json::Array keys;
  for (const EnrolledKey& known : keys_) {
    keys.emplace_back(json::Object{{"from_index", static_cast<std::int64_t>(known.enrolled_at)},
                                   {"party", known.party},
                                   {"role", WireName(known.role)},
                                   {"vkey", known.key.Format()}});
  }
  return json::Object{{"keys", std::move(keys)}, {"log", log_key_.Format()}};
}

std::string KeyHistory::Policy() const {
  std::vector<std::string> parties;
  for (const EnrolledKey& known : keys_) {
    if (std::find(parties.begin(), parties.end(), known.party) == parties.end()) {
      parties.push_back(known.party);
    }
  }
  std::string witnesses;
  std::string groups;
  std::string quorum = "group parties all";
  for (std::size_t p = 0; p < parties.size(); ++p) {
    const std::string number = std::to_string(p + 1);
    std::string group = "group party" + number + " any";
    std::size_t count = 0;
    for (const EnrolledKey& known : keys_) {
      if (known.party == parties[p] && known.role == KeyRole::kWitness) {
        const std::string name = "witness" + number + "." + std::to_string(++count);
        witnesses += "witness " + name + " " + known.key.Format() + "\n";
        group += " " + name;
      }
    }
    groups += group + "\n";
    quorum += " party" + number;
  }
  return "log " + log_key_.Format() + "\n" + witnesses + groups + quorum + "\nquorum parties\n";
}

Result<json::Object> MakeEnrolment(std::string_view origin, KeyRole role, const VerifierKey& key, const Signer& signer,
                                   Random& random) {
  const std::string nonce = Base64UrlEncode(random.Bytes(kNonceBytes));
  GB_ASSIGN_OR_RETURN(const std::string pop, signer.Sign(PossessionMessage(origin, key.Format(), nonce)));
  return json::Object{{"nonce", nonce}, {"pop", Base64Encode(pop)}, {"role", WireName(role)}, {"vkey", key.Format()}};
}

}  // namespace glovebox::ledger
