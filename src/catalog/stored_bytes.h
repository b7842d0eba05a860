// SPDX-License-Identifier: Apache-2.0
//
// The bytes that an organisation keeps here, files of its volumes and versions of its tables, and their limit,
// limits::kVolumeBytesPerOrganisationMax.
//
// Invariant: rows say how much it is, and nobody walks folders to know. A table's version has its size in its own row.
// A file of a volume changes outside of the database, so each change is announced before, which is where the limit is
// checked, and settled after, with the size that the file then has. In between the larger of the old and the new size
// counts; what a crash leaves announced is settled at the next start. What is deleted gives its bytes back with its
// row.
//
// Errors: INVALID_STATE over the limit: only deleting helps, so clients that try again by themselves should not.
// Only services of this part use it; the caller's rights are checked before. Threads: those of the transactions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "store/database.h"

namespace glovebox::catalog {

// A file below a volume's folder, "a/b.csv".
struct StoredFile {
  OrganisationId organisation;
  std::string volume;  // its id
  std::string path;
};

// Returns INVALID_STATE unless `more` bytes may be added to what the organisation keeps.
Status CheckStorage(store::Transaction& transaction, const OrganisationId& organisation, std::int64_t more);
// How large the file may be as things are, for an early end; AnnounceFile decides.
Result<std::int64_t> RoomFor(store::Transaction& transaction, const StoredFile& file);
Status StorageIsFull();

// The file is about to have `bytes` bytes, 0 if it is about to go. INVALID_STATE over the limit, NOT_FOUND if the
// volume is gone.
Status AnnounceFile(store::Transaction& transaction, const StoredFile& file, std::int64_t bytes);
// An announced change is done, or has failed; nothing if there is no file now. A volume that is gone took its rows
// along.
Status SettleFile(store::Transaction& transaction, const StoredFile& file, std::optional<std::int64_t> bytes);

// At start: what a crash left announced, and its settling.
Result<std::vector<StoredFile>> UnsettledFiles(store::Transaction& transaction);
Status SettleAfterCrash(store::Transaction& transaction, const StoredFile& file, std::optional<std::int64_t> bytes);

}  // namespace glovebox::catalog
