// SPDX-License-Identifier: Apache-2.0
#include "ledger/tiles.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/result.h"
#include "ledger/bytes.h"
#include "ledger/merkle.h"

namespace glovebox::ledger {
namespace {

constexpr std::size_t kLengthBytes = 2;

std::string ThreeDigits(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(3 - digits.size(), '0') + digits;
}

std::string NumberPath(const Tile& tile) {
  constexpr std::uint64_t kGroup = 1'000;
  std::string path = ThreeDigits(tile.number % kGroup);
  for (std::uint64_t rest = tile.number / kGroup; rest > 0; rest /= kGroup) {
    std::string group = "x";
    group += ThreeDigits(rest % kGroup);
    group += "/";
    path.insert(0, group);
  }
  if (tile.width != kTileWidth) {
    path += ".p/" + std::to_string(tile.width);
  }
  return path;
}

bool Same(const Tile& a, const Tile& b) { return a.level == b.level && a.number == b.number; }

// The widths of the tiles of level `level` in a tree of `size`: full ones and the last partial one.
struct Level {
  std::uint64_t full;
  std::uint64_t partial;
};

Level LevelOf(std::uint64_t size, std::size_t level) {
  const std::uint64_t hashes = level * kTileHeight >= 64 ? 0 : size >> (level * kTileHeight);
  return {hashes / kTileWidth, hashes % kTileWidth};
}

}  // namespace

std::string TilePath(const Tile& tile) { return "tile/" + std::to_string(tile.level) + "/" + NumberPath(tile); }

std::string EntryTilePath(const Tile& tile) { return "tile/entries/" + NumberPath(tile); }

std::vector<Tile> TilesOf(std::uint64_t size) { return NewTiles(0, size); }

std::vector<Tile> NewTiles(std::uint64_t old_size, std::uint64_t size) {
  GB_ASSERT(old_size <= size);
  std::vector<Tile> tiles;
  for (std::size_t level = 0;; ++level) {
    const Level before = LevelOf(old_size, level);
    const Level after = LevelOf(size, level);
    if (after.full == 0 && after.partial == 0) {
      return tiles;
    }
    for (std::uint64_t number = before.full; number < after.full; ++number) {
      tiles.push_back({level, number, kTileWidth});
    }
    const bool grew = after.full != before.full || after.partial != before.partial;
    if (grew && after.partial != 0) {
      tiles.push_back({level, after.full, after.partial});
    }
  }
}

std::vector<Tile> OutgrownTiles(std::uint64_t old_size, std::uint64_t size) {
  std::vector<Tile> outgrown;
  const std::vector<Tile> grown = NewTiles(old_size, size);
  for (const Tile& tile : TilesOf(old_size)) {
    const bool grew = std::any_of(grown.begin(), grown.end(), [&](const Tile& other) { return Same(tile, other); });
    if (tile.width != kTileWidth && grew) {
      outgrown.push_back(tile);
    }
  }
  return outgrown;
}

std::string TileContent(const Tree& tree, const Tile& tile) {
  std::string content;
  for (std::uint64_t i = 0; i < tile.width; ++i) {
    content += HashBytes(tree.Node(tile.level * kTileHeight, tile.number * kTileWidth + i));
  }
  return content;
}

void AppendToEntryTile(std::string_view entry, std::string& tile) {
  GB_ASSERT(entry.size() <= limits::kLedgerEntryBytesMax);
  AppendU16(static_cast<std::uint16_t>(entry.size()), tile);
  tile += entry;
}

Result<std::string_view> TakeFromEntryTile(std::string_view& tile) {
  if (tile.size() < kLengthBytes || tile.size() - kLengthBytes < ReadU16(tile)) {
    return Status(ErrorCode::kInvalidParameterValue, "an entry tile ends within an entry");
  }
  const std::string_view entry = tile.substr(kLengthBytes, ReadU16(tile));
  tile.remove_prefix(kLengthBytes + entry.size());
  return entry;
}

}  // namespace glovebox::ledger
