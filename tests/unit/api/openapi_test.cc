// SPDX-License-Identifier: Apache-2.0
//
// Every route of the server is documented in api/openapi.yaml, and everything documented there is a route: paths of our
// own as OpenAPI paths, Databricks' paths as lines of `x-databricks-routes`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "api/health_api.h"
#include "api/router.h"
#include "base/file.h"
#include "base/strings.h"
#include "engine/engine.h"
#include "room/rooms.h"

namespace glovebox::api {
namespace {

constexpr std::size_t kDocumentBytesMax = 1U << 20U;

class NoEngine final : public engine::Engine {
 public:
  Result<engine::SelectResult> Select(const engine::SelectRequest&) override { return Refused(); }
  Status CheckFunction(const engine::Function&, const std::vector<engine::Function>&) override { return Refused(); }
  Result<engine::PreparedAsset> Prepare(const engine::PrepareRequest&) override { return Refused(); }
  Result<engine::RunResult> Run(const engine::RunRequest&) override { return Refused(); }
  void Cancel(const std::string&) override {}

 private:
  static Status Refused() { return {ErrorCode::kUnavailable, "no engine"}; }
};

// "GET /path" of every route. No endpoint is called, so the rooms need not be there.
std::set<std::string> Routes() {
  SystemClock clock;
  SystemRandom random;
  NoEngine engine;
  Metrics metrics;
  catalog::Catalog catalog(catalog::Context{});
  statement::Executor executor(catalog, engine);
  StatementRuns runs(executor, clock, random);
  alignas(std::max_align_t) static std::array<std::byte, 1> nothing;
  const Context context{.catalog = &catalog,
                        .rooms = reinterpret_cast<room::Rooms*>(nothing.data()),
                        .statements = &executor,
                        .metrics = &metrics};
  std::set<std::string> routes;
  http::Router metrics_router;
  AddMetricsApi(context, metrics_router);
  const http::Router router = MakeRouter(context, runs, "http");
  for (const http::Router* one : {&router, static_cast<const http::Router*>(&metrics_router)}) {
    for (const auto& [method, pattern] : one->Routes()) {
      EXPECT_TRUE(routes.insert(std::string(http::MethodName(method)) + " " + pattern).second);
    }
  }
  return routes;
}

bool IsMethod(const std::string& word) {
  return word == "get" || word == "put" || word == "post" || word == "patch" || word == "delete" || word == "head";
}

// Reads the two places by their indentation: the document is ours and keeps it.
std::set<std::string> Documented() {
  const auto text = ReadFile("api/openapi.yaml", kDocumentBytesMax);
  EXPECT_TRUE(text.ok()) << "run in the root of the repository";
  std::set<std::string> routes;
  std::string section;
  std::string path;
  for (const std::string& line : Split(text.ok() ? *text : "", '\n')) {
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent == std::string::npos || line[indent] == '#') {
      continue;
    }
    const std::string content = line.substr(indent);
    if (indent == 0) {
      section = content;
    } else if (section == "paths:" && indent == 2) {
      path = content.substr(0, content.size() - 1);
    } else if (section == "paths:" && indent == 4 && IsMethod(content.substr(0, content.find(':')))) {
      routes.insert(AsciiUpper(content.substr(0, content.find(':'))) + " " + path);
    } else if (section == "x-databricks-routes:" && content.starts_with("- ")) {
      routes.insert(content.substr(2));
    }
  }
  return routes;
}

TEST(OpenApiTest, EveryRouteIsDocumentedAndNothingElse) {
  const std::set<std::string> routes = Routes();
  const std::set<std::string> documented = Documented();
  std::vector<std::string> missing;
  std::set_difference(routes.begin(), routes.end(), documented.begin(), documented.end(), std::back_inserter(missing));
  EXPECT_THAT(missing, testing::IsEmpty()) << "routes that api/openapi.yaml does not have";
  std::vector<std::string> gone;
  std::set_difference(documented.begin(), documented.end(), routes.begin(), routes.end(), std::back_inserter(gone));
  EXPECT_THAT(gone, testing::IsEmpty()) << "what api/openapi.yaml has and the server has not";
}

}  // namespace
}  // namespace glovebox::api
