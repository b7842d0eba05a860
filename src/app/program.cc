// SPDX-License-Identifier: Apache-2.0
#include "app/program.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "app/foundation.h"
#include "app/server_app.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"

namespace glovebox::app {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

void PrintReady(const ServerApp& server) {
  if (!server.confinement().ok()) {
    std::fprintf(stderr, "glovebox: %s\n", server.confinement().message().c_str());
  }
  std::printf("glovebox is ready on %s\ndata: %s\nworkers are confined by: %s\n", server.url().c_str(),
              server.data_folder().c_str(), server.barriers().c_str());
  if (!server.metrics_url().empty()) {
    std::printf("metrics: %s\n", server.metrics_url().c_str());
  }
  std::fflush(stdout);
}

cli::IssuedToken Issued(const catalog::Organisation& organisation, std::string principal, std::string token) {
  return {.organisation = organisation.name,
          .organisation_id = organisation.id.str(),
          .global_metastore_id = organisation.global_metastore_id,
          .workspace_id = organisation.workspace_id,
          .principal = std::move(principal),
          .token = std::move(token)};
}

Result<catalog::Organisation> FindOrganisation(const catalog::Catalog& catalog, const std::string& name) {
  GB_ASSIGN_OR_RETURN(const auto all, catalog.organisations.All());
  for (const catalog::Organisation& organisation : all) {
    if (EqualsIgnoreCase(organisation.name, name)) {
      return organisation;
    }
  }
  return Status(ErrorCode::kNotFound, "There is no organisation '" + name + "' in this data folder.");
}

Result<catalog::Caller> FindCaller(store::Database& database, const OrganisationId& organisation,
                                   const std::string& name) {
  GB_ASSIGN_OR_RETURN(const auto transaction, database.Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const catalog::Principal principal,
                      catalog::Principals::FindByName(*transaction, organisation, name));
  return catalog::Principals::CallerFor(*transaction, organisation, principal.id);
}

}  // namespace

Status Program::Serve(const cli::ServeOptions& options) {
  // Threads inherit the mask, so the signals wait for this one. A client that goes away is no reason to die.
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  GB_ASSIGN_OR_RETURN(const std::unique_ptr<ServerApp> server, ServerApp::Start(options));
  PrintReady(*server);
  log::Info("started", {});
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
  log::Info("stopping", {{"signal", std::int64_t{signal}}});
  // A second signal ends the process at once, and so does the clock: nothing acknowledged is lost by that.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  alarm(limits::kServerStopSeconds);
  const Status stopped = server->Stop();
  log::Info("stopped", {{"orderly", stopped.ok()}});
  return {};
}

Result<cli::IssuedToken> Program::CreateOrganisation(const cli::OrganisationRequest& request) {
  GB_ASSIGN_OR_RETURN(const std::unique_ptr<Foundation> foundation, Foundation::Open(request.data_folder));
  GB_ASSIGN_OR_RETURN(
      const catalog::CreatedOrganisation created,
      foundation->catalog().organisations.Create(
          {.name = request.name, .cloud = request.cloud, .region = request.region, .admin_user = request.admin_user}));
  return Issued(created.organisation, created.admin.name, created.admin_token.value);
}

Result<cli::IssuedToken> Program::CreateToken(const cli::TokenRequest& request) {
  GB_ASSIGN_OR_RETURN(const std::unique_ptr<Foundation> foundation, Foundation::Open(request.data_folder));
  const catalog::Catalog& catalog = foundation->catalog();
  GB_ASSIGN_OR_RETURN(const catalog::Organisation organisation, FindOrganisation(catalog, request.organisation));
  GB_ASSIGN_OR_RETURN(const catalog::Caller caller,
                      FindCaller(foundation->database(), organisation.id, request.principal));
  GB_ASSIGN_OR_RETURN(const catalog::NewToken token,
                      catalog.tokens.Create(caller, request.comment, request.lifetime_seconds));
  return Issued(organisation, caller.name, token.value);
}

}  // namespace glovebox::app
