// SPDX-License-Identifier: Apache-2.0
#include "ledger/bundle_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/result.h"
#include "ledger/tar.h"

namespace glovebox::ledger {
namespace {

constexpr std::size_t kFolderDepthMax = 16;

Status Bad(std::string message) { return {ErrorCode::kInvalidParameterValue, std::move(message)}; }
Status NoFile() { return {ErrorCode::kNotFound, "the file is missing"}; }

class FolderBundle final : public BundleFiles {
 public:
  explicit FolderBundle(std::string folder) : folder_(std::move(folder)) {}

  Status List(const std::string& prefix, std::size_t depth) {
    GB_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(folder_ + "/" + prefix));
    for (const std::string& name : names) {
      const std::string path = prefix + name;
      struct stat info{};
      if (lstat((folder_ + "/" + path).c_str(), &info) != 0) {
        return Bad("a file of the bundle cannot be read");
      }
      if (S_ISDIR(info.st_mode) && depth < kFolderDepthMax) {
        GB_RETURN_IF_ERROR(List(path + "/", depth + 1));
      } else if (S_ISREG(info.st_mode) && paths_.size() < limits::kLedgerBundleFilesMax) {
        paths_.push_back(path);
      } else {
        return Bad("the bundle has something else than files and folders, or too many of them");
      }
    }
    return {};
  }
  void Sort() { std::sort(paths_.begin(), paths_.end()); }

  const std::vector<std::string>& paths() const override { return paths_; }
  Result<std::string> Read(const std::string& path) const override {
    if (!std::binary_search(paths_.begin(), paths_.end(), path)) {
      return NoFile();
    }
    return ReadFile(folder_ + "/" + path, limits::kLedgerBundleFileBytesMax);
  }

 private:
  std::string folder_;
  std::vector<std::string> paths_;
};

}  // namespace

MemoryBundle::MemoryBundle(std::map<std::string, std::string> files) : files_(std::move(files)) {
  for (const auto& [path, content] : files_) {
    paths_.push_back(path);
  }
}

Result<std::string> MemoryBundle::Read(const std::string& path) const {
  const auto file = files_.find(path);
  if (file == files_.end()) {
    return NoFile();
  }
  return file->second;
}

Result<std::unique_ptr<BundleFiles>> OpenBundle(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) {
    return Status(ErrorCode::kNotFound, "there is no bundle at " + path);
  }
  if (!S_ISDIR(info.st_mode)) {
    GB_ASSIGN_OR_RETURN(const std::string archive, ReadFile(path, limits::kLedgerArchiveBytesMax));
    return ReadTarBundle(archive);
  }
  auto bundle = std::make_unique<FolderBundle>(path);
  GB_RETURN_IF_ERROR(bundle->List("", 0));
  bundle->Sort();
  return std::unique_ptr<BundleFiles>(std::move(bundle));
}

Result<std::unique_ptr<BundleFiles>> ReadTarBundle(std::string_view archive) {
  GB_ASSIGN_OR_RETURN(auto files, ReadTar(archive));
  std::map<std::string, std::string> inner;
  std::string top;
  for (auto& [path, content] : files) {
    const std::size_t slash = path.find('/');
    if (slash == std::string::npos || (!top.empty() && path.substr(0, slash) != top)) {
      return Bad("the archive is no bundle: it does not have one folder at its top");
    }
    top = path.substr(0, slash);
    inner.emplace(path.substr(slash + 1), std::move(content));
  }
  return std::unique_ptr<BundleFiles>(std::make_unique<MemoryBundle>(std::move(inner)));
}

}  // namespace glovebox::ledger
