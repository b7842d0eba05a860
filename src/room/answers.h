// SPDX-License-Identifier: Apache-2.0
//
// The same plan, parameters and versions are answered from the record, bit for bit (PLANNER.md P10).
//
// A run is recognised by its computation: a digest of all that determines its answer. The first run of a room that
// succeeds with a computation is its answer for as long as the room lives: certificate, output tables and their rows
// as they were released, whatever becomes of that run's outputs (rejected, expired). A later run with the same
// computation goes its whole way on the ledger and has outputs, contract check, review and expiry of its own, but
// nothing is computed, and the history of the difference check does not grow: the same bytes tell nothing new.
//
// Invariants: the files of an answer stay where its run wrote them until the room ends, and are given again only if
// their digests are those that were recorded. What reads nothing but the runner's own tables is not remembered, and a
// run that failed has no answer.
//
// Who learns what: only runs of one collaborator repeat each other, so that nobody learns what another side asked. The
// ledger says which run is repeated; its certificate says as much. Threads: thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "room/core.h"
#include "room/model.h"
#include "room/run_inputs.h"

namespace glovebox::room {

// Hexadecimal SHA-256 of what determines the answer: runner, cells, the parameters that these name with their types,
// and of each input its name, owner, role, version, policies and rule. The order of parameters and inputs does not
// matter, and neither does where the outputs go. "" if nothing is remembered of it. Pure.
std::string ComputationOf(const std::string& runner_alias, const Inputs& inputs);

struct Answer {
  RunId run{};
  json::Value certificate;
  std::vector<Output> outputs;  // name, columns, files, sizes and digests; by name
};

// Returns DATA_LOSS if there is an answer and a file of it is not what was recorded: then there is no other one.
Result<std::optional<Answer>> FindAnswer(Core& core, const RoomId& room, const std::string& computation);

}  // namespace glovebox::room
