// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include "base/result.h"
#include "ledger/bundle.h"
#include "ledger/merkle.h"
#include "ledger/tiles.h"
#include "ledger/verifier.h"

namespace glovebox::ledger {
namespace {

// The tree over the leaves; nullopt if one is missing.
std::optional<Tree> TreeOf(const std::vector<std::optional<Hash>>& leaves) {
  Tree tree;
  for (const std::optional<Hash>& leaf : leaves) {
    if (!leaf.has_value()) {
      return std::nullopt;
    }
    tree.Append(*leaf);
  }
  return tree;
}

}  // namespace

void Verifier::HashEntries() {
  leaves_.resize(checkpoint_.size);
  tiled_leaves_.resize(checkpoint_.size);
  for (const Tile& tile : TilesOf(checkpoint_.size)) {
    if (tile.level == 0) {
      HashEntryTile(tile);
      CheckLeafTile(tile);
    }
  }
}

void Verifier::HashEntryTile(const Tile& tile) {
  const std::string path = std::string(kLogPrefix) + EntryTilePath(tile);
  const std::optional<std::string> content = Read(path);
  if (!content.has_value()) {
    return;
  }
  std::string_view rest = *content;
  for (std::uint64_t i = 0; i < tile.width; ++i) {
    const std::uint64_t index = tile.number * kTileWidth + i;
    const Result<std::string_view> entry = TakeFromEntryTile(rest);
    if (!entry.ok()) {
      EntryError(index, path, "the file ends before or within this entry");
      return;
    }
    leaves_[index] = LeafHash(*entry);
  }
  if (!rest.empty()) {
    EntryError(tile.number * kTileWidth + tile.width - 1, path,
               "there are bytes behind this entry, the last of the file");
  }
}

void Verifier::CheckLeafTile(const Tile& tile) {
  const std::string path = std::string(kLogPrefix) + TilePath(tile);
  const std::optional<std::string> content = Read(path);
  if (!content.has_value()) {
    return;
  }
  if (content->size() != tile.width * kHashBytes) {
    EntryError(tile.number * kTileWidth, path, "the tile that starts with this entry has a wrong length");
    return;
  }
  bool reported = false;
  for (std::uint64_t i = 0; i < tile.width; ++i) {
    const std::uint64_t index = tile.number * kTileWidth + i;
    tiled_leaves_[index] = HashFromBytes(std::string_view(*content).substr(i * kHashBytes, kHashBytes));
    if (!reported && leaves_[index].has_value() && leaves_[index] != tiled_leaves_[index]) {
      EntryError(index, path, "the entry does not have the hash that the tree has for it");
      reported = true;  // if lengths were changed, everything behind in the file is shifted
    }
  }
}

void Verifier::CheckUpperTile(const Tile& tile) {
  const std::string path = std::string(kLogPrefix) + TilePath(tile);
  const std::optional<std::string> content = Read(path);
  if (!content.has_value()) {
    return;
  }
  const std::string expected = TileContent(*tree_, tile);
  if (*content == expected) {
    return;
  }
  std::size_t hash = 0;
  while (hash + 1 < tile.width &&
         content->compare(hash * kHashBytes, kHashBytes, expected, hash * kHashBytes, kHashBytes) == 0 &&
         content->size() > (hash + 1) * kHashBytes) {
    ++hash;
  }
  EntryError((tile.number * kTileWidth + hash) << (tile.level * kTileHeight), path,
             "the hash of the subtree that starts with this entry is wrong");
}

// If an entry or a leaf hash was changed, the other of the two still leads to the signed root; what is judged against
// the tree is judged against that one, so that one change does not show up everywhere.
void Verifier::ChooseTree() {
  std::optional<Tree> from_entries = TreeOf(leaves_);
  std::optional<Tree> from_tiles = TreeOf(tiled_leaves_);
  if (from_entries.has_value() && from_entries->Root() == checkpoint_.root) {
    tree_ = std::move(from_entries);
  } else if (from_tiles.has_value() && from_tiles->Root() == checkpoint_.root) {
    tree_ = std::move(from_tiles);
  } else {
    Error(std::string(kLogPrefix) + "checkpoint", "the root of the entries is not the one that was signed");
    tree_ = from_entries.has_value() ? std::move(from_entries) : std::move(from_tiles);
  }
  for (const Tile& tile : TilesOf(checkpoint_.size)) {
    if (tile.level != 0 && tree_.has_value()) {
      CheckUpperTile(tile);
    } else {
      expected_files_.insert(std::string(kLogPrefix) + TilePath(tile));
    }
  }
}

}  // namespace glovebox::ledger
