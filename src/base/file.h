// SPDX-License-Identifier: Apache-2.0
//
// Files with their durability spelled out. No exceptions; errno becomes a Status that names the
// operation and the path (paths are ours, never an author's text).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace glovebox {

// An owned file descriptor; closed on destruction.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Returns NOT_FOUND if there is none; PAYLOAD_TOO_LARGE over bytes_max.
Result<std::string> ReadFile(const std::string& path, std::size_t bytes_max);
// Writes to a temporary name in the same folder, fsync, rename, fsync of the folder: after an OK the
// content is durable, after a crash there is either the old file or the new one.
Status WriteFileDurably(const std::string& path, std::string_view content, unsigned mode = 0600);
Status MakeDirectories(const std::string& path, unsigned mode = 0700);  // durable, like mkdir -p
Status RemoveTree(const std::string& path);  // OK if there is none; links are removed, not followed
Result<std::vector<std::string>> ListDirectory(const std::string& path);  // names, sorted
bool FileExists(const std::string& path);                                 // anything of that name
// Makes names that were created in or removed from the folder durable.
Status SyncDirectory(const std::string& path);
// write() until all is written.
Status WriteAll(int fd, std::string_view bytes);

}  // namespace glovebox
