// SPDX-License-Identifier: Apache-2.0
//
// Worker processes, started ahead so that a job does not wait for one, used once, and replaced.
//
// Invariant: a worker gets one job, whatever comes of it; then it is killed, if it still is there, and reaped. Its
// death, its silence and whatever it says are errors of its job and of nothing else.
//
// Errors: what the job answered; RUN_FAILED if the worker died or sent nonsense; DEADLINE_EXCEEDED after the timeout;
// RESOURCE_EXHAUSTED if it used up its processor time, or if no worker became free in time; ABORTED after Cancel;
// TEMPORARILY_UNAVAILABLE if workers cannot be started, or a barrier is missing.
// Threads: thread-safe. Execute blocks. The destructor REQUIRES that no Execute is under way.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "engine/worker/messages.h"

namespace glovebox::engine::worker {

struct PoolOptions {
  std::string executable = "/proc/self/exe";  // started as `<executable> worker`
  std::size_t size = limits::kWorkerPoolSize;
  std::size_t jobs_max = limits::kEngineJobsMax;
  Unconfined unconfined = Unconfined::kRefuse;
};

struct Task {
  Job job;
  Confinement confinement;
  std::int64_t timeout_ms = limits::kRunTimeoutMs;
  std::string cancel_key = {};  // what Cancel names it by; empty: it cannot be cancelled
  // May be null. Set before Cancel is called, which may be before the pool knows the task.
  std::shared_ptr<const std::atomic<bool>> cancelled = nullptr;
};

class WorkerPool {
 public:
  explicit WorkerPool(PoolOptions options);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // The result that the worker sent.
  Result<json::Value> Execute(const Task& task);
  // Kills the workers of all tasks with the key; without one, nothing happens.
  void Cancel(const std::string& cancel_key);
  // Which barriers hold on this machine, as a worker found by trying to get out.
  Result<BarrierReport> SelfTest();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glovebox::engine::worker
