// SPDX-License-Identifier: Apache-2.0
//
// Which run goes on next: a bounded queue, a bounded number of threads, at most one run of a room at a time, and the
// moments at which results may be seen.
//
// Protocol: runs of one room start in the order of Add. Step() does one piece of work and may be called by a test
// instead of threads. Stop() lets running steps end. Threads: thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
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

  // Holds a place in the queue. RESOURCE_EXHAUSTED if there is none.
  Status Reserve();
  void Unreserve();
  // REQUIRES: a reserved place.
  void Add(RunId id, const RoomId& room);
  // Takes a run out that has not started; false if it has, or is unknown.
  bool Remove(RunId id);
  // Finish(id) at `time`.
  void FinishAt(RunId id, TimeMs time);

  // One piece of work that is due now; false if there is none.
  bool Step();
  void Start();
  void Stop();

 private:
  struct Waiting {
    RunId id;
    RoomId room;
  };
  struct Work {
    enum class Kind { kNone, kExecute, kFinish } kind = Kind::kNone;
    Waiting run;
  };
  Work Take();
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
  std::set<RoomId> busy_;
  std::size_t reserved_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace glovebox::room
