// SPDX-License-Identifier: Apache-2.0
#include "room/catalog_gateway.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/strings.h"

namespace glovebox::room {
namespace {

using catalog::Privilege;
using catalog::SecurableKind;

constexpr std::size_t kUnitSecretBytes = 32;

OrganisationInfo InfoOf(const catalog::Organisation& organisation) {
  return {organisation.id, organisation.name, organisation.global_metastore_id};
}

bool IsRefused(const Status& status) {
  return status.code() == ErrorCode::kNotFound || status.code() == ErrorCode::kPermissionDenied;
}

engine::TableFile FileOf(const catalog::Table& table) {
  engine::TableFile file;
  file.path = table.current.path;
  file.rows = table.current.rows;
  for (const catalog::TableColumn& column : table.columns) {
    file.columns.push_back({column.name, column.type});
  }
  return file;
}

engine::Function FunctionOf(const catalog::Function& function) {
  engine::Function out;
  out.name = function.info.full_name;
  out.body = function.body;
  for (const catalog::FunctionParameter& parameter : function.parameters) {
    out.parameters.push_back({parameter.name, parameter.type});
  }
  return out;
}

// Whether a function's body may name the secret: more is given than is used rather than less.
bool Names(const std::vector<catalog::Function>& functions, const std::string& scope, const std::string& key) {
  return std::any_of(functions.begin(), functions.end(), [&](const catalog::Function& function) {
    return function.body.find(scope) != std::string::npos && function.body.find(key) != std::string::npos;
  });
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

Status CatalogGateway::TakeOwnership(const Caller& caller, const std::string& local_name) {
  GB_ASSIGN_OR_RETURN(const Caller admins, Admins(caller.organisation));
  GB_ASSIGN_OR_RETURN(const catalog::Securable room,
                      catalog_.securables.Get(admins, SecurableKind::kCleanRoom, local_name));
  if (room.owner_id != admins.principal) {
    return Status();
  }
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const catalog::Securable updated,
                      catalog_.securables.Update(admins, SecurableKind::kCleanRoom, local_name,
                                                 {.comment = std::nullopt, .owner = caller.name}));
  return Status();
}

Result<Caller> CatalogGateway::CallerFor(const OrganisationId& organisation, const PrincipalId& principal) {
  return catalog_.principals.CallerFor(organisation, principal);
}

Result<TableShape> CatalogGateway::ReadableTable(const Caller& caller, const std::string& full_name) {
  GB_ASSIGN_OR_RETURN(const catalog::Table table, catalog_.tables.GetForSelect(caller, full_name));
  return TableShape{table.info.id, table.info.full_name, FileOf(table).columns};
}

Result<catalog::GovernedTable> CatalogGateway::Governed(const OrganisationId& organisation,
                                                        const std::string& local_name, const std::string& table_id) {
  GB_ASSIGN_OR_RETURN(const Caller admins, Admins(organisation));
  GB_ASSIGN_OR_RETURN(const catalog::Securable room,
                      catalog_.securables.Get(admins, SecurableKind::kCleanRoom, local_name));
  GB_ASSIGN_OR_RETURN(const Caller owner, catalog_.principals.CallerFor(organisation, room.owner_id));
  return catalog_.tables.GetGoverned(owner, TableId(table_id));
}

Result<bool> CatalogGateway::OwnerMayRead(const OrganisationId& organisation, const std::string& local_name,
                                          const std::string& table_id) {
  const Result<catalog::GovernedTable> governed = Governed(organisation, local_name, table_id);
  if (!governed.ok() && !IsRefused(governed.status())) {
    return governed.status();
  }
  return governed.ok();
}

Result<std::pair<std::string, std::string>> CatalogGateway::SourceVersion(const OrganisationId& organisation,
                                                                          const std::string& local_name,
                                                                          const std::string& table_id) {
  GB_ASSIGN_OR_RETURN(const catalog::GovernedTable governed, Governed(organisation, local_name, table_id));
  return std::pair(governed.table.current.id.str(), std::to_string(governed.table.policy_version));
}

Result<SourceTable> CatalogGateway::Source(const OrganisationId& organisation, const std::string& local_name,
                                           const std::string& table_id) {
  GB_ASSIGN_OR_RETURN(const catalog::GovernedTable governed, Governed(organisation, local_name, table_id));
  SourceTable source;
  source.version = governed.table.current.id.str();
  source.policy_version = std::to_string(governed.table.policy_version);
  source.request.table = FileOf(governed.table);
  if (governed.table.row_filter) {
    source.request.row_filters.push_back({governed.table.row_filter->function, governed.table.row_filter->columns});
  }
  for (const catalog::TableColumn& column : governed.table.columns) {
    if (column.mask) {
      source.request.masks.push_back({column.name, column.mask->function, column.mask->using_columns});
    }
  }
  for (const catalog::Function& function : governed.functions) {
    source.request.functions.push_back(FunctionOf(function));
  }
  GB_ASSIGN_OR_RETURN(source.request.secrets, SecretsOf(organisation, governed));
  GB_ASSIGN_OR_RETURN(source.request.unit_secret, UnitSecret(organisation));
  return source;
}

Result<std::vector<engine::Secret>> CatalogGateway::SecretsOf(const OrganisationId& organisation,
                                                              const catalog::GovernedTable& governed) {
  std::vector<engine::Secret> out;
  if (governed.functions.empty()) {
    return out;
  }
  GB_ASSIGN_OR_RETURN(const Caller owner, catalog_.principals.CallerFor(organisation, governed.owner));
  GB_ASSIGN_OR_RETURN(const std::vector<catalog::SecretScope> scopes, catalog_.secrets.ListScopes(owner));
  for (const catalog::SecretScope& scope : scopes) {
    GB_ASSIGN_OR_RETURN(const std::vector<catalog::SecretInfo> keys, catalog_.secrets.List(owner, scope.name));
    for (const catalog::SecretInfo& key : keys) {
      if (Names(governed.functions, scope.name, key.key)) {
        GB_ASSIGN_OR_RETURN(std::string value,
                            catalog_.secrets.GetForWorker(organisation, governed.owner, scope.name, key.key));
        out.push_back({scope.name, key.key, std::move(value)});
      }
    }
  }
  return out;
}

Result<std::string> CatalogGateway::UnitSecret(const OrganisationId& organisation) {
  const std::string place = "unit-secret/" + organisation.str();
  GB_ASSIGN_OR_RETURN(const auto tx, catalog_.context.database->Begin(store::Access::kWrite));
  GB_ASSIGN_OR_RETURN(const auto row, tx->QueryOne("SELECT sealed FROM room_unit_secrets WHERE organisation_id = ?",
                                                   {organisation.str()}));
  if (row) {
    GB_ASSIGN_OR_RETURN(const std::string sealed, HexDecode(row->Text(0)));
    return catalog_.context.master_key->Open(sealed, place);
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
                                                               principal->id, principal->name));
      return Status();
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
  GB_ASSIGN_OR_RETURN(
      [[maybe_unused]] const catalog::Securable created,
      catalog_.securables.CreateCatalog(admins, name, "Outputs of clean room runs; written by the server.",
                                        catalog::IfExists::kFail));
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
    GB_ASSIGN_OR_RETURN(const catalog::Principal principal, catalog::Principals::FindById(*tx, organisation, owner));
    reader = principal.name;
  }
  for (const OutputTableEntry& entry : entries) {
    GB_ASSIGN_OR_RETURN([[maybe_unused]] const catalog::Securable schema,
                        catalog_.securables.CreateSchema(admins, entry.catalog, entry.schema,
                                                         "Outputs of one clean room run.", catalog::IfExists::kKeep));
    GB_RETURN_IF_ERROR(RegisterOutput(admins, entry));
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
  GB_ASSIGN_OR_RETURN([[maybe_unused]] const catalog::Table table,
                      catalog_.tables.CommitWrite(admins, *write, content));
  return Status();
}

Status CatalogGateway::RemoveOutput(const OrganisationId& organisation, const std::string& catalog,
                                    const std::string& schema, const std::string& table) {
  GB_ASSIGN_OR_RETURN(const Caller admins, Admins(organisation));
  const std::string place = catalog + "." + schema;
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

}  // namespace glovebox::room
