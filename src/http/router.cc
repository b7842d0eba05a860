// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "base/strings.h"

namespace glovebox::http {
namespace {

struct Route {
  Handler handler;
  RouteOptions options;
  std::string pattern;
  std::vector<std::string> names;  // of the parameters, in order
};

// The name inside "{name}" or "{name...}"; empty for a literal.
std::string_view ParameterName(std::string_view segment) {
  if (segment.size() < 3 || segment.front() != '{' || segment.back() != '}') {
    return {};
  }
  std::string_view name = segment.substr(1, segment.size() - 2);
  if (name.ends_with("...")) {
    name.remove_suffix(3);
  }
  return name;
}

bool IsTail(std::string_view segment) { return segment.ends_with("...}"); }

}  // namespace

// A node has one path from the root, so a search visits each node at most once.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::unique_ptr<Node> tail;
  std::map<Method, Route> routes;

  static void List(const Node& node, std::vector<std::pair<Method, std::string>>& list) {
    for (const auto& [method, route] : node.routes) {
      list.emplace_back(method, route.pattern);
    }
    for (const auto& [segment, next] : node.literals) {
      List(*next, list);
    }
    for (const Node* next : {node.parameter.get(), node.tail.get()}) {
      if (next != nullptr) {
        List(*next, list);
      }
    }
  }

  // Where `segments` end, in order of preference, until `visit` says that it is content.
  template <typename Visit>
  static bool Walk(const Node& node, const std::vector<std::string>& segments, std::size_t index,
                   std::vector<std::string>& values, const Visit& visit) {
    if (index == segments.size()) {
      return !node.routes.empty() && visit(node, values);
    }
    const std::string& segment = segments[index];
    if (const auto literal = node.literals.find(segment);
        literal != node.literals.end() && Walk(*literal->second, segments, index + 1, values, visit)) {
      return true;
    }
    if (node.parameter != nullptr && !segment.empty()) {
      values.push_back(segment);
      if (Walk(*node.parameter, segments, index + 1, values, visit)) {
        return true;
      }
      values.pop_back();
    }
    return node.tail != nullptr && WalkTail(*node.tail, segments, index, values, visit);
  }

  template <typename Visit>
  static bool WalkTail(const Node& node, const std::vector<std::string>& segments, std::size_t index,
                       std::vector<std::string>& values, const Visit& visit) {
    std::string joined;
    for (std::size_t i = index; i < segments.size(); ++i) {
      if (segments[i].empty()) {
        if (i + 1 == segments.size() && i > index) {
          break;  // one trailing '/'
        }
        return false;
      }
      joined += i == index ? "" : "/";
      joined += segments[i];
    }
    values.push_back(std::move(joined));
    if (visit(node, values)) {
      return true;
    }
    values.pop_back();
    return false;
  }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::Add(Method method, std::string_view pattern, Handler handler, RouteOptions options) {
  GB_ASSERT(pattern.starts_with('/') && handler != nullptr);
  Route route{std::move(handler), std::move(options), std::string(pattern), {}};
  Node* node = root_.get();
  const std::vector<std::string> segments = Split(pattern.substr(1), '/');
  GB_ASSERT(segments.size() <= limits::kHttpPathSegmentsMax);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::string_view name = ParameterName(segments[i]);
    std::unique_ptr<Node>* next = nullptr;
    if (name.empty()) {
      GB_ASSERT(segments[i].find_first_of("{}") == std::string::npos);
      next = &node->literals[segments[i]];
    } else {
      route.names.emplace_back(name);
      GB_ASSERT(!IsTail(segments[i]) || i + 1 == segments.size());
      next = IsTail(segments[i]) ? &node->tail : &node->parameter;
    }
    if (*next == nullptr) {
      *next = std::make_unique<Node>();
    }
    node = next->get();
  }
  const bool added = node->routes.emplace(method, std::move(route)).second;
  GB_ASSERT(added);
}

std::vector<std::pair<Method, std::string>> Router::Routes() const {
  std::vector<std::pair<Method, std::string>> list;
  Node::List(*root_, list);
  return list;
}

Router::Match Router::Find(Method method, const std::vector<std::string>& segments) const {
  Match match;
  std::set<std::string> allowed;
  const auto visit = [&](const Node& node, std::vector<std::string>& values) {
    auto found = node.routes.find(method);
    if (found == node.routes.end() && method == Method::kHead) {
      found = node.routes.find(Method::kGet);
    }
    if (found == node.routes.end()) {
      for (const auto& [other, route] : node.routes) {
        allowed.emplace(MethodName(other));
        if (other == Method::kGet) {
          allowed.emplace(MethodName(Method::kHead));
        }
        match.route = match.route.empty() ? route.pattern : match.route;
      }
      return false;
    }
    const Route& route = found->second;
    GB_ASSERT(route.names.size() == values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      match.path_parameters.emplace_back(route.names[i], std::move(values[i]));
    }
    match.handler = &route.handler;
    match.options = &route.options;
    match.route = route.pattern;
    return true;
  };
  std::vector<std::string> values;
  if (Node::Walk(*root_, segments, 0, values, visit)) {
    return match;
  }
  if (allowed.empty()) {
    match.status = Status(ErrorCode::kEndpointNotFound, "No endpoint has this path.");
    return match;
  }
  match.allow = Join({allowed.begin(), allowed.end()}, ", ");
  match.status = Status(ErrorCode::kMethodNotAllowed, "This path has the methods " + match.allow + ".");
  return match;
}

}  // namespace glovebox::http
