// SPDX-License-Identifier: Apache-2.0
#include "room/repository.h"

#include <algorithm>

#include "catalog/names.h"

namespace glovebox::room {
namespace {

using catalog::NameKey;
using store::Row;
using store::Transaction;
using store::Value;

constexpr std::string_view kLedgerIndexMark = "ledger_index";

constexpr std::string_view kRoomColumns =
    "id, state, reason, cloud, region, creator_alias, details, created_at, updated_at";
constexpr std::string_view kMemberColumns =
    "alias, organisation_id, local_name, invite_email, invite_workspace_id, joined_at, left_at, "
    "output_catalog, created_at, updated_at";
constexpr std::string_view kAssetColumns =
    "id, room_id, type, owner_alias, name, local_name, state, problem, rule, rule_digest, columns_json, "
    "etag, added_at, updated_at, table_id, policy_salt";
constexpr std::string_view kVersionColumns =
    "etag, room_id, asset_id, number, author_alias, content, content_sha256, runners, description, "
    "environment_version, contract, created_at, ledger_index";

std::string Sql(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) {
    out += part;
  }
  return out;
}

TimeMs Time(const Row& row, std::size_t column) { return TimeMs{row.Int(column)}; }
Value Number(TimeMs time) { return ToInt(time); }
Value Number(const std::optional<TimeMs>& time) { return time ? Value{ToInt(*time)} : Value{}; }
Value Text(std::string_view text) { return std::string(text); }

// A row that stays for what refers to it gives its name free. No name has a control character, and no folding makes
// one.
std::string FreedKey(std::string_view name, const std::string& id) { return NameKey(name) + "\x1f" + id; }

template <typename Enum>
Result<Enum> EnumFromName(std::string_view name, std::initializer_list<Enum> values) {
  for (const Enum value : values) {
    if (Name(value) == name) {
      return value;
    }
  }
  return Status(ErrorCode::kDataLoss, "The store holds a state that this program does not know.");
}

Result<RoomState> RoomStateOf(std::string_view name) {
  return EnumFromName(name, {RoomState::kProvisioning, RoomState::kActive, RoomState::kClosing, RoomState::kClosed,
                             RoomState::kFailed});
}

std::string_view StateText(AssetState state) {
  return state == AssetState::kPending ? "PENDING" : (state == AssetState::kActive ? "ACTIVE" : "REMOVED");
}

Member MemberOf(const Row& row) {
  Member member;
  member.alias = row.Text(0);
  member.organisation = OrganisationId(row.Text(1));
  member.local_name = row.Text(2);
  member.invite_email = row.Text(3);
  member.invite_workspace_id = row.Int(4);
  if (!row.IsNull(5)) {
    member.joined_at = Time(row, 5);
  }
  if (!row.IsNull(6)) {
    member.left_at = Time(row, 6);
  }
  member.output_catalog = row.Text(7);
  member.created_at = Time(row, 8);
  member.updated_at = Time(row, 9);
  return member;
}

Result<Asset> AssetOf(const Row& row) {
  Asset asset;
  asset.id = AssetId(row.Text(0));
  asset.room = RoomId(row.Text(1));
  asset.type = row.Text(2) == Name(AssetType::kTable) ? AssetType::kTable : AssetType::kNotebook;
  asset.owner_alias = row.Text(3);
  asset.name = row.Text(4);
  asset.local_name = row.Text(5);
  const std::string& state = row.Text(6);
  asset.state =
      state == "ACTIVE" ? AssetState::kActive : (state == "PENDING" ? AssetState::kPending : AssetState::kRemoved);
  asset.problem = row.Text(7);
  asset.rule = row.Text(8);
  asset.rule_digest = row.Text(9);
  GB_ASSIGN_OR_RETURN(asset.columns, JsonFromText(row.Text(10)));
  asset.etag = Etag(row.Text(11));
  asset.added_at = Time(row, 12);
  asset.updated_at = Time(row, 13);
  asset.table_id = row.Text(14);
  asset.policy_salt = row.Text(15);
  return asset;
}

Result<NotebookVersion> VersionOf(const Row& row) {
  NotebookVersion version;
  version.etag = Etag(row.Text(0));
  version.room = RoomId(row.Text(1));
  version.asset = AssetId(row.Text(2));
  version.number = row.Int(3);
  version.author_alias = row.Text(4);
  version.content = row.Text(5);
  version.content_sha256 = row.Text(6);
  GB_ASSIGN_OR_RETURN(const json::Value runners, JsonFromText(row.Text(7)));
  version.runners = StringsFromJson(runners);
  version.description = row.Text(8);
  version.environment_version = row.Text(9);
  GB_ASSIGN_OR_RETURN(version.contract, JsonFromText(row.Text(10)));
  version.created_at = Time(row, 11);
  version.ledger_index = row.Int(12);
  return version;
}

Result<std::optional<Membership>> MembershipOf(Transaction& tx, const std::string& room, const std::string& alias) {
  GB_ASSIGN_OR_RETURN(std::optional<Room> loaded, LoadRoom(tx, RoomId(room)));
  if (!loaded) {
    return Status(ErrorCode::kDataLoss, "A collaborator of the store has no room.");
  }
  return std::optional<Membership>(Membership{std::move(*loaded), alias});
}

}  // namespace

store::Value LedgerIndexParameter() { return store::Blob{std::string(kLedgerIndexMark)}; }

const Member& Membership::self() const {
  const Member* member = room.FindAlias(alias);
  GB_ASSERT(member != nullptr);
  return *member;
}

std::string JsonText(const json::Value& value) { return value.is_null() ? std::string() : json::Write(value); }

Result<json::Value> JsonFromText(const std::string& text) {
  if (text.empty()) {
    return json::Value();
  }
  Result<json::Value> value = json::Parse(text);
  if (!value.ok()) {
    return Status(ErrorCode::kDataLoss, "A document of the store is damaged.");
  }
  return value;
}

json::Value StringsToJson(const std::vector<std::string>& strings) {
  return json::Value(json::Array(strings.begin(), strings.end()));
}

std::vector<std::string> StringsFromJson(const json::Value& value) {
  std::vector<std::string> out;
  if (value.is_array()) {
    for (const json::Value& item : value.as_array()) {
      out.push_back(item.is_string() ? item.as_string() : std::string());
    }
  }
  return out;
}

Status Apply(Transaction& tx, const std::vector<Statement>& statements, std::int64_t ledger_index) {
  for (const Statement& statement : statements) {
    std::vector<Value> parameters = statement.parameters;
    std::replace(parameters.begin(), parameters.end(), LedgerIndexParameter(), Value{ledger_index});
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const std::int64_t changed, tx.Execute(statement.sql, parameters));
  }
  return Status();
}

Result<std::optional<Room>> LoadRoom(Transaction& tx, const RoomId& id) {
  GB_ASSIGN_OR_RETURN(const auto row,
                      tx.QueryOne(Sql({"SELECT ", kRoomColumns, " FROM room_rooms WHERE id = ?"}), {Text(id.str())}));
  if (!row) {
    return std::optional<Room>();
  }
  Room room;
  room.id = RoomId(row->Text(0));
  GB_ASSIGN_OR_RETURN(room.state, RoomStateOf(row->Text(1)));
  room.reason = row->Text(2);
  room.cloud = row->Text(3);
  room.region = row->Text(4);
  room.creator_alias = row->Text(5);
  GB_ASSIGN_OR_RETURN(room.details, JsonFromText(row->Text(6)));
  room.created_at = Time(*row, 7);
  room.updated_at = Time(*row, 8);
  GB_ASSIGN_OR_RETURN(
      const auto members,
      tx.Query(Sql({"SELECT ", kMemberColumns, " FROM room_members WHERE room_id = ? ORDER BY position"}),
               {Text(id.str())}));
  for (const Row& member : members) {
    room.members.push_back(MemberOf(member));
  }
  return std::optional<Room>(std::move(room));
}

Result<std::optional<Membership>> FindMembership(Transaction& tx, const OrganisationId& organisation,
                                                 std::string_view local_name) {
  GB_ASSIGN_OR_RETURN(const auto row,
                      tx.QueryOne("SELECT room_id, alias FROM room_members WHERE organisation_id = ? AND "
                                  "local_name_key = ? AND left_at IS NULL",
                                  {Text(organisation.str()), Text(NameKey(local_name))}));
  if (!row) {
    return std::optional<Membership>();
  }
  return MembershipOf(tx, row->Text(0), row->Text(1));
}

Result<std::vector<Membership>> ListMemberships(Transaction& tx, const OrganisationId& organisation,
                                                const std::string& after_key, std::size_t rows_max) {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      tx.Query("SELECT room_id, alias FROM room_members WHERE organisation_id = ? AND local_name_key > "
                               "? AND left_at IS NULL ORDER BY local_name_key LIMIT ?",
                               {Text(organisation.str()), after_key, static_cast<std::int64_t>(rows_max)}));
  std::vector<Membership> out;
  for (const Row& row : rows) {
    GB_ASSIGN_OR_RETURN(std::optional<Membership> membership, MembershipOf(tx, row.Text(0), row.Text(1)));
    out.push_back(std::move(*membership));
  }
  return out;
}

Result<std::int64_t> CountOpenRooms(Transaction& tx, const OrganisationId& organisation) {
  GB_ASSIGN_OR_RETURN(const auto row,
                      tx.QueryOne("SELECT COUNT(*) FROM room_members m JOIN room_rooms r ON r.id = m.room_id WHERE "
                                  "m.organisation_id = ? AND m.joined_at IS NOT NULL AND m.left_at IS NULL AND r.state "
                                  "NOT IN ('CLOSED', 'FAILED')",
                                  {Text(organisation.str())}));
  return row->Int(0);
}

Result<std::int64_t> CountOpenInvitations(Transaction& tx, const OrganisationId& organisation) {
  GB_ASSIGN_OR_RETURN(const auto row,
                      tx.QueryOne("SELECT COUNT(*) FROM room_members c JOIN room_rooms r ON r.id = c.room_id AND "
                                  "r.creator_alias = c.alias JOIN room_members m ON m.room_id = r.id WHERE "
                                  "c.organisation_id = ? AND r.state = 'PROVISIONING' AND m.joined_at IS NULL AND "
                                  "m.left_at IS NULL",
                                  {Text(organisation.str())}));
  return row->Int(0);
}

Result<std::optional<std::string>> FindLocalName(Transaction& tx, const OrganisationId& organisation,
                                                 std::string_view local_name) {
  GB_ASSIGN_OR_RETURN(
      const auto row,
      tx.QueryOne("SELECT local_name FROM room_members WHERE organisation_id = ? AND local_name_key = ?",
                  {Text(organisation.str()), Text(NameKey(local_name))}));
  return row ? std::optional<std::string>(row->Text(0)) : std::nullopt;
}

Result<bool> IsOutputCatalog(Transaction& tx, const OrganisationId& organisation, std::string_view catalog) {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      tx.Query("SELECT output_catalog FROM room_members WHERE organisation_id = ? AND output_catalog "
                               "<> ''",
                               {Text(organisation.str())}));
  return std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return SameName(row.Text(0), catalog); });
}

Result<std::vector<RoomId>> RoomsInState(Transaction& tx, RoomState state) {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      tx.Query("SELECT id FROM room_rooms WHERE state = ? ORDER BY id", {Text(Name(state))}));
  std::vector<RoomId> out;
  for (const Row& row : rows) {
    out.emplace_back(row.Text(0));
  }
  return out;
}

Statement InsertRoom(const Room& room) {
  return {
      "INSERT INTO room_rooms (id, state, reason, cloud, region, creator_alias, details, created_at, updated_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {Text(room.id.str()), Text(Name(room.state)), room.reason, room.cloud, room.region, room.creator_alias,
       JsonText(room.details), Number(room.created_at), Number(room.updated_at)}};
}

Statement InsertMember(const RoomId& room, std::size_t position, const Member& member) {
  return {
      "INSERT INTO room_members (room_id, position, alias, alias_key, organisation_id, local_name, local_name_key, "
      "invite_email, invite_workspace_id, joined_at, left_at, output_catalog, created_at, updated_at) VALUES (?, ?, "
      "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {Text(room.str()), static_cast<std::int64_t>(position), member.alias, NameKey(member.alias),
       Text(member.organisation.str()), member.local_name, NameKey(member.local_name), member.invite_email,
       member.invite_workspace_id, Number(member.joined_at), Number(member.left_at), member.output_catalog,
       Number(member.created_at), Number(member.updated_at)}};
}

Statement UpdateRoomState(const RoomId& room, RoomState state, std::string_view reason, TimeMs now) {
  return {"UPDATE room_rooms SET state = ?, reason = ?, updated_at = ? WHERE id = ?",
          {Text(Name(state)), Text(reason), Number(now), Text(room.str())}};
}

Statement UpdateMember(const RoomId& room, const Member& member) {
  return {
      "UPDATE room_members SET joined_at = ?, left_at = ?, output_catalog = ?, updated_at = ? WHERE room_id = ? AND "
      "alias_key = ?",
      {Number(member.joined_at), Number(member.left_at), member.output_catalog, Number(member.updated_at),
       Text(room.str()), NameKey(member.alias)}};
}

Statement RemoveMember(const RoomId& room, const Member& member) {
  return {"UPDATE room_members SET left_at = ?, updated_at = ?, local_name_key = ? WHERE room_id = ? AND alias_key = ?",
          {Number(member.left_at), Number(member.updated_at), FreedKey(member.local_name, room.str()), Text(room.str()),
           NameKey(member.alias)}};
}

Result<std::vector<Asset>> ListAssets(Transaction& tx, const RoomId& room) {
  GB_ASSIGN_OR_RETURN(const auto rows, tx.Query(Sql({"SELECT ", kAssetColumns,
                                                     " FROM room_assets WHERE room_id = ? AND state <> 'REMOVED' "
                                                     "ORDER BY type, name_key"}),
                                                {Text(room.str())}));
  std::vector<Asset> out;
  for (const Row& row : rows) {
    GB_ASSIGN_OR_RETURN(Asset asset, AssetOf(row));
    out.push_back(std::move(asset));
  }
  return out;
}

Result<std::optional<Asset>> FindAsset(Transaction& tx, const RoomId& room, AssetType type, std::string_view name) {
  GB_ASSIGN_OR_RETURN(const auto row,
                      tx.QueryOne(Sql({"SELECT ", kAssetColumns,
                                       " FROM room_assets WHERE room_id = ? AND type = ? AND name_key = ? AND state "
                                       "<> 'REMOVED'"}),
                                  {Text(room.str()), Text(Name(type)), NameKey(name)}));
  if (!row) {
    return std::optional<Asset>();
  }
  GB_ASSIGN_OR_RETURN(Asset asset, AssetOf(*row));
  return std::optional<Asset>(std::move(asset));
}

Statement InsertAsset(const Asset& asset) {
  return {
      "INSERT INTO room_assets (id, room_id, type, owner_alias, name, name_key, local_name, state, "
      "problem, rule, rule_digest, columns_json, etag, added_at, updated_at, table_id, policy_salt) VALUES (?, ?, ?, "
      "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {Text(asset.id.str()), Text(asset.room.str()), Text(Name(asset.type)), asset.owner_alias, asset.name,
       NameKey(asset.name), asset.local_name, Text(StateText(asset.state)), asset.problem, asset.rule,
       asset.rule_digest, JsonText(asset.columns), Text(asset.etag.str()), Number(asset.added_at),
       Number(asset.updated_at), asset.table_id, asset.policy_salt}};
}

Statement UpdateAsset(const Asset& asset) {
  return {
      "UPDATE room_assets SET local_name = ?, state = ?, problem = ?, rule = ?, rule_digest = ?, "
      "columns_json = ?, etag = ?, updated_at = ? WHERE id = ?",
      {asset.local_name, Text(StateText(asset.state)), asset.problem, asset.rule, asset.rule_digest,
       JsonText(asset.columns), Text(asset.etag.str()), Number(asset.updated_at), Text(asset.id.str())}};
}

Statement RemoveAsset(const Asset& asset) {
  return {"UPDATE room_assets SET state = 'REMOVED', name_key = ?, updated_at = ? WHERE id = ?",
          {FreedKey(asset.name, asset.id.str()), Number(asset.updated_at), Text(asset.id.str())}};
}

Statement InsertRuleText(const Asset& asset) {
  return {"INSERT INTO room_rule_texts (room_id, digest, content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
          {Text(asset.room.str()), asset.rule_digest, asset.rule}};
}

Result<std::vector<std::string>> ListRuleDigests(Transaction& tx, const RoomId& room) {
  GB_ASSIGN_OR_RETURN(const auto rows, tx.Query("SELECT digest FROM room_rule_texts WHERE room_id = ? ORDER BY digest",
                                                {Text(room.str())}));
  std::vector<std::string> out;
  for (const Row& row : rows) {
    out.push_back(row.Text(0));
  }
  return out;
}

Result<std::string> FindRuleText(Transaction& tx, const RoomId& room, const std::string& digest) {
  GB_ASSIGN_OR_RETURN(
      const auto row,
      tx.QueryOne("SELECT content FROM room_rule_texts WHERE room_id = ? AND digest = ?", {Text(room.str()), digest}));
  if (!row) {
    return Status(ErrorCode::kDataLoss, "The text of a rule is missing.");
  }
  return row->Text(0);
}

Result<std::optional<NotebookVersion>> FindVersion(Transaction& tx, const RoomId& room, const Etag& etag) {
  GB_ASSIGN_OR_RETURN(
      const auto row,
      tx.QueryOne(Sql({"SELECT ", kVersionColumns, " FROM room_notebook_versions WHERE room_id = ? AND etag = ?"}),
                  {Text(room.str()), Text(etag.str())}));
  if (!row) {
    return std::optional<NotebookVersion>();
  }
  GB_ASSIGN_OR_RETURN(NotebookVersion version, VersionOf(*row));
  return std::optional<NotebookVersion>(std::move(version));
}

Result<std::vector<NotebookVersion>> ListVersions(Transaction& tx, const AssetId& asset, const NumberPage& page) {
  GB_ASSIGN_OR_RETURN(
      const auto rows,
      tx.Query(Sql({"SELECT ", kVersionColumns,
                    " FROM room_notebook_versions WHERE asset_id = ? AND number < ? ORDER BY number DESC LIMIT ?"}),
               {Text(asset.str()), page.before, page.rows_max()}));
  std::vector<NotebookVersion> out;
  for (const Row& row : rows) {
    GB_ASSIGN_OR_RETURN(NotebookVersion version, VersionOf(row));
    out.push_back(std::move(version));
  }
  return out;
}

Result<std::vector<VersionDigests>> ListVersionDigests(Transaction& tx, const RoomId& room) {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      tx.Query("SELECT etag, content_sha256, contract FROM room_notebook_versions WHERE room_id = ?",
                               {Text(room.str())}));
  std::vector<VersionDigests> out;
  for (const Row& row : rows) {
    VersionDigests version{Etag(row.Text(0)), row.Text(1), {}};
    GB_ASSIGN_OR_RETURN(version.contract, JsonFromText(row.Text(2)));
    out.push_back(std::move(version));
  }
  return out;
}

Statement InsertVersion(const NotebookVersion& version) {
  return {
      "INSERT INTO room_notebook_versions (etag, room_id, asset_id, number, author_alias, content, content_sha256, "
      "runners, description, environment_version, contract, created_at, ledger_index) VALUES (?, ?, ?, ?, ?, ?, ?, "
      "?, ?, ?, ?, ?, ?)",
      {Text(version.etag.str()), Text(version.room.str()), Text(version.asset.str()), version.number,
       version.author_alias, version.content, version.content_sha256, JsonText(StringsToJson(version.runners)),
       version.description, version.environment_version, JsonText(version.contract), Number(version.created_at),
       LedgerIndexParameter()}};
}

Result<std::vector<Review>> ListReviews(Transaction& tx, const Etag& etag) {
  GB_ASSIGN_OR_RETURN(const auto rows,
                      tx.Query("SELECT etag, reviewer_alias, decision, comment, sub_reason, rule_id, created_at, "
                               "ledger_index FROM room_reviews WHERE etag = ? ORDER BY created_at, reviewer_alias",
                               {Text(etag.str())}));
  std::vector<Review> out;
  for (const Row& row : rows) {
    Review review;
    review.etag = Etag(row.Text(0));
    review.reviewer_alias = row.Text(1);
    GB_ASSIGN_OR_RETURN(review.decision,
                        EnumFromName(row.Text(2), {Decision::kPending, Decision::kApproved, Decision::kRejected}));
    review.comment = row.Text(3);
    review.sub_reason = row.Text(4);
    review.rule_id = row.Text(5);
    review.created_at = Time(row, 6);
    review.ledger_index = row.Int(7);
    out.push_back(std::move(review));
  }
  return out;
}

Statement UpsertReview(const Review& review) {
  return {
      "INSERT INTO room_reviews (etag, reviewer_alias, decision, comment, sub_reason, rule_id, created_at, "
      "ledger_index) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (etag, reviewer_alias) DO UPDATE SET decision = "
      "excluded.decision, comment = excluded.comment, sub_reason = excluded.sub_reason, rule_id = "
      "excluded.rule_id, created_at = excluded.created_at, ledger_index = excluded.ledger_index",
      {Text(review.etag.str()), review.reviewer_alias, Text(Name(review.decision)), review.comment, review.sub_reason,
       review.rule_id, Number(review.created_at), LedgerIndexParameter()}};
}

Result<std::vector<AutoApprovalRule>> ListApprovalRules(Transaction& tx, const RoomId& room) {
  GB_ASSIGN_OR_RETURN(
      const auto rows,
      tx.Query("SELECT id, room_id, owner_alias, author_alias, runner_alias, created_at, ledger_id FROM "
               "room_approval_rules WHERE room_id = ? ORDER BY created_at, id",
               {Text(room.str())}));
  std::vector<AutoApprovalRule> out;
  for (const Row& row : rows) {
    out.push_back({row.Text(0), RoomId(row.Text(1)), row.Text(2), row.Text(3), row.Text(4), Time(row, 5), row.Text(6)});
  }
  return out;
}

Statement InsertApprovalRule(const AutoApprovalRule& rule) {
  return {
      "INSERT INTO room_approval_rules (id, room_id, owner_alias, author_alias, runner_alias, created_at, "
      "ledger_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
      {rule.id, Text(rule.room.str()), rule.owner_alias, rule.author_alias, rule.runner_alias, Number(rule.created_at),
       rule.ledger_id}};
}

Statement DeleteApprovalRule(const std::string& id) { return {"DELETE FROM room_approval_rules WHERE id = ?", {id}}; }

}  // namespace glovebox::room
