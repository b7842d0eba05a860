// SPDX-License-Identifier: Apache-2.0
#include "engine/governed/nested_cells.h"

#include <gtest/gtest.h>

#include <list>

#include "base/limits.h"
#include "engine/governed/remainder.h"
#include "tests/unit/engine/grid_fixture.h"

namespace glovebox::engine::governed {
namespace {

constexpr std::int64_t kMinUnits = 20;  // of crm and tx

// How many rows each group of a query has.
using Rows = std::map<GroupKey, std::int64_t>;

class NestedCellsTest : public GridTest {
 protected:
  // The cells of a query's first aggregate.
  void Add(std::string_view sql, const Rows& rows) {
    std::vector<GroupKey> keys;
    for (const auto& [key, number] : rows) {
      keys.push_back(key);
    }
    const Grid& grid = grids_.emplace_back(GridWith(sql, keys));
    Side side{&grid, 0, 0, grid.BranchPopulation(0, 0), ""};
    for (const auto& [key, number] : rows) {
      const Result<query::Population> population = grid.CellPopulation(0, 0, key, catalog_);
      ASSERT_TRUE(population.ok());
      side.cells.emplace(key, cells_.size());
      side.rows += number;
      cells_.push_back({*population, "", number});
    }
    sides_.push_back(std::move(side));
  }

  bool IsSafe() {
    const RunContext run = Run();
    std::vector<UnitKind> kinds;
    for (const query::PopulationTable* table : UnitTables(run, sides_.front().population)) {
      kinds.push_back({table->alias, kMinUnits, false});
    }
    return AreSafeByRows(run, sides_, cells_, kinds);
  }

  std::list<Grid> grids_;
  std::vector<Side> sides_;
  std::vector<AuditedCell> cells_;
};

constexpr const char* kByRegion = "SELECT region, COUNT(*) FROM crm GROUP BY region";
constexpr const char* kAll = "SELECT COUNT(*) FROM crm";

TEST_F(NestedCellsTest, PartsThatLeaveNothingOrManyAreSafe) {
  Add(kAll, {{{}, 1'000}});
  Add(kByRegion, {{{"NORTH"}, 600}, {{"SOUTH"}, 299}});
  EXPECT_TRUE(IsSafe());  // 101 rows are left
}

TEST_F(NestedCellsTest, TheOrderDoesNotMatter) {
  Add(kByRegion, {{{"NORTH"}, 600}, {{"SOUTH"}, 400}});
  Add(kAll, {{{}, 1'000}});
  EXPECT_TRUE(IsSafe());
}

TEST_F(NestedCellsTest, WhatFewUnitsMayHaveIsNotSafe) {
  Add(kAll, {{{}, 1'000}});
  Add(kByRegion, {{{"NORTH"}, 600}, {{"SOUTH"}, 300}});
  EXPECT_FALSE(IsSafe());  // 100 rows are left
}

TEST_F(NestedCellsTest, AnInnerCellMayBeTooSmallItself) {
  Add(kAll, {{{}, 1'000}});
  Add(kByRegion, {{{"NORTH"}, 600}, {{"SOUTH"}, 50}});
  EXPECT_FALSE(IsSafe());
}

TEST_F(NestedCellsTest, CellsThatMayOverlapAreNotSafe) {
  Add(kByRegion, {{{"NORTH"}, 600}, {{"SOUTH"}, 400}});
  Add("SELECT age // 10 * 10 AS a, COUNT(*) FROM crm GROUP BY a", {{{"30"}, 500}, {{"40"}, 500}});
  EXPECT_FALSE(IsSafe());
}

TEST_F(NestedCellsTest, RowsWithAValueAreNotRows) {
  Add(kAll, {{{}, 1'000}});
  Add(kByRegion, {{{"NORTH"}, 600}, {{"SOUTH"}, 200}});
  ASSERT_TRUE(IsSafe());
  sides_.back().valued = "crm.x";
  EXPECT_FALSE(IsSafe());
}

TEST_F(NestedCellsTest, RowsDoNotTellOfAnotherTablesUnits) {
  Add("SELECT c.region, COUNT(*) FROM tx JOIN crm AS c USING (id) GROUP BY c.region",
      {{{"NORTH"}, 600}, {{"SOUTH"}, 400}});
  ASSERT_TRUE(IsSafe());  // one person is one unit of both
  EXPECT_FALSE(AreSafeByRows(Run(), sides_, cells_, {{"tx", kMinUnits, false}, {"crm", kMinUnits, false}}));
}

TEST_F(NestedCellsTest, OfALeftJoinRowsSayNothing) {
  Add(kAll, {{{}, 1'000}});
  ASSERT_TRUE(IsSafe());
  grids_.back().population.tables.front().left_joined = true;
  EXPECT_FALSE(IsSafe());
}

TEST_F(NestedCellsTest, ThereIsALimit) {
  Add(kAll, {{{}, 1'000}});
  ASSERT_TRUE(IsSafe());
  for (std::size_t i = 0; i < limits::kAuditNestedMax; ++i) {
    sides_.front().cells.emplace(GroupKey{std::to_string(i)}, cells_.size());
    cells_.push_back({cells_.front().population, "", 1'000});
  }
  EXPECT_FALSE(IsSafe());
}

}  // namespace
}  // namespace glovebox::engine::governed
