// SPDX-License-Identifier: Apache-2.0
//
// A server: everything that it is made of, in the order in which it is constructed and taken down.
//
// Start: data folder and lock, keys, database and migrations, what a crash left, the workers' self-test, rooms, then
// the socket: whoever reaches the server reaches all of it. Stop: no new requests, running ones end, then statements,
// runs. Where workers cannot be confined, the server starts and refuses every job, unless the operator allows it.
//
// Errors of Start are written for the operator. Threads: Start, Stop and the destructor from one thread.
#pragma once

#include <memory>
#include <string>

#include "api/context.h"
#include "api/metrics.h"
#include "api/statement_runs.h"
#include "app/foundation.h"
#include "base/fair_gate.h"
#include "base/limits.h"
#include "base/result.h"
#include "cli/program.h"
#include "engine/process_engine.h"
#include "http/server.h"
#include "room/catalog_gateway.h"
#include "room/ledger_gateway.h"
#include "room/rooms.h"
#include "statement/executor.h"

namespace glovebox::app {

class ServerApp {
 public:
  static Result<std::unique_ptr<ServerApp>> Start(const cli::ServeOptions& options);
  ~ServerApp();
  ServerApp(const ServerApp&) = delete;
  ServerApp& operator=(const ServerApp&) = delete;

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] const std::string& data_folder() const { return foundation_->data_folder(); }
  // Where the counters are; "" if they are nowhere.
  [[nodiscard]] const std::string& metrics_url() const { return metrics_url_; }
  // Why jobs are refused; OK if they are not.
  [[nodiscard]] const Status& confinement() const { return confinement_; }
  // Which barriers hold, in words.
  [[nodiscard]] const std::string& barriers() const { return barriers_; }

  // Returns DEADLINE_EXCEEDED if requests still ran at the end of the time for it.
  Status Stop();

 private:
  explicit ServerApp(std::unique_ptr<Foundation> foundation);
  Status RemoveLeftovers();
  void StartEngine(const cli::ServeOptions& options);
  Status StartRooms();
  [[nodiscard]] api::Context ApiContext();
  Status Listen(const cli::ServeOptions& options);
  Status ListenForMetrics(const cli::ServeOptions& options);
  engine::Engine& engine() { return *engine_; }

  std::unique_ptr<Foundation> foundation_;
  std::unique_ptr<engine::Engine> engine_;
  Status confinement_;
  std::string barriers_;
  std::unique_ptr<room::LedgerGateway> ledgers_;
  std::unique_ptr<room::CatalogGateway> metastores_;
  std::unique_ptr<room::Rooms> rooms_;
  std::unique_ptr<statement::Executor> executor_;
  std::unique_ptr<api::StatementRuns> statements_;
  api::Metrics metrics_;
  FairGate blocking_jobs_{limits::kBlockingJobsMax, limits::kBlockingJobsPerOrganisationMax};
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Server> metrics_server_;
  std::string url_;
  std::string metrics_url_;
};

}  // namespace glovebox::app
