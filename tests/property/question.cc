// SPDX-License-Identifier: Apache-2.0
#include "tests/property/question.h"

#include <algorithm>

#include "base/strings.h"

namespace glovebox::property {
namespace {

using Texts = std::vector<std::string>;

void AddAll(Texts& to, const Texts& more) { to.insert(to.end(), more.begin(), more.end()); }

// Which tables a question is about.
struct Shape {
  std::size_t base = 0;  // people, buys, buys by person
  bool people = false;
  bool homes = false;
  bool list = false;
  std::size_t semi = 0;

  [[nodiscard]] bool HasPeople() const { return base == 0 || people; }
};

constexpr const char* kTotals = "SELECT pid, SUM(amt) AS amt FROM buys GROUP BY pid";

Texts KeysOf(const Shape& shape) {
  Texts keys;
  if (shape.HasPeople()) {
    keys = {"$p.d0",
            "$p.d1",
            "$p.age // 10 * 10",
            "upper($p.d0)",
            "CASE WHEN $p.age < 30 THEN 'young' ELSE 'old' END",
            "coalesce($p.d1, 'none')",
            "$p.d0 || '-' || coalesce($p.d1, '?')",
            "$p.d0 = 'rare'",
            "CASE WHEN $p.d0 IN ('a', 'rare') THEN 1 ELSE 2 END",
            "$p.age - $p.age % 20"};
  }
  if (shape.base == 1) {
    AddAll(keys, {"$b.item", "CASE WHEN $b.item = 'hat' THEN 'h' ELSE 'o' END"});
  }
  if (shape.homes) {
    AddAll(keys, {"$h.kind", "lower($h.kind)"});
  }
  if (shape.list) {
    AddAll(keys, {"$m.grp", "$m.score", "$m.grp || '!'"});
  }
  return keys;
}

Texts ProtectedConditions(const Shape& shape) {
  Texts out;
  if (shape.HasPeople()) {
    out = {"$p.d0 = 'a'",
           "$p.d0 <> 'rare'",
           "$p.d0 IN ('a', 'b')",
           "NOT ($p.d0 = 'b')",
           "$p.d1 = 'x'",
           "$p.d1 IN ('x', 'y')",
           "$p.d1 IS NULL",
           "$p.d1 IS NOT NULL",
           "$p.age >= 30",
           "$p.age < 50",
           "($p.age < 20 OR $p.age >= 40)",
           "NOT ($p.d1 = 'y' OR $p.d1 = 'z')",
           "$p.d0 LIKE 'r%'",
           "$p.age // 10 * 10 <> 20"};
  }
  if (shape.base == 1) {
    AddAll(out, {"$b.item <> 'gem'", "$b.item = 'hat'", "$b.item IN ('hat', 'gem')"});
  }
  if (shape.base == 2) {
    AddAll(out, {"$b.amt >= 40", "$b.amt < 100"});
  }
  if (shape.homes) {
    AddAll(out, {"$h.kind = 'flat'", "$h.kind <> 'boat'"});
  }
  return out;
}

const Texts& OwnConditions() {
  static const Texts kTexts{"$m.grp = 'g'", "$m.score IN (0, 1)", "$m.score <> 2", "($m.grp = 'g' OR $m.score = 0)",
                            "$m.score + 1 >= 2"};
  return kTexts;
}

// The measures of the finest table.
Texts MeasuresOf(const Shape& shape) { return shape.base == 0 ? Texts{"$p.v0", "$p.v1"} : Texts{"$b.amt"}; }

Call MakeCall(const Shape& shape, Choices& choices) {
  const std::string rows = shape.base == 1 ? "rows:buys" : "units:person";
  const std::string unit = shape.base == 0 ? "$p.pid" : "$b.pid";
  const std::string measure = choices.Of(MeasuresOf(shape));
  const std::string kind = (shape.base == 2 ? "totals." : "") + measure;
  const std::string condition = choices.Of(ProtectedConditions(shape));
  const std::string filter = " FILTER (WHERE " + condition + ")";
  switch (choices.Below(12)) {
    case 0:
      return {"COUNT(*)", "", "", rows};
    case 1:
      return {"SUM(" + measure + ")", "", measure, kind};
    case 2:
      return {"COUNT(*)" + filter, condition, "", rows};
    case 3:
      return {"SUM(" + measure + ")" + filter, condition, measure, kind};
    case 4:
      return {"AVG(" + measure + ")", "", measure, kind};
    case 5:
      return {"COUNT(DISTINCT " + unit + ")", "", "", "units:person"};
    case 6:
      return {"COUNT(DISTINCT " + unit + ")" + filter, condition, "", "units:person"};
    case 7:
      return {"SUM(CASE WHEN " + condition + " THEN " + measure + " ELSE 0 END)", condition, measure, kind};
    case 8:
      return {"COUNT(" + measure + ")", "", measure, rows};
    case 9:
      return {"SUM(2 * " + measure + " + 1)", "", measure, kind};
    case 10:
      return {"COUNT(CASE WHEN " + condition + " THEN 1 END)", condition, "", rows};
    default:
      return {"STDDEV(" + measure + ")", "", measure, kind};
  }
}

void AddSources(const World& world, const Shape& shape, Question& question) {
  const auto min = [&](const char* name) { return world.Table(name).min_units; };
  const char first = shape.base == 0 ? 'p' : 'b';
  question.person = std::string("$") + first + ".pid";
  question.row = shape.base == 1 ? "$b.row" : question.person;
  if (shape.base == 0) {
    question.from.push_back({'p', "people", "", 'p'});
  } else {
    question.from.push_back({'b', "buys", "", 'b', shape.base == 2 ? kTotals : ""});
    question.persons_min = min("buys");
  }
  if (shape.base != 0 && shape.people) {
    question.from.push_back({'p', "people", "pid", 'b'});
  }
  if (shape.HasPeople()) {
    question.persons_min = std::max(question.persons_min, min("people"));
  }
  if (shape.homes) {
    question.from.push_back({'h', "homes", "home", 'p'});
    question.home = "$h.home";
    question.homes_min = min("homes");
  }
  if (shape.list) {
    question.from.push_back({'m', "list", "pid", first});
  }
}

// A condition that distinct units of another table fulfil.
void AddSemi(const World& world, const Shape& shape, Question& question, Choices& choices) {
  const std::string unit = question.person;
  const std::string item = choices.Of({"", "item = 'hat'", "item <> 'gem'"});
  const std::string own = choices.Of({"", "grp = 'g'", "score < 2"});
  const auto where = [](const std::string& text) { return text.empty() ? "" : " WHERE " + text; };
  std::string text;
  if (shape.semi == 1 && shape.base == 0) {
    text = unit + " IN (SELECT pid FROM buys" + where(item) + ")";
    question.persons_min = std::max(question.persons_min, world.Table("buys").min_units);
  } else if (shape.semi == 2 && shape.base == 0) {
    text = "EXISTS (SELECT 1 FROM buys AS e WHERE e.pid = " + unit + (item.empty() ? "" : " AND e." + item) + ")";
    question.persons_min = std::max(question.persons_min, world.Table("buys").min_units);
  } else if (shape.semi == 3 && !shape.list) {
    text = unit + " IN (SELECT pid FROM list" + where(own) + ")";
  } else if (shape.semi == 4 && !shape.HasPeople()) {
    text = unit + " IN (SELECT pid FROM people WHERE d0 <> 'rare')";
    question.persons_min = std::max(question.persons_min, world.Table("people").min_units);
  }
  if (!text.empty()) {
    question.conditions.push_back(text);
  }
}

// Own units by own keys and conditions, and whether all protected tables have them, whatever else is asked of these.
void AddOwnRows(const Shape& shape, Question& question) {
  Texts keys;
  for (std::size_t i = 0; i < question.keys.size(); ++i) {
    if (question.keys[i].find("$m") != std::string::npos) {
      keys.push_back(question.keys[i]);
      question.own_keys.push_back(i);
    }
  }
  Texts conditions;
  for (const std::string& one : question.conditions) {
    if (one.find("$m") != std::string::npos) {
      conditions.push_back(one);
    }
  }
  std::string match =
      shape.base == 0 ? "EXISTS (FROM people AS q WHERE q.pid = m.pid" : "EXISTS (FROM buys AS q WHERE q.pid = m.pid";
  match += shape.homes ? " AND EXISTS (FROM people AS o, homes AS x WHERE o.pid = q.pid AND o.home = x.home))" : ")";
  match += shape.base != 0 && shape.people ? " AND EXISTS (FROM people AS o WHERE o.pid = m.pid)" : "";
  match += shape.base == 0 && (shape.semi == 1 || shape.semi == 2) ? " AND m.pid IN (SELECT pid FROM buys)" : "";
  match += !shape.HasPeople() && shape.semi == 4 ? " AND m.pid IN (SELECT pid FROM people)" : "";
  keys.push_back("COUNT(DISTINCT m.pid) FILTER (WHERE " + match + ")");
  keys.push_back("COUNT(DISTINCT m.pid) FILTER (WHERE NOT (" + match + "))");
  question.own_rows = Plain("SELECT " + Join(keys, ", ") + " FROM list AS m" +
                            (conditions.empty() ? "" : " WHERE " + Join(conditions, " AND ")) + " GROUP BY ALL");
}

// What must be refused, in the place of a condition, an aggregate, a key, or of all.
const Texts& HostileConditions() {
  static const Texts kTexts{"$p.v0 > 50",
                            "$p.age > 33",
                            "$p.age = 30",
                            "$p.d0 = 'a' OR $p.d1 = 'x'",
                            "$p.pid = 'p7'",
                            "$p.pid LIKE 'p1%'",
                            "$p.age < $p.v0",
                            "$p.d0 = $p.d1",
                            "$p.pid <> 'p3'",
                            "$p.age % 10 = 3",
                            "random() < 0.5",
                            "$p.v0 IS NULL",
                            "$p.pid NOT IN (SELECT pid FROM buys)",
                            "$p.pid IN ('p1', 'p2')",
                            "$p.pid IN (SELECT pid FROM list WHERE row = 3)",
                            "$p.home = 'h4'",
                            "(SELECT COUNT(*) FROM buys AS z WHERE z.pid = $p.pid) > 3"};
  return kTexts;
}

const Texts& HostileCalls() {
  static const Texts kTexts{"MIN($p.v0)",
                            "MAX($p.age)",
                            "list($p.v0)",
                            "SUM($p.v0 * $p.v1)",
                            "string_agg($p.pid, ',')",
                            "SUM($p.age)",
                            "COUNT(DISTINCT $p.v0)",
                            "median($p.v0)",
                            "SUM(DISTINCT $p.v0)",
                            "SUM(CAST($p.d0 = 'a' AS INTEGER))",
                            "first($p.v0)",
                            "COUNT(1 / NULLIF($p.v0 - 5, 0))",
                            "arg_max($p.d0, $p.v0)",
                            "AVG(length($p.pid))",
                            "SUM(CASE WHEN $p.d0 = 'a' OR $p.d1 = 'x' THEN $p.v0 END)",
                            "COUNT(*) FILTER (WHERE $p.v0 = 3)",
                            "bit_xor($p.v0)",
                            "approx_count_distinct($p.pid)"};
  return kTexts;
}

const Texts& HostileKeys() {
  static const Texts kTexts{"$p.pid",
                            "$p.v0",
                            "$p.age",
                            "$p.age // 3",
                            "substr($p.pid, 1, 2)",
                            "$p.age % 10",
                            "CASE WHEN $p.d0 = 'a' AND $p.d1 = 'x' THEN 1 END",
                            "hash($p.d0)",
                            "$p.home",
                            "row_number() OVER ()"};
  return kTexts;
}

const Texts& HostileOthers() {
  static const Texts kTexts{
      "SELECT * FROM people",
      "SELECT pid FROM people LIMIT 1",
      "SELECT COUNT(*) FROM people AS a JOIN people AS c ON a.home = c.home",
      "SELECT COUNT(*) FROM people AS a LEFT JOIN buys AS c ON a.pid = c.pid",
      "SELECT COUNT(*) FROM people ANTI JOIN buys USING (pid)",
      "SELECT COUNT(*) FROM people AS a JOIN list AS c ON a.age < c.score",
      "SELECT SUM(c.score) FROM people AS a JOIN list AS c USING (pid)",
      "SELECT SUM(c.row) FROM people AS a JOIN list AS c USING (pid)",
      "SELECT COUNT(*) FROM (SELECT * FROM people LIMIT 50) AS a",
      "SELECT COUNT(*) FROM (SELECT *, row_number() OVER (ORDER BY v0) AS n FROM people) WHERE n < 9",
      "SELECT COUNT(*) FROM (SELECT pid FROM people EXCEPT SELECT pid FROM list) AS a",
      "SELECT COUNT(*) FROM (SELECT pid FROM list UNION ALL SELECT 'p1') AS a JOIN people USING (pid)",
      "SELECT COUNT(*) FROM people USING SAMPLE 10%",
      "SELECT v0 FROM people QUALIFY row_number() OVER (ORDER BY v0) = 1",
      "SELECT COUNT(*) FROM people WHERE v1 > (SELECT AVG(v1) FROM people)",
      "SELECT people FROM people",
      "SELECT unnest(list(d0)) FROM people",
      "SELECT __gb_unit FROM people",
      "SELECT COUNT(*) FROM people GROUP BY rowid"};
  return kTexts;
}

Shape MakeShape(Choices& choices) {
  Shape shape;
  shape.base = std::vector<std::size_t>{0, 0, 0, 1, 1, 2}[choices.Below(6)];
  shape.people = choices.OneIn(2);
  shape.homes = choices.OneIn(5) && shape.HasPeople() && shape.base != 2;
  shape.list = choices.OneIn(4);
  shape.semi = choices.Below(8);
  return shape;
}

Question MakeParts(const World& world, Choices& choices, Shape& shape) {
  shape = MakeShape(choices);
  Question question;
  AddSources(world, shape, question);
  const Texts keys = KeysOf(shape);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::size_t some = choices.Below(2);
    const std::size_t which = choices.Below(std::max<std::size_t>(keys.size(), 1));
    if (some == 1 && which < keys.size() && std::ranges::find(question.keys, keys[which]) == question.keys.end()) {
      question.keys.push_back(keys[which]);
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const std::size_t some = choices.Below(2);
    const std::string text = choices.Of(ProtectedConditions(shape));
    if (some == 1) {
      question.conditions.push_back(text);
    }
  }
  const bool own = choices.OneIn(2);
  const std::string own_text = choices.Of(OwnConditions());
  if (own && shape.list) {
    question.conditions.push_back(own_text);
  }
  AddSemi(world, shape, question, choices);
  return question;
}

}  // namespace

Question MakeQuestion(const World& world, Choices choices) {
  Shape shape;
  Question question = MakeParts(world, choices, shape);
  question.calls.push_back(MakeCall(shape, choices));
  if (const bool second = choices.OneIn(2); second) {
    question.calls.push_back(MakeCall(shape, choices));
  }
  question.having = choices.Of({"", "", "", "COUNT(*) > 15"});
  question.outer = choices.Below(6);
  if (shape.list) {
    AddOwnRows(shape, question);
  }
  return question;
}

Question MakeHostileQuestion(const World& world, Choices choices) {
  Shape shape;
  Choices base({});
  Question question = MakeParts(world, base, shape);
  question.calls.push_back({"COUNT(*)", "", "", "units:person"});
  switch (choices.Below(4)) {
    case 0:
      question.conditions.push_back("(" + choices.Of(HostileConditions()) + ")");
      break;
    case 1:
      question.calls.push_back({choices.Of(HostileCalls()), "", "", ""});
      break;
    case 2:
      question.keys.push_back(choices.Of(HostileKeys()));
      break;
    default:
      question.other = choices.Of(HostileOthers());
  }
  return question;
}

}  // namespace glovebox::property
