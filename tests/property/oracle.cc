// SPDX-License-Identifier: Apache-2.0
#include "tests/property/oracle.h"

#include "base/strings.h"

namespace glovebox::property {

std::map<Row, Row> ByKey(const Question& question, const std::vector<Row>& rows) {
  std::map<Row, Row> out;
  const auto keys = static_cast<std::ptrdiff_t>(question.keys.size());
  for (const Row& row : rows) {
    if (row.size() < question.keys.size()) {
      throw Refuted{"a row has too few columns: " + Write(question)};
    }
    out.emplace(Row(row.begin(), row.begin() + keys), Row(row.begin() + keys, row.end()));
  }
  return out;
}

std::vector<Row> TrueRows(scenarios::Room& room, const std::string& sql) {
  const Result<engine::duckdb::ResultTable> table = room.AskOpenly(sql);
  if (!table.ok()) {
    throw Refuted{"DuckDB does not take the oracle's question: " + std::string(table.status().message()) + "\n" + sql};
  }
  return scenarios::RowsOf(*table);
}

std::string SelectKeys(const Question& question, const std::vector<std::string>& items) {
  std::vector<std::string> all;
  for (const std::string& key : question.keys) {
    all.push_back(Plain(key));
  }
  for (const std::string& item : items) {
    all.push_back(Plain(item));
  }
  return "SELECT " + Join(all, ", ");
}

std::map<Row, Row> TrueValues(scenarios::Room& room, const Question& question, const std::vector<std::string>& items) {
  return ByKey(question, TrueRows(room, SelectKeys(question, items) + question.FromText() + " GROUP BY ALL"));
}

bool IsBelow(const std::string& count, std::int64_t min) { return std::stoll(count) < min; }

bool IsFew(const std::string& count, std::int64_t min) { return count != "0" && IsBelow(count, min); }

}  // namespace glovebox::property
