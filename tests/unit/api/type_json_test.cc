// SPDX-License-Identifier: Apache-2.0
#include "api/type_json.h"

#include <gtest/gtest.h>

namespace glovebox::api {
namespace {

TEST(TypeJsonTest, EveryTypeOfATableHasANameThatClientsKnow) {
  for (const auto& [type, name, text] : {
           std::tuple{"BOOLEAN", "BOOLEAN", "boolean"},
           std::tuple{"TINYINT", "BYTE", "tinyint"},
           std::tuple{"SMALLINT", "SHORT", "smallint"},
           std::tuple{"INTEGER", "INT", "int"},
           std::tuple{"BIGINT", "LONG", "bigint"},
           std::tuple{"HUGEINT", "DECIMAL", "decimal(38,0)"},
           std::tuple{"DOUBLE", "DOUBLE", "double"},
           std::tuple{"DECIMAL(10,2)", "DECIMAL", "decimal(10,2)"},
           std::tuple{"VARCHAR", "STRING", "string"},
           std::tuple{"DATE", "DATE", "date"},
           std::tuple{"TIMESTAMP", "TIMESTAMP_NTZ", "timestamp_ntz"},
           std::tuple{"INTEGER[]", "USER_DEFINED_TYPE", "integer[]"},
       }) {
    EXPECT_EQ(TypeNameOf(type), name);
    EXPECT_EQ(TypeTextOf(type), text);
  }
}

TEST(TypeJsonTest, ColumnInfoHasWhatDatabricksClientsRead) {
  const json::Object column = ColumnInfoJson("amount", "DECIMAL(10,2)", 3);
  const json::Object nested{
      {"name", "amount"}, {"type", "decimal(10,2)"}, {"nullable", true}, {"metadata", json::Object{}}};
  const json::Object expected{{"name", "amount"},       {"type_text", "decimal(10,2)"},
                              {"type_name", "DECIMAL"}, {"type_precision", 10},
                              {"type_scale", 2},        {"position", 3},
                              {"nullable", true},       {"type_json", json::Write(nested)}};
  EXPECT_EQ(column, expected) << json::Write(column);
}

TEST(TypeJsonTest, ResultColumnsUseTheNamesOfThatApi) {
  const json::Object column = ResultColumnJson("at", "TIMESTAMP", 0);
  const json::Object expected{
      {"name", "at"}, {"type_text", "TIMESTAMP_NTZ"}, {"type_name", "TIMESTAMP"}, {"position", 0}};
  EXPECT_EQ(column, expected) << json::Write(column);
}

TEST(TypeJsonTest, ADecimalWithoutArgumentsDoesNotFail) {
  EXPECT_EQ(TypeTextOf("DECIMAL"), "decimal(0,0)");
  EXPECT_EQ(TypeTextOf("DECIMAL(x,)"), "decimal(0,0)");
}

}  // namespace
}  // namespace glovebox::api
