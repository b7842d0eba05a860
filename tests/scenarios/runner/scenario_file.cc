// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/runner/scenario_file.h"

#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "base/strings.h"

namespace glovebox::scenarios {
namespace {

std::vector<std::string> Words(const std::string& line) {
  std::vector<std::string> out;
  for (const std::string& word : Split(line, ' ')) {
    if (!word.empty()) {
      out.push_back(word);
    }
  }
  return out;
}

Status ReadInto(const std::filesystem::path& path, std::vector<Record>& records);

// Ends the record that was read.
Status Finish(const std::filesystem::path& path, Record& record, std::vector<Record>& records) {
  Record done = std::exchange(record, Record());
  if (done.directive == "include") {
    return ReadInto(path.parent_path() / (done.words.empty() ? "" : done.words[0]), records);
  }
  if (!done.directive.empty()) {
    records.push_back(std::move(done));
  }
  return {};
}

Status ReadInto(const std::filesystem::path& path, std::vector<Record>& records) {
  GB_ASSIGN_OR_RETURN(const std::string text, ReadFile(path.string(), limits::kJsonBodyBytesMax));
  Record record;
  bool expected = false;
  std::size_t number = 0;
  for (const std::string& line : Split(text, '\n')) {
    ++number;
    if (line.starts_with('#')) {
      continue;
    }
    if (TrimAscii(line).empty()) {
      GB_RETURN_IF_ERROR(Finish(path, record, records));
      expected = false;
    } else if (record.directive.empty()) {
      record.line = number;
      record.words = Words(line);
      record.directive = record.words[0];
      record.words.erase(record.words.begin());
    } else if (line == "----") {
      expected = true;
    } else {
      (expected ? record.expected : record.body).push_back(line);
    }
  }
  return Finish(path, record, records);
}

std::string Lines(const std::vector<std::string>& lines) { return Join(lines, "\n"); }

}  // namespace

std::string Record::BodyText() const { return Lines(body); }
std::string Record::ExpectedText() const { return Lines(expected); }

std::vector<std::string> Record::Statements() const {
  std::vector<std::string> out;
  for (const std::string& one : body) {
    if (one.starts_with(' ') && !out.empty()) {
      out.back() += "\n" + one;
    } else {
      out.push_back(one);
    }
  }
  return out;
}

Result<ScenarioFile> ReadScenario(const std::string& path) {
  ScenarioFile file;
  file.name = std::filesystem::path(path).stem().string();
  GB_RETURN_IF_ERROR(ReadInto(path, file.records));
  return file;
}

}  // namespace glovebox::scenarios
