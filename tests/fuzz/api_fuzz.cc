// SPDX-License-Identifier: Apache-2.0
//
// Requests to the catalogue's endpoints: "METHOD target", a line break, the body. Whatever comes, the answer is a
// result or an error of the request's; and an organisation never reads a name of another's.
#include <unistd.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "api/catalog_apis.h"
#include "base/assert.h"
#include "base/file.h"
#include "base/json.h"
#include "base/strings.h"
#include "catalog/catalog.h"
#include "catalog/migrations.h"
#include "crypto/aead.h"
#include "http/router.h"
#include "http/target.h"
#include "statement/executor.h"
#include "store/database.h"

namespace glovebox {
namespace {

constexpr int kInputsPerWorld = 2'000;  // then the database is made anew
constexpr std::string_view kForeignName = "zq9foreign9qz";

class NoEngine final : public engine::Engine {
 public:
  Result<engine::SelectResult> Select(const engine::SelectRequest&) override { return Refused(); }
  Status CheckFunction(const engine::Function&, const std::vector<engine::Function>&) override { return {}; }
  Result<engine::PreparedAsset> Prepare(const engine::PrepareRequest&) override { return Refused(); }
  Result<engine::RunResult> Run(const engine::RunRequest&) override { return Refused(); }
  void Cancel(const std::string&) override {}

 private:
  static Status Refused() { return {ErrorCode::kNotSupported, "no engine"}; }
};

// A server's catalogue with two organisations, and its endpoints.
class World {
 public:
  World() : folder_("/tmp/glovebox-api-fuzz-" + std::to_string(getpid())) {
    GB_ASSERT(RemoveTree(folder_).ok() && MakeDirectories(folder_).ok());
    GB_ASSERT(store::Migrate(*database_, catalog::Migrations()).ok());
    token_ = Bootstrap("Asking", "ann@asking.example");
    const std::string foreign = Bootstrap("Foreign", "fred@foreign.example");
    const catalog::Caller owner = catalog_.tokens.Authenticate(foreign).value();
    const std::string name(kForeignName);
    GB_ASSERT(catalog_.securables.CreateCatalog(owner, name, "", catalog::IfExists::kFail).ok());
    GB_ASSERT(catalog_.volumes.Create(owner, name + ".default", name, "", catalog::IfExists::kFail).ok());
    GB_ASSERT(catalog_.secrets.CreateScope(owner, name, "").ok());
    GB_ASSERT(catalog_.principals.CreateGroup(owner, name).ok());
    const api::Context context{.catalog = &catalog_, .rooms = nullptr, .statements = &executor_, .metrics = nullptr};
    for (const auto add : {api::AddIdentityApi, api::AddTokensApi, api::AddCatalogApi, api::AddTablesApi,
                           api::AddGrantsApi, api::AddFilesApi, api::AddSecretsApi}) {
      add(context, router_);
    }
  }
  ~World() { static_cast<void>(RemoveTree(folder_)); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void Ask(std::string_view input) {
    const std::size_t line_end = std::min(input.find('\n'), input.size());
    const std::string_view line = input.substr(0, line_end);
    const std::size_t space = std::min(line.find(' '), line.size());
    const auto method = http::MethodFromName(line.substr(0, space));
    auto target = http::ParseTarget(space < line.size() ? line.substr(space + 1) : "");
    if (!method.has_value() || !target.ok()) {
      return;
    }
    http::Router::Match match = router_.Find(*method, target->segments);
    if (match.handler == nullptr) {
      return;
    }
    http::Request request;
    request.method = *method;
    holds_name_ = holds_name_ || Names(target->segments, input.substr(std::min(line_end + 1, input.size())));
    request.query = std::move(target->query);
    request.path_parameters = std::move(match.path_parameters);
    request.headers.Add("Authorization", "Bearer " + token_);
    request.headers.Add("Range", "bytes=" + std::string(input.substr(0, std::min<std::size_t>(input.size(), 8))));
    request.body = std::make_unique<http::StringBody>(std::string(input.substr(std::min(line_end + 1, input.size()))));
    const auto response = (*match.handler)(request);
    const std::string* body = response.ok() ? std::get_if<std::string>(&response->body) : nullptr;
    const std::string_view text = response.ok() ? (body == nullptr ? "" : std::string_view(*body))
                                                : std::string_view(response.status().message());
    const ErrorCode code = response.status().code();
    GB_ASSERT(code != ErrorCode::kInternal && code != ErrorCode::kDataLoss && IsValidUtf8(text));
    const bool is_asked_for = AsciiLower(input).find("zq") != std::string::npos ||
                              input.find('%') != std::string::npos || input.find('\\') != std::string::npos;
    GB_ASSERT(is_asked_for || holds_name_ || text.find(kForeignName) == std::string_view::npos);
  }

  // Whether the asking organisation may have written the name itself: then it reads it.
  [[nodiscard]] bool HoldsName() const { return holds_name_; }

 private:
  // Whether the name is in a path, or in a body, as it stands there or as JSON.
  static bool Names(const std::vector<std::string>& path, std::string_view body) {
    const auto names = [](std::string_view text) { return AsciiLower(text).find(kForeignName) != std::string::npos; };
    const Result<json::Value> value = json::Parse(body);
    return names(body) || std::ranges::any_of(path, names) || (value.ok() && names(json::WriteCanonical(*value)));
  }

  std::string Bootstrap(const std::string& name, const std::string& admin) {
    return catalog_.organisations.Create({.name = name, .cloud = "c", .region = "r", .admin_user = admin})
        .value()
        .admin_token.value;
  }

  std::string folder_;
  ManualClock clock_{TimeMs{1'800'000'000'000}};
  SeededRandom random_{1};
  crypto::MasterKey master_key_ = crypto::MasterKey::FromBytes(std::string(crypto::kMasterKeyBytes, 'k')).value();
  std::unique_ptr<store::Database> database_ = store::OpenSqlite(":memory:").value();
  catalog::Catalog catalog_{catalog::Context{.database = database_.get(),
                                             .clock = &clock_,
                                             .random = &random_,
                                             .master_key = &master_key_,
                                             .data_folder = folder_}};
  NoEngine engine_;
  statement::Executor executor_{catalog_, engine_};
  http::Router router_;
  std::string token_;
  bool holds_name_ = false;
};

}  // namespace
}  // namespace glovebox

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::unique_ptr<glovebox::World> world;
  static int inputs = 0;
  if (inputs++ % glovebox::kInputsPerWorld == 0 || world->HoldsName()) {
    world.reset();
    world = std::make_unique<glovebox::World>();
  }
  world->Ask({reinterpret_cast<const char*>(data), size});
  return 0;
}
