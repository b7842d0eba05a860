// SPDX-License-Identifier: Apache-2.0
#include "room/run_queue.h"

#include <algorithm>
#include <chrono>

#include "base/limits.h"

namespace glovebox::room {

Status RunQueue::Reserve() {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (waiting_.size() + reserved_ >= limits::kRunsQueuedMax) {
    return Status(ErrorCode::kResourceExhausted,
                  std::to_string(limits::kRunsQueuedMax) + " runs are waiting; submit again later.");
  }
  ++reserved_;
  return Status();
}

void RunQueue::Unreserve() {
  const std::lock_guard<std::mutex> guard(mutex_);
  --reserved_;
}

void RunQueue::Add(RunId id, const RoomId& room) {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    --reserved_;
    waiting_.push_back({id, room});
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
  waiting_.erase(found);
  return true;
}

void RunQueue::FinishAt(RunId id, TimeMs time) {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    due_.emplace(ToInt(time), id);
  }
  wake_.notify_one();
}

RunQueue::Work RunQueue::Take() {
  if (!due_.empty() && due_.begin()->first <= ToInt(clock_.Now())) {
    Work work{Work::Kind::kFinish, {due_.begin()->second, RoomId()}};
    due_.erase(due_.begin());
    return work;
  }
  if (busy_.size() >= limits::kRunsConcurrentMax) {
    return {};
  }
  const auto next =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& run) { return !busy_.contains(run.room); });
  if (next == waiting_.end()) {
    return {};
  }
  Work work{Work::Kind::kExecute, *next};
  busy_.insert(next->room);
  waiting_.erase(next);
  return work;
}

void RunQueue::Perform(const Work& work) {
  if (work.kind == Work::Kind::kFinish) {
    steps_.Finish(work.run.id);
    return;
  }
  steps_.Execute(work.run.id);
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    busy_.erase(work.run.room);
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
  constexpr std::int64_t kIdleMaxMs = 1'000;
  if (due_.empty()) {
    return kIdleMaxMs;
  }
  return std::clamp<std::int64_t>(due_.begin()->first - ToInt(clock_.Now()), 1, kIdleMaxMs);
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
