// SPDX-License-Identifier: Apache-2.0
//
// What the services of this part share: their surroundings, the journal, the rooms' locks, and the one way in: who asks
// is led to his side of a room, or told that there is no such room.
//
// Protocol: a change goes Enter...ForChange -> checks on the values it gives -> Journal -> return; the lock of the room
// is held all the way, so that two changes of one room never interleave. Whoever waits for the engine holds no lock: a
// request that waits for one holds a thread of the server. Errors: NOT_FOUND
// for a room that the caller may not know, PERMISSION_DENIED for a privilege that he lacks, INVALID_STATE that names
// the room's state, RESOURCE_EXHAUSTED if the room's lock is not free in time. Threads: thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/result.h"
#include "engine/engine.h"
#include "room/journal.h"
#include "room/model.h"
#include "room/ports.h"
#include "room/repository.h"
#include "store/database.h"

namespace glovebox::room {

struct Context {
  store::Database& database;
  engine::Engine& engine;
  Metastores& metastores;
  RoomLedger& ledger;
  const Clock& clock;
  Random& random;
  std::string data_folder;  // "<data>"; this part writes below prepared/, outputs/ and evidence/
  std::int64_t room_lock_timeout_ms = limits::kRoomLockTimeoutMs;  // of a request that waits for a room's lock
};

// A mutex that is waited for no longer than one likes. Not std::timed_mutex: g++ 12's thread sanitizer does not see how
// that one is locked.
class RoomMutex {
 public:
  void lock();
  bool try_lock_for(std::chrono::milliseconds timeout);
  void unlock();

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  bool held_ = false;  // guarded by mutex_
};
using RoomLock = std::unique_lock<RoomMutex>;

// A side of a room with the room's lock.
struct LockedMembership : Membership {
  RoomLock lock;
};

enum class Joining { kRequired, kImplicit, kNotNeeded };

class Core {
 public:
  explicit Core(const Context& context)
      : context_(context),
        journal_(context.database, context.ledger, context.metastores, context.clock, context.random) {}

  [[nodiscard]] const Context& context() const { return context_; }
  [[nodiscard]] Journal& journal() { return journal_; }
  [[nodiscard]] TimeMs Now() const { return context_.clock.Now(); }
  [[nodiscard]] std::string NewId() { return NewUuid(context_.clock, context_.random); }
  [[nodiscard]] std::string NewIdAt(TimeMs time) { return NewUuidAt(time, context_.random); }

  // To look: any privilege on the room does.
  Result<Membership> Enter(const Caller& caller, const std::string& room_name);
  // To change. kImplicit: if the caller's side has not joined yet, this act joins it; that needs CREATE_CLEAN_ROOM on
  // the metastore or MANAGE on the room, since who joins owns the side from then on.
  Result<LockedMembership> EnterForChange(const Caller& caller, const std::string& room_name, RoomPrivilege privilege,
                                          Joining joining);
  // For a request: RESOURCE_EXHAUSTED if others have the room for too long.
  Result<RoomLock> LockForRequest(const RoomId& room);
  // For the server's own work, and what a request still owes after its ledger entry: waits as long as it takes.
  RoomLock Lock(const RoomId& room);
  // For the server's own work: the room as it is now, or DATA_LOSS.
  Result<Room> Load(const RoomId& room);

  // Whether the organisation may be in one more room. Requests at the same moment may all get the last place: the bound
  // is one of resources.
  Status CheckRoomForMore(const OrganisationId& organisation);
  // PROVISIONING -> ACTIVE if all have joined. REQUIRES: the lock.
  Status ActivateIfReady(Room& room);

  // A read transaction for one function of the repository.
  template <typename Function>
  auto Read(Function function) -> decltype(function(std::declval<store::Transaction&>())) {
    GB_ASSIGN_OR_RETURN(const auto tx, context_.database.Begin(store::Access::kRead));
    return function(*tx);
  }
  // Statements that no ledger entry belongs to, in one transaction.
  Status Write(const std::vector<Statement>& statements);
  // The same with one; returns how many rows it changed.
  Result<std::int64_t> WriteOne(const Statement& statement);

  // The store names files relative to the data folder, so that it can be moved.
  [[nodiscard]] std::string PathOf(const std::string& stored) const { return context_.data_folder + "/" + stored; }
  // DATA_LOSS if the file is not below the data folder.
  [[nodiscard]] Result<std::string> StoredPath(const std::string& path) const;

  static Status RequireState(const Room& room, std::initializer_list<RoomState> states);

 private:
  Result<Membership> Find(const Caller& caller, const std::string& room_name);
  Status CheckMayJoin(const Caller& caller, const Membership& membership);
  // Records that the side has joined; the last one makes the room ACTIVE. REQUIRES: the lock; not joined yet.
  Status Join(const Caller& caller, Membership& membership);
  RoomMutex& MutexOf(const RoomId& room);

  Context context_;
  Journal journal_;
  std::mutex mutex_;
  std::map<RoomId, std::unique_ptr<RoomMutex>> locks_;  // guarded by mutex_
};

// An entry with what nearly all have.
LedgerEntry EntryOf(EventType type, const std::string& party, std::string role, std::string subject);
// The hold that keeps a published table from being dropped, set or taken away.
CatalogAct HoldOf(CatalogAct::Kind kind, const Room& room, const Member& owner, const Asset& asset);
// What the server records by itself.
LedgerEntry ServerEntry(EventType type, std::string subject);

}  // namespace glovebox::room
