// SPDX-License-Identifier: Apache-2.0
//
// What the command line asks for, done. Threads: one.
#pragma once

#include "cli/program.h"

namespace glovebox::app {

class Program final : public cli::Program {
 public:
  Status Serve(const cli::ServeOptions& options) override;
  Result<cli::IssuedToken> CreateOrganisation(const cli::OrganisationRequest& request) override;
  Result<cli::IssuedToken> CreateToken(const cli::TokenRequest& request) override;
};

}  // namespace glovebox::app
