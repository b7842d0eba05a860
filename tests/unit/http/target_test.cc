// SPDX-License-Identifier: Apache-2.0
#include "http/target.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace glovebox::http {
namespace {

using Segments = std::vector<std::string>;

Segments SegmentsOf(std::string_view target) {
  const Result<Target> parsed = ParseTarget(target);
  EXPECT_TRUE(parsed.ok()) << target;
  return parsed.ok() ? parsed->segments : Segments{};
}

TEST(Target, DecodesSegmentsOnceAndKeepsTheRawPath) {
  EXPECT_EQ(SegmentsOf("/a/b%20c/d%2520"), (Segments{"a", "b c", "d%20"}));
  EXPECT_EQ(SegmentsOf("/%C3%BCn%C3%AF"), (Segments{"ünï"}));
  EXPECT_EQ(SegmentsOf("/a+b"), (Segments{"a+b"}));
  EXPECT_EQ(SegmentsOf("/"), (Segments{""}));
  EXPECT_EQ(SegmentsOf("/a//b/"), (Segments{"a", "", "b", ""}));
  EXPECT_EQ(ParseTarget("/b%20c?x=1")->raw_path, "/b%20c");
}

TEST(Target, DecodesTheQuery) {
  const Result<Target> target = ParseTarget("/x?a=1&b=x+y%2B%26&a=2&flag&empty=&&c=d=e?/");
  ASSERT_TRUE(target.ok());
  const QueryParameters& query = target->query;
  EXPECT_EQ(query.All("a"), (Segments{"1", "2"}));
  EXPECT_EQ(query.GetString("b"), "x y+&");
  EXPECT_EQ(query.GetString("flag", "none"), "");
  EXPECT_EQ(query.GetString("empty", "none"), "");
  EXPECT_EQ(query.GetString("absent", "none"), "none");
  EXPECT_EQ(query.GetString("c"), "d=e?/");
  EXPECT_EQ(query.size(), 6U);
}

class BadTarget : public ::testing::TestWithParam<std::string> {};

TEST_P(BadTarget, IsRefused) {
  const Result<Target> target = ParseTarget(GetParam());
  ASSERT_FALSE(target.ok());
  EXPECT_EQ(target.status().code(), ErrorCode::kMalformedRequest);
}

INSTANTIATE_TEST_SUITE_P(All, BadTarget,
                         ::testing::Values("", "*", "http://host/x", "x", "/a/../b", "/a/%2e%2E/b", "/.", "/a%2Fb",
                                           "/a%00", "/a%0A", "/a%7F", "/a%", "/a%4", "/a%zz", "/a b", "/a\x01", "/a\\b",
                                           "/a#b", "/\xC3\xBC", "/%FF", "/%C0%AF", "/x?a=%", "/x?a=%FF", "/x?%00=1",
                                           "/x?a={b}"));

TEST(Target, BoundsSegmentsAndParameters) {
  std::string path;
  for (std::size_t i = 0; i < limits::kHttpPathSegmentsMax; ++i) {
    path += "/a";
  }
  EXPECT_TRUE(ParseTarget(path).ok());
  EXPECT_FALSE(ParseTarget(path + "/a").ok());
  std::string query = "/x?";
  for (std::size_t i = 0; i < limits::kHttpQueryParametersMax; ++i) {
    query += "a&";
  }
  EXPECT_TRUE(ParseTarget(query).ok());
  EXPECT_FALSE(ParseTarget(query + "a").ok());
}

}  // namespace
}  // namespace glovebox::http
