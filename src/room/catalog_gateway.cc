// SPDX-License-Identifier: Apache-2.0
#include "room/catalog_gateway.h"

#include <optional>
#include <utility>

#include "base/encoding.h"
#include "base/json.h"
#include "base/log.h"
#include "room/documents.h"
#include "statement/engine_forms.h"

namespace glovebox::room {
namespace {

using catalog::Privilege;
using catalog::SecurableKind;

constexpr std::size_t kUnitSecretBytes = 32;
constexpr std::string_view kOutputCatalogComment = "Outputs of clean room runs; written by the server.";

OrganisationInfo InfoOf(const catalog::Organisation& organisation) {
  return {organisation.id, organisation.name, organisation.global_metastore_id};
}

// Policies whose functions do not go together (INVALID_STATE) give no row to anybody.
bool IsRefused(const Status& status) {
  return status.code() == ErrorCode::kNotFound || status.code() == ErrorCode::kPermissionDenied ||
         status.code() == ErrorCode::kInvalidState;
}

// What a prepared table depends on besides the table's content: its filter, masks and the values of secrets by their
// counter, and what the filter and masks call as its owner may call it now. Of secrets the names only: the version is
// stored.
std::string PolicyVersionOf(const catalog::GovernedTable& governed, const std::vector<engine::Secret>& secrets) {
  std::string version = std::to_string(governed.table.policy_version);
  if (!governed.table.IsGoverned()) {
    return version;
  }
  json::Array functions;
  for (const catalog::Function& function : governed.functions) {
    json::Array parameters;
    for (const catalog::FunctionParameter& parameter : function.parameters) {
      parameters.emplace_back(json::Object{{"name", parameter.name}, {"type", parameter.type}});
    }
    functions.emplace_back(json::Object{{"name", function.info.full_name},
                                        {"parameters", std::move(parameters)},
                                        {"return_type", function.return_type},
                                        {"body", function.body}});
  }
  json::Array readable;
  for (const engine::Secret& secret : secrets) {
    readable.emplace_back(json::Object{{"scope", secret.scope}, {"key", secret.key}});
  }
  const json::Value used(json::Object{{"functions", std::move(functions)}, {"secrets", std::move(readable)}});
  return std::move(version) + "." + HexDigest(json::WriteCanonical(used));
}

}  // namespace

Result<OrganisationInfo> CatalogGateway::FindOrganisation(const std::string& global_metastore_id) {
  GB_ASSIGN_OR_RETURN(const catalog::Organisation found,
                      catalog_.organisations.FindByGlobalMetastoreId(global_metastore_id));
  return InfoOf(found);
}

Result<OrganisationInfo> CatalogGateway::GetOrganisation(const OrganisationId& organisation) {
  GB_ASSIGN_OR_RETURN(const catalog::Organisation found, catalog_.organisations.Get(organisation));
  return InfoOf(found);
}

Result<Caller> CatalogGateway::Admins(const OrganisationId& organisation) {
  GB_ASSIGN_OR_RETURN(const auto tx, catalog_.context.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const catalog::Principal admins,
                      catalog::Principals::FindByName(*tx, organisation, std::string(catalog::kAdminsGroup)));
  return catalog::Principals::CallerFor(*tx, organisation, admins.id);
}

Status CatalogGateway::CheckPrincipal(const OrganisationId& organisation, const std::string& name) {
  GB_ASSIGN_OR_RETURN(const auto tx, catalog_.context.database->Begin(store::Access::kRead));
  const Result<catalog::Principal> found = catalog::Principals::FindByName(*tx, organisation, name);
  if (!found.ok() && found.status().code() == ErrorCode::kNotFound) {
    return Status(ErrorCode::kInvalidParameterValue, found.status().message());
  }
  return found.ok() ? Status() : found.status();
}

Status CatalogGateway::CheckMayCreateRooms(const Caller& caller) {
  GB_ASSIGN_OR_RETURN(const catalog::Securable metastore,
                      catalog_.securables.Get(caller, SecurableKind::kMetastore, ""));
  return catalog_.grants.Check(caller, Privilege::kCreateCleanRoom, metastore);
}

Result<LocalRoom> CatalogGateway::GetLocalRoom(const Caller& caller, const std::string& local_name) {
  GB_ASSIGN_OR_RETURN(const catalog::Securable room,
                      catalog_.securables.Get(caller, SecurableKind::kCleanRoom, local_name));
  return LocalRoom{room.owner, room.comment};
}

Status CatalogGateway::CheckOnRoom(const Caller& caller, RoomPrivilege privilege, const std::string& local_name) {
  GB_ASSIGN_OR_RETURN(const catalog::Securable room,
                      catalog_.securables.Get(caller, SecurableKind::kCleanRoom, local_name));
  switch (privilege) {
    case RoomPrivilege::kBrowse:
      return Status();  // who gets it may look at it
    case RoomPrivilege::kExecuteTask:
      return catalog_.grants.Check(caller, Privilege::kExecuteCleanRoomTask, room);
    case RoomPrivilege::kModify:
      return catalog_.grants.Check(caller, Privilege::kModifyCleanRoom, room);
    case RoomPrivilege::kManage:
      return catalog_.grants.Check(caller, Privilege::kManage, room);
  }
  GB_ASSERT(false);
}

Status CatalogGateway::UpdateLocalRoom(const Caller& caller, const std::string& local_name,
                                       const std::optional<std::string>& comment,
                                       const std::optional<std::string>& owner) {
  // Who may modify a room may change its comment; the catalogue asks for MANAGE, which its admins have.
  if (comment && !owner) {
    GB_RETURN_IF_ERROR(CheckOnRoom(caller, RoomPrivilege::kModify, local_name));
    GB_ASSIGN_OR_RETURN(const Caller admins, Admins(caller.organisation));
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const catalog::Securable room,
                        catalog_.securables.Update(admins, SecurableKind::kCleanRoom, local_name, {comment, owner}));
    return Status();
  }
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const catalog::Securable room,
                      catalog_.securables.Update(caller, SecurableKind::kCleanRoom, local_name, {comment, owner}));
  return Status();
}

Result<Caller> CatalogGateway::CallerFor(const OrganisationId& organisation, const PrincipalId& principal) {
  return catalog_.principals.CallerFor(organisation, principal);
}

Result<TableShape> CatalogGateway::ReadableTable(const Caller& caller, const std::string& full_name) {
  GB_ASSIGN_OR_RETURN(const catalog::Table table, catalog_.tables.GetForSelect(caller, full_name));
  return TableShape{table.info.id, table.info.full_name, statement::ToEngine(table).columns};
}

Result<Caller> CatalogGateway::LocalOwner(const OrganisationId& organisation, const std::string& local_name) {
  GB_ASSIGN_OR_RETURN(const auto tx, catalog_.context.database->Begin(store::Access::kRead));
  GB_ASSIGN_OR_RETURN(const catalog::Securable room, catalog::Securables::FindCleanRoom(*tx, organisation, local_name));
  return catalog::Principals::CallerFor(*tx, organisation, room.owner_id);
}

Result<bool> CatalogGateway::OwnerMayRead(const OrganisationId& organisation, const std::string& local_name,
                                          const std::string& table_id) {
  const auto version = SourceVersion(organisation, local_name, table_id);
  if (!version.ok() && !IsRefused(version.status())) {
    return version.status();
  }
  return version.ok();
}

Result<std::pair<std::string, std::string>> CatalogGateway::SourceVersion(const OrganisationId& organisation,
                                                                          const std::string& local_name,
                                                                          const std::string& table_id) {
  GB_ASSIGN_OR_RETURN(const Caller owner, LocalOwner(organisation, local_name));
  GB_ASSIGN_OR_RETURN(const catalog::GovernedTable governed, catalog_.tables.GetGoverned(owner, TableId(table_id)));
  GB_ASSIGN_OR_RETURN(const auto secrets, statement::SecretsOf(catalog_, organisation, governed));
  return std::pair(governed.table.current.id.str(), PolicyVersionOf(governed, secrets));
}

Result<SourceTable> CatalogGateway::Source(const OrganisationId& organisation, const std::string& local_name,
                                           const std::string& table_id) {
  GB_ASSIGN_OR_RETURN(const Caller owner, LocalOwner(organisation, local_name));
  GB_ASSIGN_OR_RETURN(const catalog::GovernedTable governed, catalog_.tables.GetGoverned(owner, TableId(table_id)));
  SourceTable source;
  source.version = governed.table.current.id.str();
  source.request.table = statement::ToEngine(governed.table);
  if (governed.table.row_filter) {
    source.request.row_filters.push_back({governed.table.row_filter->function, governed.table.row_filter->columns});
  }
  for (const catalog::TableColumn& column : governed.table.columns) {
    if (column.mask) {
      source.request.masks.push_back({column.name, column.mask->function, column.mask->using_columns});
    }
  }
  for (const catalog::Function& function : governed.functions) {
    source.request.functions.push_back(statement::ToEngine(function));
  }
  GB_ASSIGN_OR_RETURN(source.request.secrets, statement::SecretsOf(catalog_, organisation, governed));
  source.policy_version = PolicyVersionOf(governed, source.request.secrets);
  GB_ASSIGN_OR_RETURN(source.request.unit_secret, UnitSecret(organisation));
  return source;
}

Result<std::string> CatalogGateway::UnitSecret(const OrganisationId& organisation) {
  const std::string place = "unit-secret/" + organisation.str();
  const auto find = [&](store::Transaction& tx) -> Result<std::optional<std::string>> {
    GB_ASSIGN_OR_RETURN(const auto row, tx.QueryOne("SELECT sealed FROM room_unit_secrets WHERE organisation_id = ?",
                                                    {organisation.str()}));
    if (!row) {
      return std::optional<std::string>();
    }
    GB_ASSIGN_OR_RETURN(const std::string sealed, HexDecode(row->Text(0)));
    GB_ASSIGN_OR_RETURN(std::string secret, catalog_.context.master_key->Open(sealed, place));
    return std::optional(std::move(secret));
  };
  {
    GB_ASSIGN_OR_RETURN(const auto reading, catalog_.context.database->Begin(store::Access::kRead));
    GB_ASSIGN_OR_RETURN(std::optional<std::string> known, find(*reading));
    if (known) {
      return *std::move(known);
    }
  }
  // The first time, or two at once, of which one has made it meanwhile.
  GB_ASSIGN_OR_RETURN(const auto tx, catalog_.context.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(std::optional<std::string> made, find(*tx));
  if (made) {
    return *std::move(made);
  }
  const std::string secret = catalog_.context.random->Bytes(kUnitSecretBytes);
  GB_ASSIGN_OR_RETURN(
      [[maybe_unused]] const std::int64_t changed,
      tx->Execute(
          "INSERT INTO room_unit_secrets (organisation_id, sealed) VALUES (?, ?)",
          {organisation.str(), HexEncode(catalog_.context.master_key->Seal(secret, place, *catalog_.context.random))}));
  GB_RETURN_IF_ERROR(tx->Commit());
  return secret;
}

Status CatalogGateway::Apply(store::Transaction& tx, const CatalogAct& act) {
  switch (act.kind) {
    case CatalogAct::Kind::kAddRoom: {
      const std::string owner = act.owner.empty() ? std::string(catalog::kAdminsGroup) : act.owner;
      // Whoever was deleted in between leaves the room to the admins: what is on the ledger takes effect.
      Result<catalog::Principal> principal = catalog::Principals::FindByName(tx, act.organisation, owner);
      if (!principal.ok()) {
        principal = catalog::Principals::FindByName(tx, act.organisation, std::string(catalog::kAdminsGroup));
      }
      GB_RETURN_IF_ERROR(principal.status());
      GB_ASSIGN_OR_RETURN([[maybe_unused]] const catalog::Securable room,
                          catalog::Securables::InsertCleanRoom(tx, catalog_.context, act.organisation, act.id, act.name,
                                                               principal->id, act.comment, principal->name));
      return Status();
    }
    case CatalogAct::Kind::kTakeRoom: {
      GB_ASSIGN_OR_RETURN(const auto room, catalog::Securables::FindById(tx, act.organisation, act.id));
      GB_ASSIGN_OR_RETURN(const catalog::Principal admins,
                          catalog::Principals::FindByName(tx, act.organisation, std::string(catalog::kAdminsGroup)));
      // As above: without him the admins keep it.
      const Result<catalog::Principal> owner = catalog::Principals::FindByName(tx, act.organisation, act.owner);
      const bool takes = room && room->owner_id == admins.id && owner.ok();
      return takes ? catalog::Securables::SetCleanRoomOwner(tx, act.organisation, act.id, owner->id) : Status();
    }
    case CatalogAct::Kind::kRemoveRoom:
      return catalog::Securables::DeleteCleanRoom(tx, act.organisation, act.id);
    case CatalogAct::Kind::kAddHold: {
      // A table that was dropped in between needs no hold; its asset is PERMISSION_DENIED.
      GB_ASSIGN_OR_RETURN(const auto table, catalog::Securables::FindById(tx, act.organisation, act.id));
      return table ? catalog::Securables::AddHold(tx, act.organisation, act.id, act.name) : Status();
    }
    case CatalogAct::Kind::kRemoveHold:
      return catalog::Securables::RemoveHold(tx, act.organisation, act.id, act.name);
  }
  GB_ASSERT(false);
}

Status CatalogGateway::CreateOutputCatalog(const Caller& caller, const std::string& name) {
  GB_ASSIGN_OR_RETURN(const catalog::Securable metastore,
                      catalog_.securables.Get(caller, SecurableKind::kMetastore, ""));
  GB_RETURN_IF_ERROR(catalog_.grants.Check(caller, Privilege::kCreateCatalog, metastore));
  GB_ASSIGN_OR_RETURN(const Caller admins, Admins(caller.organisation));
  // What an earlier call made before it failed is taken.
  GB_ASSIGN_OR_RETURN(
      const catalog::Securable made,
      catalog_.securables.CreateCatalog(admins, name, std::string(kOutputCatalogComment), catalog::IfExists::kKeep));
  if (made.owner_id != admins.principal || made.comment != kOutputCatalogComment) {
    return Status(ErrorCode::kAlreadyExists, "Catalog '" + made.name + "' already exists.");
  }
  GB_ASSIGN_OR_RETURN(
      [[maybe_unused]] const auto granted,
      catalog_.grants.Change(admins, SecurableKind::kCatalog, name, {{caller.name, {Privilege::kUseCatalog}, {}}}));
  return Status();
}

Status CatalogGateway::RegisterOutputs(const OrganisationId& organisation, const PrincipalId& owner,
                                       const std::vector<OutputTableEntry>& entries) {
  GB_ASSIGN_OR_RETURN(const Caller admins, Admins(organisation));
  std::string reader;
  {
    GB_ASSIGN_OR_RETURN(const auto tx, catalog_.context.database->Begin(store::Access::kRead));
    const Result<catalog::Principal> principal = catalog::Principals::FindById(*tx, organisation, owner);
    if (!principal.ok() && principal.status().code() != ErrorCode::kNotFound) {
      return principal.status();
    }
    reader = principal.ok() ? principal->name : std::string();
  }
  for (const OutputTableEntry& entry : entries) {
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const catalog::Securable schema,
                        catalog_.securables.CreateSchema(admins, entry.catalog, entry.schema,
                                                         "Outputs of one clean room run.", catalog::IfExists::kKeep));
    GB_RETURN_IF_ERROR(RegisterOutput(admins, entry));
    if (reader.empty()) {
      continue;  // he was deleted: the admins have it
    }
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const auto way,
                        catalog_.grants.Change(admins, SecurableKind::kCatalog, entry.catalog,
                                               {{reader, {Privilege::kUseCatalog}, {}}}));
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const auto reading,
                        catalog_.grants.Change(admins, SecurableKind::kSchema, entry.catalog + "." + entry.schema,
                                               {{reader, {Privilege::kUseSchema, Privilege::kSelect}, {}}}));
  }
  return Status();
}

Status CatalogGateway::RegisterOutput(const Caller& admins, const OutputTableEntry& entry) {
  GB_ASSIGN_OR_RETURN(
      const std::optional<catalog::TableWrite> write,
      catalog_.tables.PlanWrite(admins, entry.catalog + "." + entry.schema, entry.name, catalog::OnExisting::kKeep));
  if (!write) {
    return Status();
  }
  // The catalogue keeps tables in the engine's own format; the exported bytes stay where the run wrote them.
  engine::SelectRequest request;
  request.sql = "SELECT * FROM read_files('output', format => 'parquet')";
  request.files.push_back({"output", entry.file.path});
  request.target_path = write->path;
  const Result<engine::SelectResult> copied = engine_.Select(request);
  if (!copied.ok()) {
    catalog_.tables.AbandonWrite(*write);
    return copied.status();
  }
  catalog::TableContent content;
  content.rows = copied->file.rows;
  for (const engine::Column& column : copied->file.columns) {
    content.columns.push_back({.name = column.name, .type = column.type, .comment = "", .mask = {}});
  }
  const Result<catalog::Table> table = catalog_.tables.CommitWrite(admins, *write, content);
  if (!table.ok()) {
    catalog_.tables.AbandonWrite(*write);
    return table.status();
  }
  return Status();
}

Status CatalogGateway::RemoveOutput(const OrganisationId& organisation, const std::string& catalog,
                                    const std::string& schema, const std::string& table) {
  GB_ASSIGN_OR_RETURN(const Caller admins, Admins(organisation));
  const std::string place = catalog + "." + schema;
  {
    GB_ASSIGN_OR_RETURN(const auto tx, catalog_.context.database->Begin(store::Access::kWrite));
    const Result<catalog::Securable> found =
        catalog::Securables::Get(*tx, admins, SecurableKind::kTable, place + "." + table);
    if (found.ok()) {
      GB_RETURN_IF_ERROR(catalog::Securables::RemoveAllHolds(*tx, organisation, found->id));
      GB_RETURN_IF_ERROR(tx->Commit());
    } else if (found.status().code() != ErrorCode::kNotFound) {
      return found.status();
    }
  }
  const Status removed =
      catalog_.securables.Delete(admins, SecurableKind::kTable, place + "." + table, catalog::IfNotEmpty::kDeleteAll);
  if (!removed.ok() && removed.code() != ErrorCode::kNotFound) {
    return removed;
  }
  // The schema goes with its last table.
  const Status emptied = catalog_.securables.Delete(admins, SecurableKind::kSchema, place, catalog::IfNotEmpty::kFail);
  const bool stays = emptied.code() == ErrorCode::kInvalidState || emptied.code() == ErrorCode::kNotFound;
  return emptied.ok() || stays ? Status() : emptied;
}

Status CatalogGateway::CheckMayReadOutput(const Caller& caller, const std::string& catalog, const std::string& schema,
                                          const std::string& table) {
  const Result<catalog::Table> readable = catalog_.tables.GetForSelect(caller, catalog + "." + schema + "." + table);
  return readable.ok() ? Status() : readable.status();
}

Status CatalogGateway::Sweep() {
  GB_ASSIGN_OR_RETURN(const std::int64_t removed, catalog_.tables.RemoveOldVersions());
  if (removed > 0) {
    log::Info("old versions of tables are removed", {{"versions", removed}});
  }
  return Status();
}

}  // namespace glovebox::room
