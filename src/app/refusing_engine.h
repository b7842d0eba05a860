// SPDX-License-Identifier: Apache-2.0
//
// The engine of a server whose workers cannot be confined: every job is refused with the reason that the operator saw
// at the start. Threads: thread-safe.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "engine/engine.h"

namespace glovebox::app {

class RefusingEngine final : public engine::Engine {
 public:
  explicit RefusingEngine(Status reason) : reason_(std::move(reason)) {}
  [[nodiscard]] Status Ready() const override { return reason_; }
  Result<engine::SelectResult> Select(const engine::SelectRequest&) override { return reason_; }
  Status CheckFunction(const engine::Function&, const std::vector<engine::Function>&) override { return reason_; }
  Result<engine::PreparedAsset> Prepare(const engine::PrepareRequest&) override { return reason_; }
  Result<engine::RunResult> Run(const engine::RunRequest&) override { return reason_; }
  void Cancel(const std::string&) override {}

 private:
  Status reason_;
};

}  // namespace glovebox::app
