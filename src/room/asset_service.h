// SPDX-License-Identifier: Apache-2.0
//
// What collaborators put into a room: tables under the alias of their owner (`alias.schema.asset`), each with the
// analysis rule that says what may be done with it.
//
// No rule, no access: a table is PENDING until its owner has set a rule, and setting one prepares the governed scan, so
// that a rule that does not fit the table is an error of that call. The owner of the room's local side keeps SELECT on
// the table for the room's life: while it lacks it, the asset is PERMISSION_DENIED, at once and for every use.
//
// Who learns what: the local name, the last problem and columns that the rule does not name only the owner; the rule
// itself and the columns that it names everybody in the room.
// Threads: thread-safe.
#pragma once

#include <string>
#include <vector>

#include "room/core.h"
#include "room/documents.h"
#include "room/preparer.h"

namespace glovebox::room {

enum class AssetStatus { kPending, kActive, kPermissionDenied };
std::string_view Name(AssetStatus status);

struct TableSpec {
  std::string name;        // alias.schema.asset
  std::string local_name;  // catalog.schema.table of the owner
};

// An asset as one side sees it.
struct AssetView {
  Asset asset;  // what the side may not see is empty
  AssetStatus status = AssetStatus::kPending;
  json::Value columns;  // [{name, type}]
};

class AssetService {
 public:
  AssetService(Core& core, Preparer& preparer) : core_(core), preparer_(preparer) {}

  // Needs MODIFY_CLEAN_ROOM; the caller and the owner of the local side need SELECT on the table.
  Result<AssetView> PublishTable(const Caller& caller, const std::string& room, const TableSpec& spec);
  Result<AssetView> GetTable(const Caller& caller, const std::string& room, const std::string& name);
  Result<std::vector<AssetView>> ListTables(const Caller& caller, const std::string& room);
  // By its owner's side, with SELECT on the table as for publishing, or with MANAGE on the room. Withdrawing a
  // notebook: NotebookService.
  Status WithdrawTable(const Caller& caller, const std::string& room, const std::string& name);

  // By its owner's side, with SELECT on the table as for publishing. Errors of the rule name the member that is wrong.
  Result<AssetView> SetRule(const Caller& caller, const std::string& room, const std::string& name,
                            const json::Value& rule);

  // The status that follows from the owner's privileges now.
  Result<AssetStatus> StatusOf(const Room& room, const Asset& asset);

 private:
  Result<AssetView> ViewOf(const Membership& membership, const Caller& caller, Asset asset);
  Result<Asset> FindOwnTable(const Membership& membership, const std::string& name);
  // That the caller may SELECT from the asset's table, and that this is what its local name still means.
  Status CheckMayPublish(const Caller& caller, const Asset& asset);
  Result<std::string> CheckTableName(const Membership& membership, const std::string& name);

  Core& core_;
  Preparer& preparer_;
};

}  // namespace glovebox::room
