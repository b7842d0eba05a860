// SPDX-License-Identifier: Apache-2.0
#include "catalog/volumes.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/errors.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/result.h"
#include "base/strings.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/names.h"
#include "catalog/page.h"
#include "catalog/privileges.h"
#include "catalog/securable_rows.h"
#include "catalog/securables.h"
#include "catalog/stored_bytes.h"
#include "catalog/volume_path.h"
#include "store/database.h"

namespace glovebox::catalog {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr std::int64_t kMsPerSecond = 1'000;
constexpr std::int64_t kNsPerMs = 1'000'000;

Status NoFile(const std::string& path) {
  return Status(ErrorCode::kNotFound, "The file '" + path + "' does not exist.");
}

Status NoDirectory(const std::string& path) {
  return Status(ErrorCode::kNotFound, "The directory '" + path + "' does not exist.");
}

Status DiskFailed() { return Status(ErrorCode::kUnavailable, "The volume's disk cannot be read or written."); }

// The volume that a path leads into, once the caller's right is checked.
struct Place {
  std::string folder;  // of the volume: files/ and uploads/ are in it
  VolumePath path;
  std::string canonical;  // "/Volumes/..." with the names as the catalogue spells them
  UniqueFd root;          // files/
  StoredFile file;
};

std::string VolumeFolder(const Context& context, const OrganisationId& organisation, const std::string& volume) {
  return context.data_folder + "/volumes/" + organisation.str() + "/" + volume;
}

Result<Place> FindPlace(const Context& context, const Caller& caller, const std::string& path, Privilege privilege) {
  Place place;
  GB_ASSIGN_OR_RETURN(place.path, ParseVolumePath(path));
  Securable volume;
  {
    GB_ASSIGN_OR_RETURN(const auto transaction, context.database->Begin(store::Access::kRead));
    GB_ASSIGN_OR_RETURN(volume,
                        FindAllowed(*transaction, caller, SecurableKind::kVolume, place.path.volume, privilege));
  }
  place.canonical = "/Volumes/" + Join(Split(volume.full_name, '.'), "/");
  for (const std::string& part : place.path.parts) {
    place.canonical += "/" + part;
  }
  place.file = {.organisation = caller.organisation, .volume = volume.id, .path = Join(place.path.parts, "/")};
  place.folder = VolumeFolder(context, caller.organisation, volume.id);
  GB_RETURN_IF_ERROR(MakeDirectories(place.folder + "/files"));
  GB_RETURN_IF_ERROR(MakeDirectories(place.folder + "/uploads"));
  place.root.reset(open((place.folder + "/files").c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return place.root.valid() ? Result<Place>(std::move(place)) : Result<Place>(DiskFailed());
}

std::vector<std::string> ParentParts(const VolumePath& path) {
  return {path.parts.begin(), path.parts.end() - (path.parts.empty() ? 0 : 1)};
}

// The directory in which the path's last part is, or NOT_FOUND for `path`.
Result<UniqueFd> OpenParent(const Place& place, const std::string& path) {
  auto parent = OpenDirectoryAt(place.root.get(), ParentParts(place.path), Missing::kFail);
  if (!parent.ok() && parent.status().code() == ErrorCode::kNotFound) {
    return NoFile(path);
  }
  return parent;
}

std::int64_t ModifiedMs(const struct stat& info) {
  return std::int64_t{info.st_mtim.tv_sec} * kMsPerSecond + std::int64_t{info.st_mtim.tv_nsec} / kNsPerMs;
}

VolumeEntry MakeEntry(const std::string& path, const struct stat& info) {
  VolumeEntry entry;
  entry.path = path;
  entry.name = path.substr(path.rfind('/') + 1);
  entry.kind = S_ISDIR(info.st_mode) ? EntryKind::kDirectory : EntryKind::kFile;
  entry.size = S_ISDIR(info.st_mode) ? 0 : std::int64_t{info.st_size};
  entry.modified_at = TimeMs{ModifiedMs(info)};
  return entry;
}

bool IsFileOrDirectory(const struct stat& info) { return S_ISREG(info.st_mode) || S_ISDIR(info.st_mode); }

Status NameIsTaken(const std::string& path) {
  return Status(ErrorCode::kAlreadyExists, "'" + path + "' already exists; overwrite it or choose another name.");
}

// The size of the place's file now; nothing if there is none.
Result<std::optional<std::int64_t>> SizeNow(const Place& place) {
  auto parent = OpenDirectoryAt(place.root.get(), ParentParts(place.path), Missing::kFail);
  if (!parent.ok()) {
    return parent.status().code() == ErrorCode::kNotFound ? Result<std::optional<std::int64_t>>(std::nullopt)
                                                          : Result<std::optional<std::int64_t>>(parent.status());
  }
  struct stat info{};
  if (fstatat(parent->get(), place.path.parts.back().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Result<std::optional<std::int64_t>>(std::nullopt)
                           : Result<std::optional<std::int64_t>>(DiskFailed());
  }
  return S_ISREG(info.st_mode) ? std::optional(std::int64_t{info.st_size}) : std::nullopt;
}

Status Settle(const Context& context, const Place& place) {
  // The size is read inside the transaction: who settles last sees what is there in the end.
  GB_ASSIGN_OR_RETURN(const auto transaction, context.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const std::optional<std::int64_t> bytes, SizeNow(place));
  GB_RETURN_IF_ERROR(SettleFile(*transaction, place.file, bytes));
  return transaction->Commit();
}

// Changes a file's size with `change`, announced before and settled after, whatever becomes of it (stored_bytes.h).
Status ChangeFile(const Context& context, const Place& place, std::int64_t bytes,
                  const std::function<Status()>& change) {
  {
    GB_ASSIGN_OR_RETURN(const auto transaction, context.database->Begin(store::Access::kWrite));
    GB_RETURN_IF_ERROR(AnnounceFile(*transaction, place.file, bytes));
    GB_RETURN_IF_ERROR(transaction->Commit());
  }
  Status changed = change();
  if (!Settle(context, place).ok()) {
    log::Warning("the size of a file is not settled before the next start", {{"volume_id", place.file.volume}});
  }
  return changed;
}

// One file in uploads/ that becomes one in files/.
class FileUpload final : public Upload {
 public:
  FileUpload(const Context& context, Place place, std::int64_t bytes_max, UniqueFd uploads, UniqueFd file,
             std::string temporary, Overwrite overwrite)
      : context_(context),
        place_(std::move(place)),
        bytes_max_(bytes_max),
        uploads_(std::move(uploads)),
        file_(std::move(file)),
        temporary_(std::move(temporary)),
        overwrite_(overwrite) {}

  ~FileUpload() override {
    if (!temporary_.empty()) {
      unlinkat(uploads_.get(), temporary_.c_str(), 0);
    }
  }

  Status Append(std::string_view bytes) override {
    size_ += bytes.size();
    if (size_ > limits::kHttpUploadBytesMax) {
      return Status(ErrorCode::kPayloadTooLarge,
                    "A file has at most " + std::to_string(limits::kHttpUploadBytesMax) + " bytes.");
    }
    if (static_cast<std::int64_t>(size_) > bytes_max_) {
      return StorageIsFull();
    }
    return WriteAll(file_.get(), bytes);
  }

  Status Commit() override {
    if (fsync(file_.get()) != 0) {
      return DiskFailed();
    }
    return ChangeFile(context_, place_, static_cast<std::int64_t>(size_), [this]() -> Status {
      GB_ASSIGN_OR_RETURN(const UniqueFd parent,
                          OpenDirectoryAt(place_.root.get(), ParentParts(place_.path), Missing::kCreate));
      GB_RETURN_IF_ERROR(Publish(parent.get(), place_.path.parts.back()));
      return fsync(parent.get()) == 0 ? Status() : DiskFailed();
    });
  }

 private:
  // A link fails if the name is taken, a rename replaces it: each decides atomically.
  Status Publish(int parent, const std::string& name) {
    const int done = overwrite_ == Overwrite::kYes
                         ? renameat(uploads_.get(), temporary_.c_str(), parent, name.c_str())
                         : linkat(uploads_.get(), temporary_.c_str(), parent, name.c_str(), 0);
    if (done != 0) {
      if (errno == EEXIST) {
        return NameIsTaken(place_.canonical);
      }
      return errno == EISDIR ? Status(ErrorCode::kInvalidParameterValue, "'" + place_.canonical + "' is a directory.")
                             : Status(ErrorCode::kAborted, "The volume was changed during the upload.");
    }
    if (overwrite_ == Overwrite::kNo) {
      unlinkat(uploads_.get(), temporary_.c_str(), 0);
    }
    temporary_.clear();
    return Status();
  }

  const Context context_;
  Place place_;
  const std::int64_t bytes_max_;
  UniqueFd uploads_;
  UniqueFd file_;
  std::string temporary_;  // empty once it is published
  const Overwrite overwrite_;
  std::size_t size_ = 0;
};

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// The names in a directory, sorted; the descriptor is used up.
Result<std::vector<std::string>> SortedNames(UniqueFd directory) {
  const std::unique_ptr<DIR, CloseDirectory> stream(fdopendir(directory.get()));
  if (stream == nullptr) {
    return DiskFailed();
  }
  directory.release();
  std::vector<std::string> names;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this thread's own
  for (const dirent* entry = readdir(stream.get()); entry != nullptr; entry = readdir(stream.get())) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      names.emplace_back(entry->d_name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Result<Securable> Volumes::Create(const Caller& caller, const std::string& schema, const std::string& name,
                                  const std::string& comment, IfExists if_exists) const {
  GB_ASSIGN_OR_RETURN(const Name checked, CheckedName(name, "volume's name"));
  GB_RETURN_IF_ERROR(CheckComment(comment));
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  if (if_exists == IfExists::kKeep) {
    auto existing = FindKnown(*transaction, caller, SecurableKind::kVolume, schema + "." + name);
    if (existing.ok()) {
      return existing;
    }
  }
  GB_ASSIGN_OR_RETURN(const Securable parent,
                      FindAllowed(*transaction, caller, SecurableKind::kSchema, schema, Privilege::kCreateVolume));
  GB_ASSIGN_OR_RETURN(Securable created, InsertRow(*transaction, context_, caller.organisation,
                                                   {.kind = SecurableKind::kVolume,
                                                    .id = NewUuid(*context_.clock, *context_.random),
                                                    .parent_id = parent.id,
                                                    .parent_full_name = parent.full_name,
                                                    .name = checked,
                                                    .owner = caller.principal,
                                                    .comment = comment,
                                                    .created_by = caller.name}));
  GB_RETURN_IF_ERROR(transaction->Commit());
  return created;
}

Result<std::unique_ptr<Upload>> Volumes::StartUpload(const Caller& caller, const std::string& path,
                                                     Overwrite overwrite) const {
  GB_ASSIGN_OR_RETURN(Place place, FindPlace(context_, caller, path, Privilege::kWriteVolume));
  if (place.path.parts.empty() || path.ends_with('/')) {
    return Status(ErrorCode::kInvalidParameterValue, "The path names a directory and not a file.");
  }
  if (overwrite == Overwrite::kNo) {
    auto parent = OpenDirectoryAt(place.root.get(), ParentParts(place.path), Missing::kFail);
    if (parent.ok() && faccessat(parent->get(), place.path.parts.back().c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
      return NameIsTaken(place.canonical);
    }
  }
  std::int64_t bytes_max = 0;
  {
    GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
    GB_ASSIGN_OR_RETURN(bytes_max, RoomFor(*transaction, place.file));
  }
  UniqueFd uploads(open((place.folder + "/uploads").c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  std::string temporary = NewUuid(*context_.clock, *context_.random);
  UniqueFd file(
      openat(uploads.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!uploads.valid() || !file.valid()) {
    return DiskFailed();
  }
  return std::unique_ptr<Upload>(std::make_unique<FileUpload>(context_, std::move(place), bytes_max, std::move(uploads),
                                                              std::move(file), std::move(temporary), overwrite));
}

Result<VolumeFile> Volumes::Open(const Caller& caller, const std::string& path) const {
  GB_ASSIGN_OR_RETURN(const Place place, FindPlace(context_, caller, path, Privilege::kReadVolume));
  if (place.path.parts.empty() || path.ends_with('/')) {
    return NoFile(path);
  }
  GB_ASSIGN_OR_RETURN(const UniqueFd parent, OpenParent(place, path));
  VolumeFile file;
  file.fd.reset(openat(parent.get(), place.path.parts.back().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info{};
  if (!file.fd.valid() || fstat(file.fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return NoFile(path);
  }
  file.entry = MakeEntry(place.canonical, info);
  return file;
}

Result<VolumeEntry> Volumes::Head(const Caller& caller, const std::string& path) const {
  GB_ASSIGN_OR_RETURN(const Place place, FindPlace(context_, caller, path, Privilege::kReadVolume));
  struct stat info{};
  if (place.path.parts.empty()) {
    return fstat(place.root.get(), &info) == 0 ? Result<VolumeEntry>(MakeEntry(place.canonical, info))
                                               : Result<VolumeEntry>(DiskFailed());
  }
  GB_ASSIGN_OR_RETURN(const UniqueFd parent, OpenParent(place, path));
  if (fstatat(parent.get(), place.path.parts.back().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
      !IsFileOrDirectory(info) || (path.ends_with('/') && !S_ISDIR(info.st_mode))) {
    return NoFile(path);
  }
  return MakeEntry(place.canonical, info);
}

Status Volumes::DeleteFile(const Caller& caller, const std::string& path) const {
  GB_ASSIGN_OR_RETURN(const Place place, FindPlace(context_, caller, path, Privilege::kWriteVolume));
  if (place.path.parts.empty() || path.ends_with('/')) {
    return NoFile(path);
  }
  GB_ASSIGN_OR_RETURN(const UniqueFd parent, OpenParent(place, path));
  struct stat info{};
  if (fstatat(parent.get(), place.path.parts.back().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
      S_ISDIR(info.st_mode)) {
    return NoFile(path);
  }
  return ChangeFile(context_, place, 0, [&] {
    if (unlinkat(parent.get(), place.path.parts.back().c_str(), 0) != 0) {
      return errno == ENOENT || errno == EISDIR ? NoFile(path) : DiskFailed();
    }
    return fsync(parent.get()) == 0 ? Status() : DiskFailed();
  });
}

Status Volumes::CreateDirectory(const Caller& caller, const std::string& path) const {
  GB_ASSIGN_OR_RETURN(const Place place, FindPlace(context_, caller, path, Privilege::kWriteVolume));
  auto made = OpenDirectoryAt(place.root.get(), place.path.parts, Missing::kCreate);
  return made.ok() ? Status() : made.status();
}

Result<Page<VolumeEntry>> Volumes::ListDirectory(const Caller& caller, const std::string& path,
                                                 const PageRequest& page) const {
  GB_ASSIGN_OR_RETURN(const std::size_t size, PageSize(page));
  GB_ASSIGN_OR_RETURN(const std::string after, PageStart(page));
  GB_ASSIGN_OR_RETURN(const Place place, FindPlace(context_, caller, path, Privilege::kReadVolume));
  auto directory = OpenDirectoryAt(place.root.get(), place.path.parts, Missing::kFail);
  if (!directory.ok()) {
    return directory.status().code() == ErrorCode::kNotFound ? NoDirectory(path) : directory.status();
  }
  UniqueFd listed(fcntl(directory->get(), F_DUPFD_CLOEXEC, 0));
  GB_ASSIGN_OR_RETURN(const std::vector<std::string> names, SortedNames(std::move(listed)));
  Page<VolumeEntry> result;
  for (auto name = std::upper_bound(names.begin(), names.end(), after); name != names.end(); ++name) {
    struct stat info{};
    if (fstatat(directory->get(), name->c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !IsFileOrDirectory(info)) {
      continue;
    }
    if (result.items.size() == size) {
      result.next_token = PageToken(result.items.back().name);
      break;
    }
    result.items.push_back(MakeEntry(place.canonical + "/" + *name, info));
  }
  return result;
}

Status Volumes::DeleteDirectory(const Caller& caller, const std::string& path) const {
  GB_ASSIGN_OR_RETURN(const Place place, FindPlace(context_, caller, path, Privilege::kWriteVolume));
  if (place.path.parts.empty()) {
    return Status(ErrorCode::kInvalidParameterValue, "The volume itself is deleted as a volume, not as a directory.");
  }
  auto parent = OpenDirectoryAt(place.root.get(), ParentParts(place.path), Missing::kFail);
  if (!parent.ok()) {
    return parent.status().code() == ErrorCode::kNotFound ? NoDirectory(path) : parent.status();
  }
  if (unlinkat(parent->get(), place.path.parts.back().c_str(), AT_REMOVEDIR) != 0) {
    if (errno == ENOTEMPTY || errno == EEXIST) {
      return Status(ErrorCode::kInvalidState, "The directory '" + place.canonical + "' is not empty.");
    }
    return errno == ENOENT || errno == ENOTDIR ? NoDirectory(path) : DiskFailed();
  }
  return fsync(parent->get()) == 0 ? Status() : DiskFailed();
}

Result<std::string> Volumes::FileForEngine(const Caller& caller, const std::string& path) const {
  // Opening walks the path without following links; nothing but this class makes entries below the volume's folder.
  const auto file = Open(caller, path);
  if (!file.ok()) {
    return file.status();
  }
  GB_ASSIGN_OR_RETURN(const Place place, FindPlace(context_, caller, path, Privilege::kReadVolume));
  return place.folder + "/files/" + Join(place.path.parts, "/");
}

Status Volumes::SettleSizes() const {
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const std::vector<StoredFile> files, UnsettledFiles(*transaction));
  for (const StoredFile& file : files) {
    const std::string path = VolumeFolder(context_, file.organisation, file.volume) + "/files/" + file.path;
    struct stat info{};
    const bool is_there = lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
    GB_RETURN_IF_ERROR(
        SettleAfterCrash(*transaction, file, is_there ? std::optional(std::int64_t{info.st_size}) : std::nullopt));
  }
  return transaction->Commit();
}

Status Volumes::RemoveLeftovers() const {
  GB_RETURN_IF_ERROR(SettleSizes());
  const std::string root = context_.data_folder + "/volumes";
  if (!FileExists(root)) {
    return Status();
  }
  GB_ASSIGN_OR_RETURN(const auto transaction, context_.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const auto organisations, glovebox::ListDirectory(root));
  for (const std::string& organisation : organisations) {
    GB_ASSIGN_OR_RETURN(const auto volumes, glovebox::ListDirectory(root + "/" + organisation));
    for (const std::string& volume : volumes) {
      GB_ASSIGN_OR_RETURN(const auto row, FindRow(*transaction, OrganisationId(organisation), volume));
      const std::string folder = root + "/" + organisation + "/" + volume;
      GB_RETURN_IF_ERROR(RemoveTree(row.has_value() ? folder + "/uploads" : folder));
    }
  }
  return Status();
}

}  // namespace glovebox::catalog
