// SPDX-License-Identifier: Apache-2.0
#include "room/journal.h"

#include "base/ids.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"

namespace glovebox::room {
namespace {

using store::Access;
using store::Value;

json::Value ToJson(const Value& value) {
  if (std::holds_alternative<std::int64_t>(value)) {
    return std::get<std::int64_t>(value);
  }
  if (std::holds_alternative<std::string>(value)) {
    return std::get<std::string>(value);
  }
  if (std::holds_alternative<store::Blob>(value)) {
    return json::Object{{"blob", std::get<store::Blob>(value).bytes}};
  }
  GB_ASSERT(std::holds_alternative<std::monostate>(value));  // this part stores no doubles
  return {};
}

Value FromJson(const json::Value& value) {
  if (value.is_int()) {
    return value.as_int();
  }
  if (value.is_string()) {
    return value.as_string();
  }
  if (value.is_object()) {
    return store::Blob{value.GetString("blob")};
  }
  return std::monostate{};
}

json::Value ToJson(const Effect& effect) {
  if (const auto* statement = std::get_if<Statement>(&effect)) {
    json::Array parameters;
    for (const Value& parameter : statement->parameters) {
      parameters.push_back(ToJson(parameter));
    }
    return json::Object{{"sql", statement->sql}, {"parameters", std::move(parameters)}};
  }
  const auto& act = std::get<CatalogAct>(effect);
  return json::Object{{"catalog", static_cast<std::int64_t>(act.kind)},
                      {"organisation", act.organisation.str()},
                      {"id", act.id},
                      {"name", act.name},
                      {"owner", act.owner},
                      {"comment", act.comment}};
}

Result<Effects> EffectsFromText(const std::string& text) {
  GB_ASSIGN_OR_RETURN(const json::Value value, JsonFromText(text));
  Effects effects;
  if (!value.is_array()) {
    return Status(ErrorCode::kDataLoss, "An intent of the store is damaged.");
  }
  for (const json::Value& item : value.as_array()) {
    if (item.Get("catalog") != nullptr) {
      CatalogAct act;
      act.kind = static_cast<CatalogAct::Kind>(item.GetInt("catalog"));
      act.organisation = OrganisationId(item.GetString("organisation"));
      act.id = item.GetString("id");
      act.name = item.GetString("name");
      act.owner = item.GetString("owner");
      act.comment = item.GetString("comment");
      effects.emplace_back(std::move(act));
      continue;
    }
    Statement statement{item.GetString("sql"), {}};
    const json::Value* parameters = item.Get("parameters");
    if (statement.sql.empty() || parameters == nullptr || !parameters->is_array()) {
      return Status(ErrorCode::kDataLoss, "An intent of the store is damaged.");
    }
    for (const json::Value& parameter : parameters->as_array()) {
      statement.parameters.push_back(FromJson(parameter));
    }
    effects.emplace_back(std::move(statement));
  }
  return effects;
}

std::string ToText(const Effects& effects) {
  json::Array items;
  for (const Effect& effect : effects) {
    items.push_back(ToJson(effect));
  }
  return json::Write(json::Value(std::move(items)));
}

}  // namespace

Result<std::int64_t> Journal::Open(const RoomId& room, const std::vector<LedgerParty>& parties, LedgerEntry entry,
                                   const Effects& effects) {
  return RecordWith(room, std::move(entry), effects, &parties);
}

Result<std::int64_t> Journal::Record(const RoomId& room, LedgerEntry entry, const Effects& effects) {
  return RecordWith(room, std::move(entry), effects, nullptr);
}

Result<std::int64_t> Journal::RecordWith(const RoomId& room, LedgerEntry entry, const Effects& effects,
                                         const std::vector<LedgerParty>* parties) {
  GB_RETURN_IF_ERROR(RequireSettled(room));
  entry.id = NewUuid(clock_, random_);
  {
    GB_ASSIGN_OR_RETURN(const auto tx, database_.Begin(Access::kWrite));
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t changed,
                        tx->Execute("INSERT INTO room_intents (id, room_id, effects, created_at) VALUES (?, ?, ?, ?)",
                                    {entry.id, room.str(), ToText(effects), ToInt(clock_.Now())}));
    GB_RETURN_IF_ERROR(tx->Commit());
  }
  const Result<std::int64_t> index =
      parties != nullptr ? ledger_.Open(room, *parties, entry) : ledger_.Append(room, entry);
  if (!index.ok()) {
    if (const Status dropped = DropIntent(entry.id); !dropped.ok()) {
      log::Error("an intent stays until the next start", {{"intent", entry.id}});
    }
    return index.status();
  }
  if (const Status settled = SettleWithPatience(entry.id, effects, *index); !settled.ok()) {
    log::Error("what is on the ledger could not be stored; the room takes no changes until it is",
               {{"room", room.str()}, {"entry", entry.id}, {"code", std::string(WireName(settled.code()))}});
    const std::lock_guard<std::mutex> guard(mutex_);
    unsettled_.insert(room);
    return Status(ErrorCode::kUnavailable,
                  "The action is on the ledger and takes effect as soon as it can be stored. Until then the clean room "
                  "takes no other changes.");
  }
  return *index;
}

Status Journal::RequireSettled(const RoomId& room) {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (!unsettled_.contains(room)) {
      return Status();
    }
  }
  if (const Status settled = SettleRoom(room); !settled.ok()) {
    log::Error("a room is still unsettled", {{"room", room.str()}, {"code", std::string(WireName(settled.code()))}});
  }
  return Status(ErrorCode::kUnavailable, "An earlier action in the clean room was still to be stored; try again.");
}

Status Journal::SettleWithPatience(const std::string& intent, const Effects& effects, std::int64_t index) {
  Status settled = Settle(intent, effects, index);
  for (int i = 1; i < limits::kSettleTriesMax && !settled.ok(); ++i) {
    settled = Settle(intent, effects, index);
  }
  return settled;
}

Result<std::int64_t> Journal::Append(const RoomId& room, LedgerEntry entry) {
  GB_RETURN_IF_ERROR(RequireSettled(room));
  if (entry.id.empty()) {
    entry.id = NewUuid(clock_, random_);
  } else {
    GB_ASSIGN_OR_RETURN(const std::optional<std::int64_t> found, ledger_.Find(room, entry.id));
    if (found) {
      return *found;
    }
  }
  return ledger_.Append(room, entry);
}

Status Journal::Settle(const std::string& intent, const Effects& effects, std::int64_t index) {
  GB_ASSIGN_OR_RETURN(const auto tx, database_.Begin(Access::kWrite));
  for (const Effect& effect : effects) {
    if (const auto* statement = std::get_if<Statement>(&effect)) {
      GB_RETURN_IF_ERROR(room::Apply(*tx, {*statement}, index));
    } else {
      GB_RETURN_IF_ERROR(metastores_.Apply(*tx, std::get<CatalogAct>(effect)));
    }
  }
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t changed,
                      tx->Execute("DELETE FROM room_intents WHERE id = ?", {intent}));
  return tx->Commit();
}

Status Journal::DropIntent(const std::string& intent) {
  GB_ASSIGN_OR_RETURN(const auto tx, database_.Begin(Access::kWrite));
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t changed,
                      tx->Execute("DELETE FROM room_intents WHERE id = ?", {intent}));
  return tx->Commit();
}

Status Journal::SettleRow(const RoomId& room, const store::Row& row) {
  GB_ASSIGN_OR_RETURN(const std::optional<std::int64_t> index, ledger_.Find(room, row.Text(0)));
  if (!index) {
    return DropIntent(row.Text(0));
  }
  GB_ASSIGN_OR_RETURN(const Effects effects, EffectsFromText(row.Text(1)));
  GB_RETURN_IF_ERROR(Settle(row.Text(0), effects, *index));
  log::Info("an action that was recorded before took effect", {{"room", room.str()}, {"entry", row.Text(0)}});
  return Status();
}

Status Journal::SettleRoom(const RoomId& room) {
  std::vector<store::Row> rows;
  {
    GB_ASSIGN_OR_RETURN(const auto tx, database_.Begin(Access::kRead));
    GB_ASSIGN_OR_RETURN(
        rows,
        tx->Query("SELECT id, effects FROM room_intents WHERE room_id = ? ORDER BY created_at, id", {room.str()}));
  }
  for (const store::Row& row : rows) {
    GB_RETURN_IF_ERROR(SettleRow(room, row));
  }
  const std::lock_guard<std::mutex> guard(mutex_);
  unsettled_.erase(room);
  return Status();
}

std::vector<RoomId> Journal::Unsettled() {
  const std::lock_guard<std::mutex> guard(mutex_);
  return {unsettled_.begin(), unsettled_.end()};
}

Status Journal::Recover() {
  std::vector<store::Row> rows;
  {
    GB_ASSIGN_OR_RETURN(const auto tx, database_.Begin(Access::kRead));
    GB_ASSIGN_OR_RETURN(rows, tx->Query("SELECT DISTINCT room_id FROM room_intents ORDER BY room_id"));
  }
  for (const store::Row& row : rows) {
    const RoomId room(row.Text(0));
    if (const Status settled = SettleRoom(room); !settled.ok()) {
      log::Error("a room could not be settled; it takes no changes until it is",
                 {{"room", room.str()}, {"code", std::string(WireName(settled.code()))}});
      const std::lock_guard<std::mutex> guard(mutex_);
      unsettled_.insert(room);
    }
  }
  return Status();
}

}  // namespace glovebox::room
