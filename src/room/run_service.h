// SPDX-License-Identifier: Apache-2.0
//
// Runs: one execution of one approved version by one collaborator.
//
// Protocol of a run: run.requested (signed by the runner's side) -> checks -> run.authorized, which names the approvals
// that it relies on -> run.started -> the engine computes, with the room's release history, unless the room has
// answered it before (answers.h) -> the release record, if it was computed, and the run's end are committed to the
// store -> at a rounded moment: run.completed, output.created, what conforms to the contract is released -> visible. A
// refusal is run.denied with the rule, a failure run.failed without detail.
//
// Invariant: from reading the history until the record is stored, no other run of the room computes (RunQueue sees to
// it). What is recorded is never lost: after a crash a run whose record is stored is completed, any other one has
// failed.
//
// Who learns what: the runner its state, message and outputs; other collaborators that it ran, its certificate, and how
// it ended; nobody the release record. Every duration that can be seen is 0.25 s * 2^n (P13), counted from the request,
// and that is when the run ends for everybody, ledger included.
// Threads: thread-safe; Execute and Finish are called by the queue.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "room/answers.h"
#include "room/core.h"
#include "room/earlier_tables.h"
#include "room/notebook_service.h"
#include "room/output_service.h"
#include "room/room_service.h"
#include "room/run_inputs.h"
#include "room/run_queue.h"

namespace glovebox::room {

struct SubmitSpec {
  std::string run_name;
  std::string task_key;
  std::string idempotency_token;
  std::string room;
  std::string notebook;
  Etag etag;               // "" is the latest
  json::Value parameters;  // object of texts, or null
};

// A run as its runner's organisation, or another collaborator, sees it now.
struct RunView {
  Run run;  // kFinishing is shown as kRunning, without outcome
  std::string room_name;
  bool is_own = false;  // of the caller's organisation
  bool has_outputs = false;
};

class RunService : public RunSteps {
 public:
  RunService(Core& core, RoomService& rooms, RunInputs& inputs, EarlierTables& earlier, NotebookService& notebooks,
             OutputService& outputs);

  // Returns the run once run.requested is durable. What is refused before that is an error and nothing else, since it
  // is no run yet: PERMISSION_DENIED, INVALID_STATE if the room is not active, RESOURCE_EXHAUSTED if the queue is full,
  // ALREADY_EXISTS if somebody's other run has the token. What is refused after it is an error and on the ledger
  // (run.denied): INVALID_STATE if the version is not approved, ABORTED if the etag is not the latest,
  // PERMISSION_DENIED if the side is no runner of it.
  Result<RunView> Submit(const Caller& caller, const SubmitSpec& spec);
  // By the run's id or its task's. INVALID_PARAMETER_VALUE "Run 5 does not exist.", as clients expect.
  Result<RunView> Get(const Caller& caller, RunId id);
  // Those of the caller, or of his organisation if he is an admin; newest first. Views of lists have no certificate.
  Result<catalog::Page<RunView>> List(const Caller& caller, const RunFilter& filter, const catalog::PageRequest& page);
  Status Cancel(const Caller& caller, RunId id);
  // All runs of a room, for every collaborator; newest first.
  Result<catalog::Page<RunView>> ListInRoom(const Caller& caller, const std::string& room, const RunFilter& filter,
                                            const catalog::PageRequest& page);
  // The plan certificate of a run that has ended, for every collaborator.
  Result<json::Value> Certificate(const Caller& caller, const std::string& room, RunId id);

  // Ends what is being computed, because the server stops: those runs have failed when it comes back.
  void Interrupt();
  // Ends what is under way in a room that is CLOSING.
  Status CancelAll(const RoomId& room);
  // Called once before requests are served: settles runs that a crash interrupted. Queues what is left to finish.
  Status Recover();
  // Goes on with what a failing store left behind. To be called now and then.
  Status Sweep();

  RunQueue& queue() { return queue_; }

  // RunSteps
  void Execute(RunId id) override;
  void Finish(RunId id) override;

 private:
  // What a run relies on.
  struct Admitted {
    NotebookView notebook;
    Inputs inputs;
  };

  // What a run gives to its runner, computed or from the record.
  struct Released {
    json::Value certificate;
    std::vector<Output> outputs;  // name, columns, files, sizes and digests
    json::Object basis;           // what run.completed says of where it comes from
    std::vector<Statement> also;  // what is stored with it
  };

  // How a run ends without a result.
  struct Ending {
    RunOutcome outcome;
    Status why;
    std::vector<Statement> also = {};  // what is stored with it
  };
  struct Computing {
    std::string folder;
    std::shared_ptr<std::atomic<bool>> stop;  // for a job that has not begun
  };

  static Status CheckSizes(const SubmitSpec& spec);
  Result<RunView> ViewOf(const Caller& caller, Run run, const std::string& room_name);
  Result<Run> FindForCaller(const Caller& caller, RunId id);
  // As the runner's side names it: only that side asks.
  Result<std::string> RoomNameFor(const Run& run);
  Result<NotebookView> CheckRunnable(const Room& room, const std::string& alias, const Run& run);
  Status Deny(Run& run, const Status& why);
  Status ExecuteRun(Run& run);
  // Collects what the run uses until nothing of it changed meanwhile, and records run.authorized and run.started;
  // ABORTED if it changes all the time.
  Result<Admitted> Admit(Run& run);
  // REQUIRES: the room's lock.
  Status Authorize(Run& run, const Admitted& admitted);
  // The engine's answer, or RUN_FAILED if the run was canceled or the server stops.
  Result<engine::RunResult> Compute(const Run& run, engine::RunRequest& request);
  // Error if the run was canceled or the server stops. REQUIRES: canceling_.
  [[nodiscard]] Status CheckGoesOn(RunId id) const;
  // Makes what the worker wrote durable.
  Result<std::vector<Output>> StoreTables(const std::vector<engine::OutputTable>& tables);
  Status CommitComputed(Run& run, const NotebookView& notebook, engine::RunResult result);
  Status CommitRepeated(Run& run, const NotebookView& notebook, Answer answer);
  Status CommitRelease(Run& run, const NotebookView& notebook, Released released);
  // run.visible_at, unless it is set: the rounded end.
  void SetVisible(Run& run);
  // Stores how the run ends and schedules the moment at which that is visible: run.visible_at, or the rounded one if
  // that is not set. REQUIRES: the room's lock.
  Status Conclude(Run& run, RunOutcome outcome, const Status& why, json::Value completion,
                  const std::vector<Statement>& also);
  // Concludes, now or as soon as the store takes it. REQUIRES: the room's lock.
  void End(Run& run, const Ending& ending);
  // What a run that did not end well left behind, to be stored with its end.
  std::vector<Statement> LeftBehind(const Run& run);
  ReleaseRecord NewRecord(const Run& run, json::Value record);
  static Ending CanceledEnding(std::vector<Statement> also);
  // Finish(id) after a pause, which doubles from time to time.
  void TryAgain(RunId id, const Status& why);
  Status FinishRun(Run& run);
  // Of a run whose execution or end was put off.
  void Resume(Run& run);
  // The end on the ledger and the outputs in the store; then, once they are readable, what the end's viewers see. Both
  // REQUIRE the room's lock.
  Status RecordEnd(Run& run);
  Status Terminate(Run& run);
  Status FinishClosingIfDone(const RoomId& room);
  Status FinishClosingRooms();

  Status CancelRun(Run& run);
  [[nodiscard]] std::string OutputFolder(const Run& run) const;

  Core& core_;
  RoomService& rooms_;
  RunInputs& inputs_;
  EarlierTables& earlier_;
  NotebookService& notebooks_;
  OutputService& outputs_;
  RunQueue queue_;
  std::atomic<std::int64_t> last_number_{0};
  std::mutex submitting_;
  std::mutex canceling_;
  std::set<RunId> cancel_requested_;      // guarded by canceling_
  std::map<RunId, Computing> computing_;  // guarded by canceling_
  bool interrupted_ = false;              // guarded by canceling_
  std::mutex retrying_;
  std::map<RunId, Ending> endings_;       // that the store has not taken yet; guarded by retrying_
  std::map<RunId, std::int64_t> pauses_;  // the last ones, in milliseconds; guarded by retrying_
};

// The shortest 0.25 s * 2^n that is not below `elapsed_ms`.
std::int64_t RoundedDurationMs(std::int64_t elapsed_ms);

}  // namespace glovebox::room
