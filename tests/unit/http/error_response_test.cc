// SPDX-License-Identifier: Apache-2.0
#include "http/error_response.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace glovebox::http {
namespace {

json::Value BodyOf(const Response& response) { return *json::Parse(std::get<std::string>(response.body)); }

TEST(ErrorResponse, HasDatabricksShape) {
  const Response response = ErrorResponse(Status(ErrorCode::kQueryRefused, "No.").WithRule("P4").At(12), "request-1");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(*response.headers.Find("Content-Type"), "application/json");
  const json::Value body = BodyOf(response);
  EXPECT_EQ(body.GetString("error_code"), "QUERY_REFUSED");
  EXPECT_EQ(body.GetString("message"), "No.");
  const json::Array& details = body.Get("details")->as_array();
  ASSERT_EQ(details.size(), 2U);
  EXPECT_EQ(details[0].GetString("@type"), "type.googleapis.com/google.rpc.ErrorInfo");
  EXPECT_EQ(details[0].GetString("reason"), "P4");
  EXPECT_EQ(details[0].Get("metadata")->GetString("position"), "12");
  EXPECT_EQ(details[1].GetString("@type"), "type.googleapis.com/google.rpc.RequestInfo");
  EXPECT_EQ(details[1].GetString("request_id"), "request-1");
}

TEST(ErrorResponse, WithoutARuleTheReasonIsTheCode) {
  const json::Value body = BodyOf(ErrorResponse(Status(ErrorCode::kNotFound, "x"), ""));
  EXPECT_EQ(body.Get("details")->as_array()[0].GetString("reason"), "RESOURCE_DOES_NOT_EXIST");
  EXPECT_TRUE(body.Get("details")->as_array()[0].Get("metadata")->as_object().empty());
}

TEST(ErrorResponse, SaysWhenToRetry) {
  for (const ErrorCode code : {ErrorCode::kResourceExhausted, ErrorCode::kUnavailable}) {
    const Response response = ErrorResponse(Status(code, "x"), "");
    ASSERT_NE(response.headers.Find("Retry-After"), nullptr);
    EXPECT_GE(std::stoi(*response.headers.Find("Retry-After")), 1);
  }
  EXPECT_EQ(ErrorResponse(Status(ErrorCode::kNotFound, "x"), "").headers.Find("Retry-After"), nullptr);
}

TEST(ErrorResponse, KeepsInternalMessagesInTheLog) {
  ::testing::internal::CaptureStderr();
  const json::Value body = BodyOf(ErrorResponse(Status(ErrorCode::kInternal, "open /srv/x: failed"), "request-2"));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(body.GetString("message").find("/srv/x"), std::string::npos);
  EXPECT_NE(body.GetString("message").find("request-2"), std::string::npos);
  EXPECT_NE(log.find("/srv/x"), std::string::npos);
  EXPECT_NE(log.find("request-2"), std::string::npos);
}

TEST(ErrorResponse, IsJsonWhateverTheMessage) {
  const json::Value body = BodyOf(ErrorResponse(Status(ErrorCode::kNotFound, "\xFF\xFE"), ""));
  EXPECT_FALSE(body.GetString("message").empty());
}

}  // namespace
}  // namespace glovebox::http
