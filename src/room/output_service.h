// SPDX-License-Identifier: Apache-2.0
//
// What runs leave behind: output tables with an expiry, their review, and their export.
//
// Review: an output that conforms to the approved contract is released by itself. Every other one waits until all other
// collaborators have approved it; one rejection rejects, and without a decision by its deadline it expires, which takes
// it away for good: a new run makes a new output. The log and the reviewers' view remind of the deadline. Reviewers see
// the certificate, the reason, columns and number of rows; never the rows: who sees rows is a recipient. Released:
// readable by the runner's organisation as a table of its output catalog, and exported by who may SELECT from it: the
// very bytes whose digest was recorded, checked again at each download.
//
// The end: table and files go at once, or with a later Sweep(); files that are an answer (answers.h) stay until the
// room ends. An output's end wins over the hold of another room in which its table was published: what was agreed on
// here is not undone there.
//
// Who learns what: rows only the runner's organisation, after release. The number of rows the runner's side and, while
// they decide, the reviewers; the others after release. Size and digest nobody before release: few bytes can be guessed
// from them, so that the ledger has a commitment until then. Why a table could not be made only the runner's side. An
// export that is refused is on the ledger, within a limit. Threads: thread-safe.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "room/core.h"
#include "room/run_repository.h"

namespace glovebox::room {

struct OutputView {
  Output output;  // without paths and opening
  std::vector<OutputDecision> decisions;
  bool shows_rows = false;    // else output.rows is 0
  bool shows_digest = false;  // else output.bytes is 0 and output.sha256 empty
  bool due_soon = false;      // it waits for review, and limits::kOutputReviewReminderMs or less are left for that
  std::string catalog;        // where the runner's organisation reads it; "" for others
  std::string schema;
};

struct OutputRows {
  json::Value columns;
  json::Array rows;
  std::int64_t total = 0;
  bool truncated = false;
};

struct OutputReview {
  Decision decision = Decision::kPending;
  std::string comment;
};

struct ExportContent {
  std::string path;
  std::string sha256;
};

class OutputService {
 public:
  explicit OutputService(Core& core) : core_(core) {}

  Result<std::vector<OutputView>> List(const Caller& caller, const std::string& room);
  Result<OutputView> Get(const Caller& caller, const std::string& room, const OutputId& id);
  // By the runner's organisation, once released; needs SELECT.
  Result<OutputRows> Rows(const Caller& caller, const std::string& room, const OutputId& id, std::size_t rows_max);
  // By another collaborator (by the only one if there is one). Needs MODIFY_CLEAN_ROOM.
  Result<OutputView> Review(const Caller& caller, const std::string& room, const OutputId& id,
                            const OutputReview& review);

  // For operators: outputs of all rooms whose review is due soon.
  Result<std::int64_t> CountReviewsDueSoon();

  // By the runner's organisation; needs SELECT. PERMISSION_DENIED and INVALID_STATE are on the ledger, up to
  // limits::kExportsDeniedPerDayMax of one side on one day (UTC); beyond, the refusal says that it is not.
  Result<Export> CreateExport(const Caller& caller, const std::string& room, const OutputId& id);
  Result<Export> GetExport(const Caller& caller, const std::string& room, const std::string& id);
  Result<std::vector<Export>> Exports(const Caller& caller, const std::string& room);
  // Returns DATA_LOSS if the file is not what was recorded.
  Result<ExportContent> Content(const Caller& caller, const std::string& room, const std::string& id);

  // For the runs: the entries of a run's outputs, and the statements that store them. REQUIRES: the room's lock.
  Result<std::vector<Statement>> RecordOutputs(const Run& run, const json::Value& outputs);
  // Makes what is released in the room readable by SQL. REQUIRES: not the room's lock. What fails is logged, remembered
  // with the output, and tried again by Sweep().
  Status RegisterReleased(const RoomId& room);
  // Outputs that are past their expiry, or past their review's deadline; tables that could not be made or removed yet.
  // One output's failure is logged and holds up no other.
  Status Sweep();
  // All outputs of a room that closes, and its open exports. REQUIRES: the room's lock.
  Status ExpireRoom(const RoomId& room);
  // The files of a room that has ended, those of its answers (answers.h) among them. What cannot be removed now is
  // when the server starts the next time.
  void RemoveFiles(const RoomId& room);
  // After a crash: open exports go on or are marked; files that nothing refers to are removed.
  Status Recover();

 private:
  Result<OutputView> ViewOf(const Membership& membership, Output output);
  Result<Output> Find(const RoomId& room, const OutputId& id);
  Status CheckMayHandOver(const Caller& caller, const Membership& membership, const Output& output);
  Status Release(const Output& output, Export& item);
  void Remind(const std::vector<Output>& due_soon);
  // The refusal to give: `why`, on the ledger or with a word that it is not.
  Status RefuseExport(const Export& item, const Status& why);
  Status DenyExport(const RoomId& room, const std::string& export_id, const OutputId& output, const Status& why);
  Status RecoverExport(Export& item);
  Status Expire(Output output, std::string_view reason);
  Status ExpireIfDue(const Output& candidate);
  Status Register(const std::vector<Output>& outputs);
  Status RegisterOne(const Output& candidate);
  Status MakeTable(const Output& output);
  Status RemoveExpired(const Output& output);
  Status RemoveUnreferenced();

  // One thread at a time makes or removes the table of an output.
  class Claim;

  Core& core_;
  std::mutex claiming_;
  std::condition_variable freed_;
  std::set<OutputId> claimed_;   // guarded by claiming_
  std::set<OutputId> reminded_;  // whose reminder is in this process's log; Sweep's own
};

// Hex SHA-256 of a file's bytes; makes them durable first.
Result<std::string> SyncAndDigestFile(const std::string& path);
Result<std::int64_t> FileSize(const std::string& path);
// The opening of the commitment that stands on the ledger for rows, size and digest until the output is released.
std::string OpeningOf(const Output& output, Random& random);
// One output of a run as the store keeps it until the run ends.
json::Value PendingOutputToJson(const Output& output);

}  // namespace glovebox::room
