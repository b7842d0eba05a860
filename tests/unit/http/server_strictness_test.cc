// SPDX-License-Identifier: Apache-2.0
//
// Requests that servers have read in different ways, sent raw. What could smuggle a second request
// past a proxy, or cost the server more than the client, is refused and the connection closed.
#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/unit/http/client.h"

namespace glovebox::http::testing {
namespace {

struct Probe {
  std::string name;
  std::string request;
  int status;
};

std::string Repeat(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    all += text;
  }
  return all;
}

std::string Post(std::string_view headers, std::string_view body) {
  return "POST /echo HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

std::vector<Probe> Probes() {
  return {
      {"length_and_chunked", Post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"chunked_and_length", Post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
      {"two_lengths", Post("Content-Length: 0\r\nContent-Length: 5\r\n", "hello"), 400},
      {"two_equal_lengths", Post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400},
      {"length_list", Post("Content-Length: 5, 5\r\n", "hello"), 400},
      {"length_plus", Post("Content-Length: +0\r\n", ""), 400},
      {"length_hex", Post("Content-Length: 0x0\r\n", ""), 400},
      {"length_negative", Post("Content-Length: -1\r\n", ""), 400},
      {"length_overflow", Post("Content-Length: 99999999999999999999\r\n", ""), 400},
      {"length_empty", Post("Content-Length:\r\n", ""), 400},
      {"space_before_colon", "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"bare_line_feeds", "GET /hello HTTP/1.1\nHost: a\n\n", 400},
      {"nul_in_value", Get("/hello", std::string("X: a\0b\r\n", 8)), 400},
      {"no_host", "GET /hello HTTP/1.1\r\n\r\n", 400},
      {"two_hosts", Get("/hello", "Host: b\r\n"), 400},
      {"two_authorizations", Get("/hello", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 400},
      {"unknown_coding", Post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
      {"coding_list", Post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
      {"coding_twice", Post("Transfer-Encoding: xchunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 501},
      {"unknown_coding_and_length", Post("Transfer-Encoding: x\r\nContent-Length: 5\r\n", "hello"), 400},
      {"chunked_in_http_1_0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"negative_chunk", Post("Transfer-Encoding: chunked\r\n", "-2\r\nabc\r\n0\r\n\r\n"), 400},
      {"huge_chunk", Post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n"), 400},
      {"chunk_without_end", Post("Transfer-Encoding: chunked\r\n", "2\r\nabcd0\r\n\r\n"), 400},
      {"large_header", Get("/hello", "X: " + std::string(100'000, 'a') + "\r\n"), 431},
      {"many_headers", Get("/hello", Repeat("A: b\r\n", 20'000)), 431},
      {"101_headers", Get("/hello", Repeat("A: b\r\n", 100)), 431},
      {"no_line_at_all", std::string(5'000'000, 'A'), 431},
      {"unknown_method", "BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"lower_case_method", "get /hello HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"version_2", "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 400},
      {"version_0_9", "GET /hello\r\n\r\n", 400},
      {"absolute_form", "GET http://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"dot_dot", Get("/x/../hello"), 400},
      {"encoded_dot_dot", Get("/x/%2e%2e/hello"), 400},
      {"encoded_slash", Get("/x%2fhello"), 400},
      {"bad_escape", Get("/%zz"), 400},
      {"unknown_expectation", Post("Expect: a-miracle\r\nContent-Length: 1\r\n", "x"), 400},
      {"tls_hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15), 400},
  };
}

class Strictness : public ::testing::TestWithParam<Probe> {};

TEST_P(Strictness, RefusesAndCloses) {
  const auto server = StartServer(HelloRouter());
  Client client(server->port());
  client.Send(GetParam().request);
  const ClientResponse response = client.Receive();
  EXPECT_EQ(response.status, GetParam().status) << response.head << response.body;
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(response.headers.at("connection"), "close");
  EXPECT_EQ(response.headers.at("content-type"), "application/json");
  const Result<json::Value> body = json::Parse(response.body);
  ASSERT_TRUE(body.ok());
  EXPECT_FALSE(body->GetString("error_code").empty());
  EXPECT_TRUE(client.AtEnd());  // and no second answer
  EXPECT_EQ(Fetch(server->port(), Get("/hello")).status, 200);
}

INSTANTIATE_TEST_SUITE_P(All, Strictness, ::testing::ValuesIn(Probes()),
                         [](const auto& instance) { return instance.param.name; });

TEST(StrictnessControl, GoodRequestsPass) {
  const auto server = StartServer(HelloRouter());
  EXPECT_EQ(Fetch(server->port(), Get("/hello")).status, 200);
  EXPECT_EQ(Fetch(server->port(), "GET /hello HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_EQ(Fetch(server->port(), Get("/hello", Repeat("A: b\r\n", 99))).status, 200);
  EXPECT_EQ(Fetch(server->port(), Get("/hello", "X: " + std::string(15'000, 'a') + "\r\n")).status, 200);
  EXPECT_EQ(Fetch(server->port(), Post("Content-Length: 5\r\n", "hello")).body, "hello");
  EXPECT_EQ(Fetch(server->port(), Post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n")).body, "hello");
}

}  // namespace
}  // namespace glovebox::http::testing
