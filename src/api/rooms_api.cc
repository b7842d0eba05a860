// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "api/room_apis.h"
#include "api/room_json.h"
#include "base/assert.h"
#include "base/limits.h"
#include "catalog/names.h"
#include "room/rooms.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view kRooms = "/api/2.0/clean-rooms";
constexpr std::string_view kRoom = "/api/2.0/clean-rooms/{name}";
constexpr std::string_view kOutputCatalogs = "/api/2.0/clean-rooms/{name}/output-catalogs";

Status NotOffered(std::string_view what) {
  return Status(ErrorCode::kNotSupported, std::string(what) + " is not offered by this server.");
}

// Shared output makes every collaborator a recipient of every run; nobody gets that by a default.
Status CheckOffered(const json::ObjectReader& room, const json::ObjectReader& details) {
  GB_ASSIGN_OR_RETURN(const bool shared, room.OptionalBool("enable_shared_output", false));
  GB_ASSIGN_OR_RETURN(const bool shared_in_details, details.OptionalBool("enable_shared_output", false));
  if (shared || shared_in_details) {
    return NotOffered("enable_shared_output");
  }
  GB_ASSIGN_OR_RETURN(const std::string provider, details.OptionalString("package_provider_collaborator_alias"));
  return provider.empty() ? Status() : NotOffered("package_provider_collaborator_alias");
}

Result<room::CollaboratorSpec> ReadCollaborator(const json::Value& value) {
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(value, "collaborators[]"));
  room::CollaboratorSpec spec;
  // The older name of the alias is still what some clients send.
  GB_ASSIGN_OR_RETURN(spec.alias, reader.OptionalString("collaborator_alias"));
  if (spec.alias.empty()) {
    GB_ASSIGN_OR_RETURN(spec.alias, reader.OptionalString("catalog_alias"));
  }
  GB_ASSIGN_OR_RETURN(spec.global_metastore_id, reader.OptionalString("global_metastore_id"));
  GB_ASSIGN_OR_RETURN(spec.invite_email, reader.OptionalString("invite_recipient_email"));
  GB_ASSIGN_OR_RETURN(spec.invite_workspace_id, reader.OptionalInt("invite_recipient_workspace_id", 0));
  return spec;
}

Result<room::RoomSpec> ReadRoom(const json::Value& body) {
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(body, "clean_room"));
  room::RoomSpec spec;
  GB_ASSIGN_OR_RETURN(spec.name, reader.RequiredString("name"));
  GB_ASSIGN_OR_RETURN(spec.comment, reader.OptionalString("comment"));
  GB_ASSIGN_OR_RETURN(spec.owner, reader.OptionalString("owner"));
  const json::Value* details = reader.Find("remote_detailed_info");
  if (details == nullptr) {
    return Status(ErrorCode::kInvalidParameterValue, "remote_detailed_info with its collaborators is missing.");
  }
  GB_ASSIGN_OR_RETURN(const auto detail_reader, json::ObjectReader::Of(*details, "remote_detailed_info"));
  GB_RETURN_IF_ERROR(CheckOffered(reader, detail_reader));
  GB_ASSIGN_OR_RETURN(spec.cloud, detail_reader.OptionalString("cloud_vendor"));
  GB_ASSIGN_OR_RETURN(spec.region, detail_reader.OptionalString("region"));
  const json::Value* collaborators = detail_reader.Find("collaborators");
  if (collaborators == nullptr || !collaborators->is_array()) {
    return Status(ErrorCode::kInvalidParameterValue, "remote_detailed_info.collaborators must be a list.");
  }
  for (const json::Value& collaborator : collaborators->as_array()) {
    GB_ASSIGN_OR_RETURN(room::CollaboratorSpec read, ReadCollaborator(collaborator));
    spec.collaborators.push_back(std::move(read));
  }
  json::Object kept;
  for (const std::string_view key : {"egress_network_policy", "compliance_security_profile"}) {
    if (const json::Value* value = detail_reader.Find(key); value != nullptr) {
      kept.Set(std::string(key), *value);
    }
  }
  spec.details = json::Value(std::move(kept));
  if (json::Write(spec.details).size() > limits::kCommentBytesMax) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "egress_network_policy and compliance_security_profile have at most " +
                      std::to_string(limits::kCommentBytesMax) +
                      " bytes together. No cell of a room reaches a network.");
  }
  return spec;
}

Result<Response> CreateRoom(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const room::RoomSpec spec, ReadRoom(Unwrapped(body, "clean_room")));
  GB_ASSIGN_OR_RETURN(const room::RoomView view, context.rooms->rooms().Create(caller, spec));
  return Response::Json(RoomJson(view, RoomDetail::kCreated));
}

Result<Response> ListRooms(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const catalog::PageRequest page, ReadPageRequest(request, "page_size"));
  GB_ASSIGN_OR_RETURN(const auto listed, context.rooms->rooms().List(caller, page));
  json::Array items;
  for (const room::RoomView& view : listed.items) {
    items.push_back(RoomJson(view, RoomDetail::kListed));
  }
  return PageResponse("clean_rooms", std::move(items), listed.next_token);
}

Result<Response> GetRoom(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const room::RoomView view, context.rooms->rooms().Get(caller, request.PathParameter("name")));
  return Response::Json(RoomJson(view, RoomDetail::kFull));
}

Result<Response> UpdateRoom(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(Unwrapped(body, "clean_room"), "clean_room"));
  const std::string& name = request.PathParameter("name");
  GB_ASSIGN_OR_RETURN(const std::string new_name, reader.OptionalString("name", name));
  if (!room::SameName(new_name, name)) {
    return Status(ErrorCode::kInvalidParameterValue, "The name of a clean room is immutable.");
  }
  room::RoomUpdate update;
  if (reader.Find("comment") != nullptr) {
    GB_ASSIGN_OR_RETURN(update.comment, reader.RequiredString("comment"));
  }
  if (reader.Find("owner") != nullptr) {
    GB_ASSIGN_OR_RETURN(update.owner, reader.RequiredString("owner"));
  }
  GB_ASSIGN_OR_RETURN(const room::RoomView view, context.rooms->rooms().Update(caller, name, update));
  return Response::Json(RoomJson(view, RoomDetail::kFull));
}

Result<Response> DeleteRoom(const Context& context, const Caller& caller, const Request& request) {
  GB_RETURN_IF_ERROR(context.rooms->DeleteRoom(caller, request.PathParameter("name")));
  return Response::Json(json::Object());
}

Result<Response> CreateOutputCatalog(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(Unwrapped(body, "output_catalog"), "output_catalog"));
  GB_ASSIGN_OR_RETURN(const std::string name, reader.RequiredString("catalog_name"));
  GB_ASSIGN_OR_RETURN(const std::string created,
                      context.rooms->rooms().CreateOutputCatalog(caller, request.PathParameter("name"), name));
  return Response::Json(
      json::Object{{"output_catalog", json::Object{{"catalog_name", created}, {"status", "CREATED"}}}});
}

}  // namespace

void AddRoomsApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.rooms != nullptr && context.catalog != nullptr);
  const auto add = [&](Method method, std::string_view pattern, auto handler) {
    AddEndpoint(context, router, method, pattern, [context, handler](const Caller& caller, Request& request) {
      return handler(context, caller, request);
    });
  };
  add(Method::kPost, kRooms, CreateRoom);
  add(Method::kGet, kRooms, ListRooms);
  add(Method::kGet, kRoom, GetRoom);
  add(Method::kPatch, kRoom, UpdateRoom);
  add(Method::kDelete, kRoom, DeleteRoom);
  add(Method::kPost, kOutputCatalogs, CreateOutputCatalog);
}

}  // namespace glovebox::api
