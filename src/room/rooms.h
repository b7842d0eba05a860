// SPDX-License-Identifier: Apache-2.0
//
// The services of this part, wired together.
//
// Protocol: Open() settles what a crash left before anything else happens; Start() lets runs go on in threads of their
// own and sweeps what expires; Stop() waits for running steps. A test calls queue().Step() and Sweep() instead of
// Start(). Threads: the services are thread-safe; Open, Start and Stop belong to one thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "room/asset_service.h"
#include "room/core.h"
#include "room/notebook_service.h"
#include "room/output_service.h"
#include "room/preparer.h"
#include "room/room_service.h"
#include "room/run_inputs.h"
#include "room/run_service.h"

namespace glovebox::room {

class Rooms {
 public:
  static Result<std::unique_ptr<Rooms>> Open(const Context& context);
  ~Rooms();
  Rooms(const Rooms&) = delete;
  Rooms& operator=(const Rooms&) = delete;

  RoomService& rooms() { return rooms_; }
  AssetService& assets() { return assets_; }
  NotebookService& notebooks() { return notebooks_; }
  RunService& runs() { return runs_; }
  OutputService& outputs() { return outputs_; }

  // Closes the room for all; what is under way in it ends.
  Status DeleteRoom(const Caller& caller, const std::string& name);
  // The ledger, for every collaborator.
  Result<LedgerHead> LedgerOf(const Caller& caller, const std::string& name);
  // Entries [from, to), at most kLedgerEntriesPageMax.
  Result<std::vector<std::string>> LedgerEntries(const Caller& caller, const std::string& name, std::int64_t from,
                                                 std::int64_t to);
  // The evidence bundle as a tar archive, with what every collaborator may see (code, contracts, rules, certificates)
  // and what opens the commitments to the parameters of the caller's own side's runs; also of assets that were
  // withdrawn since. RESOURCE_EXHAUSTED while another bundle of the room is being made.
  Status WriteEvidence(const Caller& caller, const std::string& name,
                       const std::function<Status(std::string_view)>& write);

  // The same in a file of its own, which the caller removes.
  Result<std::string> MakeEvidenceFile(const Caller& caller, const std::string& name);

  void Start();
  void Stop();
  // What is due to expire now, and what a failing store left behind.
  Status Sweep();

 private:
  explicit Rooms(const Context& context);
  Status Recover();
  // Settles the room and activates it if all have joined.
  void GoOn(const RoomId& id);
  void SweepLoop();
  // All contents that entries of the room's ledger name by digest.
  Result<ledger::BundleContents> EvidenceOf(const RoomId& id, const std::string& alias);
  [[nodiscard]] std::string EvidenceFolder() const;

  Core core_;
  Preparer preparer_;
  RoomService rooms_;
  AssetService assets_;
  RunInputs inputs_;
  EarlierTables earlier_;
  NotebookService notebooks_;
  OutputService outputs_;
  RunService runs_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;      // guarded by mutex_
  std::set<RoomId> bundling_;  // rooms whose evidence is being written; guarded by mutex_
  std::thread sweeper_;
};

}  // namespace glovebox::room
