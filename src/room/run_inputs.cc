// SPDX-License-Identifier: Apache-2.0
#include "room/run_inputs.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"

namespace glovebox::room {
namespace {

Statement UpdateProblem(const AssetId& asset, const std::string& problem) {
  return {"UPDATE room_assets SET problem = ? WHERE id = ?", {problem, asset.str()}};
}

bool IsServers(const std::string& name) { return name == kOutputCatalogParameter || name == kOutputSchemaParameter; }

// The declared parameters with the values given.
std::vector<engine::Parameter> Bind(const Program& program, const json::Value& given) {
  std::vector<engine::Parameter> out;
  for (const DeclaredParameter& declared : program.parameters) {
    if (!IsServers(declared.parameter.name)) {
      out.push_back(declared.parameter);
    }
  }
  if (!given.is_object()) {
    return out;
  }
  for (const auto& [name, value] : given.as_object()) {
    const auto slot = std::find_if(out.begin(), out.end(),
                                   [&wanted = name](const engine::Parameter& item) { return item.name == wanted; });
    if (slot != out.end()) {
      slot->value = value.as_string();
    } else {
      out.push_back({name, "", value.as_string(), false});
    }
  }
  return out;
}

Status InvalidParameter(std::string message) {
  return Status(ErrorCode::kInvalidParameterValue, "notebook_base_parameters: " + std::move(message));
}

Status CheckValue(const Program& program, const std::string& name, const json::Value& value) {
  if (!value.is_string()) {
    return InvalidParameter("the value of '" + name + "' must be a text.");
  }
  if (IsServers(name)) {
    return InvalidParameter("'" + name + "' is set by the server.");
  }
  const auto declared = std::find_if(program.parameters.begin(), program.parameters.end(),
                                     [&](const DeclaredParameter& item) { return item.parameter.name == name; });
  if (declared == program.parameters.end()) {
    return program.parameters.empty() ? Status()
                                      : InvalidParameter("the notebook declares no parameter '" + name + "'.");
  }
  const std::vector<std::string>& choices = declared->choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), value.as_string()) == choices.end()) {
    return InvalidParameter("'" + name + "' is one of: " + Join(choices, ", ") + ".");
  }
  return Status();
}

}  // namespace

Status RunInputs::CheckParameters(const Program& program, const json::Value& parameters) {
  if (parameters.is_null()) {
    return Status();
  }
  if (!parameters.is_object()) {
    return InvalidParameter("it must be an object of texts.");
  }
  if (parameters.as_object().size() > limits::kSqlParametersMax) {
    return InvalidParameter("at most " + std::to_string(limits::kSqlParametersMax) + " are allowed.");
  }
  for (const auto& [name, value] : parameters.as_object()) {
    GB_RETURN_IF_ERROR(CheckValue(program, name, value));
  }
  return Status();
}

Result<Inputs> RunInputs::Collect(const Room& room, const std::string& runner_alias, const Program& program,
                                  const json::Value& parameters, const OutputPlace& place) {
  Inputs inputs;
  inputs.request.cells = program.cells;
  inputs.request.parameters = Bind(program, parameters);
  inputs.request.parameters.push_back({std::string(kOutputCatalogParameter), "", place.catalog, false});
  inputs.request.parameters.push_back({std::string(kOutputSchemaParameter), "", place.schema, false});
  GB_ASSIGN_OR_RETURN(const std::vector<Asset> assets,
                      core_.Read([&](store::Transaction& tx) { return ListAssets(tx, room.id); }));
  for (const Asset& asset : assets) {
    if (asset.type == AssetType::kTable) {
      GB_RETURN_IF_ERROR(AddAsset(room, runner_alias, asset, inputs));
    }
  }
  return inputs;
}

Status RunInputs::AddAsset(const Room& room, const std::string& runner_alias, const Asset& asset, Inputs& inputs) {
  GB_ASSIGN_OR_RETURN(const AssetStatus status, assets_.StatusOf(room, asset));
  if (status != AssetStatus::kActive) {
    inputs.unusable.push_back(asset.name + " (" + std::string(Name(status)) + ")");
    return Status();
  }
  const Member* owner = room.FindAlias(asset.owner_alias);
  GB_ASSERT(owner != nullptr);
  const Result<std::shared_ptr<const Prepared>> prepared =
      preparer_.Get(owner->organisation, owner->local_name, asset, asset.rule);
  if (!prepared.ok()) {
    // For the owner alone; to the runner the asset is one that cannot be used now.
    log::Warning("an asset could not be prepared",
                 {{"asset", asset.id.str()}, {"code", std::string(WireName(prepared.status().code()))}});
    inputs.unusable.push_back(asset.name + " (NOT_PREPARED)");
    return core_.Write({UpdateProblem(asset.id, prepared.status().message())});
  }
  if (!asset.problem.empty()) {
    GB_RETURN_IF_ERROR(core_.Write({UpdateProblem(asset.id, "")}));
  }
  preparer_.Keep(asset, *prepared);
  const Prepared& ready = **prepared;
  engine::RunAsset input;
  input.name = Split(asset.name, '.');
  input.owner = asset.owner_alias;
  input.role = asset.owner_alias == runner_alias ? engine::Role::kOwn : engine::Role::kProtected;
  input.rule = asset.rule;
  input.version = ready.version;
  input.policy_digest = ready.policy_digest;
  input.prepared = ready.asset;
  inputs.request.assets.push_back(std::move(input));
  inputs.assets.push_back({asset.name, asset.owner_alias, ready.version, ready.policy_digest, asset.rule_digest});
  inputs.held.push_back(*prepared);
  return Status();
}

}  // namespace glovebox::room
