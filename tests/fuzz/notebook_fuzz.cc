// SPDX-License-Identifier: Apache-2.0
//
// Any text is a notebook or a refusal; a notebook is the same after a way through each format that we write, and what
// runs differs from what is shown by blanks only.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "notebook/notebook.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using glovebox::notebook::ParseNotebookText;
  const auto notebook = ParseNotebookText({reinterpret_cast<const char*>(data), size}, "n");
  if (!notebook.ok()) {
    GB_ASSERT(!notebook.status().message().empty());
    return 0;
  }
  const auto from_source = ParseNotebookText(ToSource(*notebook), "n");
  GB_ASSERT(from_source.ok() && *from_source == *notebook);
  const auto from_html = ParseNotebookText(ToHtmlExport(*notebook, "n"), "n");
  GB_ASSERT(from_html.ok() && *from_html == *notebook);
  for (const auto& cell : notebook->cells) {
    GB_ASSERT(cell.sql.empty() || cell.sql.size() == cell.source.size());
    for (std::size_t i = 0; i < cell.sql.size(); ++i) {
      GB_ASSERT(cell.sql[i] == cell.source[i] || cell.sql[i] == ' ');
    }
  }
  return 0;
}
