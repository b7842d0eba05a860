// SPDX-License-Identifier: Apache-2.0
//
// The files of a bundle, wherever they are: a folder, a tar archive, or memory.
//
// A bundle comes from somebody who may want to harm its reader: links are not followed, and numbers and sizes are
// bounded. Errors: NOT_FOUND, PAYLOAD_TOO_LARGE, INVALID_PARAMETER_VALUE. Threads: one at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace glovebox::ledger {

class BundleFiles {
 public:
  virtual ~BundleFiles() = default;
  // Paths from the bundle's top, sorted by bytes, with '/'.
  [[nodiscard]] virtual const std::vector<std::string>& paths() const = 0;
  [[nodiscard]] virtual Result<std::string> Read(const std::string& path) const = 0;
};

class MemoryBundle final : public BundleFiles {
 public:
  explicit MemoryBundle(std::map<std::string, std::string> files);
  [[nodiscard]] const std::vector<std::string>& paths() const override { return paths_; }
  [[nodiscard]] Result<std::string> Read(const std::string& path) const override;

 private:
  std::map<std::string, std::string> files_;
  std::vector<std::string> paths_;
};

// A folder, or a tar archive with one folder at its top.
Result<std::unique_ptr<BundleFiles>> OpenBundle(const std::string& path);
// The files of an archive, without the folder at its top.
Result<std::unique_ptr<BundleFiles>> ReadTarBundle(std::string_view archive);

}  // namespace glovebox::ledger
