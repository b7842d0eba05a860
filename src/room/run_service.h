// SPDX-License-Identifier: Apache-2.0
//
// Runs: one execution of one approved version by one collaborator.
//
// Protocol of a run: run.requested (signed by the runner's side) -> checks -> run.authorized, which names the approvals
// that it relies on -> run.started -> the engine computes, with the room's release history -> the release record and
// the run's end are committed to the store -> at a rounded moment: run.completed, output.created, what conforms to the
// contract is released -> visible. A refusal is run.denied with the rule, a failure run.failed without detail.
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
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "room/core.h"
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
  RunService(Core& core, RoomService& rooms, RunInputs& inputs, NotebookService& notebooks, OutputService& outputs);

  // Returns the run once run.requested is durable. What is refused here is an error, and on the ledger: INVALID_STATE
  // if the version is not approved or the room not active, ABORTED if the etag is not the latest, PERMISSION_DENIED,
  // RESOURCE_EXHAUSTED if the queue is full.
  Result<RunView> Submit(const Caller& caller, const SubmitSpec& spec);
  // By the run's id or its task's. INVALID_PARAMETER_VALUE "Run 5 does not exist.", as clients expect.
  Result<RunView> Get(const Caller& caller, RunId id);
  Result<std::vector<RunView>> List(const Caller& caller);  // newest first
  Status Cancel(const Caller& caller, RunId id);
  // All runs of a room, for every collaborator; newest first.
  Result<std::vector<RunView>> ListInRoom(const Caller& caller, const std::string& room);
  // The plan certificate of a run that has ended, for every collaborator.
  Result<json::Value> Certificate(const Caller& caller, const std::string& room, RunId id);

  // Ends what is being computed, because the server stops: those runs have failed when it comes back.
  void Interrupt();
  // Ends what is under way in a room that is CLOSING.
  Status CancelAll(const RoomId& room);
  // Called once before requests are served: settles runs that a crash interrupted. Queues what is left to finish.
  Status Recover();

  RunQueue& queue() { return queue_; }

  // RunSteps
  void Execute(RunId id) override;
  void Finish(RunId id) override;

 private:
  // What a run relies on.
  struct Approved {
    NotebookView notebook;
  };

  Result<RunView> ViewOf(const Caller& caller, Run run, const std::string& room_name);
  Result<Run> FindForCaller(const Caller& caller, RunId id);
  Result<std::string> RoomNameFor(const Caller& caller, const RoomId& room);
  Result<Approved> CheckRunnable(const Room& room, const std::string& alias, const Run& run);
  Status Deny(Run& run, const Status& why);
  Status ExecuteRun(Run& run);
  Status Authorize(const Run& run, const Approved& approved, const Inputs& inputs);
  // The engine's answer, or RUN_FAILED if the run was canceled or the server stops.
  Result<engine::RunResult> Compute(const Run& run, const engine::RunRequest& request);
  Status CommitRelease(Run& run, const Approved& approved, engine::RunResult result);
  // Stores how the run ends and schedules the moment at which that is visible: run.visible_at, or the rounded one if
  // that is not set. REQUIRES: the room's lock.
  Status Conclude(Run& run, RunOutcome outcome, const Status& why, json::Value completion,
                  const std::vector<Statement>& also);
  // The end on the ledger and the outputs in the store; then, once they are readable, what the end's viewers see. Both
  // REQUIRE the room's lock.
  Status RecordEnd(Run& run);
  Status Terminate(Run& run);
  Status FinishClosingIfDone(const RoomId& room);

  Status CancelRun(Run& run);
  [[nodiscard]] std::string OutputFolder(const Run& run) const;

  Core& core_;
  RoomService& rooms_;
  RunInputs& inputs_;
  NotebookService& notebooks_;
  OutputService& outputs_;
  RunQueue queue_;
  std::atomic<std::int64_t> last_number_{0};
  std::mutex submitting_;
  std::mutex canceling_;
  std::set<RunId> cancel_requested_;        // guarded by canceling_
  std::map<RunId, std::string> computing_;  // output folders; guarded by canceling_
  bool interrupted_ = false;                // guarded by canceling_
};

// The shortest 0.25 s * 2^n that is not below `elapsed_ms`.
std::int64_t RoundedDurationMs(std::int64_t elapsed_ms);

}  // namespace glovebox::room
