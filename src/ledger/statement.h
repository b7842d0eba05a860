// SPDX-License-Identifier: Apache-2.0
//
// Statements: what a collaborator signs with its own key (DSSE), so that neither the operator nor a peer can act in its
// name. The body names `seen`, the newest checkpoint that its author had verified: a statement cannot be moved to
// another room, to another event, or into a fork of the log.
//
//   signed bytes = "DSSEv1 " len(type) " " type " " len(body) " " body      lengths in decimal bytes
//   body         = JCS {data_sha256, id, issued_at, nonce, room?, seen{root, size}, subject, type}
//
// `room` is absent in the statement of entry 0, whose hash is the room's identity.
// Errors: INVALID_PARAMETER_VALUE. Threads: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "ledger/merkle.h"
#include "ledger/signer.h"

namespace glovebox::ledger {

inline constexpr std::string_view kStatementType = "application/vnd.cleanroom.statement.v1+json";
inline constexpr std::size_t kNonceBytes = 16;

struct Seen {
  std::uint64_t size = 0;
  Hash root{};
};

struct Subject {
  std::string kind;
  std::string id;
  bool operator==(const Subject&) const = default;
};

struct StatementBody {
  std::string room;  // hex SHA-256 of entry 0; "" in entry 0
  std::string id;    // the entry's
  std::string type;  // the entry's, wire name
  Subject subject;
  std::string data_sha256;  // hex SHA-256 of JCS(data)
  Seen seen;
  TimeMs issued_at{};
  std::string nonce;  // base64url of kNonceBytes random bytes

  [[nodiscard]] std::string Format() const;
};

// Accepts exactly what Format writes.
Result<StatementBody> ParseStatementBody(std::string_view bytes);

// A body with its one signature.
struct Envelope {
  std::string body;
  std::string key;        // VerifierKey::NameAndId of the signing key
  std::string signature;  // raw bytes

  [[nodiscard]] json::Value ToJson() const;
};

Result<Envelope> ParseEnvelope(const json::Value& value);
Result<Envelope> SignStatement(const StatementBody& body, const VerifierKey& key, const Signer& signer);
bool VerifyEnvelope(const Envelope& envelope, const VerifierKey& key);

json::Value SubjectToJson(const Subject& subject);
Result<Subject> ParseSubject(const json::Value* value);
// Hex SHA-256 of the canonical form.
std::string DataDigest(const json::Object& data);

}  // namespace glovebox::ledger
