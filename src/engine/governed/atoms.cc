// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/atoms.h"

#include <algorithm>
#include <set>

#include "base/limits.h"
#include "base/strings.h"
#include "engine/governed/remainder.h"

namespace glovebox::engine::governed {
namespace {

using privacy::CellIndex;
using query::Population;

constexpr const char* kAtomsTable = "audit_atoms";

// Without what tells its rows apart.
Population BaseOf(const Population& population) {
  Population out = population;
  out.boxes = {query::NamedBox{}};
  out.own.clear();
  return out;
}

}  // namespace

AtomScan::AtomScan(RunContext& run, const std::vector<Side>& sides) : run_(run), sides_(sides) {
  GB_ASSERT(!sides.empty());
  finest_ = sides.front().population.finest;
  std::map<std::string, std::size_t> known;
  for (std::size_t s = 0; s < sides.size(); ++s) {
    Population rows = BaseOf(sides[s].population);
    const auto [entry, is_new] = known.try_emplace(rows.Text(run.catalog), bases_.size());
    if (is_new) {
      bases_.push_back({std::move(rows), {}});
    }
    bases_[entry->second].sides.push_back(s);
  }
  FindKinds();
}

void AtomScan::FindKinds() {
  std::vector<const query::PopulationTable*> tables = UnitTables(run_, bases_.front().rows);
  if (!HasOneBase()) {
    std::erase_if(tables, [this](const query::PopulationTable* table) { return table->alias != finest_; });
  }
  for (const query::PopulationTable* table : tables) {
    UnitKind kind;
    kind.alias = table->alias;
    for (const Base& base : bases_) {
      kind.min_units = std::max(kind.min_units, MinimumOf(run_, base.rows, *table));
    }
    kind.one_row_per_unit = table->alias == finest_ && run_.StatisticsOf(table->asset).one_row_per_unit;
    kinds_.push_back(std::move(kind));
  }
}

std::string AtomScan::ConditionSql(const Side& side) const {
  std::string out = query::BoxesSql(side.population.boxes, side.population, run_.catalog);
  for (const auto& [columns, rows] : side.population.own) {
    out += " AND " + rows.Sql();
  }
  return out + " AND " + HasValueSql(side.valued);
}

std::vector<std::string> AtomScan::Columns() const {
  std::vector<std::string> out;
  for (std::size_t s = 0; s < sides_.size(); ++s) {
    const std::string side = std::to_string(s);
    out.push_back("c" + side);
    for (std::size_t i = 0; i < sides_[s].grid->leaves.size(); ++i) {
      out.push_back("k" + side + "_" + std::to_string(i));
    }
  }
  return out;
}

std::string AtomScan::BaseSql(const Base& base, const query::AssetCatalog& catalog) const {
  std::string out = HasOneBase() ? "SELECT 0 AS r" : "SELECT " + query::ColumnSql(finest_, "rowid") + " AS r";
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    out += ", " + query::UnitSql(kinds_[i].alias) + " AS u" + std::to_string(i);
  }
  for (const std::size_t s : base.sides) {
    const std::string condition = ConditionSql(sides_[s]);
    const std::string side = std::to_string(s);
    out += ", CASE WHEN " + condition + " THEN 1 END AS c" + side;
    for (std::size_t i = 0; i < sides_[s].grid->leaves.size(); ++i) {
      out += ", CASE WHEN " + condition + " THEN " + sides_[s].grid->leaves[i].sql + " END AS k" + side + "_" +
             std::to_string(i);
    }
  }
  return out + query::FromSql(base.rows, catalog);
}

std::string AtomScan::RowsSql(const query::AssetCatalog& catalog) const {
  std::string out = BaseSql(bases_.front(), catalog);
  for (std::size_t b = 1; b < bases_.size(); ++b) {
    // Every base has a row of the finest table at most once, and the same unit of it.
    out =
        "SELECT coalesce(x.r, y.r) AS r, coalesce(x.u0, y.u0) AS u0, x.* EXCLUDE (r, u0), y.* EXCLUDE (r, u0) FROM (" +
        out + ") AS x FULL JOIN (" + BaseSql(bases_[b], catalog) + ") AS y ON x.r = y.r";
  }
  return out;
}

Result<std::vector<AtomRows>> AtomScan::ScanFirst(std::int64_t rows_max) {
  GB_ASSERT(HasOneBase());
  std::vector<query::Asset> assets = run_.assets;
  for (query::Asset& asset : assets) {
    if (asset.DisplayName() == bases_.front().rows.Table(finest_)->asset) {
      asset.relation = "(SELECT * FROM " + asset.relation + " WHERE rowid < " + std::to_string(rows_max) + ")";
    }
  }
  GB_ASSIGN_OR_RETURN(const std::string atoms, AtomsSql(query::AssetCatalog(assets)));
  GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table, run_.connection.Query("SELECT 0 AS id, * FROM (" + atoms + ")"));
  return Read(table);
}

Result<std::vector<AtomRows>> AtomScan::ScanAll() {
  GB_ASSIGN_OR_RETURN(const std::string atoms, AtomsSql(run_.catalog));
  GB_RETURN_IF_ERROR(run_.connection.Execute(std::string("CREATE OR REPLACE TEMP TABLE ") + kAtomsTable +
                                             " AS SELECT row_number() OVER () AS id, * FROM (" + atoms + ")"));
  GB_ASSIGN_OR_RETURN(const duckdb::ResultTable table,
                      run_.connection.Query(std::string("SELECT * FROM ") + kAtomsTable + " ORDER BY id"));
  return Read(table);
}

Result<std::string> AtomScan::AtomsSql(const query::AssetCatalog& catalog) {
  std::string numbers;
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    GB_ASSIGN_OR_RETURN(const std::string counter, run_.Counter(kinds_[i].min_units));
    numbers += counter + "(u" + std::to_string(i) + ") AS n" + std::to_string(i) + ", ";
  }
  const std::string list = Join(Columns(), ", ");
  return "SELECT " + numbers + list + " FROM (" + RowsSql(catalog) + ") GROUP BY " + list;
}

std::vector<AtomRows> AtomScan::Read(const duckdb::ResultTable& table) const {
  const std::size_t first = 1 + kinds_.size();
  std::map<std::vector<CellIndex>, std::size_t> known;
  std::vector<AtomRows> out;
  for (std::size_t row = 0; row < table.rows; ++row) {
    std::vector<CellIndex> cells;
    std::size_t column = first;
    for (const Side& side : sides_) {
      const bool is_in = !table.columns[column++].IsNull(row);
      GroupKey key;
      for (std::size_t i = 0; i < side.grid->leaves.size(); ++i) {
        key.push_back(KeyText(table.columns[column++], row));
      }
      if (const auto cell = side.cells.find(key); is_in && cell != side.cells.end()) {
        cells.push_back(cell->second);
      }
    }
    std::ranges::sort(cells);
    const auto [end, last] = std::ranges::unique(cells);
    cells.erase(end, last);
    if (cells.empty()) {
      continue;
    }
    const auto [entry, is_new] = known.try_emplace(cells, out.size());
    if (is_new) {
      out.push_back({cells, std::vector<std::int64_t>(kinds_.size()), std::vector<bool>(kinds_.size()), {}});
    }
    AtomRows& atom = out[entry->second];
    atom.found.push_back(table.columns[0].ints[row]);
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      // What one part of the atom proves holds for all of it; what several have may be the same units.
      const std::int64_t units = table.columns[1 + i].ints[row];
      atom.units[i] += units;
      atom.large[i] = atom.large[i] || units >= kinds_[i].min_units ||
                      (kinds_[i].one_row_per_unit && atom.units[i] >= kinds_[i].min_units);
    }
  }
  return out;
}

Status AtomScan::CountExactly(std::vector<AtomRows>& atoms, std::size_t kind) {
  units_.clear();
  if (kinds_[kind].one_row_per_unit) {
    return {};
  }
  std::map<std::int64_t, std::size_t> atom_of;
  for (std::size_t a = 0; a < atoms.size(); ++a) {
    for (const std::int64_t id : atoms[a].large[kind] ? std::vector<std::int64_t>() : atoms[a].found) {
      atom_of.emplace(id, a);
    }
  }
  units_.resize(atoms.size());
  // No part of an atom that is not large has as many as k units.
  const std::string number = std::to_string(kind);
  std::string same = "a.n" + number + " < " + std::to_string(kinds_[kind].min_units);
  for (const std::string& column : Columns()) {
    same += " AND a." + column + " IS NOT DISTINCT FROM s." + column;
  }
  const std::string unit = "s.u" + number;
  GB_ASSIGN_OR_RETURN(
      const duckdb::ResultTable table,
      run_.connection.Query("SELECT DISTINCT a.id, " + unit + " FROM (" + RowsSql(run_.catalog) + ") AS s JOIN " +
                            kAtomsTable + " AS a ON " + same + " WHERE " + unit + " IS NOT NULL"));
  for (std::size_t row = 0; row < table.rows; ++row) {
    if (const auto atom = atom_of.find(table.columns[0].ints[row]); atom != atom_of.end()) {
      units_[atom->second].push_back(table.columns[1].ints[row]);
    }
  }
  for (std::size_t a = 0; a < atoms.size(); ++a) {
    if (!atoms[a].large[kind]) {
      std::ranges::sort(units_[a]);
      const auto [end, last] = std::ranges::unique(units_[a]);
      units_[a].erase(end, last);
      atoms[a].units[kind] = static_cast<std::int64_t>(units_[a].size());
      atoms[a].large[kind] = atoms[a].units[kind] >= kinds_[kind].min_units;
    }
  }
  return {};
}

std::int64_t AtomScan::CountUnits(const std::vector<AtomRows>& atoms, const std::vector<std::size_t>& which,
                                  std::size_t kind) const {
  std::int64_t count = 0;
  if (kinds_[kind].one_row_per_unit) {
    for (const std::size_t atom : which) {
      count += atoms[atom].units[kind];
    }
    return count;
  }
  std::set<std::int64_t> all;
  for (const std::size_t atom : which) {
    all.insert(units_[atom].begin(), units_[atom].end());
  }
  return static_cast<std::int64_t>(all.size());
}

}  // namespace glovebox::engine::governed
