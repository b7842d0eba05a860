// SPDX-License-Identifier: Apache-2.0
#include "catalog/volume_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "base/invalid_parameter.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"

namespace glovebox::catalog {
namespace {

constexpr std::string_view kPrefix = "/Volumes/";
constexpr std::size_t kNamePartsCount = 3;
constexpr mode_t kDirectoryMode = 0700;

Result<std::string> CheckedPart(const std::string& part) {
  const bool has_control =
      std::any_of(part.begin(), part.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
  if (part.empty() || part == "." || part == ".." || part.size() > limits::kNameBytesMax || has_control) {
    return InvalidParameter("A path in a volume has parts of 1 to " + std::to_string(limits::kNameBytesMax) +
                            " bytes; '.', '..', empty parts and control characters are not allowed.");
  }
  return ToNfc(part);
}

Result<UniqueFd> OpenChild(int directory, const std::string& name, Missing missing) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd child(openat(directory, name.c_str(), kFlags));
  if (!child.valid() && errno == ENOENT && missing == Missing::kCreate) {
    if (mkdirat(directory, name.c_str(), kDirectoryMode) == 0 && fsync(directory) != 0) {
      return Status(ErrorCode::kUnavailable, "A directory cannot be made durable.");
    }
    child.reset(openat(directory, name.c_str(), kFlags));
  }
  if (child.valid()) {
    return child;
  }
  if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) {
    return missing == Missing::kFail ? Status(ErrorCode::kNotFound, "The directory does not exist.")
                                     : InvalidParameter("A part of the path is a file and not a directory.");
  }
  return Status(ErrorCode::kUnavailable, "A directory of the volume cannot be opened.");
}

}  // namespace

Result<VolumePath> ParseVolumePath(std::string_view path) {
  if (!path.starts_with(kPrefix) || path.size() > limits::kVolumePathBytesMax) {
    return InvalidParameter(
        "A path in a volume has the form /Volumes/<catalog>/<schema>/<volume>/<path>, with at most " +
        std::to_string(limits::kVolumePathBytesMax) + " bytes.");
  }
  path.remove_prefix(kPrefix.size());
  if (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  std::vector<std::string> parts = Split(path, '/');
  if (parts.size() < kNamePartsCount || parts.size() > limits::kVolumePathDepthMax) {
    return InvalidParameter(
        "A path in a volume has the form /Volumes/<catalog>/<schema>/<volume>/<path>, with at most " +
        std::to_string(limits::kVolumePathDepthMax) + " parts.");
  }
  VolumePath result;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    GB_ASSIGN_OR_RETURN(std::string part, CheckedPart(parts[i]));
    if (i >= kNamePartsCount) {
      result.parts.push_back(std::move(part));
    } else {
      if (part.find('.') != std::string::npos) {
        return InvalidParameter("The names of catalog, schema and volume in a path have no dots.");
      }
      result.volume += (i == 0 ? "" : ".") + part;
    }
  }
  return result;
}

Result<UniqueFd> OpenDirectoryAt(int root, const std::vector<std::string>& parts, Missing missing) {
  UniqueFd current(fcntl(root, F_DUPFD_CLOEXEC, 0));
  if (!current.valid()) {
    return Status(ErrorCode::kUnavailable, "The server has too many open files.");
  }
  for (const std::string& part : parts) {
    GB_ASSIGN_OR_RETURN(current, OpenChild(current.get(), part, missing));
  }
  return current;
}

}  // namespace glovebox::catalog
