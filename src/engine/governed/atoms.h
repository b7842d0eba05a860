// SPDX-License-Identifier: Apache-2.0
//
// The rows of a protected table, told apart by the cells that hold them: what linear combinations of cells are made of
// (combinations.h). An atom is never released, logged or recorded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/governed/executed_query.h"
#include "privacy/combinations.h"

namespace glovebox::engine::governed {

// The cells of one branch of one call.
struct Side {
  const Grid* grid = nullptr;
  std::size_t call = 0;
  std::size_t branch = 0;
  query::Population population;                    // of the branch
  std::string valued;                              // "<table>.<column>": only rows with a value of it; or empty
  std::map<GroupKey, privacy::CellIndex> cells{};  // those that count
  std::int64_t rows = 0;                           // that contribute to them
  bool complete = false;                           // no other row of the population contributes to the branch
};

// What a cell of some sides is.
struct AuditedCell {
  query::Population population;
  std::string valued;     // Side::valued
  std::int64_t rows = 0;  // that contribute
};

// A kind of unit that a row belongs to.
struct UnitKind {
  std::string alias;
  std::int64_t min_units = 0;
  bool one_row_per_unit = false;
};

struct AtomRows {
  std::vector<privacy::CellIndex> cells;  // sorted
  std::vector<std::int64_t> units;        // by kind: at most so many
  std::vector<bool> large;                // by kind: proved to be at least k
  std::vector<std::int64_t> found;        // ids within the scan
};

// One scan of the finest table of the sides, through the joins of each.
class AtomScan {
 public:
  // REQUIRES: the sides have one finest table, which is a protected asset that no join multiplies.
  AtomScan(RunContext& run, const std::vector<Side>& sides);

  [[nodiscard]] const std::vector<UnitKind>& kinds() const { return kinds_; }
  // Whether all sides have the same tables and joins.
  [[nodiscard]] bool HasOneBase() const { return bases_.size() == 1; }
  // RESOURCE_EXHAUSTED if there are too many atoms.
  Result<std::vector<AtomRows>> ScanAll();
  // Of the table's first rows only. REQUIRES: HasOneBase.
  Result<std::vector<AtomRows>> ScanFirst(std::int64_t rows_max);
  // Reads the units of all atoms that are not large: their numbers are exact from now on, and more may be large.
  // RESOURCE_EXHAUSTED if there are too many. REQUIRES: the last scan was ScanAll, and found them.
  Status CountExactly(std::vector<AtomRows>& atoms, std::size_t kind);
  // Distinct units of the atoms together. REQUIRES: CountExactly, and none of them is large.
  [[nodiscard]] std::int64_t CountUnits(const std::vector<AtomRows>& atoms, const std::vector<std::size_t>& which,
                                        std::size_t kind) const;

 private:
  // Sides with the same tables and joins.
  struct Base {
    query::Population rows;
    std::vector<std::size_t> sides;
  };

  void FindKinds();
  [[nodiscard]] std::string ConditionSql(const Side& side) const;
  // "c0", "k0_0", ...: which cell of a side holds the row.
  [[nodiscard]] std::vector<std::string> Columns() const;
  [[nodiscard]] std::string BaseSql(const Base& base, const query::AssetCatalog& catalog) const;
  // A row for each row of the table: r, which joins the bases, u0..., and the columns.
  [[nodiscard]] std::string RowsSql(const query::AssetCatalog& catalog) const;
  // n0..., and the columns.
  Result<std::string> AtomsSql(const query::AssetCatalog& catalog);
  std::vector<AtomRows> Read(const duckdb::ResultTable& table) const;

  RunContext& run_;
  const std::vector<Side>& sides_;
  std::string finest_;
  std::vector<Base> bases_;
  std::vector<UnitKind> kinds_;
  std::vector<std::vector<std::int64_t>> units_;  // of the last CountExactly, by atom
};

}  // namespace glovebox::engine::governed
