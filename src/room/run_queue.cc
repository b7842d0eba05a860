// SPDX-License-Identifier: Apache-2.0
#include "room/run_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/guarded.h"
#include "base/limits.h"
#include "base/log.h"

namespace glovebox::room {

Status RunQueue::Reserve(const OrganisationId& organisation) {
  const std::lock_guard<std::mutex> guard(mutex_);
  const auto share = shares_.find(organisation);
  if (share != shares_.end() && share->second.queued >= limits::kRunsQueuedPerOrganisationMax) {
    return Status(ErrorCode::kResourceExhausted, std::to_string(limits::kRunsQueuedPerOrganisationMax) +
                                                     " runs of your organisation are waiting; submit again later.");
  }
  if (waiting_.size() + reserved_ >= limits::kRunsQueuedMax) {
    return Status(ErrorCode::kResourceExhausted, "Too many runs are waiting; submit again later.");
  }
  ++shares_[organisation].queued;
  ++reserved_;
  return Status();
}

void RunQueue::Unreserve(const OrganisationId& organisation) {
  const std::lock_guard<std::mutex> guard(mutex_);
  --reserved_;
  Dequeued(organisation);
}

void RunQueue::Dequeued(const OrganisationId& organisation) { --shares_[organisation].queued; }

void RunQueue::Add(RunId id, const RoomId& room, const OrganisationId& organisation) {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    --reserved_;
    waiting_.push_back({id, room, organisation});
  }
  wake_.notify_one();
}

void RunQueue::Resume(RunId id, const RoomId& room, const OrganisationId& organisation) {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    ++shares_[organisation].queued;
    waiting_.push_back({id, room, organisation});
  }
  wake_.notify_one();
}

bool RunQueue::Remove(RunId id) {
  const std::lock_guard<std::mutex> guard(mutex_);
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) { return waiting.id == id; });
  if (found == waiting_.end()) {
    return false;
  }
  Dequeued(found->organisation);
  waiting_.erase(found);
  return true;
}

bool RunQueue::Knows(RunId id) {
  const std::lock_guard<std::mutex> guard(mutex_);
  return working_.contains(id) ||
         std::any_of(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) { return waiting.id == id; }) ||
         std::any_of(due_.begin(), due_.end(), [&](const auto& due) { return due.second == id; });
}

void RunQueue::FinishAt(RunId id, TimeMs time) {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    due_.emplace(ToInt(time), id);
  }
  wake_.notify_one();
}

void RunQueue::ResumeFinish(RunId id, const RoomId& room, TimeMs time) {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    busy_.emplace(id, room);
  }
  FinishAt(id, time);
}

std::deque<RunQueue::Waiting>::iterator RunQueue::Next() {
  auto best = waiting_.end();
  const auto rank = [this](const Waiting& run) {
    const Share& share = shares_[run.organisation];
    return std::pair(share.running, share.turn);
  };
  for (auto run = waiting_.begin(); run != waiting_.end(); ++run) {
    const bool busy = std::ranges::any_of(busy_, [run](const auto& taken) { return taken.second == run->room; });
    if (!busy && (best == waiting_.end() || rank(*run) < rank(*best))) {
      best = run;
    }
  }
  return best;
}

RunQueue::Work RunQueue::Take() {
  if (!due_.empty() && due_.begin()->first <= ToInt(clock_.Now())) {
    Work work{Work::Kind::kFinish, {due_.begin()->second, RoomId(), OrganisationId()}};
    due_.erase(due_.begin());
    working_.insert(work.run.id);
    return work;
  }
  if (computing_ >= limits::kRunsConcurrentMax) {
    return {};
  }
  const auto next = Next();
  if (next == waiting_.end()) {
    return {};
  }
  Work work{Work::Kind::kExecute, *next};
  waiting_.erase(next);
  busy_.emplace(work.run.id, work.run.room);
  ++computing_;
  working_.insert(work.run.id);
  Dequeued(work.run.organisation);
  Share& share = shares_[work.run.organisation];
  ++share.running;
  share.turn = ++turns_;
  return work;
}

void RunQueue::Perform(const Work& work) {
  const bool executes = work.kind == Work::Kind::kExecute;
  const Status done = RunGuarded("A step of a run", [&] {
    if (executes) {
      steps_.Execute(work.run.id);
    } else {
      steps_.Finish(work.run.id);
    }
    return Status();
  });
  if (!done.ok()) {
    log::Error("a step of a run is tried again",
               {{"run_id", static_cast<std::int64_t>(work.run.id)}, {"message", done.message()}});
    FinishAt(work.run.id, TimeMs{ToInt(clock_.Now()) + limits::kRunRetryMaxMs});
  }
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    working_.erase(working_.find(work.run.id));
    if (executes) {
      --computing_;
      --shares_[work.run.organisation].running;
    }
    if (!done.ok() || std::ranges::none_of(due_, [&](const auto& due) { return due.second == work.run.id; })) {
      busy_.erase(work.run.id);
    }
  }
  wake_.notify_one();
}

bool RunQueue::Step() {
  Work work;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    work = Take();
  }
  if (work.kind == Work::Kind::kNone) {
    return false;
  }
  Perform(work);
  return true;
}

std::int64_t RunQueue::IdleMs() const {
  if (due_.empty()) {
    return limits::kQueueIdleMaxMs;
  }
  return std::clamp<std::int64_t>(due_.begin()->first - ToInt(clock_.Now()), 1, limits::kQueueIdleMaxMs);
}

void RunQueue::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    const Work work = Take();
    if (work.kind == Work::Kind::kNone) {
      wake_.wait_for(lock, std::chrono::milliseconds(IdleMs()));
      continue;
    }
    lock.unlock();
    Perform(work);
    lock.lock();
  }
}

void RunQueue::Start() {
  // One more than may compute at once: a result never waits for another run to be seen.
  for (std::size_t i = 0; i < limits::kRunsConcurrentMax + 1; ++i) {
    threads_.emplace_back([this] { Loop(); });
  }
}

void RunQueue::Stop() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

}  // namespace glovebox::room
