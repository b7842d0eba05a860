// SPDX-License-Identifier: Apache-2.0
#include "api/statement_runs.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "base/guarded.h"
#include "base/limits.h"
#include "base/log.h"

namespace glovebox::api {

using catalog::Caller;
using statement::StatementResult;

namespace {

// How often it is looked for results that are too old.
constexpr std::chrono::minutes kForgetPeriod{1};

// What it takes up in memory, about.
std::size_t BytesOf(const Result<StatementResult>& outcome) {
  std::size_t bytes = 0;
  if (outcome.ok()) {
    for (const std::vector<json::Value>& row : outcome->rows) {
      bytes += sizeof(std::vector<json::Value>) + row.size() * sizeof(json::Value);
      for (const json::Value& cell : row) {
        bytes += cell.is_string() ? cell.as_string().size() : 0;
      }
    }
  }
  return bytes;
}

}  // namespace

struct StatementRuns::Entry {
  std::string id;
  Caller caller;
  statement::StatementRequest request;
  StatementState state = StatementState::kPending;
  std::shared_ptr<const Result<StatementResult>> outcome;
  std::shared_ptr<std::atomic<bool>> canceled = std::make_shared<std::atomic<bool>>(false);
  TimeMs ended_at{};
  std::size_t bytes = 0;  // that are kept

  [[nodiscard]] bool HasEnded() const { return state != StatementState::kPending && state != StatementState::kRunning; }
};

StatementRuns::StatementRuns(const statement::Executor& executor, const Clock& clock, Random& random)
    : executor_(executor),
      clock_(clock),
      random_(random),
      waiters_(limits::kStatementWaitersMax, limits::kStatementWaitersPerOrganisationMax) {
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
  entry->request.cancel_key = entry->id;
  entry->request.canceled = entry->canceled;
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
    Share& share = shares_[caller.principal];
    if (share.unfinished >= limits::kStatementsUnfinishedPerPrincipalMax) {
      return Status(ErrorCode::kResourceExhausted, "You have " +
                                                       std::to_string(limits::kStatementsUnfinishedPerPrincipalMax) +
                                                       " statements that have not ended; wait for some of them.");
    }
    ++unfinished;
    ++share.unfinished;
    entries_.emplace(entry->id, entry);
    queues_[caller.organisation].push_back(entry);
  }
  work_.notify_one();
  return entry->id;
}

Result<StatementView> StatementRuns::Wait(const Caller& caller, const std::string& id, std::int64_t timeout_ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  GB_ASSIGN_OR_RETURN(const EntryPointer entry, FindLocked(caller, id));
  const FairGate::Place place = waiters_.TryEnter(caller.organisation.str());
  if (place != nullptr) {
    ended_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return entry->HasEnded() || stopping_; });
  }
  StatementView view = ViewOf(*entry);
  view.waited = place != nullptr;
  return view;
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
    if (entry->HasEnded()) {
      return {};
    }
    entry->canceled->store(true);
    if (entry->state == StatementState::kPending) {
      std::deque<EntryPointer>& queue = queues_[caller.organisation];
      queue.erase(std::find(queue.begin(), queue.end(), entry));
      if (queue.empty()) {
        queues_.erase(caller.organisation);
      }
      entry->state = StatementState::kCanceled;
      KeepLocked(entry);
    }
  }
  executor_.Cancel(id);
  ended_.notify_all();
  return {};
}

Result<StatementRuns::EntryPointer> StatementRuns::FindLocked(const Caller& caller, const std::string& id) {
  ForgetOldLocked();
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

// A statement has ended: its result is kept, and older ones make way.
void StatementRuns::KeepLocked(const EntryPointer& entry) {
  const OrganisationId& organisation = entry->caller.organisation;
  entry->request.parameters.clear();  // nobody asks for them, and they may be large
  entry->ended_at = clock_.Now();
  entry->bytes = entry->request.text.size() + (entry->outcome == nullptr ? 0 : BytesOf(*entry->outcome));
  Finished& finished = finished_[organisation];
  finished.entries.push_back(entry);
  finished.bytes += entry->bytes;
  --unfinished_[organisation];
  if (--shares_[entry->caller.principal].unfinished == 0) {
    shares_.erase(entry->caller.principal);
  }
  while (finished.entries.size() > limits::kStatementsKeptMax ||
         (finished.entries.size() > 1 && finished.bytes > limits::kStatementBytesKeptMax)) {
    ForgetOldestLocked(organisation);
  }
  ForgetOldLocked();
}

void StatementRuns::ForgetOldLocked() {
  const std::int64_t until = ToInt(clock_.Now()) - limits::kStatementKeptMs;
  for (auto& [organisation, finished] : finished_) {
    while (!finished.entries.empty() && ToInt(finished.entries.front()->ended_at) <= until) {
      ForgetOldestLocked(organisation);
    }
  }
}

void StatementRuns::ForgetOldestLocked(const OrganisationId& organisation) {
  Finished& finished = finished_[organisation];
  finished.bytes -= finished.entries.front()->bytes;
  entries_.erase(finished.entries.front()->id);
  finished.entries.pop_front();
}

StatementRuns::EntryPointer StatementRuns::TakeLocked() {
  auto next = queues_.upper_bound(last_served_);
  for (std::size_t i = 0; i < queues_.size(); ++i, ++next) {
    if (next == queues_.end()) {
      next = queues_.begin();
    }
    std::size_t& running = running_[next->first];
    if (running < limits::kStatementsRunningPerOrganisationMax) {
      ++running;
      last_served_ = next->first;
      const auto least = std::ranges::min_element(
          next->second, {}, [this](const EntryPointer& waiting) { return shares_[waiting->caller.principal].running; });
      EntryPointer entry = *least;
      next->second.erase(least);
      ++shares_[entry->caller.principal].running;
      if (next->second.empty()) {
        queues_.erase(next);
      }
      entry->state = StatementState::kRunning;
      return entry;
    }
  }
  return nullptr;
}

void StatementRuns::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    EntryPointer entry;
    work_.wait_for(lock, kForgetPeriod, [&] { return stopping_ || (entry = TakeLocked()) != nullptr; });
    if (stopping_) {
      return;
    }
    if (entry == nullptr) {
      ForgetOldLocked();
      continue;
    }
    lock.unlock();
    auto outcome = std::make_shared<const Result<StatementResult>>(
        RunGuarded("A statement", [&] { return executor_.Execute(entry->caller, entry->request); }));
    if (!outcome->ok() && outcome->status().code() == ErrorCode::kInternal) {
      log::Error("internal error in a statement",
                 {{"statement_id", entry->id}, {"message", outcome->status().message()}});
    }
    lock.lock();
    --running_[entry->caller.organisation];
    --shares_[entry->caller.principal].running;
    if (!outcome->ok() && outcome->status().code() == ErrorCode::kAborted && entry->canceled->load()) {
      entry->state = StatementState::kCanceled;
    } else {
      entry->state = outcome->ok() ? StatementState::kSucceeded : StatementState::kFailed;
      entry->outcome = std::move(outcome);
    }
    KeepLocked(entry);
    ended_.notify_all();
  }
}

}  // namespace glovebox::api
