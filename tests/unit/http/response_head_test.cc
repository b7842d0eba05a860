// SPDX-License-Identifier: Apache-2.0
#include "http/response_head.h"

#include <gtest/gtest.h>

namespace glovebox::http {
namespace {

TEST(HttpDate, HasItsFixedForm) {
  EXPECT_EQ(FormatHttpDate(TimeMs{1795391100123}), "Sun, 22 Nov 2026 23:45:00 GMT");
  EXPECT_EQ(FormatHttpDate(TimeMs{0}), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(ResponseHead, HasFramingAndSecurityHeaders) {
  Headers headers;
  headers.Set("Content-Type", "text/plain");
  HeadContext context;
  context.framing = Framing::kLength;
  context.length = 5;
  context.keep_alive = true;
  context.request_id = "id";
  EXPECT_EQ(*FormatResponseHead(200, headers, context),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n"
            "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nReferrer-Policy: no-referrer\r\n"
            "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nX-Request-Id: id\r\n"
            "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n");
}

TEST(ResponseHead, HandlersMayReplaceDefaultsOnly) {
  Headers headers;
  headers.Set("cache-control", "max-age=60");
  const Result<std::string> head = FormatResponseHead(200, headers, {});
  EXPECT_NE(head->find("cache-control: max-age=60\r\n"), std::string::npos);
  EXPECT_EQ(head->find("no-store"), std::string::npos);
}

TEST(ResponseHead, RefusesWhatMayNotBeSent) {
  const std::pair<std::string, std::string> bad[] = {{"X-A", "a\r\nX-B: c"}, {"X-A", "a\nb"},
                                                     {"X A", "a"},           {"X-A:", "a"},
                                                     {"X\r\nY", "a"},        {"Content-Length", "100"},
                                                     {"connection", "x"},    {"Transfer-Encoding", "chunked"},
                                                     {"X-Request-Id", "x"},  {"date", "x"},
                                                     {"X-Frame-Options", ""}};
  for (const auto& [name, value] : bad) {
    Headers headers;
    headers.Add(name, value);
    EXPECT_EQ(FormatResponseHead(200, headers, {}).status().code(), ErrorCode::kInternal) << name;
  }
  EXPECT_FALSE(FormatResponseHead(100, {}, {}).ok());
  EXPECT_FALSE(FormatResponseHead(1000, {}, {}).ok());
}

}  // namespace
}  // namespace glovebox::http
