// SPDX-License-Identifier: Apache-2.0
//
// Notebooks, their versions and reviews. Each upload, edit, change of runners or of the output contract is a new
// version with a new etag and no approvals. Every collaborator but the author approves; one rejection rejects. Only the
// latest version runs.
//
// Auto-approval rules: a collaborator may approve by rule what others write for a named runner; never its own code, and
// never code whose author is among its runners. There is no rule that nobody made.
// The output contract is part of what is approved: given by the author, or derived from the plan at submission.
// Without runners given, the author's side runs it.
//
// Errors: ABORTED if the etag is not the latest version's.
// Who learns what: notebooks, reviews and certificates everybody in the room; a rule its owner.
// Threads: thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "room/core.h"
#include "room/earlier_tables.h"
#include "room/run_inputs.h"

namespace glovebox::room {

struct NotebookSpec {
  std::string name;
  std::optional<std::string> content;  // base64 of any format that the notebook part reads
  std::vector<std::string> runners;    // empty: unchanged, or the author's side
  std::optional<std::string> description;
  std::optional<std::string> environment_version;
  std::optional<json::Value> contract;  // null takes a given one away
};

struct NotebookView {
  Asset asset;
  NotebookVersion version;
  Decision state = Decision::kPending;
  std::vector<Review> reviews;
};

struct ReviewSpec {
  Etag etag;
  Decision decision = Decision::kPending;
  std::string comment;
};

struct RuleSpec {
  std::optional<bool> any_author;
  std::optional<std::string> author_alias;
  std::optional<std::string> runner_alias;
};

// What is to be planned: a version, with the parameters of a run, for one of its runners.
struct PlanSpec {
  Etag etag{};               // "" is the latest
  json::Value parameters{};  // object of texts, or null
  std::string runner{};      // "": the caller's side if it may run the version, else the first runner
};

// What a reviewer sees of a version before it runs.
struct PlanPreview {
  Etag etag;
  json::Value certificate;
  json::Value contract;  // that the plan itself implies
};

class NotebookService {
 public:
  NotebookService(Core& core, RunInputs& inputs, EarlierTables& earlier)
      : core_(core), inputs_(inputs), earlier_(earlier) {}

  // All need MODIFY_CLEAN_ROOM; the author's side for what concerns its own notebook.
  Result<NotebookView> Publish(const Caller& caller, const std::string& room, const NotebookSpec& spec);
  Result<NotebookView> Update(const Caller& caller, const std::string& room, const NotebookSpec& spec);
  Status Withdraw(const Caller& caller, const std::string& room, const std::string& name);
  Result<NotebookView> Review(const Caller& caller, const std::string& room, const std::string& name,
                              const ReviewSpec& spec);

  Result<NotebookView> Get(const Caller& caller, const std::string& room, const std::string& name);
  Result<std::vector<NotebookView>> List(const Caller& caller, const std::string& room);
  // Newest first.
  Result<catalog::Page<NotebookView>> Revisions(const Caller& caller, const std::string& room, const std::string& name,
                                                const catalog::PageRequest& page);
  Result<NotebookView> Revision(const Caller& caller, const std::string& room, const std::string& name,
                                const Etag& etag);
  // Plans the version as a run with these parameters would: the same certificate as the run's, byte for byte, and the
  // same for each side. Nothing of it depends on any row, but for who may run it on the runner's own side
  // (EXECUTE_CLEAN_ROOM_TASK): they are also told what a run would be refused for by their own tables (P9), for which
  // these are read, with those of earlier runs.
  Result<PlanPreview> Preview(const Caller& caller, const std::string& room, const std::string& name,
                              const PlanSpec& spec);

  // Rules of the caller's side. Need MANAGE.
  Result<AutoApprovalRule> CreateRule(const Caller& caller, const std::string& room, const RuleSpec& spec);
  Result<AutoApprovalRule> UpdateRule(const Caller& caller, const std::string& room, const std::string& id,
                                      const RuleSpec& spec);
  Status DeleteRule(const Caller& caller, const std::string& room, const std::string& id);
  Result<AutoApprovalRule> GetRule(const Caller& caller, const std::string& room, const std::string& id);
  Result<std::vector<AutoApprovalRule>> ListRules(const Caller& caller, const std::string& room);

  // For the server's own work.
  Result<NotebookView> Latest(const Room& room, const std::string& name);

 private:
  Result<NotebookView> ViewOf(Asset asset, NotebookVersion version, const Room& room);
  Result<std::vector<std::string>> CheckRunners(const Membership& membership, const std::vector<std::string>& runners);
  Result<NotebookView> AddVersion(const Membership& membership, Asset asset, NotebookVersion version);
  Status ApplyRules(const Membership& membership, const NotebookVersion& version);
  // Reads the notebook, and sets the contract that goes with the version.
  Status SetContract(const Room& room, const NotebookSpec& spec, NotebookVersion& version);
  Result<bool> MayRun(const Caller& caller, const Membership& membership, const std::string& runner);
  Result<PlanPreview> Plan(const Room& room, const NotebookVersion& version, const Program& program,
                           const PlanSpec& spec, engine::RunMode mode);
  Result<AutoApprovalRule> CheckRule(const Membership& membership, AutoApprovalRule rule, const RuleSpec& spec);
  Result<AutoApprovalRule> FindOwnRule(const Membership& membership, const std::string& id);

  Core& core_;
  RunInputs& inputs_;
  EarlierTables& earlier_;
};

// The state that the reviews of a version give it.
Decision StateOf(const Room& room, const NotebookVersion& version, const std::vector<Review>& reviews);

}  // namespace glovebox::room
