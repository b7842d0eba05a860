// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/outputs.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "engine/duckdb/error_place.h"
#include "query/print_expr.h"
#include "query/print_rel.h"

namespace glovebox::engine::governed {
namespace {

using query::QuoteName;

constexpr std::size_t kRowsPerInsert = 2'000;

std::string ReleasedName(std::size_t i) { return "released_" + std::to_string(i); }

// The columns of a released table over the groups: k0.., then c0.. with `value(i)`.
template <typename ValueSql>
std::string ReleasedColumns(const query::GovernedQuery& query, const ValueSql& value) {
  std::string out;
  for (std::size_t i = 0; i < query.leaves.size(); ++i) {
    out += (i == 0 ? "" : ", ") + ("k" + std::to_string(i));
  }
  for (std::size_t i = 0; i < query.calls.size(); ++i) {
    out += (out.empty() ? "" : ", ") + value(i) + " AS c" + std::to_string(i);
  }
  return out.empty() ? "1 AS one" : out;
}

// Types in which two values are one group of SQL's if and only if they have one text (KeyText). DOUBLE is none: NaN and
// infinities have no text; INTERVAL neither: a month is 30 days.
bool IsKeyType(const std::string& type) {
  constexpr std::array kTypes = {"BOOLEAN",   "TINYINT",  "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",   "UTINYINT",
                                 "USMALLINT", "UINTEGER", "UBIGINT",  "VARCHAR", "DATE",   "TIMESTAMP", "\"NULL\""};
  return std::ranges::find(kTypes, type) != kTypes.end() || type.starts_with("DECIMAL(");
}

struct OutputColumn {
  std::string name;
  std::string type;
  std::string sql;  // in the form in which it leaves
};

// P12: sums of integers leave as DECIMAL(38,0), doubles with 12 significant digits, NaN and infinities as NULL.
OutputColumn Leaving(const std::string& name, const std::string& type) {
  const std::string column = QuoteName(name);
  if (type == "HUGEINT" || type == "UHUGEINT" || type == "UBIGINT") {
    return {name, "DECIMAL(38,0)", "TRY_CAST(" + column + " AS DECIMAL(38,0))"};
  }
  if (type == "DOUBLE" || type == "FLOAT") {
    return {
        name, "DOUBLE",
        "CASE WHEN isfinite(" + column + ") THEN CAST(printf('%.11e', CAST(" + column + " AS DOUBLE)) AS DOUBLE) END"};
  }
  if (type == "\"NULL\"" || type == "NULL") {
    return {name, "VARCHAR", "CAST(" + column + " AS VARCHAR)"};
  }
  return {name, type, column};
}

Result<std::vector<OutputColumn>> Describe(RunContext& run, const std::string& sql) {
  GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table, run.connection.Query("DESCRIBE " + sql));
  std::vector<OutputColumn> out;
  for (std::size_t row = 0; row < table.rows; ++row) {
    out.push_back(Leaving(table.columns[0].texts[row], table.columns[1].texts[row]));
  }
  return out;
}

Result<OutputTable> WriteOne(RunContext& run, const RunRequest& request, std::size_t index) {
  const query::PlannedOutput& planned = run.plan.outputs[index];
  const std::string name = "output_" + std::to_string(index);
  GB_ASSIGN_OR_RETURN(const std::vector<OutputColumn> columns, Describe(run, planned.sql));
  OutputTable out;
  out.name = planned.name;
  std::string select;
  for (const OutputColumn& column : columns) {
    select += (select.empty() ? "" : ", ") + column.sql + " AS " + QuoteName(column.name);
    out.file.columns.push_back({column.name, column.type});
  }
  GB_RETURN_IF_ERROR(run.connection.Execute("CREATE TEMP TABLE " + name + " AS SELECT " + select + " FROM (" +
                                            planned.sql + ") LIMIT " + std::to_string(limits::kRunOutputRowsMax + 1)));
  GB_ASSIGN_OR_RETURN(out.file.rows, run.connection.QueryInt("SELECT count(*) FROM " + name));
  if (static_cast<std::size_t>(out.file.rows) > limits::kRunOutputRowsMax) {
    return Status(ErrorCode::kResourceExhausted, "an output has too many rows");
  }
  if (request.inline_rows_max > 0) {
    GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table, run.connection.Query("SELECT * FROM " + name + " LIMIT " +
                                                                              std::to_string(request.inline_rows_max)));
    for (std::size_t row = 0; row < table.rows; ++row) {
      out.rows.emplace_back();
      for (const duckdb::ResultColumn& column : table.columns) {
        out.rows.back().push_back(duckdb::CellToJson(column, row));
      }
    }
  }
  if (!request.output_folder.empty()) {
    out.file.path = request.output_folder + "/" + planned.name + ".parquet";
    GB_RETURN_IF_ERROR(run.connection.Execute("COPY " + name + " TO " + duckdb::QuoteLiteral(out.file.path) +
                                              " (FORMAT PARQUET, COMPRESSION ZSTD)"));
    GB_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(out.file.path, limits::kOutputFileBytesMax));
    out.sha256 = crypto::ToHex(crypto::Sha256::Of(bytes));
  }
  return out;
}

// Of the keys that are computed from own columns; what is stored in a column of doubles is finite.
Status CheckKeyTypes(RunContext& run, std::size_t i) {
  const query::GovernedQuery& governed = run.plan.governed.queries[i];
  for (std::size_t k = 0; k < governed.leaves.size(); ++k) {
    const query::Leaf& leaf = governed.leaves[k];
    if (leaf.kind != query::Leaf::Kind::kOwn || leaf.own->op == query::ExprOp::kAttr) {
      continue;
    }
    GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table,
                        run.connection.Query("DESCRIBE SELECT k" + std::to_string(k) + " FROM " + ReleasedName(i)));
    if (!IsKeyType(table.columns[1].texts[0])) {
      return Status(ErrorCode::kQueryRefused,
                    "a computed group key is text, a whole number, a DECIMAL, a date, a timestamp or a boolean; write "
                    "CAST(... AS DECIMAL(18, 2)) for a fraction")
          .WithRule("P3")
          .At(leaf.own->position);
    }
  }
  return {};
}

}  // namespace

Status CheckTypes(RunContext& run, std::size_t& output) {
  const auto refused = [](std::size_t position) {
    return Status(ErrorCode::kSqlType,
                  "an expression has types that do not fit together, or a function got the wrong type; write a CAST")
        .WithRule("P11")
        .At(position);
  };
  for (std::size_t i = 0; i < run.plan.governed.queries.size(); ++i) {
    const query::GovernedSql& sql = run.plan.sql[i];
    const query::GovernedQuery& governed = run.plan.governed.queries[i];
    const std::string columns = ReleasedColumns(governed, [&sql](std::size_t c) { return "(" + sql.values[c] + ")"; });
    if (const Status status = run.connection.Execute("CREATE TEMP TABLE " + ReleasedName(i) + " AS SELECT " + columns +
                                                     " FROM (" + sql.groups + ") LIMIT 0");
        !status.ok()) {
      output = run.plan.governed.output_of[i];
      return refused(governed.position);
    }
    if (const Status status = CheckKeyTypes(run, i); !status.ok()) {
      output = run.plan.governed.output_of[i];
      return status;
    }
  }
  for (output = 0; output < run.plan.outputs.size(); ++output) {
    if (Describe(run, run.plan.outputs[output].sql).ok()) {
      continue;
    }
    // Once more, with places in the text that fails.
    const bool again = Describe(run, query::SqlWithPlaces(run.plan, run.assets, output)).ok();
    const auto place = again ? std::nullopt : duckdb::PlaceOfTypes(run.connection.last_error_detail());
    return refused(place.value_or(run.plan.outputs[output].position));
  }
  return {};
}

Result<std::vector<OutputTable>> DescribeOutputs(RunContext& run) {
  std::vector<OutputTable> out;
  for (const query::PlannedOutput& planned : run.plan.outputs) {
    GB_ASSIGN_OR_RETURN(const std::vector<OutputColumn> columns, Describe(run, planned.sql));
    OutputTable table;
    table.name = planned.name;
    for (const OutputColumn& column : columns) {
      table.file.columns.push_back({column.name, column.type});
    }
    out.push_back(std::move(table));
  }
  return out;
}

Status FillReleased(RunContext& run, const ExecutedQuery& query) {
  const query::GovernedQuery& governed = run.plan.governed.queries[query.index];
  const query::GovernedSql& sql = run.plan.sql[query.index];
  const std::string decision = "decision_" + std::to_string(query.index);
  std::string columns = "gid BIGINT";
  for (std::size_t c = 0; c < governed.calls.size(); ++c) {
    columns += ", r" + std::to_string(c) + " BOOLEAN";
  }
  GB_RETURN_IF_ERROR(run.connection.Execute("CREATE TEMP TABLE " + decision + "(" + columns + ")"));
  std::string rows;
  std::size_t count = 0;
  const auto flush = [&]() -> Status {
    if (rows.empty()) {
      return {};
    }
    Status status = run.connection.Execute("INSERT INTO " + decision + " VALUES " + rows);
    rows.clear();
    count = 0;
    return status;
  };
  for (std::size_t g = 0; g < query.groups; ++g) {
    const std::vector<bool>& out = query.grid.groups[g].out;
    // A row all of whose aggregates are withheld is absent.
    if (std::ranges::find(out, true) == out.end()) {
      continue;
    }
    rows += (rows.empty() ? "(" : ", (") + std::to_string(g);
    for (const bool released : out) {
      rows += released ? ", true" : ", false";
    }
    rows += ")";
    if (++count == kRowsPerInsert) {
      GB_RETURN_IF_ERROR(flush());
    }
  }
  GB_RETURN_IF_ERROR(flush());
  const std::string values = ReleasedColumns(governed, [&sql](std::size_t c) {
    return "CASE WHEN r" + std::to_string(c) + " THEN " + sql.values[c] + " END";
  });
  return run.connection.Execute("INSERT INTO " + ReleasedName(query.index) + " SELECT " + values + " FROM " +
                                query.GroupsTable() + " JOIN " + decision + " USING (gid) ORDER BY gid");
}

Result<std::vector<OutputTable>> WriteOutputs(RunContext& run, const RunRequest& request) {
  std::vector<OutputTable> out;
  for (std::size_t i = 0; i < run.plan.outputs.size(); ++i) {
    GB_ASSIGN_OR_RETURN(OutputTable table, WriteOne(run, request, i));
    out.push_back(std::move(table));
  }
  return out;
}

}  // namespace glovebox::engine::governed
