// SPDX-License-Identifier: Apache-2.0
#include "app/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/strings.h"

namespace glovebox::app {
namespace {

constexpr mode_t kLockMode = 0600;
constexpr std::size_t kProcessIdBytesMax = 32;

std::string LastError() { return std::error_code(errno, std::generic_category()).message(); }

std::string HolderOf(int lock) {
  std::array<char, kProcessIdBytesMax> text{};
  const ssize_t size = pread(lock, text.data(), text.size(), 0);
  const std::string_view id = TrimAscii(std::string_view(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0));
  return id.empty() ? "another glovebox process" : "another glovebox process (id " + std::string(id) + ")";
}

}  // namespace

Result<DataFolder> DataFolder::Open(const std::string& path) {
  if (const Status made = MakeDirectories(path); !made.ok()) {
    return Status(ErrorCode::kUnavailable, "The data folder '" + path + "' cannot be made: " + made.message());
  }
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  if (error || !std::filesystem::is_directory(real, error)) {
    return Status(ErrorCode::kUnavailable, "'" + path + "' is no folder.");
  }
  struct stat info{};
  if (stat(real.c_str(), &info) != 0 ||
      ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0 && chmod(real.c_str(), info.st_mode & S_IRWXU) != 0)) {
    return Status(
        ErrorCode::kUnavailable,
        "The data folder '" + path + "' is open to other users and cannot be closed to them: " + LastError() + ".");
  }
  UniqueFd lock(open((real / "lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kLockMode));
  if (!lock.valid()) {
    return Status(ErrorCode::kUnavailable, "The data folder '" + path + "' cannot be written: " + LastError() + ".");
  }
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Status(ErrorCode::kUnavailable, "The data folder '" + path + "' is in use by " + HolderOf(lock.get()) +
                                               ". Stop it first, or name another folder with --data.");
  }
  const std::string id = std::to_string(getpid()) + "\n";
  if (ftruncate(lock.get(), 0) != 0 || !WriteAll(lock.get(), id).ok()) {
    return Status(ErrorCode::kUnavailable, "The data folder '" + path + "' cannot be written: the disk may be full.");
  }
  return DataFolder(real.string(), std::move(lock));
}

}  // namespace glovebox::app
