// SPDX-License-Identifier: Apache-2.0
//
// Notebooks: what collaborators upload, review, approve and run. Several formats come in (Databricks' HTML export,
// Jupyter, Databricks' source format, plain SQL), one form comes out: cells in order, and the parameters that they
// declare. Results and other metadata of an upload are dropped.
//
// A notebook is approved by people who read it here, so what is shown and what runs are the same text: `source` is
// shown, and `sql` is `source` with the declarations of parameters blanked out, byte for byte.
//
// Errors: INVALID_PARAMETER_VALUE, naming the cell. Units: bytes, cells counted from 1. Threads: plain values, no
// state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace glovebox::notebook {

enum class Language { kSql, kPython, kScala, kR, kMarkdown, kOther };  // kOther: %sh, %run, %pip, ...

struct Cell {
  Language language = Language::kSql;
  std::string title;   // one line, or empty
  std::string source;  // without its magic word, but for kOther
  std::string sql;     // of a kSql cell: what runs; blank if the cell only declares parameters
  bool operator==(const Cell&) const = default;
};

enum class WidgetKind { kText, kDropdown, kCombobox, kMultiselect };

// A parameter, declared by CREATE WIDGET at the start of a cell (README.md has the form).
struct Widget {
  WidgetKind kind = WidgetKind::kText;
  std::string name;              // ASCII letters, digits and _
  std::string type = "VARCHAR";  // DuckDB's spelling; the value's text must be of it
  std::string default_value;
  std::vector<std::string> choices;  // not empty: the value is one of them (kCombobox: or any other)
  std::size_t cell = 0;              // from 1
  bool operator==(const Widget&) const = default;
};

struct Notebook {
  Language language = Language::kSql;  // kSql, kPython, kScala or kR
  std::vector<Cell> cells;             // none is empty
  std::vector<Widget> widgets;
  bool operator==(const Notebook&) const = default;
};

// `content` is base64, as in notebook_content and in workspace/import. `name` ends in .py, .scala or .r if a text
// without a header is not SQL.
Result<Notebook> ParseNotebookContent(std::string_view content, std::string_view name);
// The same of the decoded text.
Result<Notebook> ParseNotebookText(std::string_view text, std::string_view name);

// Returns NOT_SUPPORTED, naming the cell, if the notebook has cells that cannot run here, or none that can.
Status CheckRunnable(const Notebook& notebook);

// Databricks' source format. REQUIRES: the notebook came from ParseNotebook...; parsing the text gives it back.
std::string ToSource(const Notebook& notebook);
// Databricks' HTML export: a page that shows the cells, with the model in it that its readers look for. Parsing it
// gives the notebook back.
std::string ToHtmlExport(const Notebook& notebook, std::string_view name);

}  // namespace glovebox::notebook
