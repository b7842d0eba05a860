// SPDX-License-Identifier: Apache-2.0
#include "ledger/statement.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/errors.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "ledger/fields.h"
#include "ledger/merkle.h"
#include "ledger/signer.h"

namespace glovebox::ledger {
namespace {

Status Bad(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }

// DSSE's pre-authentication encoding: lengths first, so that no two (type, body) pairs give the same bytes.
std::string SignedBytes(std::string_view body) {
  std::string out = "DSSEv1 " + std::to_string(kStatementType.size()) + " ";
  out += kStatementType;
  out += " " + std::to_string(body.size()) + " ";
  out += body;
  return out;
}

Result<Seen> ParseSeen(const json::Value* value) {
  if (value == nullptr) {
    return Bad("a statement does not say which checkpoint its author had seen");
  }
  GB_RETURN_IF_ERROR(CheckMembers(*value, "'seen' of a statement", {"root", "size"}));
  Seen seen;
  GB_ASSIGN_OR_RETURN(seen.size, SizeField(*value, "size"));
  GB_ASSIGN_OR_RETURN(seen.root, HashField(*value, "root"));
  return seen;
}

}  // namespace

std::string StatementBody::Format() const {
  json::Object body;
  body.Set("data_sha256", data_sha256);
  body.Set("id", id);
  body.Set("issued_at", FormatRfc3339(issued_at));
  body.Set("nonce", nonce);
  if (!room.empty()) {
    body.Set("room", room);
  }
  body.Set("seen", json::Object{{"root", HashHex(seen.root)}, {"size", static_cast<std::int64_t>(seen.size)}});
  body.Set("subject", SubjectToJson(subject));
  body.Set("type", type);
  return json::WriteCanonical(body);
}

Result<StatementBody> ParseStatementBody(std::string_view bytes) {
  GB_ASSIGN_OR_RETURN(const json::Value value, json::Parse(bytes, limits::kLedgerJsonDepthMax));
  GB_RETURN_IF_ERROR(CheckMembers(value, "a statement",
                                  {"data_sha256", "id", "issued_at", "nonce", "room", "seen", "subject", "type"}));
  StatementBody body;
  GB_ASSIGN_OR_RETURN(body.data_sha256, StringField(value, "data_sha256"));
  GB_ASSIGN_OR_RETURN(body.id, StringField(value, "id"));
  GB_ASSIGN_OR_RETURN(const std::string issued_at, StringField(value, "issued_at"));
  GB_ASSIGN_OR_RETURN(body.issued_at, ParseRfc3339(issued_at));
  GB_ASSIGN_OR_RETURN(body.nonce, StringField(value, "nonce"));
  GB_ASSIGN_OR_RETURN(const std::string nonce, Base64UrlDecode(body.nonce));
  if (nonce.size() != kNonceBytes) {
    return Bad("the nonce of a statement is not 128 bits");
  }
  body.room = value.GetString("room");
  GB_ASSIGN_OR_RETURN(body.seen, ParseSeen(value.Get("seen")));
  GB_ASSIGN_OR_RETURN(body.subject, ParseSubject(value.Get("subject")));
  GB_ASSIGN_OR_RETURN(body.type, StringField(value, "type"));
  if (body.Format() != bytes) {
    return Bad("a statement is not in its canonical form");
  }
  return body;
}

json::Value Envelope::ToJson() const {
  return json::Object{
      {"payload", Base64Encode(body)},
      {"payloadType", kStatementType},
      {"signatures", json::Array{json::Object{{"keyid", key}, {"sig", Base64Encode(signature)}}}},
  };
}

Result<Envelope> ParseEnvelope(const json::Value& value) {
  GB_RETURN_IF_ERROR(CheckMembers(value, "'stmt'", {"payload", "payloadType", "signatures"}));
  GB_ASSIGN_OR_RETURN(const std::string type, StringField(value, "payloadType"));
  const json::Value* signatures = value.Get("signatures");
  if (type != kStatementType || signatures == nullptr || !signatures->is_array() ||
      signatures->as_array().size() != 1) {
    return Bad("'stmt' is no statement with one signature");
  }
  const json::Value& signature = signatures->as_array()[0];
  GB_RETURN_IF_ERROR(CheckMembers(signature, "a signature of 'stmt'", {"keyid", "sig"}));
  Envelope envelope;
  GB_ASSIGN_OR_RETURN(const std::string payload, StringField(value, "payload"));
  GB_ASSIGN_OR_RETURN(envelope.body, Base64Decode(payload));
  GB_ASSIGN_OR_RETURN(envelope.key, StringField(signature, "keyid"));
  GB_ASSIGN_OR_RETURN(const std::string sig, StringField(signature, "sig"));
  GB_ASSIGN_OR_RETURN(envelope.signature, Base64Decode(sig));
  return envelope;
}

Result<Envelope> SignStatement(const StatementBody& body, const VerifierKey& key, const Signer& signer) {
  Envelope envelope;
  envelope.body = body.Format();
  envelope.key = key.NameAndId();
  GB_ASSIGN_OR_RETURN(envelope.signature, signer.Sign(SignedBytes(envelope.body)));
  return envelope;
}

bool VerifyEnvelope(const Envelope& envelope, const VerifierKey& key) {
  return key.algorithm == KeyAlgorithm::kEd25519Note && envelope.key == key.NameAndId() &&
         key.public_key.Verify(SignedBytes(envelope.body), envelope.signature);
}

json::Value SubjectToJson(const Subject& subject) { return json::Object{{"id", subject.id}, {"kind", subject.kind}}; }

Result<Subject> ParseSubject(const json::Value* value) {
  if (value == nullptr) {
    return Bad("'subject' is missing");
  }
  GB_RETURN_IF_ERROR(CheckMembers(*value, "'subject'", {"id", "kind"}));
  Subject subject;
  GB_ASSIGN_OR_RETURN(subject.id, StringField(*value, "id"));
  GB_ASSIGN_OR_RETURN(subject.kind, StringField(*value, "kind"));
  return subject;
}

std::string DataDigest(const json::Object& data) { return HashHex(RawHash(json::WriteCanonical(data))); }

}  // namespace glovebox::ledger
