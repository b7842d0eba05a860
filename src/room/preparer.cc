// SPDX-License-Identifier: Apache-2.0
#include "room/preparer.h"

#include <set>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "ledger/commitment.h"
#include "room/documents.h"

namespace glovebox::room {
namespace {

// What the difference check will compare with, however the asset goes on.
constexpr const char* kNotKept =
    "NOT EXISTS (SELECT 1 FROM room_kept_tables k WHERE k.asset_id = room_prepared.asset_id AND "
    "k.cache_key = room_prepared.cache_key)";

std::string KeyOf(const std::string& version, const std::string& policy_version, const std::string& rule) {
  return HexDigest(version + "|" + policy_version + "|" + rule);
}

void SetVersions(Prepared& prepared, const Asset& asset, const std::string& version,
                 const std::string& policy_version) {
  prepared.version = version;
  prepared.policy_version = policy_version;
  prepared.policy_digest = ledger::CommitWith(asset.policy_salt, "policy", policy_version).commitment;
}

// `path`: as the store names it.
Statement InsertPrepared(const AssetId& asset, const std::string& key, const std::string& path,
                         const engine::PreparedAsset& prepared, TimeMs now) {
  return {
      "INSERT INTO room_prepared (asset_id, cache_key, path, columns_json, row_count, statistics, created_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      {asset.str(), key, path, JsonText(ColumnsToJson(prepared.file.columns)), prepared.file.rows,
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
  const std::shared_ptr<std::mutex> making = MutexOf(asset.id);
  const std::lock_guard<std::mutex> guard(*making);
  GB_ASSIGN_OR_RETURN(const auto versions, core_.context().metastores.SourceVersion(owner, local_room, asset.table_id));
  const std::string key = KeyOf(versions.first, versions.second, rule);
  HeldPointer held;
  {
    const std::lock_guard<std::mutex> map_guard(mutex_);
    held = held_[asset.id][key];
  }
  if (held == nullptr) {
    GB_ASSIGN_OR_RETURN(held, Load(asset, key));
    if (held != nullptr) {
      SetVersions(held->prepared, asset, versions.first, versions.second);
    } else {
      GB_ASSIGN_OR_RETURN(held, Make(owner, local_room, asset, rule));
    }
    const std::lock_guard<std::mutex> map_guard(mutex_);
    held_[asset.id][held->prepared.cache_key] = held;
  }
  return std::shared_ptr<const Prepared>(held, &held->prepared);
}

Result<std::shared_ptr<const Prepared>> Preparer::Describe(const OrganisationId& owner, const std::string& local_room,
                                                           const Asset& asset) {
  GB_ASSIGN_OR_RETURN(const auto versions, core_.context().metastores.SourceVersion(owner, local_room, asset.table_id));
  GB_ASSIGN_OR_RETURN(const std::optional<engine::PreparedAsset> stored,
                      Stored(asset.id, KeyOf(versions.first, versions.second, asset.rule)));
  auto described = std::make_shared<Prepared>();
  if (stored) {
    SetVersions(*described, asset, versions.first, versions.second);
    described->asset.file.columns = stored->file.columns;
    return std::shared_ptr<const Prepared>(std::move(described));
  }
  GB_ASSIGN_OR_RETURN(SourceTable source, core_.context().metastores.Source(owner, local_room, asset.table_id));
  source.request.rule = asset.rule;
  SetVersions(*described, asset, source.version, source.policy_version);
  GB_ASSIGN_OR_RETURN(engine::PreparedAsset columns, core_.context().engine.Prepare(source.request));
  described->asset.file.columns = std::move(columns.file.columns);
  return std::shared_ptr<const Prepared>(std::move(described));
}

Result<std::optional<engine::PreparedAsset>> Preparer::Stored(const AssetId& asset, const std::string& key) {
  GB_ASSIGN_OR_RETURN(const auto row, core_.Read([&](store::Transaction& tx) {
    return tx.QueryOne(
        "SELECT path, columns_json, row_count, statistics FROM room_prepared WHERE "
        "asset_id = ? AND cache_key = ?",
        {asset.str(), key});
  }));
  if (!row || !FileExists(core_.PathOf(row->Text(0)))) {
    return std::optional<engine::PreparedAsset>();
  }
  engine::PreparedAsset prepared;
  prepared.file.path = core_.PathOf(row->Text(0));
  GB_ASSIGN_OR_RETURN(const json::Value columns, JsonFromText(row->Text(1)));
  prepared.file.columns = ColumnsFromJson(columns);
  prepared.file.rows = row->Int(2);
  GB_ASSIGN_OR_RETURN(prepared.statistics, JsonFromText(row->Text(3)));
  return std::optional(std::move(prepared));
}

Result<Preparer::HeldPointer> Preparer::Load(const Asset& asset, const std::string& key) {
  GB_ASSIGN_OR_RETURN(std::optional<engine::PreparedAsset> stored, Stored(asset.id, key));
  if (!stored) {
    return HeldPointer();
  }
  auto held = std::make_shared<Held>();
  held->prepared.cache_key = key;
  held->prepared.asset = std::move(*stored);
  return held;
}

Result<Preparer::HeldPointer> Preparer::Make(const OrganisationId& owner, const std::string& local_room,
                                             const Asset& asset, const std::string& rule) {
  GB_ASSIGN_OR_RETURN(SourceTable source, core_.context().metastores.Source(owner, local_room, asset.table_id));
  const std::string folder = Folder(owner, asset.id);
  GB_RETURN_IF_ERROR(MakeDirectories(folder));
  source.request.rule = rule;
  // A name of its own each time: a file that a crash left half-written is never taken for a whole one.
  source.request.target_path = folder + "/" + core_.NewId();
  GB_ASSIGN_OR_RETURN(const std::string path, core_.StoredPath(source.request.target_path));
  auto held = std::make_shared<Held>();
  const std::string key = KeyOf(source.version, source.policy_version, rule);
  held->prepared.cache_key = key;
  SetVersions(held->prepared, asset, source.version, source.policy_version);
  GB_ASSIGN_OR_RETURN(held->prepared.asset, core_.context().engine.Prepare(source.request));
  const Status stored =
      core_.Write({{std::string("DELETE FROM room_prepared WHERE asset_id = ? AND ") + kNotKept, {asset.id.str()}},
                   InsertPrepared(asset.id, key, path, held->prepared.asset, core_.Now())});
  if (!stored.ok()) {
    held->obsolete = true;
    return stored;
  }
  return held;
}

void Preparer::Keep(const Asset& asset, const std::shared_ptr<const Prepared>& prepared) {
  const std::shared_ptr<std::mutex> making = MutexOf(asset.id);
  const std::lock_guard<std::mutex> making_guard(*making);
  const Result<std::set<std::string>> kept = KeptKeys(asset.id);
  if (!kept.ok()) {
    log::Warning("obsolete files stay for now", {{"asset", asset.id.str()}});
    return;
  }
  std::vector<HeldPointer> dropped;  // destroyed after the mutex is free: destroying removes a file
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    for (auto& [key, held] : held_[asset.id]) {
      if (held != nullptr && key != prepared->cache_key && !kept->contains(key)) {
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

Result<std::set<std::string>> Preparer::KeptKeys(const AssetId& asset) {
  GB_ASSIGN_OR_RETURN(const auto rows, core_.Read([&](store::Transaction& tx) {
    return tx.Query("SELECT cache_key FROM room_kept_tables WHERE asset_id = ?", {asset.str()});
  }));
  std::set<std::string> keys;
  for (const store::Row& row : rows) {
    keys.insert(row.Text(0));
  }
  return keys;
}

Result<std::vector<AssetId>> Preparer::Kept(const RoomId& room) {
  GB_ASSIGN_OR_RETURN(const auto rows, core_.Read([&](store::Transaction& tx) {
    return tx.Query("SELECT DISTINCT asset_id FROM room_kept_tables WHERE room_id = ?", {room.str()});
  }));
  std::vector<AssetId> out;
  for (const store::Row& row : rows) {
    out.emplace_back(row.Text(0));
  }
  return out;
}

Statement Preparer::KeepNothing(const RoomId& room) {
  return {"DELETE FROM room_kept_tables WHERE room_id = ?", {room.str()}};
}

void Preparer::Forget(const AssetId& asset) {
  const Result<std::set<std::string>> kept = KeptKeys(asset);
  if (!kept.ok()) {
    log::Warning("prepared files of an asset stay until the next start", {{"asset", asset.str()}});
    return;
  }
  std::map<std::string, HeldPointer> dropped;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    std::map<std::string, HeldPointer> stays;
    for (auto& [key, held] : held_[asset]) {
      (kept->contains(key) ? stays : dropped).emplace(key, std::move(held));
    }
    held_.erase(asset);
    if (!stays.empty()) {
      held_.emplace(asset, std::move(stays));
    }
    for (auto& [key, held] : dropped) {
      if (held != nullptr) {
        held->obsolete = true;
      }
    }
  }
  if (const Status removed = RemoveRows(asset, dropped); !removed.ok()) {
    log::Warning("prepared files of an asset stay until the next start", {{"asset", asset.str()}});
  }
}

Status Preparer::RemoveRows(const AssetId& asset, const std::map<std::string, HeldPointer>& held) {
  GB_ASSIGN_OR_RETURN(const auto rows, core_.Read([&](store::Transaction& tx) {
    return tx.Query(std::string("SELECT cache_key, path FROM room_prepared WHERE asset_id = ? AND ") + kNotKept,
                    {asset.str()});
  }));
  GB_RETURN_IF_ERROR(
      core_.Write({{std::string("DELETE FROM room_prepared WHERE asset_id = ? AND ") + kNotKept, {asset.str()}}}));
  for (const store::Row& row : rows) {
    // What is held goes with its last reader.
    if (const auto found = held.find(row.Text(0)); found == held.end() || found->second == nullptr) {
      GB_RETURN_IF_ERROR(RemoveTree(core_.PathOf(row.Text(1))));
    }
  }
  return Status();
}

Status Preparer::RemoveUnreferenced() {
  // A room that has ended, and an asset that was withdrawn, need none; a crash may have left them.
  GB_RETURN_IF_ERROR(core_.Write(
      {{"DELETE FROM room_kept_tables WHERE room_id IN (SELECT id FROM room_rooms WHERE state IN ('CLOSED', 'FAILED'))",
        {}},
       {std::string(
            "DELETE FROM room_prepared WHERE asset_id NOT IN (SELECT a.id FROM room_assets a JOIN room_rooms r ON "
            "r.id = a.room_id WHERE a.state <> 'REMOVED' AND r.state NOT IN ('CLOSED', 'FAILED')) AND ") +
            kNotKept,
        {}}}));
  GB_ASSIGN_OR_RETURN(const auto rows,
                      core_.Read([](store::Transaction& tx) { return tx.Query("SELECT path FROM room_prepared"); }));
  std::set<std::string> known;
  for (const store::Row& row : rows) {
    known.insert(core_.PathOf(row.Text(0)));
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
