// SPDX-License-Identifier: Apache-2.0
//
// Scenario files: what may be asked of a room, and what is answered. Read by anyone who reads SQL; see ../README.md for
// the format. This header is the parser alone: a file is a list of records, divided by blank lines.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace glovebox::scenarios {

struct Record {
  std::size_t line = 0;               // of the first line, from 1
  std::string directive;              // its first word
  std::vector<std::string> words;     // the others
  std::vector<std::string> body;      // lines up to "----"
  std::vector<std::string> expected;  // lines after it

  [[nodiscard]] std::string BodyText() const;
  [[nodiscard]] std::string ExpectedText() const;
  // Statements, one a line; a line that begins with a space goes on with the one before it.
  [[nodiscard]] std::vector<std::string> Statements() const;
};

struct ScenarioFile {
  std::string name;
  std::vector<Record> records;
};

// `include NAME` is replaced by the records of NAME, beside the file. Comments begin with '#'.
Result<ScenarioFile> ReadScenario(const std::string& path);

}  // namespace glovebox::scenarios
