// SPDX-License-Identifier: Apache-2.0
#include "ledger/log_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string_view>

#include "base/errors.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/result.h"
#include "ledger/merkle.h"
#include "ledger/tiles.h"

namespace glovebox::ledger {
namespace {

constexpr unsigned kFileMode = 0600;
constexpr std::string_view kCheckpointName = "checkpoint";
constexpr std::size_t kTileBytesMax = kTileWidth * (2 + limits::kLedgerEntryBytesMax);

Status Unavailable() { return {ErrorCode::kUnavailable, "a file of the ledger cannot be written"}; }

}  // namespace

std::string LogFiles::ReadCheckpoint() const {
  const Result<std::string> content =
      ReadFile(folder_ + "/" + std::string(kCheckpointName), limits::kLedgerNoteBytesMax);
  return content.ok() ? *content : std::string();
}

Status LogFiles::Replace(const std::string& name, std::string_view content) {
  const std::string path = folder_ + "/" + name;
  GB_RETURN_IF_ERROR(MakeDirectories(path.substr(0, path.rfind('/'))));
  const std::string temporary = path + ".tmp";
  const UniqueFd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kFileMode));
  if (!fd.valid() || !WriteAll(fd.get(), content).ok() || std::rename(temporary.c_str(), path.c_str()) != 0) {
    return Unavailable();
  }
  return {};
}

Status LogFiles::Repair(const std::string& name, std::string_view content) {
  const Result<std::string> there = ReadFile(folder_ + "/" + name, kTileBytesMax);
  if (there.ok() && *there == content) {
    return {};
  }
  if (there.ok()) {
    log::Warning("ledger: a tile differed from the journal and is written again", {{"tile", name}});
  }
  return Replace(name, content);
}

Status LogFiles::Update(const Tree& tree, std::uint64_t old_size, const std::string& note,
                        const EntryTileSource& entries) {
  for (const Tile& tile : NewTiles(old_size, tree.size())) {
    GB_RETURN_IF_ERROR(Replace(TilePath(tile), TileContent(tree, tile)));
    if (tile.level == 0) {
      GB_ASSIGN_OR_RETURN(const std::string content, entries(tile));
      GB_RETURN_IF_ERROR(Replace(EntryTilePath(tile), content));
    }
  }
  GB_RETURN_IF_ERROR(Replace(std::string(kCheckpointName), note));
  for (const Tile& tile : OutgrownTiles(old_size, tree.size())) {
    unlink((folder_ + "/" + TilePath(tile)).c_str());
    if (tile.level == 0) {
      unlink((folder_ + "/" + EntryTilePath(tile)).c_str());
    }
  }
  return {};
}

Status LogFiles::Rebuild(const Tree& tree, const std::string& note, const EntryTileSource& entries) {
  for (const Tile& tile : TilesOf(tree.size())) {
    GB_RETURN_IF_ERROR(Repair(TilePath(tile), TileContent(tree, tile)));
    if (tile.level == 0) {
      GB_ASSIGN_OR_RETURN(const std::string content, entries(tile));
      GB_RETURN_IF_ERROR(Repair(EntryTilePath(tile), content));
    }
  }
  return Replace(std::string(kCheckpointName), note);
}

}  // namespace glovebox::ledger
