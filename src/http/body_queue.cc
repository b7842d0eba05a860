// SPDX-License-Identifier: Apache-2.0
#include "http/body_queue.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace glovebox::http {

FlowState BodyQueue::Append(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  bytes_.erase(0, begin_);
  begin_ = 0;
  bytes_.append(bytes);
  if (bytes_.size() >= limits::kHttpBodyWindowBytes) {
    state_ = FlowState::kPaused;
  }
  changed_.notify_one();
  return state_;
}

void BodyQueue::End() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_one();
}

void BodyQueue::Fail(Status status) {
  const std::lock_guard lock(mutex_);
  if (failure_.ok() && !ended_) {
    failure_ = std::move(status);
  }
  changed_.notify_one();
}

std::size_t BodyQueue::buffered() const {
  const std::lock_guard lock(mutex_);
  return bytes_.size() - begin_;
}

bool BodyQueue::TakeResume() {
  if (state_ == FlowState::kFlowing || ended_ || !failure_.ok() ||
      bytes_.size() - begin_ > limits::kHttpBodyWindowBytes / 2) {
    return false;
  }
  state_ = FlowState::kFlowing;
  return true;
}

Result<std::size_t> BodyQueue::Read(std::span<char> buffer) {
  std::unique_lock lock(mutex_);
  if (TakeResume()) {
    lock.unlock();
    resume_();
    lock.lock();
  }
  changed_.wait(lock, [this] { return begin_ < bytes_.size() || ended_ || !failure_.ok(); });
  if (begin_ == bytes_.size()) {
    if (!failure_.ok()) {
      return failure_;
    }
    return std::size_t{0};
  }
  const std::size_t count = std::min(buffer.size(), bytes_.size() - begin_);
  bytes_.copy(buffer.data(), count, begin_);
  begin_ += count;
  if (TakeResume()) {
    lock.unlock();
    resume_();
  }
  return count;
}

}  // namespace glovebox::http
