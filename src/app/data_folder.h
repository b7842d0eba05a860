// SPDX-License-Identifier: Apache-2.0
//
// The folder of a server's data, held by one process at a time:
//   lock          held while a process uses the folder; has its process id
//   master.key    seals secrets and private keys (never leaves the machine; back it up apart from the rest)
//   glovebox.db   metadata
//   tables/ volumes/ prepared/ outputs/ ledgers/ evidence/   files of the parts that are named so
//
// Errors: UNAVAILABLE, naming the folder and the other process's id, if it is in use. Threads: one.
#pragma once

#include <string>

#include "base/file.h"
#include "base/result.h"

namespace glovebox::app {

class DataFolder {
 public:
  // Makes the folder if it is not there; it is closed to other users than its owner either way. The lock ends with the
  // object or the process.
  static Result<DataFolder> Open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }  // absolute, without links
  [[nodiscard]] std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  DataFolder(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  UniqueFd lock_;
};

}  // namespace glovebox::app
