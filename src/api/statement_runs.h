// SPDX-License-Identifier: Apache-2.0
//
// SQL statements that clients submit, wait for, and come back to: a bounded queue for each organisation, a bounded
// number of threads that serve them in turn, within an organisation whose principal runs least, and the results of the
// last statements of each organisation.
//
// States: PENDING -> RUNNING -> SUCCEEDED | FAILED | CANCELED, and PENDING -> CANCELED. Of a statement that runs a
// cancellation ends the engine's job, and nothing else: it is CANCELED if it has done nothing, and what it has done by
// then its state tells. Who learns what: a
// statement is seen by who submitted it, and by nobody else (RESOURCE_DOES_NOT_EXIST). Errors: RESOURCE_EXHAUSTED if an
// organisation, or one principal of it, has too many statements that have not ended. Results are kept for
// limits::kStatementKeptMs, the last ones of each organisation, in a budget of memory. Times in milliseconds. Threads:
// thread-safe. Stop() lets what runs end; the destructor calls it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/fair_gate.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "catalog/caller.h"
#include "statement/executor.h"

namespace glovebox::api {

enum class StatementState { kPending, kRunning, kSucceeded, kFailed, kCanceled };

// What is known of a statement at one moment. `outcome` does not change any more once the state is final.
struct StatementView {
  std::string id;
  StatementState state = StatementState::kPending;
  // With kSucceeded the result, with kFailed the error; otherwise nothing.
  std::shared_ptr<const Result<statement::StatementResult>> outcome;
  std::string text;    // what positions in an error count from
  bool waited = true;  // Wait found a place to wait

  [[nodiscard]] bool HasEnded() const { return state != StatementState::kPending && state != StatementState::kRunning; }
};

class StatementRuns {
 public:
  // All outlive this. Starts its threads.
  StatementRuns(const statement::Executor& executor, const Clock& clock, Random& random);
  ~StatementRuns();
  StatementRuns(const StatementRuns&) = delete;
  StatementRuns& operator=(const StatementRuns&) = delete;

  Result<std::string> Submit(const catalog::Caller& caller, statement::StatementRequest request);
  // The statement when it has ended, or after the time. Only so many callers wait at once, fewer of one organisation:
  // more of them get an answer at once, so that waiting never takes all of the server's threads.
  Result<StatementView> Wait(const catalog::Caller& caller, const std::string& id, std::int64_t timeout_ms);
  Result<StatementView> Get(const catalog::Caller& caller, const std::string& id);
  // Takes a statement that waits out of the queue, and ends the job of one that runs, whose state follows soon; one
  // that has ended stays as it is.
  Status Cancel(const catalog::Caller& caller, const std::string& id);
  void Stop();

 private:
  struct Entry;
  // What a principal has.
  struct Share {
    std::size_t unfinished = 0;
    std::size_t running = 0;
  };
  using EntryPointer = std::shared_ptr<Entry>;
  // What is kept of an organisation's statements that have ended.
  struct Finished {
    std::deque<EntryPointer> entries;  // oldest first
    std::size_t bytes = 0;
  };

  Result<EntryPointer> FindLocked(const catalog::Caller& caller, const std::string& id);
  // The next statement to run, RUNNING from here on: of the organisation after the one that was served last that may
  // have one more.
  EntryPointer TakeLocked();
  static StatementView ViewOf(const Entry& entry);
  void KeepLocked(const EntryPointer& entry);
  void ForgetOldLocked();
  void ForgetOldestLocked(const OrganisationId& organisation);
  void Work();

  const statement::Executor& executor_;
  const Clock& clock_;
  Random& random_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable ended_;
  std::map<std::string, EntryPointer> entries_;                // guarded by mutex_, like all below
  std::map<OrganisationId, std::deque<EntryPointer>> queues_;  // waiting, oldest first; none is empty
  std::map<OrganisationId, std::size_t> running_;
  OrganisationId last_served_;
  std::map<OrganisationId, Finished> finished_;
  std::map<OrganisationId, std::size_t> unfinished_;  // waiting and running
  std::map<PrincipalId, Share> shares_;               // of those who have some that have not ended
  FairGate waiters_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace glovebox::api
