// SPDX-License-Identifier: Apache-2.0
#include "api/statement_runs.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/guarded.h"
#include "base/limits.h"
#include "base/log.h"

namespace glovebox::api {

using catalog::Caller;
using statement::StatementResult;

struct StatementRuns::Entry {
  std::string id;
  Caller caller;
  statement::StatementRequest request;
  StatementState state = StatementState::kPending;
  std::shared_ptr<const Result<StatementResult>> outcome;

  [[nodiscard]] bool HasEnded() const { return state != StatementState::kPending && state != StatementState::kRunning; }
};

StatementRuns::StatementRuns(const statement::Executor& executor, const Clock& clock, Random& random)
    : executor_(executor), clock_(clock), random_(random) {
  for (std::size_t i = 0; i < limits::kStatementThreads; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

StatementRuns::~StatementRuns() { Stop(); }

void StatementRuns::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  ended_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

Result<std::string> StatementRuns::Submit(const Caller& caller, statement::StatementRequest request) {
  auto entry = std::make_shared<Entry>();
  entry->id = NewUuid(clock_, random_);
  entry->caller = caller;
  entry->request = std::move(request);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) {
      return Status(ErrorCode::kUnavailable, "The server is stopping.");
    }
    std::size_t& unfinished = unfinished_[caller.organisation];
    if (unfinished >= limits::kStatementsUnfinishedMax) {
      return Status(ErrorCode::kResourceExhausted, "Your organisation has " +
                                                       std::to_string(limits::kStatementsUnfinishedMax) +
                                                       " statements that have not ended; wait for some of them.");
    }
    ++unfinished;
    entries_.emplace(entry->id, entry);
    queue_.push_back(entry);
  }
  work_.notify_one();
  return entry->id;
}

Result<StatementView> StatementRuns::Wait(const Caller& caller, const std::string& id, std::int64_t timeout_ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  GB_ASSIGN_OR_RETURN(const EntryPointer entry, FindLocked(caller, id));
  if (waiters_ < limits::kStatementWaitersMax) {
    ++waiters_;
    ended_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return entry->HasEnded() || stopping_; });
    --waiters_;
  }
  return ViewOf(*entry);
}

Result<StatementView> StatementRuns::Get(const Caller& caller, const std::string& id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  GB_ASSIGN_OR_RETURN(const EntryPointer entry, FindLocked(caller, id));
  return ViewOf(*entry);
}

Status StatementRuns::Cancel(const Caller& caller, const std::string& id) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    GB_ASSIGN_OR_RETURN(const EntryPointer entry, FindLocked(caller, id));
    if (entry->state != StatementState::kPending) {
      return {};
    }
    queue_.erase(std::find(queue_.begin(), queue_.end(), entry));
    entry->state = StatementState::kCanceled;
    finished_[caller.organisation].push_back(id);
    --unfinished_[caller.organisation];
    Forget(caller.organisation);
  }
  ended_.notify_all();
  return {};
}

Result<StatementRuns::EntryPointer> StatementRuns::FindLocked(const Caller& caller, const std::string& id) const {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second->caller.organisation != caller.organisation ||
      found->second->caller.principal != caller.principal) {
    return Status(ErrorCode::kNotFound, "There is no statement '" + id + "'; results are kept for a while only.");
  }
  return found->second;
}

StatementView StatementRuns::ViewOf(const Entry& entry) {
  return {.id = entry.id, .state = entry.state, .outcome = entry.outcome, .text = entry.request.text};
}

// Lets the organisation's oldest results go when there are too many.
void StatementRuns::Forget(const OrganisationId& organisation) {
  std::deque<std::string>& ids = finished_[organisation];
  while (ids.size() > limits::kStatementsKeptMax) {
    entries_.erase(ids.front());
    ids.pop_front();
  }
}

void StatementRuns::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) {
      return;
    }
    const EntryPointer entry = queue_.front();
    queue_.pop_front();
    entry->state = StatementState::kRunning;
    lock.unlock();
    auto outcome = std::make_shared<const Result<StatementResult>>(
        RunGuarded("A statement", [&] { return executor_.Execute(entry->caller, entry->request); }));
    if (!outcome->ok() && outcome->status().code() == ErrorCode::kInternal) {
      log::Error("internal error in a statement",
                 {{"statement_id", entry->id}, {"message", outcome->status().message()}});
    }
    lock.lock();
    entry->state = outcome->ok() ? StatementState::kSucceeded : StatementState::kFailed;
    entry->outcome = std::move(outcome);
    finished_[entry->caller.organisation].push_back(entry->id);
    --unfinished_[entry->caller.organisation];
    Forget(entry->caller.organisation);
    ended_.notify_all();
  }
}

}  // namespace glovebox::api
