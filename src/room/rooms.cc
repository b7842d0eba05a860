// SPDX-License-Identifier: Apache-2.0
#include "room/rooms.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/encoding.h"
#include "base/file.h"
#include "base/guarded.h"
#include "base/limits.h"
#include "base/log.h"
#include "room/contract.h"
#include "room/documents.h"

namespace glovebox::room {

Rooms::Rooms(const Context& context)
    : core_(context),
      preparer_(core_),
      rooms_(core_, preparer_),
      assets_(core_, preparer_),
      inputs_(core_, assets_, preparer_),
      earlier_(core_, assets_, preparer_),
      notebooks_(core_, inputs_, earlier_),
      outputs_(core_),
      runs_(core_, rooms_, inputs_, earlier_, notebooks_, outputs_) {}

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
    GoOn(id);
  }
  GB_RETURN_IF_ERROR(preparer_.RemoveUnreferenced());
  GB_RETURN_IF_ERROR(runs_.Recover());
  return outputs_.Recover();
}

void Rooms::GoOn(const RoomId& id) {
  const RoomLock lock = core_.Lock(id);
  Status status = core_.journal().SettleRoom(id);
  if (status.ok()) {
    Result<Room> room = core_.Load(id);
    status = room.ok() ? core_.ActivateIfReady(*room) : room.status();
  }
  if (!status.ok()) {
    log::Error("a room could not go on; it is tried again",
               {{"room", id.str()}, {"code", std::string(WireName(status.code()))}});
  }
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
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (!bundling_.insert(id).second) {
      return Status(ErrorCode::kResourceExhausted, "An evidence bundle of this clean room is being made; try again.");
    }
  }
  Result<ledger::BundleContents> contents = EvidenceOf(id, membership.alias);
  const Status written = contents.ok() ? core_.context().ledger.WriteEvidence(id, *contents, write) : contents.status();
  const std::lock_guard<std::mutex> guard(mutex_);
  bundling_.erase(id);
  return written;
}

Result<ledger::BundleContents> Rooms::EvidenceOf(const RoomId& id, const std::string& alias) {
  ledger::BundleContents contents;
  GB_ASSIGN_OR_RETURN(contents.openings, core_.Read([&](store::Transaction& tx) { return OpeningsOf(tx, id, alias); }));
  ledger::Blobs& blobs = contents.blobs;
  GB_ASSIGN_OR_RETURN(const std::vector<std::string> rules,
                      core_.Read([&](store::Transaction& tx) { return ListRuleDigests(tx, id); }));
  for (const std::string& digest : rules) {
    blobs[digest] = [this, id, digest] {
      return core_.Read([&](store::Transaction& tx) { return FindRuleText(tx, id, digest); });
    };
  }
  GB_ASSIGN_OR_RETURN(const std::vector<VersionDigests> versions,
                      core_.Read([&](store::Transaction& tx) { return ListVersionDigests(tx, id); }));
  for (const VersionDigests& version : versions) {
    blobs[version.content_sha256] = [this, id, etag = version.etag]() -> Result<std::string> {
      GB_ASSIGN_OR_RETURN(const auto found,
                          core_.Read([&](store::Transaction& tx) { return FindVersion(tx, id, etag); }));
      return found ? Base64Decode(found->content) : Status(ErrorCode::kDataLoss, "A notebook version is missing.");
    };
    if (!version.contract.is_null()) {
      blobs[ContractDigest(version.contract)] =
          [text = json::WriteCanonical(version.contract)]() -> Result<std::string> { return text; };
    }
  }
  GB_ASSIGN_OR_RETURN(const std::vector<RunId> runs,
                      core_.Read([&](store::Transaction& tx) { return RunsWithCertificate(tx, id); }));
  for (const RunId run : runs) {
    const auto load = [this, run]() -> Result<std::string> {
      GB_ASSIGN_OR_RETURN(const auto found, core_.Read([&](store::Transaction& tx) { return FindRun(tx, run); }));
      return found ? json::WriteCanonical(found->certificate)
                   : Result<std::string>(Status(ErrorCode::kDataLoss, "A run is missing."));
    };
    GB_ASSIGN_OR_RETURN(const std::string certificate, load());
    blobs[HexDigest(certificate)] = load;
  }
  return contents;
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

Status Rooms::Sweep() {
  for (const RoomId& id : core_.journal().Unsettled()) {
    GoOn(id);
  }
  Status first = runs_.Sweep();
  for (Status& swept : std::array{outputs_.Sweep(), core_.context().metastores.Sweep()}) {
    if (first.ok()) {
      first = std::move(swept);
    }
  }
  return first;
}

void Rooms::SweepLoop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (const Status swept = RunGuarded("A sweep", [this] { return Sweep(); }); !swept.ok()) {
      log::Error("a sweep stopped half-way", {{"code", std::string(WireName(swept.code()))}});
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
