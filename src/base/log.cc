// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <unistd.h>

#include <type_traits>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

namespace glovebox::log {
namespace {

std::string_view NameOf(Level level) {
  switch (level) {
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

void AppendValue(const Field& field, std::string& line) {
  std::visit(
      [&line](const auto& value) {
        using Kind = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Kind, std::string>) {
          json::AppendQuoted(value, line);
        } else if constexpr (std::is_same_v<Kind, bool>) {
          line += value ? "true" : "false";
        } else {
          line += std::to_string(value);
        }
      },
      field.value);
}

}  // namespace

void Write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  std::string line = "{\"time\":\"" + FormatRfc3339(SystemClock().Now()) + "\",\"level\":\"";
  line += NameOf(level);
  line += "\",\"message\":";
  json::AppendQuoted(message, line);
  for (const Field& field : fields) {
    line += ',';
    json::AppendQuoted(field.key, line);
    line += ':';
    AppendValue(field, line);
  }
  line += "}\n";
  // One write a line, so that lines of several threads and processes do not mix. Nobody is left to tell if it fails.
  static_cast<void>(WriteAll(STDERR_FILENO, line));
}

}  // namespace glovebox::log
