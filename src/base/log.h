// SPDX-License-Identifier: Apache-2.0
//
// JSON-lines log on stderr. A field is a number, a flag, or a string that is an id, a code or a name
// of ours: log::Info("run finished", {{"run_id", id}, {"duration_ms", n}}). A value of a table, a
// secret or an author's text is never a field; there is no way to log an arbitrary object.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace glovebox::log {

enum class Level { kInfo, kWarning, kError };

struct Field {
  std::string_view key;
  std::variant<std::int64_t, bool, std::string> value;
};

// Thread-safe; one line each.
void Write(Level level, std::string_view message, std::initializer_list<Field> fields);
inline void Info(std::string_view message, std::initializer_list<Field> fields = {}) {
  Write(Level::kInfo, message, fields);
}
inline void Warning(std::string_view message, std::initializer_list<Field> fields = {}) {
  Write(Level::kWarning, message, fields);
}
inline void Error(std::string_view message, std::initializer_list<Field> fields = {}) {
  Write(Level::kError, message, fields);
}

}  // namespace glovebox::log
