// SPDX-License-Identifier: Apache-2.0
//
// Inside of the notebook part: one reader a format. Each gives cells as they are written (magic word, title and all);
// notebook.cc makes sense of them.
//
// Errors: INVALID_PARAMETER_VALUE. Threads: no state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "notebook/notebook.h"

namespace glovebox::notebook {

struct RawCell {
  std::string text;
  std::string title;
  bool markdown = false;  // said by the format, not by a magic word
};

struct RawNotebook {
  Language language = Language::kSql;
  std::vector<RawCell> cells;
};

bool IsHtmlExport(std::string_view text);
Result<RawNotebook> ReadHtmlExport(std::string_view text);

Result<RawNotebook> ReadJupyter(std::string_view text);

bool IsSource(std::string_view text);
Result<RawNotebook> ReadSource(std::string_view text);

// The magic word of a language ("sql"), and back. Nothing is kOther.
std::string_view MagicOf(Language language);
Language LanguageOf(std::string_view word);
// "--" or "#": how a line of the language becomes a comment.
std::string_view CommentOf(Language language);

// The lines of a text, without their ends (LF).
std::vector<std::string_view> Lines(std::string_view text);
// Without blank lines at the start and blanks at the end; the first line keeps its indentation.
std::string TrimBlankLines(std::string_view text);
// A line that means something in Databricks' source format.
bool IsSeparator(std::string_view line, Language language);
bool IsMagicLine(std::string_view line, Language language);
// Takes "-- DBTITLE 1,Title" away from the start of a cell; returns the title.
std::string TakeTitle(std::string& text, Language language);

// Reads the CREATE WIDGET statements at the start of a SQL cell; blanks them out in `cell.sql`.
Status TakeWidgets(Cell& cell, std::size_t number, std::vector<Widget>& widgets);

Status NotebookError(std::string message);
Status CellError(std::size_t number, std::string message);

}  // namespace glovebox::notebook
