// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "api/room_apis.h"
#include "api/room_json.h"
#include "base/assert.h"
#include "base/limits.h"
#include "base/strings.h"
#include "catalog/names.h"
#include "room/rooms.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using http::Method;
using http::Request;
using http::Response;
using room::AssetType;

constexpr std::string_view kAssets = "/api/2.0/clean-rooms/{room}/assets";
constexpr std::string_view kAsset = "/api/2.0/clean-rooms/{room}/assets/{type}/{name}";

// Takes what clients write: "TABLE", and "CleanRoomAssetAssetType.TABLE".
Result<AssetType> ParseType(std::string_view text) {
  const std::string type = AsciiUpper(text.substr(text.rfind('.') + 1));
  if (type == Name(AssetType::kTable)) {
    return AssetType::kTable;
  }
  if (type == Name(AssetType::kNotebook)) {
    return AssetType::kNotebook;
  }
  for (const std::string_view known : {"VIEW", "FOREIGN_TABLE", "VOLUME", "JAR_ANALYSIS", "GENIE_SPACE"}) {
    if (type == known) {
      return Status(ErrorCode::kNotSupported,
                    "Assets of type " + type + " are not offered by this server; TABLE and NOTEBOOK_FILE are.");
    }
  }
  return Status(ErrorCode::kInvalidParameterValue, "asset_type is TABLE or NOTEBOOK_FILE.");
}

Result<room::TableSpec> ReadTable(const json::ObjectReader& asset, std::string name) {
  room::TableSpec spec;
  spec.name = std::move(name);
  const json::Value* details = asset.Find("table_local_details");
  if (details == nullptr) {
    return Status(ErrorCode::kInvalidParameterValue, "table_local_details.local_name is missing.");
  }
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(*details, "table_local_details"));
  GB_ASSIGN_OR_RETURN(spec.local_name, reader.RequiredString("local_name"));
  const json::Value* partitions = reader.Find("partitions");
  if (partitions != nullptr && !(partitions->is_array() && partitions->as_array().empty())) {
    return Status(ErrorCode::kNotSupported,
                  "table_local_details.partitions is not offered by this server; set a row filter on the table.");
  }
  return spec;
}

Result<room::NotebookSpec> ReadNotebook(const json::ObjectReader& asset, std::string name) {
  room::NotebookSpec spec;
  spec.name = std::move(name);
  const json::Value* notebook = asset.Find("notebook");
  if (notebook == nullptr) {
    return spec;
  }
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(*notebook, "notebook"));
  const auto optional = [&](std::string_view key, std::optional<std::string>& out) -> Status {
    if (reader.Find(key) != nullptr) {
      GB_ASSIGN_OR_RETURN(out, reader.RequiredString(key));
    }
    return Status();
  };
  GB_RETURN_IF_ERROR(optional("notebook_content", spec.content));
  GB_RETURN_IF_ERROR(optional("description", spec.description));
  GB_RETURN_IF_ERROR(optional("environment_version", spec.environment_version));
  GB_ASSIGN_OR_RETURN(spec.runners, reader.OptionalStrings("runner_collaborator_aliases"));
  if (const json::Value* contract = reader.Find("output_contract"); contract != nullptr) {
    spec.contract = *contract;
  }
  return spec;
}

Result<Response> CreateAsset(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(Unwrapped(body, "asset"), "asset"));
  const std::string& room_name = request.PathParameter("room");
  GB_ASSIGN_OR_RETURN(const std::string type_name, reader.RequiredString("asset_type"));
  GB_ASSIGN_OR_RETURN(const AssetType type, ParseType(type_name));
  GB_ASSIGN_OR_RETURN(const std::string name, reader.RequiredString("name"));
  GB_ASSIGN_OR_RETURN(const FairGate::Place place, StartBlockingJob(context, caller));
  if (type == AssetType::kTable) {
    GB_ASSIGN_OR_RETURN(const room::TableSpec spec, ReadTable(reader, name));
    GB_ASSIGN_OR_RETURN(const room::AssetView view, context.rooms->assets().PublishTable(caller, room_name, spec));
    return Response::Json(TableAssetJson(view, room_name));
  }
  GB_ASSIGN_OR_RETURN(const room::NotebookSpec spec, ReadNotebook(reader, name));
  GB_ASSIGN_OR_RETURN(const room::NotebookView view, context.rooms->notebooks().Publish(caller, room_name, spec));
  return Response::Json(NotebookAssetJson(view, room_name));
}

Result<Response> ListAssets(const Context& context, const Caller& caller, const Request& request) {
  const std::string& room_name = request.PathParameter("room");
  GB_ASSIGN_OR_RETURN(const catalog::PageRequest page, ReadPageRequest(request, "page_size"));
  GB_ASSIGN_OR_RETURN(const auto tables, context.rooms->assets().ListTables(caller, room_name));
  GB_ASSIGN_OR_RETURN(const auto notebooks, context.rooms->notebooks().List(caller, room_name));
  std::vector<std::pair<std::string, json::Value>> all;
  for (const room::NotebookView& view : notebooks) {
    all.emplace_back("NOTEBOOK_FILE/" + catalog::NameKey(view.asset.name), NotebookAssetJson(view, room_name));
  }
  for (const room::AssetView& view : tables) {
    all.emplace_back("TABLE/" + catalog::NameKey(view.asset.name), TableAssetJson(view, room_name));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  GB_ASSIGN_OR_RETURN(auto listed, PageOf(all, page, [](const auto& item) { return item.first; }));
  json::Array items;
  for (auto& [key, item] : listed.items) {
    items.push_back(std::move(item));
  }
  return PageResponse("assets", std::move(items), listed.next_token);
}

Result<Response> GetAsset(const Context& context, const Caller& caller, const Request& request) {
  const std::string& room_name = request.PathParameter("room");
  const std::string& name = request.PathParameter("name");
  GB_ASSIGN_OR_RETURN(const AssetType type, ParseType(request.PathParameter("type")));
  if (type == AssetType::kTable) {
    GB_ASSIGN_OR_RETURN(const room::AssetView view, context.rooms->assets().GetTable(caller, room_name, name));
    return Response::Json(TableAssetJson(view, room_name));
  }
  GB_ASSIGN_OR_RETURN(const room::NotebookView view, context.rooms->notebooks().Get(caller, room_name, name));
  return Response::Json(NotebookAssetJson(view, room_name));
}

// What stays as it is needs no new version; what a table is published from never changes.
Result<Response> UpdateAsset(const Context& context, const Caller& caller, Request& request) {
  const std::string& room_name = request.PathParameter("room");
  const std::string& name = request.PathParameter("name");
  GB_ASSIGN_OR_RETURN(const AssetType type, ParseType(request.PathParameter("type")));
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(Unwrapped(body, "asset"), "asset"));
  if (type == AssetType::kNotebook) {
    GB_ASSIGN_OR_RETURN(const room::NotebookSpec spec, ReadNotebook(reader, name));
    GB_ASSIGN_OR_RETURN(const FairGate::Place place, StartBlockingJob(context, caller));
    GB_ASSIGN_OR_RETURN(const room::NotebookView view, context.rooms->notebooks().Update(caller, room_name, spec));
    return Response::Json(NotebookAssetJson(view, room_name));
  }
  GB_ASSIGN_OR_RETURN(const room::AssetView view, context.rooms->assets().GetTable(caller, room_name, name));
  if (reader.Find("table_local_details") != nullptr) {
    GB_ASSIGN_OR_RETURN(const room::TableSpec spec, ReadTable(reader, name));
    if (!room::SameName(spec.local_name, view.asset.local_name)) {
      return Status(ErrorCode::kInvalidState,
                    "The table behind an asset does not change; delete the asset and publish the other table.");
    }
  }
  return Response::Json(TableAssetJson(view, room_name));
}

Result<Response> DeleteAsset(const Context& context, const Caller& caller, const Request& request) {
  const std::string& room_name = request.PathParameter("room");
  const std::string& name = request.PathParameter("name");
  GB_ASSIGN_OR_RETURN(const AssetType type, ParseType(request.PathParameter("type")));
  GB_RETURN_IF_ERROR(type == AssetType::kTable ? context.rooms->assets().WithdrawTable(caller, room_name, name)
                                               : context.rooms->notebooks().Withdraw(caller, room_name, name));
  return Response::Json(json::Object());
}

Status RequireNotebook(const Request& request) {
  GB_ASSIGN_OR_RETURN(const AssetType type, ParseType(request.PathParameter("type")));
  return type == AssetType::kNotebook ? Status()
                                      : Status(ErrorCode::kInvalidParameterValue,
                                               "Only assets of type NOTEBOOK_FILE have versions and reviews.");
}

Result<Response> ReviewAsset(const Context& context, const Caller& caller, Request& request) {
  GB_RETURN_IF_ERROR(RequireNotebook(request));
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const auto reader, json::ObjectReader::Of(Unwrapped(body, "notebook_review"), "notebook_review"));
  room::ReviewSpec spec;
  GB_ASSIGN_OR_RETURN(const std::string etag, reader.RequiredString("etag"));
  GB_ASSIGN_OR_RETURN(const std::string state, reader.RequiredString("review_state"));
  GB_ASSIGN_OR_RETURN(spec.comment, reader.OptionalString("comment"));
  spec.etag = Etag(etag);
  if (state == "APPROVED") {
    spec.decision = room::Decision::kApproved;
  } else if (state == "REJECTED") {
    spec.decision = room::Decision::kRejected;
  }
  GB_ASSIGN_OR_RETURN(
      const room::NotebookView view,
      context.rooms->notebooks().Review(caller, request.PathParameter("room"), request.PathParameter("name"), spec));
  return Response::Json(ReviewAnswerJson(view));
}

Result<Response> ListRevisions(const Context& context, const Caller& caller, const Request& request) {
  GB_RETURN_IF_ERROR(RequireNotebook(request));
  const std::string& room_name = request.PathParameter("room");
  GB_ASSIGN_OR_RETURN(catalog::PageRequest page, ReadPageRequest(request, "page_size"));
  page.size = page.size == 0 ? limits::kRevisionsPageSize : page.size;
  GB_ASSIGN_OR_RETURN(const auto listed,
                      context.rooms->notebooks().Revisions(caller, room_name, request.PathParameter("name"), page));
  json::Array items;
  for (const room::NotebookView& view : listed.items) {
    items.push_back(NotebookAssetJson(view, room_name));
  }
  return PageResponse("revisions", std::move(items), listed.next_token);
}

Result<Response> GetRevision(const Context& context, const Caller& caller, const Request& request) {
  GB_RETURN_IF_ERROR(RequireNotebook(request));
  const std::string& room_name = request.PathParameter("room");
  GB_ASSIGN_OR_RETURN(const room::NotebookView view,
                      context.rooms->notebooks().Revision(caller, room_name, request.PathParameter("name"),
                                                          Etag(request.PathParameter("etag"))));
  return Response::Json(NotebookAssetJson(view, room_name));
}

}  // namespace

void AddRoomAssetsApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.rooms != nullptr && context.catalog != nullptr);
  const auto add = [&](Method method, const std::string& pattern, auto handler) {
    AddEndpoint(context, router, method, pattern, [context, handler](const Caller& caller, Request& request) {
      return handler(context, caller, request);
    });
  };
  const std::string asset(kAsset);
  add(Method::kPost, std::string(kAssets), CreateAsset);
  add(Method::kGet, std::string(kAssets), ListAssets);
  add(Method::kGet, asset, GetAsset);
  add(Method::kPatch, asset, UpdateAsset);
  add(Method::kDelete, asset, DeleteAsset);
  add(Method::kPost, asset + "/reviews", ReviewAsset);
  add(Method::kGet, asset + "/revisions", ListRevisions);
  add(Method::kGet, asset + "/revisions/{etag}", GetRevision);
}

}  // namespace glovebox::api
