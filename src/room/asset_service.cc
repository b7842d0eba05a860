// SPDX-License-Identifier: Apache-2.0
#include "room/asset_service.h"

#include <algorithm>
#include <utility>

#include "base/invalid_parameter.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"
#include "ledger/commitment.h"

namespace glovebox::room {

std::string_view Name(AssetStatus status) {
  switch (status) {
    case AssetStatus::kPending:
      return "PENDING";
    case AssetStatus::kActive:
      return "ACTIVE";
    case AssetStatus::kPermissionDenied:
      return "PERMISSION_DENIED";
  }
  GB_ASSERT(false);
}

Result<std::string> AssetService::CheckTableName(const Membership& membership, const std::string& name) {
  std::vector<std::string> parts = Split(name, '.');
  if (parts.size() != 3) {
    return InvalidParameter("The name of a table asset is <your alias>.<schema>.<table>; got '" + name + "'.");
  }
  if (!SameName(parts[0], membership.alias)) {
    return InvalidParameter("The first part of the asset's name must be your alias '" + membership.alias + "'.");
  }
  parts[0] = membership.alias;
  for (const std::string& part : parts) {
    GB_RETURN_IF_ERROR(CheckSecurableName(part, "asset name"));
    GB_RETURN_IF_ERROR(CheckPathSafeName(part, "asset name"));
  }
  return Join(parts, ".");
}

Result<AssetView> AssetService::PublishTable(const Caller& caller, const std::string& room, const TableSpec& spec) {
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kModify, Joining::kImplicit));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  Asset asset;
  GB_ASSIGN_OR_RETURN(asset.name, CheckTableName(membership, spec.name));
  GB_ASSIGN_OR_RETURN(const std::vector<Asset> others,
                      core_.Read([&](store::Transaction& tx) { return ListAssets(tx, membership.room.id); }));
  if (others.size() >= limits::kAssetsPerRoomMax) {
    return Status(ErrorCode::kResourceExhausted,
                  "A clean room has at most " + std::to_string(limits::kAssetsPerRoomMax) + " assets.");
  }
  for (const Asset& other : others) {
    if (other.type == AssetType::kTable && SameName(other.name, asset.name)) {
      return Status(ErrorCode::kAlreadyExists, "Asset '" + other.name + "' exists in this clean room.");
    }
  }
  GB_ASSIGN_OR_RETURN(const TableShape shape, core_.context().metastores.ReadableTable(caller, spec.local_name));
  GB_ASSIGN_OR_RETURN(const bool owner_reads, core_.context().metastores.OwnerMayRead(
                                                  caller.organisation, membership.self().local_name, shape.id));
  if (!owner_reads) {
    return Status(ErrorCode::kPermissionDenied,
                  "The owner of the clean room on your side needs SELECT on the table, for the room's life.");
  }
  asset.id = AssetId(core_.NewId());
  asset.room = membership.room.id;
  asset.owner_alias = membership.alias;
  asset.local_name = shape.full_name;
  asset.table_id = shape.id;
  asset.policy_salt = ledger::NewSalt(core_.context().random);
  asset.added_at = core_.Now();
  asset.updated_at = asset.added_at;
  LedgerEntry entry = EntryOf(EventType::kAssetPublished, membership.alias, "owner", asset.name);
  entry.data = {{"asset_type", Name(asset.type)}, {"state", "PENDING"}};
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      core_.journal().Record(membership.room.id, std::move(entry),
                                             {InsertAsset(asset), HoldOf(CatalogAct::Kind::kAddHold, membership.room,
                                                                         membership.self(), asset)}));
  return ViewOf(membership, caller, std::move(asset));
}

Result<AssetStatus> AssetService::StatusOf(const Room& room, const Asset& asset) {
  const Member* owner = room.FindAlias(asset.owner_alias);
  GB_ASSERT(owner != nullptr);
  GB_ASSIGN_OR_RETURN(const bool readable,
                      core_.context().metastores.OwnerMayRead(owner->organisation, owner->local_name, asset.table_id));
  if (!readable) {
    return AssetStatus::kPermissionDenied;
  }
  return asset.state == AssetState::kActive ? AssetStatus::kActive : AssetStatus::kPending;
}

Result<AssetView> AssetService::ViewOf(const Membership& membership, const Caller& caller, Asset asset) {
  AssetView view;
  GB_ASSIGN_OR_RETURN(view.status, StatusOf(membership.room, asset));
  view.columns = asset.columns;
  if (asset.owner_alias == membership.alias) {
    const Result<TableShape> shape = core_.context().metastores.ReadableTable(caller, asset.local_name);
    if (shape.ok()) {
      view.columns = ColumnsToJson(shape->columns);
    }
  } else {
    asset.local_name.clear();
    asset.problem.clear();
  }
  asset.table_id.clear();
  asset.policy_salt.clear();
  view.asset = std::move(asset);
  return view;
}

Result<AssetView> AssetService::GetTable(const Caller& caller, const std::string& room, const std::string& name) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(std::optional<Asset> asset, core_.Read([&](store::Transaction& tx) {
    return FindAsset(tx, membership.room.id, AssetType::kTable, name);
  }));
  if (!asset) {
    return Status(ErrorCode::kNotFound, "Asset '" + name + "' does not exist in this clean room.");
  }
  return ViewOf(membership, caller, std::move(*asset));
}

Result<std::vector<AssetView>> AssetService::ListTables(const Caller& caller, const std::string& room) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(std::vector<Asset> assets,
                      core_.Read([&](store::Transaction& tx) { return ListAssets(tx, membership.room.id); }));
  std::vector<AssetView> views;
  for (Asset& asset : assets) {
    if (asset.type == AssetType::kTable) {
      GB_ASSIGN_OR_RETURN(AssetView view, ViewOf(membership, caller, std::move(asset)));
      views.push_back(std::move(view));
    }
  }
  return views;
}

Result<Asset> AssetService::FindOwnTable(const Membership& membership, const std::string& name) {
  GB_ASSIGN_OR_RETURN(std::optional<Asset> asset, core_.Read([&](store::Transaction& tx) {
    return FindAsset(tx, membership.room.id, AssetType::kTable, name);
  }));
  if (!asset) {
    return Status(ErrorCode::kNotFound, "Asset '" + name + "' does not exist in this clean room.");
  }
  if (asset->owner_alias != membership.alias) {
    return Status(ErrorCode::kPermissionDenied,
                  "Asset '" + asset->name + "' belongs to collaborator '" + asset->owner_alias + "'.");
  }
  return std::move(*asset);
}

Status AssetService::CheckMayPublish(const Caller& caller, const Asset& asset) {
  GB_ASSIGN_OR_RETURN(const TableShape shape, core_.context().metastores.ReadableTable(caller, asset.local_name));
  if (shape.id != asset.table_id) {
    return Status(ErrorCode::kPermissionDenied, "Table '" + asset.local_name + "' is not the one that was published.");
  }
  return Status();
}

Status AssetService::WithdrawTable(const Caller& caller, const std::string& room, const std::string& name) {
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kModify, Joining::kRequired));
  GB_ASSIGN_OR_RETURN(Asset asset, FindOwnTable(membership, name));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  if (const Status may = CheckMayPublish(caller, asset); !may.ok()) {
    // Who may end the room may end a part of it.
    const Status manages =
        core_.context().metastores.CheckOnRoom(caller, RoomPrivilege::kManage, membership.self().local_name);
    GB_RETURN_IF_ERROR(manages.ok() ? manages : may);
  }
  asset.updated_at = core_.Now();
  LedgerEntry entry = EntryOf(EventType::kAssetWithdrawn, membership.alias, "owner", asset.name);
  entry.data = {{"asset_type", Name(asset.type)}};
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      core_.journal().Record(membership.room.id, std::move(entry),
                                             {RemoveAsset(asset), HoldOf(CatalogAct::Kind::kRemoveHold, membership.room,
                                                                         membership.self(), asset)}));
  preparer_.Forget(asset.id);
  return Status();
}

Result<AssetView> AssetService::SetRule(const Caller& caller, const std::string& room, const std::string& name,
                                        const json::Value& rule) {
  if (!rule.is_object()) {
    return InvalidParameter("The analysis rule must be a JSON object.");
  }
  const std::string canonical = json::WriteCanonical(rule);
  if (canonical.size() > limits::kRuleBytesMax) {
    return InvalidParameter("The analysis rule has at most " + std::to_string(limits::kRuleBytesMax) + " bytes.");
  }
  Asset before;
  std::shared_ptr<const Prepared> prepared;
  {
    // Preparing reads the whole table: without the room's lock.
    GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
    GB_RETURN_IF_ERROR(
        core_.context().metastores.CheckOnRoom(caller, RoomPrivilege::kModify, membership.self().local_name));
    GB_ASSIGN_OR_RETURN(before, FindOwnTable(membership, name));
    GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
    GB_RETURN_IF_ERROR(CheckMayPublish(caller, before));
    GB_ASSIGN_OR_RETURN(prepared, preparer_.Get(caller.organisation, membership.self().local_name, before, canonical));
  }
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kModify, Joining::kRequired));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kProvisioning, RoomState::kActive}));
  GB_ASSIGN_OR_RETURN(Asset asset, FindOwnTable(membership, name));
  if (asset.id != before.id) {
    return Status(ErrorCode::kAborted, "The asset was replaced meanwhile; try again.");
  }
  GB_RETURN_IF_ERROR(CheckMayPublish(caller, asset));
  asset.rule = canonical;
  asset.rule_digest = HexDigest(canonical);
  asset.columns = NamedColumns(prepared->asset.file.columns, rule);
  asset.state = AssetState::kActive;
  asset.problem.clear();
  asset.updated_at = core_.Now();
  LedgerEntry entry = EntryOf(EventType::kRuleSet, membership.alias, "owner", asset.name);
  entry.data = {{"rule_sha256", asset.rule_digest},
                {"blobs", json::Array{asset.rule_digest}},
                {"schema_sha256", HexDigest(json::WriteCanonical(asset.columns))},
                {"state", "ACTIVE"}};
  if (canonical.size() <= limits::kRuleBytesOnLedgerMax) {
    entry.data.Set("rule", canonical);
  }
  GB_ASSIGN_OR_RETURN(
      [[maybe_unused]] const std::int64_t index,
      core_.journal().Record(membership.room.id, std::move(entry), {UpdateAsset(asset), InsertRuleText(asset)}));
  preparer_.Keep(asset, prepared);
  log::Info("analysis rule set", {{"room", asset.room.str()}, {"asset", asset.id.str()}});
  return ViewOf(membership, caller, std::move(asset));
}

}  // namespace glovebox::room
