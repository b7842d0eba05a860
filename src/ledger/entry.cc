// SPDX-License-Identifier: Apache-2.0
#include "ledger/entry.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "ledger/events.h"
#include "ledger/fields.h"
#include "ledger/merkle.h"
#include "ledger/signer.h"
#include "ledger/statement.h"

namespace glovebox::ledger {
namespace {

Status Bad(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }

json::Value ToJson(const Entry& entry) {
  json::Object actor;
  actor.Set("party", entry.actor.party);
  if (!entry.actor.key.empty()) {
    actor.Set("key", entry.actor.key);
  }
  if (!entry.actor.role.empty()) {
    actor.Set("role", entry.actor.role);
  }
  json::Object out;
  out.Set("v", kEntryVersion);
  out.Set("id", entry.id);
  out.Set("seq", static_cast<std::int64_t>(entry.seq));
  if (!entry.room.empty()) {
    out.Set("room", entry.room);
  }
  out.Set("time", FormatRfc3339(entry.time));
  out.Set("type", WireName(entry.type));
  out.Set("outcome", WireName(OutcomeOf(entry.type)));
  if (!entry.reason.empty()) {
    out.Set("reason", entry.reason);
  }
  out.Set("actor", std::move(actor));
  out.Set("subject", SubjectToJson(entry.subject));
  out.Set("data", entry.data);
  if (entry.statement.has_value()) {
    out.Set("stmt", entry.statement->ToJson());
  }
  return out;
}

// A reason is a code of ours, not a sentence: upper-case words with underscores.
Status CheckReason(std::string_view reason) {
  for (const char c : reason) {
    if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) {
      return Bad("the reason of a ledger entry is no code of upper-case letters, digits and '_'");
    }
  }
  return {};
}

Status CheckForm(const Entry& entry) {
  if (!IsUuid(entry.id)) {
    return Bad("the id of a ledger entry is no UUID");
  }
  if (entry.room.empty() != (entry.seq == 0) || (!entry.room.empty() && !IsDigest(entry.room))) {
    return Bad("every ledger entry but the first names its room by the SHA-256 of the first");
  }
  if (entry.reason.size() > limits::kNameBytesMax || entry.actor.role.size() > limits::kNameBytesMax ||
      entry.subject.id.empty() || entry.subject.id.size() > limits::kCommentBytesMax || entry.subject.kind.empty() ||
      entry.subject.kind.size() > limits::kNameBytesMax) {
    return Bad("reason, role or subject of a ledger entry is empty or too long");
  }
  GB_RETURN_IF_ERROR(CheckReason(entry.reason));
  if (entry.actor.party != kOperator) {
    GB_RETURN_IF_ERROR(CheckPartyName(entry.actor.party));
  }
  const std::string_view kind = SubjectKind(entry.type);
  if (!kind.empty() && entry.subject.kind != kind) {
    return Bad("the subject of '" + std::string(WireName(entry.type)) + "' is a " + std::string(kind));
  }
  const std::string statement_key = entry.statement.has_value() ? entry.statement->key : "";
  if (entry.actor.key != statement_key) {
    return Bad("the actor's key of a ledger entry is not that of its statement");
  }
  return {};
}

Result<Actor> ParseActor(const json::Value* value) {
  if (value == nullptr) {
    return Bad("'actor' is missing");
  }
  GB_RETURN_IF_ERROR(CheckMembers(*value, "'actor'", {"party", "key", "role"}));
  Actor actor;
  GB_ASSIGN_OR_RETURN(actor.party, StringField(*value, "party"));
  actor.key = value->GetString("key");
  actor.role = value->GetString("role");
  return actor;
}

// The members that say what happened.
Status ParseEvent(const json::Value& value, Entry& entry) {
  GB_ASSIGN_OR_RETURN(const std::string type_name, StringField(value, "type"));
  const std::optional<EventType> type = EventTypeFromWireName(type_name);
  if (!type.has_value()) {
    return Bad("the type of a ledger entry is not known");
  }
  entry.type = *type;
  entry.reason = value.GetString("reason");
  GB_ASSIGN_OR_RETURN(entry.actor, ParseActor(value.Get("actor")));
  GB_ASSIGN_OR_RETURN(entry.subject, ParseSubject(value.Get("subject")));
  const json::Value* data = value.Get("data");
  if (data == nullptr || !data->is_object()) {
    return Bad("'data' of a ledger entry is missing or no object");
  }
  entry.data = data->as_object();
  if (const json::Value* statement = value.Get("stmt"); statement != nullptr) {
    GB_ASSIGN_OR_RETURN(Envelope envelope, ParseEnvelope(*statement));
    entry.statement = std::move(envelope);
  }
  return {};
}

}  // namespace

Result<std::string> EncodeEntry(const Entry& entry) {
  GB_RETURN_IF_ERROR(CheckForm(entry));
  const json::Value value = ToJson(entry);
  GB_RETURN_IF_ERROR(CheckLedgerJson(value));
  std::string bytes = json::WriteCanonical(value);
  if (bytes.size() > limits::kLedgerEntryBytesMax) {
    return Bad("a ledger entry is larger than " + std::to_string(limits::kLedgerEntryBytesMax) +
               " bytes; put the content into a blob and its digest into the entry");
  }
  return bytes;
}

Result<Entry> ParseEntry(std::string_view bytes) {
  if (bytes.size() > limits::kLedgerEntryBytesMax) {
    return Bad("a ledger entry is larger than its limit");
  }
  auto parsed = json::Parse(bytes, limits::kLedgerJsonDepthMax);
  if (!parsed.ok()) {
    return Bad("a ledger entry is no strict JSON");
  }
  const json::Value& value = *parsed;
  GB_RETURN_IF_ERROR(CheckMembers(
      value, "a ledger entry",
      {"v", "id", "seq", "room", "time", "type", "outcome", "reason", "actor", "subject", "data", "stmt"}));
  if (value.GetString("v") != kEntryVersion) {
    return Bad("the version of a ledger entry is not known");
  }
  Entry entry;
  GB_ASSIGN_OR_RETURN(entry.id, StringField(value, "id"));
  GB_ASSIGN_OR_RETURN(entry.seq, SizeField(value, "seq"));
  entry.room = value.GetString("room");
  GB_ASSIGN_OR_RETURN(const std::string time, StringField(value, "time"));
  GB_ASSIGN_OR_RETURN(entry.time, ParseRfc3339(time));
  GB_RETURN_IF_ERROR(ParseEvent(value, entry));
  GB_ASSIGN_OR_RETURN(const std::string canonical, EncodeEntry(entry));
  if (canonical != bytes) {
    return Bad("a ledger entry is not in its canonical form");
  }
  return entry;
}

std::string OriginOf(std::string_view host, std::string_view entry0) {
  return std::string(host) + "/room/" + HashHex(RawHash(entry0));
}

Status CheckPartyName(std::string_view name) {
  GB_RETURN_IF_ERROR(CheckPathSafeName(name, "the alias of a collaborator"));
  if (name == kOperator) {
    return Bad("the alias 'operator' is reserved");
  }
  if (name.size() > limits::kNameBytesMax) {
    return Bad("the alias of a collaborator is too long");
  }
  return CheckKeyName(name);
}

}  // namespace glovebox::ledger
