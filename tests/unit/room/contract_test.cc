// SPDX-License-Identifier: Apache-2.0
#include "room/contract.h"

#include <gtest/gtest.h>

namespace glovebox::room {
namespace {

json::Value Parse(std::string_view text) { return json::Parse(text).value(); }

engine::OutputTable Output(std::vector<engine::Column> columns, std::int64_t rows) {
  engine::OutputTable output;
  output.name = "by_sport";
  output.file.columns = std::move(columns);
  output.file.rows = rows;
  return output;
}

constexpr std::string_view kGiven =
    R"({"min_units":50,"outputs":[{"name":"By_Sport","rows_max":3,"columns":[{"name":"Sport","type":"varchar"}]}]})";

TEST(ContractTest, ConformingOutputNeedsNobody) {
  const json::Value contract = NormalisedContract(Parse(kGiven)).value();
  EXPECT_EQ(WhyNotConforming(contract, Output({{"sport", "VARCHAR"}}, 3), 50), "");
  EXPECT_EQ(WhyNotConforming(contract, Output({{"sport", "VARCHAR"}}, 3), 0), "") << "no protected asset";
}

TEST(ContractTest, EachDifferenceIsNamed) {
  const json::Value contract = NormalisedContract(Parse(kGiven)).value();
  EXPECT_NE(WhyNotConforming(contract, Output({{"sport", "BIGINT"}}, 3), 50), "");
  EXPECT_NE(WhyNotConforming(contract, Output({{"sport", "VARCHAR"}, {"more", "VARCHAR"}}, 3), 50), "");
  EXPECT_NE(WhyNotConforming(contract, Output({}, 3), 50), "");
  EXPECT_NE(WhyNotConforming(contract, Output({{"sport", "VARCHAR"}}, 4), 50), "") << "rows";
  EXPECT_NE(WhyNotConforming(contract, Output({{"sport", "VARCHAR"}}, 3), 49), "") << "minimum group";
  engine::OutputTable other = Output({{"sport", "VARCHAR"}}, 3);
  other.name = "other";
  EXPECT_NE(WhyNotConforming(contract, other, 50), "");
  EXPECT_NE(WhyNotConforming(json::Value(), other, 50), "") << "no contract";
}

TEST(ContractTest, DerivedOneFitsItsPlanOnly) {
  engine::RunResult plan;
  plan.certificate = Parse(R"({"governed":[{"minimum_units":{"a":80}},{"minimum_units":{"b":50}}]})");
  plan.outputs.push_back(Output({{"sport", "VARCHAR"}}, 0));
  const json::Value contract = DerivedContract(plan);
  EXPECT_EQ(WhyNotConforming(contract, Output({{"sport", "VARCHAR"}}, 1'000), 50), "");
  EXPECT_NE(WhyNotConforming(contract, Output({{"sport", "VARCHAR"}}, 1'000), 49), "") << "a rule was loosened since";
  EXPECT_NE(WhyNotConforming(contract, Output({{"land", "VARCHAR"}}, 1), 50), "");
  EXPECT_NE(WhyNotConforming(contract, Output({{"sport", "BIGINT"}}, 1), 50), "") << "another type";
  EXPECT_TRUE(DerivedContract({}).is_null());
  EXPECT_NE(ContractDigest(contract), ContractDigest(NormalisedContract(Parse(kGiven)).value()));
}

TEST(ContractTest, RefusesWhatItDoesNotKnow) {
  for (const std::string_view bad :
       {R"({})", R"({"outputs":[]})", R"({"outputs":[{"name":"a"}]})", R"({"outputs":[{"name":"a","columns":[]}]})",
        R"({"outputs":[{"name":"a","columns":[{"type":"INT"}]}]})",
        R"({"outputs":[{"name":"a","columns":[{"name":"x","type":"INT","why":1}]}]})",
        R"({"version":2,"outputs":[{"name":"a","columns":[{"name":"x","type":"INT"}]}]})",
        R"({"min_unit":5,"outputs":[{"name":"a","columns":[{"name":"x","type":"INT"}]}]})",
        R"({"outputs":[{"name":"a","columns":[{"name":"x","type":"INT"}]},)"
        R"({"name":"A","columns":[{"name":"x","type":"INT"}]}]})",
        R"([])"}) {
    EXPECT_EQ(NormalisedContract(Parse(bad)).status().code(), ErrorCode::kInvalidParameterValue) << bad;
  }
}

}  // namespace
}  // namespace glovebox::room
