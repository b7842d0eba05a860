// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"

#include <fmt/format.h>

#include <iterator>

namespace glovebox {
namespace {

struct Row {
  ErrorCode code;
  std::string_view wire_name;
  int http_status;
  std::string_view meaning;
};

constexpr Row kRows[] = {
#define GB_ERROR_ROW(name, wire, http, meaning) {ErrorCode::name, wire, http, meaning},
    GB_ERROR_CODES(GB_ERROR_ROW)
#undef GB_ERROR_ROW
};

const Row& RowOf(ErrorCode code) { return kRows[static_cast<std::size_t>(code)]; }

}  // namespace

std::string_view WireName(ErrorCode code) { return RowOf(code).wire_name; }

int HttpStatus(ErrorCode code) { return RowOf(code).http_status; }

std::string_view Meaning(ErrorCode code) { return RowOf(code).meaning; }

ErrorCode ErrorCodeFromWireName(std::string_view wire_name) {
  for (const Row& row : kRows) {
    if (row.wire_name == wire_name) {
      return row.code;
    }
  }
  return ErrorCode::kInternal;
}

std::string ErrorCodesMarkdown() {
  std::string table = "| code | HTTP | meaning |\n|---|---|---|\n";
  for (const Row& row : kRows) {
    if (row.code != ErrorCode::kOk) {
      fmt::format_to(std::back_inserter(table), "| `{}` | {} | {} |\n", row.wire_name, row.http_status, row.meaning);
    }
  }
  return table;
}

}  // namespace glovebox
