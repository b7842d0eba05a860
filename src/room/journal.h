// SPDX-License-Identifier: Apache-2.0
//
// "An action whose record is not durable does not happen": every change of a room that matters is a ledger entry first
// and takes effect after it.
//
// Protocol of Record(): (1) an intent with the effects is committed to the store, (2) the entry is appended and
// durable, (3) the effects are applied and the intent removed, in one transaction. A crash after (1) alone leaves
// nothing; after (2) Recover() applies the effects, so that ledger and store agree before the first request is served.
//
// Threads: thread-safe; the caller of Record holds the room's lock (core.h), so that what it checked still holds.
#pragma once

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
  // Returns the entry's index once it and its effects are durable.
  Result<std::int64_t> Record(const RoomId& room, LedgerEntry entry, const Effects& effects);
  // An entry without effects, or one whose effects the caller has stored already; `id` may be given for the latter, and
  // appending it again gives the index of the first time.
  Result<std::int64_t> Append(const RoomId& room, LedgerEntry entry);

  // Settles what a crash left between ledger and store. To be called before anything else is.
  Status Recover();

 private:
  Result<std::int64_t> RecordWith(const RoomId& room, LedgerEntry entry, const Effects& effects,
                                  const std::vector<LedgerParty>* parties);
  Status Settle(const std::string& intent, const Effects& effects, std::int64_t index);
  Status DropIntent(const std::string& intent);

  store::Database& database_;
  RoomLedger& ledger_;
  Metastores& metastores_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace glovebox::room
