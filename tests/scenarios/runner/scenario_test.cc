// SPDX-License-Identifier: Apache-2.0
//
// Runs every tests/scenarios/*.test as one test. `scenario_test FILE...` runs these files only. The program is also the
// worker that the engine starts.
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.h"
#include "base/strings.h"
#include "engine/worker/worker_main.h"
#include "tests/scenarios/runner/constructs.h"
#include "tests/scenarios/runner/room.h"
#include "tests/scenarios/runner/rows.h"
#include "tests/scenarios/runner/scenario_file.h"

namespace glovebox::scenarios {
namespace {

class Scenario {
 public:
  Scenario(const ScenarioFile& file, Workshop& workshop) : file_(file), room_(workshop) {}

  void Run() {
    static const std::map<std::string, void (Scenario::*)(const Record&)> kDirectives{
        {"table", &Scenario::Table},       {"parameter", &Scenario::Parameter},     {"withdraw", &Scenario::Withdraw},
        {"history", &Scenario::History},   {"refuse", &Scenario::Refuse},           {"failed", &Scenario::Failed},
        {"accept", &Scenario::Accept},     {"released", &Scenario::Released},       {"withheld", &Scenario::Withheld},
        {"equal", &Scenario::Equal},       {"certificate", &Scenario::Certificate}, {"outputs", &Scenario::Outputs},
        {"rejected", &Scenario::Rejected}, {"handled", &Scenario::Handled},         {"refused", &Scenario::Refused},
        {"free", &Scenario::Free},         {"unwritten", &Scenario::Unwritten},
    };
    for (const Record& record : file_.records) {
      SCOPED_TRACE(file_.name + ".test:" + std::to_string(record.line));
      const auto found = kDirectives.find(record.directive);
      if (found == kDirectives.end()) {
        ADD_FAILURE() << "unknown directive '" << record.directive << "'";
        return;
      }
      (this->*found->second)(record);
    }
  }

 private:
  // table NAME OWNER [own]: SQL, ----, the rule
  void Table(const Record& record) {
    const Status added = room_.AddTable(record);
    ASSERT_TRUE(added.ok()) << added.message();
  }

  // withdraw NAME...: runs cannot name the table any more
  void Withdraw(const Record& record) {
    for (const std::string& name : record.words) {
      const Status withdrawn = room_.Withdraw(name);
      EXPECT_TRUE(withdrawn.ok()) << withdrawn.message();
    }
  }

  // rejected TEXT: SQL, ----, a rule that the table does not accept
  void Rejected(const Record& record) {
    const Status added =
        room_.AddTable("rejected", "nobody", engine::Role::kProtected, record.BodyText(), record.ExpectedText());
    EXPECT_FALSE(added.ok());
    EXPECT_NE(added.message().find(Join(record.words, " ")), std::string::npos) << added.message();
  }

  // parameter NAME TYPE [VALUE...]; no value is NULL
  void Parameter(const Record& record) {
    ASSERT_GE(record.words.size(), 2U);
    const std::vector<std::string> value(record.words.begin() + 2, record.words.end());
    room_.SetParameter(
        {.name = record.words[0], .type = record.words[1], .value = Join(value, " "), .is_null = value.empty()});
  }

  // history shared|fresh|forget
  void History(const Record& record) {
    ASSERT_EQ(record.words.size(), 1U);
    room_.keeps_history = record.words[0] == "forget" ? room_.keeps_history : record.words[0] == "shared";
    room_.Forget();
  }

  // Whether a refusal goes on after what it refuses: a form to use, or what is allowed. A name that is not there and a
  // text that does not parse have none.
  static bool Instructs(const Status& status) {
    const auto says = [&status](std::string_view words) { return status.message().find(words) != std::string::npos; };
    const bool refusal = status.code() == ErrorCode::kNotSupported || status.code() == ErrorCode::kQueryRefused ||
                         status.code() == ErrorCode::kSqlType;
    return !refusal || says("; ") || says(": ") || says("writ") || says(" use ") || says(" only") || says(" instead");
  }

  // A statement that the planner refuses, in what it says: where, and by which rule ("-" is none).
  std::optional<Status> Refusal(const std::string& sql, const std::string& rule) {
    const Answer answer = room_.Ask(sql);
    if (answer.status.ok()) {
      ADD_FAILURE() << "not refused:\n" << (answer.outputs.empty() ? "" : Show(RowsOf(answer.outputs.back())));
      return std::nullopt;
    }
    EXPECT_EQ(answer.status.rule(), rule == "-" ? "" : rule) << answer.status.message();
    EXPECT_TRUE(answer.status.position().has_value()) << "no position: " << answer.status.message();
    EXPECT_TRUE(Instructs(answer.status)) << "not what to write instead: " << answer.status.message();
    return answer.status;
  }

  // refuse RULE CODE [@PLACE] [TEXT...]: statements; "-" is no rule; the refusal points at PLACE and says TEXT
  void Refuse(const Record& record) {
    ASSERT_GE(record.words.size(), 2U);
    const bool placed = record.words.size() > 2 && record.words[2].starts_with('@');
    const std::string place = placed ? record.words[2].substr(1) : "";
    const std::string text = Join({record.words.begin() + (placed ? 3 : 2), record.words.end()}, " ");
    for (const std::string& sql : record.Statements()) {
      SCOPED_TRACE(sql);
      const std::optional<Status> status = Refusal(sql, record.words[0]);
      if (!status) {
        continue;
      }
      EXPECT_EQ(WireName(status->code()), record.words[1]) << status->message();
      EXPECT_NE(status->message().find(text), std::string::npos) << status->message();
      if (placed) {
        const std::size_t at = status->position().value_or(sql.size());
        EXPECT_EQ(sql.substr(std::min(at, sql.size()), place.size()), place) << status->message();
      }
    }
  }

  // The lists of constructs: see constructs.test.
  void Handled(const Record& record) {
    Accept(record);
    const Construct construct = ReadConstruct(record);
    for (const std::string& sql : construct.refused) {
      SCOPED_TRACE(sql);
      Refusal(sql, construct.rule);
    }
  }

  void Refused(const Record& record) {
    const Construct construct = ReadConstruct(record);
    for (const std::string& sql : construct.examples) {
      SCOPED_TRACE(sql);
      if (const std::optional<Status> status = Refusal(sql, construct.rule)) {
        EXPECT_EQ(status->code(), ErrorCode::kNotSupported) << status->message();
        EXPECT_NE(status->message().find(construct.says), std::string::npos) << status->message();
      }
    }
  }

  void Free(const Record& record) {
    Equal(record);
    const Construct construct = ReadConstruct(record);
    EXPECT_FALSE(construct.refused.empty());
    for (const std::string& sql : construct.refused) {
      SCOPED_TRACE(sql);
      Refusal(sql, construct.rule);
    }
  }

  void Unwritten(const Record& record) { EXPECT_TRUE(record.body.empty()); }

  // failed CODE: statements whose run fails after it has started
  void Failed(const Record& record) {
    ASSERT_EQ(record.words.size(), 1U);
    for (const std::string& sql : record.Statements()) {
      SCOPED_TRACE(sql);
      const Answer answer = room_.Ask(sql);
      ASSERT_FALSE(answer.status.ok());
      EXPECT_EQ(WireName(answer.status.code()), record.words[0]) << answer.status.message();
      EXPECT_EQ(answer.status.rule(), "");
    }
  }

  void Accept(const Record& record) {
    for (const std::string& sql : record.Statements()) {
      SCOPED_TRACE(sql);
      const Answer answer = room_.Ask(sql, engine::RunMode::kPlanAndCheck);
      EXPECT_TRUE(answer.status.ok()) << answer.status.rule() << ": " << answer.status.message();
    }
  }

  // The rows of the last output; nothing, and a failure, if there are none.
  std::optional<std::vector<Row>> Rows(const std::string& sql) {
    const Answer answer = room_.Ask(sql);
    if (answer.status.ok()) {
      const Answer planned = room_.Ask(sql, engine::RunMode::kPlanOnly);
      EXPECT_EQ(planned.certificate, answer.certificate) << "a plan without data has another certificate (P14)";
    }
    if (!answer.status.ok() || answer.outputs.empty()) {
      ADD_FAILURE() << "not released: " << WireName(answer.status.code()) << " " << answer.status.rule() << ": "
                    << answer.status.message();
      return std::nullopt;
    }
    return RowsOf(answer.outputs.back());
  }

  // released [sorted]: SQL, ----, rows
  void Released(const Record& record) {
    SCOPED_TRACE(record.BodyText());
    std::optional<std::vector<Row>> rows = Rows(record.BodyText());
    if (!rows) {
      return;
    }
    std::vector<Row> expected;
    for (const std::string& line : record.expected) {
      Row row;
      for (const std::string& cell : Split(line, '|')) {
        row.emplace_back(TrimAscii(cell));
      }
      expected.push_back(std::move(row));
    }
    if (!record.words.empty() && record.words[0] == "sorted") {
      SortRows(*rows);
      SortRows(expected);
    }
    EXPECT_TRUE(SameRows(*rows, expected)) << "released:\n" << Show(*rows) << "expected:\n" << Show(expected);
  }

  // withheld: statements that release no row
  void Withheld(const Record& record) {
    for (const std::string& sql : record.Statements()) {
      SCOPED_TRACE(sql);
      if (const auto rows = Rows(sql)) {
        EXPECT_TRUE(rows->empty()) << "released:\n" << Show(*rows);
      }
    }
  }

  // equal [ordered], free: statements that release what DuckDB answers without rules
  void Equal(const Record& record) {
    for (const std::string& sql : record.Statements()) {
      SCOPED_TRACE(sql);
      Result<engine::duckdb::ResultTable> table = room_.AskOpenly(sql);
      ASSERT_TRUE(table.ok()) << table.status().message();
      std::vector<Row> expected = RowsOf(*table);
      EXPECT_FALSE(expected.empty()) << "an answer without rows compares nothing";
      std::optional<std::vector<Row>> rows = Rows(sql);
      if (!rows) {
        continue;
      }
      if (record.words.empty() || record.words[0] != "ordered") {
        SortRows(*rows);
        SortRows(expected);
      }
      EXPECT_TRUE(SameRows(*rows, expected)) << "released:\n" << Show(*rows) << "DuckDB:\n" << Show(expected);
    }
  }

  // certificate: SQL, ----, texts that the canonical certificate contains; "!TEXT" must not be there
  void Certificate(const Record& record) {
    SCOPED_TRACE(record.BodyText());
    const Answer answer = room_.Ask(record.BodyText(), engine::RunMode::kPlanOnly);
    ASSERT_TRUE(answer.status.ok()) << answer.status.message();
    for (const std::string& text : record.expected) {
      const bool absent = text.starts_with('!');
      const bool found = answer.certificate.find(text.substr(absent ? 1 : 0)) != std::string::npos;
      EXPECT_NE(found, absent) << text << "\nin " << answer.certificate;
    }
  }

  // outputs: SQL, ----, "NAME ROWS" for each output in order
  void Outputs(const Record& record) {
    SCOPED_TRACE(record.BodyText());
    const Answer answer = room_.Ask(record.BodyText());
    ASSERT_TRUE(answer.status.ok()) << answer.status.rule() << ": " << answer.status.message();
    std::vector<std::string> names;
    for (const engine::OutputTable& output : answer.outputs) {
      names.push_back(output.name + " " + std::to_string(output.file.rows));
    }
    EXPECT_EQ(names, record.expected);
  }

  const ScenarioFile& file_;
  Room room_;
};

class ScenarioTest : public ::testing::Test {
 public:
  explicit ScenarioTest(const std::string& path) : path_(path) {}
  void TestBody() override {
    static Workshop workshop;
    const Result<ScenarioFile> file = ReadScenario(path_);
    ASSERT_TRUE(file.ok()) << file.status().message();
    ASSERT_FALSE(file->records.empty());
    Scenario(*file, workshop).Run();
  }

 private:
  std::string path_;
};

int RegisterAll(std::vector<std::string> paths) {
  if (!paths.empty()) {
    ::testing::GTEST_FLAG(filter) = "Scenarios.*";
  } else {
    for (const auto& entry : std::filesystem::directory_iterator("tests/scenarios")) {
      if (entry.path().extension() == ".test") {
        paths.push_back(entry.path().string());
      }
    }
    std::ranges::sort(paths);
  }
  for (const std::string& path : paths) {
    ::testing::RegisterTest("Scenarios", std::filesystem::path(path).stem().c_str(), nullptr, nullptr, path.c_str(), 1,
                            [path]() -> ScenarioTest* { return new ScenarioTest(path); });
  }
  return paths.empty() ? 1 : 0;
}

}  // namespace
}  // namespace glovebox::scenarios

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "worker") {
    return glovebox::engine::worker::WorkerMain();
  }
  ::testing::InitGoogleTest(&argc, argv);
  if (glovebox::scenarios::RegisterAll({argv + 1, argv + argc}) != 0) {
    std::fprintf(stderr, "scenario_test: no *.test in tests/scenarios; run it in the project's folder\n");
    return 2;
  }
  return RUN_ALL_TESTS();
}
