// SPDX-License-Identifier: Apache-2.0
#include "http/worker_pool.h"

#include <utility>

namespace glovebox::http {

WorkerPool::WorkerPool(std::size_t threads, std::size_t queue_max) : queue_max_(queue_max) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Run(); });
  }
}

bool WorkerPool::TryPost(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || queue_.size() >= queue_max_) {
      return false;
    }
    queue_.push_back(std::move(task));
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      return;
    }
    queue_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void WorkerPool::Stop() {
  std::deque<std::function<void()>> dropped;  // destroyed outside the lock: a task may own much
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(queue_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

void WorkerPool::Run() {
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
      if (stopped_) {
        return;
      }
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace glovebox::http
