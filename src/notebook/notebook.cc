// SPDX-License-Identifier: Apache-2.0
#include "notebook/notebook.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "notebook/formats.h"

namespace glovebox::notebook {
namespace {

struct LanguageWord {
  Language language;
  std::string_view magic;
  std::string_view comment;
};

constexpr std::array kLanguages = {
    LanguageWord{Language::kSql, "sql", "--"},     LanguageWord{Language::kPython, "python", "#"},
    LanguageWord{Language::kScala, "scala", "//"}, LanguageWord{Language::kR, "r", "#"},
    LanguageWord{Language::kMarkdown, "md", "#"},
};

bool IsBlank(std::string_view text) { return TrimAscii(text).empty(); }

std::string WithLineFeeds(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') {
      out += '\n';
      i += i + 1 < text.size() && text[i + 1] == '\n' ? 1U : 0U;
    } else {
      out += text[i];
    }
  }
  return out;
}

// "%sql SELECT 1" is SQL; "%sh ls" stays as it is.
void TakeMagic(std::string& text, Cell& cell) {
  const std::size_t percents = text.find_first_not_of('%');
  if (text.empty() || text.front() != '%' || percents == std::string::npos) {
    return;
  }
  const std::size_t end = std::min(text.find_first_of(" \t\n", percents), text.size());
  const std::string word = AsciiLower(std::string_view(text).substr(percents, end - percents));
  cell.language = word == "md-sandbox" ? Language::kMarkdown : LanguageOf(word);
  if (cell.language != Language::kOther) {
    text = TrimBlankLines(std::string_view(text).substr(end < text.size() ? end + 1 : end));
  }
}

Status CheckLines(const Cell& cell, Language notebook_language, std::size_t number) {
  for (const std::string_view line : Lines(cell.source)) {
    if (IsSeparator(line, notebook_language) || IsMagicLine(line, notebook_language)) {
      return CellError(number, "has a line that separates or marks cells in Databricks' source format");
    }
  }
  if (cell.language != Language::kOther && cell.source.front() == '%') {
    return CellError(number, "has two magic words");
  }
  std::string source = cell.source;
  if (!TakeTitle(source, notebook_language).empty() && cell.language == notebook_language) {
    return CellError(number, "has two titles");
  }
  const bool control =
      std::any_of(cell.title.begin(), cell.title.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20U; });
  if (control || cell.title.size() > limits::kNotebookTitleBytesMax) {
    return CellError(number, "has a title that is no short line");
  }
  return {};
}

// Adds the cell to the notebook; an empty one is left out.
Status AddCell(const RawCell& raw, Notebook& notebook) {
  const std::size_t number = notebook.cells.size() + 1;
  Cell cell;
  cell.language = raw.markdown ? Language::kMarkdown : notebook.language;
  std::string text = TrimBlankLines(WithLineFeeds(raw.text));
  cell.title = std::string(TrimAscii(raw.title));
  if (cell.title.empty()) {
    cell.title = TakeTitle(text, notebook.language);
    text = TrimBlankLines(text);
  }
  if (!raw.markdown) {
    TakeMagic(text, cell);
    if (cell.title.empty() && cell.language == notebook.language) {
      cell.title = TakeTitle(text, notebook.language);
      text = TrimBlankLines(text);
    }
  }
  if (IsBlank(text)) {
    return {};
  }
  if (number > limits::kNotebookCellsMax) {
    return NotebookError("a notebook has at most " + std::to_string(limits::kNotebookCellsMax) + " cells");
  }
  cell.source = std::move(text);
  GB_RETURN_IF_ERROR(CheckLines(cell, notebook.language, number));
  if (cell.language == Language::kSql) {
    GB_RETURN_IF_ERROR(TakeWidgets(cell, number, notebook.widgets));
  }
  notebook.cells.push_back(std::move(cell));
  return {};
}

Language LanguageOfName(std::string_view name) {
  const std::string lower = AsciiLower(name);
  if (lower.ends_with(".py")) {
    return Language::kPython;
  }
  if (lower.ends_with(".scala")) {
    return Language::kScala;
  }
  return lower.ends_with(".r") ? Language::kR : Language::kSql;
}

Result<RawNotebook> ReadRaw(std::string_view text, std::string_view name) {
  const std::string_view trimmed = TrimAscii(text);
  if (IsHtmlExport(trimmed)) {
    return ReadHtmlExport(trimmed);
  }
  if (trimmed.starts_with('{')) {
    return ReadJupyter(trimmed);
  }
  if (IsSource(text)) {
    return ReadSource(text);
  }
  if (trimmed.starts_with('<')) {
    return NotebookError("the HTML page has no notebook in it (__DATABRICKS_NOTEBOOK_MODEL)");
  }
  RawNotebook raw;
  raw.language = LanguageOfName(name);
  raw.cells.push_back({.text = std::string(text), .title = ""});
  return raw;
}

std::string_view DisplayName(Language language) {
  switch (language) {
    case Language::kSql:
      return "SQL";
    case Language::kPython:
      return "Python";
    case Language::kScala:
      return "Scala";
    case Language::kR:
      return "R";
    case Language::kMarkdown:
      return "Markdown";
    default:
      return "a command of another kind";
  }
}

}  // namespace

Result<Notebook> ParseNotebookContent(std::string_view content, std::string_view name) {
  // A notebook in base64 is a third longer.
  if (content.size() > limits::kNotebookBytesMax / 3 * 4 + 4) {
    return Status(ErrorCode::kPayloadTooLarge,
                  "a notebook has at most " + std::to_string(limits::kNotebookBytesMax) + " bytes");
  }
  std::string base64;
  for (const char c : content) {
    if (c != '\n' && c != '\r') {  // encoders wrap lines
      base64 += c;
    }
  }
  const Result<std::string> text = Base64Decode(base64);
  if (!text.ok()) {
    return NotebookError("the content of a notebook must be base64: " + text.status().message());
  }
  return ParseNotebookText(*text, name);
}

Result<Notebook> ParseNotebookText(std::string_view text, std::string_view name) {
  if (text.size() > limits::kNotebookBytesMax) {
    return Status(ErrorCode::kPayloadTooLarge,
                  "a notebook has at most " + std::to_string(limits::kNotebookBytesMax) + " bytes");
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  if (!IsValidUtf8(text) || text.find('\0') != std::string_view::npos) {
    return NotebookError("a notebook must be UTF-8 text without NUL");
  }
  GB_ASSIGN_OR_RETURN(const RawNotebook raw, ReadRaw(text, name));
  Notebook notebook;
  notebook.language = raw.language;
  for (const RawCell& cell : raw.cells) {
    // JSON brings what the check of the text above did not see.
    if (cell.text.find('\0') != std::string::npos) {
      return CellError(notebook.cells.size() + 1, "has a NUL character");
    }
    GB_RETURN_IF_ERROR(AddCell(cell, notebook));
  }
  if (notebook.cells.empty()) {
    return NotebookError("the notebook has no cells");
  }
  return notebook;
}

Status CheckRunnable(const Notebook& notebook) {
  bool runs = false;
  for (std::size_t i = 0; i < notebook.cells.size(); ++i) {
    const Cell& cell = notebook.cells[i];
    if (cell.language != Language::kSql && cell.language != Language::kMarkdown) {
      return Status(ErrorCode::kNotSupported, "cell " + std::to_string(i + 1) + " is " +
                                                  std::string(DisplayName(cell.language)) +
                                                  "; a notebook that runs here has SQL and Markdown cells only");
    }
    runs = runs || (cell.language == Language::kSql && !IsBlank(cell.sql));
  }
  return runs ? Status() : Status(ErrorCode::kNotSupported, "the notebook has no SQL to run");
}

std::string_view MagicOf(Language language) {
  for (const LanguageWord& word : kLanguages) {
    if (word.language == language) {
      return word.magic;
    }
  }
  return "";
}

Language LanguageOf(std::string_view word) {
  for (const LanguageWord& known : kLanguages) {
    if (known.magic == word) {
      return known.language;
    }
  }
  return Language::kOther;
}

std::string_view CommentOf(Language language) {
  for (const LanguageWord& word : kLanguages) {
    if (word.language == language) {
      return word.comment;
    }
  }
  return "#";
}

std::string TrimBlankLines(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0 && IsBlank(text.substr(end - 1, 1))) {
    --end;
  }
  text = text.substr(0, end);
  while (true) {
    const std::size_t line = text.find('\n');
    if (line == std::string_view::npos || !IsBlank(text.substr(0, line))) {
      return std::string(text);
    }
    text.remove_prefix(line + 1);
  }
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return lines;
    }
    text.remove_prefix(end + 1);
  }
}

Status NotebookError(std::string message) { return Status(ErrorCode::kInvalidParameterValue, std::move(message)); }

Status CellError(std::size_t number, std::string message) {
  return Status(ErrorCode::kInvalidParameterValue, "cell " + std::to_string(number) + " " + std::move(message));
}

}  // namespace glovebox::notebook
