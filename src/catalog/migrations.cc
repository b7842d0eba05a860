// SPDX-License-Identifier: Apache-2.0
#include "catalog/migrations.h"

#include <string_view>
#include <vector>
#include "store/database.h"

namespace glovebox::catalog {
namespace {

// Ids and names are text, times are epoch milliseconds, lists are JSON text. `*_key` columns hold the folded form of a
// name, by which it is unique and found.
constexpr std::string_view kOrganisationsAndPrincipals = R"sql(
CREATE TABLE sequences (
  name TEXT NOT NULL PRIMARY KEY,
  next BIGINT NOT NULL
);
CREATE TABLE organisations (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  cloud TEXT NOT NULL,
  region TEXT NOT NULL,
  workspace_id BIGINT NOT NULL UNIQUE,
  statement_public BLOB NOT NULL,
  statement_sealed BLOB NOT NULL,
  cosigner_public BLOB NOT NULL,
  cosigner_sealed BLOB NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE principals (
  organisation_id TEXT NOT NULL REFERENCES organisations (id),
  id TEXT NOT NULL,
  number BIGINT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  display_name TEXT NOT NULL,
  active BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id),
  UNIQUE (organisation_id, name_key)
);
CREATE TABLE memberships (
  organisation_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  PRIMARY KEY (organisation_id, group_id, member_id),
  FOREIGN KEY (organisation_id, group_id) REFERENCES principals (organisation_id, id) ON DELETE CASCADE,
  FOREIGN KEY (organisation_id, member_id) REFERENCES principals (organisation_id, id) ON DELETE CASCADE
);
CREATE INDEX memberships_by_member ON memberships (organisation_id, member_id);
CREATE TABLE tokens (
  organisation_id TEXT NOT NULL,
  id TEXT NOT NULL,
  principal_id TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  comment TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, id),
  FOREIGN KEY (organisation_id, principal_id) REFERENCES principals (organisation_id, id) ON DELETE CASCADE
);
CREATE INDEX tokens_by_principal ON tokens (organisation_id, principal_id)
)sql";

constexpr std::string_view kSecurables = R"sql(
CREATE TABLE securables (
  organisation_id TEXT NOT NULL REFERENCES organisations (id),
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  parent_id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  full_name TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  comment TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id),
  UNIQUE (organisation_id, parent_id, kind, name_key),
  FOREIGN KEY (organisation_id, owner_id) REFERENCES principals (organisation_id, id)
);
CREATE INDEX securables_by_name ON securables (organisation_id, kind, name_key);
CREATE INDEX securables_by_owner ON securables (organisation_id, owner_id);
CREATE TABLE grants (
  organisation_id TEXT NOT NULL,
  securable_id TEXT NOT NULL,
  principal_id TEXT NOT NULL,
  privilege TEXT NOT NULL,
  granted_at BIGINT NOT NULL,
  granted_by TEXT NOT NULL,
  PRIMARY KEY (organisation_id, securable_id, principal_id, privilege),
  FOREIGN KEY (organisation_id, securable_id) REFERENCES securables (organisation_id, id) ON DELETE CASCADE,
  FOREIGN KEY (organisation_id, principal_id) REFERENCES principals (organisation_id, id) ON DELETE CASCADE
);
CREATE INDEX grants_by_principal ON grants (organisation_id, principal_id);
CREATE TABLE holds (
  organisation_id TEXT NOT NULL,
  securable_id TEXT NOT NULL,
  holder TEXT NOT NULL,
  PRIMARY KEY (organisation_id, securable_id, holder),
  FOREIGN KEY (organisation_id, securable_id) REFERENCES securables (organisation_id, id)
)
)sql";

constexpr std::string_view kTablesFunctionsAndFiles = R"sql(
CREATE TABLE functions (
  organisation_id TEXT NOT NULL,
  id TEXT NOT NULL,
  parameters TEXT NOT NULL,
  return_type TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id),
  FOREIGN KEY (organisation_id, id) REFERENCES securables (organisation_id, id) ON DELETE CASCADE
);
CREATE TABLE tables (
  organisation_id TEXT NOT NULL,
  id TEXT NOT NULL,
  version_id TEXT NOT NULL,
  policy_version BIGINT NOT NULL,
  filter_function_id TEXT NOT NULL,
  filter_columns TEXT NOT NULL,
  PRIMARY KEY (organisation_id, id),
  FOREIGN KEY (organisation_id, id) REFERENCES securables (organisation_id, id) ON DELETE CASCADE
);
CREATE INDEX tables_by_filter ON tables (organisation_id, filter_function_id);
CREATE TABLE table_columns (
  organisation_id TEXT NOT NULL,
  table_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  type TEXT NOT NULL,
  comment TEXT NOT NULL,
  mask_function_id TEXT NOT NULL,
  mask_columns TEXT NOT NULL,
  PRIMARY KEY (organisation_id, table_id, position),
  UNIQUE (organisation_id, table_id, name_key),
  FOREIGN KEY (organisation_id, table_id) REFERENCES tables (organisation_id, id) ON DELETE CASCADE
);
CREATE INDEX table_columns_by_mask ON table_columns (organisation_id, mask_function_id);
CREATE TABLE table_versions (
  organisation_id TEXT NOT NULL,
  table_id TEXT NOT NULL,
  id TEXT NOT NULL,
  number BIGINT NOT NULL,
  path TEXT NOT NULL UNIQUE,
  row_count BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  replaced_at BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, table_id, id),
  UNIQUE (organisation_id, table_id, number),
  FOREIGN KEY (organisation_id, table_id) REFERENCES tables (organisation_id, id) ON DELETE CASCADE
);
CREATE INDEX table_versions_by_bytes ON table_versions (organisation_id, bytes);
CREATE INDEX table_versions_replaced ON table_versions (replaced_at) WHERE replaced_at > 0;
CREATE TABLE volume_files (
  organisation_id TEXT NOT NULL,
  volume_id TEXT NOT NULL,
  path TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  changes BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, volume_id, path),
  FOREIGN KEY (organisation_id, volume_id) REFERENCES securables (organisation_id, id) ON DELETE CASCADE
);
CREATE INDEX volume_files_by_bytes ON volume_files (organisation_id, bytes);
CREATE INDEX volume_files_unsettled ON volume_files (changes) WHERE changes > 0
)sql";

constexpr std::string_view kSecrets = R"sql(
CREATE TABLE secret_scopes (
  organisation_id TEXT NOT NULL REFERENCES organisations (id),
  name_key TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, name_key)
);
CREATE TABLE secret_acls (
  organisation_id TEXT NOT NULL,
  scope_key TEXT NOT NULL,
  principal_id TEXT NOT NULL,
  permission TEXT NOT NULL,
  PRIMARY KEY (organisation_id, scope_key, principal_id),
  FOREIGN KEY (organisation_id, scope_key) REFERENCES secret_scopes (organisation_id, name_key) ON DELETE CASCADE,
  FOREIGN KEY (organisation_id, principal_id) REFERENCES principals (organisation_id, id) ON DELETE CASCADE
);
CREATE TABLE secrets (
  organisation_id TEXT NOT NULL,
  scope_key TEXT NOT NULL,
  secret_key TEXT NOT NULL,
  sealed BLOB NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, scope_key, secret_key),
  FOREIGN KEY (organisation_id, scope_key) REFERENCES secret_scopes (organisation_id, name_key) ON DELETE CASCADE
)
)sql";

// Who wrote a body is known of older functions only if nobody but the owner has ever been noted on them; the others'
// bodies read no secret until they are written again.
constexpr std::string_view kFunctionAuthors = R"sql(
ALTER TABLE functions ADD COLUMN author_id TEXT NOT NULL DEFAULT '';
UPDATE functions SET author_id = (
  SELECT p.id FROM securables s JOIN principals p ON p.organisation_id = s.organisation_id AND p.id = s.owner_id
  WHERE s.organisation_id = functions.organisation_id AND s.id = functions.id
) WHERE EXISTS (
  SELECT 1 FROM securables s JOIN principals p ON p.organisation_id = s.organisation_id AND p.id = s.owner_id
  WHERE s.organisation_id = functions.organisation_id AND s.id = functions.id AND s.created_by = p.name AND
    s.updated_by = p.name
)
)sql";

// No foreign key leads to what is called: that it is gone is to be seen. Nor to `functions`, where replacing a body
// writes the row anew.
constexpr std::string_view kFunctionCalls = R"sql(
CREATE TABLE function_calls (
  organisation_id TEXT NOT NULL,
  function_id TEXT NOT NULL,
  called_id TEXT NOT NULL,
  called_name_key TEXT NOT NULL,
  PRIMARY KEY (organisation_id, function_id, called_id),
  FOREIGN KEY (organisation_id, function_id) REFERENCES securables (organisation_id, id) ON DELETE CASCADE
);
INSERT INTO function_calls (organisation_id, function_id, called_id, called_name_key)
SELECT f.organisation_id, f.id, other.id, other.name_key FROM functions f
  JOIN securables s ON s.organisation_id = f.organisation_id AND s.id = f.id
  JOIN securables other ON other.organisation_id = s.organisation_id AND other.parent_id = s.parent_id AND
    other.kind = s.kind AND other.id <> s.id
  WHERE instr(lower(f.body), lower(other.name)) > 0
)sql";

}  // namespace

const std::vector<store::Migration>& Migrations() {
  static const std::vector<store::Migration> kMigrations = {
      {1, "organisations and principals", kOrganisationsAndPrincipals},
      {2, "securables and grants", kSecurables},
      {3, "tables, functions and files of volumes", kTablesFunctionsAndFiles},
      {4, "secrets", kSecrets},
      {5, "authors of functions", kFunctionAuthors},
      {6, "what functions call", kFunctionCalls},
  };
  return kMigrations;
}

}  // namespace glovebox::catalog
