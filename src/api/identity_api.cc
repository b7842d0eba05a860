// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <optional>
#include <utility>

#include "api/catalog_apis.h"
#include "base/assert.h"
#include "base/limits.h"
#include "base/strings.h"

namespace glovebox::api {
namespace {

using catalog::Activity;
using catalog::Caller;
using catalog::Principal;
using catalog::PrincipalKind;
using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view kRoot = "/api/2.0/preview/scim/v2/";

// A kind of principal as SCIM has it.
struct Resource {
  PrincipalKind kind;
  std::string_view collection;  // in paths
  std::string_view schema;
  std::string_view name_attribute;  // which attribute is the name
};

constexpr Resource kUsers{PrincipalKind::kUser, "Users", "urn:ietf:params:scim:schemas:core:2.0:User", "userName"};
constexpr Resource kGroups{PrincipalKind::kGroup, "Groups", "urn:ietf:params:scim:schemas:core:2.0:Group",
                           "displayName"};
constexpr Resource kServicePrincipals{PrincipalKind::kServicePrincipal, "ServicePrincipals",
                                      "urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal", "applicationId"};

const Resource& ResourceOf(PrincipalKind kind) {
  switch (kind) {
    case PrincipalKind::kUser:
      return kUsers;
    case PrincipalKind::kGroup:
      return kGroups;
    case PrincipalKind::kServicePrincipal:
      return kServicePrincipals;
  }
  return kUsers;
}

json::Array References(const std::vector<Principal>& principals) {
  json::Array items;
  for (const Principal& principal : principals) {
    const std::string number = std::to_string(principal.number);
    const std::string& shown = principal.display_name.empty() ? principal.name : principal.display_name;
    items.emplace_back(json::Object{{"value", number},
                                    {"display", shown},
                                    {"type", "direct"},
                                    {"$ref", std::string(ResourceOf(principal.kind).collection) + "/" + number}});
  }
  return items;
}

enum class Relations { kWith, kWithout };

Result<json::Value> PrincipalJson(const Context& context, const Caller& caller, const Principal& principal,
                                  Relations relations) {
  const Resource& resource = ResourceOf(principal.kind);
  json::Object object{{"schemas", json::Array{resource.schema}}, {"id", std::to_string(principal.number)}};
  object.Set(std::string(resource.name_attribute), principal.name);
  if (principal.kind != PrincipalKind::kGroup) {
    SetText(object, "displayName", principal.display_name);
    object.Set("active", principal.activity == Activity::kActive);
  }
  if (principal.kind == PrincipalKind::kUser) {
    object.Set("emails", json::Array{json::Object{{"value", principal.name}, {"type", "work"}, {"primary", true}}});
  }
  if (relations == Relations::kWith) {
    if (principal.kind == PrincipalKind::kGroup) {
      GB_ASSIGN_OR_RETURN(const auto members, context.catalog->principals.Members(caller, principal.number));
      object.Set("members", References(members));
      object.Set("meta", json::Object{{"resourceType", "Group"}});
    }
    GB_ASSIGN_OR_RETURN(const auto groups, context.catalog->principals.GroupsOf(caller, principal.number));
    object.Set("groups", References(groups));
  }
  return json::Value(std::move(object));
}

Result<std::int64_t> ParseNumber(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Status(ErrorCode::kNotFound, "There is no principal with the id '" + text + "'.");
  }
  return number;
}

// The principal in the path, if it is of the kind.
Result<Principal> FindPrincipal(const Context& context, const Resource& resource, const Caller& caller,
                                const Request& request) {
  const std::string& text = request.PathParameter("id");
  GB_ASSIGN_OR_RETURN(const std::int64_t number, ParseNumber(text));
  GB_ASSIGN_OR_RETURN(const Principal principal, context.catalog->principals.Get(caller, number));
  if (principal.kind != resource.kind) {
    return Status(ErrorCode::kNotFound, "There is no principal with the id '" + text + "' among the " +
                                            std::string(resource.collection) + ".");
  }
  return principal;
}

Result<Response> Me(const Context& context, const Caller& caller, Request&) {
  GB_ASSIGN_OR_RETURN(const Principal principal, context.catalog->principals.Get(caller, caller.principal_number));
  GB_ASSIGN_OR_RETURN(const json::Value user, PrincipalJson(context, caller, principal, Relations::kWith));
  json::Object object = user.as_object();
  if (principal.kind != PrincipalKind::kUser) {
    object.Set("userName", principal.name);  // the shape is a user's, also for a service principal
  }
  Response response = Response::Json(std::move(object));
  response.headers.Set("X-Databricks-Org-Id", std::to_string(caller.workspace_id));
  return response;
}

// `attribute eq "value"`, the one form of SCIM's filters that is understood; nothing without a filter.
struct Filter {
  std::string attribute;
  std::string value;
};

Result<std::optional<Filter>> ReadFilter(const Request& request) {
  const std::string text = request.query.GetString("filter");
  if (text.empty()) {
    return std::optional<Filter>();
  }
  const Status unsupported(ErrorCode::kInvalidParameterValue,
                           "'filter' must have the form: attribute eq \"value\", with userName, displayName, "
                           "applicationId or id as the attribute.");
  const std::size_t space = text.find(' ');
  const std::string_view rest = space == std::string::npos ? "" : TrimAscii(std::string_view(text).substr(space));
  if (rest.size() < 3 || !EqualsIgnoreCase(rest.substr(0, 3), "eq ")) {
    return unsupported;
  }
  std::string_view value = TrimAscii(rest.substr(3));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  Filter filter{text.substr(0, space), std::string(value)};
  for (const std::string_view known : {"userName", "displayName", "applicationId", "id"}) {
    if (EqualsIgnoreCase(filter.attribute, known)) {
      filter.attribute = known;
      return std::optional<Filter>(std::move(filter));
    }
  }
  return unsupported;
}

bool Passes(const Principal& principal, const Filter& filter) {
  if (filter.attribute == "id") {
    return std::to_string(principal.number) == filter.value;
  }
  if (filter.attribute == ResourceOf(principal.kind).name_attribute) {
    return EqualsIgnoreCase(principal.name, filter.value);
  }
  return filter.attribute == "displayName" && EqualsIgnoreCase(principal.display_name, filter.value);
}

Result<Response> ListPrincipals(const Context& context, const Resource& resource, const Caller& caller,
                                const Request& request) {
  GB_ASSIGN_OR_RETURN(const std::optional<Filter> filter, ReadFilter(request));
  GB_ASSIGN_OR_RETURN(const std::int64_t start, request.query.GetInt("startIndex", 1));
  GB_ASSIGN_OR_RETURN(const std::int64_t count, request.query.GetInt("count", limits::kPageSizeDefault));
  if (start < 1 || count < 0) {
    return Status(ErrorCode::kInvalidParameterValue, "'startIndex' starts at 1 and 'count' at 0.");
  }
  GB_ASSIGN_OR_RETURN(const auto all, context.catalog->principals.List(caller, resource.kind));
  json::Array items;
  std::int64_t total = 0;
  for (const Principal& principal : all) {
    if (filter.has_value() && !Passes(principal, *filter)) {
      continue;
    }
    ++total;
    if (total < start || static_cast<std::int64_t>(items.size()) >= std::min(count, limits::kPageSizeMax)) {
      continue;
    }
    GB_ASSIGN_OR_RETURN(json::Value item, PrincipalJson(context, caller, principal, Relations::kWithout));
    items.push_back(std::move(item));
  }
  const auto returned = static_cast<std::int64_t>(items.size());
  return Response::Json(json::Object{{"schemas", json::Array{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}},
                                     {"totalResults", total},
                                     {"startIndex", start},
                                     {"itemsPerPage", returned},
                                     {"Resources", std::move(items)}});
}

// The ids in [{"value": "12"}, ...].
Result<std::vector<std::int64_t>> ReadMembers(const json::Value* members) {
  std::vector<std::int64_t> numbers;
  if (members == nullptr) {
    return numbers;
  }
  if (!members->is_array()) {
    return Status(ErrorCode::kInvalidParameterValue, "'members' must be a list of objects with a 'value'.");
  }
  for (const json::Value& member : members->as_array()) {
    GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(member, "members"));
    GB_ASSIGN_OR_RETURN(const std::int64_t number, reader.RequiredInt("value"));
    numbers.push_back(number);
  }
  return numbers;
}

Result<Principal> CreateGroup(const Context& context, const Caller& caller, const json::Value& body,
                              const json::ObjectReader& reader) {
  GB_ASSIGN_OR_RETURN(const std::string name, reader.RequiredString("displayName"));
  GB_ASSIGN_OR_RETURN(const std::vector<std::int64_t> members, ReadMembers(body.Get("members")));
  for (const std::int64_t member : members) {  // a group is not made for members that are not there
    GB_RETURN_IF_ERROR(context.catalog->principals.Get(caller, member).status());
  }
  GB_ASSIGN_OR_RETURN(const Principal group, context.catalog->principals.CreateGroup(caller, name));
  for (const std::int64_t member : members) {
    GB_RETURN_IF_ERROR(context.catalog->principals.AddMember(caller, group.number, member));
  }
  return group;
}

Result<Response> CreatePrincipal(const Context& context, const Resource& resource, const Caller& caller,
                                 Request& request) {
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(body, "body"));
  GB_ASSIGN_OR_RETURN(const std::string display_name, reader.OptionalString("displayName"));
  Principal created;
  if (resource.kind == PrincipalKind::kGroup) {
    GB_ASSIGN_OR_RETURN(created, CreateGroup(context, caller, body, reader));
  } else if (resource.kind == PrincipalKind::kUser) {
    GB_ASSIGN_OR_RETURN(const std::string name, reader.RequiredString("userName"));
    GB_ASSIGN_OR_RETURN(created, context.catalog->principals.CreateUser(caller, name, display_name));
  } else {
    GB_ASSIGN_OR_RETURN(created, context.catalog->principals.CreateServicePrincipal(caller, display_name));
  }
  GB_ASSIGN_OR_RETURN(const json::Value json, PrincipalJson(context, caller, created, Relations::kWith));
  return Response::Json(json, 201);
}

// "members[value eq \"12\"]" names one member; nothing for other paths.
std::optional<std::int64_t> MemberInPath(std::string_view path) {
  constexpr std::string_view kStart = "members[value eq \"";
  constexpr std::string_view kEnd = "\"]";
  if (!path.starts_with(kStart) || !path.ends_with(kEnd)) {
    return std::nullopt;
  }
  const std::string_view digits = path.substr(kStart.size(), path.size() - kStart.size() - kEnd.size());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(number) : std::nullopt;
}

Status PatchMembers(const Context& context, const Caller& caller, const Principal& group, const std::string& op,
                    const std::string& path, const json::Value* value) {
  const bool adds = EqualsIgnoreCase(op, "add");
  if (!adds && !EqualsIgnoreCase(op, "remove")) {
    return {ErrorCode::kNotSupported, "Members of a group are changed by 'add' and 'remove'."};
  }
  std::vector<std::int64_t> members;
  if (const auto one = MemberInPath(path); one.has_value()) {
    members.push_back(*one);
  } else {
    const bool nested = path.empty() && value != nullptr && value->is_object();
    GB_ASSIGN_OR_RETURN(members, ReadMembers(nested ? value->Get("members") : value));
  }
  for (const std::int64_t member : members) {
    GB_RETURN_IF_ERROR(adds ? context.catalog->principals.AddMember(caller, group.number, member)
                            : context.catalog->principals.RemoveMember(caller, group.number, member));
  }
  return {};
}

// "active" as a flag, or as the text that some clients send.
Result<Activity> ReadActivity(const json::Value& value) {
  if (value.is_bool()) {
    return value.as_bool() ? Activity::kActive : Activity::kInactive;
  }
  if (value.is_string() && EqualsIgnoreCase(value.as_string(), "true")) {
    return Activity::kActive;
  }
  if (value.is_string() && EqualsIgnoreCase(value.as_string(), "false")) {
    return Activity::kInactive;
  }
  return Status(ErrorCode::kInvalidParameterValue, "'active' must be true or false.");
}

Status PatchOne(const Context& context, const Caller& caller, const Principal& principal,
                const json::Value& operation) {
  GB_ASSIGN_OR_RETURN(const json::ObjectReader reader, json::ObjectReader::Of(operation, "Operations"));
  GB_ASSIGN_OR_RETURN(const std::string op, reader.RequiredString("op"));
  GB_ASSIGN_OR_RETURN(const std::string path, reader.OptionalString("path"));
  const json::Value* value = operation.Get("value");
  if (principal.kind == PrincipalKind::kGroup && (path.empty() || path.starts_with("members"))) {
    return PatchMembers(context, caller, principal, op, path, value);
  }
  const json::Value* active = value == nullptr || path == "active" ? value : value->Get("active");
  if (principal.kind == PrincipalKind::kGroup || !(path.empty() || path == "active") || active == nullptr ||
      EqualsIgnoreCase(op, "remove")) {
    return {ErrorCode::kNotSupported, "Only members of groups, and whether a principal is active, can be changed."};
  }
  GB_ASSIGN_OR_RETURN(const Activity activity, ReadActivity(*active));
  return context.catalog->principals.SetActivity(caller, principal.number, activity);
}

Result<Response> PatchPrincipal(const Context& context, const Resource& resource, const Caller& caller,
                                Request& request) {
  GB_ASSIGN_OR_RETURN(const Principal principal, FindPrincipal(context, resource, caller, request));
  GB_ASSIGN_OR_RETURN(const json::Value body, RequireJsonObject(request));
  const json::Value* operations = body.Get("Operations");
  if (operations == nullptr || !operations->is_array()) {
    return Status(ErrorCode::kInvalidParameterValue, "'Operations' must be a list.");
  }
  for (const json::Value& operation : operations->as_array()) {
    GB_RETURN_IF_ERROR(PatchOne(context, caller, principal, operation));
  }
  return Response::Empty();
}

void AddResource(const Context& context, http::Router& router, const Resource& resource) {
  const std::string collection = std::string(kRoot) + std::string(resource.collection);
  const std::string item = collection + "/{id}";
  const auto add = [&](Method method, const std::string& pattern, auto handler) {
    AddEndpoint(context, router, method, pattern,
                [context, resource, handler](const Caller& caller, Request& request) -> Result<Response> {
                  return handler(context, resource, caller, request);
                });
  };
  add(Method::kGet, collection, ListPrincipals);
  add(Method::kPost, collection, CreatePrincipal);
  add(Method::kPatch, item, PatchPrincipal);
  AddEndpoint(context, router, Method::kGet, item,
              [context, resource](const Caller& caller, Request& request) -> Result<Response> {
                GB_ASSIGN_OR_RETURN(const Principal principal, FindPrincipal(context, resource, caller, request));
                GB_ASSIGN_OR_RETURN(const json::Value json,
                                    PrincipalJson(context, caller, principal, Relations::kWith));
                return Response::Json(json);
              });
  AddEndpoint(context, router, Method::kDelete, item,
              [context, resource](const Caller& caller, Request& request) -> Result<Response> {
                GB_ASSIGN_OR_RETURN(const Principal principal, FindPrincipal(context, resource, caller, request));
                GB_RETURN_IF_ERROR(context.catalog->principals.Delete(caller, principal.number));
                return Response::Empty();
              });
}

}  // namespace

void AddIdentityApi(const Context& context, http::Router& router) {
  GB_ASSERT(context.catalog != nullptr);
  AddEndpoint(context, router, Method::kGet, std::string(kRoot) + "Me",
              [context](const Caller& caller, Request& request) { return Me(context, caller, request); });
  AddResource(context, router, kUsers);
  AddResource(context, router, kGroups);
  AddResource(context, router, kServicePrincipals);
}

}  // namespace glovebox::api
