// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "notebook/formats.h"
#include "notebook/notebook.h"

namespace glovebox::notebook {
namespace {

constexpr std::string_view kModelName = "__DATABRICKS_NOTEBOOK_MODEL";
// What JavaScript's encodeURIComponent leaves alone, beside RFC 3986's unreserved characters.
constexpr std::string_view kUriComponentKeep = "!*'()";

// The text between the quotes of __DATABRICKS_NOTEBOOK_MODEL = '...'.
Result<std::string> FindModel(std::string_view page) {
  for (std::size_t at = page.find(kModelName); at != std::string_view::npos; at = page.find(kModelName, at)) {
    at += kModelName.size();
    const std::size_t equals = page.find_first_not_of(" \t\r\n", at);
    if (equals == std::string_view::npos || page[equals] != '=') {
      continue;
    }
    const std::size_t open = page.find_first_not_of(" \t\r\n", equals + 1);
    if (open == std::string_view::npos || (page[open] != '\'' && page[open] != '"')) {
      continue;
    }
    const std::size_t close = page.find(page[open], open + 1);
    if (close != std::string_view::npos) {
      return std::string(page.substr(open + 1, close - open - 1));
    }
  }
  return NotebookError("the HTML page has no notebook in it (__DATABRICKS_NOTEBOOK_MODEL)");
}

// base64(encodeURIComponent(JSON)); some exports percent-encode the base64 as well.
Result<json::Value> DecodeModel(std::string encoded) {
  const auto wrong = [](const Status& status) {
    return NotebookError("the notebook in the HTML page cannot be read: " + status.message());
  };
  if (encoded.find('%') != std::string::npos) {
    Result<std::string> decoded = PercentDecode(encoded);
    if (!decoded.ok()) {
      return wrong(decoded.status());
    }
    encoded = std::move(decoded).value();
  }
  const Result<std::string> component = Base64Decode(encoded);
  if (!component.ok()) {
    return wrong(component.status());
  }
  const Result<std::string> text = PercentDecode(*component);
  if (!text.ok()) {
    return wrong(text.status());
  }
  Result<json::Value> model = json::Parse(*text, limits::kNotebookJsonDepthMax);
  return model.ok() ? std::move(model) : Result<json::Value>(wrong(model.status()));
}

struct Positioned {
  double position = 0;
  std::size_t index = 0;
  RawCell cell;
};

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string CommandText(const Cell& cell, Language notebook_language) {
  if (cell.language == notebook_language || cell.language == Language::kOther) {
    return cell.source;
  }
  return "%" + std::string(MagicOf(cell.language)) + "\n" + cell.source;
}

json::Value Model(const Notebook& notebook, std::string_view name) {
  json::Array commands;
  for (std::size_t i = 0; i < notebook.cells.size(); ++i) {
    const Cell& cell = notebook.cells[i];
    json::Object command;
    command.Set("version", "CommandV1");
    command.Set("position", static_cast<double>(i + 1));
    command.Set("command", CommandText(cell, notebook.language));
    command.Set("commandTitle", cell.title);
    command.Set("showCommandTitle", !cell.title.empty());
    commands.emplace_back(std::move(command));
  }
  json::Object model;
  model.Set("version", "NotebookV1");
  model.Set("name", name);
  model.Set("language", MagicOf(notebook.language));
  model.Set("commands", std::move(commands));
  return model;
}

}  // namespace

bool IsHtmlExport(std::string_view text) {
  return text.starts_with('<') && text.find(kModelName) != std::string_view::npos;
}

Result<RawNotebook> ReadHtmlExport(std::string_view text) {
  GB_ASSIGN_OR_RETURN(std::string encoded, FindModel(text));
  GB_ASSIGN_OR_RETURN(const json::Value model, DecodeModel(std::move(encoded)));
  RawNotebook notebook;
  notebook.language = LanguageOf(AsciiLower(model.GetString("language")));
  const json::Value* commands = model.Get("commands");
  if (model.GetString("version") != "NotebookV1" || commands == nullptr || !commands->is_array() ||
      notebook.language == Language::kOther || notebook.language == Language::kMarkdown) {
    return NotebookError("the notebook in the HTML page is no NotebookV1 in SQL, Python, Scala or R");
  }
  std::vector<Positioned> cells;
  for (const json::Value& command : commands->as_array()) {
    const json::Value* source = command.Get("command");
    const json::Value* position = command.Get("position");
    if (source == nullptr || !source->is_string()) {
      return CellError(cells.size() + 1, "has no text (command)");
    }
    Positioned cell;
    cell.index = cells.size();
    cell.position = position != nullptr && position->is_number() ? position->as_double()
                    : cells.empty()                              ? 0
                                                                 : cells.back().position;
    cell.cell.text = source->as_string();
    cell.cell.title = command.GetString("commandTitle");
    cells.push_back(std::move(cell));
  }
  std::sort(cells.begin(), cells.end(), [](const Positioned& a, const Positioned& b) {
    return std::pair(a.position, a.index) < std::pair(b.position, b.index);
  });
  for (Positioned& cell : cells) {
    notebook.cells.push_back(std::move(cell.cell));
  }
  return notebook;
}

std::string ToHtmlExport(const Notebook& notebook, std::string_view name) {
  const std::string model = Base64Encode(PercentEncode(json::Write(Model(notebook, name)), kUriComponentKeep));
  std::string page = "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>" + EscapeHtml(name) +
                     "</title>\n</head>\n<body>\n<script>var " + std::string(kModelName) + " = '" + model +
                     "';</script>\n";
  for (const Cell& cell : notebook.cells) {
    page += cell.title.empty() ? "" : "<h4>" + EscapeHtml(cell.title) + "</h4>\n";
    page += "<pre>" + EscapeHtml(CommandText(cell, notebook.language)) + "</pre>\n";
  }
  return page + "</body>\n</html>\n";
}

}  // namespace glovebox::notebook
