// SPDX-License-Identifier: Apache-2.0
#include "query/sql_names.h"

#include <gtest/gtest.h>

#include <string>

namespace glovebox::query {
namespace {

TEST(DottedNames, FindsEveryWayToNameATable) {
  for (const std::string text : {
           "SELECT * FROM ins.health.customers c JOIN x.y.z ON true",
           "SELECT * FROM INS . `Health` . \"customers\"",
           "CREATE TEMP VIEW v AS SELECT (SELECT count(*) FROM ins.health.customers)",
           "SELECT * FROM IDENTIFIER('ins.' || 'health.customers')",
           "SELECT * FROM identifier ( 'Ins.Health.customers' )",
           "SELECT * FROM \"ins.health.customers\"",
           "SELECT * FROM 'ins.health.customers'",
           "SELECT 1 /* x */; SELECT * FROM ins/* y */.health.customers",
       }) {
    EXPECT_TRUE(DottedNames(text).contains("ins.health.customers")) << text;
  }
}

TEST(DottedNames, FindsNoOthers) {
  EXPECT_FALSE(DottedNames("SELECT 1 -- ins.health.customers").contains("ins.health.customers"));
  EXPECT_FALSE(DottedNames("SELECT ins.health.customers.sport FROM t").contains("ins.health.customers"));
  EXPECT_TRUE(DottedNames("SELECT 'open").empty()) << "what is no SQL names nothing";
}

}  // namespace
}  // namespace glovebox::query
