// SPDX-License-Identifier: Apache-2.0
#include "room/run_inputs.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"
#include "query/sql_names.h"
#include "room/documents.h"

namespace glovebox::room {
namespace {

// Only of the rule that was tried: the owner may have set another one meanwhile.
Statement UpdateProblem(const Asset& asset, const std::string& problem) {
  return {"UPDATE room_assets SET problem = ? WHERE id = ? AND rule_digest = ?",
          {problem, asset.id.str(), asset.rule_digest}};
}

// Of the server at this moment, and not of the asset.
bool IsTransient(ErrorCode code) { return code == ErrorCode::kUnavailable || code == ErrorCode::kAborted; }

// Names of parameters are compared as SQL compares them.
bool IsServers(const std::string& name) {
  return EqualsIgnoreCase(name, kOutputCatalogParameter) || EqualsIgnoreCase(name, kOutputSchemaParameter);
}

Status InvalidParameters(std::string message) {
  return Status(ErrorCode::kInvalidParameterValue, "notebook_base_parameters: " + std::move(message));
}

Status CheckValue(const Program& program, const std::string& name, const json::Value& value) {
  if (!value.is_string()) {
    return InvalidParameters("the value of '" + name + "' must be a text.");
  }
  if (value.as_string().size() > limits::kRunParameterBytesMax) {
    return InvalidParameters("the value of '" + name + "' has at most " +
                             std::to_string(limits::kRunParameterBytesMax) + " bytes.");
  }
  if (IsServers(name)) {
    return InvalidParameters("'" + name + "' is set by the server.");
  }
  const auto declared =
      std::find_if(program.parameters.begin(), program.parameters.end(),
                   [&](const DeclaredParameter& item) { return EqualsIgnoreCase(item.parameter.name, name); });
  if (declared == program.parameters.end()) {
    return program.parameters.empty() ? Status()
                                      : InvalidParameters("the notebook declares no parameter '" + name + "'.");
  }
  const std::vector<std::string>& choices = declared->choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), value.as_string()) == choices.end()) {
    return InvalidParameters("'" + name + "' is one of: " + Join(choices, ", ") + ".");
  }
  return Status();
}

std::set<std::string> NamesIn(const Program& program) {
  std::set<std::string> names;
  for (const engine::Cell& cell : program.cells) {
    names.merge(query::DottedNames(cell.sql));
  }
  return names;
}

}  // namespace

json::Value InputsToJson(const std::vector<InputAsset>& assets) {
  json::Array out;
  for (const InputAsset& asset : assets) {
    out.emplace_back(json::Object{{"asset", asset.name},
                                  {"owner", asset.owner_alias},
                                  {"version", asset.version},
                                  {"policy_commitment", asset.policy_digest},
                                  {"rule_sha256", asset.rule_digest},
                                  {"schema_sha256", asset.schema_digest}});
  }
  return json::Value(std::move(out));
}

engine::RunAsset AssetOf(const Asset& asset, const Prepared& prepared, const std::string& runner_alias) {
  engine::RunAsset out;
  out.name = Split(asset.name, '.');
  out.owner = asset.owner_alias;
  out.role = asset.owner_alias == runner_alias ? engine::Role::kOwn : engine::Role::kProtected;
  out.rule = asset.rule;
  out.version = prepared.version;
  out.policy_digest = prepared.policy_digest;
  out.prepared = prepared.asset;
  return out;
}

Status RunInputs::CheckParameters(const Program& program, const json::Value& parameters) {
  if (parameters.is_null()) {
    return Status();
  }
  if (!parameters.is_object()) {
    return InvalidParameters("it must be an object of texts.");
  }
  if (parameters.as_object().size() > limits::kSqlParametersMax) {
    return InvalidParameters("at most " + std::to_string(limits::kSqlParametersMax) + " are allowed.");
  }
  std::set<std::string> names;
  for (const auto& [name, value] : parameters.as_object()) {
    if (name.empty()) {
      return InvalidParameters("a name is empty.");
    }
    if (!names.insert(AsciiLower(name)).second) {
      return InvalidParameters("'" + name + "' is given twice; case does not tell names apart.");
    }
    GB_RETURN_IF_ERROR(CheckValue(program, name, value));
  }
  return Status();
}

std::vector<engine::Parameter> RunInputs::Bind(const Program& program, const json::Value& parameters) {
  std::vector<engine::Parameter> out;
  for (const DeclaredParameter& declared : program.parameters) {
    if (!IsServers(declared.parameter.name)) {
      out.push_back(declared.parameter);
    }
  }
  if (parameters.is_object()) {
    for (const auto& [name, value] : parameters.as_object()) {
      const auto slot = std::find_if(out.begin(), out.end(), [&wanted = name](const engine::Parameter& item) {
        return EqualsIgnoreCase(item.name, wanted);
      });
      if (slot != out.end()) {
        slot->value = value.as_string();
      } else {
        out.push_back({name, "", value.as_string(), false});
      }
    }
  }
  return out;
}

Result<Inputs> RunInputs::Collect(const Room& room, const std::string& runner_alias, const Program& program,
                                  const json::Value& parameters, Reading reading) {
  Inputs inputs;
  inputs.request.runner = runner_alias;
  inputs.request.cells = program.cells;
  inputs.request.parameters = Bind(program, parameters);
  GB_ASSIGN_OR_RETURN(const std::vector<Asset> assets,
                      core_.Read([&](store::Transaction& tx) { return ListAssets(tx, room.id); }));
  const std::set<std::string> names = NamesIn(program);
  std::size_t tables = 0;
  for (const Asset& asset : assets) {
    if (asset.type != AssetType::kTable || !names.contains(AsciiLower(asset.name))) {
      continue;
    }
    if (++tables > limits::kRunTablesMax) {
      return Status(ErrorCode::kNotSupported, "The notebook names more than " + std::to_string(limits::kRunTablesMax) +
                                                  " tables of the clean room.");
    }
    GB_RETURN_IF_ERROR(AddAsset(room, runner_alias, asset, reading, inputs));
  }
  if (json::WriteCanonical(InputsToJson(inputs.assets)).size() > limits::kRunInputsBytesMax) {
    return Status(ErrorCode::kNotSupported, "The notebook names too many tables with names as long as these.");
  }
  return inputs;
}

Result<bool> RunInputs::IsCurrent(const Room& room, const Inputs& inputs) {
  for (const InputAsset& input : inputs.assets) {
    GB_ASSIGN_OR_RETURN(const std::optional<Asset> asset, core_.Read([&](store::Transaction& tx) {
      return FindAsset(tx, room.id, AssetType::kTable, input.name);
    }));
    if (!asset || asset->id != input.id || asset->rule_digest != input.rule_digest) {
      return false;
    }
    GB_ASSIGN_OR_RETURN(const AssetStatus status, assets_.StatusOf(room, *asset));
    if (status != AssetStatus::kActive) {
      return false;
    }
    const Member* owner = room.FindAlias(asset->owner_alias);
    GB_ASSERT(owner != nullptr);
    GB_ASSIGN_OR_RETURN(const auto versions, core_.context().metastores.SourceVersion(
                                                 owner->organisation, owner->local_name, asset->table_id));
    if (versions.first != input.version || versions.second != input.policy_version) {
      return false;
    }
  }
  return true;
}

Status RunInputs::AddAsset(const Room& room, const std::string& runner_alias, const Asset& asset, Reading reading,
                           Inputs& inputs) {
  GB_ASSIGN_OR_RETURN(const AssetStatus status, assets_.StatusOf(room, asset));
  if (status != AssetStatus::kActive) {
    inputs.unusable.push_back(asset.name + " (" + std::string(Name(status)) + ")");
    return Status();
  }
  const Member* owner = room.FindAlias(asset.owner_alias);
  GB_ASSERT(owner != nullptr);
  const bool reads = reading == Reading::kAll || (reading == Reading::kRunners && asset.owner_alias == runner_alias);
  const Result<std::shared_ptr<const Prepared>> prepared =
      reads ? preparer_.Get(owner->organisation, owner->local_name, asset, asset.rule)
            : preparer_.Describe(owner->organisation, owner->local_name, asset);
  if (!prepared.ok()) {
    // Why is for the owner alone; to the runner the asset is one that cannot be used now.
    log::Warning("an asset could not be prepared",
                 {{"asset", asset.id.str()}, {"code", std::string(WireName(prepared.status().code()))}});
    inputs.unusable.push_back(asset.name + " (NOT_PREPARED)");
    return reads && !IsTransient(prepared.status().code())
               ? core_.Write({UpdateProblem(asset, prepared.status().message())})
               : Status();
  }
  if (reads) {
    if (!asset.problem.empty()) {
      GB_RETURN_IF_ERROR(core_.Write({UpdateProblem(asset, "")}));
    }
    preparer_.Keep(asset, *prepared);
  }
  const Prepared& ready = **prepared;
  inputs.request.assets.push_back(AssetOf(asset, ready, runner_alias));
  inputs.assets.push_back({asset.id, asset.name, asset.owner_alias, ready.version, ready.policy_version,
                           ready.policy_digest, asset.rule_digest,
                           HexDigest(json::WriteCanonical(ColumnsToJson(ready.asset.file.columns)))});
  inputs.held.push_back(*prepared);
  return Status();
}

}  // namespace glovebox::room
