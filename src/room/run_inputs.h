// SPDX-License-Identifier: Apache-2.0
//
// What a plan or a run of a notebook version gets: its cells, its parameters with their types, and the governed scan of
// every asset that its cells may name and that can be used now.
//
// Protocol of a run: Collect without the room's lock, since preparing reads whole tables; then, with the lock,
// IsCurrent: what was withdrawn, bound by another rule or written in between is not used.
//
// Who learns what: `unusable` names assets and their public status; why an asset could not be prepared is stored for
// its owner only, until it is prepared: what is stored comes of reading the table and ends by it. Threads: thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "room/asset_service.h"
#include "room/core.h"
#include "room/preparer.h"

namespace glovebox::room {

// A parameter that the notebook declares, with its default.
struct DeclaredParameter {
  engine::Parameter parameter;
  std::vector<std::string> choices;  // not empty: the value is one of them
};

// A notebook as the engine takes it.
struct Program {
  std::vector<engine::Cell> cells;
  std::vector<DeclaredParameter> parameters;
};

struct InputAsset {
  AssetId id;
  std::string name;
  std::string owner_alias;
  std::string version;
  std::string policy_version;  // the owner's; only its digest goes further
  std::string policy_digest;
  std::string rule_digest;
  std::string schema_digest;  // of the columns that the rule names, as the certificate has them
};
// As run.authorized names them.
json::Value InputsToJson(const std::vector<InputAsset>& assets);

struct Inputs {
  engine::RunRequest request;  // cells, parameters, assets
  std::vector<InputAsset> assets;
  std::vector<std::string> unusable;                  // "name (PENDING)"
  std::vector<std::shared_ptr<const Prepared>> held;  // keeps the files: those of the assets, in their order, first
};

// Which tables are read to make the inputs. Of one that is not read, the columns follow from its schema, policies and
// rule, and its rows, their number included, change nothing.
enum class Reading { kAll, kRunners, kNone };

// A prepared asset as a run by `runner_alias` gets it.
engine::RunAsset AssetOf(const Asset& asset, const Prepared& prepared, const std::string& runner_alias);

class RunInputs {
 public:
  RunInputs(Core& core, AssetService& assets, Preparer& preparer) : core_(core), assets_(assets), preparer_(preparer) {}

  // Reads the notebook. Returns INVALID_PARAMETER_VALUE or NOT_SUPPORTED with the cell that is wrong.
  static Result<Program> Read(const std::string& content_base64, const std::string& name);
  // For a run by `runner_alias`, which reads all, or a plan of it. NOT_SUPPORTED if the notebook names too many tables.
  // REQUIRES: `parameters` passed CheckParameters.
  Result<Inputs> Collect(const Room& room, const std::string& runner_alias, const Program& program,
                         const json::Value& parameters, Reading reading = Reading::kAll);
  // Whether each asset is still published, under the same rule, readable for its owner's side, and at the version that
  // was prepared. REQUIRES: the room's lock.
  Result<bool> IsCurrent(const Room& room, const Inputs& inputs);
  // `parameters` is an object of texts, or null. Where the notebook declares parameters, there are no others; where it
  // declares none, each is a text.
  static Status CheckParameters(const Program& program, const json::Value& parameters);
  // What the planner gets: the declared parameters with these values or their defaults, then those that are given
  // besides. REQUIRES: they passed CheckParameters.
  static std::vector<engine::Parameter> Bind(const Program& program, const json::Value& parameters);

 private:
  Status AddAsset(const Room& room, const std::string& runner_alias, const Asset& asset, Reading reading,
                  Inputs& inputs);

  Core& core_;
  AssetService& assets_;
  Preparer& preparer_;
};

// The parameters that a notebook names its output tables with. They have no value: what a notebook computes depends on
// nothing but its inputs, wherever its outputs go.
inline constexpr std::string_view kOutputCatalogParameter = "cr_output_catalog";
inline constexpr std::string_view kOutputSchemaParameter = "cr_output_schema";

}  // namespace glovebox::room
