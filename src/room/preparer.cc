// SPDX-License-Identifier: Apache-2.0
#include "room/preparer.h"

#include <set>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "room/documents.h"

namespace glovebox::room {
namespace {

Statement InsertPrepared(const AssetId& asset, const std::string& key, const engine::PreparedAsset& prepared,
                         TimeMs now) {
  return {
      "INSERT INTO room_prepared (asset_id, cache_key, path, columns_json, row_count, statistics, created_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      {asset.str(), key, prepared.file.path, JsonText(ColumnsToJson(prepared.file.columns)), prepared.file.rows,
       JsonText(prepared.statistics), ToInt(now)}};
}

}  // namespace

struct Preparer::Held {
  Prepared prepared;
  std::atomic<bool> obsolete{false};

  ~Held() {
    if (obsolete && !RemoveTree(prepared.asset.file.path).ok()) {
      log::Warning("a prepared file could not be removed", {});
    }
  }
};

std::string Preparer::Folder(const OrganisationId& owner, const AssetId& asset) const {
  return core_.context().data_folder + "/prepared/" + owner.str() + "/" + asset.str();
}

std::shared_ptr<std::mutex> Preparer::MutexOf(const AssetId& asset) {
  const std::lock_guard<std::mutex> guard(mutex_);
  std::shared_ptr<std::mutex>& slot = making_[asset];
  if (slot == nullptr) {
    slot = std::make_shared<std::mutex>();
  }
  return slot;
}

Result<std::shared_ptr<const Prepared>> Preparer::Get(const OrganisationId& owner, const std::string& local_room,
                                                      const Asset& asset, const std::string& rule) {
  GB_ASSIGN_OR_RETURN(const auto versions, core_.context().metastores.SourceVersion(owner, local_room, asset.table_id));
  const std::string key = HexDigest(versions.first + "|" + versions.second + "|" + rule);
  const std::shared_ptr<std::mutex> making = MutexOf(asset.id);
  const std::lock_guard<std::mutex> guard(*making);
  HeldPointer held;
  {
    const std::lock_guard<std::mutex> map_guard(mutex_);
    held = held_[asset.id][key];
  }
  if (held == nullptr) {
    GB_ASSIGN_OR_RETURN(held, Load(asset, key));
    if (held == nullptr) {
      GB_ASSIGN_OR_RETURN(held, Make(owner, local_room, asset, key, rule));
    }
    held->prepared.version = versions.first;
    held->prepared.policy_digest = HexDigest(asset.policy_salt + "|" + versions.second);
    const std::lock_guard<std::mutex> map_guard(mutex_);
    held_[asset.id][key] = held;
  }
  return std::shared_ptr<const Prepared>(held, &held->prepared);
}

Result<Preparer::HeldPointer> Preparer::Load(const Asset& asset, const std::string& key) {
  GB_ASSIGN_OR_RETURN(const auto row, core_.Read([&](store::Transaction& tx) {
    return tx.QueryOne(
        "SELECT path, columns_json, row_count, statistics FROM room_prepared WHERE "
        "asset_id = ? AND cache_key = ?",
        {asset.id.str(), key});
  }));
  if (!row || !FileExists(row->Text(0))) {
    return HeldPointer();
  }
  auto held = std::make_shared<Held>();
  held->prepared.cache_key = key;
  held->prepared.asset.file.path = row->Text(0);
  GB_ASSIGN_OR_RETURN(const json::Value columns, JsonFromText(row->Text(1)));
  held->prepared.asset.file.columns = ColumnsFromJson(columns);
  held->prepared.asset.file.rows = row->Int(2);
  GB_ASSIGN_OR_RETURN(held->prepared.asset.statistics, JsonFromText(row->Text(3)));
  return held;
}

Result<Preparer::HeldPointer> Preparer::Make(const OrganisationId& owner, const std::string& local_room,
                                             const Asset& asset, const std::string& key, const std::string& rule) {
  GB_ASSIGN_OR_RETURN(SourceTable source, core_.context().metastores.Source(owner, local_room, asset.table_id));
  const std::string folder = Folder(owner, asset.id);
  GB_RETURN_IF_ERROR(MakeDirectories(folder));
  source.request.rule = rule;
  // A name of its own each time: a file that a crash left half-written is never taken for a whole one.
  source.request.target_path = folder + "/" + core_.NewId();
  auto held = std::make_shared<Held>();
  held->prepared.cache_key = key;
  GB_ASSIGN_OR_RETURN(held->prepared.asset, core_.context().engine.Prepare(source.request));
  const Status stored = core_.Write({{"DELETE FROM room_prepared WHERE asset_id = ?", {asset.id.str()}},
                                     InsertPrepared(asset.id, key, held->prepared.asset, core_.Now())});
  if (!stored.ok()) {
    held->obsolete = true;
    return stored;
  }
  return held;
}

void Preparer::Keep(const Asset& asset, const std::shared_ptr<const Prepared>& prepared) {
  const std::shared_ptr<std::mutex> making = MutexOf(asset.id);
  const std::lock_guard<std::mutex> making_guard(*making);
  std::vector<HeldPointer> dropped;  // destroyed after the mutex is free: destroying removes a file
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    for (auto& [key, held] : held_[asset.id]) {
      if (held != nullptr && key != prepared->cache_key) {
        held->obsolete = true;
        dropped.push_back(std::move(held));
      }
    }
    std::erase_if(held_[asset.id], [](const auto& item) { return item.second == nullptr; });
  }
  for (const HeldPointer& held : dropped) {
    const Statement forget{"DELETE FROM room_prepared WHERE asset_id = ? AND cache_key = ?",
                           {asset.id.str(), held->prepared.cache_key}};
    if (!core_.Write({forget}).ok()) {
      log::Warning("an obsolete file stays listed", {{"asset", asset.id.str()}});
    }
  }
}

void Preparer::Forget(const AssetId& asset) {
  std::map<std::string, HeldPointer> dropped;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    dropped = std::move(held_[asset]);
    held_.erase(asset);
    for (auto& [key, held] : dropped) {
      if (held != nullptr) {
        held->obsolete = true;
      }
    }
  }
  if (!core_.Write({{"DELETE FROM room_prepared WHERE asset_id = ?", {asset.str()}}}).ok()) {
    log::Warning("prepared files of an asset stay listed", {{"asset", asset.str()}});
  }
}

Status Preparer::RemoveUnreferenced() {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      core_.Read([](store::Transaction& tx) { return tx.Query("SELECT path FROM room_prepared"); }));
  std::set<std::string> known;
  for (const store::Row& row : rows) {
    known.insert(row.Text(0));
  }
  const std::string root = core_.context().data_folder + "/prepared";
  if (!FileExists(root)) {
    return Status();
  }
  GB_ASSIGN_OR_RETURN(const std::vector<std::string> organisations, ListDirectory(root));
  for (const std::string& organisation : organisations) {
    GB_ASSIGN_OR_RETURN(const std::vector<std::string> assets, ListDirectory(root + "/" + organisation));
    for (const std::string& asset : assets) {
      const std::string folder = root + "/" + organisation + "/" + asset;
      GB_ASSIGN_OR_RETURN(const std::vector<std::string> files, ListDirectory(folder));
      for (const std::string& file : files) {
        if (!known.contains(folder + "/" + file)) {
          GB_RETURN_IF_ERROR(RemoveTree(folder + "/" + file));
        }
      }
    }
  }
  return Status();
}

}  // namespace glovebox::room
