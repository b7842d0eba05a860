// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/strings.h"
#include "notebook/formats.h"
#include "notebook/notebook.h"

namespace glovebox::notebook {
namespace {

struct NamedType {
  std::string_view word;
  std::string_view type;
};

constexpr std::array kTypes = {
    NamedType{"STRING", "VARCHAR"},  NamedType{"VARCHAR", "VARCHAR"},     NamedType{"TEXT", "VARCHAR"},
    NamedType{"BOOLEAN", "BOOLEAN"}, NamedType{"INT", "INTEGER"},         NamedType{"INTEGER", "INTEGER"},
    NamedType{"BIGINT", "BIGINT"},   NamedType{"LONG", "BIGINT"},         NamedType{"DOUBLE", "DOUBLE"},
    NamedType{"DATE", "DATE"},       NamedType{"TIMESTAMP", "TIMESTAMP"},
};

struct NamedKind {
  std::string_view word;
  WidgetKind kind;
};

constexpr std::array kKinds = {
    NamedKind{"TEXT", WidgetKind::kText},
    NamedKind{"DROPDOWN", WidgetKind::kDropdown},
    NamedKind{"COMBOBOX", WidgetKind::kCombobox},
    NamedKind{"MULTISELECT", WidgetKind::kMultiselect},
};

constexpr int kDecimalPrecisionMax = 38;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// DECIMAL(p,s), or a word of the list; empty if it is neither.
std::string ReadType(std::string_view text) {
  std::string upper;
  for (const char c : AsciiUpper(text)) {
    if (c != ' ' && c != '\t') {
      upper += c;
    }
  }
  for (const NamedType& known : kTypes) {
    if (known.word == upper) {
      return std::string(known.type);
    }
  }
  constexpr std::string_view kDecimal = "DECIMAL(";
  if (!upper.starts_with(kDecimal) || !upper.ends_with(')')) {
    return "";
  }
  int precision = 0;
  int scale = 0;
  const char* end = upper.data() + upper.size() - 1;
  auto read = std::from_chars(upper.data() + kDecimal.size(), end, precision);
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == ',') {
    read = std::from_chars(read.ptr + 1, end, scale);
  }
  const bool fits = precision >= 1 && precision <= kDecimalPrecisionMax && scale >= 0 && scale <= precision;
  if (read.ec != std::errc() || read.ptr != end || !fits) {
    return "";
  }
  return "DECIMAL(" + std::to_string(precision) + "," + std::to_string(scale) + ")";
}

// Reads the statements at the start of a cell. Only blanks and comments can stand before and between them, so what is
// taken here can be no part of anything else.
class WidgetReader {
 public:
  WidgetReader(std::string_view text, std::size_t number) : text_(text), number_(number) {}

  // Whether CREATE WIDGET starts here, after blanks and comments.
  bool Next() {
    SkipBlanks();
    const std::size_t start = at_;
    if (Word("CREATE") && Word("WIDGET")) {
      begin_ = start;
      return true;
    }
    at_ = start;
    return false;
  }

  Result<Widget> Read() {
    Widget widget;
    widget.cell = number_;
    const std::string kind = AsciiUpper(TakeWord());
    const auto* known = std::find_if(kKinds.begin(), kKinds.end(), [&](const NamedKind& k) { return k.word == kind; });
    if (known == kKinds.end()) {
      return Error("after CREATE WIDGET comes TEXT, DROPDOWN, COMBOBOX or MULTISELECT");
    }
    widget.kind = known->kind;
    GB_ASSIGN_OR_RETURN(widget.name, ReadName());
    if (!Word("DEFAULT")) {
      return Error("after the name of the widget " + widget.name + " comes DEFAULT and a string");
    }
    GB_ASSIGN_OR_RETURN(widget.default_value, ReadString());
    if (widget.kind != WidgetKind::kText) {
      GB_RETURN_IF_ERROR(ReadChoices(widget));
    }
    GB_RETURN_IF_ERROR(ReadTypeComment(widget));
    SkipBlanks();
    if (at_ < text_.size() && text_[at_] != ';') {
      return Error("after the widget " + widget.name + " comes a semicolon");
    }
    at_ = std::min(at_ + 1, text_.size());
    end_ = at_;
    GB_RETURN_IF_ERROR(ReadTypeComment(widget));
    return widget;
  }

  // The bytes of the statement that was read last.
  [[nodiscard]] std::size_t begin() const { return begin_; }
  [[nodiscard]] std::size_t end() const { return end_; }

 private:
  [[nodiscard]] Status Error(std::string message) const { return CellError(number_, ": " + std::move(message)); }

  [[nodiscard]] bool Ahead(std::string_view text) const { return text_.substr(at_, text.size()) == text; }

  void SkipSpaces() { at_ = std::min(text_.find_first_not_of(" \t", at_), text_.size()); }

  void SkipBlanks() {
    while (at_ < text_.size()) {
      if (Ahead("--")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (Ahead("/*")) {
        const std::size_t start = at_;
        if (!SkipBlockComment()) {
          at_ = start;  // the SQL front end will say that it has no end
          return;
        }
      } else if (std::string_view(" \t\n\v\f\r").find(text_[at_]) != std::string_view::npos) {
        ++at_;
      } else {
        return;
      }
    }
  }

  // Comments nest, as in the SQL that runs.
  bool SkipBlockComment() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      if (Ahead("/*")) {
        ++depth;
        at_ += 2;
      } else if (Ahead("*/")) {
        at_ += 2;
        if (--depth == 0) {
          return true;
        }
      } else {
        ++at_;
      }
    }
    return false;
  }

  std::string_view TakeWord() {
    SkipBlanks();
    std::size_t end = at_;
    while (end < text_.size() && IsNameCharacter(text_[end])) {
      ++end;
    }
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    return word;
  }

  bool Word(std::string_view expected) {
    const std::size_t start = at_;
    if (EqualsIgnoreCase(TakeWord(), expected)) {
      return true;
    }
    at_ = start;
    return false;
  }

  bool Symbol(char expected) {
    SkipBlanks();
    if (at_ == text_.size() || text_[at_] != expected) {
      return false;
    }
    ++at_;
    return true;
  }

  Result<std::string> ReadName() {
    const bool quoted = Symbol('`');
    const std::string name(TakeWord());
    if (name.empty() || (name.front() >= '0' && name.front() <= '9') || name.size() > limits::kNameBytesMax ||
        (quoted && !Symbol('`'))) {
      return Error("a widget's name has ASCII letters, digits and _ only");
    }
    if (AsciiLower(name).starts_with("cr_")) {
      return Error("the names of parameters that start with cr_ are the room's own");
    }
    return name;
  }

  // 'text' or "text"; the quote inside is doubled. What a backslash means differs between engines.
  Result<std::string> ReadString() {
    SkipBlanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') {
      return Error("a string is expected in CREATE WIDGET");
    }
    std::string value;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        return Error("a backslash in CREATE WIDGET is not supported");
      }
      if (text_[i] == quote && (i + 1 == text_.size() || text_[i + 1] != quote)) {
        at_ = i + 1;
        return value;
      }
      i += text_[i] == quote ? 1U : 0U;
      value += text_[i];
    }
    return Error("a string in CREATE WIDGET has no end");
  }

  // CHOICES SELECT * FROM (VALUES ('a'), ('b'))
  Status ReadChoices(Widget& widget) {
    const std::string form = "CHOICES SELECT * FROM (VALUES ('a'), ('b'))";
    if (!Word("CHOICES") || !Word("SELECT") || !Symbol('*') || !Word("FROM") || !Symbol('(') || !Word("VALUES")) {
      return Error("the choices of the widget " + widget.name + " are constants: " + form);
    }
    do {
      if (!Symbol('(')) {
        return Error("the choices of the widget " + widget.name + " are constants: " + form);
      }
      GB_ASSIGN_OR_RETURN(std::string choice, ReadString());
      if (!Symbol(')') || widget.choices.size() == limits::kNotebookChoicesMax) {
        return Error("the choices of the widget " + widget.name + " are at most " +
                     std::to_string(limits::kNotebookChoicesMax) + " constants: " + form);
      }
      widget.choices.push_back(std::move(choice));
    } while (Symbol(','));
    if (!Symbol(')')) {
      return Error("the choices of the widget " + widget.name + " are constants: " + form);
    }
    const bool open = widget.kind == WidgetKind::kCombobox;
    if (!open &&
        std::find(widget.choices.begin(), widget.choices.end(), widget.default_value) == widget.choices.end()) {
      return Error("the default of the widget " + widget.name + " is none of its choices");
    }
    return {};
  }

  // "-- type: INT" in the rest of the line.
  Status ReadTypeComment(Widget& widget) {
    const std::size_t start = at_;
    SkipSpaces();
    constexpr std::string_view kType = "type:";
    const std::string_view line = text_.substr(at_, std::min(text_.find('\n', at_), text_.size()) - at_);
    const std::string_view comment = line.starts_with("--") ? TrimAscii(line.substr(2)) : std::string_view();
    if (!AsciiLower(comment.substr(0, kType.size())).starts_with(kType)) {
      at_ = start;
      return {};
    }
    const std::string type = ReadType(comment.substr(kType.size()));
    if (type.empty()) {
      return Error("the type of the widget " + widget.name +
                   " is STRING, BOOLEAN, INT, BIGINT, DOUBLE, DECIMAL(p,s), DATE or TIMESTAMP");
    }
    if (widget.kind == WidgetKind::kMultiselect && type != "VARCHAR") {
      return Error("the widget " + widget.name + " can only be a STRING, since it takes several values");
    }
    widget.type = type;
    at_ += line.size();
    return {};
  }

  std::string_view text_;
  std::size_t number_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace

Status TakeWidgets(Cell& cell, std::size_t number, std::vector<Widget>& widgets) {
  cell.sql = cell.source;
  WidgetReader reader(cell.source, number);
  while (reader.Next()) {
    GB_ASSIGN_OR_RETURN(Widget widget, reader.Read());
    const bool twice = std::any_of(widgets.begin(), widgets.end(),
                                   [&](const Widget& other) { return EqualsIgnoreCase(other.name, widget.name); });
    if (twice) {
      return CellError(number, "declares the widget " + widget.name + " a second time");
    }
    if (widgets.size() == limits::kSqlParametersMax) {
      return NotebookError("a notebook has at most " + std::to_string(limits::kSqlParametersMax) + " widgets");
    }
    widgets.push_back(std::move(widget));
    for (std::size_t i = reader.begin(); i < reader.end(); ++i) {
      cell.sql[i] = cell.sql[i] == '\n' ? '\n' : ' ';
    }
  }
  return {};
}

}  // namespace glovebox::notebook
