// SPDX-License-Identifier: Apache-2.0
//
// What a room's entries may say, given those before: no run without live approvals of every required collaborator for
// exactly that version, no export without a released review, nothing after room.closed. The log refuses what breaks
// these, and verification of a bundle reports it: one implementation for both. Nor is a run authorised over an asset
// that its owner has withdrawn, or under another rule than the owner's last one.
//
// What each event needs in `data` (docs/formats/ledger.md has the whole table):
//   code.submitted    notebook, sha256; optional: runners (aliases), contract_sha256
//   rule.created      optional: author, runner (aliases; "" or absent is any), replaces (id of an own rule, which ends)
//   rule.applied      rule (id); counts as the approval of the rule's party, never of one's own code
//   rule.set          rule_sha256; by who publishes the asset now
//   run.requested     etag
//   run.authorized    etag, inputs: [{asset, owner, rule_sha256}], each published now under this rule
//   output.created    run (id)
//   review.decided    decision: "approved" | "rejected"; automatic: true needs no statement, but a contract_sha256
//   equal to
//                     that of the code. A runner does not review its own output unless it is alone in the room
//   export.requested  output (id)     export.released   output (id), sha256
//
// Errors: INVALID_STATE, or INVALID_PARAMETER_VALUE for missing members. Threads: a plain value.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ledger/entry.h"
#include "ledger/genesis.h"

namespace glovebox::ledger {

class RoomState {
 public:
  RoomState(const Genesis& genesis, std::string creator);

  // Whether the entry may come next.
  [[nodiscard]] Status Check(const Entry& entry) const;
  // Takes note of the entry. A verifier also applies entries that failed Check, to report each defect once.
  void Apply(const Entry& entry);

  [[nodiscard]] bool closed() const { return closed_; }
  // Whether every collaborator but the author has approved this version; the error names the first who has not.
  [[nodiscard]] Status CheckApproved(const std::string& etag) const;

 private:
  struct Code {
    std::string author;
    std::string contract_sha256;
    std::set<std::string> runners;  // empty: any
    std::set<std::string> approved_by;
  };
  struct Rule {
    std::string party;
    std::string author;  // "" is any
    std::string runner;
  };
  enum class RunState { kRequested, kAuthorized, kStarted, kCompleted, kFailed, kDenied };
  struct Run {
    std::string etag;
    std::string runner;
    RunState state = RunState::kRequested;
  };
  struct Output {
    std::string run;
    bool expired = false;
    std::map<std::string, std::string> decisions;  // by reviewer
  };
  enum class ExportState { kRequested, kReleased, kDenied };
  struct Export {
    std::string output;
    ExportState state = ExportState::kRequested;
  };

  [[nodiscard]] Status CheckActor(const Entry& entry) const;
  [[nodiscard]] Status CheckRoom(const Entry& entry) const;
  [[nodiscard]] Status CheckAsset(const Entry& entry) const;
  [[nodiscard]] Status CheckCode(const Entry& entry) const;
  [[nodiscard]] Status CheckRuleCreated(const Entry& entry) const;
  [[nodiscard]] Status CheckRuleEnds(const Entry& entry, const std::string& id) const;
  [[nodiscard]] Status CheckRuleApplied(const Entry& entry) const;
  [[nodiscard]] Status CheckRun(const Entry& entry) const;
  [[nodiscard]] Status CheckRunStep(const Entry& entry, const Run& run) const;
  [[nodiscard]] Status CheckInputs(const Entry& entry) const;
  [[nodiscard]] Status CheckOutput(const Entry& entry) const;
  [[nodiscard]] Status CheckReview(const Entry& entry, const Output& output) const;
  [[nodiscard]] Status CheckExport(const Entry& entry) const;
  [[nodiscard]] Status CheckReleased(const std::string& output_id) const;
  void ApplyCode(const Entry& entry);
  void ApplyRun(const Entry& entry);
  void ApplyOutput(const Entry& entry);
  void ApplyExport(const Entry& entry);

  std::vector<std::string> parties_;
  std::set<std::string> joined_;
  bool active_ = false;
  bool closing_ = false;
  bool closed_ = false;
  std::map<std::pair<std::string, std::string>, std::string> assets_;  // published now: (owner, asset) to rule digest
  std::map<std::string, Code> codes_;                                  // by etag
  std::map<std::string, Rule> rules_;
  std::map<std::string, Run> runs_;
  std::map<std::string, Output> outputs_;
  std::map<std::string, Export> exports_;
};

}  // namespace glovebox::ledger
