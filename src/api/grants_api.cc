// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>

#include "api/catalog_apis.h"
#include "base/assert.h"

namespace glovebox::api {
namespace {

using catalog::Caller;
using catalog::Privilege;
using catalog::PrivilegeAssignment;
using catalog::SecurableKind;
using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view kPermissions = "/api/2.1/unity-catalog/permissions/{securable_type}/{full_name}";
constexpr std::string_view kEffective = "/api/2.1/unity-catalog/effective-permissions/{securable_type}/{full_name}";

struct Object {
  SecurableKind kind = SecurableKind::kTable;
  std::string name;
};

Result<Object> ReadObject(const Request& request) {
  const std::string& type = request.PathParameter("securable_type");
  const auto kind = catalog::ParseSecurableKind(type);
  if (!kind.has_value()) {
    return Status(ErrorCode::kInvalidParameterValue,
                  "'" + type + "' is no type of securable; there are METASTORE, CATALOG, SCHEMA, TABLE, VOLUME, " +
                      "FUNCTION and CLEAN_ROOM.");
  }
  return Object{*kind, request.PathParameter("full_name")};
}

std::optional<std::string> ReadPrincipal(const Request& request) {
  const std::string* principal = request.query.Find("principal");
  return principal == nullptr || principal->empty() ? std::nullopt : std::optional<std::string>(*principal);
}

Result<std::vector<Privilege>> ReadPrivileges(const json::ObjectReader& change, std::string_view key) {
  GB_ASSIGN_OR_RETURN(const std::vector<std::string> names, change.OptionalStrings(key));
  std::vector<Privilege> privileges;
  for (const std::string& name : names) {
    const auto privilege = catalog::ParsePrivilege(name);
    if (!privilege.has_value()) {
      return Status(ErrorCode::kInvalidParameterValue, "'" + name + "' is no privilege.");
    }
    privileges.push_back(*privilege);
  }
  return privileges;
}

Result<std::vector<catalog::PrivilegeChange>> ReadChanges(const json::Value& body) {
  const json::Value* changes = body.Get("changes");
  if (changes != nullptr && !changes->is_array()) {
    return Status(ErrorCode::kInvalidParameterValue, "'changes' must be a list.");
  }
  std::vector<catalog::PrivilegeChange> result;
  for (const json::Value& item : changes == nullptr ? json::Array() : changes->as_array()) {
    GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(item, "changes"));
    catalog::PrivilegeChange change;
    GB_ASSIGN_OR_RETURN(change.principal, reader.RequiredString("principal"));
    GB_ASSIGN_OR_RETURN(change.add, ReadPrivileges(reader, "add"));
    GB_ASSIGN_OR_RETURN(change.remove, ReadPrivileges(reader, "remove"));
    result.push_back(std::move(change));
  }
  return result;
}

json::Value AssignmentJson(const PrivilegeAssignment& assignment) {
  json::Array privileges;
  for (const Privilege privilege : assignment.privileges) {
    privileges.emplace_back(WireName(privilege));
  }
  return json::Object{{"principal", assignment.principal},
                      {"principal_id", assignment.principal_number},
                      {"privileges", std::move(privileges)}};
}

json::Value EffectiveJson(const catalog::EffectiveAssignment& assignment) {
  json::Array privileges;
  for (const catalog::EffectivePrivilege& effective : assignment.privileges) {
    json::Object object{{"privilege", WireName(effective.privilege)}};
    if (effective.inherited_from_kind.has_value()) {
      object.Set("inherited_from_type", WireName(*effective.inherited_from_kind));
      object.Set("inherited_from_name", effective.inherited_from_name);
    }
    privileges.emplace_back(std::move(object));
  }
  return json::Object{{"principal", assignment.principal},
                      {"principal_id", assignment.principal_number},
                      {"privileges", std::move(privileges)}};
}

// One page of assignments, in the order of the principals' names.
template <typename Assignment>
Result<Response> PageOfAssignments(std::vector<Assignment> all, const Request& request,
                                   json::Value (*to_json)(const Assignment&)) {
  std::sort(all.begin(), all.end(), [](const Assignment& a, const Assignment& b) { return a.principal < b.principal; });
  GB_ASSIGN_OR_RETURN(const catalog::PageRequest page, ReadPageRequest(request, "max_results"));
  GB_ASSIGN_OR_RETURN(const auto paged,
                      PageOf(all, page, [](const Assignment& assignment) { return assignment.principal; }));
  json::Array items;
  for (const Assignment& assignment : paged.items) {
    items.push_back(to_json(assignment));
  }
  return PageResponse("privilege_assignments", std::move(items), paged.next_token);
}

Result<Response> GetPermissions(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const Object object, ReadObject(request));
  GB_ASSIGN_OR_RETURN(auto all, context.catalog->grants.List(caller, object.kind, object.name, ReadPrincipal(request)));
  return PageOfAssignments(std::move(all), request, &AssignmentJson);
}

Result<Response> GetEffective(const Context& context, const Caller& caller, const Request& request) {
  GB_ASSIGN_OR_RETURN(const Object object, ReadObject(request));
  GB_ASSIGN_OR_RETURN(auto all,
                      context.catalog->grants.Effective(caller, object.kind, object.name, ReadPrincipal(request)));
  return PageOfAssignments(std::move(all), request, &EffectiveJson);
}

Result<Response> ChangePermissions(const Context& context, const Caller& caller, Request& request) {
  GB_ASSIGN_OR_RETURN(const Object object, ReadObject(request));
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const bool omit, reader.OptionalBool("omit_permissions_in_response", false));
  GB_ASSIGN_OR_RETURN(const auto changes, ReadChanges(body));
  GB_ASSIGN_OR_RETURN(const auto all, context.catalog->grants.Change(caller, object.kind, object.name, changes));
  if (omit) {
    return Response::Json(json::Object());
  }
  json::Array items;
  for (const PrivilegeAssignment& assignment : all) {
    items.push_back(AssignmentJson(assignment));
  }
  return Response::Json(json::Object{{"privilege_assignments", std::move(items)}});
}

}  // namespace

void AddGrantsApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.catalog != nullptr);
  AddEndpoint(context, router, Method::kGet, kPermissions,
              [context](const Caller& caller, Request& request) { return GetPermissions(context, caller, request); });
  AddEndpoint(context, router, Method::kPatch, kPermissions, [context](const Caller& caller, Request& request) {
    return ChangePermissions(context, caller, request);
  });
  AddEndpoint(context, router, Method::kGet, kEffective,
              [context](const Caller& caller, Request& request) { return GetEffective(context, caller, request); });
}

}  // namespace glovebox::api
