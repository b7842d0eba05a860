// SPDX-License-Identifier: Apache-2.0
//
// Paths into volumes: taking the text apart, and walking it on disk.
//
// Invariant of the walk: every part is opened relative to the directory before it with O_NOFOLLOW, so that neither ".."
// (refused in the text) nor a link (refused by the kernel) leads out of the volume's folder. Threads: no state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace glovebox::catalog {

struct VolumePath {
  std::string volume;              // "catalog.schema.volume"
  std::vector<std::string> parts;  // below the volume; NFC
};

// "/Volumes/catalog/schema/volume[/part...]", with or without a slash at the end.
Result<VolumePath> ParseVolumePath(std::string_view path);

enum class Missing { kFail, kCreate };

// The directory that `parts` lead to. NOT_FOUND if a part is missing or no directory.
Result<UniqueFd> OpenDirectoryAt(int root, const std::vector<std::string>& parts, Missing missing);

}  // namespace glovebox::catalog
