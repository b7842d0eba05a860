// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.h"

#include <gtest/gtest.h>

namespace glovebox::http {
namespace {

struct Parsed {
  Status status;
  RequestHead head;
  std::string body;
  std::string rest;
  bool done = false;
};

// Feeds `bytes` in steps, as a slow network would.
Parsed ParseInSteps(std::string_view bytes, std::size_t step, std::uint64_t body_max = 1'000) {
  RequestParser parser(2'000, body_max);
  Parsed parsed;
  std::string input;
  while (!parser.done() && !bytes.empty()) {
    input.append(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    std::size_t used = 1;
    while (used != 0 && !input.empty() && !parser.done()) {
      const Result<std::size_t> result =
          parser.head_done() ? parser.ParseBody(input, parsed.body) : parser.ParseHead(input);
      if (!result.ok()) {
        parsed.status = result.status();
        return parsed;
      }
      used = *result;
      input.erase(0, used);
    }
  }
  if (parser.head_done()) {
    parsed.head = parser.head();
  }
  parsed.done = parser.done();
  parsed.rest = input.append(bytes);
  return parsed;
}

class Steps : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Steps, ReadsABodyByItsLength) {
  const Parsed parsed = ParseInSteps(
      "PUT /x?y HTTP/1.1\r\nHost: a\r\nX-A:  b c \r\nContent-Length: 11\r\n\r\nhello worldGET", GetParam());
  ASSERT_TRUE(parsed.done) << parsed.status.message();
  EXPECT_EQ(parsed.head.method, "PUT");
  EXPECT_EQ(parsed.head.target, "/x?y");
  EXPECT_EQ(*parsed.head.headers.Find("x-a"), "b c");
  EXPECT_EQ(parsed.head.content_length, 11U);
  EXPECT_TRUE(parsed.head.keep_alive);
  EXPECT_EQ(parsed.body, "hello world");
  EXPECT_EQ(parsed.rest, "GET");
}

TEST_P(Steps, ReadsChunksAndIgnoresTrailers) {
  const Parsed parsed = ParseInSteps(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5;x=\"y\"\r\nhello\r\nA\r\n0123456789\r\n0\r\nHost: evil\r\nX-Late: 1\r\n\r\nNEXT",
      GetParam());
  ASSERT_TRUE(parsed.done) << parsed.status.message();
  EXPECT_EQ(parsed.body, "hello0123456789");
  EXPECT_EQ(parsed.head.headers.Count("Host"), 1U);
  EXPECT_EQ(parsed.head.headers.Find("X-Late"), nullptr);
  EXPECT_EQ(parsed.head.content_length, std::nullopt);
  EXPECT_EQ(parsed.rest, "NEXT");
}

TEST_P(Steps, BoundsTheBody) {
  const std::string_view head = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(ParseInSteps(std::string(head) + "Content-Length: 11\r\n\r\n", GetParam(), 10).status.code(),
            ErrorCode::kPayloadTooLarge);
  EXPECT_EQ(ParseInSteps(std::string(head) + "Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n",
                         GetParam(), 10)
                .status.code(),
            ErrorCode::kPayloadTooLarge);
}

TEST_P(Steps, BoundsHeadChunkExtensionAndTrailer) {
  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string much(5'000, 'x');
  EXPECT_EQ(ParseInSteps("GET /" + much, GetParam()).status.code(), ErrorCode::kHeadersTooLarge);
  EXPECT_EQ(ParseInSteps("GET / HTTP/1.1\r\nX: " + much, GetParam()).status.code(), ErrorCode::kHeadersTooLarge);
  EXPECT_EQ(ParseInSteps(chunked + "5;" + much, GetParam()).status.code(), ErrorCode::kHeadersTooLarge);
  EXPECT_EQ(ParseInSteps(chunked + "0\r\nX: " + much, GetParam()).status.code(), ErrorCode::kHeadersTooLarge);
}

INSTANTIATE_TEST_SUITE_P(All, Steps, ::testing::Values(1, 2, 7, 64, 100'000));

TEST(RequestParser, HeadLimitCountsTheRequestLineToo) {
  const std::string head =
      "GET /" + std::string(1'900, 'a') + " HTTP/1.1\r\nHost: " + std::string(200, 'b') + "\r\n\r\n";
  EXPECT_EQ(ParseInSteps(head, 10).status.code(), ErrorCode::kHeadersTooLarge);
}

TEST(RequestParser, KnowsWhetherTheConnectionGoesOn) {
  EXPECT_FALSE(ParseInSteps("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 100).head.keep_alive);
  EXPECT_FALSE(ParseInSteps("GET / HTTP/1.0\r\n\r\n", 100).head.keep_alive);
  EXPECT_TRUE(ParseInSteps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 100).head.keep_alive);
}

TEST(RequestParser, ExpectationIsOfHttp11) {
  const std::string rest = "Host: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx";
  EXPECT_TRUE(ParseInSteps("PUT / HTTP/1.1\r\n" + rest, 1'000).head.expects_continue);
  EXPECT_FALSE(ParseInSteps("PUT / HTTP/1.0\r\n" + rest, 1'000).head.expects_continue);
}

}  // namespace
}  // namespace glovebox::http
