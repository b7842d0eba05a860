// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <gtest/gtest.h>

namespace glovebox::http {
namespace {

TEST(HeaderValue, RefusesWhatCouldEndALine) {
  EXPECT_TRUE(IsValidHeaderValue("attachment; filename=\"a\tb\xC3\xBC\""));
  EXPECT_TRUE(IsValidHeaderValue(""));
  EXPECT_FALSE(IsValidHeaderValue("a\r\nSet-Cookie: x"));
  EXPECT_FALSE(IsValidHeaderValue("a\n"));
  EXPECT_FALSE(IsValidHeaderValue("a\r"));
  EXPECT_FALSE(IsValidHeaderValue(std::string_view("a\0b", 3)));
  EXPECT_FALSE(IsValidHeaderValue("\x7F"));
}

TEST(HeaderName, IsAToken) {
  EXPECT_TRUE(IsValidHeaderName("X-Request-Id"));
  EXPECT_FALSE(IsValidHeaderName(""));
  EXPECT_FALSE(IsValidHeaderName("a b"));
  EXPECT_FALSE(IsValidHeaderName("a:"));
  EXPECT_FALSE(IsValidHeaderName("a\r\n"));
  EXPECT_FALSE(IsValidHeaderName(std::string_view("a\0", 2)));
}

TEST(Headers, CompareNamesWithoutCase) {
  Headers headers;
  headers.Add("Accept", "a");
  headers.Add("ACCEPT", "b");
  EXPECT_EQ(headers.Count("accept"), 2U);
  EXPECT_EQ(*headers.Find("aCCept"), "a");
  EXPECT_EQ(headers.Find("Host"), nullptr);
  headers.Set("accept", "c");
  EXPECT_EQ(headers.Count("Accept"), 1U);
  EXPECT_EQ(*headers.Find("Accept"), "c");
}

TEST(QueryParameters, CheckTheirKinds) {
  QueryParameters query;
  query.Add("n", "-12");
  query.Add("bad", "12x");
  query.Add("yes", "true");
  query.Add("huge", "9223372036854775808");
  EXPECT_EQ(*query.GetInt("n", 0), -12);
  EXPECT_EQ(*query.GetInt("absent", 7), 7);
  EXPECT_EQ(*query.GetBool("yes", false), true);
  EXPECT_EQ(*query.GetBool("absent", true), true);
  EXPECT_EQ(query.GetInt("bad", 0).status().code(), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(query.GetInt("huge", 0).status().code(), ErrorCode::kInvalidParameterValue);
  EXPECT_NE(query.GetBool("n", false).status().message().find("'n'"), std::string::npos);
}

// A body without an announced length, in small pieces.
class Trickle final : public BodyReader {
 public:
  explicit Trickle(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> Read(std::span<char> buffer) override {
    if (at_ == text_.size() || buffer.empty()) {
      return std::size_t{0};
    }
    buffer[0] = text_[at_++];
    return std::size_t{1};
  }
  [[nodiscard]] std::optional<std::uint64_t> length() const override { return std::nullopt; }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

TEST(BodyReader, ReadsAllUpToItsLimit) {
  EXPECT_EQ(*Trickle("12345").ReadAll(5), "12345");
  EXPECT_EQ(Trickle("12345").ReadAll(4).status().code(), ErrorCode::kPayloadTooLarge);
  EXPECT_EQ(*StringBody("12345").ReadAll(5), "12345");
  EXPECT_EQ(StringBody("12345").ReadAll(4).status().code(), ErrorCode::kPayloadTooLarge);
}

TEST(Request, ReadsJson) {
  Request request;
  EXPECT_TRUE(request.ReadJson()->is_object());
  request.body = std::make_unique<StringBody>(R"({"a":1})");
  EXPECT_EQ(request.ReadJson()->GetInt("a"), 1);
  request.body = std::make_unique<StringBody>(R"({"a":1,"a":2})");
  EXPECT_EQ(request.ReadJson().status().code(), ErrorCode::kMalformedRequest);
}

TEST(Response, FileMustBeRegular) {
  EXPECT_EQ(Response::File("/nonexistent", "text/plain").status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(Response::File("/dev/null", "text/plain").status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(Response::File("/", "text/plain").status().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace glovebox::http
