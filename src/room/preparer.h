// SPDX-License-Identifier: Apache-2.0
//
// Keeps the governed scan of each asset: the owner's filter and masks are applied once for each (table version, version
// of its policies, rule); a run gets what is in force when it starts.
//
// Invariant: a file is used only under the key that it was made for, which is that of the table as it was read,
// whatever is written meanwhile; when another file takes its place, it is removed as soon as no run reads it any more.
// Who learns what: errors are for the asset's owner. The policy digest that others see is a commitment, salted per
// asset. Threads: thread-safe; the same asset is prepared once at a time.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "room/core.h"

namespace glovebox::room {

struct Prepared {
  std::string cache_key;
  engine::PreparedAsset asset;
  std::string version;         // of the table's content that was read
  std::string policy_version;  // of the policies that were applied
  std::string policy_digest;   // the same, as a salted commitment
};

class Preparer {
 public:
  explicit Preparer(Core& core) : core_(core) {}

  // Prepares unless it is there. `rule` is the rule to use: the asset's own, or one that is about to be set.
  // `local_room` is the owner's name of the room, on whose owner's behalf the table is read.
  Result<std::shared_ptr<const Prepared>> Get(const OrganisationId& owner, const std::string& local_room,
                                              const Asset& asset, const std::string& rule);
  // What Get would give for the asset's rule but for the file and what it says of rows: by the table's schema and
  // policies alone, whatever its rows are. Reads none, keeps nothing.
  Result<std::shared_ptr<const Prepared>> Describe(const OrganisationId& owner, const std::string& local_room,
                                                   const Asset& asset);
  // As it was stored under this key; nothing if it is gone.
  Result<std::optional<engine::PreparedAsset>> Stored(const AssetId& asset, const std::string& key);
  // Makes `prepared` the asset's only one, but for those that are kept for the difference check (earlier_tables.h).
  void Keep(const Asset& asset, const std::shared_ptr<const Prepared>& prepared);
  // Removes the asset's files but for those that are kept; those that a run reads, when it has ended.
  void Forget(const AssetId& asset);
  // The assets of which something is kept, and the end of that.
  Result<std::vector<AssetId>> Kept(const RoomId& room);
  static Statement KeepNothing(const RoomId& room);
  // Removes files that no row of the store names, and what rooms that have ended left. To be called before anything is
  // prepared.
  Status RemoveUnreferenced();

 private:
  struct Held;  // removes its file when it is obsolete and nobody has it
  using HeldPointer = std::shared_ptr<Held>;

  Result<HeldPointer> Load(const Asset& asset, const std::string& key);
  Result<HeldPointer> Make(const OrganisationId& owner, const std::string& local_room, const Asset& asset,
                           const std::string& rule);
  Result<std::set<std::string>> KeptKeys(const AssetId& asset);
  Status RemoveRows(const AssetId& asset, const std::map<std::string, HeldPointer>& held);
  [[nodiscard]] std::string Folder(const OrganisationId& owner, const AssetId& asset) const;
  std::shared_ptr<std::mutex> MutexOf(const AssetId& asset);

  Core& core_;
  std::mutex mutex_;
  std::map<AssetId, std::map<std::string, HeldPointer>> held_;  // by cache key; guarded by mutex_
  std::map<AssetId, std::shared_ptr<std::mutex>> making_;       // guarded by mutex_
};

}  // namespace glovebox::room
