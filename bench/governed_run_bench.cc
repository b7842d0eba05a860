// SPDX-License-Identifier: Apache-2.0
//
// What governance costs: the same query as a governed run (parse, plan, minimum groups, difference check against a
// history, release) and as plain SQL on the same rows, alternating, in one process. Then the latency of a small run in
// a worker process.
//
// usage: governed_run_bench [ROWS]    (10,000,000)
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "engine/duckdb/connection.h"
#include "engine/governed/governed_run.h"
#include "engine/process_engine.h"
#include "engine/worker/worker_main.h"

namespace glovebox {
namespace {

using engine::duckdb::Connection;
using engine::duckdb::Database;

constexpr int kRepetitions = 9;
constexpr int kSmallRuns = 60;

constexpr const char* kRule =
    R"json({"version": 1, "unit": {"domain": "person", "columns": ["user_id"]}, "min_units": 50,
  "columns": {
    "user_id": {"identity": true, "uses": ["join"], "join_with": ["*.user_id"]},
    "region": {"uses": ["dimension", "filter"], "domain": ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"]},
    "product": {"uses": ["dimension", "filter"], "domain": ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"]},
    "day": {"uses": ["dimension", "filter"], "filter_step": "day", "dimension_steps": ["month"]},
    "amount": {"uses": ["measure"], "aggregates": ["sum", "avg", "count"]}}})json";

struct Query {
  const char* name;
  const char* sql;
};

constexpr Query kQueries[] = {
    {"8 groups", "SELECT region, COUNT(*) AS n, SUM(amount) AS s, AVG(amount) AS a FROM t GROUP BY region"},
    {"80 groups", "SELECT region, product, COUNT(*) AS n, SUM(amount) AS s FROM t GROUP BY region, product"},
    {"filter, 12 months",
     "SELECT date_trunc('month', day) AS m, SUM(amount) AS s, AVG(amount) AS a FROM t WHERE product IN "
     "('p1','p2','p3') GROUP BY 1"},
};

[[noreturn]] void Fail(const Status& status) {
  std::fprintf(stderr, "bench: %s\n", status.message().c_str());
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): a program with one thread
}

template <typename T>
T Check(Result<T> result) {
  if (!result.ok()) {
    Fail(result.status());
  }
  return std::move(result).value();
}

void Check(const Status& status) {
  if (!status.ok()) {
    Fail(status);
  }
}

double Seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

engine::RunAsset MakeAsset(engine::Engine& engine, const std::string& folder, std::int64_t rows) {
  const std::string path = folder + "/source_" + std::to_string(rows) + ".duckdb";
  {
    auto database = Check(Database::Open({.path = path}));
    auto connection = Check(database->Connect());
    Check(connection->Execute(
        "CREATE TABLE data AS SELECT 'u' || (hash(i) % greatest(200, " + std::to_string(rows / 10) +
        ")) AS user_id, 'r' || (hash(i * 7 + 1) % 8) AS region, 'p' || (hash(i * 13 + 2) % 10) AS product, "
        "CAST(DATE '2026-01-01' + CAST(hash(i * 3 + 5) % 360 AS INTEGER) AS DATE) AS day, "
        "CAST(hash(i * 31) % 10000 AS INTEGER) AS amount FROM range(" +
        std::to_string(rows) + ") AS r(i)"));
  }
  engine::PrepareRequest prepare;
  prepare.table = {
      path,
      {{"user_id", "VARCHAR"}, {"region", "VARCHAR"}, {"product", "VARCHAR"}, {"day", "DATE"}, {"amount", "INTEGER"}},
      rows};
  prepare.rule = kRule;
  prepare.unit_secret = std::string(32, 'b');
  prepare.target_path = folder + "/prepared_" + std::to_string(rows) + ".duckdb";
  engine::RunAsset asset;
  asset.name = {"t"};
  asset.owner = "provider";
  asset.rule = kRule;
  asset.version = "1";
  asset.prepared = Check(engine.Prepare(prepare));
  return asset;
}

// A database with the asset attached, as a worker has it.
struct Attached {
  std::unique_ptr<Database> database;
  std::unique_ptr<Connection> connection;
};

Attached Attach(const engine::RunAsset& asset) {
  Attached out;
  out.database = Check(Database::Open({}));
  out.connection = Check(out.database->Connect());
  Check(out.connection->Execute("ATTACH " + engine::duckdb::QuoteLiteral(asset.prepared.file.path) +
                                " AS asset_0 (READ_ONLY)"));
  return out;
}

engine::RunRequest Request(const engine::RunAsset& asset, const char* sql, const std::vector<json::Value>& history) {
  engine::RunRequest request;
  request.cells.push_back({sql});
  request.assets.push_back(asset);
  request.history = history;
  request.inline_rows_max = 1'000;
  return request;
}

std::string PlainSql(std::string sql) {
  const std::size_t at = sql.find("FROM t");
  return sql.replace(at, std::strlen("FROM t"), "FROM asset_0.data");
}

void BenchLarge(engine::Engine& engine, const std::string& folder, std::int64_t rows) {
  const engine::RunAsset asset = MakeAsset(engine, folder, rows);
  // A history: earlier releases of the same room.
  std::vector<json::Value> history;
  for (const char* sql : {"SELECT COUNT(*) AS n FROM t", "SELECT product, SUM(amount) AS s FROM t GROUP BY product",
                          "SELECT region, COUNT(*) AS n FROM t WHERE product <> 'p0' GROUP BY region"}) {
    const Attached attached = Attach(asset);
    history.push_back(Check(engine::governed::RunGoverned(*attached.connection, Request(asset, sql, history))).record);
  }
  std::printf("| query, %lld rows, history of %zu | plain, ms | governed, ms | ratio |\n|---|---|---|---|\n",
              static_cast<long long>(rows), history.size());
  double product = 1;
  for (const Query& query : kQueries) {
    std::vector<double> plain;
    std::vector<double> governed;
    for (int i = 0; i < kRepetitions; ++i) {
      const Attached a = Attach(asset);
      plain.push_back(Seconds([&] { (void)Check(a.connection->Query(PlainSql(query.sql))); }));
      const Attached b = Attach(asset);
      governed.push_back(Seconds(
          [&] { (void)Check(engine::governed::RunGoverned(*b.connection, Request(asset, query.sql, history))); }));
    }
    const double ratio = Median(governed) / Median(plain);
    product *= ratio;
    std::printf("| %s | %.1f | %.1f | %.2f |\n", query.name, Median(plain) * 1e3, Median(governed) * 1e3, ratio);
  }
  std::printf("| geometric mean | | | %.2f |\n\n", std::cbrt(product));
}

void BenchSmall(engine::Engine& engine, const std::string& folder) {
  constexpr std::int64_t kRows = 20'000;
  const engine::RunAsset asset = MakeAsset(engine, folder, kRows);
  std::vector<double> seconds;
  for (int i = 0; i < kSmallRuns; ++i) {
    engine::RunRequest request = Request(asset, kQueries[0].sql, {});
    request.output_folder = folder + "/out_" + std::to_string(i);
    request.timeout_ms = 60'000;
    Check(MakeDirectories(request.output_folder));
    seconds.push_back(Seconds([&] { (void)Check(engine.Run(request)); }));
  }
  std::ranges::sort(seconds);
  std::printf(
      "| small run in a worker process, %lld rows | median, ms | p99, ms |\n|---|---|---|\n| %d runs | %.1f | %.1f |\n",
      static_cast<long long>(kRows), kSmallRuns, Median(seconds) * 1e3,
      seconds[static_cast<std::size_t>(kSmallRuns * 99 / 100)] * 1e3);
}

int Main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "worker") == 0) {
    return engine::worker::WorkerMain();
  }
  const std::int64_t rows = argc > 1 ? std::strtoll(argv[1], nullptr, 10) : 10'000'000;
  std::string folder = (std::filesystem::temp_directory_path() / "glovebox-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    std::fprintf(stderr, "bench: cannot make a temporary folder\n");
    return 1;
  }
  {
    engine::ProcessEngine engine({});
    BenchLarge(engine, folder, rows);
    BenchSmall(engine, folder);
  }
  return RemoveTree(folder).ok() ? 0 : 1;
}

}  // namespace
}  // namespace glovebox

int main(int argc, char** argv) { return glovebox::Main(argc, argv); }
