// SPDX-License-Identifier: Apache-2.0
#include "room/core.h"

#include <algorithm>

#include "base/log.h"

namespace glovebox::room {

void RoomMutex::lock() {
  std::unique_lock<std::mutex> lock(mutex_);
  freed_.wait(lock, [this] { return !held_; });
  held_ = true;
}

bool RoomMutex::try_lock_for(std::chrono::milliseconds timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!freed_.wait_for(lock, timeout, [this] { return !held_; })) {
    return false;
  }
  held_ = true;
  return true;
}

void RoomMutex::unlock() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    held_ = false;
  }
  freed_.notify_one();
}

LedgerEntry EntryOf(EventType type, const std::string& party, std::string role, std::string subject) {
  LedgerEntry entry;
  entry.type = type;
  entry.party = party;
  entry.role = std::move(role);
  entry.subject = std::move(subject);
  return entry;
}

LedgerEntry ServerEntry(EventType type, std::string subject) {
  LedgerEntry entry;
  entry.type = type;
  entry.subject = std::move(subject);
  return entry;
}

CatalogAct HoldOf(CatalogAct::Kind kind, const Room& room, const Member& owner, const Asset& asset) {
  // One hold an asset: a table may be published twice under different names.
  return {kind,
          owner.organisation,
          asset.table_id,
          "clean room '" + owner.local_name + "' (asset '" + asset.name + "' of room " + room.id.str() + ")",
          "",
          ""};
}

Result<Membership> Core::Find(const Caller& caller, const std::string& room_name) {
  GB_ASSIGN_OR_RETURN(std::optional<Membership> found,
                      Read([&](store::Transaction& tx) { return FindMembership(tx, caller.organisation, room_name); }));
  if (!found) {
    return Status(ErrorCode::kNotFound, "Clean room '" + room_name + "' does not exist.");
  }
  return std::move(*found);
}

Result<Membership> Core::Enter(const Caller& caller, const std::string& room_name) {
  GB_ASSIGN_OR_RETURN(Membership membership, Find(caller, room_name));
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const LocalRoom local,
                      context_.metastores.GetLocalRoom(caller, membership.self().local_name));
  return membership;
}

Result<LockedMembership> Core::EnterForChange(const Caller& caller, const std::string& room_name,
                                              RoomPrivilege privilege, Joining joining) {
  GB_ASSIGN_OR_RETURN(const Membership before, Enter(caller, room_name));
  GB_RETURN_IF_ERROR(context_.metastores.CheckOnRoom(caller, privilege, before.self().local_name));
  GB_ASSIGN_OR_RETURN(RoomLock lock, LockForRequest(before.room.id));
  GB_ASSIGN_OR_RETURN(Membership membership, Find(caller, room_name));
  if (membership.room.id != before.room.id) {
    return Status(ErrorCode::kAborted, "The clean room was replaced by another one meanwhile; try again.");
  }
  if (!membership.self().joined_at && joining != Joining::kNotNeeded) {
    if (joining == Joining::kRequired) {
      return Status(ErrorCode::kInvalidState, "Your organisation has not joined clean room '" + room_name + "' yet.");
    }
    GB_RETURN_IF_ERROR(RequireState(membership.room, {RoomState::kProvisioning}));
    GB_RETURN_IF_ERROR(CheckMayJoin(caller, membership));
    GB_RETURN_IF_ERROR(CheckRoomForMore(caller.organisation));
    GB_RETURN_IF_ERROR(Join(caller, membership));
  }
  LockedMembership locked;
  static_cast<Membership&>(locked) = std::move(membership);
  locked.lock = std::move(lock);
  return locked;
}

Result<RoomLock> Core::LockForRequest(const RoomId& room) {
  RoomLock lock(MutexOf(room), std::chrono::milliseconds(context_.room_lock_timeout_ms));
  if (!lock.owns_lock()) {
    return Status(ErrorCode::kResourceExhausted, "Too many changes of this clean room are under way; try again later.");
  }
  return lock;
}

RoomMutex& Core::MutexOf(const RoomId& room) {
  const std::lock_guard<std::mutex> guard(mutex_);
  std::unique_ptr<RoomMutex>& slot = locks_[room];
  if (slot == nullptr) {
    slot = std::make_unique<RoomMutex>();
  }
  return *slot;
}

RoomLock Core::Lock(const RoomId& room) { return RoomLock(MutexOf(room)); }

Result<Room> Core::Load(const RoomId& room) {
  GB_ASSIGN_OR_RETURN(std::optional<Room> loaded, Read([&](store::Transaction& tx) { return LoadRoom(tx, room); }));
  if (!loaded) {
    return Status(ErrorCode::kDataLoss, "A room of the store is missing.");
  }
  return std::move(*loaded);
}

Status Core::CheckMayJoin(const Caller& caller, const Membership& membership) {
  const Status creates = context_.metastores.CheckMayCreateRooms(caller);
  if (creates.code() != ErrorCode::kPermissionDenied && creates.code() != ErrorCode::kNotFound) {
    return creates;
  }
  const std::string& name = membership.self().local_name;
  const Status manages = context_.metastores.CheckOnRoom(caller, RoomPrivilege::kManage, name);
  if (manages.code() != ErrorCode::kPermissionDenied) {
    return manages;
  }
  return Status(ErrorCode::kPermissionDenied, "Your organisation has not joined clean room '" + name +
                                                  "' yet. To join it needs CREATE_CLEAN_ROOM on the metastore, or "
                                                  "MANAGE on the clean room.");
}

Status Core::CheckRoomForMore(const OrganisationId& organisation) {
  GB_ASSIGN_OR_RETURN(const std::int64_t open,
                      Read([&](store::Transaction& tx) { return CountOpenRooms(tx, organisation); }));
  if (static_cast<std::size_t>(open) >= limits::kRoomsPerOrganisationMax) {
    return Status(ErrorCode::kResourceExhausted, "Your organisation is in " +
                                                     std::to_string(limits::kRoomsPerOrganisationMax) +
                                                     " clean rooms; delete those that it does not need.");
  }
  return Status();
}

Status Core::Join(const Caller& caller, Membership& membership) {
  const auto self = std::find_if(membership.room.members.begin(), membership.room.members.end(),
                                 [&](const Member& member) { return member.alias == membership.alias; });
  GB_ASSERT(self != membership.room.members.end() && !self->joined_at);
  self->joined_at = Now();
  self->updated_at = Now();
  LedgerEntry entry = EntryOf(EventType::kRoomJoined, membership.alias, "collaborator", membership.room.id.str());
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      journal_.Record(membership.room.id, std::move(entry),
                                      {UpdateMember(membership.room.id, *self),
                                       CatalogAct{CatalogAct::Kind::kTakeRoom, self->organisation,
                                                  membership.room.SideId(*self), self->local_name, caller.name, ""}}));
  log::Info("a collaborator joined", {{"room", membership.room.id.str()}});
  return ActivateIfReady(membership.room);
}

Status Core::ActivateIfReady(Room& room) {
  if (room.state != RoomState::kProvisioning || !room.AllJoined()) {
    return Status();
  }
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      journal_.Record(room.id, ServerEntry(EventType::kRoomActive, room.id.str()),
                                      {UpdateRoomState(room.id, RoomState::kActive, "", Now())}));
  room.state = RoomState::kActive;
  return Status();
}

Status Core::Write(const std::vector<Statement>& statements) {
  GB_ASSIGN_OR_RETURN(const auto tx, context_.database.Begin(store::Access::kWrite));
  GB_RETURN_IF_ERROR(Apply(*tx, statements, 0));
  return tx->Commit();
}

Result<std::int64_t> Core::WriteOne(const Statement& statement) {
  GB_ASSIGN_OR_RETURN(const auto tx, context_.database.Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const std::int64_t changed, tx->Execute(statement.sql, statement.parameters));
  GB_RETURN_IF_ERROR(tx->Commit());
  return changed;
}

Result<std::string> Core::StoredPath(const std::string& path) const {
  const std::string prefix = context_.data_folder + "/";
  if (!path.starts_with(prefix)) {
    return Status(ErrorCode::kDataLoss, "A file was written outside of the data folder.");
  }
  return path.substr(prefix.size());
}

Status Core::RequireState(const Room& room, std::initializer_list<RoomState> states) {
  if (std::find(states.begin(), states.end(), room.state) != states.end()) {
    return Status();
  }
  std::string message = "The clean room is " + std::string(Name(room.state));
  if (!room.reason.empty()) {
    message += " (" + room.reason + ")";
  }
  if (room.state == RoomState::kProvisioning) {
    message += ": it becomes ACTIVE once all collaborators have joined";
  }
  return Status(ErrorCode::kInvalidState, message + ".");
}

}  // namespace glovebox::room
