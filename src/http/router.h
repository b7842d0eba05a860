// SPDX-License-Identifier: Apache-2.0
//
// From a method and a path to a handler.
//
// A pattern is a path of literals and parameters: "/api/2.0/clean-rooms/{name}", and with a last
// segment "{rest...}" for one or more segments, joined with '/'. Literals win over parameters, and
// parameters over a tail. A parameter never takes an empty segment; a tail drops one trailing '/'.
// HEAD goes to the GET handler where it has none of its own.
//
// Threads: Add while there is one thread, Find from any after that.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace glovebox::http {

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // REQUIRES: the pattern is well formed and was not added for this method (asserted).
  void Add(Method method, std::string_view pattern, Handler handler, RouteOptions options = {});

  // What a lookup found: a handler, or the error and, where other methods exist, their Allow header.
  struct Match {
    const Handler* handler = nullptr;       // lives as long as the router
    const RouteOptions* options = nullptr;  // with a handler; lives as long as the router
    std::string route;                      // the pattern; of any method if only the path matched
    Status status;                          // ENDPOINT_NOT_FOUND or METHOD_NOT_ALLOWED without a handler
    std::string allow;
    std::vector<std::pair<std::string, std::string>> path_parameters;
  };
  [[nodiscard]] Match Find(Method method, const std::vector<std::string>& segments) const;

  // Everything that was added, for a comparison with what is documented.
  [[nodiscard]] std::vector<std::pair<Method, std::string>> Routes() const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

}  // namespace glovebox::http
