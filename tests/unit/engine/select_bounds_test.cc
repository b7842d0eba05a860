// SPDX-License-Identifier: Apache-2.0
//
// How much of a result comes back from a worker.
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_fixture.h"

namespace glovebox::engine {
namespace {

class SelectBoundsTest : public EngineTest {
 protected:
  Result<SelectResult> Select(const std::string& items) {
    SelectRequest request;
    request.sql = "SELECT " + items + " FROM c.s.big";
    const TableFile file = WriteTable("big", {{"x", "BIGINT"}, {"t", "VARCHAR"}},
                                      "SELECT range AS x, repeat('x', 10000) AS t FROM range(3000)");
    request.tables = {{.name = {"c", "s", "big"}, .file = file}};
    request.row_limit = 10'000;
    return engine_->Select(request);
  }
};

TEST_F(SelectBoundsTest, AResultEndsBeforeItHasTooManyCells) {
  std::string columns = "x AS c0";
  for (int i = 1; i < 1'000; ++i) {
    columns += ", x AS c" + std::to_string(i);
  }
  const auto result = Select(columns);
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->rows.size() * 1'000, limits::kResultCellsMax);
  EXPECT_EQ(result->file.rows, static_cast<std::int64_t>(result->rows.size()));
  EXPECT_TRUE(result->truncated);
}

TEST_F(SelectBoundsTest, AResultEndsBeforeItHasTooMuchText) {
  const auto result = Select("t");
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->rows.size(), limits::kResultTextBytesMax / 10'000);
  EXPECT_EQ(result->file.rows, static_cast<std::int64_t>(result->rows.size()));
  EXPECT_TRUE(result->truncated);
}

}  // namespace
}  // namespace glovebox::engine
