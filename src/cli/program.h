// SPDX-License-Identifier: Apache-2.0
//
// What the commands ask of the rest of the program. The wiring (app) implements it; the commands only read arguments
// and print. Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace glovebox::cli {

enum class UnconfinedWorkers { kRefuse, kAllow };

struct ServeOptions {
  std::string data_folder;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string tls_certificate;  // PEM files; both or neither
  std::string tls_key;
  std::string metrics_host;  // "" if metrics are nowhere
  std::uint16_t metrics_port = 0;
  UnconfinedWorkers unconfined = UnconfinedWorkers::kRefuse;
};

struct OrganisationRequest {
  std::string data_folder;
  std::string name;
  std::string admin_user;
  std::string cloud = "local";
  std::string region = "local";
};

struct TokenRequest {
  std::string data_folder;
  std::string organisation;  // its name
  std::string principal;     // a user's name, or a service principal's application id
  std::string comment;
  std::optional<std::int64_t> lifetime_seconds;
};

// A token that was just made, and for whom. The only moment at which its text exists outside of its owner's hands.
struct IssuedToken {
  std::string organisation;
  std::string organisation_id;
  std::string global_metastore_id;
  std::int64_t workspace_id = 0;
  std::string principal;
  std::string token;
};

class Program {
 public:
  virtual ~Program() = default;
  // Serves until SIGTERM or SIGINT. Prints what happens; OK after an orderly end.
  virtual Status Serve(const ServeOptions& options) = 0;
  // Both need the data folder for themselves: UNAVAILABLE while a server uses it.
  virtual Result<IssuedToken> CreateOrganisation(const OrganisationRequest& request) = 0;
  virtual Result<IssuedToken> CreateToken(const TokenRequest& request) = 0;
};

}  // namespace glovebox::cli
