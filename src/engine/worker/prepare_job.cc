// SPDX-License-Identifier: Apache-2.0
//
// The governed scan of an asset, computed once: filter, mask, resolve units, bound, check, count.
//
//   source --filters--> stage(c0..cn masked, h unit hash) --domain, bounds, finite--> data(columns, __gb_unit), units
#include <algorithm>
#include <map>

#include "base/invalid_parameter.h"
#include "base/limits.h"
#include "base/strings.h"
#include "engine/duckdb/scalar_functions.h"
#include "engine/worker/author_sql.h"
#include "engine/worker/job_database.h"
#include "engine/worker/jobs.h"
#include "query/analysis_rule.h"

namespace glovebox::engine::worker {
namespace {

using duckdb::QuoteIdentifier;
using duckdb::QuoteLiteral;

constexpr std::string_view kReservedPrefix = "__gb_";
constexpr const char* kSource = "gb_source";
constexpr const char* kOut = "gb_out";

// A column of the source that the rule or a declared key names.
struct Kept {
  std::string name;                         // as the source spells it
  query::Type type;                         // after masking
  std::string stage_sql;                    // over the source
  std::string stage_name;                   // in the stage
  const query::ColumnRule* rule = nullptr;  // null: only a declared key names it, and it is not written
};

// What the job works on, once it has been read and checked.
struct Plan {
  query::AnalysisRule rule;
  std::vector<query::ColumnDef> source;
  std::vector<std::string> filters;  // SQL over the source
  std::vector<Kept> kept;
};

const query::ColumnDef* FindColumn(const std::vector<query::ColumnDef>& columns, std::string_view name) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const query::ColumnDef& c) { return EqualsIgnoreCase(c.name, name); });
  return found == columns.end() ? nullptr : &*found;
}

Kept* FindKept(Plan& plan, std::string_view name) {
  const auto found =
      std::find_if(plan.kept.begin(), plan.kept.end(), [&](const Kept& k) { return EqualsIgnoreCase(k.name, name); });
  return found == plan.kept.end() ? nullptr : &*found;
}

// The call of a filter's or mask's function on columns of the source, which is attached.
Result<query::CompiledScalar> CompilePolicy(const ParsedFunctions& functions, const std::string& function,
                                            const std::vector<std::string>& columns, const Plan& plan,
                                            duckdb::Connection& connection) {
  const query::FunctionDef* const definition = functions.Find(function);
  if (definition == nullptr) {
    return InvalidParameter("there is no function " + function);
  }
  std::vector<query::ColumnDef> arguments;
  for (const std::string& name : columns) {
    const query::ColumnDef* const column = FindColumn(plan.source, name);
    if (column == nullptr) {
      return InvalidParameter("the policy with function " + function + " names the column " + name +
                              ", which is not there");
    }
    arguments.push_back(*column);
  }
  GB_ASSIGN_OR_RETURN(query::CompiledScalar scalar,
                      query::CompileCall(*definition, arguments, functions.definitions, query::Secrets::kAsHmacKey));
  GB_ASSIGN_OR_RETURN(const std::vector<query::ColumnDef> described,
                      DescribeQuery(connection, "SELECT " + scalar.sql + " AS " + QuoteIdentifier(function) + " FROM " +
                                                    kSource + ".data"));
  scalar.type = described.at(0).type;
  return scalar;
}

Status CompileFilters(const PrepareRequest& request, const ParsedFunctions& functions, duckdb::Connection& connection,
                      Plan& plan) {
  for (const RowFilter& filter : request.row_filters) {
    GB_ASSIGN_OR_RETURN(query::CompiledScalar condition,
                        CompilePolicy(functions, filter.function, filter.columns, plan, connection));
    if (condition.type.kind != query::TypeKind::kBoolean) {
      return InvalidParameter("the row filter " + filter.function + " does not give a BOOLEAN");
    }
    plan.filters.push_back(std::move(condition.sql));
  }
  return {};
}

// The columns by lower-case name as their readers will see them, masks applied.
Result<std::map<std::string, query::CompiledScalar>> CompileMasks(const PrepareRequest& request,
                                                                  const ParsedFunctions& functions, const Plan& plan,
                                                                  duckdb::Connection& connection) {
  std::map<std::string, query::CompiledScalar> seen;
  for (const query::ColumnDef& column : plan.source) {
    if (AsciiLower(column.name).starts_with(kReservedPrefix)) {
      return InvalidParameter("the column name " + column.name + " is reserved");
    }
    seen[AsciiLower(column.name)] = {.sql = QuoteIdentifier(column.name), .type = column.type};
  }
  for (const Mask& mask : request.masks) {
    const auto column = seen.find(AsciiLower(mask.column));
    if (column == seen.end()) {
      return InvalidParameter("a mask names the column " + mask.column + ", which is not there");
    }
    std::vector<std::string> arguments = {mask.column};
    arguments.insert(arguments.end(), mask.using_columns.begin(), mask.using_columns.end());
    GB_ASSIGN_OR_RETURN(column->second, CompilePolicy(functions, mask.function, arguments, plan, connection));
    if (column->second.type.kind == query::TypeKind::kText) {
      column->second.sql = "nfc_normalize(" + column->second.sql + ")";
    }
  }
  return seen;
}

void Keep(const std::string& name, const query::ColumnRule* rule,
          const std::map<std::string, query::CompiledScalar>& seen, Plan& plan) {
  if (FindKept(plan, name) != nullptr) {
    return;
  }
  const query::CompiledScalar& scalar = seen.at(AsciiLower(name));
  plan.kept.push_back({.name = FindColumn(plan.source, name)->name,
                       .type = scalar.type,
                       .stage_sql = scalar.sql,
                       .stage_name = "c" + std::to_string(plan.kept.size()),
                       .rule = rule});
}

Result<Plan> MakePlan(const PrepareRequest& request, duckdb::Connection& connection) {
  Plan plan;
  GB_ASSIGN_OR_RETURN(plan.rule, query::ParseAnalysisRule(request.rule));
  GB_ASSIGN_OR_RETURN(plan.source, ReadColumns(request.table.columns));
  GB_ASSIGN_OR_RETURN(const ParsedFunctions functions, ParseFunctions(connection, request.functions));
  GB_RETURN_IF_ERROR(CompileFilters(request, functions, connection, plan));
  GB_ASSIGN_OR_RETURN(const auto seen, CompileMasks(request, functions, plan, connection));
  std::vector<query::RuleColumn> columns;
  for (const query::ColumnDef& column : plan.source) {
    columns.push_back({.name = column.name, .type = seen.at(AsciiLower(column.name)).type});
  }
  GB_RETURN_IF_ERROR(query::CheckRuleAgainst(plan.rule, columns));
  std::vector<std::string> named = plan.rule.unit_columns;
  for (const auto& [name, rule] : plan.rule.columns) {
    named.push_back(name);
  }
  for (const std::vector<std::string>& key : plan.rule.keys) {
    named.insert(named.end(), key.begin(), key.end());
  }
  for (const std::string& name : named) {
    if (!seen.contains(AsciiLower(name))) {
      return InvalidParameter("the rule names the column " + name + ", which the table does not have");
    }
  }
  for (const query::ColumnDef& column : plan.source) {
    for (const auto& [name, rule] : plan.rule.columns) {
      if (EqualsIgnoreCase(name, column.name)) {
        Keep(name, &rule, seen, plan);
      }
    }
  }
  for (const std::vector<std::string>& key : plan.rule.keys) {
    for (const std::string& name : key) {
      Keep(name, nullptr, seen, plan);
    }
  }
  return plan;
}

std::string Constant(const std::string& text, const query::Type& type) {
  const std::string cast = "CAST(" + QuoteLiteral(text) + " AS " + query::TypeName(type) + ")";
  return type.kind == query::TypeKind::kText ? "nfc_normalize(" + cast + ")" : cast;
}

// Whether the value is one of the declared domain, as SQL over the stage. REQUIRES: the rule lists a domain.
std::string InDomain(const Kept& kept) {
  std::string list;
  for (const std::string& value : *kept.rule->domain) {
    list += (list.empty() ? "" : ", ") + Constant(value, kept.type);
  }
  return list.empty() ? "false" : kept.stage_name + " IN (" + list + ")";
}

std::string Clamped(const std::string& value, const std::string& low, const std::string& high) {
  return "CASE WHEN " + value + " < " + low + " THEN " + low + " WHEN " + value + " > " + high + " THEN " + high +
         " ELSE " + value + " END";
}

// No sum or variance of a measure may fail: what is beyond every plausible value is cut off (PLANNER.md P11).
std::string TotalMeasure(const Kept& kept) {
  const bool wide = (kept.type.kind == query::TypeKind::kInteger && kept.type.bits > 64) ||
                    (kept.type.kind == query::TypeKind::kDecimal && kept.type.precision > limits::kMeasureDigitsMax);
  std::string high;
  if (kept.type.kind == query::TypeKind::kDouble) {
    high = std::to_string(limits::kMeasureDoubleMax);
  } else if (wide) {
    // CheckRuleAgainst leaves one digit before the point at least.
    high = "1" + std::string(static_cast<std::size_t>(limits::kMeasureDigitsMax - kept.type.scale - 1), '0');
  }
  return high.empty() ? kept.stage_name
                      : Clamped(kept.stage_name, Constant("-" + high, kept.type), Constant(high, kept.type));
}

// Whether a value of a stepped column has a place on its grid, as SQL over the stage.
std::string OnGrid(const Kept& kept) {
  std::string low = "DATE '0001-01-01'";
  std::string high = "DATE '9999-12-31'";
  if (kept.type.IsNumeric()) {
    high = std::to_string(limits::kSteppedNumberMax);
    low = "-" + high;
  }
  return kept.stage_name + " >= " + low + " AND " + kept.stage_name + " < " + high;
}

// The value as it is written: finite, of the domain, within its bounds.
std::string FinalValue(const Kept& kept) {
  const std::string& name = kept.stage_name;
  const query::TypeKind kind = kept.type.kind;
  std::string value = name;
  if (kept.rule != nullptr && kept.rule->bounds.has_value()) {
    value =
        Clamped(name, Constant(kept.rule->bounds->first, kept.type), Constant(kept.rule->bounds->second, kept.type));
  } else if (kept.rule != nullptr && kept.rule->Allows(query::Use::kMeasure)) {
    value = TotalMeasure(kept);
  }
  if (kept.rule != nullptr && (kept.rule->filter_step.has_value() || !kept.rule->dimension_steps.empty())) {
    value = "CASE WHEN " + OnGrid(kept) + " THEN " + value + " END";
  }
  if (kept.rule != nullptr && kept.rule->domain.has_value()) {
    value = "CASE WHEN " + InDomain(kept) + " THEN " + value + " END";
  }
  if (kind == query::TypeKind::kDouble || kind == query::TypeKind::kDate || kind == query::TypeKind::kTimestamp) {
    value = "CASE WHEN isfinite(" + name + ") THEN " + value + " END";
  }
  if (kind == query::TypeKind::kDouble) {
    // SQL holds -0 and 0 equal, and writes them differently: what is stored has one of them.
    value = "CASE WHEN (" + value + ") = 0 THEN 0e0 ELSE " + value + " END";
  }
  return value;
}

// Units are of the source as it is: a mask must not merge or split them.
std::string UnitHash(const Plan& plan) {
  std::string arguments;
  for (const std::string& name : plan.rule.unit_columns) {
    arguments += arguments.empty() ? "" : ", ";
    arguments += "CAST(" + QuoteIdentifier(FindColumn(plan.source, name)->name) + " AS VARCHAR)";
  }
  const char* const function =
      plan.rule.canonical == query::Canonical::kNfkcTrimLower ? "gb_unit_hash(" : "gb_unit_hash_exact(";
  return function + arguments + ")";
}

Status FillStage(const Plan& plan, duckdb::Connection& connection) {
  std::string where;
  for (const std::string& filter : plan.filters) {
    where += (where.empty() ? " WHERE (" : " AND (") + filter + ")";
  }
  std::string items = UnitHash(plan) + " AS h";
  for (const Kept& kept : plan.kept) {
    items += ", " + kept.stage_sql + " AS " + kept.stage_name;
  }
  return connection.Execute("CREATE TEMP TABLE stage AS SELECT * FROM (SELECT " + items + " FROM " +
                            std::string(kSource) + ".data" + where + ") WHERE h IS NOT NULL");
}

Status WriteAsset(const Plan& plan, duckdb::Connection& connection) {
  const std::string out = kOut;
  // By hash, so that neither the order of rows nor the number of threads decides an id.
  GB_RETURN_IF_ERROR(connection.Execute("CREATE TABLE " + out +
                                        ".units AS SELECT CAST(row_number() OVER (ORDER BY hash) AS UINTEGER) AS id, "
                                        "hash FROM (SELECT DISTINCT h AS hash FROM stage) ORDER BY hash"));
  std::string items;
  for (const Kept& kept : plan.kept) {
    if (kept.rule != nullptr) {
      // Plans are made over the types that are reported, without the file.
      items += "CAST(" + FinalValue(kept) + " AS " + query::TypeName(kept.type) + ") AS " + QuoteIdentifier(kept.name) +
               ", ";
    }
  }
  return connection.Execute("CREATE TABLE " + out + ".data AS SELECT " + items + "u.id AS __gb_unit FROM stage JOIN " +
                            out + ".units AS u ON stage.h = u.hash");
}

// A key with a NULL matches nothing, so it may be there more than once.
Status CheckKeys(Plan& plan, duckdb::Connection& connection) {
  for (const std::vector<std::string>& key : plan.rule.keys) {
    std::string values;
    std::string complete;
    for (const std::string& name : key) {
      const std::string value = FinalValue(*FindKept(plan, name));
      values += (values.empty() ? "" : ", ") + value;
      complete += (complete.empty() ? "" : " AND ") + ("(" + value) + ") IS NOT NULL";
    }
    GB_ASSIGN_OR_RETURN(const std::int64_t twice,
                        connection.QueryInt("SELECT count(*) FROM (SELECT 1 FROM stage WHERE " + complete +
                                            " GROUP BY " + values + " HAVING count(*) > 1 LIMIT 1)"));
    if (twice != 0) {
      return InvalidParameter("the declared key (" + Join(key, ", ") + ") is not unique in the table's rows");
    }
  }
  return {};
}

// Joins, keys and conditions over a text are computed for every row: without a domain there is no end to what they
// need.
Status CheckTexts(const Plan& plan, duckdb::Connection& connection) {
  for (const Kept& kept : plan.kept) {
    const bool is_free = kept.rule != nullptr && !kept.rule->domain.has_value() && !kept.rule->uses.empty();
    if (!is_free || kept.type.kind != query::TypeKind::kText) {
      continue;
    }
    GB_ASSIGN_OR_RETURN(
        const std::int64_t longer,
        connection.QueryInt("SELECT count(*) FROM (SELECT 1 FROM stage WHERE length(" + kept.stage_name + ") > " +
                            std::to_string(limits::kDimensionCharactersMax) + " LIMIT 1)"));
    if (longer != 0) {
      return InvalidParameter("the column " + kept.name +
                              " is joined, grouped or chosen by, and holds a text of more than " +
                              std::to_string(limits::kDimensionCharactersMax) + " characters");
    }
  }
  return {};
}

Result<json::Object> ColumnStatistics(const Plan& plan, duckdb::Connection& connection) {
  json::Object columns;
  for (const Kept& kept : plan.kept) {
    if (kept.rule == nullptr) {
      continue;
    }
    const std::string column = QuoteIdentifier(kept.name);
    GB_ASSIGN_OR_RETURN(const std::int64_t nulls,
                        connection.QueryInt("SELECT count(*) FROM (SELECT 1 FROM " + std::string(kOut) +
                                            ".data WHERE " + column + " IS NULL LIMIT 1)"));
    json::Object statistics{{"has_null", nulls != 0}};
    if (kept.rule->domain.has_value()) {
      GB_ASSIGN_OR_RETURN(const std::int64_t outside,
                          connection.QueryInt("SELECT count(*) FROM stage WHERE " + kept.stage_name +
                                              " IS NOT NULL AND NOT (" + InDomain(kept) + ")"));
      statistics.Set("out_of_domain", outside);
    }
    if (kept.rule->identity) {
      GB_ASSIGN_OR_RETURN(const std::int64_t pairs_beyond,
                          connection.QueryInt("SELECT 2 * count(*) - count(DISTINCT value) - count(DISTINCT unit) FROM "
                                              "(SELECT DISTINCT " +
                                              column + " AS value, __gb_unit AS unit FROM " + std::string(kOut) +
                                              ".data WHERE " + column + " IS NOT NULL)"));
      statistics.Set("one_to_one_with_units", pairs_beyond == 0);
    }
    columns.Set(kept.name, std::move(statistics));
  }
  return columns;
}

Result<json::Value> Statistics(const Plan& plan, duckdb::Connection& connection) {
  GB_ASSIGN_OR_RETURN(
      const duckdb::ResultTable totals,
      connection.Query(
          "WITH per_unit AS (SELECT count(*) AS n FROM stage GROUP BY h), heaviest AS (SELECT n FROM per_unit "
          "ORDER BY n DESC LIMIT " +
          std::to_string(plan.rule.min_units - 1) +
          ") SELECT (SELECT count(*) FROM stage), (SELECT count(*) FROM per_unit), CAST(coalesce((SELECT "
          "sum(n) FROM heaviest), 0) AS BIGINT), coalesce((SELECT max(n) FROM per_unit), 0)"));
  GB_ASSIGN_OR_RETURN(json::Object columns, ColumnStatistics(plan, connection));
  const auto total = [&](std::size_t column) { return totals.columns[column].ints[0]; };
  return json::Value(json::Object{{"rows", total(0)},
                                  {"units", total(1)},
                                  {"heaviest_rows_below_k", total(2)},
                                  {"max_rows_per_unit", total(3)},
                                  {"one_row_per_unit", total(3) <= 1},
                                  {"columns", std::move(columns)}});
}

Status RegisterFunctions(const PrepareRequest& request, duckdb::Connection& connection) {
  auto keyring = std::make_shared<duckdb::Keyring>();
  for (const Secret& secret : request.secrets) {
    keyring->Add(secret.scope + "/" + secret.key, secret.value);
  }
  GB_RETURN_IF_ERROR(duckdb::RegisterTextFunctions(connection, std::move(keyring)));
  return duckdb::RegisterUnitHash(connection, request.unit_secret);
}

std::vector<Column> WrittenColumns(const Plan& plan) {
  std::vector<Column> out;
  for (const Kept& kept : plan.kept) {
    if (kept.rule != nullptr) {
      out.push_back({.name = kept.name, .type = query::TypeName(kept.type)});
    }
  }
  return out;
}

// The columns alone: over an empty table of the source's schema, without a secret.
Result<PreparedAsset> Describe(const PrepareRequest& request, JobDatabase& database) {
  GB_RETURN_IF_ERROR(duckdb::RegisterTextFunctions(database.connection(), std::make_shared<duckdb::Keyring>()));
  GB_RETURN_IF_ERROR(database.AttachEmpty(request.table.columns, kSource));
  GB_RETURN_IF_ERROR(database.connection().Lock({}));
  GB_ASSIGN_OR_RETURN(const Plan plan, MakePlan(request, database.connection()));
  PreparedAsset asset;
  asset.file.columns = WrittenColumns(plan);
  return asset;
}

}  // namespace

Result<PreparedAsset> RunPrepareJob(const PrepareRequest& request, JobDatabase& database) {
  if (request.target_path.empty()) {
    return Describe(request, database);
  }
  duckdb::Connection& connection = database.connection();
  GB_RETURN_IF_ERROR(RegisterFunctions(request, connection));
  GB_RETURN_IF_ERROR(database.AttachReadOnly(request.table.path, kSource));
  GB_ASSIGN_OR_RETURN(Plan plan, MakePlan(request, connection));
  GB_RETURN_IF_ERROR(database.AttachNew(request.target_path, kOut));
  GB_RETURN_IF_ERROR(connection.Lock({}));
  const Status filled = FillStage(plan, connection);
  if (!filled.ok()) {
    return filled.code() == ErrorCode::kRunFailed ? InvalidParameter(
                                                        "a row filter or mask fails on the table's data: a value does "
                                                        "not fit a type or a secret is missing")
                                                  : filled;
  }
  GB_RETURN_IF_ERROR(CheckTexts(plan, connection));
  GB_RETURN_IF_ERROR(CheckKeys(plan, connection));
  GB_RETURN_IF_ERROR(WriteAsset(plan, connection));
  PreparedAsset asset;
  GB_ASSIGN_OR_RETURN(asset.statistics, Statistics(plan, connection));
  asset.file.path = request.target_path;
  asset.file.rows = asset.statistics.GetInt("rows");
  asset.file.columns = WrittenColumns(plan);
  GB_RETURN_IF_ERROR(database.Close(kOut));
  return asset;
}

}  // namespace glovebox::engine::worker
