// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

#include "base/limits.h"
#include "base/strings.h"

namespace glovebox::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;

// Whatever of a chunked body is missing, it ends with "0\r\n\r\n". Beast's parser asserts as much when
// it looks at a last chunk for the second time, so it is not called with less.
constexpr std::size_t kChunkedRestMin = 5;

Status Malformed(std::string message) { return {ErrorCode::kMalformedRequest, std::move(message)}; }

Status HeadTooLarge(std::size_t bytes_max) {
  return {ErrorCode::kHeadersTooLarge, "The request head is over the limit of " + std::to_string(bytes_max) +
                                           " bytes or " + std::to_string(limits::kHttpHeadersMax) + " headers."};
}

bool IsPlainNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// What the grammar leaves open and two servers in a row could read differently.
Status CheckFraming(const RequestHead& head) {
  const std::size_t hosts = head.headers.Count("Host");
  if (hosts > 1 || (hosts == 0 && !head.http_1_0)) {
    return Malformed("The request must have one Host header.");
  }
  if (head.headers.Count("Authorization") > 1) {
    return Malformed("The request must have at most one Authorization header.");
  }
  const std::size_t lengths = head.headers.Count("Content-Length");
  if (lengths > 1 || (lengths == 1 && !IsPlainNumber(*head.headers.Find("Content-Length")))) {
    return Malformed("The request must have at most one Content-Length, a plain number.");
  }
  if (const std::string* coding = head.headers.Find("Transfer-Encoding"); coding != nullptr) {
    if (lengths != 0 || head.http_1_0) {
      return Malformed("Transfer-Encoding goes neither with Content-Length nor with HTTP/1.0.");
    }
    if (head.headers.Count("Transfer-Encoding") != 1 || !EqualsIgnoreCase(*coding, "chunked")) {
      return {ErrorCode::kNotImplemented, "The only transfer coding that is understood is chunked."};
    }
  }
  const std::string* expect = head.headers.Find("Expect");
  if (expect != nullptr && !EqualsIgnoreCase(*expect, "100-continue")) {
    return Malformed("The only expectation that is understood is 100-continue.");
  }
  return {};
}

}  // namespace

class RequestParser::Impl final : public beast::http::basic_parser<true> {
 public:
  Impl(std::size_t head_bytes_max, std::uint64_t body_bytes_max)
      : head_bytes_max_(head_bytes_max), body_bytes_max_(body_bytes_max) {
    header_limit(static_cast<std::uint32_t>(head_bytes_max));
    body_limit(body_bytes_max);
  }

  Result<std::size_t> ParseHead(std::string_view input) {
    error_code error;
    const std::size_t used = put({input.data(), input.size()}, error);
    head_bytes_ += used;
    const std::size_t waiting = is_header_done() ? 0 : input.size() - used;
    if (head_bytes_ + waiting > head_bytes_max_) {
      return HeadTooLarge(head_bytes_max_);
    }
    if (error == beast::http::error::need_more) {
      return used;
    }
    if (error) {
      return ToStatus(error);
    }
    if (is_header_done()) {
      eager(true);
      head_.keep_alive = keep_alive();
      head_.expects_continue = !head_.http_1_0 && head_.headers.Find("Expect") != nullptr;
      if (const auto length = content_length(); length.has_value()) {
        head_.content_length = *length;
      }
      GB_RETURN_IF_ERROR(CheckFraming(head_));
    }
    return used;
  }

  Result<std::size_t> ParseBody(std::string_view input, std::string& body) {
    if (chunked() && input.size() < kChunkedRestMin) {
      return std::size_t{0};
    }
    body_ = &body;
    error_code error;
    const std::size_t used = put({input.data(), input.size()}, error);
    body_ = nullptr;
    if (error && error != beast::http::error::need_more) {
      return ToStatus(error);
    }
    if (input.size() - used > head_bytes_max_ && !is_done()) {  // a chunk's extension or the trailer
      return HeadTooLarge(head_bytes_max_);
    }
    return used;
  }

  [[nodiscard]] const RequestHead& head() const { return head_; }

 private:
  Status ToStatus(const error_code& error) const {
    if (too_many_headers_ || error == beast::http::error::header_limit) {
      return HeadTooLarge(head_bytes_max_);
    }
    if (error == beast::http::error::body_limit) {
      return {ErrorCode::kPayloadTooLarge,
              "The body is over the limit of " + std::to_string(body_bytes_max_) + " bytes."};
    }
    return Malformed("The request is not valid HTTP/1.1: " + error.message() + ".");
  }

  void on_request_impl(beast::http::verb /*verb*/, beast::string_view method, beast::string_view target, int version,
                       error_code& /*error*/) override {
    head_.method = std::string(method);
    head_.target = std::string(target);
    head_.http_1_0 = version == 10;
  }
  void on_field_impl(beast::http::field /*field*/, beast::string_view name, beast::string_view value,
                     error_code& error) override {
    if (head_complete_) {
      return;  // a trailer: nothing that comes after the body may change what it means
    }
    if (head_.headers.size() == limits::kHttpHeadersMax) {
      too_many_headers_ = true;
      error = beast::http::error::header_limit;
      return;
    }
    head_.headers.Add(std::string(name), std::string(value));
  }
  void on_header_impl(error_code& /*error*/) override { head_complete_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, error_code& /*error*/) override {}
  std::size_t on_body_impl(beast::string_view bytes, error_code& /*error*/) override {
    body_->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, beast::string_view /*extensions*/, error_code& /*error*/) override {
  }
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, beast::string_view bytes, error_code& /*error*/) override {
    body_->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(error_code& /*error*/) override {}
  void on_response_impl(int /*code*/, beast::string_view /*reason*/, int /*version*/, error_code& /*error*/) override {}

  const std::size_t head_bytes_max_;
  const std::uint64_t body_bytes_max_;
  RequestHead head_;
  std::size_t head_bytes_ = 0;
  bool head_complete_ = false;
  bool too_many_headers_ = false;
  std::string* body_ = nullptr;  // set while ParseBody runs
};

RequestParser::RequestParser(std::size_t head_bytes_max, std::uint64_t body_bytes_max)
    : impl_(std::make_unique<Impl>(head_bytes_max, body_bytes_max)) {}
RequestParser::~RequestParser() = default;

Result<std::size_t> RequestParser::ParseHead(std::string_view input) { return impl_->ParseHead(input); }
bool RequestParser::head_done() const { return impl_->is_header_done(); }
const RequestHead& RequestParser::head() const { return impl_->head(); }
Result<std::size_t> RequestParser::ParseBody(std::string_view input, std::string& body) {
  GB_ASSERT(head_done() && !done());
  return impl_->ParseBody(input, body);
}
bool RequestParser::done() const { return impl_->is_done(); }

}  // namespace glovebox::http
