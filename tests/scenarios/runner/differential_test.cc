// SPDX-License-Identifier: Apache-2.0
//
// Random queries of a small grammar over the room of data/room.tables: what the room releases is what DuckDB answers on
// the same rows, with the groups and branches of fewer than 20 people taken away by plain SQL.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/strings.h"
#include "tests/scenarios/runner/room.h"
#include "tests/scenarios/runner/rows.h"

namespace glovebox::scenarios {
namespace {

constexpr int kQueries = 160;
constexpr int kMinimum = 20;

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  struct Pair {
    std::string governed;
    std::string open;
    // The same, but for branches without any row: where keys or conditions speak of the same column, it may be by the
    // text alone that no row is in one, and then that is told.
    std::string open_with_empty;
  };

  Pair Next() {
    const std::size_t source = Below(8);
    const bool crm = source != 1;
    const bool tx = source == 1 || source == 2;
    const bool left = source == 5;
    const bool my = source == 3 || left || source == 7;
    unit_ = crm ? "c.user_id" : "t.user_id";
    std::string from = crm ? "crm AS c" : "tx AS t";
    from += source == 2 ? " JOIN tx AS t ON t.user_id = c.user_id" : "";
    from += my ? " JOIN my AS m ON m.user_id = c.user_id" : "";
    from = left ? "my AS m LEFT JOIN crm AS c ON m.user_id = c.user_id" : from;
    from += source == 7 ? " JOIN other AS o ON o.user_id = c.user_id" : "";
    std::vector<std::string> keys;
    std::string named;  // combined keys that are NULL are not released
    for (std::size_t i = Below(3); i > 0; --i) {
      const std::string key = Key(crm && !left, tx, my);
      named += key.starts_with("c.tier ||") ? " AND (" + key + ") IS NOT NULL" : "";
      keys.push_back(key + " AS k" + std::to_string(keys.size()));
    }
    std::vector<std::string> conditions;
    for (std::size_t i = left ? 0 : Below(3); i > 0; --i) {
      conditions.push_back(Condition(crm, tx && (!crm || Below(2) == 0)));
    }
    if (source == 4) {
      conditions.push_back("c.user_id IN (SELECT user_id FROM tx WHERE sku = 'sku" + std::to_string(Below(4)) + "')");
    }
    if (source == 6) {
      conditions.push_back("c.user_id IN (SELECT user_id FROM my" + One({"", " WHERE grp = 'a'", " WHERE score < 2"}) +
                           ")");
    }
    if (my && Below(2) == 0) {
      conditions.push_back(Below(2) == 0 ? "m.grp = 'a'" : "m.score IN (0, 2)");
    }
    const std::string where = conditions.empty() ? "" : " WHERE " + Join(conditions, " AND ");
    std::vector<std::string> governed = keys;
    std::vector<std::string> open = keys;
    std::vector<std::string> open_with_empty = keys;
    const auto add = [&](const std::string& call, const std::string& expected, const std::string& with_empty) {
      const std::string name = " AS a" + std::to_string(governed.size());
      governed.push_back(call + name);
      open.push_back(expected + name);
      open_with_empty.push_back(with_empty + name);
    };
    add("COUNT(*)", "COUNT(*)", "COUNT(*)");
    const std::string measure = tx ? "t.amt" : "c.income";
    for (std::size_t i = Below(3); i > 0; --i) {
      const std::string call = Plain(measure);
      add(call, call, call);
    }
    if (!left && Below(2) == 0) {
      const bool never = crm && Below(6) == 0;
      const std::string condition = never ? "c.region = 'NOWHERE'" : Condition(crm, tx && !crm);
      const std::string call = Conditional(measure, condition);
      const std::string inside = Units(condition);
      const std::string outside = Units("(" + condition + ") IS NOT TRUE");
      const std::string column = ColumnOf(condition);
      const bool may_be_empty =
          never || std::ranges::any_of(keys, [&](const auto& key) { return key.find(column) != std::string::npos; }) ||
          std::ranges::any_of(conditions, [&](const auto& one) { return one.find(column) != std::string::npos; });
      const auto expected = [&](const std::string& enough) {
        return "CASE WHEN " + inside + enough + " AND " + outside + enough + " THEN " + call + " END";
      };
      add(call, expected(" >= 20"), expected(may_be_empty ? " NOT BETWEEN 1 AND 19" : " >= 20"));
    }
    const std::string group = keys.empty() ? "" : " GROUP BY ALL";
    const std::string rows = " FROM " + from + where + group;
    const std::string enough = " HAVING COUNT(DISTINCT " + unit_ + ") >= " + std::to_string(kMinimum) + named;
    return {"SELECT " + Join(governed, ", ") + rows, "SELECT " + Join(open, ", ") + rows + enough,
            "SELECT " + Join(open_with_empty, ", ") + rows + enough};
  }

 private:
  std::size_t Below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  const std::string& One(const std::vector<std::string>& list) { return list[Below(list.size())]; }
  // The first column of an expression: "c.age".
  static std::string ColumnOf(const std::string& text) {
    const std::size_t dot = text.find('.');
    const std::size_t end = text.find_first_of(" ,)", dot);
    return text.substr(dot - 1, end == std::string::npos ? end : end - dot + 1);
  }
  [[nodiscard]] std::string Units(const std::string& condition) const {
    return "COUNT(DISTINCT " + unit_ + ") FILTER (WHERE " + condition + ")";
  }

  std::string Key(bool crm, bool tx, bool my) {
    std::vector<std::string> keys;
    if (crm) {
      keys = {"c.region",
              "lower(c.segment)",
              "c.tier",
              "coalesce(c.tier, 'none')",
              "c.active",
              "c.dx",
              "c.region || '/' || c.segment",
              "c.tier || '/' || c.region",
              "coalesce(c.tier, 'none') || '/' || c.region",
              "c.age // 10 * 10",
              "floor(c.temp / 25) * 25",
              "date_trunc('month', c.created)",
              "year(c.created)",
              "CASE WHEN c.age < 40 THEN 'young' ELSE 'old' END",
              "CASE WHEN c.region IN ('NORTH', 'EAST') THEN 1 WHEN c.region = 'WEST' THEN 2 END"};
    }
    if (tx) {
      keys.insert(keys.end(), {"t.sku", "upper(t.sku)", "date_trunc('month', t.ts)", "date_trunc('week', t.ts)"});
    }
    if (my) {
      keys.insert(keys.end(), {"m.grp", "m.score", "m.grp || '!'"});
    }
    return One(keys);
  }

  std::string Condition(bool crm, bool tx) {
    const std::string ten = std::to_string(20 + 10 * Below(6));
    if (crm && (!tx || Below(2) == 0)) {
      return One({"c.region = 'NORTH'", "c.region NOT IN ('EAST', 'WEST')", "c.segment LIKE '%a%'", "c.tier = 'gold'",
                  "c.tier IS NULL", "NOT (c.dx = 'flu')", "c.dx <> 'none'", "c.dx IN ('rare', 'flu')", "c.active",
                  "c.age >= " + ten, "c.age < " + ten, "(c.age < 30 OR c.age >= " + ten + ")", "c.temp >= -20",
                  "c.created >= DATE '2025-01-01'", "date_trunc('month', c.created) = DATE '2024-03-01'",
                  "length(c.region) = 4"});
    }
    return One({"t.sku = 'sku1'", "t.sku <> 'sku0'", "t.ts >= TIMESTAMP '2025-03-01 00:00:00'", "t.ts < '2025-05-01'"});
  }

  std::string Plain(const std::string& measure) {
    return One({"SUM(" + measure + ")", "AVG(" + measure + ")", "STDDEV(" + measure + ")", "COUNT(" + measure + ")",
                "SUM(3 * " + measure + " - 2)", "AVG(" + measure + " / 10)", "COUNT(DISTINCT " + unit_ + ")"});
  }

  std::string Conditional(const std::string& measure, const std::string& condition) {
    return One({"COUNT(*) FILTER (WHERE " + condition + ")",
                "COUNT(DISTINCT " + unit_ + ") FILTER (WHERE " + condition + ")",
                "SUM(" + measure + ") FILTER (WHERE " + condition + ")",
                "SUM(CASE WHEN " + condition + " THEN " + measure + " ELSE 0 END)",
                "AVG(CASE WHEN " + condition + " THEN 1 ELSE 0 END)", "COUNT(CASE WHEN " + condition + " THEN 1 END)"});
  }

  std::mt19937_64 random_;
  std::string unit_;
};

TEST(Differential, ReleasesWhatTheRowsSay) {
  Workshop workshop;
  Room room(workshop);
  room.keeps_history = false;
  const Status usual = room.AddUsualTables();
  ASSERT_TRUE(usual.ok()) << usual.message();
  const Status added = room.AddTable(
      "other", "runner", engine::Role::kOwn, "SELECT 'u' || (3 * i) AS user_id FROM range(2000) AS r(i)",
      R"({"version": 1, "unit": {"domain": "customer", "columns": ["user_id"]}, "min_units": 10, "keys": [["user_id"]],
          "columns": {"user_id": {"uses": ["join"], "join_with": ["*.user_id"]}}})");
  ASSERT_TRUE(added.ok()) << added.message();
  Generator generator(20'261'123);
  std::size_t rows_compared = 0;
  for (int i = 0; i < kQueries; ++i) {
    const Generator::Pair query = generator.Next();
    SCOPED_TRACE(query.governed);
    const Answer answer = room.Ask(query.governed);
    ASSERT_TRUE(answer.status.ok()) << answer.status.rule() << ": " << answer.status.message();
    const Result<engine::duckdb::ResultTable> table = room.AskOpenly(query.open);
    const Result<engine::duckdb::ResultTable> more = room.AskOpenly(query.open_with_empty);
    ASSERT_TRUE(table.ok() && more.ok()) << query.open;
    std::vector<Row> released = RowsOf(answer.outputs.at(0));
    std::vector<Row> expected = RowsOf(*table);
    std::vector<Row> with_empty = RowsOf(*more);
    SortRows(released);
    SortRows(expected);
    SortRows(with_empty);
    rows_compared += expected.size();
    // A row is as one of the two says: they differ in the last column only.
    for (std::size_t row = 0; row < expected.size() && row < released.size(); ++row) {
      if (SameRows({released[row]}, {with_empty[row]})) {
        expected[row] = released[row];
      }
    }
    EXPECT_TRUE(SameRows(released, expected)) << "released:\n" << Show(released) << "DuckDB:\n" << Show(expected);
  }
  EXPECT_GT(rows_compared, 500U);
}

}  // namespace
}  // namespace glovebox::scenarios
