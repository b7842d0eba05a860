// SPDX-License-Identifier: Apache-2.0
//
// One entry of a room's ledger. A leaf of the tree is exactly the stored bytes, and these are JCS (RFC 8785), at most
// limits::kLedgerEntryBytesMax: integrity never depends on canonicalisation, but every entry has one spelling only.
//
// Who learns what: entries are read by every collaborator and by whoever gets an evidence bundle. No value of a table,
// no identifier of a person, no text of an author goes in: digests, aliases, counts, and commitments.
//
// Invariant: ParseEntry accepts exactly what EncodeEntry writes. In `data` numbers are integers of at most 2^53 - 1 in
// magnitude and keys are ASCII.
// Errors: INVALID_PARAMETER_VALUE. Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "ledger/events.h"
#include "ledger/statement.h"

namespace glovebox::ledger {

inline constexpr std::string_view kEntryVersion = "cr-audit/1";
// The actor of what the server does by itself. No collaborator may have this alias.
inline constexpr std::string_view kOperator = "operator";

struct Actor {
  std::string party;  // a collaborator's alias, or kOperator
  std::string key;    // the key of the statement, as VerifierKey::NameAndId; "" without a statement
  std::string role;   // "approver", "runner", ...; "" is none
};

struct Entry {
  std::string id;         // UUID
  std::uint64_t seq = 0;  // the leaf's index
  std::string room;       // hex SHA-256 of entry 0; "" in entry 0
  TimeMs time{};          // the operator's claim
  EventType type = EventType::kAccessDenied;
  std::string reason;  // a code; "" is none
  Actor actor;
  Subject subject;
  json::Object data;
  std::optional<Envelope> statement;
};

Result<std::string> EncodeEntry(const Entry& entry);
Result<Entry> ParseEntry(std::string_view bytes);

// "<host>/room/<hex SHA-256 of entry 0>", and whether the text has that form.
std::string OriginOf(std::string_view host, std::string_view entry0);
// A party's alias: CheckPathSafeName, no white space, no '+', not "operator".
Status CheckPartyName(std::string_view name);

}  // namespace glovebox::ledger
