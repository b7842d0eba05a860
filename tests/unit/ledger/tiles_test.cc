// SPDX-License-Identifier: Apache-2.0
#include "ledger/tiles.h"

#include <gtest/gtest.h>

#include <set>

#include "base/limits.h"
#include "tests/unit/ledger/fixture.h"

namespace glovebox::ledger {
namespace {

constexpr char kGolden[] = "tests/golden/ledger/log300/";

TEST(Tiles, Paths) {
  EXPECT_EQ(TilePath({0, 0, 256}), "tile/0/000");
  EXPECT_EQ(TilePath({1, 1'000, 256}), "tile/1/x001/000");
  EXPECT_EQ(TilePath({2, 1'234'067, 17}), "tile/2/x001/x234/067.p/17");
  EXPECT_EQ(EntryTilePath({0, 999, 1}), "tile/entries/999.p/1");
}

std::set<std::string> Names(const std::vector<Tile>& tiles) {
  std::set<std::string> names;
  for (const Tile& tile : tiles) {
    names.insert(TilePath(tile));
  }
  return names;
}

TEST(Tiles, OfSizes) {
  EXPECT_EQ(Names(TilesOf(256)), (std::set<std::string>{"tile/0/000", "tile/1/000.p/1"}));
  const std::set<std::string> large = Names(TilesOf(70'000));
  EXPECT_EQ(large.size(), 273U + 1U + 1U + 1U + 1U);
  EXPECT_TRUE(large.contains("tile/0/273.p/112"));
  EXPECT_TRUE(large.contains("tile/1/001.p/17"));
  EXPECT_TRUE(large.contains("tile/2/000.p/1"));
  EXPECT_TRUE(TilesOf(0).empty());
}

// Whoever writes the new tiles of every step and removes the outgrown ones has exactly the tiles of the size.
TEST(Tiles, GrowthStepByStepGivesTheTilesOfTheSize) {
  std::set<std::string> there;
  for (std::uint64_t size = 0; size < 700; ++size) {
    there.merge(Names(NewTiles(size, size + 1)));
    for (const std::string& name : Names(OutgrownTiles(size, size + 1))) {
      ASSERT_EQ(there.erase(name), 1U) << name;
    }
    ASSERT_EQ(there, Names(TilesOf(size + 1))) << size;
  }
}

// The log of 300 entries {"seq":i}, as another implementation wrote it.
TEST(Tiles, GoldenLogIsReproducedByteForByte) {
  Tree tree;
  std::vector<std::string> entries;
  for (int i = 0; i < 300; ++i) {
    entries.push_back("{\"seq\":" + std::to_string(i) + "}");
    tree.Append(LeafHash(entries.back()));
  }
  EXPECT_EQ(HashHex(tree.Root()), "d79792302fe5c2367829586f451c3f927610e51da85d5050a2e6ef1d84f3ceaf");
  std::size_t files = 0;
  for (const Tile& tile : TilesOf(300)) {
    EXPECT_EQ(TileContent(tree, tile), Must(ReadFile(kGolden + TilePath(tile), 1U << 20U))) << TilePath(tile);
    ++files;
    if (tile.level == 0) {
      std::string content;
      for (std::uint64_t i = 0; i < tile.width; ++i) {
        AppendToEntryTile(entries[tile.number * kTileWidth + i], content);
      }
      EXPECT_EQ(content, Must(ReadFile(kGolden + EntryTilePath(tile), 1U << 20U)));
      ++files;
    }
  }
  EXPECT_EQ(files, 5U);
  const std::string origin = "cleanroom.example/room/4f1c";
  Note note{Checkpoint{origin, 300, tree.Root()}.Format(), {}};
  Must(SignNote(origin, *SignerFromByte(1), note));
  EXPECT_EQ(note.Format(), Must(ReadFile(std::string(kGolden) + "checkpoint", 1U << 20U)));
}

TEST(EntryTiles, TakeApartWhatWasPutTogether) {
  std::string tile;
  const std::vector<std::string> entries = {"", "a", std::string(limits::kLedgerEntryBytesMax, 'x'), "end"};
  for (const std::string& entry : entries) {
    AppendToEntryTile(entry, tile);
  }
  std::string_view rest = tile;
  for (const std::string& entry : entries) {
    EXPECT_EQ(Must(TakeFromEntryTile(rest)), entry);
  }
  EXPECT_TRUE(rest.empty());
  EXPECT_FALSE(TakeFromEntryTile(rest).ok());
  std::string_view cut = std::string_view(tile).substr(0, 4);
  EXPECT_EQ(Must(TakeFromEntryTile(cut)), "");
  EXPECT_FALSE(TakeFromEntryTile(cut).ok());
}

}  // namespace
}  // namespace glovebox::ledger
