// SPDX-License-Identifier: Apache-2.0
//
// The SQL of runs, release records, outputs and exports; as repository.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ledger/bundle.h"
#include "room/model.h"
#include "room/pages.h"
#include "room/repository.h"
#include "store/database.h"

namespace glovebox::room {

// The highest number that a run or its task has.
Result<std::int64_t> LastRunNumber(store::Transaction& tx);

// Runs
struct RunFilter {
  enum class Ended { kAny, kNo, kYes } ended = Ended::kAny;
  std::string notebook;                  // by name, case ignored; "" is any
  std::optional<PrincipalId> principal;  // who asked for it; none is anybody
};
Result<std::optional<Run>> FindRun(store::Transaction& tx, RunId id);  // also by the task's id
Result<std::optional<Run>> FindRunByToken(store::Transaction& tx, const OrganisationId& organisation,
                                          const std::string& idempotency_token);
// Newest first; without certificates and completions.
Result<std::vector<Run>> ListRuns(store::Transaction& tx, const RoomId& room, const RunFilter& filter,
                                  const NumberPage& page);
Result<std::vector<Run>> ListRunsOf(store::Transaction& tx, const OrganisationId& organisation, const RunFilter& filter,
                                    const NumberPage& page);
Result<std::vector<Run>> UnfinishedRuns(store::Transaction& tx);                        // oldest first
Result<std::vector<Run>> UnfinishedRunsIn(store::Transaction& tx, const RoomId& room);  // oldest first
// The run that computed the answer which the room gives from then on (answers.h).
Result<std::optional<Run>> FindAnsweringRun(store::Transaction& tx, const RoomId& room, const std::string& computation);
// Those whose certificate may be shown: by id.
Result<std::vector<RunId>> RunsWithCertificate(store::Transaction& tx, const RoomId& room);
// What opens the commitments to parameters of the side's runs, by entry.
Result<std::vector<ledger::OpeningSet>> OpeningsOf(store::Transaction& tx, const RoomId& room,
                                                   const std::string& alias);
Statement InsertRun(const Run& run);
Statement UpdateRun(const Run& run);
Statement UpdateRequestedAt(RunId id, TimeMs time);

// Release records: the owners' side only. Nothing of them leaves the server but the commitment.
struct ReleaseRecord {
  RunId run{};
  RoomId room;
  json::Value record;
  std::string salt;        // of the commitment
  std::string commitment;  // ledger::CommitWith(salt, "release_record", record)
  TimeMs created_at{};
};
Result<std::vector<json::Value>> LoadHistory(store::Transaction& tx, const RoomId& room);  // oldest first
Statement InsertReleaseRecord(const ReleaseRecord& record);

// Outputs
Result<std::optional<Output>> FindOutput(store::Transaction& tx, const RoomId& room, const OutputId& id);
Result<std::vector<Output>> ListOutputs(store::Transaction& tx, const RoomId& room);  // newest run first
Result<std::vector<Output>> OutputsOfRun(store::Transaction& tx, RunId run);          // by name
Result<std::vector<Output>> OutputsDue(store::Transaction& tx, TimeMs now);  // past a time, and not EXPIRED yet
// That wait for a review which ends by then.
Result<std::vector<Output>> WaitingOutputs(store::Transaction& tx, TimeMs decide_by);
Result<std::int64_t> CountWaitingOutputs(store::Transaction& tx, TimeMs decide_by);
// Released, not yet readable by SQL; of all rooms, or of one.
Result<std::vector<Output>> UnregisteredOutputs(store::Transaction& tx, const std::optional<RoomId>& room);
Result<std::vector<Output>> OutputsToRemove(store::Transaction& tx);  // EXPIRED, table and files still there
Statement InsertOutput(const Output& output);
// Each writes only what it decides, so that nothing that was decided meanwhile is undone.
Statement UpdateOutputState(const Output& output);   // and `disclosed`
Statement MarkOutputRegistered(const OutputId& id);  // changes nothing unless the output is RELEASED
Statement MarkOutputRemoved(const OutputId& id);     // the table is gone, and the files but for an answer's
Statement UpdateRegisterProblem(const OutputId& id, const std::string& problem);
Result<std::vector<OutputDecision>> ListDecisions(store::Transaction& tx, const OutputId& output);
Statement UpsertDecision(const OutputDecision& decision);

// Exports
Result<std::optional<Export>> FindExport(store::Transaction& tx, const RoomId& room, const std::string& id);
Result<std::vector<Export>> ListExports(store::Transaction& tx, const RoomId& room);  // newest first
Result<std::vector<Export>> OpenExports(store::Transaction& tx, const std::optional<RoomId>& room);
Statement InsertExport(const Export& item);
// How many exports of who asks for this one were denied in the room on a day (since 1970).
Result<std::int64_t> DeniedExports(store::Transaction& tx, const Export& asked, std::int64_t day);
// Of the run's principal in its room, after a time.
Result<std::int64_t> CountDeniedRuns(store::Transaction& tx, const Run& run, TimeMs after);
Statement SetDeniedExports(const Export& asked, std::int64_t day, std::int64_t count);
Statement UpdateExport(const Export& item);

}  // namespace glovebox::room
