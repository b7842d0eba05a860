// SPDX-License-Identifier: Apache-2.0
#include "base/guarded.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace glovebox {
namespace {

TEST(RunGuarded, GivesBackWhatTheFunctionReturns) {
  const Result<int> seven = RunGuarded("A test", []() -> Result<int> { return 7; });
  ASSERT_TRUE(seven.ok());
  EXPECT_EQ(*seven, 7);
  EXPECT_EQ(RunGuarded("A test", [] { return Status(ErrorCode::kNotFound, "no"); }).code(), ErrorCode::kNotFound);
}

TEST(RunGuarded, ExceptionsBecomeAnErrorWithoutTheirText) {
  const Status thrown = RunGuarded("A test", []() -> Status { throw std::runtime_error("secret"); });
  EXPECT_EQ(thrown.code(), ErrorCode::kInternal);
  EXPECT_EQ(thrown.message(), "A test threw an exception.");
  const Result<int> memory = RunGuarded("A test", []() -> Result<int> { throw std::bad_alloc(); });
  EXPECT_EQ(memory.status().code(), ErrorCode::kInternal);
  EXPECT_EQ(memory.status().message(), "A test ran out of memory.");
}

}  // namespace
}  // namespace glovebox
