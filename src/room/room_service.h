// SPDX-License-Identifier: Apache-2.0
//
// Rooms and their collaborators: PROVISIONING -> ACTIVE -> CLOSING -> CLOSED, or FAILED with a reason. Each transition
// is a ledger entry before it takes effect.
//
// Joining: the invited organisation sees the room as soon as it exists. It joins by Join(), or by its first act that
// changes the room (publishing a table or a notebook, reviewing a notebook, creating its output catalog or an
// auto-approval rule): clients of Databricks have no call of their own for it. Either way it needs CREATE_CLEAN_ROOM on
// the metastore or MANAGE on the room: who joins becomes the owner of that side; until then its metastore's admins are.
// The room
// is ACTIVE once all have joined. An invited side that deletes a room which it has not joined declines: the room
// FAILED. Names: the creator's name is the local name in every metastore; where two sides share a metastore, the later
// one's is
// `<name>_<alias>`. A name is immutable and unique, without case, in all metastores that the room reaches.
// Closing: any side's deletion closes the room for all. Outputs expire with it; runs that are queued are canceled.
//
// Who learns what: the invitation's address only the creator; owner and comment only one's own side.
// Threads: thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "room/core.h"
#include "room/preparer.h"

namespace glovebox::room {

struct CollaboratorSpec {
  std::string alias;
  std::string global_metastore_id;
  std::string invite_email;
  std::int64_t invite_workspace_id = 0;
};

struct RoomSpec {
  std::string name;
  std::string comment;
  std::string owner;  // "" is the caller
  std::string cloud;
  std::string region;
  std::vector<CollaboratorSpec> collaborators;
  json::Value details;  // other members of remote_detailed_info, echoed
};

struct CollaboratorView {
  Member member;
  std::string display_name;
  std::string organisation_name;
  std::string global_metastore_id;
};

// A room as one side sees it.
struct RoomView {
  Room room;
  std::string alias;
  std::string name;
  std::string owner;
  std::string comment;
  std::string output_catalog;
  std::vector<CollaboratorView> collaborators;
};

struct RoomUpdate {
  std::optional<std::string> comment;
  std::optional<std::string> owner;
};

class RoomService {
 public:
  RoomService(Core& core, Preparer& preparer) : core_(core), preparer_(preparer) {}

  // Needs CREATE_CLEAN_ROOM. Returns ALREADY_EXISTS that names the room and the side that has it.
  Result<RoomView> Create(const Caller& caller, const RoomSpec& spec);
  Result<RoomView> Get(const Caller& caller, const std::string& name);
  // In the order of their names, case ignored; those that the caller may know.
  Result<catalog::Page<RoomView>> List(const Caller& caller, const catalog::PageRequest& page);
  // Local: comment and owner of the caller's side.
  Result<RoomView> Update(const Caller& caller, const std::string& name, const RoomUpdate& update);
  // By who may manage the side, or may create rooms. Joining twice is no error.
  Result<RoomView> Join(const Caller& caller, const std::string& name);
  // Also takes a catalog that an earlier call made before it failed.
  Result<std::string> CreateOutputCatalog(const Caller& caller, const std::string& name,
                                          const std::string& catalog_name);
  // `close` is called with the room in state CLOSING, without the room's lock, to end what is under way in it.
  Status Delete(const Caller& caller, const std::string& name, const std::function<Status(const RoomId&)>& close);
  // CLOSING -> CLOSED. REQUIRES: nothing is under way in the room.
  Status FinishClosing(const RoomId& room);

 private:
  Result<Room> PlanRoom(const Caller& caller, const RoomSpec& spec);
  Status RecordCreation(const Caller& caller, const RoomSpec& spec, const Room& room);
  Result<RoomView> ViewOf(const Caller& caller, const Membership& membership);
  Result<Member> PlanMember(const Caller& caller, const RoomSpec& spec, const CollaboratorSpec& collaborator,
                            const Room& room);
  Status CheckInvitations(const Caller& caller, const Room& room);
  Status CheckNameIsFree(const Caller& caller, const Room& room);

  // What ends with the room: the holds on its tables, and their governed copies.
  static Effects EndOfHolds(const Room& room, const std::vector<Asset>& assets);
  void ForgetAll(const std::vector<Asset>& assets);

  Core& core_;
  Preparer& preparer_;
  std::mutex creating_;         // names are checked in several metastores
  std::mutex naming_catalogs_;  // the name of an output catalog is checked and taken; behind a room's lock
};

}  // namespace glovebox::room
