// SPDX-License-Identifier: Apache-2.0
#include "app/server_app.h"

#include <utility>
#include <vector>

#include "api/health_api.h"
#include "api/router.h"
#include "app/refusing_engine.h"
#include "base/log.h"
#include "base/strings.h"

namespace glovebox::app {
namespace {

// The first part of the names of the rooms' ledgers; what tells them apart is the hash of their first entry.
constexpr std::string_view kLedgerHost = "glovebox";

std::string DescribeBarriers(const engine::ConfinementReport& report) {
  std::vector<std::string> barriers;
  if (report.landlock_abi > 0) {
    barriers.push_back("Landlock (ABI " + std::to_string(report.landlock_abi) + ")");
  }
  if (report.namespaces) {
    barriers.emplace_back(report.private_root ? "namespaces with a root of their own" : "namespaces");
  }
  if (report.seccomp) {
    barriers.emplace_back("seccomp");
  }
  if (report.unprivileged) {
    barriers.emplace_back("no privileges");
  }
  return barriers.empty() ? "none" : Join(barriers, ", ");
}

std::string UrlOf(const std::string& scheme, const std::string& host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return scheme + "://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

ServerApp::ServerApp(std::unique_ptr<Foundation> foundation) : foundation_(std::move(foundation)) {}

ServerApp::~ServerApp() { static_cast<void>(Stop()); }

Result<std::unique_ptr<ServerApp>> ServerApp::Start(const cli::ServeOptions& options) {
  GB_ASSIGN_OR_RETURN(std::unique_ptr<Foundation> foundation, Foundation::Open(options.data_folder));
  std::unique_ptr<ServerApp> server(new ServerApp(std::move(foundation)));
  server->StartEngine(options);
  server->executor_ = std::make_unique<statement::Executor>(server->foundation_->catalog(), server->engine());
  GB_RETURN_IF_ERROR(server->RemoveLeftovers());
  GB_RETURN_IF_ERROR(server->StartRooms());
  server->statements_ = std::make_unique<api::StatementRuns>(*server->executor_, server->foundation_->clock(),
                                                             server->foundation_->random());
  GB_RETURN_IF_ERROR(server->ListenForMetrics(options));
  GB_RETURN_IF_ERROR(server->Listen(options));
  server->rooms_->Start();
  return server;
}

Status ServerApp::RemoveLeftovers() {
  const catalog::Catalog& catalog = foundation_->catalog();
  GB_RETURN_IF_ERROR(catalog.volumes.RemoveLeftovers());
  GB_ASSIGN_OR_RETURN(const std::int64_t removed, catalog.tables.RemoveUnreferencedFiles());
  if (removed > 0) {
    log::Info("files of unfinished writes and deleted tables are removed", {{"files", removed}});
  }
  return executor_->RemoveLeftovers();
}

void ServerApp::StartEngine(const cli::ServeOptions& options) {
  const bool allow = options.unconfined == cli::UnconfinedWorkers::kAllow;
  auto engine =
      std::make_unique<engine::ProcessEngine>(engine::ProcessEngineOptions{.allow_unconfined_workers = allow});
  const auto report = engine->SelfTest();
  if (report.ok()) {
    barriers_ = DescribeBarriers(*report);
    if (!report->HoldsFiles() || !report->HoldsNetwork()) {
      log::Warning("workers are not confined; --allow-unconfined-workers lets them run all the same",
                   {{"barriers", barriers_}});
    }
    engine_ = std::move(engine);
    return;
  }
  barriers_ = "none that holds";
  confinement_ = Status(ErrorCode::kUnavailable, "This server cannot confine its workers, so it runs no query (" +
                                                     report.status().message() +
                                                     "). Its operator can allow it with --allow-unconfined-workers.");
  log::Error("workers cannot be confined; queries and runs are refused",
             {{"code", std::string(WireName(report.status().code()))}});
  engine_ = std::make_unique<RefusingEngine>(confinement_);
}

Status ServerApp::StartRooms() {
  catalog::Catalog& catalog = foundation_->catalog();
  ledgers_ = std::make_unique<room::LedgerGateway>(catalog, foundation_->data_folder(), std::string(kLedgerHost));
  metastores_ = std::make_unique<room::CatalogGateway>(catalog, engine());
  GB_ASSIGN_OR_RETURN(rooms_, room::Rooms::Open(room::Context{.database = foundation_->database(),
                                                              .engine = engine(),
                                                              .metastores = *metastores_,
                                                              .ledger = *ledgers_,
                                                              .clock = foundation_->clock(),
                                                              .random = foundation_->random(),
                                                              .data_folder = foundation_->data_folder()}));
  return {};
}

api::Context ServerApp::ApiContext() {
  return {.catalog = &foundation_->catalog(),
          .rooms = rooms_.get(),
          .statements = executor_.get(),
          .metrics = &metrics_,
          .blocking_jobs = &blocking_jobs_};
}

Status ServerApp::Listen(const cli::ServeOptions& options) {
  http::ServerOptions http;
  http.host = options.host;
  http.port = options.port;
  const bool secure = !options.tls_certificate.empty();
  if (secure) {
    http.tls = http::TlsOptions{options.tls_certificate, options.tls_key};
  }
  const std::string scheme = secure ? "https" : "http";
  GB_ASSIGN_OR_RETURN(server_, http::Server::Start(std::move(http), api::MakeRouter(ApiContext(), *statements_, scheme),
                                                   foundation_->clock(), foundation_->random()));
  url_ = UrlOf(scheme, options.host, server_->port());
  return {};
}

Status ServerApp::ListenForMetrics(const cli::ServeOptions& options) {
  if (options.metrics_host.empty()) {
    return {};
  }
  http::ServerOptions http;
  http.host = options.metrics_host;
  http.port = options.metrics_port;
  http.threads = 1;
  http::Router router;
  api::AddMetricsApi(ApiContext(), router);
  GB_ASSIGN_OR_RETURN(metrics_server_, http::Server::Start(std::move(http), std::move(router), foundation_->clock(),
                                                           foundation_->random()));
  metrics_url_ = UrlOf("http", options.metrics_host, metrics_server_->port()) + "/metrics";
  return {};
}

Status ServerApp::Stop() {
  metrics_.stopping = true;
  Status drained;
  if (server_ != nullptr) {
    drained = server_->Drain();
  }
  if (statements_ != nullptr) {
    statements_->Stop();
  }
  if (rooms_ != nullptr) {
    rooms_->Stop();
  }
  metrics_server_.reset();
  server_.reset();
  return drained;
}

}  // namespace glovebox::app
