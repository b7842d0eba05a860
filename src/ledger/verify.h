// SPDX-License-Identifier: Apache-2.0
//
// Offline verification of an evidence bundle: no network, no server, nothing believed that the bundle says of itself.
// The reader pins what it noted elsewhere: the hash of entry 0, a size, checkpoints that it holds.
//
// Order: checkpoint; tree rebuilt from the entries against every tile and the root; genesis and pin; every entry by
// replay.h (form, ids, statements, keys, order of events); signatures of the log and of every collaborator; policy and
// keys; blobs and openings; manifests.
//
// A changed byte of an entry or of its leaf hash is reported with the entry's index, and does not make others look
// wrong. Errors of Verify itself are none: whatever is wrong with a bundle is a finding. Threads: plain functions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "ledger/bundle_files.h"
#include "ledger/entry.h"

namespace glovebox::ledger {

// kError: the bundle is not valid. kWarning: valid, and somebody should look (exit 2). kNote: for information.
enum class Severity { kNote, kWarning, kError };

struct Finding {
  Severity severity = Severity::kError;
  std::optional<std::uint64_t> entry;
  std::string file;  // path in the bundle, "" is none
  std::string text;
};

struct VerifyOptions {
  // What the reader knows of the room from elsewhere: the origin, or the hex SHA-256 of entry 0.
  std::optional<std::string> pin;
  // A bundle with fewer entries was cut.
  std::uint64_t min_size = 0;
  // Checkpoints, as signed notes, that the reader holds: the bundle's log must contain them.
  std::vector<std::string> known_checkpoints;
};

struct Report {
  bool ok = false;  // no error
  bool has_warnings = false;
  std::vector<Finding> findings;  // those with an entry first, by entry; then by file
  std::string origin;
  std::uint64_t size = 0;
  std::string root;  // hex
  std::string mode;  // "hosted" or "gated"
  bool closed = false;
  std::vector<std::string> cosigned_by;               // collaborators
  std::map<std::string, std::uint64_t> event_counts;  // by type

  [[nodiscard]] std::string ToText() const;
  [[nodiscard]] json::Value ToJson() const;
};

Report Verify(const BundleFiles& bundle, const VerifyOptions& options);
// A folder or a tar archive. Returns an error if it cannot be opened as a bundle at all.
Result<Report> VerifyPath(const std::string& path, const VerifyOptions& options);

// The entries of a bundle, in order; the first error of `visit` ends it. REQUIRES: Verify found no error; otherwise
// whatever cannot be read is an error.
Status ForEachEntry(const BundleFiles& bundle, const std::function<Status(const Entry&)>& visit);

std::string_view WireName(Severity severity);

}  // namespace glovebox::ledger
