// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/kill_point.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "room/output_service.h"

namespace glovebox::room {

Result<std::string> SyncAndDigestFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid() || fsync(fd.get()) != 0) {
    return Status(ErrorCode::kDataLoss, "A file that a run wrote is missing.");
  }
  crypto::Sha256 digest;
  std::array<char, std::size_t{64} << 10U> buffer{};
  while (true) {
    const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
    if (count < 0) {
      return Status(ErrorCode::kDataLoss, "A file that a run wrote cannot be read.");
    }
    if (count == 0) {
      break;
    }
    digest.Update(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
  }
  return crypto::ToHex(digest.Finish());
}

Result<std::int64_t> FileSize(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) {
    return Status(ErrorCode::kDataLoss, "A file that a run wrote is missing.");
  }
  return std::int64_t{info.st_size};
}

Status OutputService::RefuseExport(const Export& item, const Status& why) {
  constexpr std::int64_t kMsPerDay = std::int64_t{24} * 3'600 * 1'000;
  const std::int64_t day = ToInt(item.created_at) / kMsPerDay;
  GB_ASSIGN_OR_RETURN(const std::int64_t denied,
                      core_.Read([&](store::Transaction& tx) { return DeniedExports(tx, item, day); }));
  if (denied >= static_cast<std::int64_t>(limits::kExportsDeniedPerDayMax)) {
    return Status(why.code(), why.message() + " (This is not on the ledger: " + std::to_string(denied) +
                                  " denied exports of yours are there today, which is the limit.)");
  }
  // Counted first: a crash in between costs one entry of the day, and the limit holds.
  GB_RETURN_IF_ERROR(core_.Write({SetDeniedExports(item, day, denied + 1)}));
  GB_RETURN_IF_ERROR(DenyExport(item.room, item.id, item.output, why));
  return why;
}

Status OutputService::DenyExport(const RoomId& room, const std::string& export_id, const OutputId& output,
                                 const Status& why) {
  LedgerEntry entry = ServerEntry(EventType::kExportDenied, export_id);
  entry.reason = WireName(why.code());
  entry.data = {{"output", output.str()}};
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index, core_.journal().Append(room, std::move(entry)));
  return Status();
}

Result<Export> OutputService::CreateExport(const Caller& caller, const std::string& room, const OutputId& id) {
  GB_ASSIGN_OR_RETURN(const LockedMembership membership,
                      core_.EnterForChange(caller, room, RoomPrivilege::kBrowse, Joining::kRequired));
  GB_RETURN_IF_ERROR(Core::RequireState(membership.room, {RoomState::kActive}));
  GB_ASSIGN_OR_RETURN(const Output output, Find(membership.room.id, id));
  Export item;
  item.id = core_.NewId();
  item.room = membership.room.id;
  item.output = output.id;
  item.run = output.run;
  item.organisation = caller.organisation;
  item.runner_alias = membership.alias;
  item.principal_name = caller.name;
  item.sha256 = output.sha256;
  item.bytes = output.bytes;
  item.created_at = core_.Now();
  if (const Status allowed = CheckMayHandOver(caller, membership, output); !allowed.ok()) {
    return RefuseExport(item, allowed);
  }
  LedgerEntry entry = EntryOf(EventType::kExportRequested, membership.alias, "runner", item.id);
  entry.data = {{"output", id.str()}};
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      core_.journal().Record(item.room, std::move(entry), {InsertExport(item)}));
  GB_KILL_POINT("room.export_requested");
  GB_RETURN_IF_ERROR(Release(output, item));
  return item;
}

Status OutputService::Release(const Output& output, Export& item) {
  const Result<std::string> digest = SyncAndDigestFile(core_.PathOf(output.path));
  if (!digest.ok() || *digest != output.sha256) {
    const Status lost(ErrorCode::kDataLoss, "The output's file is not what was recorded; it is not handed over.");
    GB_RETURN_IF_ERROR(DenyExport(item.room, item.id, item.output, lost));
    item.state = ExportState::kDenied;
    GB_RETURN_IF_ERROR(core_.Write({UpdateExport(item)}));
    return lost;
  }
  item.state = ExportState::kReleased;
  LedgerEntry entry = ServerEntry(EventType::kExportReleased, item.id);
  entry.data = {{"output", item.output.str()}, {"sha256", item.sha256}, {"bytes", item.bytes}};
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t index,
                      core_.journal().Record(item.room, std::move(entry), {UpdateExport(item)}));
  log::Info("output exported", {{"room", item.room.str()}, {"export", item.id}});
  return Status();
}

Result<Export> OutputService::GetExport(const Caller& caller, const std::string& room, const std::string& id) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(std::optional<Export> item,
                      core_.Read([&](store::Transaction& tx) { return FindExport(tx, membership.room.id, id); }));
  if (!item || item->runner_alias != membership.alias) {
    return Status(ErrorCode::kNotFound, "Export '" + id + "' does not exist in this clean room.");
  }
  return std::move(*item);
}

Result<std::vector<Export>> OutputService::Exports(const Caller& caller, const std::string& room) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(std::vector<Export> items,
                      core_.Read([&](store::Transaction& tx) { return ListExports(tx, membership.room.id); }));
  std::erase_if(items, [&](const Export& item) { return item.runner_alias != membership.alias; });
  return items;
}

Result<ExportContent> OutputService::Content(const Caller& caller, const std::string& room, const std::string& id) {
  GB_ASSIGN_OR_RETURN(const Membership membership, core_.Enter(caller, room));
  GB_ASSIGN_OR_RETURN(const Export item, GetExport(caller, room, id));
  if (item.state != ExportState::kReleased) {
    return Status(ErrorCode::kInvalidState, "The export is " + std::string(Name(item.state)) + ".");
  }
  GB_ASSIGN_OR_RETURN(const Output output, Find(membership.room.id, item.output));
  GB_RETURN_IF_ERROR(CheckMayHandOver(caller, membership, output));
  const std::string path = core_.PathOf(output.path);
  GB_ASSIGN_OR_RETURN(const std::string digest, SyncAndDigestFile(path));
  if (digest != item.sha256) {
    return Status(ErrorCode::kDataLoss, "The output's file is not what was recorded; it is not handed over.");
  }
  return ExportContent{path, digest};
}

Status OutputService::Recover() {
  GB_ASSIGN_OR_RETURN(std::vector<Export> open_exports,
                      core_.Read([](store::Transaction& tx) { return OpenExports(tx, std::nullopt); }));
  for (Export& item : open_exports) {
    if (const Status settled = RecoverExport(item); !settled.ok()) {
      log::Warning("an export that a crash interrupted was not released",
                   {{"export", item.id}, {"code", std::string(WireName(settled.code()))}});
    }
  }
  return RemoveUnreferenced();
}

Status OutputService::RecoverExport(Export& item) {
  const RoomLock lock = core_.Lock(item.room);
  GB_ASSIGN_OR_RETURN(const Room room, core_.Load(item.room));
  GB_ASSIGN_OR_RETURN(const Output output, Find(item.room, item.output));
  if (room.state == RoomState::kActive && output.state == OutputState::kReleased) {
    return Release(output, item);
  }
  GB_RETURN_IF_ERROR(DenyExport(item.room, item.id, item.output, Status(ErrorCode::kInvalidState, "interrupted")));
  item.state = ExportState::kInterrupted;
  return core_.Write({UpdateExport(item)});
}

void OutputService::RemoveFiles(const RoomId& room) {
  if (!RemoveTree(core_.context().data_folder + "/outputs/" + room.str()).ok()) {
    log::Warning("files of a room that has ended stay until the next start", {{"room", room.str()}});
  }
}

Status OutputService::RemoveUnreferenced() {
  const std::string root = core_.context().data_folder + "/outputs";
  if (!FileExists(root)) {
    return Status();
  }
  GB_ASSIGN_OR_RETURN(const auto rows, core_.Read([](store::Transaction& tx) {
    return tx.Query(
        "SELECT r.room_id, r.id FROM room_runs r WHERE r.state <> 'TERMINATED' OR (r.computation <> '' AND EXISTS "
        "(SELECT 1 FROM room_rooms m WHERE m.id = r.room_id AND m.state <> 'CLOSED')) OR EXISTS (SELECT 1 FROM "
        "room_outputs o WHERE o.run_id = r.id AND o.state <> 'EXPIRED')");
  }));
  std::set<std::string> known;
  for (const store::Row& row : rows) {
    known.insert(row.Text(0) + "/" + std::to_string(row.Int(1)));
  }
  GB_ASSIGN_OR_RETURN(const std::vector<std::string> rooms, ListDirectory(root));
  for (const std::string& room : rooms) {
    GB_ASSIGN_OR_RETURN(const std::vector<std::string> runs, ListDirectory(root + "/" + room));
    for (const std::string& run : runs) {
      if (!known.contains(room + "/" + run)) {
        GB_RETURN_IF_ERROR(RemoveTree(root + "/" + room + "/" + run));
      }
    }
  }
  return Status();
}

}  // namespace glovebox::room
