// SPDX-License-Identifier: Apache-2.0
#include "base/fair_gate.h"

#include <map>
#include <mutex>
#include <utility>

namespace glovebox {

struct FairGate::State {
  State(std::size_t total, std::size_t per_key) : total_max(total), per_key_max(per_key) {}

  const std::size_t total_max;
  const std::size_t per_key_max;
  std::mutex mutex;
  std::size_t inside = 0;                     // guarded by mutex, like the next
  std::map<std::string, std::size_t> by_key;  // no zeros
};

class FairGate::Visit {
 public:
  Visit(std::shared_ptr<State> state, std::string key) : state_(std::move(state)), key_(std::move(key)) {}
  ~Visit() {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    --state_->inside;
    const auto found = state_->by_key.find(key_);
    if (--found->second == 0) {
      state_->by_key.erase(found);
    }
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  const std::shared_ptr<State> state_;
  const std::string key_;
};

FairGate::FairGate(std::size_t total_max, std::size_t per_key_max)
    : state_(std::make_shared<State>(total_max, per_key_max)) {}

FairGate::Place FairGate::TryEnter(const std::string& key) {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    const auto found = state_->by_key.find(key);
    const std::size_t of_key = found == state_->by_key.end() ? 0 : found->second;
    if (state_->inside >= state_->total_max || of_key >= state_->per_key_max) {
      return nullptr;
    }
    ++state_->inside;
    ++state_->by_key[key];
  }
  return std::make_shared<const Visit>(state_, key);
}

}  // namespace glovebox
