// SPDX-License-Identifier: Apache-2.0
//
// What a room is made of: plain values, as the store holds them. What of it a caller may see is decided by the
// services, never here.
//
// Times are epoch milliseconds. A name's `_key` in the store is its lower case: names keep their case and are unique
// without it. Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/strings.h"

namespace glovebox::room {

// Whether two names are the same to the catalogue, which ignores case.
bool SameName(std::string_view a, std::string_view b);

// PROVISIONING -> ACTIVE -> CLOSING -> CLOSED, or FAILED with a reason.
enum class RoomState { kProvisioning, kActive, kClosing, kClosed, kFailed };
std::string_view Name(RoomState state);

// One collaborator: an organisation under an alias, with the local name of the room in its metastore.
struct Member {
  std::string alias;
  OrganisationId organisation;
  std::string local_name;
  std::string invite_email;
  std::int64_t invite_workspace_id = 0;
  std::optional<TimeMs> joined_at;
  std::optional<TimeMs> left_at;  // the member deleted its side of the room
  std::string output_catalog;     // "" until it is created
  TimeMs created_at{};
  TimeMs updated_at{};
};

struct Room {
  RoomId id;
  RoomState state = RoomState::kProvisioning;
  std::string reason;  // of kFailed
  std::string cloud;
  std::string region;
  std::string creator_alias;
  json::Value details;  // what the creator asked for beside it, echoed to clients
  TimeMs created_at{};
  TimeMs updated_at{};
  std::vector<Member> members;

  // The id of a member's side of the room in its metastore.
  [[nodiscard]] std::string SideId(const Member& member) const { return id.str() + "/" + AsciiLower(member.alias); }
  [[nodiscard]] const Member* FindAlias(std::string_view alias) const;
  [[nodiscard]] bool AllJoined() const;
  // Both sides are in one metastore.
  [[nodiscard]] bool IsSelfCollaboration() const;
};

enum class AssetType { kTable, kNotebook };
std::string_view Name(AssetType type);  // as Databricks spells it
// What is stored. PERMISSION_DENIED is not: it follows from the owner's privileges at the moment of asking.
enum class AssetState { kPending, kActive, kRemoved };

struct Asset {
  AssetId id;
  RoomId room;
  AssetType type = AssetType::kTable;
  std::string owner_alias;
  std::string name;
  std::string local_name;   // of a table, in its owner's metastore; for the owner's eyes only
  std::string table_id;     // the same; never shown
  std::string policy_salt;  // of the commitment to the table's policies; never shown
  AssetState state = AssetState::kPending;
  std::string problem;  // why the last preparation failed; for the owner's eyes only
  std::string rule;     // analysis rule, canonical JSON; "" is none: no access
  std::string rule_digest;
  json::Value columns;  // [{name, type}]: those that the rule names, as they leave the masks
  Etag etag;            // of a notebook's newest version
  TimeMs added_at{};
  TimeMs updated_at{};
};

enum class Decision { kPending, kApproved, kRejected };
std::string_view Name(Decision decision);

struct NotebookVersion {
  Etag etag;
  RoomId room;
  AssetId asset;
  std::int64_t number = 0;
  std::string author_alias;
  std::string content;  // base64, byte for byte as uploaded
  std::string content_sha256;
  std::vector<std::string> runners;  // aliases
  std::string description;
  std::string environment_version;
  json::Value contract;  // OutputContract as JSON; null: none was given
  TimeMs created_at{};
  std::int64_t ledger_index = 0;  // of code.submitted
};

struct Review {
  Etag etag;
  std::string reviewer_alias;
  Decision decision = Decision::kPending;
  std::string comment;
  std::string sub_reason;  // "AUTO_APPROVED" or ""
  std::string rule_id;     // the rule that approved
  TimeMs created_at{};
  std::int64_t ledger_index = 0;
};

struct AutoApprovalRule {
  std::string id;
  RoomId room;
  std::string owner_alias;
  std::string author_alias;  // "" is any author
  std::string runner_alias;
  TimeMs created_at{};
  std::string ledger_id;  // its subject on the ledger
};

// kFinishing: computed and recorded, not yet visible. The recipient sees RUNNING.
enum class RunState { kQueued, kRunning, kFinishing, kTerminated };
std::string_view Name(RunState state);
enum class RunOutcome { kNone, kSuccess, kFailed, kCanceled, kDenied };
std::string_view Name(RunOutcome outcome);

struct Run {
  RunId id{};
  RunId task_id{};
  RoomId room;
  OrganisationId organisation;
  std::string runner_alias;
  PrincipalId principal;
  std::string principal_name;
  std::string run_name;
  std::string task_key;
  std::string idempotency_token;
  AssetId notebook;
  std::string notebook_name;
  Etag etag;
  json::Value parameters;              // {"name": "text", ...} as given
  std::int64_t authorized_index = -1;  // of run.authorized; -1 if there is none
  std::string parameters_opening;      // of its commitment to them; "" before that; for the runner's side only
  RunState state = RunState::kQueued;
  RunOutcome outcome = RunOutcome::kNone;
  std::string error_code;  // wire name; "" is none
  std::string message;
  std::string rule;  // of the planner, if it refused
  TimeMs requested_at{};
  TimeMs visible_at{};  // when it turned terminal for everybody; valid if kFinishing or kTerminated
  std::string output_catalog;
  std::string output_schema;
  TimeMs output_expires_at{};
  json::Value certificate;
  json::Value completion;   // what is left to do once visible_at is reached; null if nothing
  std::string computation;  // what it computed, or repeats (answers.h); "" until it succeeds, or if not remembered
  RunId repeats{};          // the run whose answer it gives again; 0 if it computed
};

enum class OutputState { kWaiting, kReleased, kRejected, kExpired };
std::string_view Name(OutputState state);

struct Output {
  OutputId id;
  RunId run{};
  RoomId room;
  OrganisationId organisation;  // the runner's
  std::string runner_alias;
  std::string name;
  json::Value columns;  // [{name, type}]
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::string sha256;       // hex, of the Parquet file
  std::string path;         // below the data folder, which can be moved
  std::string rows_path;    // the same
  std::string rows_sha256;  // hex, of the file of rows
  OutputState state = OutputState::kWaiting;
  std::string reason;            // why it waits
  bool disclosed = false;        // it was released once: its sizes and digest are on the ledger
  std::string opening;           // of the ledger's commitment to what is not disclosed; "" if there is none
  bool registered = false;       // readable by SQL in the runner's output catalog
  std::string register_problem;  // why that failed the last time; for the runner's eyes only
  TimeMs created_at{};
  TimeMs decide_by{};
  TimeMs expires_at{};
};

struct OutputDecision {
  OutputId output;
  std::string reviewer_alias;
  Decision decision = Decision::kPending;
  std::string comment;
  TimeMs decided_at{};
};

enum class ExportState { kRequested, kReleased, kDenied, kInterrupted };
std::string_view Name(ExportState state);

struct Export {
  std::string id;
  RoomId room;
  OutputId output;
  RunId run{};
  OrganisationId organisation;
  std::string runner_alias;  // the side that has it
  std::string principal_name;
  ExportState state = ExportState::kRequested;
  std::string sha256;
  std::int64_t bytes = 0;
  TimeMs created_at{};
};

}  // namespace glovebox::room
