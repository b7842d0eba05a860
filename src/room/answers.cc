// SPDX-License-Identifier: Apache-2.0
#include "room/answers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "room/documents.h"
#include "room/output_service.h"
#include "room/run_repository.h"

namespace glovebox::room {
namespace {

// Another number makes every room compute anew: for the day on which earlier answers must not be given again.
constexpr std::int64_t kComputationVersion = 1;

// In the order of their names.
json::Value Sorted(std::map<std::string, json::Value> items) {
  json::Array out;
  for (auto& [name, item] : items) {
    out.push_back(std::move(item));
  }
  return json::Value(std::move(out));
}

// Whether some cell may read the parameter, as :name or $name without regard to case. Comments and texts count: that
// tells apart more than it must, never less.
bool IsNamed(const engine::Parameter& parameter, const std::vector<engine::Cell>& cells) {
  const std::string name = AsciiLower(parameter.name);
  return std::ranges::any_of(cells, [&](const engine::Cell& cell) {
    const std::string text = AsciiLower(cell.sql);
    return text.find(":" + name) != std::string::npos || text.find("$" + name) != std::string::npos;
  });
}

Status CheckFile(const Core& core, const std::string& path, const std::string& recorded) {
  GB_ASSIGN_OR_RETURN(const std::string digest, SyncAndDigestFile(core.PathOf(path)));
  return digest == recorded ? Status() : Status(ErrorCode::kDataLoss, "a file is not what was recorded");
}

Result<Answer> AnswerOf(const Core& core, Run run, std::vector<Output> outputs) {
  for (const Output& output : outputs) {
    GB_RETURN_IF_ERROR(CheckFile(core, output.path, output.sha256));
    GB_RETURN_IF_ERROR(CheckFile(core, output.rows_path, output.rows_sha256));
  }
  return Answer{run.id, std::move(run.certificate), std::move(outputs)};
}

}  // namespace

std::string ComputationOf(const std::string& runner_alias, const Inputs& inputs) {
  bool is_remembered = false;
  std::map<std::string, json::Value> assets;
  for (const engine::RunAsset& asset : inputs.request.assets) {
    const bool is_own = asset.role == engine::Role::kOwn;
    is_remembered = is_remembered || !is_own;
    const std::string name = Join(asset.name, ".");
    assets.emplace(name, json::Object{{"name", name},
                                      {"owner", asset.owner},
                                      {"role", is_own ? "own" : "protected"},
                                      {"version", asset.version},
                                      {"policy", asset.policy_digest},
                                      {"rule_sha256", HexDigest(asset.rule)}});
  }
  if (!is_remembered) {
    return "";
  }
  json::Array cells;
  for (const engine::Cell& cell : inputs.request.cells) {
    cells.emplace_back(cell.sql);
  }
  std::map<std::string, json::Value> parameters;
  for (const engine::Parameter& parameter : inputs.request.parameters) {
    if (!IsNamed(parameter, inputs.request.cells)) {
      continue;
    }
    parameters.emplace(parameter.name, json::Object{{"name", parameter.name},
                                                    {"type", parameter.type},
                                                    {"value", parameter.value},
                                                    {"null", parameter.is_null}});
  }
  return HexDigest(json::WriteCanonical(json::Value(json::Object{{"version", kComputationVersion},
                                                                 {"runner", runner_alias},
                                                                 {"cells", std::move(cells)},
                                                                 {"parameters", Sorted(std::move(parameters))},
                                                                 {"inputs", Sorted(std::move(assets))}})));
}

Result<std::optional<Answer>> FindAnswer(Core& core, const RoomId& room, const std::string& computation) {
  if (computation.empty()) {
    return std::optional<Answer>();
  }
  GB_ASSIGN_OR_RETURN(std::optional<Run> run,
                      core.Read([&](store::Transaction& tx) { return FindAnsweringRun(tx, room, computation); }));
  if (!run) {
    return std::optional<Answer>();
  }
  GB_ASSIGN_OR_RETURN(std::vector<Output> outputs,
                      core.Read([&](store::Transaction& tx) { return OutputsOfRun(tx, run->id); }));
  const std::int64_t id = static_cast<std::int64_t>(run->id);
  Result<Answer> answer = AnswerOf(core, std::move(*run), std::move(outputs));
  if (!answer.ok()) {
    log::Error("a recorded answer is damaged; bring its files back from a backup",
               {{"room", room.str()}, {"run_id", id}});
    return answer.status();
  }
  return std::optional<Answer>(std::move(*answer));
}

}  // namespace glovebox::room
