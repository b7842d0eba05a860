// SPDX-License-Identifier: Apache-2.0
//
// "An action whose record is not durable does not happen": every change of a room that matters is a ledger entry first
// and takes effect after it.
//
// Protocol of Record(): (1) an intent with the effects is committed to the store, (2) the entry is appended and
// durable, (3) the effects are applied and the intent removed, in one transaction. A crash after (1) alone leaves
// nothing; after (2) Recover() applies the effects, so that ledger and store agree before the first request is served.
// If (3) fails, and again, the room is unsettled: it takes no entry, UNAVAILABLE, until the effects are in the store,
// which the next attempt or the sweep brings about. So nobody acts on what the ledger has overtaken, and no older
// effect is ever applied over a newer one. A room that cannot be settled stops no other room, and not the start.
//
// Threads: thread-safe; the caller of Record holds the room's lock (core.h), so that what it checked still holds.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "room/ports.h"
#include "room/repository.h"
#include "store/database.h"

namespace glovebox::room {

using Effect = std::variant<Statement, CatalogAct>;
using Effects = std::vector<Effect>;

class Journal {
 public:
  Journal(store::Database& database, RoomLedger& ledger, Metastores& metastores, const Clock& clock, Random& random)
      : database_(database), ledger_(ledger), metastores_(metastores), clock_(clock), random_(random) {}

  // Opens the log of a new room with `entry`.
  Result<std::int64_t> Open(const RoomId& room, const std::vector<LedgerParty>& parties, LedgerEntry entry,
                            const Effects& effects);
  // Returns the entry's index once it and its effects are durable. UNAVAILABLE if the room was or now is unsettled.
  Result<std::int64_t> Record(const RoomId& room, LedgerEntry entry, const Effects& effects);
  // An entry without effects, or one whose effects the caller has stored already; `id` may be given for the latter, and
  // appending it again gives the index of the first time.
  Result<std::int64_t> Append(const RoomId& room, LedgerEntry entry);

  // Settles what a crash left between ledger and store. To be called before anything else is.
  Status Recover();
  // Rooms whose ledger is ahead of the store.
  std::vector<RoomId> Unsettled();
  // Settles the room if it can be. REQUIRES: the room's lock.
  Status SettleRoom(const RoomId& room);

 private:
  Result<std::int64_t> RecordWith(const RoomId& room, LedgerEntry entry, const Effects& effects,
                                  const std::vector<LedgerParty>* parties);
  // UNAVAILABLE if the room is unsettled: what the caller checked is then out of date, even if it can be settled now.
  Status RequireSettled(const RoomId& room);
  // Tries again: the store may have been busy, which it waits for itself.
  Status SettleWithPatience(const std::string& intent, const Effects& effects, std::int64_t index);
  Status Settle(const std::string& intent, const Effects& effects, std::int64_t index);
  // An intent that is in the store: settled if its entry is on the ledger, else dropped.
  Status SettleRow(const RoomId& room, const store::Row& row);
  Status DropIntent(const std::string& intent);

  store::Database& database_;
  RoomLedger& ledger_;
  Metastores& metastores_;
  const Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  std::set<RoomId> unsettled_;  // guarded by mutex_
};

}  // namespace glovebox::room
