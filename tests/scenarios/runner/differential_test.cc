// SPDX-License-Identifier: Apache-2.0
//
// Random queries of a small grammar over the room of data/room.tables: what the room releases is what DuckDB answers on
// the same rows, with the groups and branches of fewer than 20 people taken away by plain SQL.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/strings.h"
#include "tests/scenarios/runner/room.h"
#include "tests/scenarios/runner/rows.h"
#include "tests/scenarios/runner/scenario_file.h"

namespace glovebox::scenarios {
namespace {

constexpr int kQueries = 120;
constexpr int kMinimum = 20;

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  struct Pair {
    std::string governed;
    std::string open;
  };

  Pair Next() {
    const std::size_t source = Below(5);
    const bool crm = source != 1;
    const bool tx = source == 1 || source == 2;
    const bool my = source == 3;
    unit_ = crm ? "c.user_id" : "t.user_id";
    std::string from = crm ? "crm AS c" : "tx AS t";
    from += source == 2 ? " JOIN tx AS t ON t.user_id = c.user_id" : "";
    from += my ? " JOIN my AS m ON m.user_id = c.user_id" : "";
    std::vector<std::string> keys;
    for (std::size_t i = Below(3); i > 0; --i) {
      keys.push_back(Key(crm, tx, my) + " AS k" + std::to_string(keys.size()));
    }
    std::vector<std::string> conditions;
    for (std::size_t i = Below(3); i > 0; --i) {
      conditions.push_back(Condition(crm, tx && (!crm || Below(2) == 0)));
    }
    if (source == 4) {
      conditions.push_back("c.user_id IN (SELECT user_id FROM tx WHERE sku = 'sku" + std::to_string(Below(4)) + "')");
    }
    if (my && Below(2) == 0) {
      conditions.push_back(Below(2) == 0 ? "m.grp = 'a'" : "m.score IN (0, 2)");
    }
    const std::string where = conditions.empty() ? "" : " WHERE " + Join(conditions, " AND ");
    std::vector<std::string> governed = keys;
    std::vector<std::string> open = keys;
    const auto add = [&](const std::string& call, const std::string& expected) {
      const std::string name = " AS a" + std::to_string(governed.size());
      governed.push_back(call + name);
      open.push_back(expected + name);
    };
    add("COUNT(*)", "COUNT(*)");
    const std::string measure = tx ? "t.amt" : "c.income";
    for (std::size_t i = Below(3); i > 0; --i) {
      const std::string call = Plain(measure);
      add(call, call);
    }
    if (Below(2) == 0) {
      const std::string condition = Condition(crm, tx && !crm);
      const std::string call = Conditional(measure, condition);
      add(call, "CASE WHEN " + Units(condition) + " >= 20 AND " + Units("(" + condition + ") IS NOT TRUE") +
                    " >= 20 THEN " + call + " END");
    }
    const std::string group = keys.empty() ? "" : " GROUP BY ALL";
    return {"SELECT " + Join(governed, ", ") + " FROM " + from + where + group,
            "SELECT " + Join(open, ", ") + " FROM " + from + where + group + " HAVING COUNT(DISTINCT " + unit_ +
                ") >= " + std::to_string(kMinimum)};
  }

 private:
  std::size_t Below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  const std::string& One(const std::vector<std::string>& list) { return list[Below(list.size())]; }
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
    return One({"COUNT(*) FILTER (WHERE " + condition + ")", "SUM(" + measure + ") FILTER (WHERE " + condition + ")",
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
  const Result<ScenarioFile> file = ReadScenario("tests/scenarios/data/room.tables");
  ASSERT_TRUE(file.ok()) << file.status().message();
  for (const Record& record : file->records) {
    const Status added = room.AddTable(record.words[0], record.words[1],
                                       record.words.size() > 2 ? engine::Role::kOwn : engine::Role::kProtected,
                                       record.BodyText(), record.ExpectedText());
    ASSERT_TRUE(added.ok()) << added.message();
  }
  Generator generator(20'261'123);
  std::size_t rows_compared = 0;
  for (int i = 0; i < kQueries; ++i) {
    const Generator::Pair query = generator.Next();
    SCOPED_TRACE(query.governed);
    const Answer answer = room.Ask(query.governed);
    ASSERT_TRUE(answer.status.ok()) << answer.status.rule() << ": " << answer.status.message();
    const Result<engine::duckdb::ResultTable> table = room.AskOpenly(query.open);
    ASSERT_TRUE(table.ok()) << table.status().message();
    std::vector<Row> released = RowsOf(answer.outputs.at(0));
    std::vector<Row> expected = RowsOf(*table);
    SortRows(released);
    SortRows(expected);
    rows_compared += expected.size();
    EXPECT_TRUE(SameRows(released, expected)) << "released:\n" << Show(released) << "DuckDB:\n" << Show(expected);
  }
  EXPECT_GT(rows_compared, 500U);
}

}  // namespace
}  // namespace glovebox::scenarios
