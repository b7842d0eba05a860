// SPDX-License-Identifier: Apache-2.0
#include "room/earlier_tables.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"
#include "base/strings.h"

namespace glovebox::room {

Status EarlierTables::Add(const Room& room, const std::string& runner_alias, Reading reading, Inputs& inputs) {
  GB_ASSERT(reading != Reading::kNone);
  std::map<std::string, std::string> contents;  // by name; of its first use, which own tables stay at (P9)
  for (const json::Value& record : inputs.request.history) {
    const json::Value* tables = record.Get("tables");
    for (const auto& [name, table] : tables != nullptr && tables->is_object() ? tables->as_object() : json::Object()) {
      contents.try_emplace(name, table.GetString("content"));
    }
  }
  for (const InputAsset& named : inputs.assets) {
    std::erase_if(contents, [&](const auto& entry) { return SameName(entry.first, named.name); });
  }
  for (const auto& [name, content] : contents) {
    GB_ASSIGN_OR_RETURN(std::optional<engine::RunAsset> kept, FindKept(room, runner_alias, content));
    if (!kept) {
      GB_RETURN_IF_ERROR(AddPublished(room, runner_alias, name, reading, inputs));
    } else if (reading == Reading::kAll || kept->role == engine::Role::kOwn) {
      inputs.request.earlier_assets.push_back(std::move(*kept));
    }
  }
  return Status();
}

std::vector<Statement> EarlierTables::Keep(const RoomId& room, const Inputs& inputs) {
  std::vector<Statement> out;
  for (std::size_t i = 0; i < inputs.assets.size(); ++i) {
    const engine::RunAsset& asset = inputs.request.assets[i];
    if (asset.role == engine::Role::kOwn) {
      out.push_back(
          {"INSERT INTO room_kept_tables (room_id, content, asset_id, cache_key, name, owner_alias, version, "
           "policy_digest, rule) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
           {room.str(), engine::ContentOf(asset), inputs.assets[i].id.str(), inputs.held[i]->cache_key,
            inputs.assets[i].name, asset.owner, asset.version, asset.policy_digest, asset.rule}});
    }
  }
  return out;
}

Result<std::optional<engine::RunAsset>> EarlierTables::FindKept(const Room& room, const std::string& runner_alias,
                                                                const std::string& content) {
  GB_ASSIGN_OR_RETURN(const auto row, core_.Read([&](store::Transaction& tx) {
    return tx.QueryOne(
        "SELECT name, owner_alias, version, policy_digest, rule, asset_id, cache_key FROM room_kept_tables WHERE "
        "room_id = ? AND content = ?",
        {room.id.str(), content});
  }));
  if (!row) {
    return std::optional<engine::RunAsset>();
  }
  GB_ASSIGN_OR_RETURN(std::optional<engine::PreparedAsset> stored,
                      preparer_.Stored(AssetId(row->Text(5)), row->Text(6)));
  if (!stored) {
    return std::optional<engine::RunAsset>();
  }
  engine::RunAsset asset;
  asset.name = Split(row->Text(0), '.');
  asset.owner = row->Text(1);
  asset.role = asset.owner == runner_alias ? engine::Role::kOwn : engine::Role::kProtected;
  asset.version = row->Text(2);
  asset.policy_digest = row->Text(3);
  asset.rule = row->Text(4);
  asset.prepared = std::move(*stored);
  return std::optional(std::move(asset));
}

Status EarlierTables::AddPublished(const Room& room, const std::string& runner_alias, const std::string& name,
                                   Reading reading, Inputs& inputs) {
  GB_ASSIGN_OR_RETURN(const std::optional<Asset> asset, core_.Read([&](store::Transaction& tx) {
    return FindAsset(tx, room.id, AssetType::kTable, name);
  }));
  const Member* owner = asset ? room.FindAlias(asset->owner_alias) : nullptr;
  if (owner == nullptr || (reading == Reading::kRunners && asset->owner_alias != runner_alias)) {
    return Status();
  }
  GB_ASSIGN_OR_RETURN(const AssetStatus status, assets_.StatusOf(room, *asset));
  if (status != AssetStatus::kActive) {
    return Status();
  }
  const auto prepared = preparer_.Get(owner->organisation, owner->local_name, *asset, asset->rule);
  if (!prepared.ok()) {
    log::Warning("an asset of earlier releases could not be prepared",
                 {{"asset", asset->id.str()}, {"code", std::string(WireName(prepared.status().code()))}});
    return Status();
  }
  preparer_.Keep(*asset, *prepared);
  inputs.request.earlier_assets.push_back(AssetOf(*asset, **prepared, runner_alias));
  inputs.held.push_back(*prepared);
  return Status();
}

}  // namespace glovebox::room
