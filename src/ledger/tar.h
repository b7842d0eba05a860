// SPDX-License-Identifier: Apache-2.0
//
// Uncompressed tar (POSIX ustar), regular files only: enough to hand a folder over as one stream that `tar xf` takes.
// Deterministic: mode 0644, owner 0, one time for all.
//
// Errors: INVALID_PARAMETER_VALUE for a path that ustar cannot hold and for archives that are not in this form; links,
// devices, absolute paths and ".." are refused. Threads: plain functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace glovebox::ledger {

// The header block of a file; its content follows, padded by TarPadding.
Result<std::string> TarHeader(std::string_view path, std::uint64_t bytes, std::int64_t time_s);
std::string TarPadding(std::uint64_t bytes);
std::string TarEnd();

// The files of an archive by path. Folders are skipped.
Result<std::map<std::string, std::string>> ReadTar(std::string_view archive);

}  // namespace glovebox::ledger
