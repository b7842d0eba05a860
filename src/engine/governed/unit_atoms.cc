// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/unit_atoms.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/strings.h"
#include "engine/governed/remainder.h"

namespace glovebox::engine::governed {
namespace {

using privacy::CellIndex;

constexpr const char* kUnits = "audit_units";         // u, cell
constexpr const char* kSideUnits = "audit_side";      // u, k0...: of one side
constexpr const char* kSideKeys = "audit_side_keys";  // id, k0...
constexpr const char* kAtoms = "audit_unit_atoms";    // cells, n

constexpr int kDecimal = 10;

std::string KeyList(const Side& side) {
  std::string out;
  for (const std::string& name : side.grid->KeyNames()) {
    out += ", " + name;
  }
  return out;
}

}  // namespace

UnitScan::UnitScan(RunContext& run, const std::vector<Side>& sides) : run_(run), sides_(sides) {
  for (const Side& side : sides) {
    min_units_ = std::max(min_units_, MinimumOf(run, side.population, *side.population.Table(side.population.finest)));
  }
}

Status UnitScan::Scan() {
  GB_RETURN_IF_ERROR(
      run_.connection.Execute(std::string("CREATE OR REPLACE TEMP TABLE ") + kUnits + " (u BIGINT, cell BIGINT)"));
  for (const Side& side : sides_) {
    GB_RETURN_IF_ERROR(AddSide(side));
  }
  return run_.connection.Execute(
      std::string("CREATE OR REPLACE TEMP TABLE ") + kAtoms +
      " AS SELECT cells, count(*) AS n FROM (SELECT string_agg(CAST(cell AS VARCHAR), ',' ORDER BY cell) AS cells FROM "
      "(SELECT DISTINCT u, cell FROM " +
      kUnits + ") GROUP BY u) GROUP BY cells");
}

Status UnitScan::AddSide(const Side& side) {
  const std::string keys = KeyList(side);
  const std::string unit = query::UnitSql(side.population.finest);
  GB_RETURN_IF_ERROR(run_.connection.Execute(
      std::string("CREATE OR REPLACE TEMP TABLE ") + kSideUnits + " AS SELECT DISTINCT u" + keys + " FROM (SELECT " +
      side.grid->KeysSql() + unit + " AS u, " + HasValueSql(side.valued) + " AS valued" +
      query::FromSql(side.population, run_.catalog) + ") WHERE u IS NOT NULL AND valued"));
  GB_RETURN_IF_ERROR(run_.connection.Execute(std::string("CREATE OR REPLACE TEMP TABLE ") + kSideKeys +
                                             " AS SELECT row_number() OVER () AS id" + keys +
                                             " FROM (SELECT DISTINCT 0 AS none" + keys + " FROM " + kSideUnits + ")"));
  GB_ASSIGN_OR_RETURN(const duckdb::ResultTable found,
                      run_.connection.Query(std::string("SELECT * FROM ") + kSideKeys));
  std::string cells;
  for (std::size_t row = 0; row < found.rows; ++row) {
    GroupKey key;
    for (std::size_t i = 0; i < side.grid->leaves.size(); ++i) {
      key.push_back(KeyText(found.columns[1 + i], row));
    }
    if (const auto cell = side.cells.find(key); cell != side.cells.end()) {
      cells += (cells.empty() ? "(" : ", (") + std::to_string(found.columns[0].ints[row]) + ", " +
               std::to_string(cell->second) + ")";
    }
  }
  if (cells.empty()) {
    return {};
  }
  std::string same = "TRUE";
  for (const std::string& name : side.grid->KeyNames()) {
    same += " AND s." + name + " IS NOT DISTINCT FROM g." + name;
  }
  return run_.connection.Execute(std::string("INSERT INTO ") + kUnits + " SELECT s.u, c.cell FROM " + kSideUnits +
                                 " AS s JOIN " + kSideKeys + " AS g ON " + same + " JOIN (VALUES " + cells +
                                 ") AS c(id, cell) ON c.id = g.id");
}

Result<std::vector<AtomRows>> UnitScan::Read(const char* than) {
  GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table,
                      run_.connection.Query(std::string("SELECT cells, n FROM ") + kAtoms + " WHERE n " + than + " " +
                                            std::to_string(min_units_) + " ORDER BY cells"));
  std::vector<AtomRows> out;
  for (std::size_t row = 0; row < table.rows; ++row) {
    AtomRows atom;
    for (const std::string& cell : Split(table.columns[0].texts[row], ',')) {
      atom.cells.push_back(static_cast<CellIndex>(std::strtoull(cell.c_str(), nullptr, kDecimal)));
    }
    atom.units = {table.columns[1].ints[row]};
    atom.large = {table.columns[1].ints[row] >= min_units_};
    out.push_back(std::move(atom));
  }
  return out;
}

}  // namespace glovebox::engine::governed
