// SPDX-License-Identifier: Apache-2.0
//
// The engine that computes on this machine: every job in a confined worker process of its own (engine/worker).
//
// Invariant: a result file appears under its final name whole and synced, or not at all. What a worker says of paths is
// not believed. Errors of a run after its plan was accepted carry nothing but RUN_FAILED (PLANNER.md P13).
//
// Threads: thread-safe; calls block. The destructor REQUIRES that no call is under way.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/limits.h"
#include "engine/engine.h"
#include "engine/worker/barrier.h"

namespace glovebox::engine {

struct ProcessEngineOptions {
  // Started as `<executable> worker`; its main must then return engine::worker::WorkerMain().
  std::string executable = "/proc/self/exe";
  std::size_t pool_size = limits::kWorkerPoolSize;
  std::size_t memory_bytes = limits::kRunMemoryBytesMax;  // of each job
  std::size_t threads = limits::kRunThreads;              // of each job
  std::int64_t timeout_ms = limits::kRunTimeoutMs;        // of a job that brings none
  // For machines that offer neither Landlock nor namespaces, nor seccomp. An operator's explicit choice.
  bool allow_unconfined_workers = false;
};

// Which barriers a worker found to hold.
using ConfinementReport = worker::BarrierReport;

class ProcessEngine final : public Engine {
 public:
  explicit ProcessEngine(const ProcessEngineOptions& options);
  ~ProcessEngine() override;

  // Starts a worker that tries to get out. An error if one can; a server prints the report at its start.
  Result<ConfinementReport> SelfTest();

  Result<SelectResult> Select(const SelectRequest& request) override;
  Status CheckFunction(const Function& function, const std::vector<Function>& others) override;
  Result<PreparedAsset> Prepare(const PrepareRequest& request) override;
  Result<RunResult> Run(const RunRequest& request) override;
  void Cancel(const std::string& key) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glovebox::engine
