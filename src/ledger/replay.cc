// SPDX-License-Identifier: Apache-2.0
#include "ledger/replay.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/errors.h"
#include "base/result.h"
#include "ledger/entry.h"
#include "ledger/events.h"
#include "ledger/genesis.h"
#include "ledger/merkle.h"
#include "ledger/signer.h"
#include "ledger/statement.h"

namespace glovebox::ledger {
namespace {

Status Bad(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }

// A review that only states that the output conforms to the approved contract is nobody's decision.
bool NeedsStatement(const Entry& entry) {
  return MustBeSignedBy(entry.type) == SignedBy::kParty && entry.actor.party != kOperator;
}

Status CheckBody(const StatementBody& body, const Entry& entry, const Tree& tree) {
  if (body.id != entry.id || body.type != WireName(entry.type) || body.subject != entry.subject ||
      body.room != entry.room || body.data_sha256 != DataDigest(entry.data)) {
    return Bad("the statement is about another room, entry, subject or data");
  }
  if (body.seen.size > entry.seq || (entry.seq != 0 && body.seen.size == 0)) {
    return Bad("the statement's author cannot have seen a checkpoint of that size");
  }
  if (tree.Root(body.seen.size) != body.seen.root) {
    return Bad("the statement's author had seen another log: the root at size " + std::to_string(body.seen.size) +
               " differs");
  }
  return {};
}

}  // namespace

Status Replay::Check(const Entry& entry, std::string_view bytes, const Tree& tree, SignatureCheck signatures) const {
  if (entry.seq != size_) {
    return Bad("the entry's seq is not its index");
  }
  if ((entry.type == EventType::kRoomCreated) != (size_ == 0)) {
    return Bad("entry 0, and no other, is room.created");
  }
  if (size_ == 0) {
    GB_ASSIGN_OR_RETURN(const Genesis genesis, ParseGenesis(entry));
    if (genesis.Find(entry.actor.party) == nullptr) {
      return Bad("the room's creator is none of its collaborators");
    }
    return CheckStatement(entry, tree, KeyHistory(genesis, OriginOf(genesis.host, bytes)), signatures);
  }
  if (entry.room != room_) {
    return Bad("the entry belongs to another room");
  }
  if (ids_.contains(entry.id)) {
    return {ErrorCode::kAlreadyExists, "the ledger has an entry of this id"};
  }
  GB_RETURN_IF_ERROR(CheckStatement(entry, tree, *keys_, signatures));
  GB_RETURN_IF_ERROR(state_->Check(entry));
  return entry.type == EventType::kKeyEnrolled ? keys_->CheckEnrolment(entry) : Status();
}

Status Replay::CheckStatement(const Entry& entry, const Tree& tree, const KeyHistory& keys,
                              SignatureCheck signatures) const {
  if (!entry.statement.has_value()) {
    return NeedsStatement(entry) ? Bad("the entry needs a statement signed by its actor") : Status();
  }
  const VerifierKey* key = keys.FindStatementKey(entry.actor.party, entry.statement->key);
  if (key == nullptr) {
    return Bad("the statement's key was not enrolled for its actor");
  }
  GB_ASSIGN_OR_RETURN(const StatementBody body, ParseStatementBody(entry.statement->body));
  GB_RETURN_IF_ERROR(CheckBody(body, entry, tree));
  if (signatures == SignatureCheck::kVerify && !VerifyEnvelope(*entry.statement, *key)) {
    return Bad("the statement's signature does not verify");
  }
  return {};
}

void Replay::Apply(const Entry& entry, std::string_view bytes) {
  ids_.emplace(entry.id, size_);
  if (size_ == 0) {
    Result<Genesis> genesis = ParseGenesis(entry);
    GB_ASSERT(genesis.ok());
    room_ = HashHex(RawHash(bytes));
    origin_ = OriginOf(genesis->host, bytes);
    keys_.emplace(*genesis, origin_);
    state_.emplace(*genesis, entry.actor.party);
    genesis_ = std::move(genesis).value();
  } else {
    state_->Apply(entry);
    if (entry.type == EventType::kKeyEnrolled && keys_->CheckEnrolment(entry).ok()) {
      keys_->Enrol(entry);
    }
  }
  ++size_;
}

std::optional<std::uint64_t> Replay::Find(std::string_view id) const {
  const auto found = ids_.find(id);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace glovebox::ledger
