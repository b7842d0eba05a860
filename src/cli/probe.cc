// SPDX-License-Identifier: Apache-2.0
#include "cli/probe.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"
#include "cli/probe_room.h"

namespace glovebox::cli {
namespace {

// Joins the own table with protected rows; its answer goes nowhere.
constexpr const char* kTrialSql = "SELECT COUNT(*) AS n FROM my JOIN crm USING (user_id)";
constexpr std::int64_t kExactInDouble = std::int64_t{1} << 53;

// Integers beyond 2^53 leave as text: a reader's number type may be a double.
json::Value Leaving(const json::Value& value) {
  if (value.is_int() && (value.as_int() > kExactInDouble || value.as_int() < -kExactInDouble)) {
    return std::to_string(value.as_int());
  }
  return value;
}

class Probe {
 public:
  Probe(engine::Engine& engine, ProbeRoom room, std::string work_folder)
      : engine_(engine), first_(std::move(room)), room_(first_), work_folder_(std::move(work_folder)) {}

  // One statement; what is released goes into `history`.
  json::Object Ask(const std::string& sql, std::vector<json::Value>& history) {
    engine::RunRequest request;
    request.cells.push_back({sql});
    request.assets = room_.assets;
    request.history = history;
    request.inline_rows_max = static_cast<std::int64_t>(limits::kRunOutputRowsMax);
    request.output_folder = work_folder_ + "/" + std::to_string(++steps_);
    request.timeout_ms = limits::kRunTimeoutMs;
    if (const Status made = MakeDirectories(request.output_folder); !made.ok()) {
      return Answer("failed", made);
    }
    Result<engine::RunResult> result = engine_.Run(request);
    const Result<json::Value> left = engine::ReadRecord(request.output_folder);
    const Status removed = RemoveTree(request.output_folder);
    if (!left.ok()) {
      return Answer("failed", left.status());
    }
    if (!left->is_null()) {
      history.push_back(*left);
    }
    if (!result.ok()) {
      const ErrorCode code = result.status().code();
      const bool failed = HttpStatus(code) >= 500 || code == ErrorCode::kResourceExhausted;
      return Answer(failed ? "failed" : "refused", result.status());
    }
    if (!removed.ok()) {
      return Answer("failed", removed);
    }
    history.push_back(result->record);
    json::Object out = Answer("released", Status());
    if (!result->outputs.empty()) {
      const engine::OutputTable& output = result->outputs.back();
      json::Array columns;
      for (const engine::Column& column : output.file.columns) {
        columns.emplace_back(column.name);
      }
      json::Array rows;
      for (const auto& row : output.rows) {
        json::Array cells;
        for (const json::Value& cell : row) {
          cells.push_back(Leaving(cell));
        }
        rows.emplace_back(std::move(cells));
      }
      out.Set("columns", std::move(columns));
      out.Set("rows", std::move(rows));
    }
    return out;
  }

  // What a line does to the own table ends with it.
  void RestoreOwn() { room_ = first_; }

  // A step that replaces the own table. A run over the new one decides whether it is accepted.
  json::Object ReplaceOwn(const std::string& sql, std::vector<json::Value>& history) {
    ProbeRoom before = room_;
    if (const Status replaced = ReplaceOwnTable(engine_, room_, sql, work_folder_ + "/own_" + std::to_string(++steps_));
        !replaced.ok()) {
      return Answer("refused", replaced);
    }
    std::vector<json::Value> past = history;
    const json::Object tried = Ask(kTrialSql, past);
    const json::Value* outcome = tried.Find("outcome");
    if (outcome != nullptr && *outcome == json::Value("released")) {
      return Answer("released", Status());
    }
    room_ = std::move(before);
    return tried;
  }

 private:
  static json::Object Answer(const char* outcome, const Status& status) {
    json::Object out{{"outcome", outcome}};
    if (!status.ok()) {
      out.Set("code", std::string(WireName(status.code())));
      out.Set("rule", status.rule());
      out.Set("message", status.message());
      if (status.position()) {
        out.Set("position", static_cast<std::int64_t>(*status.position()));
      }
    }
    return out;
  }

  engine::Engine& engine_;
  ProbeRoom first_;
  ProbeRoom room_;
  std::string work_folder_;
  std::int64_t steps_ = 0;
};

void Print(const json::Value& id, const json::Object& answer) {
  json::Object line{{"id", id}};
  for (const auto& [key, value] : answer) {
    line.Set(key, value);
  }
  const std::string text = json::Write(line) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void AnswerLine(Probe& probe, const json::Value& line, std::vector<json::Value>& history) {
  const json::Value* id = line.Get("id");
  const json::Value name = id == nullptr ? json::Value() : *id;
  const json::Value* steps = line.Get("steps");
  const json::Value* sql = line.Get("sql");
  probe.RestoreOwn();
  if (steps != nullptr && steps->is_array()) {
    json::Array results;
    for (const json::Value& step : steps->as_array()) {
      results.emplace_back(step.is_string() ? probe.Ask(step.as_string(), history)
                                            : probe.ReplaceOwn(step.GetString("my"), history));
    }
    Print(name, json::Object{{"results", std::move(results)}});
    return;
  }
  if (sql == nullptr || !sql->is_string() || line.GetString("kind", "statement") != "statement") {
    Print(name, json::Object{{"outcome", "skipped"}});
    return;
  }
  Print(name, probe.Ask(sql->as_string(), history));
}

// A folder of our own that goes away with us.
class WorkFolder {
 public:
  WorkFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "glovebox-probe-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) {
      path_ = name;
    }
  }
  ~WorkFolder() {
    if (!path_.empty()) {
      (void)RemoveTree(path_);
    }
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int Complain(const Status& status) {
  std::fprintf(stderr, "glovebox probe: %s\n", status.message().c_str());
  return 2;
}

}  // namespace

int RunProbe(engine::Engine& engine, const std::string& file, const std::string& data_folder, ProbeHistory history) {
  Result<std::string> text = ReadFile(file, limits::kJsonBodyBytesMax);
  if (!text.ok()) {
    return Complain(text.status());
  }
  const WorkFolder work;
  if (work.path().empty()) {
    return Complain(Status(ErrorCode::kInternal, "cannot make a temporary folder"));
  }
  std::error_code error;
  const std::string data = std::filesystem::absolute(data_folder, error).string();
  Result<ProbeRoom> room = PrepareProbeRoom(engine, data, work.path());
  if (!room.ok()) {
    return Complain(room.status());
  }
  Probe probe(engine, std::move(*room), work.path());
  std::vector<json::Value> shared;
  for (const std::string& line : Split(*text, '\n')) {
    if (TrimAscii(line).empty()) {
      continue;
    }
    Result<json::Value> parsed = json::Parse(line);
    if (!parsed.ok()) {
      return Complain(parsed.status());
    }
    std::vector<json::Value> own;
    AnswerLine(probe, *parsed, history == ProbeHistory::kShared ? shared : own);
  }
  return 0;
}

}  // namespace glovebox::cli
