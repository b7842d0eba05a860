// SPDX-License-Identifier: Apache-2.0
//
// What accounting for privacy units costs: the same GROUP BY plain, with row counts, and with the saturating counter,
// on rows of which each unit has ten. Prints each time and its ratio to plain DuckDB in the same process. Variants
// alternate and the fastest of several runs counts, so that a busy machine disturbs all of them alike.
//
// usage: unit_accounting_bench [ROWS]    (10,000,000)
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/duckdb/connection.h"
#include "engine/duckdb/unit_aggregates.h"

namespace {

namespace duckdb = glovebox::engine::duckdb;

constexpr int kRuns = 7;
constexpr std::int64_t kRows = 10'000'000;
constexpr std::int64_t kRowsPerUnit = 10;

double Milliseconds(duckdb::Connection& connection, const std::string& sql) {
  const auto start = std::chrono::steady_clock::now();
  if (!connection.Execute(sql).ok()) {
    std::fprintf(stderr, "%s\n", connection.last_error_detail().c_str());
    std::exit(1);  // NOLINT(concurrency-mt-unsafe): a program with one thread
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void Compare(duckdb::Connection& connection, const std::string& key) {
  const std::vector<std::pair<std::string, std::string>> variants = {
      {"plain", ""},
      {"row counts", ", count(*), count(v)"},
      {"gb_units_at_least_50", ", gb_units_at_least_50(u)"},
      {"gb_units_at_least_50 of values", ", gb_units_at_least_50(u, v)"},
      {"count(DISTINCT u)", ", count(DISTINCT u)"},
  };
  std::map<std::string, double> best;
  for (int run = 0; run < kRuns; ++run) {
    for (const auto& [name, aggregates] : variants) {
      const double ms = Milliseconds(connection, "CREATE OR REPLACE TEMP TABLE r AS SELECT " + key +
                                                     " AS g, sum(v), avg(v)" + aggregates + " FROM t GROUP BY 1");
      const auto [at, is_new] = best.emplace(name, ms);
      at->second = is_new ? ms : std::min(at->second, ms);
    }
  }
  for (const auto& [name, aggregates] : variants) {
    std::printf("%-8s %-32s %9.1f ms %6.2f\n", key.c_str(), name.c_str(), best[name], best[name] / best["plain"]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t rows = argc > 1 ? std::strtoll(argv[1], nullptr, 10) : kRows;
  auto database = duckdb::Database::Open({});
  auto connection = database.ok() ? database.value()->Connect() : database.status();
  if (!connection.ok() || !duckdb::RegisterUnitsAtLeast(**connection, 50).ok()) {
    std::fprintf(stderr, "DuckDB does not start\n");
    return 1;
  }
  Milliseconds(**connection, "CREATE TABLE t AS SELECT (hash(range) % " +
                                 std::to_string(std::max<std::int64_t>(1, rows / kRowsPerUnit)) +
                                 " + 1)::UINTEGER AS u, (range % 1000)::DOUBLE AS v, (hash(range + 1) % 8)::INTEGER AS "
                                 "g8, (hash(range + 2) % 1000)::INTEGER AS g1000, (hash(range + 3) % "
                                 "100000)::INTEGER AS g100000 FROM range(" +
                                 std::to_string(rows) + ")");
  std::printf("%-8s %-32s %12s %6s\n", "groups", "variant", "best of 7", "ratio");
  for (const char* key : {"g8", "g1000", "g100000"}) {
    Compare(**connection, key);
  }
  return 0;
}
