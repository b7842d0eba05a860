// SPDX-License-Identifier: Apache-2.0
//
// Threads that run blocking handlers. What waits is bounded: a request that finds the queue full is
// refused at once instead of waiting for longer than its client would. Threads: all functions from
// any thread, Stop and the destructor from none of the pool's own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace glovebox::http {

class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::size_t queue_max);
  ~WorkerPool() { Stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False, and the task is dropped, if the queue is full or the pool has stopped.
  [[nodiscard]] bool TryPost(std::function<void()> task);
  // For the next step of what was admitted before: never refused, dropped only after Stop.
  void Post(std::function<void()> task);
  // Drops what waits and returns when what runs has returned.
  void Stop();

 private:
  void Run();

  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace glovebox::http
