// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "notebook/formats.h"
#include "notebook/notebook.h"

namespace glovebox::notebook {
namespace {

constexpr std::int64_t kFormatMajor = 4;

// A text is a string, or a list of its lines.
Result<std::string> ReadText(const json::Value* source, std::size_t number) {
  if (source != nullptr && source->is_string()) {
    return source->as_string();
  }
  if (source == nullptr || !source->is_array()) {
    return CellError(number, "has no text (source)");
  }
  std::string text;
  for (const json::Value& line : source->as_array()) {
    if (!line.is_string()) {
      return CellError(number, "has a line that is no string");
    }
    text += line.as_string();
  }
  return text;
}

// Databricks says it in its own metadata, others in the kernel's; Jupyter's own language is Python.
Language ReadLanguage(const json::Value& notebook) {
  const json::Value* metadata = notebook.Get("metadata");
  if (metadata == nullptr) {
    return Language::kPython;
  }
  std::string word;
  if (const json::Value* databricks = metadata->Get("application/vnd.databricks.v1+notebook"); databricks != nullptr) {
    word = databricks->GetString("language");
  }
  for (const auto& [object, member] : {std::pair("language_info", "name"), std::pair("kernelspec", "language")}) {
    const json::Value* value = metadata->Get(object);
    if (word.empty() && value != nullptr) {
      word = value->GetString(member);
    }
  }
  return word.empty() ? Language::kPython : LanguageOf(AsciiLower(word));
}

}  // namespace

Result<RawNotebook> ReadJupyter(std::string_view text) {
  const Result<json::Value> notebook = json::Parse(text, limits::kNotebookJsonDepthMax);
  if (!notebook.ok()) {
    return NotebookError("the Jupyter notebook cannot be read: " + notebook.status().message());
  }
  const json::Value* cells = notebook->Get("cells");
  if (notebook->GetInt("nbformat") != kFormatMajor || cells == nullptr || !cells->is_array()) {
    return NotebookError("the JSON is no Jupyter notebook of format 4");
  }
  RawNotebook raw;
  raw.language = ReadLanguage(*notebook);
  if (raw.language == Language::kOther || raw.language == Language::kMarkdown) {
    return NotebookError("the Jupyter notebook is not in SQL, Python, Scala or R");
  }
  for (const json::Value& cell : cells->as_array()) {
    const std::string type = cell.GetString("cell_type");
    if (type != "code" && type != "markdown" && type != "raw") {
      return CellError(raw.cells.size() + 1, "is neither code nor Markdown");
    }
    RawCell read;
    GB_ASSIGN_OR_RETURN(read.text, ReadText(cell.Get("source"), raw.cells.size() + 1));
    read.markdown = type != "code";
    raw.cells.push_back(std::move(read));
  }
  return raw;
}

}  // namespace glovebox::notebook
