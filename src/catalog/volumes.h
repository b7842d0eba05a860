// SPDX-License-Identifier: Apache-2.0
//
// Managed volumes: folders of files, addressed as /Volumes/<catalog>/<schema>/<volume>/<path>.
//
// A path is walked part by part below the volume's own folder with O_NOFOLLOW; "." and ".." and empty parts are
// refused, so no path leaves its volume. A file appears whole or not at all: it is written beside, synced and renamed.
//
// All files of an organisation's volumes and tables together have a limit (stored_bytes.h): what goes over it is
// refused with INVALID_STATE and leaves nothing.
//
// Needs READ_VOLUME to read, WRITE_VOLUME to change. Sizes in bytes. Threads: thread-safe; an Upload belongs to one
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "catalog/context.h"
#include "catalog/page.h"
#include "catalog/securables.h"

namespace glovebox::catalog {

enum class Overwrite { kNo, kYes };
enum class EntryKind { kFile, kDirectory };

struct VolumeEntry {
  std::string name;
  std::string path;  // "/Volumes/..."
  EntryKind kind = EntryKind::kFile;
  std::int64_t size = 0;
  TimeMs modified_at{};
};

struct VolumeFile {
  UniqueFd fd;  // open for reading
  VolumeEntry entry;
};

// A file on its way in. Destroyed without Commit(), it leaves nothing.
class Upload {
 public:
  virtual ~Upload() = default;
  // Returns PAYLOAD_TOO_LARGE over limits::kHttpUploadBytesMax.
  virtual Status Append(std::string_view bytes) = 0;
  // Durable on OK. Returns ALREADY_EXISTS if the file is there and is not to be overwritten.
  virtual Status Commit() = 0;
};

class Volumes {
 public:
  explicit Volumes(const Context& context) : context_(context) {}

  // Needs CREATE_VOLUME on the schema.
  Result<Securable> Create(const Caller& caller, const std::string& schema, const std::string& name,
                           const std::string& comment, IfExists if_exists) const;

  // Missing directories on the way are made. Authorised now, not again at Commit.
  Result<std::unique_ptr<Upload>> StartUpload(const Caller& caller, const std::string& path, Overwrite overwrite) const;
  Result<VolumeFile> Open(const Caller& caller, const std::string& path) const;
  // A file or directory; the volume itself is a directory.
  Result<VolumeEntry> Head(const Caller& caller, const std::string& path) const;
  Status DeleteFile(const Caller& caller, const std::string& path) const;

  Status CreateDirectory(const Caller& caller, const std::string& path) const;  // like mkdir -p
  Result<Page<VolumeEntry>> ListDirectory(const Caller& caller, const std::string& path, const PageRequest& page) const;
  Status DeleteDirectory(const Caller& caller, const std::string& path) const;  // INVALID_STATE unless empty

  // The file on disk, for the engine. Needs READ_VOLUME; NOT_FOUND unless it is a regular file.
  Result<std::string> FileForEngine(const Caller& caller, const std::string& path) const;

  // At start, before the server takes requests: uploads that were cut off by a crash, and deleted volumes whose files
  // one left; the sizes of files that were being changed.
  Status RemoveLeftovers() const;

 private:
  [[nodiscard]] Status SettleSizes() const;

  Context context_;
};

}  // namespace glovebox::catalog
