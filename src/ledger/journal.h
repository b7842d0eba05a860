// SPDX-License-Identifier: Apache-2.0
//
// The file from which everything else of a log follows.
//
//   journal = "GBJRNL1\n" record*
//   record  = u32 length of payload | u32 crc32c(length bytes || payload) | payload        big-endian
//   payload = u64 index | u16 length of entry | entry | checkpoint note (the rest)
//
// Protocol: Append is one write and one fdatasync; OK means durable. Only the last record can be torn, since the next
// one is written after it is durable. Opening cuts a torn tail off; anything else that is wrong is DATA_LOSS: a bad
// record with a good one behind it was acknowledged once, and is never dropped.
//
// Errors: UNAVAILABLE if the disk is full or another process has the journal; what was written of a failed append is
// taken back. If that, or fdatasync, fails, the process ends. Threads: one at a time, except Read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace glovebox::ledger {

struct JournalRecord {
  std::uint64_t index = 0;
  std::string entry;
  std::string note;
};

// The record as it is on disk. REQUIRES: the entry is at most limits::kLedgerEntryBytesMax, the note
// limits::kLedgerNoteBytesMax.
std::string EncodeRecord(const JournalRecord& record);

class Journal {
 public:
  // Takes a visitor for each record, in order; an error from it ends the opening with that error.
  class Visitor {
   public:
    virtual ~Visitor() = default;
    virtual Status Visit(const JournalRecord& record) = 0;
  };

  // Opens or creates the file and takes its lock. Returns UNAVAILABLE if somebody has it.
  static Result<std::unique_ptr<Journal>> Open(const std::string& path, Visitor& visitor);

  // `record.index` is the number of records so far (asserted).
  Status Append(const JournalRecord& record);
  [[nodiscard]] std::uint64_t size() const { return offsets_.size(); }
  // Returns DATA_LOSS if the disk does not give what was written. REQUIRES: index < size().
  [[nodiscard]] Result<JournalRecord> Read(std::uint64_t index) const;

 private:
  explicit Journal(UniqueFd fd) : fd_(std::move(fd)) {}
  Status Scan(Visitor& visitor);
  Status CutTail(std::uint64_t file_bytes);

  UniqueFd fd_;
  std::vector<std::uint64_t> offsets_;
  std::uint64_t end_ = 0;
};

// One record at the start of `bytes`: its size on disk, 0 if there is none that is whole and good.
std::size_t ParseRecord(std::string_view bytes, JournalRecord& record);

}  // namespace glovebox::ledger
