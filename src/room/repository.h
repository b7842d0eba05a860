// SPDX-License-Identifier: Apache-2.0
//
// The SQL of this part: reads give plain values; writes are made as statements, so that the journal can keep them
// beside a ledger entry and apply them after it.
//
// Tenancy: what an organisation may reach begins with FindMembership(organisation, name) or
// ListMemberships(organisation, ...); everything below a room is read by the room's id, which only these two give out.
// Threads: functions of the transaction's thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "room/model.h"
#include "room/pages.h"
#include "store/database.h"

namespace glovebox::room {

struct Statement {
  std::string sql;
  std::vector<store::Value> parameters;
};
// A parameter that the journal replaces by the index of the ledger entry that the statement belongs to.
[[nodiscard]] store::Value LedgerIndexParameter();

// Rooms and members
struct Membership {
  Room room;
  std::string alias;  // the caller's side
  [[nodiscard]] const Member& self() const;
};
Result<std::optional<Membership>> FindMembership(store::Transaction& tx, const OrganisationId& organisation,
                                                 std::string_view local_name);
// At most `rows_max` after the local name with this key, in the order of keys; the side's own deletions are left out.
Result<std::vector<Membership>> ListMemberships(store::Transaction& tx, const OrganisationId& organisation,
                                                const std::string& after_key, std::size_t rows_max);
// Those that have not ended and that it has joined.
Result<std::int64_t> CountOpenRooms(store::Transaction& tx, const OrganisationId& organisation);
// Of the rooms that it created and that have not ended: who has neither joined nor declined.
Result<std::int64_t> CountOpenInvitations(store::Transaction& tx, const OrganisationId& organisation);
// The spelling under which the organisation knows a room, if it has one of this name but for case.
Result<std::optional<std::string>> FindLocalName(store::Transaction& tx, const OrganisationId& organisation,
                                                 std::string_view local_name);
// Whether some room of the organisation's writes its outputs there, or did.
Result<bool> IsOutputCatalog(store::Transaction& tx, const OrganisationId& organisation, std::string_view catalog);
Result<std::optional<Room>> LoadRoom(store::Transaction& tx, const RoomId& id);
Result<std::vector<RoomId>> RoomsInState(store::Transaction& tx, RoomState state);
Statement InsertRoom(const Room& room);
Statement InsertMember(const RoomId& room, std::size_t position, const Member& member);
Statement UpdateRoomState(const RoomId& room, RoomState state, std::string_view reason, TimeMs now);
Statement UpdateMember(const RoomId& room, const Member& member);
// Like UpdateMember; the local name becomes free.
Statement RemoveMember(const RoomId& room, const Member& member);

// Assets
Result<std::vector<Asset>> ListAssets(store::Transaction& tx, const RoomId& room);
Result<std::optional<Asset>> FindAsset(store::Transaction& tx, const RoomId& room, AssetType type,
                                       std::string_view name);
Statement InsertAsset(const Asset& asset);
Statement UpdateAsset(const Asset& asset);
Statement RemoveAsset(const Asset& asset);
// The canonical text of each rule that was ever in force: entries name it by digest.
Statement InsertRuleText(const Asset& asset);
Result<std::vector<std::string>> ListRuleDigests(store::Transaction& tx, const RoomId& room);
// DATA_LOSS if it is missing.
Result<std::string> FindRuleText(store::Transaction& tx, const RoomId& room, const std::string& digest);

// Notebooks
Result<std::optional<NotebookVersion>> FindVersion(store::Transaction& tx, const RoomId& room, const Etag& etag);
// Newest first.
Result<std::vector<NotebookVersion>> ListVersions(store::Transaction& tx, const AssetId& asset, const NumberPage& page);
Statement InsertVersion(const NotebookVersion& version);
// What entries of the ledger name of a version by digest.
struct VersionDigests {
  Etag etag;
  std::string content_sha256;
  json::Value contract;  // null: none
};
// All of the room's, also of notebooks that were withdrawn.
Result<std::vector<VersionDigests>> ListVersionDigests(store::Transaction& tx, const RoomId& room);
Result<std::vector<Review>> ListReviews(store::Transaction& tx, const Etag& etag);
Statement UpsertReview(const Review& review);  // the ledger index is filled in by the journal
Result<std::vector<AutoApprovalRule>> ListApprovalRules(store::Transaction& tx, const RoomId& room);
Statement InsertApprovalRule(const AutoApprovalRule& rule);
Statement DeleteApprovalRule(const std::string& id);

// Applies statements in a transaction that is open.
Status Apply(store::Transaction& tx, const std::vector<Statement>& statements, std::int64_t ledger_index);

// Text of JSON columns; "" is null.
std::string JsonText(const json::Value& value);
Result<json::Value> JsonFromText(const std::string& text);
json::Value StringsToJson(const std::vector<std::string>& strings);
std::vector<std::string> StringsFromJson(const json::Value& value);

}  // namespace glovebox::room
