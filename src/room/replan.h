// SPDX-License-Identifier: Apache-2.0
//
// The certificates of an evidence bundle, computed again (PLANNER.md P14): for every run that completed, a plan is made
// of the bundle's code and rules, with the schemas and parameters that the certificate names, and its certificate is
// compared with the recorded one, byte for byte. Whatever else ties the two to the ledger is checked too:
//
//   code        run.authorized and code.submitted name the same version and digest; the bundle has it
//   runner      who signed run.requested, and a runner of the version; roles of the inputs follow from it
//   inputs      owner, version, policies, rule and schema are those of run.authorized; the bundle has the rules
//   parameters  are those that run.authorized commits to, where the bundle has the opening (the runner's has)
//
// It does not show that a table had the schema that is named, nor that the engine computed what was planned.
//
// Who learns what: it reads nothing but the bundle. Everything in it was written by others: SQL is parsed in a worker
// process only, like that of any run. Errors: a plan that was neither made nor refused (UNAVAILABLE, ABORTED,
// DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, RUN_FAILED, as the engine says it), which tells nothing of the run, and a
// bundle that cannot be read. What is wrong with a run is a difference and no error. Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "ledger/bundle_files.h"

namespace glovebox::room {

struct ReplannedRun {
  std::string run;          // its id
  std::uint64_t entry = 0;  // of run.completed
  std::string difference;   // "" is none
};

// In the order of the entries. REQUIRES: ledger::Verify found no error in the bundle.
Result<std::vector<ReplannedRun>> Replan(const ledger::BundleFiles& bundle, engine::Engine& engine);

}  // namespace glovebox::room
