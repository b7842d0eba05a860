// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/result.h"
#include "base/strings.h"

namespace glovebox {
namespace {

using testing::Contains;
using testing::Not;

constexpr ErrorCode kAll[] = {
#define GB_TEST_CODE(name, wire, http, meaning) ErrorCode::name,
    GB_ERROR_CODES(GB_TEST_CODE)
#undef GB_TEST_CODE
};

TEST(ErrorsTest, WireNamesAreUniqueAndLeadBack) {
  std::set<std::string_view> names;
  for (const ErrorCode code : kAll) {
    EXPECT_TRUE(names.insert(WireName(code)).second) << WireName(code);
    EXPECT_EQ(ErrorCodeFromWireName(WireName(code)), code);
    EXPECT_TRUE(code == ErrorCode::kOk ? HttpStatus(code) == 200 : HttpStatus(code) >= 400 && HttpStatus(code) < 600);
    EXPECT_TRUE(Meaning(code).ends_with('.'));
  }
  EXPECT_EQ(ErrorCodeFromWireName("NO_SUCH_CODE"), ErrorCode::kInternal);
  EXPECT_EQ(WireName(ErrorCode::kNotFound), "RESOURCE_DOES_NOT_EXIST");
  EXPECT_EQ(HttpStatus(ErrorCode::kNotFound), 404);
}

TEST(ErrorsTest, MarkdownHasALineForEachError) {
  const std::vector<std::string> lines = Split(ErrorCodesMarkdown(), '\n');
  EXPECT_EQ(lines.size(), 2 + (std::size(kAll) - 1) + 1);  // head, codes without kOk, nothing after the last newline
  EXPECT_THAT(lines,
              Contains("| `RESOURCE_DOES_NOT_EXIST` | 404 | No such object, or none that the caller may know of. |"));
  EXPECT_THAT(lines, Not(Contains(testing::HasSubstr("`OK`"))));
}

Result<int> Half(int number) {
  if (number % 2 != 0) {
    return Status(ErrorCode::kInvalidParameterValue, "odd").WithRule("P1").At(3);
  }
  return number / 2;
}

Result<int> Quarter(int number) {
  GB_ASSIGN_OR_RETURN(const int half, Half(number));
  GB_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

Status CheckQuarter(int number) {
  GB_RETURN_IF_ERROR(Quarter(number).status());
  return Status();
}

TEST(ResultTest, MacrosPassValuesAndErrorsOn) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_TRUE(CheckQuarter(8).ok());
  const Status status = CheckQuarter(6);
  EXPECT_EQ(status.code(), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(status.message(), "odd");
  EXPECT_EQ(status.rule(), "P1");
  EXPECT_EQ(status.position(), 3U);
}

TEST(ResultDeathTest, AnErrorHasNoValue) {
  EXPECT_DEATH(static_cast<void>(Half(1).value()), "assertion failed: ok");
  EXPECT_DEATH(static_cast<void>(Status(ErrorCode::kOk, "x")), "assertion failed");
}

}  // namespace
}  // namespace glovebox
