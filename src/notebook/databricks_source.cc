// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/strings.h"
#include "notebook/formats.h"
#include "notebook/notebook.h"

namespace glovebox::notebook {
namespace {

constexpr std::string_view kHeader = " Databricks notebook source";
constexpr std::string_view kSeparator = " COMMAND ----------";
constexpr std::string_view kMagic = " MAGIC";
constexpr std::string_view kTitle = " DBTITLE ";

constexpr std::array kSourceLanguages = {Language::kSql, Language::kPython, Language::kScala};

// The line without blanks at its end.
std::string_view TrimEnd(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
    line.remove_suffix(1);
  }
  return line;
}

// Whether the line is `comment` with `rest` after it.
bool IsComment(std::string_view line, Language language, std::string_view rest) {
  const std::string_view comment = CommentOf(language);
  return line.size() == comment.size() + rest.size() && line.starts_with(comment) && line.ends_with(rest);
}

std::string_view FirstLine(std::string_view text) { return TrimEnd(text.substr(0, text.find('\n'))); }

// The text of a cell all of whose lines are magic lines, without the marks; otherwise as it is.
std::string WithoutMarks(const std::vector<std::string_view>& lines, Language language) {
  const bool marked = std::all_of(lines.begin(), lines.end(), [&](std::string_view line) {
    return IsMagicLine(line, language) || TrimAscii(line).empty();
  });
  std::string text;
  for (std::string_view line : lines) {
    if (marked && IsMagicLine(line, language)) {
      line.remove_prefix(CommentOf(language).size() + kMagic.size());
      line.remove_prefix(line.starts_with(' ') ? 1 : 0);
    }
    text += line;
    text += '\n';
  }
  return text;
}

RawCell MakeCell(const std::vector<std::string_view>& lines, Language language) {
  RawCell cell;
  std::string text;
  for (const std::string_view line : lines) {
    text += line;
    text += '\n';
  }
  std::string body = TrimBlankLines(text);
  cell.title = TakeTitle(body, language);
  cell.text = WithoutMarks(Lines(body), language);
  return cell;
}

}  // namespace

bool IsSeparator(std::string_view line, Language language) { return IsComment(TrimEnd(line), language, kSeparator); }

bool IsMagicLine(std::string_view line, Language language) {
  const std::string_view comment = CommentOf(language);
  if (!line.starts_with(comment) || !line.substr(comment.size()).starts_with(kMagic)) {
    return false;
  }
  const std::string_view rest = line.substr(comment.size() + kMagic.size());
  return rest.empty() || rest.front() == ' ' || rest.front() == '\t' || rest.front() == '\r';
}

std::string TakeTitle(std::string& text, Language language) {
  const std::string_view line = FirstLine(text);
  const std::string start = std::string(CommentOf(language)) + std::string(kTitle);
  if (!line.starts_with(start)) {
    return "";
  }
  const std::size_t comma = line.find(',', start.size());
  const std::string_view number = line.substr(start.size(), comma == std::string_view::npos ? 0 : comma - start.size());
  const bool digits =
      !number.empty() && std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) {
    return "";
  }
  std::string title(TrimAscii(line.substr(comma + 1)));
  if (!title.empty()) {
    text.erase(0, std::min(text.find('\n'), text.size() - 1) + 1);
  }
  return title;
}

bool IsSource(std::string_view text) {
  return std::any_of(kSourceLanguages.begin(), kSourceLanguages.end(),
                     [&](Language language) { return IsComment(FirstLine(text), language, kHeader); });
}

Result<RawNotebook> ReadSource(std::string_view text) {
  RawNotebook notebook;
  for (const Language language : kSourceLanguages) {
    if (IsComment(FirstLine(text), language, kHeader)) {
      notebook.language = language;
    }
  }
  std::vector<std::string_view> lines;
  bool first = true;
  for (const std::string_view line : Lines(text)) {
    if (first) {
      first = false;
    } else if (IsSeparator(line, notebook.language)) {
      notebook.cells.push_back(MakeCell(lines, notebook.language));
      lines.clear();
    } else {
      lines.push_back(line);
    }
  }
  notebook.cells.push_back(MakeCell(lines, notebook.language));
  return notebook;
}

std::string ToSource(const Notebook& notebook) {
  const std::string comment(CommentOf(notebook.language));
  std::string text = comment + std::string(kHeader) + "\n";
  for (std::size_t i = 0; i < notebook.cells.size(); ++i) {
    const Cell& cell = notebook.cells[i];
    text += i == 0 ? "" : "\n" + comment + std::string(kSeparator) + "\n\n";
    if (!cell.title.empty()) {
      text += comment + std::string(kTitle) + "1," + cell.title + "\n";
    }
    if (cell.language == notebook.language) {
      text += cell.source + "\n";
      continue;
    }
    const std::string mark = comment + std::string(kMagic);
    if (cell.language != Language::kOther) {
      text += mark + " %" + std::string(MagicOf(cell.language)) + "\n";
    }
    for (const std::string_view line : Lines(cell.source)) {
      text += mark + (line.empty() ? "" : " ") + std::string(line) + "\n";
    }
  }
  return text;
}

}  // namespace glovebox::notebook
