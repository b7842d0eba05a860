// SPDX-License-Identifier: Apache-2.0
//
// The plan certificate (PLANNER.md P14): what a plan was made of, and why each output column may be released, in a form
// that a program checks and a person reads. It holds names, types, rules and structure, and nothing of any table.
// docs/formats/certificate.md has every member.
//
// Invariant: it is a function of the plan's input alone (cells, parameters that they read, runner, and of each input
// its name, owner, role, version, policy digest, rule and the columns that the rule names). Whoever has these makes the
// same plan and gets the same canonical text (RFC 8785), with or without data. Where a run writes, when, and who asked
// are not in it.
//
// Digests, all SHA-256 in lower-case hexadecimal:
//   cells_sha256         of the canonical JSON array of the SQL cells' texts, in order
//   inputs[].rule_sha256 of the rule's text as rule.set on the ledger has it
//   inputs[].policy      as run.authorized has it: a salted commitment of row filters, masks and revocations
//   plan                 of the canonical text of the certificate without this member; the caller sets it, since this
//                        part has no hash functions
//
// Who learns what: every collaborator, and whoever gets an evidence bundle. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "query/core.h"

namespace glovebox::query {

struct Plan;

// What a certificate says that neither plan nor assets do.
struct CertificateBasis {
  std::string runner;  // collaborator's alias
  std::string cells_sha256;
  std::vector<std::vector<std::string>> types;  // of each output's columns, as the engine describes them
};

// REQUIRES: basis.types has an entry for each column of the plan's outputs.
json::Value MakeCertificate(const Plan& plan, const std::vector<Asset>& assets, const CertificateBasis& basis);

}  // namespace glovebox::query
