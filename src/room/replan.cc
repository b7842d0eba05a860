// SPDX-License-Identifier: Apache-2.0
#include "room/replan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/encoding.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"
#include "ledger/bundle.h"
#include "ledger/commitment.h"
#include "ledger/fields.h"
#include "ledger/verify.h"
#include "room/documents.h"
#include "room/run_inputs.h"

namespace glovebox::room {
namespace {

using ledger::Entry;
using ledger::EventType;

// A difference, said of a run; any other status is an error.
Status Differs(std::string text) { return Status(ErrorCode::kDataLoss, std::move(text)); }

// What the ledger says of a run before it completes.
struct LedgerRun {
  std::string runner;
  std::optional<Entry> authorized;
};

const json::Array& ArrayAt(const json::Value& value, std::string_view key) {
  static const json::Array kEmpty;
  const json::Value* member = value.Get(key);
  return member != nullptr && member->is_array() ? member->as_array() : kEmpty;
}

// The first member in which two certificates differ.
std::string DifferingMember(const json::Value& a, const json::Value& b) {
  std::set<std::string> names;
  for (const json::Value* certificate : {&a, &b}) {
    if (!certificate->is_object()) {
      return "";
    }
    for (const json::Member& member : certificate->as_object()) {
      if (member.first != "plan") {  // it differs with any other
        names.insert(member.first);
      }
    }
  }
  for (const std::string& name : names) {
    const json::Value* left = a.as_object().Find(name);
    const json::Value* right = b.as_object().Find(name);
    if (left == nullptr || right == nullptr || !(*left == *right)) {
      return name;
    }
  }
  return "plan";
}

class Replanner {
 public:
  Replanner(const ledger::BundleFiles& bundle, engine::Engine& engine) : bundle_(bundle), engine_(engine) {}

  Status Visit(const Entry& entry) {
    switch (entry.type) {
      case EventType::kCodeSubmitted:
        code_.insert_or_assign(entry.subject.id, entry.data);
        break;
      case EventType::kRunRequested:
        runs_[entry.subject.id].runner = entry.actor.party;
        break;
      case EventType::kRunAuthorized:
        runs_[entry.subject.id].authorized = entry;
        break;
      case EventType::kRunCompleted: {
        const Status status = Check(entry);
        if (!status.ok() && status.code() != ErrorCode::kDataLoss) {
          return status;
        }
        results_.push_back({entry.subject.id, entry.seq, status.message()});
        break;
      }
      default:
        break;
    }
    return {};
  }

  std::vector<ReplannedRun> TakeResults() { return std::move(results_); }

 private:
  // The bundle was verified: a blob has the digest that names it.
  Result<std::string> Blob(const std::string& digest, const std::string& what) const {
    Result<std::string> content = ledger::IsDigest(digest) ? bundle_.Read(ledger::BlobPath(digest))
                                                           : Result<std::string>(Status(ErrorCode::kNotFound, ""));
    return content.ok() ? std::move(content) : Differs("the bundle does not have " + what);
  }

  Status Check(const Entry& completed) const {
    const auto known = runs_.find(completed.subject.id);
    if (known == runs_.end() || !known->second.authorized) {
      return Differs("the ledger has no run.authorized of it");
    }
    const LedgerRun& run = known->second;
    const json::Value authorized(run.authorized->data);
    const std::string digest = json::Value(completed.data).GetString("certificate_sha256");
    GB_ASSIGN_OR_RETURN(const std::string text, Blob(digest, "its certificate"));
    const Result<json::Value> certificate = json::Parse(text);
    if (!certificate.ok() || !certificate->is_object() || json::WriteCanonical(*certificate) != text) {
      return Differs("its certificate is not in canonical form");
    }
    engine::RunRequest request;
    request.mode = engine::RunMode::kPlanOnly;
    request.runner = run.runner;
    request.timeout_ms = limits::kPlanTimeoutMs;
    GB_ASSIGN_OR_RETURN(const Program program, ReadProgram(run, authorized));
    request.cells = program.cells;
    GB_ASSIGN_OR_RETURN(request.parameters, Parameters(*certificate, program, *run.authorized));
    GB_RETURN_IF_ERROR(CheckInputs(*certificate, authorized));
    GB_ASSIGN_OR_RETURN(request.assets, Assets(*certificate, run.runner));
    const Result<engine::RunResult> plan = engine_.Run(request);
    if (!plan.ok()) {
      const std::string& message = plan.status().message();
      return engine::IsPlannersRefusal(plan.status().code())
                 ? Differs("code, rules and schemas give no plan: " + message)
                 : Status(plan.status().code(),
                          "the plan of run " + completed.subject.id + " was not made: " + message);
    }
    if (json::WriteCanonical(plan->certificate) != text) {
      return Differs("code, rules and schemas give another certificate: '" +
                     DifferingMember(*certificate, plan->certificate) + "' differs");
    }
    return {};
  }

  Result<Program> ReadProgram(const LedgerRun& run, const json::Value& authorized) const {
    const auto submitted = code_.find(authorized.GetString("etag"));
    if (submitted == code_.end()) {
      return Differs("run.authorized names a version that was never submitted");
    }
    const json::Value code(submitted->second);
    const std::string digest = code.GetString("sha256");
    if (authorized.GetString("code_sha256") != digest) {
      return Differs("run.authorized and code.submitted name different code");
    }
    const json::Array& runners = ArrayAt(code, "runners");
    if (std::find(runners.begin(), runners.end(), json::Value(run.runner)) == runners.end()) {
      return Differs("it was requested by somebody who is no runner of the version");
    }
    GB_ASSIGN_OR_RETURN(const std::string content, Blob(digest, "its code"));
    Result<Program> program = RunInputs::Read(Base64Encode(content), code.GetString("notebook"));
    return program.ok() ? std::move(program) : Differs("its code does not read: " + program.status().message());
  }

  // The values are the certificate's, names and types the notebook's.
  Result<std::vector<engine::Parameter>> Parameters(const json::Value& certificate, const Program& program,
                                                    const Entry& authorized) const {
    json::Object values;
    for (const json::Value& parameter : ArrayAt(certificate, "parameters")) {
      values.Set(parameter.GetString("name"), parameter.GetString("value"));
    }
    const json::Value given(std::move(values));
    if (const Status fits = RunInputs::CheckParameters(program, given); !fits.ok()) {
      return Differs("the notebook does not take the certificate's parameters");
    }
    std::vector<engine::Parameter> bound = RunInputs::Bind(program, given);
    GB_ASSIGN_OR_RETURN(const std::optional<json::Value> opened, OpenedParameters(authorized));
    if (opened) {
      if (!RunInputs::CheckParameters(program, *opened).ok()) {
        return Differs("the notebook does not take the parameters that run.authorized commits to");
      }
      const std::vector<engine::Parameter> actual = RunInputs::Bind(program, *opened);
      for (const json::Member& parameter : given.as_object()) {
        const auto same = [&](const engine::Parameter& item) {
          return item.name == parameter.first && json::Value(item.value) == parameter.second;
        };
        if (std::none_of(actual.begin(), actual.end(), same)) {
          return Differs("a parameter has not the value that run.authorized commits to");
        }
      }
    }
    return bound;
  }

  // Nothing if the bundle, which is another side's, does not have the opening.
  Result<std::optional<json::Value>> OpenedParameters(const Entry& authorized) const {
    const Result<std::string> file =
        bundle_.Read(std::string(ledger::kOpeningPrefix) + std::to_string(authorized.seq) + ".json");
    const Result<json::Value> list = file.ok() ? json::Parse(*file) : Result<json::Value>(json::Value());
    if (!list.ok()) {
      return Differs("the opening of its parameters does not read");
    }
    for (const json::Value& opening : ArrayAt(*list, "openings")) {
      const std::string text = opening.is_string() ? opening.as_string() : "";
      const Result<ledger::OpenedValue> value = ledger::OpenCommitment(text, ledger::CommitmentOf(text));
      if (value.ok() && value->name == "parameters") {
        return std::optional(value->value);
      }
    }
    return std::optional<json::Value>();
  }

  static Status CheckInputs(const json::Value& certificate, const json::Value& authorized) {
    json::Array stated;
    for (const json::Value& input : ArrayAt(certificate, "inputs")) {
      const json::Value* columns = input.Get("columns");
      stated.emplace_back(json::Object{
          {"asset", input.GetString("asset")},
          {"owner", input.GetString("owner")},
          {"version", input.GetString("version")},
          {"policy_commitment", input.GetString("policy")},
          {"rule_sha256", input.GetString("rule_sha256")},
          {"schema_sha256", HexDigest(json::WriteCanonical(columns == nullptr ? json::Value() : *columns))}});
    }
    const json::Value* inputs = authorized.Get("inputs");
    if (inputs == nullptr || json::WriteCanonical(*inputs) != json::WriteCanonical(json::Value(std::move(stated)))) {
      return Differs("its inputs are not those of run.authorized");
    }
    return {};
  }

  Result<std::vector<engine::RunAsset>> Assets(const json::Value& certificate, const std::string& runner) const {
    std::vector<engine::RunAsset> assets;
    for (const json::Value& input : ArrayAt(certificate, "inputs")) {
      engine::RunAsset asset;
      asset.name = Split(input.GetString("asset"), '.');
      asset.owner = input.GetString("owner");
      asset.role = asset.owner == runner ? engine::Role::kOwn : engine::Role::kProtected;
      asset.version = input.GetString("version");
      asset.policy_digest = input.GetString("policy");
      GB_ASSIGN_OR_RETURN(asset.rule, Blob(input.GetString("rule_sha256"), "the rule of an input"));
      for (const json::Value& column : ArrayAt(input, "columns")) {
        asset.prepared.file.columns.push_back({column.GetString("name"), column.GetString("type")});
      }
      assets.push_back(std::move(asset));
    }
    return assets;
  }

  const ledger::BundleFiles& bundle_;
  engine::Engine& engine_;
  std::map<std::string, json::Object> code_;  // by etag
  std::map<std::string, LedgerRun> runs_;
  std::vector<ReplannedRun> results_;
};

}  // namespace

Result<std::vector<ReplannedRun>> Replan(const ledger::BundleFiles& bundle, engine::Engine& engine) {
  Replanner replanner(bundle, engine);
  GB_RETURN_IF_ERROR(ledger::ForEachEntry(bundle, [&](const Entry& entry) { return replanner.Visit(entry); }));
  return replanner.TakeResults();
}

}  // namespace glovebox::room
