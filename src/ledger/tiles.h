// SPDX-License-Identifier: Apache-2.0
//
// A tree as files, C2SP tlog-tiles:
//
//   tile/<L>/<N>[.p/<W>]        W hashes of 32 bytes; W is 256 and left out for a full tile.
//                               Level 0: leaf hashes; level L: roots of the full tiles of level L - 1
//   tile/entries/<N>[.p/<W>]    W times (u16 big-endian length, entry)
//   <N> in groups of three digits, all but the last with an 'x' before: 1234067 is x001/x234/067
//
// Pure. Threads: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/merkle.h"

namespace glovebox::ledger {

inline constexpr std::uint64_t kTileWidth = 256;
inline constexpr std::size_t kTileHeight = 8;  // 2^8 = 256

// One file of a tree. For entry tiles `level` is of no meaning.
struct Tile {
  std::size_t level = 0;
  std::uint64_t number = 0;
  std::uint64_t width = kTileWidth;
};

[[nodiscard]] std::string TilePath(const Tile& tile);
[[nodiscard]] std::string EntryTilePath(const Tile& tile);

// Every hash tile of a tree of `size`, level by level; every entry tile is one of its level 0.
[[nodiscard]] std::vector<Tile> TilesOf(std::uint64_t size);
// Those of them that a tree of `old_size` does not have: what growth has to write.
[[nodiscard]] std::vector<Tile> NewTiles(std::uint64_t old_size, std::uint64_t size);
// The partial tiles of `old_size` that a tree of `size` has grown over.
[[nodiscard]] std::vector<Tile> OutgrownTiles(std::uint64_t old_size, std::uint64_t size);

// The bytes of a hash tile. REQUIRES: the tree has it.
[[nodiscard]] std::string TileContent(const Tree& tree, const Tile& tile);

// Appends an entry to an entry tile. REQUIRES: at most 65,535 bytes.
void AppendToEntryTile(std::string_view entry, std::string& tile);
// Takes the next entry off an entry tile. Returns an error if the tile ends before.
Result<std::string_view> TakeFromEntryTile(std::string_view& tile);

}  // namespace glovebox::ledger
