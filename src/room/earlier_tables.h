// SPDX-License-Identifier: Apache-2.0
//
// What the difference check compares with although a run's cells do not name it: the tables of the room's earlier
// releases (PLANNER.md P9, P10). Without them a runner could forget a list by withdrawing it, and ask again with one
// person less.
//
// A runner's own tables are kept as they were read, from the first run that was authorised to read them until the room
// ends, whether they are withdrawn, written or dropped meanwhile. Tables of others are read as they are today, for
// their owners' latest filter is in force; one that is published no more is not read, and the engine withholds what
// cannot be compared.
//
// Who learns what: nobody but the engine. Threads: thread-safe.
#pragma once

#include <vector>

#include "room/asset_service.h"
#include "room/core.h"
#include "room/preparer.h"
#include "room/run_inputs.h"

namespace glovebox::room {

class EarlierTables {
 public:
  EarlierTables(Core& core, AssetService& assets, Preparer& preparer)
      : core_(core), assets_(assets), preparer_(preparer) {}

  // Adds to the request what its history names and its assets are not; by kRunners only the runner's own.
  Status Add(const Room& room, const std::string& runner_alias, Reading reading, Inputs& inputs);
  // Keeps the runner's own tables. REQUIRES: the room's lock, and that they are the published ones.
  static std::vector<Statement> Keep(const RoomId& room, const Inputs& inputs);

 private:
  Result<std::optional<engine::RunAsset>> FindKept(const Room& room, const std::string& runner_alias,
                                                   const std::string& content);
  Status AddPublished(const Room& room, const std::string& runner_alias, const std::string& name, Reading reading,
                      Inputs& inputs);

  Core& core_;
  AssetService& assets_;
  Preparer& preparer_;
};

}  // namespace glovebox::room
