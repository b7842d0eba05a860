// SPDX-License-Identifier: Apache-2.0
#include "room/room_service.h"

#include <algorithm>

#include "base/invalid_parameter.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"
#include "catalog/names.h"

namespace glovebox::room {
namespace {

Status CheckSpec(const RoomSpec& spec) {
  GB_RETURN_IF_ERROR(CheckSecurableName(spec.name, "clean room name"));
  GB_RETURN_IF_ERROR(CheckPathSafeName(spec.name, "clean room name"));
  GB_RETURN_IF_ERROR(catalog::CheckComment(spec.comment));
  if (spec.collaborators.empty() || spec.collaborators.size() > limits::kCollaboratorsMax) {
    return InvalidParameter("A clean room has 1 to " + std::to_string(limits::kCollaboratorsMax) +
                            " collaborators, the creator included.");
  }
  for (const CollaboratorSpec& collaborator : spec.collaborators) {
    GB_RETURN_IF_ERROR(CheckSecurableName(collaborator.alias, "collaborator_alias"));
    GB_RETURN_IF_ERROR(ledger::CheckPartyName(collaborator.alias));
    const auto same =
        std::count_if(spec.collaborators.begin(), spec.collaborators.end(),
                      [&](const CollaboratorSpec& other) { return SameName(other.alias, collaborator.alias); });
    if (same > 1) {
      return InvalidParameter("Two collaborators have the alias '" + collaborator.alias +
                              "'; aliases differ, case ignored.");
    }
    if (collaborator.invite_email.size() > limits::kEmailBytesMax) {
      return InvalidParameter("invite_recipient_email has at most " + std::to_string(limits::kEmailBytesMax) +
                              " bytes.");
    }
  }
  return Status();
}

}  // namespace

Result<Member> RoomService::PlanMember(const Caller& caller, const RoomSpec& spec, const CollaboratorSpec& collaborator,
                                       const Room& room) {
  Member member;
  member.alias = collaborator.alias;
  member.invite_email = collaborator.invite_email;
  member.invite_workspace_id = collaborator.invite_workspace_id;
  member.created_at = room.created_at;
  member.updated_at = room.created_at;
  const Result<OrganisationInfo> organisation =
      core_.context().metastores.FindOrganisation(collaborator.global_metastore_id);
  if (!organisation.ok()) {
    return organisation.status().code() == ErrorCode::kNotFound
               ? InvalidParameter("global_metastore_id of collaborator '" + collaborator.alias +
                                  "' is not known to this server.")
               : organisation.status();
  }
  member.organisation = organisation->id;
  const bool is_creator = member.organisation == caller.organisation && member.invite_email.empty();
  if (!is_creator && member.invite_email.empty()) {
    return InvalidParameter("invite_recipient_email of collaborator '" + collaborator.alias + "' is missing.");
  }
  if (is_creator) {
    member.joined_at = room.created_at;
  }
  member.local_name = spec.name;
  return member;
}

Result<Room> RoomService::PlanRoom(const Caller& caller, const RoomSpec& spec) {
  GB_RETURN_IF_ERROR(CheckSpec(spec));
  Room room;
  room.id = RoomId(core_.NewId());
  room.created_at = core_.Now();
  room.updated_at = room.created_at;
  room.cloud = spec.cloud;
  room.region = spec.region;
  room.details = spec.details;
  for (const CollaboratorSpec& collaborator : spec.collaborators) {
    GB_ASSIGN_OR_RETURN(Member member, PlanMember(caller, spec, collaborator, room));
    if (member.joined_at) {
      if (!room.creator_alias.empty()) {
        return InvalidParameter("Exactly one collaborator has your metastore and no invite_recipient_email: yourself.");
      }
      room.creator_alias = member.alias;
    }
    room.members.push_back(std::move(member));
  }
  if (room.creator_alias.empty()) {
    return InvalidParameter("Exactly one collaborator has your metastore and no invite_recipient_email: yourself.");
  }
  // Sides that share a metastore: the creator's keeps the name, or the first one's.
  for (std::size_t i = 0; i < room.members.size(); ++i) {
    Member& member = room.members[i];
    const bool taken = std::any_of(room.members.begin(), room.members.end(), [&](const Member& other) {
      return &other != &member && other.organisation == member.organisation &&
             (other.joined_at || (&other < &member && !member.joined_at));
    });
    if (taken) {
      member.local_name = spec.name + "_" + member.alias;
      GB_RETURN_IF_ERROR(CheckSecurableName(member.local_name, "clean room name"));
    }
  }
  return room;
}

Status RoomService::CheckInvitations(const Caller& caller, const Room& room) {
  GB_ASSIGN_OR_RETURN(const std::int64_t open, core_.Read([&](store::Transaction& tx) {
    return CountOpenInvitations(tx, caller.organisation);
  }));
  if (static_cast<std::size_t>(open) + room.members.size() - 1 > limits::kInvitationsOpenMax) {
    return Status(
        ErrorCode::kResourceExhausted,
        "At most " + std::to_string(limits::kInvitationsOpenMax) +
            " invitations of your organisation may wait for an answer; delete clean rooms that nobody joins.");
  }
  return Status();
}

Status RoomService::CheckNameIsFree(const Caller& caller, const Room& room) {
  for (const Member& member : room.members) {
    GB_ASSIGN_OR_RETURN(const std::optional<std::string> known, core_.Read([&](store::Transaction& tx) {
      return FindLocalName(tx, member.organisation, member.local_name);
    }));
    if (known) {
      const std::string where = member.organisation == caller.organisation
                                    ? std::string("your metastore")
                                    : "the metastore of collaborator '" + member.alias + "'";
      return Status(ErrorCode::kAlreadyExists, "Clean room '" + *known + "' exists in " + where +
                                                   ". Names are unique in the metastores of all collaborators, case "
                                                   "ignored; choose another one.");
    }
  }
  return Status();
}

Status RoomService::RecordCreation(const Caller& caller, const RoomSpec& spec, const Room& room) {
  const std::string& owner = spec.owner.empty() ? caller.name : spec.owner;
  Effects effects{InsertRoom(room)};
  std::vector<LedgerParty> parties;
  for (std::size_t i = 0; i < room.members.size(); ++i) {
    const Member& member = room.members[i];
    effects.emplace_back(InsertMember(room.id, i, member));
    const bool is_creator = member.alias == room.creator_alias;
    effects.emplace_back(CatalogAct{CatalogAct::Kind::kAddRoom, member.organisation, room.SideId(member),
                                    member.local_name, is_creator ? owner : std::string(),
                                    is_creator ? spec.comment : std::string()});
    parties.push_back({member.alias, member.organisation});
  }
  LedgerEntry entry = EntryOf(EventType::kRoomCreated, room.creator_alias, "owner", room.id.str());
  entry.data = {{"name", spec.name}, {"cloud", room.cloud}, {"region", room.region}};
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      core_.journal().Open(room.id, parties, std::move(entry), effects));
  return Status();
}

Result<RoomView> RoomService::Create(const Caller& caller, const RoomSpec& spec) {
  GB_RETURN_IF_ERROR(core_.context().metastores.CheckMayCreateRooms(caller));
  if (!spec.owner.empty()) {
    GB_RETURN_IF_ERROR(core_.context().metastores.CheckPrincipal(caller.organisation, spec.owner));
  }
  const std::lock_guard<std::mutex> guard(creating_);
  GB_RETURN_IF_ERROR(core_.CheckRoomForMore(caller.organisation));
  GB_ASSIGN_OR_RETURN(Room room, PlanRoom(caller, spec));
  GB_RETURN_IF_ERROR(CheckInvitations(caller, room));
  GB_RETURN_IF_ERROR(CheckNameIsFree(caller, room));

  const RoomLock lock = core_.Lock(room.id);
  GB_RETURN_IF_ERROR(RecordCreation(caller, spec, room));
  GB_RETURN_IF_ERROR(core_.ActivateIfReady(room));
  log::Info("room created", {{"room", room.id.str()}});
  RoomView view;
  view.alias = room.creator_alias;
  view.room = std::move(room);
  view.name = spec.name;
  view.owner = spec.owner.empty() ? caller.name : spec.owner;
  view.comment = spec.comment;
  return view;
}

Result<RoomView> RoomService::ViewOf(const Caller& caller, const Membership& membership) {
  GB_ASSIGN_OR_RETURN(const LocalRoom local,
                      core_.context().metastores.GetLocalRoom(caller, membership.self().local_name));
  RoomView view;
  view.room = membership.room;
  view.alias = membership.alias;
  view.name = membership.self().local_name;
  view.owner = local.owner;
  view.comment = local.comment;
  view.output_catalog = membership.self().output_catalog;
  const Member* creator = membership.room.FindAlias(membership.room.creator_alias);
  GB_ASSERT(creator != nullptr);
  for (Member& member : view.room.members) {
    if (membership.alias != membership.room.creator_alias) {
      member.invite_email.clear();
    }
    GB_ASSIGN_OR_RETURN(const OrganisationInfo organisation,
                        core_.context().metastores.GetOrganisation(member.organisation));
    const bool shares = membership.room.IsSelfCollaboration();
    view.collaborators.push_back(
        {member, shares ? member.local_name : organisation.name, organisation.name, organisation.global_metastore_id});
    if (member.alias != membership.alias) {
      // The other sides' local names and output catalogs are theirs.
      view.collaborators.back().member.local_name.clear();
      view.collaborators.back().member.output_catalog.clear();
    }
  }
  return view;
}

Result<RoomView> RoomService::Get(const Caller& caller, const std::string& name) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, name));
  return ViewOf(caller, membership);
}

Result<catalog::Page<RoomView>> RoomService::List(const Caller& caller, const catalog::PageRequest& request) {
  GB_ASSIGN_OR_RETURN(const std::size_t size, catalog::PageSize(request));
  GB_ASSIGN_OR_RETURN(std::string after, catalog::PageStart(request));
  catalog::Page<RoomView> page;
  while (true) {
    GB_ASSIGN_OR_RETURN(const std::vector<Membership> memberships, core_.Read([&](store::Transaction& tx) {
      return ListMemberships(tx, caller.organisation, after, size + 1);
    }));
    for (const Membership& membership : memberships) {
      Result<RoomView> view = ViewOf(caller, membership);
      if (!view.ok()) {
        if (view.status().code() == ErrorCode::kNotFound) {
          continue;  // and no token names it
        }
        return view.status();
      }
      if (page.items.size() == size) {
        page.next_token = catalog::PageToken(catalog::NameKey(page.items.back().name));
        return page;
      }
      page.items.push_back(std::move(*view));
    }
    if (memberships.size() <= size) {
      return page;
    }
    after = catalog::NameKey(memberships.back().self().local_name);
  }
}

Result<RoomView> RoomService::Update(const Caller& caller, const std::string& name, const RoomUpdate& update) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, name));
  if (update.comment) {
    GB_RETURN_IF_ERROR(catalog::CheckComment(*update.comment));
  }
  if (update.comment || update.owner) {
    const RoomPrivilege needed = update.owner ? RoomPrivilege::kManage : RoomPrivilege::kModify;
    GB_RETURN_IF_ERROR(core_.context().metastores.CheckOnRoom(caller, needed, membership.self().local_name));
    GB_RETURN_IF_ERROR(
        core_.context().metastores.UpdateLocalRoom(caller, membership.self().local_name, update.comment, update.owner));
  }
  return ViewOf(caller, membership);
}

Result<RoomView> RoomService::Join(const Caller& caller, const std::string& name) {
  const bool may_create = core_.context().metastores.CheckMayCreateRooms(caller).ok();
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, name, may_create ? RoomPrivilege::kBrowse : RoomPrivilege::kManage,
                                           Joining::kImplicit));
  return ViewOf(caller, membership);
}

Result<std::string> RoomService::CreateOutputCatalog(const Caller& caller, const std::string& name,
                                                     const std::string& catalog_name) {
  GB_RETURN_IF_ERROR(CheckSecurableName(catalog_name, "catalog_name"));
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, name, RoomPrivilege::kModify, Joining::kImplicit));
  const std::lock_guard<std::mutex> guard(naming_catalogs_);
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  Member self = membership.self();
  if (!self.output_catalog.empty()) {
    return Status(ErrorCode::kAlreadyExists,
                  "The clean room has the output catalog '" + self.output_catalog + "' already; there is one each.");
  }
  GB_ASSIGN_OR_RETURN(const bool taken, core_.Read([&](store::Transaction& tx) {
    return IsOutputCatalog(tx, self.organisation, catalog_name);
  }));
  if (taken) {
    return Status(ErrorCode::kAlreadyExists,
                  "Catalog '" + catalog_name + "' already exists: it is the output catalog of a clean room.");
  }
  GB_RETURN_IF_ERROR(core_.context().metastores.CreateOutputCatalog(caller, catalog_name));
  self.output_catalog = catalog_name;
  self.updated_at = core_.Now();
  GB_RETURN_IF_ERROR(core_.Write({UpdateMember(membership.room.id, self)}));
  return catalog_name;
}

Status RoomService::Delete(const Caller& caller, const std::string& name,
                           const std::function<Status(const RoomId&)>& close) {
  RoomId id;
  {
    GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                        core_.EnterForChange(caller, name, RoomPrivilege::kManage, Joining::kNotNeeded));
    id = membership.room.id;
    Member self = membership.self();
    self.left_at = core_.Now();
    self.updated_at = core_.Now();
    Effects effects{RemoveMember(id, self), CatalogAct{CatalogAct::Kind::kRemoveRoom, self.organisation,
                                                       membership.room.SideId(self), self.local_name, "", ""}};
    // Who never joined has nothing to keep of it: an invitation that is over takes up no name and no place.
    for (Member invited : membership.room.members) {
      if (invited.alias != self.alias && !invited.joined_at && !invited.left_at) {
        invited.left_at = core_.Now();
        invited.updated_at = core_.Now();
        effects.emplace_back(RemoveMember(id, invited));
        effects.emplace_back(CatalogAct{CatalogAct::Kind::kRemoveRoom, invited.organisation,
                                        membership.room.SideId(invited), invited.local_name, "", ""});
      }
    }
    const RoomState before = membership.room.state;
    if (before == RoomState::kClosed || before == RoomState::kFailed || before == RoomState::kClosing) {
      GB_ASSIGN_OR_RETURN(const auto tx, core_.context().database.Begin(store::Access::kWrite));
      for (const Effect& effect : effects) {
        const auto* const statement = std::get_if<Statement>(&effect);
        GB_RETURN_IF_ERROR(statement != nullptr ? Apply(*tx, {*statement}, 0)
                                                : core_.context().metastores.Apply(*tx, std::get<CatalogAct>(effect)));
      }
      return tx->Commit();
    }
    const bool declines = !self.joined_at;
    LedgerEntry entry = EntryOf(declines ? EventType::kRoomClosed : EventType::kRoomClosing, membership.alias,
                                "collaborator", id.str());
    const RoomState after = declines ? RoomState::kFailed : RoomState::kClosing;
    const std::string reason =
        (declines ? "declined by collaborator '" : "deleted by collaborator '") + membership.alias + "'";
    entry.data = {{"state", Name(after)}};
    effects.emplace_back(UpdateRoomState(id, after, reason, core_.Now()));
    std::vector<Asset> assets;
    if (declines) {
      GB_ASSIGN_OR_RETURN(assets, core_.Read([&](store::Transaction& tx) { return ListAssets(tx, id); }));
    }
    const Effects ends = EndOfHolds(membership.room, assets);
    effects.insert(effects.end(), ends.begin(), ends.end());
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                        core_.journal().Record(id, std::move(entry), effects));
    if (declines) {
      ForgetAll(assets);
      return Status();
    }
  }
  return close(id);
}

Status RoomService::FinishClosing(const RoomId& id) {
  const RoomLock lock = core_.Lock(id);
  GB_ASSIGN_OR_RETURN(const Room room, core_.Load(id));
  if (room.state != RoomState::kClosing) {
    return Status();
  }
  // Closed in the name of the side that asked for it.
  const auto leaver = std::find_if(room.members.begin(), room.members.end(),
                                   [](const Member& member) { return member.left_at && member.joined_at; });
  GB_ASSERT(leaver != room.members.end());
  LedgerEntry entry = EntryOf(EventType::kRoomClosed, leaver->alias, "collaborator", id.str());
  entry.data = {{"state", Name(RoomState::kClosed)}};
  Effects effects{UpdateRoomState(id, RoomState::kClosed, room.reason, core_.Now())};
  GB_ASSIGN_OR_RETURN(const std::vector<Asset> assets,
                      core_.Read([&](store::Transaction& tx) { return ListAssets(tx, id); }));
  const Effects ends = EndOfHolds(room, assets);
  effects.insert(effects.end(), ends.begin(), ends.end());
  GB_ASSIGN_OR_RETURN(const std::vector<AssetId> kept, preparer_.Kept(id));
  effects.emplace_back(Preparer::KeepNothing(id));
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index, core_.journal().Record(id, std::move(entry), effects));
  ForgetAll(assets);
  for (const AssetId& asset : kept) {
    preparer_.Forget(asset);
  }
  log::Info("room closed", {{"room", id.str()}});
  return Status();
}

Effects RoomService::EndOfHolds(const Room& room, const std::vector<Asset>& assets) {
  Effects effects;
  for (const Asset& asset : assets) {
    const Member* owner = room.FindAlias(asset.owner_alias);
    if (asset.type == AssetType::kTable && owner != nullptr) {
      effects.emplace_back(HoldOf(CatalogAct::Kind::kRemoveHold, room, *owner, asset));
    }
  }
  return effects;
}

void RoomService::ForgetAll(const std::vector<Asset>& assets) {
  for (const Asset& asset : assets) {
    preparer_.Forget(asset.id);
  }
}

}  // namespace glovebox::room
