// SPDX-License-Identifier: Apache-2.0
#include "engine/worker/pool.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "engine/worker/frames.h"
#include "engine/worker/process.h"
#include "engine/worker/worker_main.h"

namespace glovebox::engine::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRestartPause{1'000};  // after a worker that did not start
constexpr milliseconds kReapPause{20};        // while processes are dying
constexpr milliseconds kReapPatience{5'000};
constexpr std::size_t kFailuresMax = 3;
constexpr std::int64_t kMillisecondsPerSecond = 1'000;

std::string SetupMessage(const Task& task, Unconfined unconfined) {
  WorkerSetup setup;
  setup.confinement = task.confinement;
  setup.unconfined = unconfined;
  setup.address_space_bytes =
      2 * task.job.limits.memory_bytes + static_cast<std::int64_t>(limits::kWorkerAddressBytesExtra);
  setup.cpu_seconds =
      (task.timeout_ms / kMillisecondsPerSecond + 1) * std::max<std::int64_t>(task.job.limits.threads, 1);
  return json::Write(ToJson(setup));
}

}  // namespace

class WorkerPool::Impl {
 public:
  explicit Impl(PoolOptions options) : options_(std::move(options)), manager_([this] { Manage(); }) {}
  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    manager_.join();
  }

  Result<json::Value> Execute(const Task& task);
  void Cancel(const std::string& cancel_key);

 private:
  // A task that waits for a worker or has one.
  struct Running {
    std::string cancel_key;
    Process* process = nullptr;
    bool cancelled = false;
  };
  using RunningList = std::list<Running>;

  void Manage();
  // Starts one worker and waits until it is ready. Called by the manager only: children die with the thread.
  std::unique_ptr<Process> StartOne() const;
  Result<std::unique_ptr<Process>> Acquire(RunningList::iterator self, Deadline deadline);
  Result<std::string> Converse(const Process& process, const std::string& setup, const std::string& job,
                               Deadline deadline);
  Status WhyItDied(Process& process, bool cancelled);
  void Retire(std::unique_ptr<Process> process);

  const PoolOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Process>> idle_;
  std::vector<std::unique_ptr<Process>> retired_;
  RunningList running_;
  std::size_t busy_ = 0;
  std::size_t failures_ = 0;  // starts that failed since the last one that did not
  bool stopping_ = false;
  std::thread manager_;  // last: it uses all of the above
};

std::unique_ptr<Process> WorkerPool::Impl::StartOne() const {
  auto process = Process::Start(options_.executable);
  if (!process.ok()) {
    return nullptr;
  }
  const auto ready = ReadFrame(process.value()->socket(), kReady.size(),
                               steady_clock::now() + milliseconds(limits::kWorkerStartTimeoutMs));
  if (!ready.ok() || *ready != kReady) {
    return nullptr;
  }
  return std::move(process).value();
}

void WorkerPool::Impl::Manage() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::erase_if(retired_, [](const auto& process) { return process->Reap(milliseconds(0)); });
    if (idle_.size() >= options_.size) {
      if (retired_.empty()) {
        changed_.wait(lock);
      } else {
        changed_.wait_for(lock, kReapPause);
      }
      continue;
    }
    lock.unlock();
    std::unique_ptr<Process> started = StartOne();
    lock.lock();
    if (started != nullptr) {
      idle_.push_back(std::move(started));
      failures_ = 0;
      changed_.notify_all();
      continue;
    }
    ++failures_;
    log::Error("a worker process did not start", {{"failures", static_cast<std::int64_t>(failures_)}});
    changed_.notify_all();
    changed_.wait_for(lock, kRestartPause, [this] { return stopping_; });
  }
  idle_.clear();
  retired_.clear();
}

Result<std::unique_ptr<Process>> WorkerPool::Impl::Acquire(RunningList::iterator self, Deadline deadline) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const bool settled = changed_.wait_until(lock, deadline, [&] {
      return self->cancelled || (busy_ < options_.jobs_max && (!idle_.empty() || failures_ >= kFailuresMax));
    });
    if (self->cancelled) {
      return Status(ErrorCode::kAborted, "the job was cancelled");
    }
    if (!settled) {
      return Status(ErrorCode::kResourceExhausted, "no worker became free in time; retry later");
    }
    if (idle_.empty()) {
      return Status(ErrorCode::kUnavailable, "worker processes do not start on this machine");
    }
    std::unique_ptr<Process> process = std::move(idle_.front());
    idle_.pop_front();
    changed_.notify_all();  // the manager replaces it
    if (process->HasEnded()) {
      retired_.push_back(std::move(process));
      continue;
    }
    ++busy_;
    self->process = process.get();
    return process;
  }
}

Result<std::string> WorkerPool::Impl::Converse(const Process& process, const std::string& setup, const std::string& job,
                                               Deadline deadline) {
  GB_RETURN_IF_ERROR(WriteFrame(process.socket(), setup, End::kServer, deadline));
  // A worker that could not confine itself says so and reads no job: its reply is what counts then.
  const Status written = WriteFrame(process.socket(), job, End::kServer, deadline);
  Result<std::string> reply = ReadFrame(process.socket(), limits::kWorkerMessageBytesMax, deadline);
  if (!reply.ok() && written.code() == ErrorCode::kDeadlineExceeded) {
    return written;
  }
  return reply;
}

Status WorkerPool::Impl::WhyItDied(Process& process, bool cancelled) {
  if (cancelled) {
    return {ErrorCode::kAborted, "the job was cancelled"};
  }
  process.Kill();  // an end that is silent is as good as dead
  (void)process.Reap(kReapPatience);
  log::Warning("a worker process died", {{"signal", static_cast<std::int64_t>(process.ended_by_signal())}});
  if (process.ended_by_signal() == SIGXCPU) {
    return {ErrorCode::kResourceExhausted, "the job used more processor time than it may"};
  }
  return {ErrorCode::kRunFailed, "the job's process ended before it was done"};
}

void WorkerPool::Impl::Retire(std::unique_ptr<Process> process) {
  process->Kill();
  {
    const std::lock_guard lock(mutex_);
    retired_.push_back(std::move(process));
    --busy_;
  }
  changed_.notify_all();
}

Result<json::Value> WorkerPool::Impl::Execute(const Task& task) {
  const Deadline deadline = steady_clock::now() + milliseconds(task.timeout_ms);
  const std::string setup = SetupMessage(task, options_.unconfined);
  const std::string job = json::Write(ToJson(task.job));
  if (setup.size() > limits::kWorkerSetupBytesMax || job.size() > limits::kWorkerMessageBytesMax) {
    return Status(ErrorCode::kResourceExhausted, "the job's inputs are too large for one message");
  }
  std::unique_lock lock(mutex_);
  // Whoever sets it later than here finds the task in the list.
  const bool too_late = task.cancelled != nullptr && task.cancelled->load();
  const auto self = running_.insert(running_.end(), Running{.cancel_key = task.cancel_key, .cancelled = too_late});
  lock.unlock();

  Result<std::unique_ptr<Process>> process = Acquire(self, deadline);
  Result<std::string> reply = process.ok() ? Converse(*process.value(), setup, job, deadline) : process.status();

  lock.lock();
  const bool cancelled = self->cancelled;
  running_.erase(self);  // from here on Cancel does not reach the process
  lock.unlock();
  if (!process.ok()) {
    return process.status();
  }
  const Status outcome = reply.ok()                                       ? Status()
                         : reply.status().code() == ErrorCode::kRunFailed ? WhyItDied(*process.value(), cancelled)
                                                                          : reply.status();
  Retire(std::move(process).value());
  GB_RETURN_IF_ERROR(outcome);
  return DecodeReply(*reply);
}

void WorkerPool::Impl::Cancel(const std::string& cancel_key) {
  if (cancel_key.empty()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  for (Running& running : running_) {
    if (running.cancel_key == cancel_key) {
      running.cancelled = true;
      if (running.process != nullptr) {
        running.process->Kill();
      }
    }
  }
  changed_.notify_all();
}

WorkerPool::WorkerPool(PoolOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
WorkerPool::~WorkerPool() = default;

Result<json::Value> WorkerPool::Execute(const Task& task) { return impl_->Execute(task); }
void WorkerPool::Cancel(const std::string& cancel_key) { impl_->Cancel(cancel_key); }

Result<BarrierReport> WorkerPool::SelfTest() {
  Task task;
  task.job.kind = JobKind::kSelfTest;
  task.job.request = nullptr;
  task.job.limits.threads = 1;
  task.timeout_ms = limits::kWorkerStartTimeoutMs;
  GB_ASSIGN_OR_RETURN(const json::Value report, Execute(task));
  return BarrierReportFromJson(report);
}

}  // namespace glovebox::engine::worker
