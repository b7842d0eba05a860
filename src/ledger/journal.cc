// SPDX-License-Identifier: Apache-2.0
#include "ledger/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/errors.h"
#include "base/file.h"
#include "base/kill_point.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/result.h"
#include "ledger/bytes.h"
#include "ledger/crc32c.h"

namespace glovebox::ledger {
namespace {

constexpr std::string_view kHead = "GBJRNL1\n";
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kRecordHeadBytes = kLengthBytes + 4;
constexpr std::size_t kIndexBytes = 8;
constexpr std::size_t kEntryLengthBytes = 2;
constexpr std::size_t kPayloadBytesMin = kIndexBytes + kEntryLengthBytes;
constexpr unsigned kFileMode = 0600;

Status DataLoss(std::string message) { return {ErrorCode::kDataLoss, std::move(message)}; }

// The kernel drops dirty pages after a failed write-back and reports it once: whatever is read or synced afterwards
// proves nothing. Only a new process, which reads what the disk holds, can go on.
[[noreturn]] void StopProcess(std::string_view what) {
  log::Error(what);
  std::abort();
}

// The payload's length if the head of a record is there and plausible.
std::optional<std::size_t> PayloadLength(std::string_view bytes) {
  if (bytes.size() < kRecordHeadBytes) {
    return std::nullopt;
  }
  const std::size_t length = ReadU32(bytes);
  if (length < kPayloadBytesMin || length > limits::kLedgerJournalRecordBytesMax) {
    return std::nullopt;
  }
  return length;
}

// Up to `count` bytes from `offset`; fewer at the end of the file.
Result<std::string> ReadAt(int fd, std::uint64_t offset, std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = pread(fd, bytes.data() + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Status(ErrorCode::kUnavailable, "the ledger's journal cannot be read");
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

Result<JournalRecord> ReadRecord(int fd, std::uint64_t offset) {
  GB_ASSIGN_OR_RETURN(std::string bytes, ReadAt(fd, offset, kRecordHeadBytes));
  const std::optional<std::size_t> length = PayloadLength(bytes);
  if (!length.has_value()) {
    return DataLoss("a record of the ledger's journal has no head");
  }
  GB_ASSIGN_OR_RETURN(const std::string payload, ReadAt(fd, offset + kRecordHeadBytes, *length));
  bytes += payload;
  JournalRecord record;
  if (ParseRecord(bytes, record) == 0) {
    return DataLoss("a record of the ledger's journal is torn or corrupt");
  }
  return record;
}

// Whether a good record starts anywhere behind the first byte.
bool HoldsLaterRecord(std::string_view tail, std::uint64_t index) {
  JournalRecord record;
  for (std::size_t i = 1; i < tail.size(); ++i) {
    if (ParseRecord(tail.substr(i), record) != 0 && record.index >= index) {
      return true;
    }
  }
  return false;
}

// Whether what stands at the end of the file can be the torn remains of the one record that was being written.
bool IsTornTail(std::string_view tail, std::uint64_t index) {
  if (tail.size() > kRecordHeadBytes + limits::kLedgerJournalRecordBytesMax) {
    return false;
  }
  const std::optional<std::size_t> length = PayloadLength(tail);
  if (length.has_value() && kRecordHeadBytes + *length < tail.size()) {
    return false;
  }
  return !HoldsLaterRecord(tail, index);
}

}  // namespace

std::string EncodeRecord(const JournalRecord& record) {
  GB_ASSERT(record.entry.size() <= limits::kLedgerEntryBytesMax && record.note.size() <= limits::kLedgerNoteBytesMax);
  std::string payload;
  AppendU64(record.index, payload);
  AppendU16(static_cast<std::uint16_t>(record.entry.size()), payload);
  payload += record.entry;
  payload += record.note;
  std::string bytes;
  AppendU32(static_cast<std::uint32_t>(payload.size()), bytes);
  AppendU32(Crc32c(payload, Crc32c(bytes)), bytes);
  bytes += payload;
  return bytes;
}

std::size_t ParseRecord(std::string_view bytes, JournalRecord& record) {
  const std::optional<std::size_t> length = PayloadLength(bytes);
  if (!length.has_value() || bytes.size() - kRecordHeadBytes < *length) {
    return 0;
  }
  const std::string_view payload = bytes.substr(kRecordHeadBytes, *length);
  if (Crc32c(payload, Crc32c(bytes.substr(0, kLengthBytes))) != ReadU32(bytes.substr(kLengthBytes))) {
    return 0;
  }
  const std::size_t entry_bytes = ReadU16(payload.substr(kIndexBytes));
  if (payload.size() - kPayloadBytesMin < entry_bytes) {
    return 0;
  }
  record.index = ReadU64(payload);
  record.entry = payload.substr(kPayloadBytesMin, entry_bytes);
  record.note = payload.substr(kPayloadBytesMin + entry_bytes);
  return kRecordHeadBytes + *length;
}

Result<std::unique_ptr<Journal>> Journal::Open(const std::string& path, Visitor& visitor) {
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, kFileMode));
  if (!fd.valid()) {
    return Status(ErrorCode::kUnavailable, "the ledger's journal cannot be opened");
  }
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return Status(ErrorCode::kUnavailable, "another process or thread writes this ledger; there can be one only");
  }
  std::unique_ptr<Journal> journal(new Journal(std::move(fd)));
  GB_RETURN_IF_ERROR(journal->Scan(visitor));
  return journal;
}

Status Journal::Scan(Visitor& visitor) {
  struct stat info{};
  if (fstat(fd_.get(), &info) != 0) {
    return {ErrorCode::kUnavailable, "the ledger's journal cannot be read"};
  }
  const auto file_bytes = static_cast<std::uint64_t>(info.st_size);
  GB_ASSIGN_OR_RETURN(const std::string head, ReadAt(fd_.get(), 0, kHead.size()));
  if (head != kHead) {
    // Shorter than a head: the process died while it made the file.
    if (head.size() == kHead.size() || !kHead.starts_with(head)) {
      return DataLoss("the file is no journal of a ledger");
    }
    GB_RETURN_IF_ERROR(CutTail(0));
    if (!WriteAll(fd_.get(), kHead).ok() || fdatasync(fd_.get()) != 0) {
      return {ErrorCode::kUnavailable, "the ledger's journal cannot be written"};
    }
    end_ = kHead.size();
    return {};
  }
  end_ = kHead.size();
  while (end_ < file_bytes) {
    Result<JournalRecord> record = ReadRecord(fd_.get(), end_);
    if (!record.ok() && record.status().code() != ErrorCode::kDataLoss) {
      return record.status();
    }
    if (!record.ok()) {
      return CutTail(file_bytes);
    }
    if (record->index != size()) {
      return DataLoss("a record of the ledger's journal has another index");
    }
    GB_RETURN_IF_ERROR(visitor.Visit(*record));
    offsets_.push_back(end_);
    end_ += EncodeRecord(*record).size();
  }
  return {};
}

Status Journal::CutTail(std::uint64_t file_bytes) {
  if (file_bytes > end_) {
    const std::size_t limit = kRecordHeadBytes + limits::kLedgerJournalRecordBytesMax + 1;
    GB_ASSIGN_OR_RETURN(const std::string tail, ReadAt(fd_.get(), end_, limit));
    if (!IsTornTail(tail, size())) {
      return DataLoss("the ledger's journal is corrupt at byte " + std::to_string(end_) +
                      ", before its last record; restore the file from a copy");
    }
    log::Warning("ledger: a torn record at the end of the journal was never acknowledged and is cut off",
                 {{"records", static_cast<std::int64_t>(size())}});
  }
  if (ftruncate(fd_.get(), static_cast<off_t>(end_)) != 0 || fsync(fd_.get()) != 0) {
    return {ErrorCode::kUnavailable, "the ledger's journal cannot be written"};
  }
  return {};
}

Status Journal::Append(const JournalRecord& record) {
  GB_ASSERT(record.index == size());
  const std::string bytes = EncodeRecord(record);
  GB_KILL_POINT("ledger.before_append");
  if (const Status written = WriteAll(fd_.get(), bytes); !written.ok()) {
    if (ftruncate(fd_.get(), static_cast<off_t>(end_)) != 0) {
      StopProcess("ledger: a failed append could not be taken back");
    }
    return {ErrorCode::kUnavailable, "the ledger's disk is full or refuses writing; nothing was recorded"};
  }
  GB_KILL_POINT("ledger.after_write");
  if (fdatasync(fd_.get()) != 0) {
    StopProcess("ledger: fdatasync failed; what the disk holds is unknown");
  }
  GB_KILL_POINT("ledger.after_append");
  offsets_.push_back(end_);
  end_ += bytes.size();
  return {};
}

Result<JournalRecord> Journal::Read(std::uint64_t index) const {
  GB_ASSERT(index < size());
  GB_ASSIGN_OR_RETURN(JournalRecord record, ReadRecord(fd_.get(), offsets_[index]));
  if (record.index != index) {
    return DataLoss("a record of the ledger's journal has another index");
  }
  return record;
}

}  // namespace glovebox::ledger
