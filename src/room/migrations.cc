// SPDX-License-Identifier: Apache-2.0
#include "room/migrations.h"

namespace glovebox::room {
namespace {

constexpr std::string_view kRooms = R"sql(
CREATE TABLE room_rooms (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  cloud TEXT NOT NULL,
  region TEXT NOT NULL,
  creator_alias TEXT NOT NULL,
  details TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE room_members (
  room_id TEXT NOT NULL REFERENCES room_rooms(id),
  position BIGINT NOT NULL,
  alias TEXT NOT NULL,
  alias_key TEXT NOT NULL,
  organisation_id TEXT NOT NULL,
  local_name TEXT NOT NULL,
  local_name_key TEXT NOT NULL,
  invite_email TEXT NOT NULL,
  invite_workspace_id BIGINT NOT NULL,
  joined_at BIGINT,
  left_at BIGINT,
  output_catalog TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (room_id, alias_key),
  UNIQUE (organisation_id, local_name_key)
);
CREATE TABLE room_logs (
  room_id TEXT PRIMARY KEY,
  sealed_key TEXT NOT NULL,
  parties TEXT NOT NULL
);
CREATE TABLE room_intents (
  id TEXT PRIMARY KEY,
  room_id TEXT NOT NULL,
  effects TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
)sql";

constexpr std::string_view kAssets = R"sql(
CREATE TABLE room_assets (
  id TEXT PRIMARY KEY,
  room_id TEXT NOT NULL REFERENCES room_rooms(id),
  type TEXT NOT NULL,
  owner_alias TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  local_name TEXT NOT NULL,
  table_id TEXT NOT NULL,
  policy_salt TEXT NOT NULL,
  state TEXT NOT NULL,
  problem TEXT NOT NULL,
  rule TEXT NOT NULL,
  rule_digest TEXT NOT NULL,
  columns_json TEXT NOT NULL,
  etag TEXT NOT NULL,
  added_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (room_id, type, name_key)
);
CREATE TABLE room_notebook_versions (
  etag TEXT PRIMARY KEY,
  room_id TEXT NOT NULL REFERENCES room_rooms(id),
  asset_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  author_alias TEXT NOT NULL,
  content TEXT NOT NULL,
  content_sha256 TEXT NOT NULL,
  runners TEXT NOT NULL,
  description TEXT NOT NULL,
  environment_version TEXT NOT NULL,
  contract TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  ledger_index BIGINT NOT NULL,
  UNIQUE (asset_id, number)
);
CREATE INDEX room_notebook_versions_by_room ON room_notebook_versions (room_id);
CREATE TABLE room_rule_texts (
  room_id TEXT NOT NULL REFERENCES room_rooms(id),
  digest TEXT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (room_id, digest)
);
CREATE TABLE room_reviews (
  etag TEXT NOT NULL REFERENCES room_notebook_versions(etag),
  reviewer_alias TEXT NOT NULL,
  decision TEXT NOT NULL,
  comment TEXT NOT NULL,
  sub_reason TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  ledger_index BIGINT NOT NULL,
  PRIMARY KEY (etag, reviewer_alias)
);
CREATE TABLE room_approval_rules (
  id TEXT PRIMARY KEY,
  room_id TEXT NOT NULL REFERENCES room_rooms(id),
  owner_alias TEXT NOT NULL,
  author_alias TEXT NOT NULL,
  runner_alias TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  ledger_id TEXT NOT NULL
);
CREATE TABLE room_unit_secrets (
  organisation_id TEXT PRIMARY KEY,
  sealed TEXT NOT NULL
);
CREATE TABLE room_prepared (
  asset_id TEXT NOT NULL,
  cache_key TEXT NOT NULL,
  path TEXT NOT NULL,
  columns_json TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  statistics TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (asset_id, cache_key)
);
CREATE TABLE room_kept_tables (
  room_id TEXT NOT NULL REFERENCES room_rooms(id),
  content TEXT NOT NULL,
  asset_id TEXT NOT NULL,
  cache_key TEXT NOT NULL,
  name TEXT NOT NULL,
  owner_alias TEXT NOT NULL,
  version TEXT NOT NULL,
  policy_digest TEXT NOT NULL,
  rule TEXT NOT NULL,
  PRIMARY KEY (room_id, content)
);
CREATE INDEX room_kept_tables_by_asset ON room_kept_tables (asset_id, cache_key);
)sql";

constexpr std::string_view kRunsOutputsAndExports = R"sql(
CREATE TABLE room_runs (
  id BIGINT PRIMARY KEY,
  task_id BIGINT NOT NULL,
  room_id TEXT NOT NULL REFERENCES room_rooms(id),
  organisation_id TEXT NOT NULL,
  runner_alias TEXT NOT NULL,
  principal_id TEXT NOT NULL,
  principal_name TEXT NOT NULL,
  run_name TEXT NOT NULL,
  task_key TEXT NOT NULL,
  idempotency_token TEXT,
  notebook_id TEXT NOT NULL,
  notebook_name TEXT NOT NULL,
  notebook_key TEXT NOT NULL,
  etag TEXT NOT NULL,
  parameters TEXT NOT NULL,
  authorized_index BIGINT NOT NULL,
  parameters_opening TEXT NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT NOT NULL,
  error_code TEXT NOT NULL,
  message TEXT NOT NULL,
  rule TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  visible_at BIGINT NOT NULL,
  output_catalog TEXT NOT NULL,
  output_schema TEXT NOT NULL,
  output_expires_at BIGINT NOT NULL,
  certificate TEXT NOT NULL,
  completion TEXT NOT NULL,
  computation TEXT NOT NULL,
  repeats BIGINT NOT NULL,
  UNIQUE (organisation_id, idempotency_token)
);
CREATE UNIQUE INDEX room_runs_by_task ON room_runs (task_id);
CREATE UNIQUE INDEX room_runs_answers ON room_runs (room_id, computation) WHERE computation <> '' AND repeats = 0;
CREATE INDEX room_runs_by_room ON room_runs (room_id, id);
CREATE INDEX room_runs_by_notebook ON room_runs (room_id, notebook_key, id);
CREATE INDEX room_runs_by_organisation ON room_runs (organisation_id, id);
CREATE INDEX room_runs_by_principal ON room_runs (organisation_id, principal_id, id);
CREATE INDEX room_runs_unfinished_by_organisation ON room_runs (organisation_id, id) WHERE state <> 'TERMINATED';
CREATE INDEX room_runs_unfinished ON room_runs (room_id, id) WHERE state <> 'TERMINATED';
CREATE TABLE room_release_records (
  run_id BIGINT PRIMARY KEY REFERENCES room_runs(id),
  room_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  record TEXT NOT NULL,
  salt TEXT NOT NULL,
  commitment TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX room_release_records_by_room ON room_release_records (room_id, position);
CREATE TABLE room_outputs (
  id TEXT PRIMARY KEY,
  run_id BIGINT NOT NULL REFERENCES room_runs(id),
  room_id TEXT NOT NULL,
  organisation_id TEXT NOT NULL,
  runner_alias TEXT NOT NULL,
  name TEXT NOT NULL,
  columns_json TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  byte_count BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  path TEXT NOT NULL,
  rows_path TEXT NOT NULL,
  rows_sha256 TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  disclosed BIGINT NOT NULL,
  opening TEXT NOT NULL,
  registered BIGINT NOT NULL,
  register_problem TEXT NOT NULL,
  removed BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  decide_by BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  UNIQUE (run_id, name)
);
CREATE INDEX room_outputs_by_room ON room_outputs (room_id, run_id);
CREATE INDEX room_outputs_by_expiry ON room_outputs (expires_at) WHERE state <> 'EXPIRED';
CREATE INDEX room_outputs_by_deadline ON room_outputs (decide_by) WHERE state = 'PENDING_REVIEW';
CREATE INDEX room_outputs_unregistered ON room_outputs (room_id, id) WHERE state = 'RELEASED' AND registered = 0;
CREATE INDEX room_outputs_to_remove ON room_outputs (id) WHERE state = 'EXPIRED' AND removed = 0;
CREATE TABLE room_output_decisions (
  output_id TEXT NOT NULL REFERENCES room_outputs(id),
  reviewer_alias TEXT NOT NULL,
  decision TEXT NOT NULL,
  comment TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  PRIMARY KEY (output_id, reviewer_alias)
);
CREATE TABLE room_exports (
  id TEXT PRIMARY KEY,
  room_id TEXT NOT NULL,
  output_id TEXT NOT NULL REFERENCES room_outputs(id),
  run_id BIGINT NOT NULL,
  organisation_id TEXT NOT NULL,
  runner_alias TEXT NOT NULL,
  principal_name TEXT NOT NULL,
  state TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  byte_count BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX room_exports_by_room ON room_exports (room_id, id);
CREATE TABLE room_denied_exports (
  room_id TEXT NOT NULL,
  runner_alias TEXT NOT NULL,
  principal_name TEXT NOT NULL,
  day BIGINT NOT NULL,
  denied BIGINT NOT NULL,
  PRIMARY KEY (room_id, runner_alias, principal_name)
);
CREATE INDEX room_exports_open ON room_exports (room_id, id) WHERE state = 'REQUESTED';
)sql";

}  // namespace

std::vector<store::Migration> Migrations() {
  return {{100, "rooms", kRooms}, {101, "assets", kAssets}, {102, "runs, outputs and exports", kRunsOutputsAndExports}};
}

}  // namespace glovebox::room
