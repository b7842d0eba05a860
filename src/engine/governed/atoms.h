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
};

// A kind of unit that a row belongs to.
struct UnitKind {
  std::string alias;
  std::int64_t min_units = 0;
  std::int64_t heaviest_rows = 0;  // T(k), 0 if it proves nothing
  bool one_row_per_unit = false;
};

struct AtomRows {
  std::vector<privacy::CellIndex> cells;  // sorted
  std::int64_t rows = 0;
  std::vector<std::int64_t> units;  // by kind: at most so many
  std::vector<bool> large;          // by kind: proved to be at least k
  std::vector<std::int64_t> found;  // ids within the scan
};

// One scan of the finest table of the sides, through the joins of each.
class AtomScan {
 public:
  // REQUIRES: the sides have one finest table, which is a protected asset that no join multiplies.
  AtomScan(RunContext& run, const std::vector<Side>& sides);

  [[nodiscard]] const std::vector<UnitKind>& kinds() const { return kinds_; }
  // Whether all sides have the same tables and joins.
  [[nodiscard]] bool HasOneBase() const { return bases_.size() == 1; }
  // Of the table's first rows only, or of all if rows_max is 0. RESOURCE_EXHAUSTED if there are too many.
  Result<std::vector<AtomRows>> Scan(std::int64_t rows_max);
  // Distinct units of the atoms together, exactly. REQUIRES: the last scan was of all rows, and found them.
  Result<std::int64_t> CountUnits(const std::vector<AtomRows>& atoms, const std::vector<std::size_t>& which,
                                  std::size_t kind);

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
  [[nodiscard]] std::string BaseSql(const Base& base) const;
  // A row for each row of the table that some side holds: r, u0..., and the columns.
  [[nodiscard]] std::string RowsSql(std::int64_t rows_max) const;
  std::vector<AtomRows> Read(const duckdb::ResultTable& table) const;

  RunContext& run_;
  const std::vector<Side>& sides_;
  std::string finest_;
  std::vector<Base> bases_;
  std::vector<UnitKind> kinds_;
  bool has_units_table_ = false;
};

}  // namespace glovebox::engine::governed
