// SPDX-License-Identifier: Apache-2.0
//
// RoomLedger over the durable logs, one folder a room: `<data>/ledgers/<room>`. In hosted mode the organisations' keys
// are kept by the catalogue, sealed, and used here: each side's statement key signs its acts, each side's cosigner key
// every checkpoint. Sides that share a metastore have keys of their own, derived from their organisation's.
//
// Threads: thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "ledger/bundle.h"
#include "ledger/log.h"
#include "room/ports.h"

namespace glovebox::room {

class LedgerGateway final : public RoomLedger {
 public:
  // `host` is the first part of the logs' origins.
  LedgerGateway(catalog::Catalog& catalog, const std::string& data_folder, std::string host);
  ~LedgerGateway() override;

  Result<std::int64_t> Open(const RoomId& room, const std::vector<LedgerParty>& parties,
                            const LedgerEntry& first) override;
  Result<std::int64_t> Append(const RoomId& room, const LedgerEntry& entry) override;
  Result<std::optional<std::int64_t>> Find(const RoomId& room, const std::string& entry_id) override;
  Result<LedgerHead> Head(const RoomId& room) override;
  Result<std::string> Read(const RoomId& room, std::int64_t index) override;
  Status WriteEvidence(const RoomId& room, const ledger::BundleContents& contents,
                       const std::function<Status(std::string_view)>& write) override;

 private:
  struct Book;  // a room's log with its parties' signers
  Result<Book*> BookOf(const RoomId& room);
  Result<std::unique_ptr<Book>> MakeBook(const RoomId& room, const std::vector<LedgerParty>& parties,
                                         const crypto::PrivateKey& log_key);
  [[nodiscard]] std::string Folder(const RoomId& room) const { return folder_ + "/" + room.str(); }

  catalog::Catalog& catalog_;
  std::string folder_;
  std::string host_;
  std::mutex mutex_;
  std::map<RoomId, std::unique_ptr<Book>> books_;  // guarded by mutex_; never removed
};

}  // namespace glovebox::room
