// SPDX-License-Identifier: Apache-2.0
#include "room/rooms.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

namespace glovebox::room {

Rooms::Rooms(const Context& context)
    : core_(context),
      preparer_(core_),
      rooms_(core_),
      assets_(core_, preparer_),
      inputs_(core_, assets_, preparer_),
      notebooks_(core_, inputs_),
      outputs_(core_),
      runs_(core_, rooms_, inputs_, notebooks_, outputs_) {}

Result<std::unique_ptr<Rooms>> Rooms::Open(const Context& context) {
  std::unique_ptr<Rooms> rooms(new Rooms(context));
  GB_RETURN_IF_ERROR(rooms->Recover());
  return rooms;
}

Rooms::~Rooms() { Stop(); }

Status Rooms::Recover() {
  GB_RETURN_IF_ERROR(RemoveTree(EvidenceFolder()));
  GB_RETURN_IF_ERROR(core_.journal().Recover());
  GB_ASSIGN_OR_RETURN(const std::vector<RoomId> provisioning,
                      core_.Read([](store::Transaction& tx) { return RoomsInState(tx, RoomState::kProvisioning); }));
  for (const RoomId& id : provisioning) {
    const std::unique_lock<std::mutex> lock = core_.Lock(id);
    GB_ASSIGN_OR_RETURN(Room room, core_.Load(id));
    GB_RETURN_IF_ERROR(core_.ActivateIfReady(room));
  }
  GB_RETURN_IF_ERROR(preparer_.RemoveUnreferenced());
  GB_RETURN_IF_ERROR(runs_.Recover());
  return outputs_.Recover();
}

Status Rooms::DeleteRoom(const Caller& caller, const std::string& name) {
  return rooms_.Delete(caller, name, [this](const RoomId& room) { return runs_.CancelAll(room); });
}

Result<LedgerHead> Rooms::LedgerOf(const Caller& caller, const std::string& name) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, name));
  return core_.context().ledger.Head(membership.room.id);
}

Result<std::vector<std::string>> Rooms::LedgerEntries(const Caller& caller, const std::string& name, std::int64_t from,
                                                      std::int64_t to) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, name));
  GB_ASSIGN_OR_RETURN(const LedgerHead head, core_.context().ledger.Head(membership.room.id));
  if (from < 0 || to < from) {
    return Status(ErrorCode::kInvalidParameterValue, "'from' and 'to' are indices of entries, 0 <= from <= to.");
  }
  const std::int64_t end = std::min({to, head.size, from + limits::kLedgerEntriesPageMax});
  std::vector<std::string> entries;
  for (std::int64_t index = from; index < end; ++index) {
    GB_ASSIGN_OR_RETURN(std::string entry, core_.context().ledger.Read(membership.room.id, index));
    entries.push_back(std::move(entry));
  }
  return entries;
}

Status Rooms::WriteEvidence(const Caller& caller, const std::string& name,
                            const std::function<Status(std::string_view)>& write) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, name));
  const RoomId& id = membership.room.id;
  std::set<std::string> blobs;
  GB_ASSIGN_OR_RETURN(const std::vector<Asset> assets,
                      core_.Read([&](store::Transaction& tx) { return ListAssets(tx, id); }));
  for (const Asset& asset : assets) {
    if (asset.type == AssetType::kTable && !asset.rule.empty()) {
      blobs.insert(asset.rule);
      continue;
    }
    GB_ASSIGN_OR_RETURN(const std::vector<NotebookVersion> versions,
                        core_.Read([&](store::Transaction& tx) { return ListVersions(tx, asset.id); }));
    for (const NotebookVersion& version : versions) {
      GB_ASSIGN_OR_RETURN(std::string content, Base64Decode(version.content));
      blobs.insert(std::move(content));
      if (!version.contract.is_null()) {
        blobs.insert(json::WriteCanonical(version.contract));
      }
    }
  }
  GB_ASSIGN_OR_RETURN(const std::vector<Run> runs,
                      core_.Read([&](store::Transaction& tx) { return ListRuns(tx, id); }));
  for (const Run& run : runs) {
    if (run.state == RunState::kTerminated && !run.certificate.is_null()) {
      blobs.insert(json::WriteCanonical(run.certificate));
    }
  }
  return core_.context().ledger.WriteEvidence(id, {blobs.begin(), blobs.end()}, write);
}

Result<std::string> Rooms::MakeEvidenceFile(const Caller& caller, const std::string& name) {
  const std::string folder = EvidenceFolder();
  GB_RETURN_IF_ERROR(MakeDirectories(folder));
  const std::string path = folder + "/" + core_.NewId() + ".tar";
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return Status(ErrorCode::kUnavailable, "The evidence bundle cannot be written; the disk may be full.");
  }
  const Status written = WriteEvidence(caller, name, [&](std::string_view piece) { return WriteAll(fd.get(), piece); });
  if (!written.ok()) {
    GB_RETURN_IF_ERROR(RemoveTree(path));
    return written;
  }
  return path;
}

std::string Rooms::EvidenceFolder() const { return core_.context().data_folder + "/evidence"; }

Status Rooms::Sweep() { return outputs_.ExpireDue(); }

void Rooms::SweepLoop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (const Status swept = Sweep(); !swept.ok()) {
      log::Error("expiry stopped half-way", {{"code", std::string(WireName(swept.code()))}});
    }
    lock.lock();
    wake_.wait_for(lock, std::chrono::milliseconds(limits::kSweepIntervalMs), [this] { return stopping_; });
  }
}

void Rooms::Start() {
  runs_.queue().Start();
  sweeper_ = std::thread([this] { SweepLoop(); });
}

void Rooms::Stop() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (sweeper_.joinable()) {
    sweeper_.join();
  }
  runs_.Interrupt();
  runs_.queue().Stop();
}

}  // namespace glovebox::room
