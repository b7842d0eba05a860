// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "notebook/notebook.h"
#include "room/run_inputs.h"

namespace glovebox::room {

Result<Program> RunInputs::Read(const std::string& content_base64, const std::string& name) {
  GB_ASSIGN_OR_RETURN(const notebook::Notebook parsed, notebook::ParseNotebookContent(content_base64, name));
  GB_RETURN_IF_ERROR(notebook::CheckRunnable(parsed));
  Program program;
  for (const notebook::Cell& cell : parsed.cells) {
    if (cell.language == notebook::Language::kSql && !TrimAscii(cell.sql).empty()) {
      program.cells.push_back({cell.sql});
    }
  }
  for (const notebook::Widget& widget : parsed.widgets) {
    const bool is_closed =
        widget.kind == notebook::WidgetKind::kDropdown || widget.kind == notebook::WidgetKind::kMultiselect;
    program.parameters.push_back({{widget.name, widget.type, widget.default_value, false},
                                  is_closed ? widget.choices : std::vector<std::string>()});
  }
  return program;
}

}  // namespace glovebox::room
