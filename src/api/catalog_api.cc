// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "api/catalog_apis.h"
#include "api/catalog_json.h"
#include "base/assert.h"
#include "base/strings.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using catalog::IfExists;
using catalog::IfNotEmpty;
using catalog::Securable;
using catalog::SecurableKind;
using http::Method;
using http::Request;
using http::Response;

using ToJson = json::Value (*)(const Caller&, const Securable&);

// A kind of the tree that is nothing but a name, a comment and an owner.
struct Kind {
  SecurableKind kind;
  std::string_view collection;  // in paths and in lists
  ToJson to_json;
};

constexpr std::string_view kRoot = "/api/2.1/unity-catalog/";

Result<std::string> ContainerOf(SecurableKind kind, const Request& request) {
  switch (kind) {
    case SecurableKind::kSchema: {
      std::string container = request.query.GetString("catalog_name");
      if (container.empty()) {
        return Status(ErrorCode::kInvalidParameterValue, "The query parameter 'catalog_name' is required.");
      }
      return container;
    }
    case SecurableKind::kVolume:
      return SchemaNameOf(request.query.GetString("catalog_name"), request.query.GetString("schema_name"));
    default:
      return std::string();
  }
}

Result<Response> ListKind(const Context& context, const Kind& kind, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const catalog::PageRequest page, ReadPageRequest(request, "max_results"));
  GB_ASSIGN_OR_RETURN(const std::string container, ContainerOf(kind.kind, request));
  GB_ASSIGN_OR_RETURN(const auto listed, context.catalog->securables.List(caller, kind.kind, container, page));
  json::Array items;
  for (const Securable& securable : listed.items) {
    items.push_back(kind.to_json(caller, securable));
  }
  return PageResponse(kind.collection, std::move(items), listed.next_token);
}

Result<Response> DeleteKind(const Context& context, const Kind& kind, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const bool force, request.query.GetBool("force", false));
  // A volume is deleted with its files, as in Unity Catalog.
  const bool all = force || kind.kind == SecurableKind::kVolume;
  GB_RETURN_IF_ERROR(context.catalog->securables.Delete(caller, kind.kind, request.PathParameter("name"),
                                                        all ? IfNotEmpty::kDeleteAll : IfNotEmpty::kFail));
  return Response::Json(json::Object());
}

// GET (list and one), PATCH, DELETE.
void AddKind(const Context& context, http::Router& router, const Kind& kind) {
  const std::string collection = std::string(kRoot) + std::string(kind.collection);
  const std::string item = collection + "/{name}";
  AddEndpoint(context, router, Method::kGet, collection, [context, kind](const Caller& caller, Request& request) {
    return ListKind(context, kind, caller, request);
  });
  AddEndpoint(context, router, Method::kGet, item,
              [context, kind](const Caller& caller, Request& request) -> Result<Response> {
                GB_ASSIGN_OR_RETURN(const Securable found,
                                    context.catalog->securables.Get(caller, kind.kind, request.PathParameter("name")));
                return Response::Json(kind.to_json(caller, found));
              });
  AddEndpoint(context, router, Method::kPatch, item,
              [context, kind](const Caller& caller, Request& request) -> Result<Response> {
                GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
                GB_ASSIGN_OR_RETURN(const catalog::SecurableUpdate update, ReadUpdate(body));
                GB_ASSIGN_OR_RETURN(
                    const Securable updated,
                    context.catalog->securables.Update(caller, kind.kind, request.PathParameter("name"), update));
                return Response::Json(kind.to_json(caller, updated));
              });
  AddEndpoint(context, router, Method::kDelete, item, [context, kind](const Caller& caller, Request& request) {
    return DeleteKind(context, kind, caller, request);
  });
}

Result<Response> CreateCatalog(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  for (const std::string_view member : {"provider_name", "share_name", "connection_name"}) {
    GB_RETURN_IF_ERROR(RefuseMember(body, member, "catalogs hold tables of this server."));
  }
  GB_RETURN_IF_ERROR(RefuseMember(body, "storage_root", "the server keeps managed tables in its data folder."));
  GB_RETURN_IF_ERROR(RefuseMember(body, "properties", "objects have no properties here."));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string name, reader.RequiredString("name"));
  GB_ASSIGN_OR_RETURN(const std::string comment, reader.OptionalString("comment"));
  GB_ASSIGN_OR_RETURN(const Securable created,
                      context.catalog->securables.CreateCatalog(caller, name, comment, IfExists::kFail));
  return Response::Json(CatalogJson(caller, created));
}

Result<Response> CreateSchema(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_RETURN_IF_ERROR(RefuseMember(body, "storage_root", "the server keeps managed tables in its data folder."));
  GB_RETURN_IF_ERROR(RefuseMember(body, "properties", "objects have no properties here."));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string catalog_name, reader.RequiredString("catalog_name"));
  GB_ASSIGN_OR_RETURN(const std::string name, reader.RequiredString("name"));
  GB_ASSIGN_OR_RETURN(const std::string comment, reader.OptionalString("comment"));
  GB_ASSIGN_OR_RETURN(const Securable created,
                      context.catalog->securables.CreateSchema(caller, catalog_name, name, comment, IfExists::kFail));
  return Response::Json(SchemaJson(caller, created));
}

Result<Response> CreateVolume(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string type, reader.OptionalString("volume_type", "MANAGED"));
  if (!EqualsIgnoreCase(type, "MANAGED")) {
    return Status(ErrorCode::kNotSupported, "'volume_type' must be MANAGED: the server keeps the files itself.");
  }
  GB_ASSIGN_OR_RETURN(const std::string catalog_name, reader.RequiredString("catalog_name"));
  GB_ASSIGN_OR_RETURN(const std::string schema_name, reader.RequiredString("schema_name"));
  GB_ASSIGN_OR_RETURN(const std::string schema, SchemaNameOf(catalog_name, schema_name));
  GB_ASSIGN_OR_RETURN(const std::string name, reader.RequiredString("name"));
  GB_ASSIGN_OR_RETURN(const std::string comment, reader.OptionalString("comment"));
  GB_ASSIGN_OR_RETURN(const Securable created,
                      context.catalog->volumes.Create(caller, schema, name, comment, IfExists::kFail));
  return Response::Json(VolumeJson(caller, created));
}

Result<json::Value> MetastoreJson(const Context& context, const Caller& caller) {
  GB_ASSIGN_OR_RETURN(const catalog::Organisation organisation,
                      context.catalog->organisations.Get(caller.organisation));
  return json::Value(json::Object{{"metastore_id", organisation.id.str()},
                                  {"name", organisation.name},
                                  {"global_metastore_id", organisation.global_metastore_id},
                                  {"cloud", organisation.cloud},
                                  {"region", organisation.region},
                                  {"owner", catalog::kAdminsGroup},
                                  {"delta_sharing_scope", "INTERNAL"},
                                  {"delta_sharing_organization_name", organisation.name},
                                  {"external_access_enabled", false},
                                  {"privilege_model_version", "1.0"},
                                  {"created_at", ToInt(organisation.created_at)},
                                  {"updated_at", ToInt(organisation.created_at)}});
}

Result<Response> GetMetastore(const Context& context, const Caller& caller, const Request& request) {
  if (request.PathParameter("id") != caller.organisation.str()) {
    return Status(ErrorCode::kNotFound, "Metastore '" + request.PathParameter("id") + "' does not exist.");
  }
  GB_ASSIGN_OR_RETURN(const json::Value metastore, MetastoreJson(context, caller));
  return Response::Json(metastore);
}

void AddMetastore(const Context& context, http::Router& router) {
  AddEndpoint(context, router, Method::kGet, std::string(kRoot) + "metastore_summary",
              [context](const Caller& caller, Request&) -> Result<Response> {
                GB_ASSIGN_OR_RETURN(const json::Value metastore, MetastoreJson(context, caller));
                return Response::Json(metastore);
              });
  AddEndpoint(context, router, Method::kGet, std::string(kRoot) + "current-metastore-assignment",
              [](const Caller& caller, Request&) -> Result<Response> {
                return Response::Json(
                    json::Object{{"workspace_id", caller.workspace_id}, {"metastore_id", caller.organisation.str()}});
              });
  AddEndpoint(context, router, Method::kGet, std::string(kRoot) + "metastores",
              [context](const Caller& caller, Request&) -> Result<Response> {
                GB_ASSIGN_OR_RETURN(json::Value metastore, MetastoreJson(context, caller));
                return PageResponse("metastores", {std::move(metastore)}, "");
              });
  AddEndpoint(context, router, Method::kGet, std::string(kRoot) + "metastores/{id}",
              [context](const Caller& caller, Request& request) { return GetMetastore(context, caller, request); });
}

}  // namespace

void AddCatalogApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.catalog != nullptr);
  AddMetastore(context, router);
  AddKind(context, router, {SecurableKind::kCatalog, "catalogs", &CatalogJson});
  AddKind(context, router, {SecurableKind::kSchema, "schemas", &SchemaJson});
  AddKind(context, router, {SecurableKind::kVolume, "volumes", &VolumeJson});
  AddEndpoint(context, router, Method::kPost, std::string(kRoot) + "catalogs",
              [context](const Caller& caller, Request& request) { return CreateCatalog(context, caller, request); });
  AddEndpoint(context, router, Method::kPost, std::string(kRoot) + "schemas",
              [context](const Caller& caller, Request& request) { return CreateSchema(context, caller, request); });
  AddEndpoint(context, router, Method::kPost, std::string(kRoot) + "volumes",
              [context](const Caller& caller, Request& request) { return CreateVolume(context, caller, request); });
}

}  // namespace glovebox::api
