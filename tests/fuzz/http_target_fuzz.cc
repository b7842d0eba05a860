// SPDX-License-Identifier: Apache-2.0
//
// Request targets: whatever is accepted is decoded to text that cannot leave its place in a path.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/limits.h"
#include "base/strings.h"
#include "http/router.h"
#include "http/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace glovebox;
  static const http::Router router = [] {
    http::Router made;
    const auto nothing = [](http::Request&) -> Result<http::Response> { return http::Response::Empty(); };
    made.Add(http::Method::kGet, "/a/{b}/c", nothing);
    made.Add(http::Method::kGet, "/a/b/{c...}", nothing);
    made.Add(http::Method::kPost, "/{a}/{b}/{c}", nothing);
    return made;
  }();
  const Result<http::Target> target = http::ParseTarget({reinterpret_cast<const char*>(data), size});
  if (!target.ok()) {
    return 0;
  }
  GB_ASSERT(!target->segments.empty() && target->segments.size() <= limits::kHttpPathSegmentsMax);
  for (const std::string& segment : target->segments) {
    GB_ASSERT(IsValidUtf8(segment) && segment != "." && segment != "..");
    GB_ASSERT(segment.find('/') == std::string::npos && segment.find('\0') == std::string::npos);
  }
  for (const auto& [name, value] : target->query) {
    GB_ASSERT(IsValidUtf8(name) && IsValidUtf8(value));
  }
  for (const http::Method method : {http::Method::kGet, http::Method::kPost, http::Method::kPut}) {
    const http::Router::Match match = router.Find(method, target->segments);
    GB_ASSERT((match.handler != nullptr) == match.status.ok());
    for (const auto& [name, value] : match.path_parameters) {
      GB_ASSERT(!value.empty());
    }
  }
  return 0;
}
