// SPDX-License-Identifier: Apache-2.0
#include "ledger/genesis.h"

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/errors.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "ledger/entry.h"
#include "ledger/fields.h"
#include "ledger/signer.h"

namespace glovebox::ledger {
namespace {

Status Bad(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }

Status CheckHost(std::string_view host) {
  if (host.empty() || host.size() > limits::kNameBytesMax) {
    return Bad("the host of a ledger's origin is empty or too long");
  }
  for (const char c : host) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':')) {
      return Bad("the host of a ledger's origin has lower-case letters, digits, '.', '-' and ':' only");
    }
  }
  return {};
}

Result<Collaborator> ParseCollaborator(const json::Value& value) {
  GB_RETURN_IF_ERROR(CheckMembers(value, "a collaborator of entry 0", {"party", "statement_key", "witness_key"}));
  GB_ASSIGN_OR_RETURN(std::string party, StringField(value, "party"));
  GB_ASSIGN_OR_RETURN(const std::string statement_key, StringField(value, "statement_key"));
  GB_ASSIGN_OR_RETURN(const std::string witness_key, StringField(value, "witness_key"));
  GB_ASSIGN_OR_RETURN(VerifierKey statement, ParseVerifierKey(statement_key));
  GB_ASSIGN_OR_RETURN(VerifierKey witness, ParseVerifierKey(witness_key));
  return Collaborator{std::move(party), std::move(statement), std::move(witness)};
}

}  // namespace

json::Object Genesis::ToData() const {
  json::Array parties;
  for (const Collaborator& collaborator : collaborators) {
    parties.emplace_back(json::Object{{"party", collaborator.party},
                                      {"statement_key", collaborator.statement_key.Format()},
                                      {"witness_key", collaborator.witness_key.Format()}});
  }
  return json::Object{
      {"collaborators", std::move(parties)},
      {"host", host},
      {"log_key", FormatUnnamedKey({"", KeyAlgorithm::kEd25519Note, log_key})},
      {"mode", WireName(mode)},
      {"terms", terms},
  };
}

const Collaborator* Genesis::Find(std::string_view party) const {
  for (const Collaborator& collaborator : collaborators) {
    if (collaborator.party == party) {
      return &collaborator;
    }
  }
  return nullptr;
}

Status CheckGenesis(const Genesis& genesis) {
  GB_RETURN_IF_ERROR(CheckHost(genesis.host));
  if (genesis.collaborators.empty() || genesis.collaborators.size() > limits::kCollaboratorsMax) {
    return Bad("a room has 1 to " + std::to_string(limits::kCollaboratorsMax) + " collaborators");
  }
  std::set<std::string> parties;
  std::set<std::string> names;
  std::set<std::string, std::less<>> keys = {std::string(genesis.log_key.bytes())};
  for (const Collaborator& collaborator : genesis.collaborators) {
    GB_RETURN_IF_ERROR(CheckPartyName(collaborator.party));
    if (collaborator.statement_key.algorithm != KeyAlgorithm::kEd25519Note ||
        collaborator.witness_key.algorithm != KeyAlgorithm::kEd25519Cosignature) {
      return Bad("a collaborator's keys are one for statements (0x01) and one for cosignatures (0x04)");
    }
    if (!parties.insert(collaborator.party).second || !names.insert(collaborator.statement_key.name).second ||
        !names.insert(collaborator.witness_key.name).second) {
      return Bad("two collaborators have the same alias, or two keys the same name");
    }
    if (!keys.emplace(collaborator.statement_key.public_key.bytes()).second ||
        !keys.emplace(collaborator.witness_key.public_key.bytes()).second) {
      return Bad(
          "a public key is pinned twice; each collaborator needs keys of its own for statements and cosignatures");
    }
  }
  return {};
}

Result<Genesis> ParseGenesis(const Entry& entry0) {
  const json::Value data = entry0.data;
  GB_RETURN_IF_ERROR(CheckMembers(data, "'data' of entry 0", {"collaborators", "host", "log_key", "mode", "terms"}));
  GB_ASSIGN_OR_RETURN(const std::string log_key, StringField(data, "log_key"));
  GB_ASSIGN_OR_RETURN(const VerifierKey key, ParseUnnamedKey(log_key, "log"));
  if (key.algorithm != KeyAlgorithm::kEd25519Note) {
    return Bad("the log's key in entry 0 is no note key");
  }
  Genesis genesis{"", HostingMode::kHosted, {}, key.public_key, {}};
  GB_ASSIGN_OR_RETURN(genesis.host, StringField(data, "host"));
  GB_ASSIGN_OR_RETURN(const std::string mode, StringField(data, "mode"));
  if (mode == WireName(HostingMode::kGated)) {
    genesis.mode = HostingMode::kGated;
  } else if (mode != WireName(HostingMode::kHosted)) {
    return Bad("'mode' in entry 0 is neither hosted nor gated");
  }
  const json::Value* collaborators = data.Get("collaborators");
  const json::Value* terms = data.Get("terms");
  if (collaborators == nullptr || !collaborators->is_array() || terms == nullptr || !terms->is_object()) {
    return Bad("entry 0 has no collaborators or no terms");
  }
  for (const json::Value& value : collaborators->as_array()) {
    GB_ASSIGN_OR_RETURN(Collaborator collaborator, ParseCollaborator(value));
    genesis.collaborators.push_back(std::move(collaborator));
  }
  genesis.terms = terms->as_object();
  GB_RETURN_IF_ERROR(CheckGenesis(genesis));
  return genesis;
}

std::string_view WireName(HostingMode mode) { return mode == HostingMode::kGated ? "gated" : "hosted"; }

}  // namespace glovebox::ledger
