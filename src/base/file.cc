// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/encoding.h"
#include "base/random.h"

namespace glovebox {
namespace {

constexpr std::size_t kReadBytes = 64U << 10U;

Status ErrnoStatus(std::string_view operation, const std::string& path, int error) {
  const char* description = strerrordesc_np(error);
  return Status(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInternal,
                fmt::format("{} {}: {}", operation, path, description == nullptr ? "unknown error" : description));
}

Result<UniqueFd> Open(const std::string& path, int flags, unsigned mode = 0) {
  while (true) {
    const int fd = open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) {
      return UniqueFd(fd);
    }
    if (errno != EINTR) {
      return ErrnoStatus("open", path, errno);
    }
  }
}

Status Sync(int fd, const std::string& path) {
  while (fsync(fd) != 0) {
    if (errno != EINTR) {
      return ErrnoStatus("fsync", path, errno);
    }
  }
  return Status();
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status WriteNewFile(const std::string& path, std::string_view content, unsigned mode) {
  GB_ASSIGN_OR_RETURN(const UniqueFd fd, Open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
  GB_RETURN_IF_ERROR(WriteAll(fd.get(), content));
  return Sync(fd.get(), path);
}

bool IsDirectory(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// One folder whose parent exists.
Status MakeDirectory(const std::string& path, unsigned mode) {
  if (mkdir(path.c_str(), mode) == 0) {
    return SyncDirectory(FolderOf(path));
  }
  const int error = errno;
  return IsDirectory(path) ? Status() : ErrnoStatus("mkdir", path, error);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

}  // namespace

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) {
    close(fd_);  // Linux closes it even if it says EINTR; a second try could close somebody else's
  }
  fd_ = fd;
}

Result<std::string> ReadFile(const std::string& path, std::size_t bytes_max) {
  GB_ASSIGN_OR_RETURN(const UniqueFd fd, Open(path, O_RDONLY));
  std::string content;
  while (true) {
    const std::size_t size = content.size();
    content.resize(size + std::min(kReadBytes, bytes_max - size) + 1);
    const ssize_t got = read(fd.get(), content.data() + size, content.size() - size);
    const int error = errno;
    content.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && error != EINTR) {
      return ErrnoStatus("read", path, error);
    }
    if (got == 0) {
      return content;
    }
    if (content.size() > bytes_max) {
      return Status(ErrorCode::kPayloadTooLarge, fmt::format("{} has more than {} bytes", path, bytes_max));
    }
  }
}

Status WriteFileDurably(const std::string& path, std::string_view content, unsigned mode) {
  // A name of its own for each call: two writers of one path must not write into one file.
  const std::string temporary = path + "." + HexEncode(SystemRandom().Bytes(8)) + ".tmp";
  Status status = WriteNewFile(temporary, content, mode);
  if (status.ok() && std::rename(temporary.c_str(), path.c_str()) != 0) {
    status = ErrnoStatus("rename", path, errno);
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  return SyncDirectory(FolderOf(path));
}

Status MakeDirectories(const std::string& path, unsigned mode) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    GB_RETURN_IF_ERROR(MakeDirectory(path.substr(0, slash), mode));
  }
  return path.ends_with('/') ? Status() : MakeDirectory(path, mode);
}

Status RemoveTree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? ErrnoStatus("remove", path, error.value()) : Status();
}

Result<std::vector<std::string>> ListDirectory(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
  if (directory == nullptr) {
    return ErrnoStatus("open folder", path, errno);
  }
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());  // NOLINT(concurrency-mt-unsafe): the stream is ours alone
    if (entry == nullptr) {
      break;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  if (errno != 0) {
    return ErrnoStatus("read folder", path, errno);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool FileExists(const std::string& path) {
  struct stat info{};
  return lstat(path.c_str(), &info) == 0;
}

Status SyncDirectory(const std::string& path) {
  GB_ASSIGN_OR_RETURN(const UniqueFd fd, Open(path, O_RDONLY | O_DIRECTORY));
  return Sync(fd.get(), path);
}

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return ErrnoStatus("write to", fmt::format("descriptor {}", fd), errno);
    }
  }
  return Status();
}

}  // namespace glovebox
