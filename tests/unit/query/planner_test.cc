// SPDX-License-Identifier: Apache-2.0
#include "query/planner.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/query/recorded_trees.h"
#include "tests/unit/query/small_room.h"

namespace glovebox::query {
namespace {

// The code with which a text that writes these output tables is refused; kOk if it is not.
ErrorCode Writing(const std::vector<std::string>& names) {
  const Result<ast::QueryPtr> query = ParseRecorded("SELECT * FROM my");
  std::vector<PlannerStatement> statements;
  for (const std::string& name : names) {
    PlannerStatement statement;
    statement.kind = StatementKind::kOutputTable;
    statement.target = {"output", "run", name};
    statement.query = query->get();
    statements.push_back(statement);
  }
  const Result<Plan> plan = MakePlan(statements, SmallRoom(), {});
  return plan.ok() ? ErrorCode::kOk : plan.status().code();
}

TEST(PlannerTest, OutputsHaveNamesThatTheirCatalogueTakes) {
  EXPECT_EQ(Writing({"by_sport", "by_club"}), ErrorCode::kOk);
  EXPECT_EQ(Writing({"Ä"}), ErrorCode::kOk);
  for (const std::string& name : {std::string("a b"), std::string("a.b"), std::string("a/b"), std::string("a?b"),
                                  std::string(""), std::string("a\x01"), std::string(300, 'a')}) {
    EXPECT_EQ(Writing({name}), ErrorCode::kInvalidParameterValue) << name;
  }
}

TEST(PlannerTest, TwoOutputsAreNeverOneTable) {
  EXPECT_EQ(Writing({"by_sport", "BY_SPORT"}), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(Writing({"Ä", "ä"}), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(Writing({"ﬁt", "fit"}), ErrorCode::kInvalidParameterValue) << "as the catalogue folds names";
}

}  // namespace
}  // namespace glovebox::query
