// SPDX-License-Identifier: Apache-2.0
#include "catalog/stored_bytes.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "base/result.h"
#include "catalog/sql.h"
#include "store/database.h"

namespace glovebox::catalog {
namespace {

constexpr auto kLimit = static_cast<std::int64_t>(limits::kVolumeBytesPerOrganisationMax);

struct FileRow {
  std::int64_t bytes = 0;
  std::int64_t changes = 0;  // announced and not settled
};

Result<std::optional<FileRow>> FindFile(store::Transaction& transaction, const StoredFile& file) {
  GB_ASSIGN_OR_RETURN(
      const auto row,
      transaction.QueryOne("SELECT bytes, changes FROM volume_files WHERE organisation_id = ? AND volume_id = ? AND "
                           "path = ?",
                           {file.organisation.str(), file.volume, file.path}));
  return row.has_value() ? std::optional(FileRow{.bytes = row->Int(0), .changes = row->Int(1)}) : std::nullopt;
}

Status WriteFile(store::Transaction& transaction, const StoredFile& file, const FileRow& row) {
  return Run(transaction,
             "UPDATE volume_files SET bytes = ?, changes = ? WHERE organisation_id = ? AND volume_id = ? AND path = ?",
             {row.bytes, row.changes, file.organisation.str(), file.volume, file.path});
}

Status ForgetFile(store::Transaction& transaction, const StoredFile& file) {
  return Run(transaction, "DELETE FROM volume_files WHERE organisation_id = ? AND volume_id = ? AND path = ?",
             {file.organisation.str(), file.volume, file.path});
}

Result<std::int64_t> StorageLeft(store::Transaction& transaction, const OrganisationId& organisation) {
  GB_ASSIGN_OR_RETURN(
      const auto row,
      transaction.QueryOne("SELECT (SELECT COALESCE(SUM(bytes), 0) FROM volume_files WHERE organisation_id = ?) + "
                           "(SELECT COALESCE(SUM(bytes), 0) FROM table_versions WHERE organisation_id = ?)",
                           {organisation.str(), organisation.str()}));
  return std::max<std::int64_t>(0, kLimit - row->Int(0));
}

}  // namespace

Status StorageIsFull() {
  return Status(ErrorCode::kInvalidState, "Your organisation may keep " + std::to_string(kLimit) +
                                              " bytes in volumes and tables, and this would be more. Delete files or "
                                              "tables first.");
}

Status CheckStorage(store::Transaction& transaction, const OrganisationId& organisation, std::int64_t more) {
  if (more <= 0) {
    return Status();
  }
  GB_ASSIGN_OR_RETURN(const std::int64_t left, StorageLeft(transaction, organisation));
  return more <= left ? Status() : StorageIsFull();
}

Result<std::int64_t> RoomFor(store::Transaction& transaction, const StoredFile& file) {
  GB_ASSIGN_OR_RETURN(const auto known, FindFile(transaction, file));
  GB_ASSIGN_OR_RETURN(const std::int64_t left, StorageLeft(transaction, file.organisation));
  return left + known.value_or(FileRow{}).bytes;
}

Status AnnounceFile(store::Transaction& transaction, const StoredFile& file, std::int64_t bytes) {
  GB_ASSIGN_OR_RETURN(const auto known, FindFile(transaction, file));
  const FileRow old = known.value_or(FileRow{});
  GB_RETURN_IF_ERROR(CheckStorage(transaction, file.organisation, bytes - old.bytes));
  if (known.has_value()) {
    return WriteFile(transaction, file, {.bytes = std::max(old.bytes, bytes), .changes = old.changes + 1});
  }
  GB_ASSIGN_OR_RETURN(const auto volume,
                      transaction.QueryOne("SELECT id FROM securables WHERE organisation_id = ? AND id = ?",
                                           {file.organisation.str(), file.volume}));
  if (!volume.has_value()) {
    return Status(ErrorCode::kNotFound, "The volume does not exist any more.");
  }
  return Run(transaction,
             "INSERT INTO volume_files (organisation_id, volume_id, path, bytes, changes) VALUES (?, ?, ?, ?, 1)",
             {file.organisation.str(), file.volume, file.path, bytes});
}

Status SettleFile(store::Transaction& transaction, const StoredFile& file, std::optional<std::int64_t> bytes) {
  GB_ASSIGN_OR_RETURN(const auto known, FindFile(transaction, file));
  if (!known.has_value()) {
    return Status();
  }
  if (known->changes > 1) {
    // Another change is under way: what it announced goes on counting.
    return WriteFile(transaction, file,
                     {.bytes = std::max(known->bytes, bytes.value_or(0)), .changes = known->changes - 1});
  }
  return SettleAfterCrash(transaction, file, bytes);
}

Result<std::vector<StoredFile>> UnsettledFiles(store::Transaction& transaction) {
  GB_ASSIGN_OR_RETURN(const auto rows, transaction.Query("SELECT organisation_id, volume_id, path FROM volume_files "
                                                         "WHERE changes > 0"));
  std::vector<StoredFile> files;
  for (const store::Row& row : rows) {
    files.push_back({.organisation = OrganisationId(row.Text(0)), .volume = row.Text(1), .path = row.Text(2)});
  }
  return files;
}

Status SettleAfterCrash(store::Transaction& transaction, const StoredFile& file, std::optional<std::int64_t> bytes) {
  return bytes.has_value() ? WriteFile(transaction, file, {.bytes = *bytes, .changes = 0})
                           : ForgetFile(transaction, file);
}

}  // namespace glovebox::catalog
