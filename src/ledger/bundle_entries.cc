// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "ledger/bundle.h"
#include "ledger/note.h"
#include "ledger/tiles.h"
#include "ledger/verify.h"

namespace glovebox::ledger {

Status ForEachEntry(const BundleFiles& bundle, const std::function<Status(const Entry&)>& visit) {
  GB_ASSIGN_OR_RETURN(const std::string text, bundle.Read(std::string(kLogPrefix) + "checkpoint"));
  GB_ASSIGN_OR_RETURN(const Note note, ParseNote(text));
  GB_ASSIGN_OR_RETURN(const Checkpoint checkpoint, ParseCheckpoint(note.text));
  for (const Tile& tile : TilesOf(checkpoint.size)) {
    if (tile.level != 0) {
      continue;
    }
    GB_ASSIGN_OR_RETURN(const std::string content, bundle.Read(std::string(kLogPrefix) + EntryTilePath(tile)));
    std::string_view rest = content;
    for (std::uint64_t i = 0; i < tile.width; ++i) {
      GB_ASSIGN_OR_RETURN(const std::string_view bytes, TakeFromEntryTile(rest));
      GB_ASSIGN_OR_RETURN(const Entry entry, ParseEntry(bytes));
      GB_RETURN_IF_ERROR(visit(entry));
    }
  }
  return {};
}

}  // namespace glovebox::ledger
