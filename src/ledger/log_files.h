// SPDX-License-Identifier: Apache-2.0
//
// The files of a log that follow from its journal: tiles and the newest checkpoint. They are replaced whole by rename
// and not waited for; whoever opens the log makes them right again.
//
// Order of an update: new tiles, then the checkpoint, then the partial tiles that were outgrown go: a reader who has a
// checkpoint finds its tiles, or larger ones with the same beginning.
// Errors: UNAVAILABLE. Threads: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "ledger/merkle.h"
#include "ledger/tiles.h"

namespace glovebox::ledger {

class LogFiles {
 public:
  // Gives the content of an entry tile.
  using EntryTileSource = std::function<Result<std::string>(const Tile&)>;

  explicit LogFiles(std::string folder) : folder_(std::move(folder)) {}

  // The content of the checkpoint file, "" if there is none.
  [[nodiscard]] std::string ReadCheckpoint() const;
  // Writes what a log that grew from `old_size` to the tree's size needs.
  Status Update(const Tree& tree, std::uint64_t old_size, const std::string& note, const EntryTileSource& entries);
  // Compares every tile with what it must be and writes those that are missing or differ.
  Status Rebuild(const Tree& tree, const std::string& note, const EntryTileSource& entries);

 private:
  Status Replace(const std::string& name, std::string_view content);
  Status Repair(const std::string& name, std::string_view content);

  std::string folder_;
};

}  // namespace glovebox::ledger
