// SPDX-License-Identifier: Apache-2.0
//
// Which run goes on next: a bounded queue, a bounded number of threads, at most one run of a room at a time, and the
// moments at which results may be seen. A room is taken until the result may be seen: when its next run begins would
// tell how long the last one took (PLANNER.md P13).
//
// Fairness: an organisation has its own bound within the queue; the next run is of the organisation that has the fewest
// running, among those of the one that began a run least recently. Runs of one organisation in one room start in the
// order of Add. Protocol: Step() does one piece of work and may be called by a test instead of threads. Stop() lets
// running steps end. Threads: thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace glovebox::room {

class RunSteps {
 public:
  virtual ~RunSteps() = default;
  virtual void Execute(RunId id) = 0;
  virtual void Finish(RunId id) = 0;
};

class RunQueue {
 public:
  RunQueue(RunSteps& steps, const Clock& clock) : steps_(steps), clock_(clock) {}
  ~RunQueue() { Stop(); }
  RunQueue(const RunQueue&) = delete;
  RunQueue& operator=(const RunQueue&) = delete;

  // Holds a place in the queue. RESOURCE_EXHAUSTED if there is none, or none for this organisation.
  Status Reserve(const OrganisationId& organisation);
  void Unreserve(const OrganisationId& organisation);
  // REQUIRES: a reserved place.
  void Add(RunId id, const RoomId& room, const OrganisationId& organisation);
  // The same for a run that had a place before, whatever the bounds.
  void Resume(RunId id, const RoomId& room, const OrganisationId& organisation);
  // Takes a run out that has not started; false if it has, or is unknown.
  bool Remove(RunId id);
  // Finish(id) at `time`.
  void FinishAt(RunId id, TimeMs time);
  // The same after a restart: the room is taken until then.
  void ResumeFinish(RunId id, const RoomId& room, TimeMs time);
  // Whether the run waits, is worked on, or is to be finished.
  [[nodiscard]] bool Knows(RunId id);

  // One piece of work that is due now; false if there is none.
  bool Step();
  void Start();
  void Stop();

 private:
  struct Waiting {
    RunId id{};
    RoomId room;
    OrganisationId organisation;
  };
  struct Work {
    enum class Kind { kNone, kExecute, kFinish } kind = Kind::kNone;
    Waiting run;
  };
  struct Share {
    std::size_t queued = 0;  // waiting or reserved
    std::size_t running = 0;
    std::uint64_t turn = 0;  // when it began its last run
  };
  Work Take();
  [[nodiscard]] std::deque<Waiting>::iterator Next();
  void Dequeued(const OrganisationId& organisation);
  void Perform(const Work& work);
  void Loop();
  // How long nothing can be due, in milliseconds.
  [[nodiscard]] std::int64_t IdleMs() const;

  RunSteps& steps_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> waiting_;             // guarded by mutex_, as all below
  std::multimap<std::int64_t, RunId> due_;  // by time
  std::map<RunId, RoomId> busy_;            // until the run is finished
  std::size_t computing_ = 0;
  std::multiset<RunId> working_;
  std::map<OrganisationId, Share> shares_;
  std::uint64_t turns_ = 0;
  std::size_t reserved_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace glovebox::room
