// SPDX-License-Identifier: Apache-2.0
//
// The durable ledger of one room, in a folder of its own:
//
//   journal          the truth: each append is ONE write and ONE fdatasync (journal.h)
//   checkpoint       the newest signed and cosigned checkpoint
//   tile/...         the tree and the entries as C2SP tlog-tiles
//
// Protocol: Append returns OK only when the entry, and the checkpoint that covers it, are durable: that is the moment
// at which the action may happen. Tiles and the checkpoint file follow from the journal, are written after it without
// waiting for the disk, and are rebuilt on Open. A checkpoint is signed before it is durable and released after: a torn
// append was never seen by anybody.
//
// Invariant: what Append accepts, verification of the bundle accepts (replay.h decides for both). One writer: a second
// process, or a second Log in this one, is refused. Nothing is appended after room.closed.
//
// Errors: INVALID_PARAMETER_VALUE (the entry's form), INVALID_STATE (its order, or the room is closed), UNAVAILABLE
// (the disk is full, another writer), DATA_LOSS (Open: the journal is corrupt before its last record, or the log was
// rolled back). An error of fdatasync ends the process: what the kernel then holds is unknown, and must not be
// acknowledged. Threads: thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "ledger/entry.h"
#include "ledger/genesis.h"
#include "ledger/key_history.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/signer.h"

namespace glovebox::ledger {

// Who signs for a log. Every collaborator's witness is needed: a checkpoint without all cosignatures is no evidence.
struct LogSigners {
  std::shared_ptr<const Signer> log;
  std::vector<std::shared_ptr<const Signer>> witnesses;
};

struct LogContext {
  const Clock* clock = nullptr;  // both outlive the log
  Random* random = nullptr;
};

// What the caller says of an event; the log adds the rest.
struct EntryFields {
  std::string id;  // UUID; "" for a fresh one
  EventType type = EventType::kAccessDenied;
  std::string party{kOperator};
  std::string role;
  std::string reason;
  std::string subject;  // id; its kind follows from the type, or is subject_kind for types of any kind
  std::string subject_kind;
  json::Object data;
  // A statement that the party signed elsewhere, for this id.
  std::optional<Envelope> statement;
};

struct EntryReceipt {
  std::uint64_t index = 0;
  std::string id;
  Hash leaf{};
  std::string checkpoint;  // the signed and cosigned note that covers the entry
};

// What a log is at one moment; entries below `checkpoint.size` never change.
struct Snapshot {
  Checkpoint checkpoint;
  std::string note;
  KeyHistory keys;
};

class Log {
 public:
  // Starts a room's log with entry 0: `first` says who creates it (a collaborator of `genesis`, whose statement key
  // `creator` holds) and the room's name as subject; its type and data are set here. Returns ALREADY_EXISTS if the
  // folder has a log.
  static Result<std::unique_ptr<Log>> Create(const std::string& folder, const Genesis& genesis, EntryFields first,
                                             const Signer& creator, LogSigners signers, LogContext context);
  // Returns NOT_FOUND if the folder has no log (nothing was ever acknowledged there).
  static Result<std::unique_ptr<Log>> Open(const std::string& folder, LogSigners signers, LogContext context);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Appends an entry. With `author`, which holds a statement key of `fields.party`, the log makes the party's
  // statement.
  Result<EntryReceipt> Append(const EntryFields& fields, const Signer* author = nullptr);

  [[nodiscard]] const std::string& origin() const;
  // Hex SHA-256 of entry 0: the room's identity, for users to pin.
  [[nodiscard]] const std::string& room() const;
  [[nodiscard]] const Genesis& genesis() const;
  [[nodiscard]] Snapshot Latest() const;
  // The index of the entry with this id.
  [[nodiscard]] std::optional<std::uint64_t> Find(std::string_view id) const;
  // The stored bytes of an entry. Returns NOT_FOUND beyond the end, DATA_LOSS if the disk gave something else.
  [[nodiscard]] Result<std::string> Read(std::uint64_t index) const;
  // Returns INVALID_PARAMETER_VALUE unless index < size <= the log's size.
  [[nodiscard]] Result<Proof> InclusionProof(std::uint64_t index, std::uint64_t size) const;
  [[nodiscard]] Result<Proof> ConsistencyProof(std::uint64_t old_size, std::uint64_t size) const;
  // A copy of the tree, for whoever walks a snapshot while the log goes on.
  [[nodiscard]] Tree CopyTree() const;

 private:
  struct State;
  explicit Log(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace glovebox::ledger
