// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>

#include "base/strings.h"
#include "tests/property/question.h"

namespace glovebox::property {
namespace {

using Texts = std::vector<std::string>;

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// The name under which a source stands. Some are the names of other tables.
std::string NameOf(char letter, std::size_t names) {
  static const std::map<char, Texts> kNames{{'p', {"p", "first_one", "buys", "P", "\"p q\"", "\"zz';--\""}},
                                            {'b', {"b", "t2", "people", "B", "\"select\"", "zzb"}},
                                            {'h', {"h", "d0", "list", "H", "\"h\"\"\"", "\"zz\"\"h\""}},
                                            {'m', {"m", "pid", "homes", "M", "\"m;--\"", "\"zz)\""}}};
  return kNames.at(letter)[names];
}

std::string Letters(const std::string& name, std::size_t letters) {
  return letters == 1   ? Upper(name)
         : letters == 2 ? "\"" + name + "\""
         : letters == 3 ? "\"" + Upper(name) + "\""
                        : name;
}

// "$p.d0" as the spelling has it; with `bare` the column alone.
std::string Fill(const std::string& text, const Spelling& spelling, char bare = ' ') {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      out += text[i];
      continue;
    }
    const char letter = text[i + 1];
    std::size_t end = i + 3;
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) {
      ++end;
    }
    out += letter == bare ? "" : NameOf(letter, spelling.names) + ".";
    out += Letters(text.substr(i + 3, end - i - 3), spelling.letters);
    i = end - 1;
  }
  return out;
}

// The one source that a condition is about; ' ' if there are others, or a subquery.
char OnlySource(const std::string& text) {
  char found = ' ';
  for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at + 1)) {
    if (found != ' ' && found != text[at + 1]) {
      return ' ';
    }
    found = text[at + 1];
  }
  return text.find("SELECT") == std::string::npos ? found : ' ';
}

class Writer {
 public:
  Writer(const Question& question, const Spelling& spelling) : question_(question), spelling_(spelling) {}

  std::string Text() {
    Texts conditions = question_.conditions;
    if (spelling_.order != 0 && !conditions.empty()) {
      std::ranges::rotate(conditions,
                          conditions.begin() + static_cast<std::ptrdiff_t>(spelling_.order % conditions.size()));
      std::ranges::reverse(conditions);
    }
    std::string from;
    for (const Source& source : question_.from) {
      from += From(source, conditions);
    }
    for (const std::string& condition : conditions) {
      where_.push_back(Parens(Fill(condition, spelling_)));
    }
    Texts items;
    Texts keys;
    for (const std::string& key : question_.keys) {
      items.push_back(Fill(key, spelling_) + Output('k', items.size()));
      keys.push_back(spelling_.order % 2 == 0 ? std::to_string(items.size()) : Fill(key, spelling_));
    }
    for (const Call& call : question_.calls) {
      items.push_back(Parens(Fill(call.text, spelling_)) + Output('a', items.size()));
    }
    std::string text = "SELECT " + Join(items, ", ") + " FROM " + from +
                       (where_.empty() ? "" : " WHERE " + Join(where_, " AND ")) +
                       (keys.empty() ? "" : " GROUP BY " + Join(keys, ", ")) +
                       (question_.having.empty() ? "" : " HAVING " + question_.having);
    return With(Around(text));
  }

 private:
  [[nodiscard]] std::string Output(char kind, std::size_t index) const {
    const std::string name = kind + std::to_string(index);
    return " AS " + (spelling_.output == 0 ? name : "\"zz\"\";-- " + name + "\"");
  }

  [[nodiscard]] std::string Parens(const std::string& text) const {
    return spelling_.parens == 1 ? "(" + text + ")" : spelling_.parens == 2 ? "((" + text + "))" : text;
  }

  // What stands in the FROM clause for a source; takes the conditions that go with it.
  std::string From(const Source& source, Texts& conditions) {
    const std::string name = NameOf(source.alias, spelling_.names);
    std::string table = source.query.empty() ? source.table : "(" + source.query + ")";
    if (source.query.empty()) {
      table = Relation(source, conditions);
    }
    const std::string as = table + " AS " + name;
    if (source.join.empty()) {
      return as;
    }
    const std::string letter(1, source.alias);
    const std::string on = Fill("$" + letter + "." + source.join + " = $" + source.with + "." + source.join, spelling_);
    if (spelling_.join == 1) {
      return " JOIN " + as + " ON (" + on + ")";
    }
    if (spelling_.join == 2) {
      where_.push_back(on);
      return " CROSS JOIN " + as;
    }
    const bool can_use = question_.from.size() == 2;  // with more, the column of the left side is not one
    return spelling_.join == 3 && can_use ? " JOIN " + as + " USING (" + source.join + ")"
                                          : " INNER JOIN " + as + " ON " + on;
  }

  std::string Relation(const Source& source, Texts& conditions) {
    const std::string name = "zz_" + std::string(1, source.alias);
    switch (spelling_.wrap) {
      case 1:
        return "(SELECT * FROM " + source.table + ")";
      case 2:
        with_.push_back(name + " AS (SELECT * FROM " + source.table + ")");
        return name;
      case 3: {
        Texts inner;
        std::erase_if(conditions, [&](const std::string& one) {
          const bool is_its = OnlySource(one) == source.alias;
          if (is_its) {
            inner.push_back(Fill(one, spelling_, source.alias));
          }
          return is_its;
        });
        return "(SELECT * FROM " + source.table + (inner.empty() ? "" : " WHERE " + Join(inner, " AND ")) + ")";
      }
      case 4:
        with_.push_back(name + " AS (SELECT * FROM " + source.table + " AS zzx)");
        with_.push_back(name + "2 AS (SELECT zzz.* FROM " + name + " AS zzz)");
        return name + "2";
      default:
        return source.table;
    }
  }

  // The released rows, once more.
  std::string Around(const std::string& text) {
    switch ((question_.outer + spelling_.around) % 6) {
      case 1:
        return "SELECT * FROM (" + text + ") AS zzr";
      case 2:
        with_.push_back("zzr AS (" + text + ")");
        return "SELECT * FROM zzr";
      case 3:
        return text + " ORDER BY 1";
      default:
        return text;
    }
  }

  [[nodiscard]] std::string With(const std::string& text) const {
    std::string out = (with_.empty() ? "" : "WITH " + Join(with_, ", ") + " ") + text;
    if (spelling_.space == 0) {
      return out;
    }
    std::string spaced;
    for (const char c : out) {
      spaced += c == ' ' && spelling_.space == 1 ? "\n  " : std::string(1, c);
    }
    return spelling_.space == 2 ? "/* zz */ " + spaced + " -- zz" : spaced;
  }

  const Question& question_;
  const Spelling& spelling_;
  Texts where_;
  Texts with_;
};

}  // namespace

Spelling MakeSpelling(Choices choices) {
  Spelling out;
  out.names = choices.Below(5);
  out.wrap = choices.Below(5);
  out.join = choices.Below(4);
  out.letters = choices.Below(4);
  out.order = choices.Below(4);
  out.parens = choices.Below(3);
  out.space = choices.Below(3);
  out.around = choices.Below(6);
  return out;
}

std::string Plain(const std::string& text) { return Fill(text, {}); }

std::string Write(const Question& question, const Spelling& spelling) {
  return question.other.empty() ? Writer(question, spelling).Text() : question.other;
}

std::string Question::FromText() const {
  std::string out = " FROM ";
  for (const Source& source : from) {
    const std::string letter(1, source.alias);
    out += source.join.empty() ? "" : " JOIN ";
    out += (source.query.empty() ? source.table : "(" + source.query + ")") + " AS " + letter;
    out += source.join.empty() ? "" : " ON " + letter + "." + source.join + " = " + source.with + "." + source.join;
  }
  return out + (conditions.empty() ? "" : " WHERE " + Plain(Join(conditions, " AND ")));
}

}  // namespace glovebox::property
